//! Which parts of a value a schema says must never be shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Attribute, AttributeType, Block, Nesting};
use crate::value::{Path, PathStep, Value};

impl Block {
    /// The paths of the attributes in `value` that this schema flags as sensitive and that are not null.
    ///
    /// A set that holds a sensitive member is named whole, as elements of sets have no path.
    pub fn sensitive_paths(&self, value: &Value) -> BTreeSet<Path> {
        let mut found = Found {
            path: Path::root(),
            paths: BTreeSet::new(),
        };
        found.block(self, value);
        found.paths
    }
}

/// The way down and what was met on it.
struct Found {
    path: Path,
    paths: BTreeSet<Path>,
}

impl Found {
    fn block(&mut self, block: &Block, value: &Value) {
        self.attributes(&block.attributes, value);
        for (name, nested) in &block.blocks {
            if let Some(value) = value.get(name) {
                self.inside(PathStep::Attribute(name.clone()), |found| {
                    found.each(nested.nesting, value, |found, value| {
                        found.block(&nested.block, value);
                    });
                });
            }
        }
    }

    fn attributes(&mut self, attributes: &BTreeMap<Arc<str>, Attribute>, value: &Value) {
        for (name, attribute) in attributes {
            let Some(value) = value.get(name).filter(|value| !value.is_null()) else {
                continue;
            };
            self.inside(PathStep::Attribute(name.clone()), |found| {
                if attribute.sensitive {
                    found.paths.insert(found.path.clone());
                } else if let AttributeType::Nested(nested) = &attribute.ty {
                    found.each(nested.nesting, value, |found, value| {
                        found.attributes(&nested.attributes, value);
                    });
                }
            });
        }
    }

    fn each(&mut self, nesting: Nesting, value: &Value, visit: impl Fn(&mut Self, &Value)) {
        let value = match value {
            Value::Dynamic(dynamic) => &dynamic.1,
            value => value,
        };
        match (nesting, value) {
            (Nesting::Single | Nesting::Group, value) => visit(self, value),
            (Nesting::List, Value::List(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    self.inside(PathStep::Index(index), |found| visit(found, element));
                }
            }
            (Nesting::Map, Value::Map(members)) => {
                for (key, member) in members.iter() {
                    self.inside(PathStep::Key(key.clone()), |found| visit(found, member));
                }
            }
            (Nesting::Set, Value::Set(elements)) => {
                let mut members = Self {
                    path: Path::root(),
                    paths: BTreeSet::new(),
                };
                for element in elements.iter() {
                    visit(&mut members, element);
                }
                if !members.paths.is_empty() {
                    self.paths.insert(self.path.clone());
                }
            }
            // Null and unknown collections hold nothing to hide yet.
            _ => {}
        }
    }

    fn inside(&mut self, step: PathStep, visit: impl FnOnce(&mut Self)) {
        self.path.push(step);
        visit(self);
        self.path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{block, blocks, flags, nested, text};
    use super::*;
    use crate::value::Type;

    fn secret() -> Attribute {
        flags(Type::String, "os")
    }

    #[test]
    fn sensitive_attributes_are_named_where_they_are_and_sets_whole() {
        let inner = || block([("open", text()), ("secret", secret())], []);
        let schema = block(
            [
                ("absent", secret()),
                ("nested", nested(Nesting::List, [("secret", secret())])),
                ("password", secret()),
            ],
            [
                ("list", blocks(Nesting::List, inner())),
                ("map", blocks(Nesting::Map, inner())),
                ("open_set", blocks(Nesting::Set, inner())),
                ("set", blocks(Nesting::Set, inner())),
                ("single", blocks(Nesting::Single, inner())),
            ],
        );
        let with = |secret: Value| Value::map([("open", Value::from("x")), ("secret", secret)]);
        let value = Value::map([
            ("absent", Value::Null),
            (
                "nested",
                Value::list(vec![Value::map([("secret", Value::UNKNOWN)])]),
            ),
            ("password", Value::from("p")),
            (
                "list",
                Value::list(vec![with(Value::Null), with("s".into())]),
            ),
            ("map", Value::map([("k", with("s".into()))])),
            ("open_set", Value::Set(Arc::new(vec![with(Value::Null)]))),
            ("set", Value::Set(Arc::new(vec![with("s".into())]))),
            ("single", with("s".into())),
        ]);
        let paths: Vec<_> = schema
            .sensitive_paths(&value)
            .iter()
            .map(Path::to_string)
            .collect();
        assert_eq!(
            paths,
            [
                "list[1].secret",
                r#"map["k"].secret"#,
                "nested[0].secret",
                "password",
                "set",
                "single.secret"
            ]
        );
    }
}
