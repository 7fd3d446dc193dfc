//! Describes the resource types of a fake provider in a few words.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::Type;
use terrane_core::schema::{
    Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting, Schema,
};

/// Attributes and blocks of a type, and how the fake provider treats them.
///
/// The last argument of each method is words: `required`, `optional`, `computed`, `sensitive`, `write_only` as in any schema;
/// `force_new` (its change needs a replacement), `volatile` (unknown in the plan of every update), `reference` (holds ids of objects
/// that must exist, and keeps them from being deleted).
#[derive(Debug, Clone, Default)]
pub struct Fields {
    pub(crate) block: Block,
    pub(crate) force_new: BTreeSet<Arc<str>>,
    pub(crate) volatile: BTreeSet<Arc<str>>,
    pub(crate) references: BTreeSet<Arc<str>>,
}

impl Fields {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a string.
    #[must_use]
    pub fn string(self, name: &str, words: &str) -> Self {
        self.attribute(name, Type::String, words)
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, name: &str, words: &str) -> Self {
        self.attribute(name, Type::Number, words)
    }

    /// Adds an attribute of any type.
    #[must_use]
    pub fn attribute(self, name: &str, ty: Type, words: &str) -> Self {
        self.add(name, AttributeType::Plain(ty), words)
    }

    /// Adds an attribute whose members have words of their own.
    #[must_use]
    pub fn nested(self, name: &str, nesting: Nesting, members: Self, words: &str) -> Self {
        let nested = NestedAttribute {
            attributes: members.block.attributes,
            nesting,
        };
        self.add(name, AttributeType::Nested(Box::new(nested)), words)
    }

    /// Adds a nested block.
    #[must_use]
    pub fn blocks(mut self, name: &str, nesting: Nesting, members: Self) -> Self {
        let nested = NestedBlock {
            block: members.block,
            nesting,
            min_items: 0,
            max_items: 0,
        };
        self.block.blocks.insert(name.into(), nested);
        self
    }

    fn add(mut self, name: &str, ty: AttributeType, words: &str) -> Self {
        let mut attribute = Attribute {
            ty,
            required: false,
            optional: false,
            computed: false,
            sensitive: false,
            write_only: false,
            deprecated: false,
        };
        let name: Arc<str> = name.into();
        for word in words.split_whitespace() {
            match word {
                "required" => attribute.required = true,
                "optional" => attribute.optional = true,
                "computed" => attribute.computed = true,
                "sensitive" => attribute.sensitive = true,
                "write_only" => attribute.write_only = true,
                "force_new" => drop(self.force_new.insert(name.clone())),
                "volatile" => drop(self.volatile.insert(name.clone())),
                "reference" => drop(self.references.insert(name.clone())),
                other => panic!("no such word for an attribute: {other}"),
            }
        }
        self.block.attributes.insert(name, attribute);
        self
    }

    /// As a schema.
    pub fn schema(&self) -> Schema {
        Schema::new(0, self.block.clone())
    }
}

/// The resource type that most scenarios use.
///
/// Everything has an `id` from the provider, a `name` that cannot change in place, and may point to others by `parent` and `links`.
pub fn thing() -> Fields {
    let disk = Fields::new()
        .number("size", "required")
        .string("serial", "computed");
    let rule = Fields::new()
        .number("port", "required")
        .string("note", "optional")
        .string("rule_id", "computed");
    Fields::new()
        .string("id", "computed")
        .string("name", "required force_new")
        .number("size", "optional")
        .string("note", "optional")
        .string("zone", "optional computed")
        .string("endpoint", "computed volatile")
        .string("region", "computed")
        .string("secret", "optional sensitive")
        .string("token", "computed sensitive")
        .string("password", "optional write_only")
        .string("parent", "optional reference")
        .attribute("links", Type::set(Type::String), "optional reference")
        .attribute("tags", Type::map(Type::String), "optional")
        .blocks("disk", Nesting::List, disk)
        .blocks("rule", Nesting::Set, rule)
}

/// A type whose objects say when they were made; the bindings know its names.
pub fn named() -> Fields {
    thing().string("made", "computed")
}

/// A type whose objects say where they lie; without a word they lie where the provider is.
pub(crate) fn placed() -> Fields {
    thing().string("region", "optional computed force_new")
}

/// The data source that finds objects by a tag.
pub(crate) fn finder() -> Fields {
    Fields::new()
        .string("key", "required")
        .string("value", "required")
        .string("region", "optional")
        .attribute("found", Type::list(Type::String), "computed")
}

/// A type with nested attributes, as providers of protocol 6 have.
pub fn item() -> Fields {
    let part = || {
        Fields::new()
            .string("label", "required")
            .number("weight", "optional")
            .string("part_id", "computed")
    };
    Fields::new()
        .string("id", "computed")
        .string("name", "required force_new")
        .nested("one", Nesting::Single, part(), "optional")
        .nested("list", Nesting::List, part(), "optional")
        .nested("set", Nesting::Set, part(), "optional")
        .nested("map", Nesting::Map, part(), "optional")
        .nested("chosen", Nesting::Single, part(), "optional computed")
}

/// The data source that goes with [`thing`]: finds one by its name.
pub fn lookup() -> Fields {
    Fields::new()
        .string("name", "required")
        .string("found", "computed")
        .number("size", "computed")
        .string("secret", "computed sensitive")
}
