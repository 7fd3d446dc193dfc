//! Write-only attributes: where a value holds any, and the value without them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attribute, AttributeType, Block, Nesting};
use crate::value::{Map, Path, PathStep, Type, Value};

impl Block {
    /// The same value with every write-only attribute null; shares the whole value when the schema has none.
    pub fn write_only_to_null(&self, value: &Value) -> Value {
        if self.has_write_only() {
            self.without_write_only(value)
        } else {
            value.clone()
        }
    }

    /// The write-only attributes that are not null in it. Elements of a set have no path of their own: the set's stands for them.
    pub fn write_only_values(&self, value: &Value) -> Vec<Path> {
        let mut found = Vec::new();
        if self.has_write_only() {
            self.find_write_only(value, &mut Path::root(), &mut found);
            found.dedup();
        }
        found
    }

    /// Whether an attribute in it, however deep, is write-only.
    pub fn has_write_only(&self) -> bool {
        any_write_only(&self.attributes)
            || self
                .blocks
                .values()
                .any(|nested| nested.block.has_write_only())
    }

    /// Whether the path leads to a write-only attribute, or into one.
    pub fn is_write_only(&self, path: &Path) -> bool {
        let mut steps = path.steps().iter().filter_map(|step| match step {
            PathStep::Attribute(name) => Some(name),
            PathStep::Key(_) | PathStep::Index(_) => None,
        });
        let mut block = self;
        while let Some(name) = steps.next() {
            if let Some(nested) = block.blocks.get(name) {
                block = &nested.block;
                continue;
            }
            let mut attribute = block.attributes.get(name);
            for name in steps.by_ref() {
                attribute = match attribute {
                    Some(outer) if outer.write_only => break,
                    Some(outer) => match &outer.ty {
                        AttributeType::Nested(nested) => nested.attributes.get(name),
                        AttributeType::Plain(_) => None,
                    },
                    None => None,
                };
            }
            return attribute.is_some_and(|attribute| attribute.write_only);
        }
        false
    }

    fn without_write_only(&self, value: &Value) -> Value {
        let Value::Map(members) = value else {
            return value.clone();
        };
        let mut members = without_write_only(&self.attributes, members);
        for (name, nested) in &self.blocks {
            if nested.block.has_write_only()
                && let Some(member) = members.get_mut(name)
            {
                let ty = || nested.block.implied_type();
                *member = each(nested.nesting, member, &ty, |value| {
                    nested.block.without_write_only(value)
                });
            }
        }
        Value::Map(Arc::new(members))
    }

    fn find_write_only(&self, value: &Value, here: &mut Path, found: &mut Vec<Path>) {
        find_write_only(&self.attributes, value, here, found);
        for (name, nested) in &self.blocks {
            if let Some(member) = value.get(name) {
                here.push(PathStep::Attribute(name.clone()));
                visit(nested.nesting, member, here, &mut |value, here| {
                    nested.block.find_write_only(value, here, found);
                });
                here.pop();
            }
        }
    }
}

fn find_write_only(
    attributes: &BTreeMap<Arc<str>, Attribute>,
    object: &Value,
    here: &mut Path,
    found: &mut Vec<Path>,
) {
    for (name, attribute) in attributes {
        let Some(member) = object.get(name).filter(|member| !member.is_null()) else {
            continue;
        };
        here.push(PathStep::Attribute(name.clone()));
        if attribute.write_only {
            found.push(here.clone());
        } else if let AttributeType::Nested(nested) = &attribute.ty {
            visit(nested.nesting, member, here, &mut |value, here| {
                find_write_only(&nested.attributes, value, here, found);
            });
        }
        here.pop();
    }
}

/// Calls `look` for every object of a nested block or attribute, with its path.
fn visit(
    nesting: Nesting,
    value: &Value,
    here: &mut Path,
    look: &mut dyn FnMut(&Value, &mut Path),
) {
    match (nesting, value) {
        (_, Value::Dynamic(dynamic)) => visit(nesting, &dynamic.1, here, look),
        (Nesting::Single | Nesting::Group, value) => look(value, here),
        (Nesting::Set, Value::List(elements) | Value::Set(elements)) => {
            for element in elements.iter() {
                look(element, here);
            }
        }
        (_, Value::List(elements) | Value::Set(elements)) => {
            for (index, element) in elements.iter().enumerate() {
                here.push(PathStep::Index(index));
                look(element, here);
                here.pop();
            }
        }
        (_, Value::Map(members)) => {
            for (key, member) in members.iter() {
                here.push(PathStep::Key(key.clone()));
                look(member, here);
                here.pop();
            }
        }
        _ => {}
    }
}

fn any_write_only(attributes: &BTreeMap<Arc<str>, Attribute>) -> bool {
    attributes.values().any(|attribute| {
        attribute.write_only
            || match &attribute.ty {
                AttributeType::Plain(_) => false,
                AttributeType::Nested(nested) => any_write_only(&nested.attributes),
            }
    })
}

fn without_write_only(attributes: &BTreeMap<Arc<str>, Attribute>, members: &Map) -> Map {
    let mut members = members.clone();
    for (name, attribute) in attributes {
        let Some(member) = members.get_mut(name) else {
            continue;
        };
        if attribute.write_only {
            *member = Value::Null;
        } else if let AttributeType::Nested(nested) = &attribute.ty {
            let ty = || nested.object_type();
            *member = each(nested.nesting, member, &ty, |value| match value {
                Value::Map(members) => {
                    Value::Map(Arc::new(without_write_only(&nested.attributes, members)))
                }
                value => value.clone(),
            });
        }
    }
    members
}

fn each(
    nesting: Nesting,
    value: &Value,
    element_type: &dyn Fn() -> Type,
    change: impl Fn(&Value) -> Value,
) -> Value {
    match (nesting, value) {
        (_, Value::Dynamic(dynamic)) => Value::Dynamic(Arc::new((
            dynamic.0.clone(),
            each(nesting, &dynamic.1, element_type, change),
        ))),
        (Nesting::Single | Nesting::Group, value) => change(value),
        (_, Value::List(elements)) => Value::list(elements.iter().map(change).collect()),
        (_, Value::Set(elements)) => {
            Value::set(elements.iter().map(change).collect(), &element_type())
        }
        (_, Value::Map(members)) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.clone(), change(value)));
            Value::Map(Arc::new(members.collect()))
        }
        (_, value) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{block, blocks, flags, nested, text};
    use super::*;
    use crate::value::Type;

    #[test]
    fn write_only_attributes_become_null_at_every_depth_and_nothing_else_changes() {
        let secret = || flags(Type::String, "ow");
        let schema = block(
            [
                ("a", text()),
                ("n", nested(Nesting::Map, [("a", text()), ("w", secret())])),
                ("w", secret()),
            ],
            [(
                "b",
                blocks(Nesting::List, block([("a", text()), ("w", secret())], [])),
            )],
        );
        let both = |w: Value| Value::map([("a", Value::from("x")), ("w", w)]);
        let value = |w: Value| {
            Value::map([
                ("a", Value::from("x")),
                ("b", Value::list(vec![both(w.clone())])),
                ("n", Value::map([("k", both(w.clone()))])),
                ("w", w),
            ])
        };
        assert_eq!(
            schema.write_only_to_null(&value("s".into())),
            value(Value::Null)
        );
        assert_eq!(schema.write_only_to_null(&Value::Null), Value::Null);
        let found = schema.write_only_values(&value("s".into()));
        let found: Vec<_> = found.iter().map(Path::to_string).collect();
        assert_eq!(found, ["n[\"k\"].w", "w", "b[0].w"]);
        assert!(schema.write_only_values(&value(Value::Null)).is_empty());
    }

    #[test]
    fn elements_of_a_set_that_differ_only_in_write_only_attributes_are_one() {
        let secret = flags(Type::String, "ow");
        let element = block([("a", text()), ("w", secret)], []);
        let schema = block([], [("b", blocks(Nesting::Set, element))]);
        let ty = Type::object([("a", Type::String), ("w", Type::String)]);
        let one = |w: Value| Value::map([("a", Value::from("x")), ("w", w)]);
        let set = |elements| Value::map([("b", Value::set(elements, &ty))]);
        let two = set(vec![one("s".into()), one("t".into())]);
        assert_eq!(schema.write_only_to_null(&two), set(vec![one(Value::Null)]));
        let found = schema.write_only_values(&two);
        assert_eq!(found, [Path::root().attribute("b").attribute("w")]);
    }
}
