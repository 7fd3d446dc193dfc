//! A keyed hash of the known, public part of planned values, for an intent that must hold no value.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::schema::Block;
use terrane_core::{Path, PathStep, Value};
use terrane_state::{OperationId, Sha256};

use crate::config::Config;

/// The hash of the known values of a planned object, under the name of the operation: equal for equal plans of one operation, and
/// different for every other.
pub(crate) fn fingerprint(
    op: OperationId,
    block: &Block,
    planned: &Value,
    secret: &BTreeSet<Path>,
) -> String {
    let known = text(block, planned, secret);
    Sha256::keyed(op.to_string().as_bytes(), known.as_bytes()).to_string()
}

/// The known, public part of a value, as text.
fn text(block: &Block, value: &Value, secret: &BTreeSet<Path>) -> String {
    let mut hidden = block.sensitive_paths(value);
    hidden.extend(secret.iter().cloned());
    let known = known(value, &mut Path::root(), &hidden);
    let known = block.write_only_to_null(&known);
    known.to_json(&block.implied_type()).unwrap_or_default()
}

/// The hash of where a provider is configured to look: the known values of its configuration that are no credentials, for those change
/// while the place stays the same.
pub(crate) fn place(block: &Block, config: &Config) -> String {
    const CREDENTIALS: [&str; 6] = [
        "token",
        "secret",
        "password",
        "key",
        "certificate",
        "credential",
    ];
    let is_credential = |name: &str| CREDENTIALS.iter().any(|word| name.contains(word));
    let names = config.value.members().into_iter().flatten();
    let credentials = names.filter(|(name, _)| is_credential(name));
    let mut secret = config.sensitive.clone();
    secret.extend(credentials.map(|(name, _)| Path::root().attribute(name.clone())));
    Sha256::of(text(block, &config.value, &secret).as_bytes()).to_string()
}

/// The hash of such a place in an intent.
pub(crate) fn place_fingerprint(op: OperationId, place: &str) -> String {
    Sha256::keyed(op.to_string().as_bytes(), place.as_bytes()).to_string()
}

/// The value with null for unknown and secret parts.
fn known(value: &Value, here: &mut Path, secret: &BTreeSet<Path>) -> Value {
    if secret.contains(here) {
        return Value::Null;
    }
    match value {
        Value::Unknown(_) => Value::Null,
        Value::List(elements) => {
            let mut visited = Vec::with_capacity(elements.len());
            for (index, element) in elements.iter().enumerate() {
                here.push(PathStep::Index(index));
                visited.push(known(element, here, secret));
                here.pop();
            }
            Value::list(visited)
        }
        // Elements of sets have no path of their own, and no secrets: a set with one is secret as a whole.
        Value::Set(elements) => {
            let visit = |element| known(element, &mut Path::root(), &BTreeSet::new());
            Value::Set(Arc::new(elements.iter().map(visit).collect()))
        }
        Value::Map(members) => {
            let mut visited = Vec::with_capacity(members.len());
            for (name, member) in members.iter() {
                // The members of a map are keys to paths, those of an object attributes; the value does not say which it is.
                here.push(PathStep::Key(name.clone()));
                let as_key = secret.contains(here);
                here.pop();
                here.push(PathStep::Attribute(name.clone()));
                let member = if as_key {
                    Value::Null
                } else {
                    known(member, here, secret)
                };
                here.pop();
                visited.push((name.clone(), member));
            }
            Value::map(visited)
        }
        Value::Dynamic(dynamic) => {
            let inner = known(&dynamic.1, here, secret);
            Value::Dynamic(Arc::new((dynamic.0.clone(), inner)))
        }
        other => other.clone(),
    }
}
