//! `ignore_changes`: configuration as if the user had written what is there.

use std::sync::Arc;

use terrane_core::schema::Block;
use terrane_core::{IgnoreChanges, PathStep, Value};

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
            let mut config = config.clone();
            for path in paths {
                config = overlay(path.steps(), prior, config);
            }
            config
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

/// `config` with the value at `steps` taken from `prior`. A map key is merged alone: added, replaced or removed.
fn overlay(steps: &[PathStep], prior: &Value, config: Value) -> Value {
    let Some((step, rest)) = steps.split_first() else {
        return prior.clone();
    };
    match (step, config) {
        (PathStep::Attribute(name) | PathStep::Key(name), Value::Map(mut members)) => {
            let prior_member = prior.get(name);
            match (members.get(name).cloned(), prior_member) {
                (Some(member), Some(prior)) => {
                    let member = overlay(rest, prior, member);
                    Arc::make_mut(&mut members).insert(name.clone(), member);
                }
                // Only a map can lack a member: the key was added to, or taken from, the configuration.
                (Some(_), None) if rest.is_empty() && !prior.is_null() => {
                    Arc::make_mut(&mut members).remove(name);
                }
                (None, Some(prior)) if rest.is_empty() => {
                    Arc::make_mut(&mut members).insert(name.clone(), prior.clone());
                }
                _ => {}
            }
            Value::Map(members)
        }
        (PathStep::Key(name), Value::Null) if rest.is_empty() => match prior.get(name) {
            Some(value) => Value::map([(name.clone(), value.clone())]),
            None => Value::Null,
        },
        (PathStep::Index(index), Value::List(mut elements)) => {
            let prior_element = prior.elements().and_then(|elements| elements.get(*index));
            if let (Some(prior), true) = (prior_element, *index < elements.len()) {
                let elements = Arc::make_mut(&mut elements);
                elements[*index] = overlay(rest, prior, elements[*index].clone());
            }
            Value::List(elements)
        }
        // Elements of sets cannot be addressed, and nothing lies inside an unknown.
        (_, config) => config,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(path: &str, prior: Value, config: Value) -> Value {
        let paths = IgnoreChanges::Paths(vec![path.parse().expect("a path")]);
        ignore_changes(&paths, &Block::default(), &prior, &config)
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
    fn before_creation_nothing_is_ignored() {
        assert_eq!(
            ignored("tags", Value::Null, tags(&[("a", "2")])),
            tags(&[("a", "2")])
        );
    }
}
