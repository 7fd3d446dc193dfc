//! Blocks that a provider may fill in where the user writes none (protocol 6.11): none written is null then, not an empty collection.

use std::sync::Arc;

use terrane_core::Value;
use terrane_core::schema::{Block, NestedBlock, Nesting};
use terrane_core::value::Map;

/// The configuration with null for every kind of computed block of which it has none.
pub(crate) fn computed_blocks_to_null(block: &Block, config: Value) -> Value {
    if !holds_computed(block) {
        return config;
    }
    within(block, &config)
}

fn holds_computed(block: &Block) -> bool {
    let mut nested = block.blocks.values();
    nested.any(|nested| nested.block.computed || holds_computed(&nested.block))
}

fn within(block: &Block, config: &Value) -> Value {
    let Value::Map(members) = config else {
        return config.clone();
    };
    let mut members: Map = (**members).clone();
    for (name, nested) in &block.blocks {
        if let Some(member) = members.get_mut(name) {
            *member = collection(nested, member);
        }
    }
    Value::Map(Arc::new(members))
}

fn collection(nested: &NestedBlock, config: &Value) -> Value {
    let element = |element: &Value| within(&nested.block, element);
    match (nested.nesting, config) {
        (Nesting::Single | Nesting::Group, config) => element(config),
        (_, Value::List(elements) | Value::Set(elements))
            if nested.block.computed && elements.is_empty() =>
        {
            Value::Null
        }
        (_, Value::Map(members)) if nested.block.computed && members.is_empty() => Value::Null,
        (_, Value::Dynamic(dynamic)) => match collection(nested, &dynamic.1) {
            Value::Null => Value::Null,
            inner => Value::Dynamic(Arc::new((dynamic.0.clone(), inner))),
        },
        (_, Value::List(elements)) => Value::list(elements.iter().map(element).collect()),
        (_, Value::Set(elements)) => Value::set(
            elements.iter().map(element).collect(),
            &nested.block.implied_type(),
        ),
        (_, Value::Map(members)) => Value::Map(Arc::new(
            members
                .iter()
                .map(|(key, member)| (key.clone(), element(member)))
                .collect(),
        )),
        (_, config) => config.clone(),
    }
}
