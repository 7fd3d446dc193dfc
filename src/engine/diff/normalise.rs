//! Repairs what SDK v2 providers return from a read: they cannot tell absent from empty blocks.

use std::sync::Arc;

use terrane_core::Value;
use terrane_core::schema::{Block, NestedBlock, Nesting};

/// Gives every nested block collection the shape that a configuration would have: empty instead of null, one unknown element
/// instead of unknown. Attributes, map blocks and blocks with dynamic types are left alone.
pub(crate) fn normalise_legacy(block: &Block, value: Value) -> Value {
    let Value::Map(members) = &value else {
        return value;
    };
    if block
        .blocks
        .iter()
        .all(|(name, nested)| is_normal(nested, members.get(name)))
    {
        return value;
    }
    let mut members = members.as_ref().clone();
    for (name, nested) in &block.blocks {
        let old = members.remove(name).unwrap_or(Value::Null);
        members.insert(name.clone(), normalise_nested(nested, old));
    }
    Value::Map(Arc::new(members))
}

/// Whether nothing would change, so that the common case copies nothing.
fn is_normal(nested: &NestedBlock, value: Option<&Value>) -> bool {
    let all_normal = |elements: &[Value]| {
        elements.iter().all(|element| match element {
            Value::Map(members) => nested
                .block
                .blocks
                .iter()
                .all(|(name, nested)| is_normal(nested, members.get(name))),
            _ => true,
        })
    };
    match (nested.nesting, value) {
        (Nesting::Map, Some(_)) | (Nesting::Single, Some(Value::Null)) => true,
        (Nesting::List, Some(Value::List(elements)))
        | (Nesting::Set, Some(Value::Set(elements))) => all_normal(elements),
        (Nesting::Single | Nesting::Group, Some(object @ Value::Map(_))) => {
            all_normal(std::slice::from_ref(object))
        }
        (_, Some(Value::Dynamic(_))) => true,
        _ => false,
    }
}

fn normalise_nested(nested: &NestedBlock, value: Value) -> Value {
    let block = &nested.block;
    if nested.nesting == Nesting::Map || block.has_dynamic() {
        return value;
    }
    match (nested.nesting, value) {
        (Nesting::List, Value::Null) => Value::list(Vec::new()),
        (Nesting::Set, Value::Null) => Value::Set(Arc::default()),
        (Nesting::Group, Value::Null) => block.empty_value(),
        (Nesting::List, Value::Unknown(_)) => Value::list(vec![unknown_stub(block)]),
        (Nesting::Set, Value::Unknown(_)) => Value::Set(Arc::new(vec![unknown_stub(block)])),
        (Nesting::Single | Nesting::Group, Value::Unknown(_)) => unknown_stub(block),
        (Nesting::List, Value::List(elements)) => Value::list(
            elements
                .iter()
                .map(|e| normalise_legacy(block, e.clone()))
                .collect(),
        ),
        (Nesting::Set, Value::Set(elements)) => {
            let elements = elements
                .iter()
                .map(|e| normalise_legacy(block, e.clone()))
                .collect();
            Value::set(elements, &block.implied_type())
        }
        (_, other) => normalise_legacy(block, other),
    }
}

/// A block whose every leaf is unknown.
fn unknown_stub(block: &Block) -> Value {
    let attributes = block
        .attributes
        .keys()
        .map(|name| (name.clone(), Value::UNKNOWN));
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let value = match nested.nesting {
            Nesting::List => Value::list(vec![unknown_stub(&nested.block)]),
            Nesting::Set => Value::Set(Arc::new(vec![unknown_stub(&nested.block)])),
            Nesting::Single | Nesting::Group => unknown_stub(&nested.block),
            Nesting::Map => Value::UNKNOWN,
        };
        (name.clone(), value)
    });
    Value::map(attributes.chain(blocks))
}
