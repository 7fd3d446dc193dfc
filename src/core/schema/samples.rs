//! Short ways to write a schema in the tests of this module.

use std::sync::Arc;

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::{Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting, Schema};
use crate::value::Type;
use crate::value::samples::types;

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

pub(crate) fn anything() -> Attribute {
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
        computed: false,
    }
}

/// Any schema of a few levels.
pub(crate) fn schemas() -> impl Strategy<Value = Schema> {
    (0..5_u64, any_block()).prop_map(|(version, block)| Schema::new(version, block))
}

fn names() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![9 => "[a-z_]{1,4}[0-9]?", 1 => "[ -~\u{e9}]{1,4}"].prop_map(Arc::from)
}

fn any_attribute() -> impl Strategy<Value = Attribute> {
    let plain = (types(), "[rocswd]{1,3}").prop_map(|(ty, letters)| Attribute {
        deprecated: letters.contains('d'),
        ..flags(ty, &letters)
    });
    plain.prop_recursive(2, 8, 3, |inner| {
        let nestings = prop_oneof![
            Just(Nesting::Single),
            Just(Nesting::List),
            Just(Nesting::Set),
            Just(Nesting::Map)
        ];
        (btree_map(names(), inner, 0..4), nestings, "[rocsd]{1,2}").prop_map(
            |(attributes, nesting, letters)| Attribute {
                ty: AttributeType::Nested(Box::new(NestedAttribute {
                    attributes,
                    nesting,
                })),
                ..flags(Type::Dynamic, &letters)
            },
        )
    })
}

fn any_block() -> impl Strategy<Value = Block> {
    let leaf = btree_map(names(), any_attribute(), 0..5).prop_map(|attributes| Block {
        attributes,
        ..Block::default()
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        let nestings = prop_oneof![
            Just(Nesting::Single),
            Just(Nesting::Group),
            Just(Nesting::List),
            Just(Nesting::Set),
            Just(Nesting::Map)
        ];
        let nested = (inner, nestings, 0..3_u64, 0..3_u64).prop_map(
            |(block, nesting, min_items, max_items)| NestedBlock {
                block,
                nesting,
                min_items,
                max_items,
            },
        );
        (
            btree_map(names(), any_attribute(), 0..4),
            btree_map(names(), nested, 0..3),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(attributes, blocks, deprecated, computed)| Block {
                attributes,
                blocks,
                deprecated,
                computed,
            })
    })
}
