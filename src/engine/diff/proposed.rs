//! The proposed new state: prior object and configuration merged, the base of every provider's plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::Value;
use terrane_core::schema::{Attribute, AttributeType, Block, NestedBlock, Nesting};
use terrane_core::value::Map;

use super::candidates::Candidates;
use super::{member, same};

/// Merges a wholly known prior object (null before creation) and a configuration.
///
/// SDK v2 takes the result for the configuration, so every deviation becomes a wrong plan.
pub(crate) fn proposed_new(block: &Block, prior: &Value, config: &Value) -> Value {
    if prior.is_null() {
        if config.is_null() {
            return Value::Null;
        }
        return proposed_block(block, &block.empty_value(), config);
    }
    proposed_block(block, prior, config)
}

/// The object a data source will return, as far as its configuration tells: everything computed and unset is unknown.
pub(crate) fn proposed_unknown(block: &Block, config: &Value) -> Value {
    proposed_block(block, &Value::UNKNOWN, config)
}

fn proposed_block(block: &Block, prior: &Value, config: &Value) -> Value {
    if config.is_null() || config.is_unknown() {
        return prior.clone();
    }
    let mut members = proposed_attributes(&block.attributes, prior, config);
    for (name, nested) in &block.blocks {
        let value = proposed_nested_block(nested, member(prior, name), member(config, name));
        members.insert(name.clone(), value);
    }
    Value::Map(Arc::new(members))
}

fn proposed_attributes(
    attributes: &BTreeMap<Arc<str>, Attribute>,
    prior: &Value,
    config: &Value,
) -> Map {
    let propose = |(name, attribute): (&Arc<str>, &Attribute)| {
        let value = proposed_attribute(attribute, member(prior, name), member(config, name));
        (name.clone(), value)
    };
    attributes.iter().map(propose).collect()
}

fn proposed_attribute(attribute: &Attribute, prior: &Value, config: &Value) -> Value {
    if attribute.computed && config.is_null() {
        // An optional nested attribute with something inside that only the user can have set: the user removed it.
        if attribute.optional
            && let AttributeType::Nested(nested) = &attribute.ty
            && holds_configured(&nested.attributes, nested.nesting, prior)
        {
            return config.clone();
        }
        return prior.clone();
    }
    let AttributeType::Nested(nested) = &attribute.ty else {
        return config.clone();
    };
    let propose = |prior: &Value, config: &Value| {
        // A null element says that nothing is there, not that everything about it is left to the provider.
        if config.is_null() || config.is_unknown() {
            return config.clone();
        }
        Value::Map(Arc::new(proposed_attributes(
            &nested.attributes,
            prior,
            config,
        )))
    };
    let valid = |prior: &Value, config: &Value| {
        could_be_prior_members(&nested.attributes, &BTreeMap::new(), prior, config)
    };
    let fixed = |name: Option<&str>, config: &Value| is_fixed(&nested.attributes, name, config);
    let element_type = || nested.object_type();
    proposed_collection(
        nested.nesting,
        prior,
        config,
        &propose,
        &valid,
        &fixed,
        &element_type,
    )
}

fn proposed_nested_block(nested: &NestedBlock, prior: &Value, config: &Value) -> Value {
    if nested.block.computed && config.is_null() {
        return prior.clone();
    }
    let propose = |prior: &Value, config: &Value| proposed_block(&nested.block, prior, config);
    let valid = |prior: &Value, config: &Value| {
        could_be_prior_members(
            &nested.block.attributes,
            &nested.block.blocks,
            prior,
            config,
        )
    };
    let fixed =
        |name: Option<&str>, config: &Value| is_fixed(&nested.block.attributes, name, config);
    let element_type = || nested.block.implied_type();
    proposed_collection(
        nested.nesting,
        prior,
        config,
        &propose,
        &valid,
        &fixed,
        &element_type,
    )
}

/// The part that nested blocks and nested attributes share: pairing prior with configured elements.
fn proposed_collection(
    nesting: Nesting,
    prior: &Value,
    config: &Value,
    propose: &dyn Fn(&Value, &Value) -> Value,
    could_be_prior: &dyn Fn(&Value, &Value) -> bool,
    fixed: &dyn Fn(Option<&str>, &Value) -> bool,
    element_type: &dyn Fn() -> terrane_core::Type,
) -> Value {
    if config.is_unknown() {
        return config.clone();
    }
    match (nesting, config) {
        (Nesting::Group, _) => propose(prior, config),
        (_, Value::Null) => Value::Null,
        (Nesting::Single, _) => propose(prior, config),
        // Elements without a prior counterpart are taken as they are; surplus prior elements vanish.
        (Nesting::List, Value::List(elements)) => {
            let merge = |(index, element): (usize, &Value)| match prior {
                Value::Unknown(_) => propose(prior, element),
                _ => match prior.elements().and_then(|prior| prior.get(index)) {
                    Some(prior) => propose(prior, element),
                    None => element.clone(),
                },
            };
            Value::list(elements.iter().enumerate().map(merge).collect())
        }
        (Nesting::Map, Value::Map(elements)) => {
            let merge = |(key, element): (&Arc<str>, &Value)| {
                let value = match prior {
                    Value::Unknown(_) => propose(prior, element),
                    _ => match prior.get(key) {
                        Some(prior) => propose(prior, element),
                        None => element.clone(),
                    },
                };
                (key.clone(), value)
            };
            Value::Map(Arc::new(elements.iter().map(merge).collect()))
        }
        (Nesting::Set, Value::Set(elements)) => {
            let mut candidates = Candidates::new(prior.elements().unwrap_or_default());
            let merge = |element: &Value| {
                if prior.is_unknown() {
                    return propose(prior, element);
                }
                let fits = |prior: &Value| could_be_prior(prior, element);
                match candidates.take(element, fixed, fits) {
                    Some(prior) => propose(prior, element),
                    None => propose(&Value::Null, element),
                }
            };
            Value::set(elements.iter().map(merge).collect(), &element_type())
        }
        // Collections of blocks with dynamic types inside carry their own type; merging would change it.
        _ => config.clone(),
    }
}

/// Whether a prior nested attribute holds, anywhere inside, a non-null member that only a configuration can have set.
fn holds_configured(
    attributes: &BTreeMap<Arc<str>, Attribute>,
    nesting: Nesting,
    prior: &Value,
) -> bool {
    let object_holds = |object: &Value| {
        attributes.iter().any(|(name, attribute)| {
            let value = member(object, name);
            if value.is_null() || value.is_unknown() {
                return false;
            }
            match &attribute.ty {
                _ if !attribute.computed => true,
                AttributeType::Plain(_) => false,
                AttributeType::Nested(nested) => {
                    holds_configured(&nested.attributes, nested.nesting, value)
                }
            }
        })
    };
    match (nesting, prior) {
        (_, Value::Null | Value::Unknown(_)) => false,
        (Nesting::Map, Value::Map(members)) => members.values().any(object_holds),
        (_, Value::List(elements) | Value::Set(elements)) => elements.iter().any(object_holds),
        (_, object) => object_holds(object),
    }
}

/// Whether a prior set element can be what became of this configured element: they differ only where the configuration left
/// something to the provider.
fn could_be_prior_members(
    attributes: &BTreeMap<Arc<str>, Attribute>,
    blocks: &BTreeMap<Arc<str>, NestedBlock>,
    prior: &Value,
    config: &Value,
) -> bool {
    if same(prior, config) {
        return true;
    }
    let (Value::Map(_), Value::Map(_)) = (prior, config) else {
        return false;
    };
    attributes.iter().all(|(name, attribute)| {
        let (prior, config) = (member(prior, name), member(config, name));
        if same(prior, config) {
            return true;
        }
        match &attribute.ty {
            AttributeType::Nested(nested) if !config.is_null() => {
                let valid = |prior: &Value, config: &Value| {
                    could_be_prior_members(&nested.attributes, &BTreeMap::new(), prior, config)
                };
                could_be_prior_collection(nested.nesting, prior, config, &valid)
            }
            _ => attribute.computed && config.is_null(),
        }
    }) && blocks.iter().all(|(name, nested)| {
        let valid = |prior: &Value, config: &Value| {
            could_be_prior_members(
                &nested.block.attributes,
                &nested.block.blocks,
                prior,
                config,
            )
        };
        could_be_prior_collection(
            nested.nesting,
            member(prior, name),
            member(config, name),
            &valid,
        )
    })
}

/// Whether a prior element must have that very member to be what became of a configured one, as [`could_be_prior_members`] says.
fn is_fixed(
    attributes: &BTreeMap<Arc<str>, Attribute>,
    name: Option<&str>,
    config: &Value,
) -> bool {
    let Some(name) = name else {
        return true;
    };
    attributes.get(name).is_some_and(|attribute| {
        if config.is_null() {
            return !attribute.computed;
        }
        matches!(attribute.ty, AttributeType::Plain(_))
    })
}

fn could_be_prior_collection(
    nesting: Nesting,
    prior: &Value,
    config: &Value,
    valid: &dyn Fn(&Value, &Value) -> bool,
) -> bool {
    if same(prior, config) {
        return true;
    }
    match (nesting, prior, config) {
        (Nesting::Single | Nesting::Group, Value::Map(_), Value::Map(_)) => valid(prior, config),
        (Nesting::List, Value::List(prior), Value::List(config)) => {
            prior.len() == config.len() && prior.iter().zip(config.iter()).all(|(p, c)| valid(p, c))
        }
        (Nesting::Map, Value::Map(prior), Value::Map(config)) => {
            prior.len() == config.len()
                && prior
                    .iter()
                    .all(|(key, p)| config.get(key).is_some_and(|c| valid(p, c)))
        }
        // Elements of a nested set cannot be paired, so any difference there is a difference.
        _ => false,
    }
}
