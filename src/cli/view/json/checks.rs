//! The results of conditions that a state carries, as Terraform's `checks`. This engine has none of its own; it keeps those that other tools stored.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use terrane_core::addr::{ConfigAddr, InstanceAddr, ModuleAddr};
use terrane_state::RawJson;

use super::values::{index, mode};

#[derive(Deserialize)]
struct Stored {
    object_kind: String,
    config_addr: String,
    status: String,
    #[serde(default)]
    objects: Option<Vec<StoredObject>>,
}

#[derive(Deserialize)]
struct StoredObject {
    object_addr: String,
    status: String,
    #[serde(default)]
    failure_messages: Option<Vec<String>>,
}

/// All of them; `None` when there are none. Those of a kind that is not known here are left out, as Terraform leaves them out.
pub(super) fn checks(results: &RawJson) -> Option<Json> {
    let stored: Vec<Stored> = serde_json::from_str(results.as_str()).ok()?;
    let mut checks: Vec<Json> = stored.iter().filter_map(check).collect();
    checks.sort_by_key(display);
    (!checks.is_empty()).then(|| checks.into())
}

fn check(stored: &Stored) -> Option<Json> {
    let mut check = json!({
        "address": address(&stored.object_kind, &stored.config_addr)?,
        "status": stored.status,
    });
    let objects = stored.objects.iter().flatten();
    let mut instances: Vec<Json> = objects
        .map(|object| instance(&stored.object_kind, object))
        .collect();
    instances.sort_by_key(display);
    if !instances.is_empty() {
        check["instances"] = instances.into();
    }
    Some(check)
}

/// The sort key of a check or an instance.
fn display(entry: &Json) -> String {
    let text = entry["address"]["to_display"].as_str();
    text.unwrap_or_default().to_owned()
}

/// The address of a declaration.
fn address(kind: &str, text: &str) -> Option<Json> {
    let mut address = json!({ "to_display": text });
    let module;
    if kind == "resource" {
        let config: ConfigAddr = text.parse().ok()?;
        address["kind"] = "resource".into();
        address["mode"] = mode(config.resource().mode).into();
        address["type"] = (&*config.resource().type_name).into();
        address["name"] = (&*config.resource().name).into();
        module = config.resource().module.to_string();
    } else {
        let (kind, marker) = match kind {
            "output" => ("output_value", "output."),
            "check" => ("check", "check."),
            "var" => ("var", "var."),
            _ => return None,
        };
        let (inside, name) = named(text, marker)?;
        address["kind"] = kind.into();
        address["name"] = name.into();
        module = inside;
    }
    if !module.is_empty() {
        address["module"] = module.into();
    }
    Some(address)
}

/// The module and the name in `module.m["k"].output.o`.
fn named<'a>(text: &'a str, marker: &str) -> Option<(String, &'a str)> {
    let (before, name) = text.rsplit_once(marker)?;
    match before.strip_suffix('.') {
        Some(module) => Some((module.parse::<ModuleAddr>().ok()?.to_string(), name)),
        None => before.is_empty().then(|| (String::new(), name)),
    }
}

fn instance(kind: &str, stored: &StoredObject) -> Json {
    let text = &stored.object_addr;
    let mut address = json!({ "to_display": text });
    let (module, key) = match text.parse::<InstanceAddr>() {
        Ok(instance) if kind == "resource" => {
            let module = instance.resource.module.to_string();
            (module, instance.key.as_ref().map(index))
        }
        _ => {
            let marker = format!("{kind}.");
            let module = named(text, &marker).map(|(module, _)| module);
            (module.unwrap_or_default(), None)
        }
    };
    if !module.is_empty() {
        address["module"] = module.into();
    }
    if let Some(key) = key {
        address["instance_key"] = key;
    }
    let mut instance = json!({ "address": address, "status": stored.status });
    let mut messages: Vec<&String> = stored.failure_messages.iter().flatten().collect();
    messages.sort_unstable();
    if !messages.is_empty() {
        let problems = messages.iter().map(|message| json!({ "message": message }));
        instance["problems"] = problems.collect();
    }
    instance
}
