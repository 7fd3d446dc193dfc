//! The `sensitive_attributes` member: paths as arrays of steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use terrane_core::{Path, PathStep};

use super::json::Writer;
use crate::file::FileError;
use crate::file::node::Node;
use crate::model::SensitiveAttributes;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStep<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(rename = "type", borrow)]
    ty: &'a RawValue,
}

fn step(stored: &StoredStep<'_>) -> Option<PathStep> {
    let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).ok();
    match stored.kind {
        "get_attr" => Some(PathStep::Attribute(text(stored.value)?.into())),
        "index" => {
            let key: StoredKey<'_> = serde_json::from_str(stored.value.get()).ok()?;
            match key.ty.get() {
                "\"string\"" => Some(PathStep::key(text(key.value)?)),
                "\"number\"" => Some(PathStep::Index(key.value.get().parse().ok()?)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn path(text: &str) -> Option<Path> {
    let steps: Vec<StoredStep<'_>> = serde_json::from_str(text).ok()?;
    steps.iter().map(step).collect()
}

/// Reads the member; entries of an unknown form are kept as they are.
pub(super) fn read(node: &Node<'_, '_>) -> Result<SensitiveAttributes, FileError> {
    let mut paths = BTreeSet::new();
    let mut unrecognised = Vec::new();
    node.elements(|entry| {
        match path(entry.text()) {
            Some(path) => {
                paths.insert(path);
            }
            None => unrecognised.push(entry.raw()?),
        }
        Ok(())
    })?;
    Ok(SensitiveAttributes {
        paths: Arc::new(paths),
        unrecognised: unrecognised.into(),
    })
}

/// Writes the member's value.
pub(super) fn write(sensitive: &SensitiveAttributes, out: &mut Writer<'_>) {
    out.open('[');
    for path in sensitive.paths.iter() {
        out.open('[');
        for step in path.steps() {
            let (kind, key) = match step {
                PathStep::Attribute(name) => ("get_attr", Err(&**name)),
                PathStep::Key(key) => ("index", Ok(("string", Err(&**key)))),
                PathStep::Index(index) => ("index", Ok(("number", Ok(*index)))),
            };
            out.open('{');
            out.name("type");
            out.string(kind);
            out.name("value");
            match key {
                Err(name) => out.string(name),
                Ok((ty, value)) => {
                    out.open('{');
                    out.name("value");
                    match value {
                        Err(key) => out.string(key),
                        Ok(index) => out.literal(&index.to_string()),
                    }
                    out.name("type");
                    out.string(ty);
                    out.close('}');
                }
            }
            out.close('}');
        }
        out.close(']');
    }
    for raw in &*sensitive.unrecognised {
        out.literal(raw.as_str());
    }
    out.close(']');
}
