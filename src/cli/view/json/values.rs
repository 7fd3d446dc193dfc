//! Objects by module, as Terraform lists them in states and plans.

use std::collections::BTreeMap;

use serde::Serialize;
use terrane_core::addr::{InstanceAddr, InstanceKey, Mode, ModuleAddr, ModuleStep};

use super::value::Json;

/// `values`, `planned_values`.
#[derive(Serialize)]
pub(super) struct Values {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) outputs: BTreeMap<String, OutputJson>,
    pub(super) root_module: Module,
}

/// One output.
#[derive(Serialize)]
pub(super) struct OutputJson {
    pub(super) sensitive: bool,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) ty: Option<terrane_core::Type>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Json>,
}

/// One module and its contents.
#[derive(Default, Serialize)]
pub(super) struct Module {
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Resource>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    child_modules: Vec<Self>,
    #[serde(skip)]
    places: BTreeMap<ModuleStep, usize>,
}

/// One object.
#[derive(Serialize)]
pub(super) struct Resource {
    #[serde(flatten)]
    pub(super) name: ResourceName,
    pub(super) schema_version: u64,
    pub(super) values: Json,
    pub(super) sensitive_values: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identity_schema_version: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) depends_on: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) tainted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deposed_key: Option<String>,
}

/// The name of an object, as every document has it.
#[derive(Serialize)]
pub(super) struct ResourceName {
    pub(super) address: String,
    pub(super) mode: &'static str,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<serde_json::Value>,
    pub(super) provider_name: String,
}

impl ResourceName {
    /// The names of an instance that this provider serves.
    pub(super) fn new(address: &InstanceAddr, provider: impl ToString) -> Self {
        Self {
            address: address.to_string(),
            mode: mode(address.resource.mode),
            type_name: address.resource.type_name.to_string(),
            name: address.resource.name.to_string(),
            index: address.key.as_ref().map(index),
            provider_name: provider.to_string(),
        }
    }
}

/// Managed or data, in Terraform's words.
pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
        Mode::Ephemeral => "ephemeral",
    }
}

/// An instance key.
pub(super) fn index(key: &InstanceKey) -> serde_json::Value {
    match key {
        InstanceKey::Int(number) => (*number).into(),
        InstanceKey::String(text) => text.to_string().into(),
    }
}

impl Module {
    /// Adds an object to the module it is in.
    pub(super) fn add(&mut self, module: &ModuleAddr, resource: Resource) {
        let mut place = self;
        let mut address = ModuleAddr::root();
        for step in module.steps() {
            address = address.child(step.name.clone(), step.key.clone());
            let next = place.child_modules.len();
            let index = *place.places.entry(step.clone()).or_insert(next);
            if index == next {
                place.child_modules.push(Self {
                    address: address.to_string(),
                    ..Self::default()
                });
            }
            place = &mut place.child_modules[index];
        }
        place.resources.push(resource);
    }
}
