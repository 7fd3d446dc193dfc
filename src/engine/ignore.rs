//! `ignore_changes`: the configuration as if the user had written the present values.

use std::sync::Arc;

use terrane_core::schema::Block;
use terrane_core::value::Map;
use terrane_core::{IgnoreChanges, PathStep, Type, Value};

/// The configuration with every ignored path taken from the prior object.
pub(crate) fn ignore_changes(
    ignore: &IgnoreChanges,
    block: &Block,
    prior: &Value,
    config: &Value,
) -> Value {
    match ignore {
        IgnoreChanges::Nothing => config.clone(),
        _ if prior.is_null() => config.clone(),
        IgnoreChanges::Everything => without_computed(block, prior),
        IgnoreChanges::Paths(paths) => {
            let ty = block.implied_type();
            let overlay_path =
                |config, path: &terrane_core::Path| overlay(path.steps(), &ty, prior, config);
            paths.iter().fold(config.clone(), overlay_path)
        }
    }
}

/// The prior object as a configuration: what only the provider may set is null.
fn without_computed(block: &Block, prior: &Value) -> Value {
    let Value::Map(members) = prior else {
        return prior.clone();
    };
    let mut members = members.as_ref().clone();
    for (name, attribute) in &block.attributes {
        if attribute.computed && !attribute.optional {
            members.insert(name.clone(), Value::Null);
        }
    }
    Value::Map(Arc::new(members))
}

/// `config` with the value at `steps` taken from `prior`. Only a map can lack what a path names: then the place is in neither, and
/// nothing is there to ignore.
fn overlay(steps: &[PathStep], ty: &Type, prior: &Value, config: Value) -> Value {
    let Some((step, rest)) = steps.split_first() else {
        return prior.clone();
    };
    match (ty, step, config) {
        (
            Type::Map(element),
            PathStep::Attribute(key) | PathStep::Key(key),
            config @ (Value::Map(_) | Value::Null),
        ) => overlay_key(key, rest, element, prior, config),
        (
            Type::Object(object),
            PathStep::Attribute(name) | PathStep::Key(name),
            Value::Map(mut members),
        ) => {
            let member_type = object.attributes.get(name).unwrap_or(&Type::Dynamic);
            if let (Some(member), Some(prior)) = (members.get(name).cloned(), prior.get(name)) {
                let member = overlay(rest, member_type, prior, member);
                Arc::make_mut(&mut members).insert(name.clone(), member);
            }
            Value::Map(members)
        }
        (Type::List(element), PathStep::Index(index), Value::List(mut elements)) => {
            let prior = prior.elements().and_then(|elements| elements.get(*index));
            if let (Some(prior), true) = (prior, *index < elements.len()) {
                let elements = Arc::make_mut(&mut elements);
                elements[*index] = overlay(rest, element, prior, elements[*index].clone());
            }
            Value::List(elements)
        }
        // Elements of sets cannot be addressed, and nothing lies inside an unknown.
        (_, _, config) => config,
    }
}

/// The same for one key of a map: added, replaced or removed alone. A null map has no keys, and stays null where none is left.
fn overlay_key(
    key: &Arc<str>,
    rest: &[PathStep],
    element: &Type,
    prior: &Value,
    config: Value,
) -> Value {
    let mut members = config.members().map_or_else(Map::new, Clone::clone);
    match (members.get(key).cloned(), prior.get(key)) {
        (Some(member), Some(prior)) => {
            members.insert(key.clone(), overlay(rest, element, prior, member));
        }
        (Some(_), None) if rest.is_empty() => drop(members.remove(key)),
        (None, Some(prior)) if rest.is_empty() => drop(members.insert(key.clone(), prior.clone())),
        _ => return config,
    }
    if members.is_empty() && prior.is_null() {
        return Value::Null;
    }
    Value::Map(Arc::new(members))
}

#[cfg(test)]
mod tests {
    use terrane_core::schema::{Attribute, AttributeType};

    use super::*;

    fn ignored(path: &str, prior: Value, config: Value) -> Value {
        let attribute = |ty| Attribute {
            ty: AttributeType::Plain(ty),
            required: false,
            optional: true,
            computed: false,
            sensitive: false,
            write_only: false,
            deprecated: false,
        };
        let one = Type::object([("a", Type::String), ("b", Type::String)]);
        let block = Block {
            attributes: [
                ("tags".into(), attribute(Type::map(Type::String))),
                ("one".into(), attribute(one.clone())),
                ("list".into(), attribute(Type::list(one.clone()))),
                ("map".into(), attribute(Type::map(one))),
            ]
            .into(),
            ..Block::default()
        };
        let paths = IgnoreChanges::Paths(vec![path.parse().expect("a path")]);
        ignore_changes(&paths, &block, &prior, &config)
    }

    fn tags(pairs: &[(&str, &str)]) -> Value {
        let tags = pairs.iter().map(|(key, value)| (*key, Value::from(*value)));
        Value::map([("tags", Value::map(tags))])
    }

    #[test]
    fn a_whole_argument_is_taken_from_the_prior_object() {
        let result = ignored("tags", tags(&[("a", "1")]), tags(&[("a", "2"), ("b", "3")]));
        assert_eq!(result, tags(&[("a", "1")]));
    }

    #[test]
    fn a_map_key_is_merged_alone() {
        let result = ignored(
            r#"tags["a"]"#,
            tags(&[("a", "1"), ("x", "y")]),
            tags(&[("a", "2"), ("b", "3")]),
        );
        assert_eq!(result, tags(&[("a", "1"), ("b", "3")]));
        assert_eq!(
            ignored(r#"tags["a"]"#, tags(&[]), tags(&[("a", "2")])),
            tags(&[])
        );
        assert_eq!(
            ignored(r#"tags["a"]"#, tags(&[("a", "1")]), tags(&[])),
            tags(&[("a", "1")])
        );
    }

    #[test]
    fn a_key_of_a_null_map_is_absent_there() {
        let null = || Value::map([("tags", Value::Null)]);
        for path in [r#"tags["a"]"#, "tags.a"] {
            assert_eq!(ignored(path, null(), tags(&[("a", "2")])), null());
            assert_eq!(
                ignored(path, null(), tags(&[("a", "2"), ("b", "3")])),
                tags(&[("b", "3")])
            );
            let prior = || tags(&[("a", "1"), ("b", "2")]);
            assert_eq!(ignored(path, prior(), null()), tags(&[("a", "1")]));
            assert_eq!(ignored(path, tags(&[("b", "2")]), null()), null());
            assert_eq!(ignored(path, null(), null()), null());
            assert_eq!(ignored(path, null(), tags(&[])), tags(&[]));
        }
    }

    #[test]
    fn nothing_is_made_up_inside_an_object_or_element_that_one_side_lacks() {
        let object = |a: &str, b: &str| Value::map([("a", Value::from(a)), ("b", b.into())]);
        let with = |value| Value::map([("one", value)]);
        let (null, there) = (with(Value::Null), with(object("2", "3")));
        assert_eq!(ignored("one.a", null.clone(), there.clone()), there);
        assert_eq!(ignored("one.a", there, null.clone()), null);
        assert_eq!(
            ignored("one.a", with(object("1", "1")), with(object("2", "2"))),
            with(object("1", "2"))
        );
        let list = |elements: Vec<Value>| Value::map([("list", Value::list(elements))]);
        assert_eq!(
            ignored(
                "list[1].b",
                list(vec![object("1", "1"), object("1", "1")]),
                list(vec![object("2", "2"), object("2", "2")])
            ),
            list(vec![object("2", "2"), object("2", "1")])
        );
        let short = || list(vec![object("2", "2")]);
        assert_eq!(ignored("list[1].b", list(vec![]), short()), short());
        // A key that is gone altogether is a larger change than the one that is ignored.
        let map = |members: &[&str]| {
            let members = members.iter().map(|key| (*key, object("1", "1")));
            Value::map([("map", Value::map(members))])
        };
        assert_eq!(ignored(r#"map["k"].b"#, map(&["k"]), map(&[])), map(&[]));
    }

    #[test]
    fn before_creation_nothing_is_ignored() {
        assert_eq!(
            ignored("tags", Value::Null, tags(&[("a", "2")])),
            tags(&[("a", "2")])
        );
    }
}
