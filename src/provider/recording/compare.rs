//! Whether a request is the recorded one, and how a recorded response gets its secrets back.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value as Json;
use terrane_core::schema::Block;
use terrane_core::{Path, PathStep, Value};

use super::HIDDEN;

/// The first place where two requests differ, with both texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) place: String,
    pub(super) recorded: String,
    pub(super) now: String,
}

/// Compares a recorded request with another one; both are without secrets.
pub(super) fn difference(recorded: &Json, now: &Json) -> Option<Difference> {
    compare(recorded, now, &mut String::new())
}

fn compare(recorded: &Json, now: &Json, place: &mut String) -> Option<Difference> {
    let differ = |place: &str| {
        Some(Difference {
            place: place.trim_start_matches('.').to_owned(),
            recorded: shown(recorded),
            now: shown(now),
        })
    };
    match (recorded, now) {
        (Json::String(recorded), Json::String(now)) if is_like(recorded, now) => None,
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            // Of a saved value `["list", …]` the first is the kind of it.
            let is_tagged = one.first().is_some_and(Json::is_string);
            for (index, (recorded, now)) in one.iter().zip(other).enumerate() {
                let length = place.len();
                let index = index.saturating_sub(usize::from(is_tagged));
                let _ = write!(place, "[{index}]");
                let found = compare(recorded, now, place);
                if found.is_some() {
                    return found;
                }
                place.truncate(length);
            }
            None
        }
        (Json::Object(one), Json::Object(other)) => {
            let names = one
                .keys()
                .chain(other.keys().filter(|name| !one.contains_key(*name)));
            for name in names {
                let length = place.len();
                place.push('.');
                place.push_str(name);
                let null = Json::Null;
                let (recorded, now) = (one.get(name), other.get(name));
                let found = compare(recorded.unwrap_or(&null), now.unwrap_or(&null), place);
                if found.is_some() {
                    return found;
                }
                place.truncate(length);
            }
            None
        }
        _ if recorded == now => None,
        _ => differ(place),
    }
}

fn shown(json: &Json) -> String {
    const LONGEST: usize = 200;
    let text = json.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether a text is the recorded one, in which `(sensitive)` stands for anything.
pub(super) fn is_like(recorded: &str, now: &str) -> bool {
    let mut parts = recorded.split(HIDDEN);
    let Some(mut rest) = parts.next().and_then(|first| now.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(found) = rest.find(part) else {
            return false;
        };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

/// Puts the values of a request, which has its secrets, where a recorded response hides them.
pub(super) fn with_secrets(answer: &mut Value, block: Option<&Block>, request: &[&Value]) {
    let secret = block.map(|block| block.secret_paths(answer));
    let is_secret = |path: &Path| match &secret {
        Some(secret) => secret.contains(path),
        None => true,
    };
    restore(answer, &mut Path::root(), &is_secret, request);
}

fn restore(
    answer: &mut Value,
    path: &mut Path,
    is_secret: &dyn Fn(&Path) -> bool,
    request: &[&Value],
) {
    if let Value::Dynamic(dynamic) = answer {
        return restore(&mut Arc::make_mut(dynamic).1, path, is_secret, request);
    }
    let given = |fits: &dyn Fn(&Value) -> bool| {
        let values = request.iter().filter_map(|value| at(value, path.steps()));
        values.into_iter().find(|value| fits(value)).cloned()
    };
    if !path.is_root() && is_secret(path) && !answer.is_null() && !answer.is_unknown() {
        if let Some(value) = given(&|value| !value.is_null() && !value.is_unknown()) {
            *answer = value;
        }
        return;
    }
    match answer {
        Value::String(text) if text.contains(HIDDEN) => {
            let value = given(&|value| value.as_str().is_some_and(|now| is_like(text, now)));
            if let Some(value) = value {
                *answer = value;
            }
        }
        Value::Map(members) => {
            for (name, member) in Arc::make_mut(members) {
                path.push(PathStep::Key(name.clone()));
                if !is_secret(path) {
                    path.pop();
                    path.push(PathStep::Attribute(name.clone()));
                }
                restore(member, path, is_secret, request);
                path.pop();
            }
        }
        Value::List(elements) => {
            for (index, element) in Arc::make_mut(elements).iter_mut().enumerate() {
                path.push(PathStep::Index(index));
                restore(element, path, is_secret, request);
                path.pop();
            }
        }
        // Elements of a set have no place: the whole set is the request's, if it is like it.
        Value::Set(elements) if elements.iter().any(hides) => {
            let elements = elements.clone();
            let value = given(&|value| match value {
                Value::Set(now) => {
                    now.len() == elements.len()
                        && elements
                            .iter()
                            .zip(now.iter())
                            .all(|(one, now)| alike(one, now))
                }
                _ => false,
            });
            if let Some(value) = value {
                *answer = value;
            }
        }
        _ => {}
    }
}

fn hides(value: &Value) -> bool {
    match value {
        Value::Dynamic(dynamic) => hides(&dynamic.1),
        Value::String(text) => text.contains(HIDDEN),
        Value::List(elements) | Value::Set(elements) => elements.iter().any(hides),
        Value::Map(members) => members.values().any(hides),
        _ => false,
    }
}

fn alike(recorded: &Value, now: &Value) -> bool {
    difference(&super::form::value(recorded), &super::form::value(now)).is_none()
}

fn at<'a>(value: &'a Value, steps: &[PathStep]) -> Option<&'a Value> {
    // Of a dynamic value only what is in it has a place.
    if let Value::Dynamic(dynamic) = value {
        return at(&dynamic.1, steps);
    }
    let Some((first, rest)) = steps.split_first() else {
        return Some(value);
    };
    let inner = match first {
        PathStep::Attribute(name) | PathStep::Key(name) => value.get(name)?,
        PathStep::Index(index) => match value {
            Value::List(elements) => elements.get(*index)?,
            _ => return None,
        },
    };
    at(inner, rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use terrane_core::schema::{Attribute, AttributeType};

    use super::*;
    use crate::recording::form;

    #[test]
    fn a_hidden_part_is_like_anything() {
        assert!(is_like("a", "a") && !is_like("a", "ab") && !is_like("ab", "a"));
        assert!(is_like("(sensitive)", "") && is_like("(sensitive)", "hunter2"));
        assert!(is_like("x(sensitive)y(sensitive)z", "x1y2z"));
        assert!(!is_like("x(sensitive)y(sensitive)z", "x1z"));
        assert!(!is_like("x(sensitive)", "y1"));
    }

    #[test]
    fn the_first_difference_is_named_with_both_values() {
        let recorded = json!({"config": {"name": "a", "zones": ["list", "x", "y"]}});
        assert_eq!(difference(&recorded, &recorded), None);
        let now = json!({"config": {"name": "a", "zones": ["list", "x", "z"]}});
        let found = difference(&recorded, &now).expect("a difference");
        assert_eq!(found.place, "config.zones[1]");
        assert_eq!((&*found.recorded, &*found.now), ("\"y\"", "\"z\""));
        let found = difference(&recorded, &json!({"config": {"name": "a"}})).expect("a difference");
        assert_eq!((&*found.place, &*found.now), ("config.zones", "null"));
    }

    #[test]
    fn a_response_gets_the_secrets_of_its_request_back() {
        let now = Value::map([
            ("url", "db://root:hunter2@host".into()),
            ("made", Value::Null),
        ]);
        let any = |text: &str| Value::Dynamic(Arc::new((terrane_core::Type::String, text.into())));
        let mut dynamic = Value::map([("any", any("(sensitive)"))]);
        with_secrets(
            &mut dynamic,
            Some(&Block::default()),
            &[&Value::map([("any", any("x"))])],
        );
        assert_eq!(dynamic.get("any"), Some(&any("x")));
        let mut answer = Value::map([
            ("url", "db://root:(sensitive)@host".into()),
            ("made", "(sensitive)".into()),
        ]);
        with_secrets(&mut answer, Some(&Block::default()), &[&Value::Null, &now]);
        assert_eq!(answer.get("url"), now.get("url"));
        assert_eq!(answer.get("made"), Some(&"(sensitive)".into()));
    }

    /// Texts, alone and in lists and maps; a secret begins with `canary`.
    fn any_value(text: &'static str) -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            Just(Value::UNKNOWN),
            any::<bool>().prop_map(Value::from),
            (0_i64..9).prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::list),
                prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(Value::map),
            ]
        })
    }

    fn attribute(sensitive: bool) -> Attribute {
        Attribute {
            ty: AttributeType::Plain(terrane_core::Type::Dynamic),
            required: false,
            optional: true,
            computed: false,
            sensitive,
            write_only: false,
            deprecated: false,
        }
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_in_no_text_and_comes_back_from_the_request(
            secret in any_value("canary[0-9]{1,3}"),
            open in any_value("[a-z]{0,5}"),
        ) {
            let block = Block {
                attributes: [("secret", true), ("open", false)]
                    .map(|(name, sensitive)| (name.into(), attribute(sensitive)))
                    .into(),
                ..Block::default()
            };
            let object = Value::map([("secret", secret), ("open", open)]);
            let shown = form::without_secrets(Some(&block), &object);
            let text = form::value(&shown).to_string();
            prop_assert!(!text.contains("canary"), "{text}");
            let mut answer = form::read_value(&form::value(&shown)).expect("a value");
            with_secrets(&mut answer, Some(&block), &[&object]);
            prop_assert_eq!(answer, object);
        }
    }
}
