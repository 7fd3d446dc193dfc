//! Data sources that find an object, or the ids of some, among those of the sandbox.

use terrane_core::schema::Schema;
use terrane_core::value::Map;
use terrane_core::{Diagnostic, Diagnostics, Value};

use super::put;
use crate::draft::texts;
use crate::operations::{Failure, Operations, Settings};
use crate::plan::empty;
use crate::rules::view::text_set;

/// Fills the state with the object that has everything that is configured.
///
/// A data source named like a resource type finds one; one with the name in the plural finds ids (`ids`), or names.
pub(super) fn read(
    type_name: &str,
    schema: &Schema,
    state: &mut Map,
    operations: &Operations,
    settings: &Settings,
) -> Result<(), Diagnostics> {
    let plural = operations.kinds.resource(type_name).is_none();
    let singular = match type_name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => type_name.strip_suffix('s').unwrap_or(type_name).to_owned(),
    };
    let searched = if plural { &singular } else { type_name };
    let mut found: Vec<(String, Map)> = Vec::new();
    let look = operations.cloud.change(&operations.kinds, |objects| {
        let all = objects
            .of_type(searched)
            .filter(|(_, object)| fits(state, object));
        found = all
            .map(|(id, object)| (id.to_owned(), object.clone()))
            .collect();
        None
    });
    look.map_err(|error| Failure::from(error).into_diagnostic())?;
    if plural {
        let ids = || text_set(found.iter().map(|(id, _)| id.as_str()));
        put(state, "id", settings.region.as_str());
        for list in ["ids", "names", "keys"] {
            if state.contains_key(list) {
                let value = match schema.ty() {
                    terrane_core::Type::Object(object)
                        if matches!(
                            object.attributes.get(list),
                            Some(terrane_core::Type::List(_))
                        ) =>
                    {
                        Value::list(found.iter().map(|(id, _)| id.as_str().into()).collect())
                    }
                    _ => ids(),
                };
                put(state, list, value);
            }
        }
    } else {
        let [(_, object)] = &found[..] else {
            let what = match found.len() {
                0 => format!("no matching {type_name} found"),
                count => format!(
                    "multiple {type_name} matched ({count}); use additional constraints to reduce matches to a single one"
                ),
            };
            return Err(Diagnostic::error(what).into());
        };
        for (name, value) in state.iter_mut() {
            if let Some(of_object) = object.get(name)
                && value.is_null()
            {
                *value = of_object.clone();
            }
        }
        // A data source has all tags of the object.
        if let Some(tags) = object.get("tags_all") {
            put(state, "tags", tags.clone());
        }
    }
    if type_name == "aws_ecr_images" {
        let images = found.iter().map(|(_, image)| {
            let member = |name: &str| image.get(name).cloned().unwrap_or_default();
            let names = ["image_digest", "image_tag"].map(|name| (name, member(name)));
            Value::map(names)
        });
        put(state, "image_ids", Value::list(images.collect()));
    }
    finish(schema, state);
    Ok(())
}

/// Whether an object has everything that is configured: its attributes, tags, and filters by them.
fn fits(config: &Map, object: &Map) -> bool {
    config.iter().all(|(name, value)| match (&**name, value) {
        (_, Value::Null) => true,
        ("filter", filters) => filters.elements().unwrap_or(&[]).iter().all(|filter| {
            let name = filter
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let values = filter.get("values").map(texts).unwrap_or_default();
            let fact = match name.strip_prefix("tag:") {
                Some(tag) => object.get("tags_all").and_then(|tags| tags.get(tag)),
                None => object.get(&*name.replace('-', "_")),
            };
            if name == "tag-key" {
                let tags = object.get("tags_all").and_then(Value::members);
                return tags.is_some_and(|tags| values.iter().any(|key| tags.contains_key(*key)));
            }
            // As in EC2, `*` stands for any text; here only at the end.
            let is_like = |value: &&str, fact: &str| match value.strip_suffix('*') {
                Some(begin) => fact.starts_with(begin),
                None => *value == fact,
            };
            fact.and_then(Value::as_str)
                .is_some_and(|fact| values.iter().any(|value| is_like(value, fact)))
        }),
        ("tags", tags) => {
            let own = object.get("tags_all").and_then(Value::members);
            let mut wanted = tags.members().into_iter().flatten();
            wanted.all(|(tag, value)| own.and_then(|own| own.get(tag)) == Some(value))
        }
        (name, Value::String(_)) => object.get(name).is_none_or(|own| own == value),
        _ => true,
    })
}

/// Makes unknown attributes empty, each of its type in the schema.
fn finish(schema: &Schema, state: &mut Map) {
    for (name, attribute) in &schema.block.attributes {
        let ty = attribute.ty();
        if let Some(value) = state.get_mut(name) {
            if value.is_null() && attribute.computed {
                *value = empty(&ty);
            } else {
                *value = value.convert(&ty).unwrap_or_else(|_| empty(&ty));
            }
        }
    }
}
