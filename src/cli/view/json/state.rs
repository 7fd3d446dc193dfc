//! The state as Terraform's `show -json` prints it.

use std::collections::HashMap;

use serde::Serialize;
use terrane_core::addr::InstanceAddr;
use terrane_core::schema::Schema;
use terrane_state::{Instance, Object, ObjectStatus, State};

use super::checks::checks;
use super::value::{known, raw, sensitive};
use super::values::{Module, OutputJson, Resource, ResourceName, Values};
use crate::view::Secrets;
use crate::view::hidden::Hidden;
use crate::view::stored;

#[derive(Serialize)]
pub(super) struct StateJson {
    format_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    terraform_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Values>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<serde_json::Value>,
}

/// The whole state.
pub(super) fn whole(state: &State, secrets: Secrets) -> StateJson {
    document(state, secrets, &HashMap::new())
}

/// The whole state; objects are read by their schemas as far as those are at hand.
pub(super) fn document(
    state: &State,
    secrets: Secrets,
    schemas: &HashMap<&InstanceAddr, &Schema>,
) -> StateJson {
    let values = (!state.is_empty()).then(|| {
        let mut root_module = Module::default();
        for (address, instance) in &state.resources {
            let schema = schemas.get(address).copied();
            for object in objects(address, instance, secrets, schema) {
                root_module.add(&address.resource.module, object);
            }
        }
        let output = |output: &terrane_state::model::OutputValue| OutputJson {
            sensitive: output.sensitive,
            ty: Some(output.ty.clone()),
            value: match (output.sensitive, secrets) {
                (true, Secrets::Hidden) => None,
                _ => Some(raw(output.value.to_string())),
            },
        };
        let outputs = state.outputs.iter();
        Values {
            outputs: outputs
                .map(|(name, value)| (name.to_string(), output(value)))
                .collect(),
            root_module,
        }
    });
    StateJson {
        format_version: "1.0",
        // Of an empty state Terraform says no more than the format.
        terraform_version: values
            .is_some()
            .then(|| state.terraform_version.to_string()),
        values,
        checks: state.check_results.as_ref().and_then(checks),
    }
}

/// One instance: its current object, then deposed ones.
pub(super) fn objects(
    address: &InstanceAddr,
    instance: &Instance,
    secrets: Secrets,
    schema: Option<&Schema>,
) -> Vec<Resource> {
    let one = |object: &Object, deposed_key| {
        let identity = object.identity.as_ref();
        let marked = match schema {
            Some(schema) => stored::marked_by(object, schema),
            None => stored::marked(object),
        };
        let hidden = Hidden::of(&marked);
        let shown = match secrets {
            Secrets::Hidden => &hidden,
            Secrets::Shown => Hidden::NOTHING,
        };
        Resource {
            name: ResourceName::new(address, &instance.provider.source),
            schema_version: object.schema_version,
            values: known(&marked.value, shown).unwrap_or_else(|| raw("null".to_owned())),
            sensitive_values: sensitive(&marked.value, &hidden, schema.map(Schema::ty)),
            identity: identity.map(|identity| raw(identity.json.to_string())),
            identity_schema_version: identity.map(|identity| identity.schema_version),
            depends_on: object
                .dependencies
                .iter()
                .map(ToString::to_string)
                .collect(),
            tainted: object.status == ObjectStatus::Tainted,
            deposed_key,
        }
    };
    let current = instance.current.iter().map(|object| one(object, None));
    let deposed = instance.deposed.iter();
    current
        .chain(deposed.map(|(key, object)| one(object, Some(key.to_string()))))
        .collect()
}
