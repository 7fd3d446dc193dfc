//! A value as three parallel JSON documents: what is known, what is not, and what is sensitive.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::value::RawValue;
use terrane_core::{Marked, Path, PathStep, Value};

/// JSON that is written as it is.
pub(super) type Json = Box<RawValue>;

/// Takes text that is JSON already.
pub(super) fn raw(text: String) -> Json {
    RawValue::from_string(text).expect("invariant: this text was written as JSON")
}

/// What is known: unknown members are left out, unknown elements are null; `None` when nothing is.
pub(super) fn known(value: &Value) -> Option<Json> {
    let mut text = String::new();
    write_known(value, &mut text).then(|| raw(text))
}

/// Whether something was written.
fn write_known(value: &Value, text: &mut String) -> bool {
    match value {
        Value::Null => text.push_str("null"),
        Value::Unknown(_) => return false,
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
                if !write_known(element, text) {
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
                write_known(member, text);
            }
            text.push('}');
        }
        Value::Dynamic(dynamic) => return write_known(&dynamic.1, text),
    }
    true
}

fn push_string(string: &str, text: &mut String) {
    let quoted = serde_json::to_string(string);
    text.push_str(&quoted.expect("invariant: a string is always serialisable"));
}

/// `true` where something is unknown, in the shape of the value; what is known is left out of objects.
pub(super) fn unknown(value: &Value) -> Json {
    let mut text = String::new();
    write_flags(value, &mut text, &mut |value| {
        value.is_unknown().then_some(true)
    });
    raw(text)
}

/// `true` where something is sensitive, in the shape of the value; what is not is left out of objects.
pub(super) fn sensitive(marked: &Marked) -> Json {
    if marked.sensitive.is_empty() {
        // The shape is still that of the value.
        let mut text = String::new();
        write_flags(&marked.value, &mut text, &mut |_| None);
        return raw(text);
    }
    let mut text = String::new();
    write_sensitive(
        &marked.value,
        &mut Path::root(),
        &marked.sensitive,
        &mut text,
    );
    raw(text)
}

/// Writes the flags of a value; `decide` ends the descent with a flag.
fn write_flags(value: &Value, text: &mut String, decide: &mut impl FnMut(&Value) -> Option<bool>) {
    if let Some(flag) = decide(value) {
        return text.push_str(if flag { "true" } else { "false" });
    }
    match value {
        Value::Dynamic(dynamic) => write_flags(&dynamic.1, text, decide),
        Value::List(elements) | Value::Set(elements) => {
            text.push('[');
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_flags(element, text, decide);
            }
            text.push(']');
        }
        Value::Map(members) => {
            text.push('{');
            let mut first = true;
            for (name, member) in members.iter() {
                let before = text.len();
                if !first {
                    text.push(',');
                }
                push_string(name, text);
                text.push(':');
                let flags = text.len();
                write_flags(member, text, decide);
                if &text[flags..] == "false" {
                    text.truncate(before);
                } else {
                    first = false;
                }
            }
            text.push('}');
        }
        _ => text.push_str("false"),
    }
}

fn write_sensitive(value: &Value, path: &mut Path, marks: &BTreeSet<Path>, text: &mut String) {
    if marks.contains(path) {
        return text.push_str("true");
    }
    match value {
        Value::Dynamic(dynamic) => write_sensitive(&dynamic.1, path, marks, text),
        Value::Set(elements) => {
            // Elements of sets have no paths: a mark inside one is on the set.
            let flags: Vec<&str> = elements.iter().map(|_| "false").collect();
            let _ = write!(text, "[{}]", flags.join(","));
        }
        Value::List(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                path.push(PathStep::Index(index));
                write_sensitive(element, path, marks, text);
                path.pop();
            }
            text.push(']');
        }
        Value::Map(members) => {
            text.push('{');
            let mut first = true;
            for (name, member) in members.iter() {
                let before = text.len();
                if !first {
                    text.push(',');
                }
                push_string(name, text);
                text.push(':');
                let flags = text.len();
                let step = member_step(name, path, marks);
                path.push(step);
                write_sensitive(member, path, marks, text);
                path.pop();
                if &text[flags..] == "false" {
                    text.truncate(before);
                } else {
                    first = false;
                }
            }
            text.push('}');
        }
        _ => text.push_str("false"),
    }
}

/// What is known with everything sensitive made null.
pub(super) fn without(marked: &Marked) -> Json {
    fn strip(value: &Value, path: &mut Path, marks: &BTreeSet<Path>) -> Value {
        if marks.contains(path) {
            return Value::Null;
        }
        match value {
            Value::Dynamic(dynamic) => strip(&dynamic.1, path, marks),
            Value::List(elements) => {
                let elements = elements.iter().enumerate().map(|(index, element)| {
                    path.push(PathStep::Index(index));
                    let stripped = strip(element, path, marks);
                    path.pop();
                    stripped
                });
                Value::list(elements.collect())
            }
            Value::Map(members) => Value::map(members.iter().map(|(name, member)| {
                let step = member_step(name, path, marks);
                path.push(step);
                let stripped = strip(member, path, marks);
                path.pop();
                (name.clone(), stripped)
            })),
            other => other.clone(),
        }
    }
    let value = strip(&marked.value, &mut Path::root(), &marked.sensitive);
    known(&value).unwrap_or_else(|| raw("null".to_owned()))
}

/// The step to a member. Marks say attribute or key; a value does not know which of them its members are.
fn member_step(name: &Arc<str>, path: &mut Path, marks: &BTreeSet<Path>) -> PathStep {
    path.push(PathStep::Attribute(name.clone()));
    // Paths are ordered step by step, so what is at or below a path follows it directly.
    let next = marks.range::<Path, _>(&*path..).next();
    let is_attribute = next.is_some_and(|mark| path.contains(mark));
    path.pop();
    match is_attribute {
        true => PathStep::Attribute(name.clone()),
        false => PathStep::Key(name.clone()),
    }
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
        let known = known(&value()).expect("something is known");
        assert_eq!(
            known.get(),
            r#"{"absent":null,"block":[{"known":1}],"elements":["a",null],"empty":[],"secret":"hunter2"}"#
        );
        assert_eq!(
            unknown(&value()).get(),
            r#"{"block":[{"later":true}],"elements":[false,true],"empty":[],"id":true}"#
        );
        assert!(super::known(&Value::UNKNOWN).is_none());
        assert_eq!(unknown(&Value::Null).get(), "false");
    }

    #[test]
    fn sensitive_parts_are_true_at_the_place_of_their_mark() {
        let marks = ["secret", "block[0].later"].map(|path| path.parse().expect("a path"));
        let marked = Marked {
            value: value(),
            sensitive: marks.into(),
        };
        assert_eq!(
            sensitive(&marked).get(),
            r#"{"block":[{"later":true}],"elements":[false,false],"empty":[],"secret":true}"#
        );
        assert_eq!(
            sensitive(&Marked::sensitive(Value::from("x"))).get(),
            "true"
        );
    }
}
