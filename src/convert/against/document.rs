//! The parts of Terraform's plan JSON that a comparison reads.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use thiserror::Error;

/// A plan as `terraform show -json PLAN` and `preview --json` write it.
#[derive(Debug, Deserialize)]
pub struct PlanDocument {
    /// Present in every plan, and in no other file that people have at hand.
    #[serde(rename = "format_version")]
    _format_version: String,
    #[serde(default)]
    pub(crate) resource_changes: Vec<ResourceChange>,
    #[serde(default)]
    pub(crate) deferred_changes: Vec<DeferredChange>,
    #[serde(default)]
    pub(crate) output_changes: BTreeMap<String, Change>,
    #[serde(default)]
    prior_state: Option<PriorState>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ResourceChange {
    pub(crate) address: String,
    pub(crate) deposed: Option<String>,
    pub(crate) previous_address: Option<String>,
    #[serde(default)]
    pub(crate) action_reason: Option<String>,
    pub(crate) change: Change,
    /// terrane's own: where the program declares the object.
    #[serde(default)]
    pub(crate) source: Option<Source>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DeferredChange {
    pub(crate) reason: String,
    pub(crate) resource_change: ResourceChange,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Source {
    pub(crate) filename: String,
    pub(crate) line: u32,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    pub(crate) actions: Vec<String>,
    #[serde(default)]
    pub(crate) before: Json,
    #[serde(default)]
    pub(crate) after: Json,
    #[serde(default)]
    pub(crate) after_unknown: Json,
    #[serde(default)]
    pub(crate) before_sensitive: Json,
    #[serde(default)]
    pub(crate) after_sensitive: Json,
    #[serde(default)]
    pub(crate) replace_paths: Vec<Json>,
    #[serde(default)]
    pub(crate) importing: Option<Json>,
}

#[derive(Debug, Deserialize)]
struct PriorState {
    #[serde(default)]
    values: Values,
}

#[derive(Debug, Default, Deserialize)]
struct Values {
    #[serde(default)]
    root_module: Module,
}

#[derive(Debug, Default, Deserialize)]
struct Module {
    #[serde(default)]
    resources: Vec<StoredResource>,
    #[serde(default)]
    child_modules: Vec<Self>,
}

/// An object of the state before the plan; data sources that were read while planning are among them.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredResource {
    pub(crate) address: String,
    pub(crate) mode: String,
    #[serde(default)]
    pub(crate) values: Json,
    #[serde(default)]
    pub(crate) sensitive_values: Json,
}

/// A document that is not a plan.
#[derive(Debug, Error)]
#[error("not a plan in JSON: {0}\nhint: `terraform show -json PLAN > plan.json` writes one")]
pub struct NotAPlan(#[from] serde_json::Error);

impl PlanDocument {
    /// Reads a document.
    pub fn parse(json: &[u8]) -> Result<Self, NotAPlan> {
        Ok(serde_json::from_slice(json)?)
    }

    /// The data sources that were read while planning.
    pub(crate) fn data(&self) -> BTreeMap<&str, &StoredResource> {
        let mut found = BTreeMap::new();
        let mut modules: Vec<&Module> = Vec::new();
        modules.extend(self.prior_state.as_ref().map(|it| &it.values.root_module));
        while let Some(module) = modules.pop() {
            modules.extend(&module.child_modules);
            let data = module.resources.iter().filter(|it| it.mode == "data");
            found.extend(data.map(|it| (&*it.address, it)));
        }
        found
    }
}
