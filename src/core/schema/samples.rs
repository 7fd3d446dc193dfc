//! Short ways to write a schema in the tests of this module.

use super::{Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting};
use crate::value::Type;

/// An attribute of that type with the flags that the letters name: required, optional, computed, sensitive, write-only.
pub(crate) fn flags(ty: Type, flags: &str) -> Attribute {
    Attribute {
        ty: AttributeType::Plain(ty),
        required: flags.contains('r'),
        optional: flags.contains('o'),
        computed: flags.contains('c'),
        sensitive: flags.contains('s'),
        write_only: flags.contains('w'),
        deprecated: false,
    }
}

pub(crate) fn text() -> Attribute {
    flags(Type::String, "o")
}

pub(crate) fn any() -> Attribute {
    flags(Type::Dynamic, "o")
}

pub(crate) fn nested<const N: usize>(
    nesting: Nesting,
    attributes: [(&str, Attribute); N],
) -> Attribute {
    let attributes = attributes
        .map(|(name, attribute)| (name.into(), attribute))
        .into();
    let nested = NestedAttribute {
        attributes,
        nesting,
    };
    Attribute {
        ty: AttributeType::Nested(Box::new(nested)),
        ..text()
    }
}

pub(crate) fn blocks(nesting: Nesting, block: Block) -> NestedBlock {
    NestedBlock {
        block,
        nesting,
        min_items: 0,
        max_items: 0,
    }
}

pub(crate) fn block<const N: usize, const M: usize>(
    attributes: [(&str, Attribute); N],
    blocks: [(&str, NestedBlock); M],
) -> Block {
    Block {
        attributes: attributes
            .map(|(name, attribute)| (name.into(), attribute))
            .into(),
        blocks: blocks.map(|(name, nested)| (name.into(), nested)).into(),
        deprecated: false,
    }
}
