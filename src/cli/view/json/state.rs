//! The state as Terraform's `show -json` prints it.

use serde::Serialize;
use terrane_core::Value;
use terrane_core::addr::InstanceAddr;
use terrane_state::{Instance, Object, ObjectStatus, State};

use super::value::{self, Json, raw};
use super::values::{Module, OutputJson, Resource, ResourceName, Values};
use crate::view::diff::Secrets;
use crate::view::outputs::to_line;

#[derive(Serialize)]
pub(super) struct StateJson {
    format_version: &'static str,
    terraform_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Values>,
}

/// The whole state as one line.
pub(crate) fn state(state: &State, secrets: Secrets) -> String {
    to_line(&document(state, secrets))
}

/// One instance: its current object, then deposed ones.
pub(crate) fn instance(address: &InstanceAddr, instance: &Instance, secrets: Secrets) -> String {
    to_line(&objects(address, instance, secrets))
}

pub(super) fn document(state: &State, secrets: Secrets) -> StateJson {
    let values = (!state.is_empty()).then(|| {
        let mut root_module = Module::default();
        for (address, instance) in &state.resources {
            for object in objects(address, instance, secrets) {
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
        terraform_version: state.terraform_version.to_string(),
        values,
    }
}

fn objects(address: &InstanceAddr, instance: &Instance, secrets: Secrets) -> Vec<Resource> {
    let one = |object: &Object, deposed_key| {
        let (values, sensitive_values) = attributes(object, secrets);
        Resource {
            name: ResourceName::new(address, &instance.provider.source),
            schema_version: object.schema_version,
            values,
            sensitive_values,
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

/// The attributes as they are stored, and what is sensitive in them. Where secrets are hidden the sensitive ones are null.
fn attributes(object: &Object, secrets: Secrets) -> (Json, Json) {
    let text = object.attributes.raw().to_string();
    if object.sensitive_attributes.paths.is_empty() {
        return (raw(text), raw("{}".to_owned()));
    }
    let value = Value::from_json_untyped(text.as_bytes()).unwrap_or(Value::Null);
    let marked = terrane_core::Marked {
        value,
        sensitive: (*object.sensitive_attributes.paths).clone(),
    };
    let sensitive = value::sensitive(&marked);
    match secrets {
        Secrets::Shown => (raw(text), sensitive),
        Secrets::Hidden => {
            let hidden = value::without(&marked);
            (hidden, sensitive)
        }
    }
}
