//! A value as three parallel JSON documents: its known parts, its unknown parts, its sensitive parts.

use std::fmt::Write as _;

use serde_json::value::RawValue;
use terrane_core::value::Map;
use terrane_core::{Path, PathStep, Type, Value};

use crate::view::hidden::Hidden;

/// JSON that is written as it is.
pub(super) type Json = Box<RawValue>;

/// Takes text that is JSON already.
pub(super) fn raw(text: String) -> Json {
    RawValue::from_string(text).expect("invariant: this text was written as JSON")
}

/// The known and visible parts: unknown members are left out, unknown elements and everything hidden are null; `None` when nothing
/// is known.
pub(super) fn known(value: &Value, hidden: &Hidden) -> Option<Json> {
    let mut text = String::new();
    write_known(value, hidden, &mut text).then(|| raw(text))
}

/// Whether something was written.
fn write_known(value: &Value, hidden: &Hidden, text: &mut String) -> bool {
    match value {
        Value::Unknown(_) => return false,
        _ if hidden.is_whole() => text.push_str("null"),
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_infinite() => text.push_str("null"),
        Value::Number(number) => {
            let _ = write!(text, "{number}");
        }
        Value::String(string) => push_string(string, text),
        Value::List(elements) | Value::Set(elements) => {
            text.push('[');
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                if !write_known(element, hidden.element(place), text) {
                    text.push_str("null");
                }
            }
            text.push(']');
        }
        Value::Map(members) => {
            text.push('{');
            let mut first = true;
            for (name, member) in members.iter() {
                if member.is_unknown() {
                    continue;
                }
                if !first {
                    text.push(',');
                }
                first = false;
                push_string(name, text);
                text.push(':');
                write_known(member, hidden.member(name), text);
            }
            text.push('}');
        }
        Value::Dynamic(dynamic) => return write_known(&dynamic.1, hidden, text),
    }
    true
}

fn push_string(string: &str, text: &mut String) {
    let quoted = serde_json::to_string(string);
    text.push_str(&quoted.expect("invariant: a string is always serialisable"));
}

/// `true` where something is unknown, in the shape of the value; known members are left out of objects.
pub(super) fn unknown(value: &Value) -> Json {
    let mut text = String::new();
    write_unknown(value, &mut text);
    raw(text)
}

fn write_unknown(value: &Value, text: &mut String) {
    match value {
        Value::Unknown(_) => text.push_str("true"),
        Value::Dynamic(dynamic) => write_unknown(&dynamic.1, text),
        Value::List(elements) | Value::Set(elements) => {
            write_elements(elements.iter(), text, write_unknown);
        }
        Value::Map(members) => {
            write_members(members, text, |_, member, text| write_unknown(member, text));
        }
        _ => text.push_str("false"),
    }
}

/// `true` where something is hidden, in the shape of the value; visible members are left out of objects. Of a container that is not known
/// only the shape is, if its type is.
pub(super) fn sensitive(value: &Value, hidden: &Hidden, ty: Option<&Type>) -> Json {
    let mut text = String::new();
    write_sensitive(value, hidden, ty, &mut text);
    raw(text)
}

fn write_sensitive(value: &Value, hidden: &Hidden, ty: Option<&Type>, text: &mut String) {
    if hidden.is_whole() {
        return text.push_str("true");
    }
    match value {
        Value::Unknown(_) => text.push_str(match ty {
            Some(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => "[]",
            Some(Type::Map(_) | Type::Object(_)) => "{}",
            _ => "false",
        }),
        Value::Dynamic(dynamic) => write_sensitive(&dynamic.1, hidden, Some(&dynamic.0), text),
        Value::List(elements) | Value::Set(elements) => {
            write_elements(
                elements.iter().enumerate(),
                text,
                |(index, element), text| {
                    let ty = match ty {
                        Some(Type::List(element) | Type::Set(element)) => Some(&**element),
                        Some(Type::Tuple(types)) => types.get(index),
                        _ => None,
                    };
                    write_sensitive(element, hidden.element(index), ty, text);
                },
            );
        }
        Value::Map(members) => write_members(members, text, |name, member, text| {
            let ty = match ty {
                Some(Type::Map(member)) => Some(&**member),
                Some(Type::Object(object)) => object.attributes.get(name),
                _ => None,
            };
            write_sensitive(member, hidden.member(name), ty, text);
        }),
        _ => text.push_str("false"),
    }
}

/// An array that `write` fills for each element.
fn write_elements<T>(
    elements: impl Iterator<Item = T>,
    text: &mut String,
    mut write: impl FnMut(T, &mut String),
) {
    text.push('[');
    for (place, element) in elements.enumerate() {
        if place > 0 {
            text.push(',');
        }
        write(element, text);
    }
    text.push(']');
}

/// An object that `write` fills for each member; members without a flag are left out.
fn write_members(
    members: &Map,
    text: &mut String,
    mut write: impl FnMut(&str, &Value, &mut String),
) {
    text.push('{');
    let mut first = true;
    for (name, member) in members {
        let before = text.len();
        if !first {
            text.push(',');
        }
        push_string(name, text);
        text.push(':');
        let flags = text.len();
        write(name, member, text);
        if &text[flags..] == "false" {
            text.truncate(before);
        } else {
            first = false;
        }
    }
    text.push('}');
}

/// A path as Terraform lists it: names and indexes.
pub(super) fn steps(path: &Path) -> serde_json::Value {
    let step = |step: &PathStep| match step {
        PathStep::Attribute(name) | PathStep::Key(name) => serde_json::Value::from(&**name),
        PathStep::Index(index) => serde_json::Value::from(*index),
    };
    path.steps().iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use terrane_core::Marked;

    use super::*;

    fn value() -> Value {
        let block = Value::map([("known", Value::from(1)), ("later", Value::UNKNOWN)]);
        Value::map([
            ("absent", Value::Null),
            ("block", Value::list(vec![block])),
            (
                "elements",
                Value::list(vec![Value::from("a"), Value::UNKNOWN]),
            ),
            ("empty", Value::list(Vec::new())),
            ("id", Value::UNKNOWN),
            ("secret", Value::from("hunter2")),
        ])
    }

    #[test]
    fn known_and_unknown_parts_mirror_each_other() {
        let known = known(&value(), Hidden::NOTHING).expect("something is known");
        assert_eq!(
            known.get(),
            r#"{"absent":null,"block":[{"known":1}],"elements":["a",null],"empty":[],"secret":"hunter2"}"#
        );
        assert_eq!(
            unknown(&value()).get(),
            r#"{"block":[{"later":true}],"elements":[false,true],"empty":[],"id":true}"#
        );
        assert!(super::known(&Value::UNKNOWN, Hidden::NOTHING).is_none());
        assert_eq!(unknown(&Value::Null).get(), "false");
    }

    fn hidden(value: &Value, marks: &[&str]) -> Hidden {
        let marks = marks.iter().map(|path| path.parse().expect("a path"));
        Hidden::of(&Marked {
            value: value.clone(),
            sensitive: marks.collect(),
        })
    }

    #[test]
    fn sensitive_parts_are_true_at_the_place_of_their_mark_and_null_where_they_are_shown() {
        let hidden = hidden(&value(), &["secret", "block[0].later", "absent", "id"]);
        assert_eq!(
            sensitive(&value(), &hidden, None).get(),
            r#"{"absent":true,"block":[{"later":true}],"elements":[false,false],"empty":[],"id":true,"secret":true}"#
        );
        assert_eq!(
            known(&value(), &hidden).expect("something is known").get(),
            r#"{"absent":null,"block":[{"known":1}],"elements":["a",null],"empty":[],"secret":null}"#
        );
        let whole = Hidden::of(&Marked::sensitive(Value::from("x")));
        assert_eq!(sensitive(&Value::from("x"), &whole, None).get(), "true");
    }

    #[test]
    fn unknown_containers_have_an_empty_shape_where_their_type_is_known() {
        let ty = Type::object([
            ("list", Type::list(Type::String)),
            ("map", Type::map(Type::String)),
            ("object", Type::object([("a", Type::String)])),
            ("set", Type::set(Type::String)),
            ("text", Type::String),
            (
                "tuples",
                Type::list(Type::Tuple([Type::list(Type::Bool)].into())),
            ),
        ]);
        let names = ["list", "map", "object", "set", "text"];
        let mut members: Map = names.map(|name| (name.into(), Value::UNKNOWN)).into();
        let tuple = Value::list(vec![Value::UNKNOWN]);
        members.insert("tuples".into(), Value::list(vec![tuple]));
        let value = Value::Map(members.into());
        assert_eq!(
            sensitive(&value, Hidden::NOTHING, Some(&ty)).get(),
            r#"{"list":[],"map":{},"object":{},"set":[],"tuples":[[[]]]}"#
        );
    }

    #[test]
    fn a_dynamic_value_is_shown_without_its_type() {
        let ty = Type::object([("l", Type::list(Type::String)), ("s", Type::String)]);
        let inner = Value::map([("l", Value::list(vec!["a".into()])), ("s", "t".into())]);
        let value = Value::map([("any", Value::Dynamic(std::sync::Arc::new((ty, inner))))]);
        let hidden = hidden(&value, &["any.s"]);
        assert_eq!(
            known(&value, &hidden).expect("known").get(),
            r#"{"any":{"l":["a"],"s":null}}"#
        );
        assert_eq!(
            sensitive(&value, &hidden, None).get(),
            r#"{"any":{"l":[false],"s":true}}"#
        );
    }
}
