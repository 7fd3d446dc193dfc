//! The rules between engine and providers: the proposed object, a valid plan, a compatible result.
//!
//! The rules are those of Terraform and OpenTofu (`internal/plans/objchange`): providers are written against them.

mod candidates;
mod compatible;
mod computed_blocks;
mod normalise;
mod plan_valid;
mod proposed;
#[cfg(test)]
mod tests;

pub(crate) use compatible::incompatibilities;
pub(crate) use computed_blocks::computed_blocks_to_null;
pub(crate) use normalise::normalise_legacy;
pub(crate) use plan_valid::plan_problems;
pub(crate) use proposed::{proposed_new, proposed_unknown};

use std::collections::BTreeSet;

use terrane_core::{Path, Value};

/// A rule that a provider's answer breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where in the object.
    pub(crate) path: Path,
    /// The fault, for the provider's developers; never a sensitive value.
    pub(crate) message: String,
}

impl Problem {
    /// The same without values, if `secret` covers any of what it is about: schemas do not know what a program marks.
    pub(crate) fn hiding(self, secret: &BTreeSet<Path>) -> Self {
        let covered = |mark: &Path| mark.contains(&self.path) || self.path.contains(mark);
        if !secret.iter().any(covered) {
            return self;
        }
        Self {
            message: "inconsistent values for something sensitive".to_owned(),
            ..self
        }
    }
}

/// The member of an object that may itself be null or unknown: then so is the member.
pub(crate) fn member<'a>(object: &'a Value, name: &str) -> &'a Value {
    match object {
        Value::Map(members) => members.get(name).unwrap_or(&Value::Null),
        Value::Unknown(_) => &Value::UNKNOWN,
        _ => &Value::Null,
    }
}

/// Whether two values are the same, leaving refinements of unknowns aside.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Unknown(_), Value::Unknown(_)) => true,
        (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b.iter())
                    .all(|((ak, av), (bk, bv))| ak == bk && same(av, bv))
        }
        (Value::Dynamic(a), Value::Dynamic(b)) => a.0 == b.0 && same(&a.1, &b.1),
        (a, b) => a == b,
    }
}

/// Whether two objects say the same to a person: SDK v2 cannot tell null from empty, so a first read after a creation often returns
/// the one for the other.
pub(crate) fn equivalent(a: &Value, b: &Value) -> bool {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::List(elements) | Value::Set(elements) => elements.is_empty(),
        Value::Map(members) => members.is_empty(),
        _ => false,
    };
    match (a, b) {
        (a, b) if empty(a) && empty(b) => true,
        (Value::List(a), Value::List(b)) | (Value::Set(a), Value::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equivalent(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let names = a
                .keys()
                .chain(b.keys().filter(|name| !a.contains_key(*name)));
            names.into_iter().all(|name| {
                let part = |object: &terrane_core::value::Map| {
                    object.get(name).cloned().unwrap_or(Value::Null)
                };
                equivalent(&part(a), &part(b))
            })
        }
        (a, b) => a == b,
    }
}

/// A value as it may appear in a message; only the outermost layer, for values can be large.
pub(crate) fn shown(value: &Value, sensitive: bool) -> String {
    if sensitive {
        return "(sensitive)".to_owned();
    }
    match value {
        Value::Null => "null".to_owned(),
        Value::Unknown(_) => "(unknown)".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::List(elements) | Value::Set(elements) => format!("{} elements", elements.len()),
        Value::Map(members) => format!("an object of {} members", members.len()),
        Value::Dynamic(dynamic) => shown(&dynamic.1, false),
    }
}
