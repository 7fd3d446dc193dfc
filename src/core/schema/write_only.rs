//! Taking write-only attributes out of a value before it is planned, compared or stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attribute, AttributeType, Block, Nesting};
use crate::value::{Map, Value};

impl Block {
    /// The same value with every write-only attribute null; shares the whole value when the schema has none.
    ///
    /// A set keeps the order of its elements, as a write-only attribute inside a set is refused by every provider SDK.
    pub fn write_only_to_null(&self, value: &Value) -> Value {
        if self.has_write_only() {
            self.without_write_only(value)
        } else {
            value.clone()
        }
    }

    /// Whether an attribute in it, however deep, is write-only.
    pub fn has_write_only(&self) -> bool {
        any_write_only(&self.attributes)
            || self
                .blocks
                .values()
                .any(|nested| nested.block.has_write_only())
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
                *member = each(nested.nesting, member, |value| {
                    nested.block.without_write_only(value)
                });
            }
        }
        Value::Map(Arc::new(members))
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
            *member = each(nested.nesting, member, |value| match value {
                Value::Map(members) => {
                    Value::Map(Arc::new(without_write_only(&nested.attributes, members)))
                }
                value => value.clone(),
            });
        }
    }
    members
}

fn each(nesting: Nesting, value: &Value, change: impl Fn(&Value) -> Value) -> Value {
    match (nesting, value) {
        (_, Value::Dynamic(dynamic)) => Value::Dynamic(Arc::new((
            dynamic.0.clone(),
            each(nesting, &dynamic.1, change),
        ))),
        (Nesting::Single | Nesting::Group, value) => change(value),
        (_, Value::List(elements)) => Value::list(elements.iter().map(change).collect()),
        (_, Value::Set(elements)) => Value::Set(Arc::new(elements.iter().map(change).collect())),
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
    }
}
