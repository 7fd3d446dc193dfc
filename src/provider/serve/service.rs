//! The operations of a provider, in the same terms as [`Provider`](crate::Provider) has them for its caller.

use async_trait::async_trait;
use terrane_core::schema::ProviderSchema;
use terrane_core::{Diagnostic, Diagnostics, Type, Value};

use crate::action::{InvokeAction, PlanActionResponse, Progress};
use crate::ephemeral::{
    OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    RenewEphemeralResourceResponse,
};
use crate::function::{CallFunction, CallFunctionResponse, FunctionError};
use crate::listing::{ListResource, ListedResource};
use crate::provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, Capabilities, ImportResourceState,
    ImportResourceStateResponse, MoveResourceState, MoveResourceStateResponse, PlanResourceChange,
    PlanResourceChangeResponse, RawState, ReadDataSource, ReadDataSourceResponse, ReadResource,
    ReadResourceResponse, UpgradeResourceIdentity, UpgradeResourceIdentityResponse,
    UpgradeResourceState, UpgradeResourceStateResponse,
};

/// A provider. Calls come concurrently; values conform to the schema, and those returned must.
///
/// Everything that goes wrong is said in diagnostics; an answer that does not conform reaches the caller as a failed call.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Everything it offers. Asked once, when serving begins.
    fn schema(&self) -> ProviderSchema;

    /// The capabilities that it announces.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            plan_destroy: true,
            get_provider_schema_optional: true,
            ..Capabilities::default()
        }
    }

    /// Checks its own configuration, unknowns included.
    async fn validate_provider_config(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Takes its configuration.
    async fn configure(&self, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks a resource's configuration, unknowns included.
    async fn validate_resource_config(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks a data source's configuration, unknowns included.
    async fn validate_data_source_config(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Reads a stored object of any version; without more ado, as JSON of the present type.
    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
        ty: &Type,
    ) -> UpgradeResourceStateResponse {
        let read = match request.raw_state {
            RawState::Json(json) => Value::from_json(json, ty).map_err(|error| error.to_string()),
            RawState::Flatmap(_) => Err("the flatmap form is not supported".to_owned()),
        };
        let (upgraded_state, diagnostics) = match read {
            Ok(value) => (value, Diagnostics::new()),
            Err(reason) => {
                let what = format!("cannot read a stored {}", request.type_name);
                (Value::Null, Diagnostic::error(what).detail(reason).into())
            }
        };
        UpgradeResourceStateResponse {
            upgraded_state,
            diagnostics,
        }
    }

    /// Looks at the real object.
    async fn read_resource(&self, request: ReadResource<'_>) -> ReadResourceResponse;

    /// Says what would become of it.
    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> PlanResourceChangeResponse;

    /// Makes it so. A [`GarbledState`](crate::GarbledState) as the new state sends its bytes as they are.
    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> ApplyResourceChangeResponse;

    /// Finds an object by its id.
    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> ImportResourceStateResponse {
        let what = format!("{} cannot be imported", request.type_name);
        ImportResourceStateResponse {
            deferred: None,
            imported_resources: Vec::new(),
            diagnostics: Diagnostic::error(what).into(),
        }
    }

    /// Turns an object of one type into another.
    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> MoveResourceStateResponse {
        let what = format!(
            "{} cannot become {}",
            request.source_type_name, request.target_type_name
        );
        MoveResourceStateResponse {
            target_state: Value::Null,
            target_private: bytes::Bytes::new(),
            target_identity: None,
            diagnostics: Diagnostic::error(what).into(),
        }
    }

    /// Reads a data source.
    async fn read_data_source(&self, request: ReadDataSource<'_>) -> ReadDataSourceResponse {
        let what = format!("{} cannot be read", request.type_name);
        ReadDataSourceResponse {
            deferred: None,
            state: Value::Null,
            diagnostics: Diagnostic::error(what).into(),
        }
    }

    /// Reads a stored identity of an older version.
    async fn upgrade_resource_identity(
        &self,
        request: UpgradeResourceIdentity<'_>,
    ) -> UpgradeResourceIdentityResponse {
        let what = format!("cannot read an old identity of {}", request.type_name);
        UpgradeResourceIdentityResponse {
            upgraded_identity: None,
            diagnostics: Diagnostic::error(what).into(),
        }
    }

    /// Calls a function. No configuration comes before it.
    async fn call_function(&self, request: CallFunction<'_>) -> CallFunctionResponse {
        Err(FunctionError {
            text: format!("{} cannot be called", request.name),
            argument: None,
        })
    }

    /// Checks an ephemeral resource's configuration, unknowns included.
    async fn validate_ephemeral_resource_config(
        &self,
        _type_name: &str,
        _config: &Value,
    ) -> Diagnostics {
        Diagnostics::new()
    }

    /// Opens an ephemeral resource.
    async fn open_ephemeral_resource(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> OpenEphemeralResourceResponse {
        let what = format!("{} cannot be opened", request.type_name);
        OpenEphemeralResourceResponse {
            result: Value::Null,
            private: None,
            renew_at: None,
            deferred: None,
            diagnostics: Diagnostic::error(what).into(),
        }
    }

    /// Keeps an ephemeral resource valid.
    async fn renew_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> RenewEphemeralResourceResponse {
        let what = format!("{} cannot be renewed", request.type_name);
        RenewEphemeralResourceResponse {
            private: None,
            renew_at: None,
            diagnostics: Diagnostic::error(what).into(),
        }
    }

    /// Closes an ephemeral resource.
    async fn close_ephemeral_resource(&self, _request: OpenedEphemeralResource<'_>) -> Diagnostics {
        Diagnostics::new()
    }

    /// Checks a list resource's configuration, unknowns included.
    async fn validate_list_resource_config(
        &self,
        _type_name: &str,
        _config: &Value,
    ) -> Diagnostics {
        Diagnostics::new()
    }

    /// Lists what exists.
    async fn list_resource(&self, _request: ListResource<'_>) -> Vec<ListedResource> {
        Vec::new()
    }

    /// Checks an action's configuration, unknowns included.
    async fn validate_action_config(&self, _action_type: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Says whether an action can be invoked.
    async fn plan_action(&self, _request: InvokeAction<'_>) -> PlanActionResponse {
        PlanActionResponse {
            deferred: None,
            diagnostics: Diagnostics::new(),
        }
    }

    /// Does it.
    async fn invoke_action(
        &self,
        request: InvokeAction<'_>,
        _progress: Progress<'_>,
    ) -> Diagnostics {
        Diagnostic::error(format!("{} cannot be invoked", request.action_type)).into()
    }

    /// Ends running operations early. The error says why it cannot.
    async fn stop(&self) -> Result<(), String> {
        Ok(())
    }
}
