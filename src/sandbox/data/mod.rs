//! Data sources: facts of the sandbox's account, and objects that are looked up.

mod account;
mod lookup;
mod tagged;

use terrane_core::schema::Schema;
use terrane_core::value::Map;
use terrane_core::{Diagnostics, Value};

use crate::operations::{Operations, Settings};

pub(crate) use account::REGIONS;

/// Reads a data source; the configuration is wholly known.
pub(crate) fn read(
    type_name: &str,
    schema: &Schema,
    config: &Value,
    operations: &Operations,
    settings: &Settings,
) -> Result<Value, Diagnostics> {
    let mut state = config.members().cloned().unwrap_or_default();
    if type_name == tagged::NAME {
        tagged::read(schema, &mut state, operations, settings)?;
    } else if !account::read(type_name, &mut state, settings)? {
        lookup::read(type_name, schema, &mut state, operations, settings)?;
    }
    Ok(Value::Map(std::sync::Arc::new(state)))
}

/// Sets a member that the schema has.
fn put(state: &mut Map, name: &str, value: impl Into<Value>) {
    if let Some(member) = state.get_mut(name) {
        *member = value.into();
    }
}

fn text<'a>(state: &'a Map, name: &str) -> &'a str {
    state.get(name).and_then(Value::as_str).unwrap_or_default()
}
