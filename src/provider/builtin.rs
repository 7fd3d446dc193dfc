//! The provider `terraform.io/builtin/terraform`, in this process: the resource type `terraform_data`.
//!
//! The rules are Terraform's own (`internal/builtin/providers/terraform/resource_data.go`), so that an object of one tool is at rest
//! under the other.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use bytes::Bytes;
use terrane_core::schema::{Block, IdentitySchema, Schema, from_facts_line};
use terrane_core::{Diagnostic, Diagnostics, Path, Value};

use crate::provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities, ImportResourceState,
    ImportResourceStateResponse, ImportedResource, MoveResourceState, MoveResourceStateResponse,
    PlanResourceChange, PlanResourceChangeResponse, Provider, RawState, ReadDataSource,
    ReadDataSourceResponse, ReadResource, ReadResourceResponse, UpgradeResourceIdentity,
    UpgradeResourceIdentityResponse, UpgradeResourceState, UpgradeResourceStateResponse,
};

const TERRAFORM_DATA: &str = "terraform_data";

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let facts =
        "resource terraform_data 0 {id:c string,input:o any,output:c any,triggers_replace:o any}";
    let (_, _, schema) = from_facts_line(facts).expect("invariant: the line above is a schema");
    Arc::new(schema)
});

static NULL_RESOURCE: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let facts = "resource null_resource 0 {id:c string,triggers:o map(string)}";
    let (_, _, schema) = from_facts_line(facts).expect("invariant: the line above is a schema");
    Arc::new(schema)
});

static NO_CONFIGURATION: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::new(0, Block::default())));

/// The built-in provider. Its objects exist in the state alone.
#[derive(Debug, Clone, Copy)]
pub struct Builtin;

fn unimplemented<T>(rpc: &'static str) -> Result<T, CallError> {
    Err(CallError::Unimplemented { rpc })
}

/// The attribute of an object of this type; null where there is no object.
fn attribute(object: &Value, name: &str) -> Value {
    object.get(name).cloned().unwrap_or_default()
}

/// The object with another value of that attribute.
fn with(object: &Value, name: &str, value: Value) -> Value {
    let members = object.members().cloned().unwrap_or_default();
    let others = members.into_iter().filter(|(other, _)| **other != *name);
    Value::map(others.chain([(name.into(), value)]))
}

/// What `output` will be, before the object is made: a copy of `input`, unknown until then unless it is null.
fn planned_output(input: &Value) -> Value {
    if input.is_null() {
        Value::Null
    } else {
        Value::UNKNOWN
    }
}

fn planned(request: &PlanResourceChange<'_>) -> (Value, Vec<Path>) {
    let (prior, proposed) = (request.prior_state, request.proposed_new_state);
    if proposed.is_null() {
        return (Value::Null, Vec::new());
    }
    let input = attribute(proposed, "input");
    let anew = || {
        let object = with(proposed, "id", Value::UNKNOWN);
        with(&object, "output", planned_output(&input))
    };
    let differs = |name| attribute(prior, name) != attribute(proposed, name);
    if prior.is_null() {
        (anew(), Vec::new())
    } else if differs("triggers_replace") {
        (anew(), vec![Path::root().attribute("triggers_replace")])
    } else if differs("input") {
        (with(proposed, "output", planned_output(&input)), Vec::new())
    } else {
        (proposed.clone(), Vec::new())
    }
}

fn applied(planned: &Value) -> Value {
    let mut object = planned.clone();
    if attribute(&object, "output").is_unknown() {
        object = with(&object, "output", attribute(&object, "input"));
    }
    if attribute(&object, "id").is_unknown() {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("invariant: the operating system has randomness");
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        object = with(&object, "id", id.to_string().into());
    }
    object
}

/// The object that a `null_resource` becomes, as a program would declare it: nothing is replaced by the move.
fn moved(request: &MoveResourceState<'_>) -> Result<Value, Diagnostics> {
    let from = request.source_provider;
    let is_null_resource = (&*from.namespace, &*from.type_name) == ("hashicorp", "null")
        && request.source_type_name == "null_resource";
    if !is_null_resource {
        let refused = format!(
            "{} of {from} cannot become {TERRAFORM_DATA}",
            request.source_type_name
        );
        let refused = Diagnostic::error(refused);
        return Err(refused
            .detail("only a null_resource of hashicorp/null can")
            .into());
    }
    let unreadable = |reason: String| {
        let unreadable = Diagnostic::error("the stored null_resource cannot be read");
        Diagnostics::from(unreadable.detail(reason))
    };
    let RawState::Json(json) = request.source_state else {
        return Err(unreadable("it is older than the type".to_owned()));
    };
    let source = Value::from_json(json, NULL_RESOURCE.ty());
    let source = source.map_err(|error| unreadable(error.to_string()))?;
    let triggers = match attribute(&source, "triggers") {
        Value::Null => Value::Null,
        // Who writes `{…}` writes an object.
        triggers => Value::map(triggers.members().cloned().unwrap_or_default()),
    };
    let config = Value::map([("triggers_replace", triggers)]);
    let object = (SCHEMA.block.coerce(&config)).expect("invariant: the argument takes any value");
    Ok(with(&object, "id", attribute(&source, "id")))
}

#[async_trait]
impl Provider for Builtin {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            get_provider_schema_optional: true,
            move_resource_state: true,
            ..Capabilities::default()
        }
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        Ok(NO_CONFIGURATION.clone())
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok((type_name == TERRAFORM_DATA).then(|| SCHEMA.clone()))
    }

    fn data_source_schema(&self, _type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(None)
    }

    fn identity_schema(&self, _: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        Ok(None)
    }

    async fn validate_provider_config(&self, _config: &Value) -> Result<Diagnostics, CallError> {
        Ok(Diagnostics::new())
    }

    async fn configure(&self, _config: &Value) -> Result<Diagnostics, CallError> {
        Ok(Diagnostics::new())
    }

    async fn validate_resource_config(
        &self,
        _type_name: &str,
        _config: &Value,
    ) -> Result<Diagnostics, CallError> {
        Ok(Diagnostics::new())
    }

    async fn validate_data_source_config(
        &self,
        _type_name: &str,
        _config: &Value,
    ) -> Result<Diagnostics, CallError> {
        unimplemented("ValidateDataResourceConfig")
    }

    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        let decoded = match request.raw_state {
            RawState::Json(json) => {
                Value::from_json(json, SCHEMA.ty()).map_err(|error| error.to_string())
            }
            RawState::Flatmap(_) => Err("it is older than the type".to_owned()),
        };
        let (upgraded_state, diagnostics) = match decoded {
            Ok(object) => (object, Diagnostics::new()),
            Err(reason) => {
                let unreadable = Diagnostic::error("the stored object cannot be read");
                (Value::Null, unreadable.detail(reason).into())
            }
        };
        Ok(UpgradeResourceStateResponse {
            upgraded_state,
            diagnostics,
        })
    }

    async fn upgrade_resource_identity(
        &self,
        _request: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        unimplemented("UpgradeResourceIdentity")
    }

    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError> {
        Ok(ReadResourceResponse {
            deferred: None,
            new_state: request.current_state.clone(),
            private: request.private.clone(),
            new_identity: None,
            diagnostics: Diagnostics::new(),
        })
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        let (planned_state, requires_replace) = planned(&request);
        Ok(PlanResourceChangeResponse {
            deferred: None,
            planned_state,
            requires_replace,
            planned_private: request.prior_private.clone(),
            planned_identity: None,
            legacy_type_system: false,
            diagnostics: Diagnostics::new(),
        })
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        let new_state = match request.planned_state {
            Value::Null => Value::Null,
            planned => applied(planned),
        };
        Ok(ApplyResourceChangeResponse {
            new_state: Ok(new_state),
            private: request.planned_private.clone(),
            new_identity: None,
            legacy_type_system: false,
            diagnostics: Diagnostics::new(),
        })
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        let attributes = SCHEMA.block.attributes.keys();
        let nulls = Value::map(attributes.map(|name| (name.clone(), Value::Null)));
        Ok(ImportResourceStateResponse {
            deferred: None,
            imported_resources: vec![ImportedResource {
                type_name: TERRAFORM_DATA.to_owned(),
                state: with(&nulls, "id", request.id.into()),
                private: Bytes::new(),
                identity: None,
            }],
            diagnostics: Diagnostics::new(),
        })
    }

    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        let (target_state, diagnostics) = match moved(&request) {
            Ok(object) => (object, Diagnostics::new()),
            Err(refused) => (Value::Null, refused),
        };
        Ok(MoveResourceStateResponse {
            target_state,
            target_private: Bytes::new(),
            target_identity: None,
            diagnostics,
        })
    }

    async fn read_data_source(
        &self,
        _request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        unimplemented("ReadDataSource")
    }

    async fn stop(&self) -> Result<(), CallError> {
        Ok(())
    }

    async fn shutdown(&self) {}
}

#[cfg(test)]
mod tests {
    use terrane_core::addr::ProviderSource;

    use super::*;

    async fn move_from(source: &str, type_name: &str, json: &str) -> MoveResourceStateResponse {
        let request = MoveResourceState {
            source_provider: &source.parse::<ProviderSource>().expect("a source"),
            source_type_name: type_name,
            source_schema_version: 0,
            source_state: RawState::Json(json.as_bytes()),
            source_private: &Bytes::new(),
            source_identity: None,
            target_type_name: TERRAFORM_DATA,
        };
        Builtin
            .move_resource_state(request)
            .await
            .expect("answered")
    }

    #[tokio::test]
    async fn a_null_resource_becomes_one_that_its_triggers_would_make() {
        assert!(Builtin.capabilities().move_resource_state);
        for (stored, declared) in [
            (
                r#"{"a":"1","b":"2"}"#,
                Value::map([("a", Value::from("1")), ("b", "2".into())]),
            ),
            ("null", Value::Null),
        ] {
            let json = format!(r#"{{"id":"829","triggers":{stored}}}"#);
            let moved = move_from(
                "registry.terraform.io/hashicorp/null",
                "null_resource",
                &json,
            );
            let prior = moved.await.target_state;
            assert_eq!(attribute(&prior, "id"), "829".into());
            let config = Value::map([("triggers_replace", declared)]);
            let config = SCHEMA.block.coerce(&config).expect("arguments");
            let proposed = with(&config, "id", "829".into());
            let request = PlanResourceChange {
                type_name: TERRAFORM_DATA,
                prior_state: &prior,
                proposed_new_state: &proposed,
                config: &config,
                prior_private: &Bytes::new(),
                prior_identity: None,
                planned_private: None,
                provider_meta: None,
            };
            let plan = Builtin
                .plan_resource_change(request)
                .await
                .expect("planned");
            assert_eq!(
                (plan.planned_state, plan.requires_replace),
                (prior, Vec::new())
            );
        }
    }

    #[tokio::test]
    async fn other_types_do_not_become_one() {
        for (source, type_name) in [
            ("hashicorp/null", "null_data"),
            ("acme/null", "null_resource"),
        ] {
            let moved = move_from(source, type_name, "{}").await;
            assert!(moved.diagnostics.has_errors(), "{source} {type_name}");
        }
    }
}
