//! The hidden parts of an object: the places that its marks name, and every place that repeats a value of them.
//!
//! A provider knows no marks. It copies a sensitive argument into attributes of its own (`tags` into `tags_all`, a password into a
//! connection string), and there it is as secret as where it came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::secrets::{SecretMatcher, secrets_in};
use terrane_core::{Marked, Path, PathStep, Value};

/// The hidden places of one value, as a tree.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Hidden {
    /// All of it.
    whole: bool,
    /// Attributes and keys alike: a value does not know which of them its members are.
    members: BTreeMap<Arc<str>, Self>,
    elements: BTreeMap<usize, Self>,
}

impl Hidden {
    /// Nothing at all.
    pub(crate) const NOTHING: &'static Self = &Self {
        whole: false,
        members: BTreeMap::new(),
        elements: BTreeMap::new(),
    };

    /// The hidden parts of an object.
    pub(crate) fn of(object: &Marked) -> Self {
        let [hidden] = Self::of_each([object]);
        hidden
    }

    /// The hidden parts of objects that are forms of one: a secret of one of them is a secret in all.
    pub(crate) fn of_each<const N: usize>(objects: [&Marked; N]) -> [Self; N] {
        let mut hidden = objects.map(Self::marked);
        let mut secrets: Vec<String> = Vec::new();
        for object in objects {
            secrets_in(object, &mut |secret| secrets.push(secret.to_owned()));
        }
        secrets.sort_unstable();
        secrets.dedup();
        if let Some(matcher) = SecretMatcher::new(secrets.iter().map(String::as_str)) {
            for (object, hidden) in objects.iter().zip(&mut hidden) {
                hidden.add_mirrors(&object.value, &matcher);
            }
        }
        hidden
    }

    /// Whether a text is a secret of an object, or has one in it.
    pub(crate) fn is_secret_of(object: &Marked, text: &str) -> bool {
        let mut secrets: Vec<String> = Vec::new();
        secrets_in(object, &mut |secret| secrets.push(secret.to_owned()));
        // A short secret is no reason to hide what has it in it, but it is a secret itself.
        let is_text = |path: &Path| object.value.at(path).and_then(Value::as_str) == Some(text);
        object.sensitive.iter().any(is_text)
            || SecretMatcher::new(secrets.iter().map(String::as_str))
                .is_some_and(|matcher| matcher.is_in(text))
    }

    /// The parts that an object's marks name.
    fn marked(object: &Marked) -> Self {
        let mut hidden = Self::default();
        for path in &object.sensitive {
            hidden.add(&object.value, path.steps());
        }
        hidden
    }

    /// Hides a place, or its container where the value has another shape than the mark says. An absent value needs no hiding.
    fn add(&mut self, value: &Value, steps: &[PathStep]) {
        let (mut node, mut value) = (self, value);
        for (depth, step) in steps.iter().enumerate() {
            while let Value::Dynamic(dynamic) = value {
                value = &dynamic.1;
            }
            value = match (value, step) {
                (Value::Null | Value::Unknown(_), _) => return,
                (Value::Map(members), PathStep::Attribute(name) | PathStep::Key(name)) => {
                    match members.get(name) {
                        Some(member) => {
                            node = node.members.entry(name.clone()).or_default();
                            member
                        }
                        None if depth == 0 => return,
                        None => return node.whole = true,
                    }
                }
                (Value::List(elements), PathStep::Index(index)) => match elements.get(*index) {
                    Some(element) => {
                        node = node.elements.entry(*index).or_default();
                        element
                    }
                    None => return node.whole = true,
                },
                _ => return node.whole = true,
            };
        }
        node.whole = true;
    }

    /// Hides every text that has a secret in it; of a set, and of a map with such a key, the whole.
    fn add_mirrors(&mut self, value: &Value, matcher: &SecretMatcher) {
        if self.whole {
            return;
        }
        match value {
            Value::String(text) => self.whole = matcher.is_in(text),
            Value::Number(number) => self.whole = matcher.is_in(&number.to_string()),
            Value::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    let mut inside = self.elements.remove(&index).unwrap_or_default();
                    inside.add_mirrors(element, matcher);
                    if inside != *Self::NOTHING {
                        self.elements.insert(index, inside);
                    }
                }
            }
            Value::Set(elements) => self.whole = elements.iter().any(|e| matcher.is_in_value(e)),
            Value::Map(members) => {
                for (name, member) in members.iter() {
                    if matcher.is_in(name) {
                        self.whole = true;
                        return;
                    }
                    let mut inside = self.members.remove(name).unwrap_or_default();
                    inside.add_mirrors(member, matcher);
                    if inside != *Self::NOTHING {
                        self.members.insert(name.clone(), inside);
                    }
                }
            }
            Value::Dynamic(dynamic) => self.add_mirrors(&dynamic.1, matcher),
            Value::Null | Value::Unknown(_) | Value::Bool(_) => {}
        }
    }

    /// Whether all of it is hidden.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether something in it, or all of it, is hidden.
    pub(crate) fn is_something(&self) -> bool {
        self != Self::NOTHING
    }

    /// The hidden parts of a member.
    pub(crate) fn member(&self, name: &str) -> &Self {
        match self.whole {
            true => self,
            false => self.members.get(name).unwrap_or(Self::NOTHING),
        }
    }

    /// The hidden parts of an element.
    pub(crate) fn element(&self, index: usize) -> &Self {
        match self.whole {
            true => self,
            false => self.elements.get(&index).unwrap_or(Self::NOTHING),
        }
    }

    /// The hidden parts at a path.
    pub(crate) fn at(&self, path: &Path) -> &Self {
        path.steps().iter().fold(self, |hidden, step| match step {
            PathStep::Attribute(name) | PathStep::Key(name) => hidden.member(name),
            PathStep::Index(index) => hidden.element(*index),
        })
    }
}

#[cfg(test)]
mod tests {
    use terrane_core::Type;

    use super::*;

    fn object(json: &str, marks: &[&str]) -> Marked {
        Marked {
            value: Value::from_json_untyped(json.as_bytes()).expect("JSON"),
            sensitive: marks.iter().map(|m| m.parse().expect("a path")).collect(),
        }
    }

    fn hidden_paths(hidden: &Hidden) -> Vec<String> {
        fn walk(hidden: &Hidden, path: &Path, found: &mut Vec<String>) {
            if hidden.is_whole() {
                found.push(path.to_string());
            }
            for (name, member) in &hidden.members {
                walk(member, &path.clone().attribute(name.clone()), found);
            }
            for (index, element) in &hidden.elements {
                walk(element, &path.clone().index(*index), found);
            }
        }
        let mut found = Vec::new();
        walk(hidden, &Path::root(), &mut found);
        found
    }

    #[test]
    fn what_repeats_a_secret_is_as_secret() {
        let object = object(
            r#"{"password":"hunter2","name":"db","url":"postgres://db:hunter2@h","tags_all":{"a":"x","b":"hunter2"},
                "list":["x",{"y":"hunter2"}],"encoded":"aHVudGVyMg==","number":5}"#,
            &["password"],
        );
        assert_eq!(
            hidden_paths(&Hidden::of(&object)),
            ["encoded", "list[1].y", "password", "tags_all.b", "url"]
        );
    }

    #[test]
    fn trivial_secrets_hide_nothing_else() {
        let object = object(
            r#"{"on":"true","pin":"1234","none":"","other":"true","again":"1234","empty":"","flag":true}"#,
            &["on", "pin", "none"],
        );
        assert_eq!(hidden_paths(&Hidden::of(&object)), ["none", "on", "pin"]);
    }

    #[test]
    fn a_text_with_a_secret_in_it_is_one_and_so_is_a_short_secret_itself() {
        let object = object(r#"{"s":"hunter2","pin":"1234","name":"db"}"#, &["s", "pin"]);
        let is_secret = |text: &str| Hidden::is_secret_of(&object, text);
        assert!(is_secret("hunter2") && is_secret("db/hunter2") && is_secret("1234"));
        assert!(!is_secret("db") && !is_secret("vpc-1234"));
    }

    #[test]
    fn a_set_or_a_map_key_that_repeats_a_secret_is_hidden_whole() {
        let mut object = object(r#"{"s":"hunter2","keys":{"hunter2":"x"}}"#, &["s"]);
        let mut members = object.value.members().expect("an object").clone();
        let element = Value::map([("k", Value::from("hunter2"))]);
        members.insert("set".into(), Value::Set(vec![element].into()));
        object.value = Value::map(members);
        assert_eq!(hidden_paths(&Hidden::of(&object)), ["keys", "s", "set"]);
    }

    #[test]
    fn a_secret_of_the_object_before_is_one_in_the_object_after() {
        let before = object(r#"{"s":"hunter2","copy":"hunter2"}"#, &["s"]);
        let after = object(r#"{"s":"hunter3","copy":"hunter2"}"#, &["s"]);
        let [before, after] = Hidden::of_each([&before, &after]);
        assert_eq!(hidden_paths(&before), ["copy", "s"]);
        assert_eq!(hidden_paths(&after), ["copy", "s"]);
    }

    #[test]
    fn a_mark_that_cannot_be_followed_hides_what_it_leads_into() {
        let marks = ["a.b.c", "l[3].x", "m[\"k\"]", "gone", "n.x"];
        let object = object(
            r#"{"a":{"b":"text"},"l":[1],"m":{"k":"v"},"n":null,"open":"o"}"#,
            &marks,
        );
        assert_eq!(hidden_paths(&Hidden::of(&object)), ["a.b", "l", "m.k"]);
    }

    #[test]
    fn a_dynamic_value_is_looked_through() {
        let inner = Value::map([("token", Value::from("hunter2"))]);
        let ty = Type::object([("token", Type::String)]);
        let value = Value::map([("any", Value::Dynamic(Arc::new((ty, inner))))]);
        let marked = Marked {
            value,
            sensitive: ["any.token".parse().expect("a path")].into(),
        };
        assert_eq!(hidden_paths(&Hidden::of(&marked)), ["any.token"]);
    }
}
