//! The type that a schema stands for, and the value it has when nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting};
use crate::value::{Map, ObjectType, Path, PathStep, Type, Value};

impl Attribute {
    /// The type of its values; no attribute of an object in it is optional.
    pub fn ty(&self) -> Type {
        match &self.ty {
            AttributeType::Plain(ty) => ty.without_optional(),
            AttributeType::Nested(nested) => nested.implied_type(),
        }
    }
}

impl NestedAttribute {
    /// The type of the attribute: an object, or a collection of objects.
    pub fn implied_type(&self) -> Type {
        let object = self.object_type();
        match self.nesting {
            Nesting::Single | Nesting::Group => object,
            Nesting::List => Type::list(object),
            Nesting::Set => Type::set(object),
            Nesting::Map => Type::map(object),
        }
    }

    /// The type of one of them.
    pub fn object_type(&self) -> Type {
        object(attribute_types(&self.attributes))
    }
}

impl Block {
    /// Whether something with that name can be at that path; places in lists, sets and maps do not matter.
    pub fn has(&self, path: &Path) -> bool {
        let mut ty = self.implied_type();
        for step in path.steps() {
            let PathStep::Attribute(name) = step else {
                continue;
            };
            while let Type::List(element) | Type::Set(element) | Type::Map(element) = ty {
                ty = (*element).clone();
            }
            ty = match ty {
                Type::Object(object) => match object.attributes.get(name) {
                    Some(member) => member.clone(),
                    None => return false,
                },
                other => return other == Type::Dynamic,
            };
        }
        true
    }

    /// The object type with every attribute and every nested block of this block.
    pub fn implied_type(&self) -> Type {
        let mut types = attribute_types(&self.attributes);
        let blocks = self.blocks.iter();
        types.extend(blocks.map(|(name, block)| (name.clone(), block.implied_type())));
        object(types)
    }

    /// The value of this block when it is written empty: every attribute null, every nested block empty.
    pub fn empty_value(&self) -> Value {
        let nulls = self
            .attributes
            .keys()
            .map(|name| (name.clone(), Value::Null));
        let blocks = self.blocks.iter();
        let blocks = blocks.map(|(name, block)| (name.clone(), block.empty_value()));
        Value::Map(Arc::new(nulls.chain(blocks).collect::<Map>()))
    }
}

impl NestedBlock {
    /// The type of the attribute that stands for these blocks.
    ///
    /// Blocks in a list or map that hold an attribute of any type may differ in type, so the collection is dynamic: its value is a
    /// tuple or an object that brings its own type.
    pub fn implied_type(&self) -> Type {
        let object = self.block.implied_type();
        match self.nesting {
            Nesting::Single | Nesting::Group => object,
            Nesting::List | Nesting::Map if object.has_dynamic() => Type::Dynamic,
            Nesting::List => Type::list(object),
            Nesting::Map => Type::map(object),
            Nesting::Set => Type::set(object),
        }
    }

    /// The value when no such block is written: an empty collection, null for a single block, never null for a group.
    pub fn empty_value(&self) -> Value {
        let empty = || Value::list(Vec::new());
        match self.nesting {
            Nesting::Single => Value::Null,
            Nesting::Group => self.block.empty_value(),
            Nesting::Set => Value::Set(Arc::default()),
            Nesting::List if self.is_dynamic() => {
                Value::Dynamic(Arc::new((Type::Tuple(Arc::new([])), empty())))
            }
            Nesting::List => empty(),
            Nesting::Map if self.is_dynamic() => Value::Dynamic(Arc::new((
                Type::Object(Arc::default()),
                Value::Map(Arc::default()),
            ))),
            Nesting::Map => Value::Map(Arc::default()),
        }
    }

    /// Whether the attribute that stands for these blocks brings its own type.
    pub fn is_dynamic(&self) -> bool {
        matches!(self.nesting, Nesting::List | Nesting::Map) && self.block.has_dynamic()
    }
}

impl Block {
    /// Whether an attribute in it, however deep, may have any type.
    pub fn has_dynamic(&self) -> bool {
        self.attributes.values().any(Attribute::has_dynamic)
            || self
                .blocks
                .values()
                .any(|nested| nested.block.has_dynamic())
    }
}

impl Attribute {
    fn has_dynamic(&self) -> bool {
        match &self.ty {
            AttributeType::Plain(ty) => ty.has_dynamic(),
            AttributeType::Nested(nested) => nested.attributes.values().any(Self::has_dynamic),
        }
    }
}

fn attribute_types(attributes: &BTreeMap<Arc<str>, Attribute>) -> BTreeMap<Arc<str>, Type> {
    let attributes = attributes.iter();
    attributes
        .map(|(name, attribute)| (name.clone(), attribute.ty()))
        .collect()
}

fn object(attributes: BTreeMap<Arc<str>, Type>) -> Type {
    Type::Object(Arc::new(ObjectType {
        attributes,
        ..ObjectType::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{anything, block, blocks, nested, text};
    use super::*;

    #[test]
    fn each_nesting_has_its_type_and_its_empty_value() {
        let inner = || block([("a", text())], []);
        let outer = block(
            [("x", text())],
            [
                ("group", blocks(Nesting::Group, inner())),
                ("list", blocks(Nesting::List, inner())),
                ("map", blocks(Nesting::Map, inner())),
                ("set", blocks(Nesting::Set, inner())),
                ("single", blocks(Nesting::Single, inner())),
            ],
        );
        insta::assert_snapshot!(
            outer.implied_type(),
            @"object({group: object({a: string}), list: list(object({a: string})), map: map(object({a: string})), set: set(object({a: string})), single: object({a: string}), x: string})"
        );
        insta::assert_snapshot!(
            format!("{:?}", outer.empty_value()),
            @r#"{"group": {"a": null}, "list": [], "map": {}, "set": set[], "single": null, "x": null}"#
        );
    }

    #[test]
    fn lists_and_maps_of_blocks_with_a_dynamic_attribute_bring_their_own_type() {
        let outer = block(
            [],
            [
                (
                    "list",
                    blocks(Nesting::List, block([("a", anything())], [])),
                ),
                ("map", blocks(Nesting::Map, block([("a", anything())], []))),
            ],
        );
        assert_eq!(
            outer.implied_type().to_string(),
            "object({list: any, map: any})"
        );
        insta::assert_snapshot!(
            format!("{:?}", outer.empty_value()),
            @r#"{"list": dynamic(tuple([]): []), "map": dynamic(object({}): {})}"#
        );
    }

    #[test]
    fn a_nested_attribute_is_an_object_or_a_collection_and_null_when_absent() {
        let outer = block([("n", nested(Nesting::Map, [("a", anything())]))], []);
        assert_eq!(
            outer.implied_type().to_string(),
            "object({n: map(object({a: any}))})"
        );
        assert_eq!(outer.empty_value().get("n"), Some(&Value::Null));
    }
}
