//! The parts of requests and responses as JSON, without secrets.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::{Value as Json, json};
use terrane_core::schema::{
    Attribute, AttributeType, Block, IdentityAttribute, IdentitySchema, Schema,
};
use terrane_core::value::saved::{Borrowed, SavedValue};
use terrane_core::{Diagnostic, Diagnostics, Path, PathStep, Severity, Value};

use super::HIDDEN;
use crate::provider::Identity;

/// How the digest of private data begins.
const PRIVATE: &str = "private:";

/// A value as JSON that carries its own type.
pub(super) fn value(value: &Value) -> Json {
    serde_json::to_value(Borrowed(value)).unwrap_or_default()
}

/// The value of such JSON.
pub(super) fn read_value(json: &Json) -> Result<Value, String> {
    let saved: SavedValue = serde::Deserialize::deserialize(json)
        .map_err(|error: serde_json::Error| error.to_string())?;
    Ok(saved.0)
}

/// The block of a schema, if there is one.
pub(super) fn block_of(schema: Option<&Schema>) -> Option<&Block> {
    schema.map(|schema| &schema.block)
}

/// The value without what its schema says to be secret.
pub(super) fn without_secrets(block: Option<&Block>, value: &Value) -> Value {
    let Some(block) = block else {
        return hidden(value);
    };
    let secret = block.secret_paths(value);
    match secret.is_empty() {
        true => value.clone(),
        false => hide(value, &mut Path::root(), &secret),
    }
}

fn hide(value: &Value, path: &mut Path, secret: &BTreeSet<Path>) -> Value {
    if secret.contains(path) {
        return hidden(value);
    }
    match value {
        Value::Map(members) => {
            let members = members.iter().map(|(name, member)| {
                path.push(PathStep::Key(name.clone()));
                // A map has keys where an object has attributes.
                if !secret.iter().any(|secret| path.contains(secret)) {
                    path.pop();
                    path.push(PathStep::Attribute(name.clone()));
                }
                let kept = hide(member, path, secret);
                path.pop();
                (name.clone(), kept)
            });
            Value::Map(Arc::new(members.collect()))
        }
        Value::List(elements) => {
            let elements = elements.iter().enumerate().map(|(index, element)| {
                path.push(PathStep::Index(index));
                let kept = hide(element, path, secret);
                path.pop();
                kept
            });
            Value::List(Arc::new(elements.collect()))
        }
        _ => value.clone(),
    }
}

/// A value of the same form that says nothing.
pub(super) fn hidden(value: &Value) -> Value {
    match value {
        Value::Null | Value::Unknown(_) => value.clone(),
        Value::Bool(_) => Value::Bool(false),
        Value::Number(_) => Value::from(0_i64),
        Value::String(_) => HIDDEN.into(),
        Value::List(elements) => Value::List(Arc::new(elements.iter().map(hidden).collect())),
        // How many they were is lost, which is all the better.
        Value::Set(elements) => Value::Set(Arc::new(elements.iter().take(1).map(hidden).collect())),
        Value::Map(members) => Value::Map(Arc::new(
            (members.iter())
                .map(|(name, member)| (name.clone(), hidden(member)))
                .collect(),
        )),
        Value::Dynamic(dynamic) => {
            Value::Dynamic(Arc::new((dynamic.0.clone(), hidden(&dynamic.1))))
        }
    }
}

/// Stored attributes without secrets. They may be of an older schema: what this one does not know may be anything.
pub(super) fn raw_without_secrets(block: Option<&Block>, raw: &[u8]) -> Json {
    let mut json = serde_json::from_slice(raw).unwrap_or_else(|_| HIDDEN.into());
    match block {
        Some(block) => hide_raw(block, &mut json),
        None => hide_leaves(&mut json),
    }
    json
}

fn hide_raw(block: &Block, json: &mut Json) {
    match json {
        Json::Array(elements) => elements.iter_mut().for_each(|one| hide_raw(block, one)),
        Json::Object(members) => {
            for (name, member) in members {
                match (block.attributes.get(&**name), block.blocks.get(&**name)) {
                    (Some(attribute), _) => hide_raw_attribute(attribute, member),
                    (_, Some(nested)) => hide_raw(&nested.block, member),
                    _ => hide_leaves(member),
                }
            }
        }
        Json::Null => {}
        _ => hide_leaves(json),
    }
}

fn hide_raw_attribute(attribute: &Attribute, json: &mut Json) {
    if attribute.sensitive || attribute.write_only {
        return hide_leaves(json);
    }
    if let AttributeType::Nested(nested) = &attribute.ty {
        let block = Block {
            attributes: nested.attributes.clone(),
            ..Block::default()
        };
        let by_key = matches!(nested.nesting, terrane_core::schema::Nesting::Map);
        match json {
            Json::Object(members) if by_key => {
                members.values_mut().for_each(|one| hide_raw(&block, one));
            }
            _ => hide_raw(&block, json),
        }
    }
}

fn hide_leaves(json: &mut Json) {
    match json {
        Json::Array(elements) => elements.iter_mut().for_each(hide_leaves),
        Json::Object(members) => members.values_mut().for_each(hide_leaves),
        Json::String(text) => HIDDEN.clone_into(text),
        Json::Number(number) => *number = 0.into(),
        Json::Bool(flag) => *flag = false,
        Json::Null => {}
    }
}

/// A digest in place of private data; the digest itself where a replay has handed one out.
pub(super) fn private(private: &Bytes) -> Json {
    match std::str::from_utf8(private) {
        Ok(text) if text.is_empty() || text.starts_with(PRIVATE) => text.into(),
        _ => {
            let digest = HEXLOWER.encode(digest(&SHA256, private).as_ref());
            format!("{PRIVATE}{}", &digest[..16]).into()
        }
    }
}

/// What a replay hands out as private data.
pub(super) fn read_private(json: &Json) -> Bytes {
    Bytes::from(json.as_str().unwrap_or_default().to_owned())
}

/// An identity; they are no secrets.
pub(super) fn identity(identity: Option<&Identity>) -> Json {
    match identity {
        None => Json::Null,
        Some(identity) => json!({
            "schema_version": identity.schema_version,
            "value": value(&identity.value),
        }),
    }
}

/// The identity of such JSON.
pub(super) fn read_identity(json: &Json) -> Result<Option<Identity>, String> {
    match json {
        Json::Null => Ok(None),
        _ => Ok(Some(Identity {
            schema_version: json["schema_version"].as_u64().unwrap_or_default(),
            value: read_value(&json["value"])?,
        })),
    }
}

/// The attributes of an identity's schema.
pub(super) fn identity_attributes(schema: &IdentitySchema) -> Json {
    let attributes = schema.attributes.iter().map(|attribute| {
        json!({
            "name": attribute.name,
            "type": attribute.ty,
            "required_for_import": attribute.required_for_import,
            "optional_for_import": attribute.optional_for_import,
        })
    });
    attributes.collect()
}

/// The schema of such JSON.
pub(super) fn read_identity_schema(json: &Json) -> Result<IdentitySchema, String> {
    let attributes = json["attributes"].as_array().into_iter().flatten();
    let attributes = attributes.map(|one| {
        let ty = serde::Deserialize::deserialize(&one["type"]);
        Ok::<_, String>(IdentityAttribute {
            name: one["name"].as_str().unwrap_or_default().into(),
            ty: ty.map_err(|error: serde_json::Error| error.to_string())?,
            required_for_import: one["required_for_import"].as_bool().unwrap_or_default(),
            optional_for_import: one["optional_for_import"].as_bool().unwrap_or_default(),
        })
    });
    let version = json["version"].as_u64().unwrap_or_default();
    Ok(IdentitySchema::new(
        version,
        attributes.collect::<Result<_, _>>()?,
    ))
}

/// What a provider says.
pub(super) fn diagnostics(all: &Diagnostics) -> Json {
    let all = all.into_iter().map(|one| {
        json!({
            "severity": if one.severity == Severity::Error { "error" } else { "warning" },
            "summary": one.summary,
            "detail": one.detail,
            "attribute": one.attribute.as_ref().map(ToString::to_string),
        })
    });
    all.collect()
}

/// The diagnostics of such JSON.
pub(super) fn read_diagnostics(json: &Json) -> Diagnostics {
    let all = json.as_array().into_iter().flatten().map(|one| {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let said = match one["severity"].as_str() {
            Some("warning") => Diagnostic::warning(text("summary")),
            _ => Diagnostic::error(text("summary")),
        };
        let attribute = one["attribute"].as_str().and_then(|path| path.parse().ok());
        Diagnostic {
            attribute,
            ..said.detail(text("detail"))
        }
    });
    all.collect()
}
