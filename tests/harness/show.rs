//! States and values as short text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bytes::Bytes;
use terrane_core::addr::ConfigAddr;
use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_state::{Object, ObjectStatus, State};

/// A value on one line; null and empty attributes of an object are left out.
pub fn value(value: &Value) -> String {
    match value {
        Value::Unknown(_) => "?".to_owned(),
        Value::String(text) => text.to_string(),
        Value::List(elements) | Value::Set(elements) => {
            let elements: Vec<String> = elements.iter().map(self::value).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Map(members) => {
            let members = members.iter().filter(|(_, value)| !is_empty(value));
            let members: Vec<String> = members
                .map(|(name, value)| format!("{name}={}", self::value(value)))
                .collect();
            format!("{{{}}}", members.join(" "))
        }
        Value::Dynamic(dynamic) => self::value(&dynamic.1),
        other => format!("{other:?}"),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(elements) | Value::Set(elements) => elements.is_empty(),
        Value::Map(members) => members.is_empty(),
        _ => false,
    }
}

/// Attributes that say nothing in most scenarios.
const BORING: [&str; 5] = ["endpoint", "region", "token", "zone", "id"];

/// The pairs of objects that stand on each other: none can be destroyed before the other.
pub(crate) fn mutual_dependencies(state: &State) -> Vec<String> {
    let mut edges: BTreeSet<(ConfigAddr, ConfigAddr)> = BTreeSet::new();
    for (address, instance) in &state.resources {
        let current = instance.current.iter();
        let needed = current.flat_map(|object| object.dependencies.iter());
        edges.extend(needed.map(|needed| (address.resource.config(), needed.clone())));
    }
    let turned = |(from, to): &(ConfigAddr, ConfigAddr)| {
        from < to && edges.contains(&(to.clone(), from.clone()))
    };
    let pairs = edges.iter().filter(|edge| turned(edge));
    pairs.map(|(a, b)| format!("{a} and {b}")).collect()
}

pub(crate) fn state(state: &State) -> String {
    let mut lines = Vec::new();
    for (address, instance) in &state.resources {
        let mut line = address.to_string();
        if let Some(current) = &instance.current {
            let _ = write!(line, "  {}", object(current));
        }
        for deposed in instance.deposed.values() {
            let _ = write!(line, "  (deposed {})", object(deposed));
        }
        lines.push(line);
    }
    for (name, output) in &state.outputs {
        let value = if output.sensitive {
            "(sensitive)"
        } else {
            output.value.as_str()
        };
        lines.push(format!("output {name} = {value}"));
    }
    lines.join("\n")
}

fn object(object: &Object) -> String {
    let attributes = attributes(object);
    let mut members = attributes.members().cloned().unwrap_or_default();
    members.retain(|name, value| !is_empty(value) && !BORING.contains(&&**name));
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name}={}", self::value(value)))
        .collect();
    let tainted = match object.status {
        ObjectStatus::Tainted => "tainted ",
        ObjectStatus::Ready => "",
    };
    format!("{tainted}{}", members.join(" "))
}

/// The stored attributes of an object.
pub fn attributes(object: &Object) -> Value {
    Value::from_json_untyped(object.attributes.raw().as_str().as_bytes())
        .expect("stored attributes are JSON")
}

/// The private bytes of all managed objects in the state by their ids, current and deposed.
pub(crate) fn private(state: &State) -> BTreeMap<String, Bytes> {
    let managed = state
        .resources
        .iter()
        .filter(|(address, _)| address.resource.mode == terrane_core::addr::Mode::Managed);
    managed
        .flat_map(|(_, instance)| instance.current.iter().chain(instance.deposed.values()))
        .filter_map(|object| {
            let id = attributes(object).get("id")?.as_str()?.to_owned();
            Some((id, object.private.clone()))
        })
        .collect()
}

/// The ids of all managed objects in the state, current and deposed.
pub(crate) fn ids(state: &State) -> Vec<String> {
    let managed = state
        .resources
        .iter()
        .filter(|(address, _)| address.resource.mode == terrane_core::addr::Mode::Managed);
    managed
        .flat_map(|(_, instance)| instance.current.iter().chain(instance.deposed.values()))
        .filter_map(|object| {
            let attributes = attributes(object);
            Some(attributes.get("id")?.as_str()?.to_owned())
        })
        .collect()
}

/// Diagnostics without source lines, for they move with the test.
pub(crate) fn diagnostics(diagnostics: &Diagnostics) -> String {
    let without_lines = |diagnostic: &Diagnostic| {
        let mut diagnostic = diagnostic.clone();
        diagnostic.location = None;
        diagnostic.to_string()
    };
    let all: Vec<String> = diagnostics.iter().map(without_lines).collect();
    all.join("\n\n")
}
