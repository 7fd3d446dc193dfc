//! The facts that bindings of the fake provider would have: types with names of their own, and how objects are found by a tag.

use terrane_core::schema::Schema;
use terrane_core::{ImportPlace, LookupRules, NameLookup, ProviderBinding, TagLookup, Value};

/// The binding of the fake provider; a program that wants recovery to know more than a schema declares its provider with it.
pub static TEST: ProviderBinding = ProviderBinding {
    source: "hashicorp/test",
    version: "1.0.0",
    versions: "~> 1.0",
    facts: &[],
    redirect: Some(to_emulator),
    lookup: LookupRules {
        by_name: &[
            NameLookup::new("test_bucket", &["{name}"]),
            NameLookup::new("test_site", &["{name}"]),
            NameLookup::new("test_role", &["{name}"]).created("made"),
            NameLookup::part("test_part", &["{name}"]),
            NameLookup::setting("test_setting", &["{name}"]),
        ],
        contents: &[],
        tags: Some("tags"),
        by_tag: Some(TagLookup {
            data_source: FINDER,
            config: |key, value| Value::map([("key", key.into()), ("value", value.into())]),
            ids,
        }),
        place: Some(ImportPlace {
            argument: "region",
            is_place: |text| ["east", "west"].contains(&text),
        }),
    },
    stateful: &[],
};

/// The data source that finds objects by a tag.
pub(crate) const FINDER: &str = "test_finder";

/// Sends what has no region of its own to the emulator.
fn to_emulator(config: Value, _: &Schema, endpoint_url: &str) -> Value {
    match config.get("region") {
        Some(Value::Null) => Value::map([("region", endpoint_url.into())]),
        _ => config,
    }
}

/// It says of each its type and its id.
fn ids(type_name: &str, found: &Value) -> Vec<String> {
    let found = found.get("found").and_then(Value::elements);
    let texts = found.unwrap_or_default().iter().filter_map(Value::as_str);
    let ours = texts.filter_map(|text| text.strip_prefix(type_name)?.strip_prefix('/'));
    ours.map(str::to_owned).collect()
}
