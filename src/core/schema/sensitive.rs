//! Which parts of a value a schema says must never be shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Attribute, AttributeType, Block, Nesting};
use crate::value::{Path, PathStep, Value};

impl Block {
    /// The paths of the attributes in `value` that this schema flags as sensitive, whether or not they are null.
    ///
    /// A set that holds a sensitive member with a value is named whole, as elements of sets have no path.
    pub fn sensitive_paths(&self, value: &Value) -> BTreeSet<Path> {
        self.find(value, |attribute| attribute.sensitive)
    }

    /// The same with write-only attributes: everything in a configuration that must not be repeated.
    pub fn secret_paths(&self, value: &Value) -> BTreeSet<Path> {
        self.find(value, |attribute| {
            attribute.sensitive || attribute.write_only
        })
    }

    /// Whether the attribute or block of that name is, or may hold, something sensitive or write-only.
    pub fn has_secrets_at(&self, name: &str) -> bool {
        let attribute = self.attributes.get(name);
        let block = self.blocks.get(name);
        attribute.is_some_and(is_secret) || block.is_some_and(|nested| nested.block.has_secrets())
    }

    fn has_secrets(&self) -> bool {
        let mut names = self.attributes.keys().chain(self.blocks.keys());
        names.any(|name| self.has_secrets_at(name))
    }

    fn find(&self, value: &Value, counts: fn(&Attribute) -> bool) -> BTreeSet<Path> {
        let mut found = Found {
            path: Path::root(),
            paths: BTreeSet::new(),
            nulls: true,
            counts,
        };
        found.block(self, value);
        found.paths
    }
}

fn is_secret(attribute: &Attribute) -> bool {
    attribute.sensitive
        || attribute.write_only
        || match &attribute.ty {
            AttributeType::Plain(_) => false,
            AttributeType::Nested(nested) => nested.attributes.values().any(is_secret),
        }
}

/// The way down and the findings on it.
struct Found {
    path: Path,
    paths: BTreeSet<Path>,
    /// Whether an attribute without a value counts.
    nulls: bool,
    /// The kind of attribute that is looked for.
    counts: fn(&Attribute) -> bool,
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
            let Some(value) = value.get(name) else {
                continue;
            };
            self.inside(PathStep::Attribute(name.clone()), |found| {
                if (found.counts)(attribute) {
                    if found.nulls || !value.is_null() {
                        found.paths.insert(found.path.clone());
                    }
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
                // A path that hides nothing must not hide the whole set.
                let mut members = Self {
                    path: Path::root(),
                    paths: BTreeSet::new(),
                    nulls: false,
                    counts: self.counts,
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
                "absent",
                "list[0].secret",
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
