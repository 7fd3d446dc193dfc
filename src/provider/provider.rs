//! The boundary between the engine and a provider: requests and responses named after the RPCs, in domain terms.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::{Function, IdentitySchema, Schema};
use terrane_core::{Diagnostics, Path, Value};
use thiserror::Error;

use crate::action::{InvokeAction, PlanActionResponse, Progress};
use crate::deferred::Deferred;
use crate::ephemeral::{
    OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    RenewEphemeralResourceResponse,
};
use crate::function::{CallFunction, CallFunctionResponse};
use crate::listing::{ListResource, ListedResource};

/// One running provider process, or something that behaves like one.
///
/// A value that crosses this boundary has no marks and conforms to the schema of its type; absent and null are the same
/// (`Value::Null`). `private` is opaque: store and return it byte for byte. Everything a provider says about a request
/// arrives as diagnostics in the response; a [`CallError`] means there is no response.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The capabilities that the provider announced.
    fn capabilities(&self) -> Capabilities;

    /// The process, where it is one of this host.
    fn pid(&self) -> Option<u32> {
        None
    }

    /// Whether it can still be asked, as far as is known without asking: its process has not ended.
    fn is_running(&self) -> bool {
        true
    }

    /// The schema of the provider's own configuration.
    ///
    /// # Errors
    /// When the provider's bytes are not a schema.
    fn config_schema(&self) -> Result<Arc<Schema>, CallError>;

    /// The schema of a resource type, decoded when first asked for; `None` when the provider has no such type.
    ///
    /// # Errors
    /// When the provider's bytes are not a schema.
    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError>;

    /// The schema of a data source, decoded when first asked for; `None` when the provider has no such data source.
    ///
    /// # Errors
    /// When the provider's bytes are not a schema.
    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError>;

    /// The schema of a resource type's identity, if it has one (protocol 5.9, 6.9).
    ///
    /// # Errors
    /// When the provider's bytes are not a schema.
    fn identity_schema(&self, type_name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError>;

    /// The schema of an ephemeral resource type (protocol 5.7, 6.7); `None` when the provider has no such type.
    ///
    /// # Errors
    /// When the provider's bytes are not a schema.
    fn ephemeral_resource_schema(&self, _: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(None)
    }

    /// The schema of the configuration by which objects of a resource type are listed (protocol 5.10, 6.10); `None` when they cannot be.
    ///
    /// # Errors
    /// When the provider's bytes are not a schema.
    fn list_resource_schema(&self, _: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(None)
    }

    /// The resource types whose objects can be listed, sorted.
    fn list_resources(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// The schema of what a module may say about itself in requests; `None` when the provider does not want to know.
    ///
    /// # Errors
    /// When the provider sent a schema that cannot be read.
    fn provider_meta_schema(&self) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(None)
    }

    /// The schema of an action (protocol 5.10, 6.10); `None` when the provider has no such action.
    ///
    /// # Errors
    /// When the provider's bytes are not a schema.
    fn action_schema(&self, _: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(None)
    }

    /// A function's signature (protocol 5.5, 6.5); `None` when the provider has no such function.
    ///
    /// # Errors
    /// When the provider's bytes are not a signature.
    fn function(&self, _: &str) -> Result<Option<Arc<Function>>, CallError> {
        Ok(None)
    }

    /// The names of the functions, sorted.
    fn functions(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// `PrepareProviderConfig` / `ValidateProviderConfig`; the prepared configuration is thrown away, as every engine does.
    async fn validate_provider_config(&self, config: &Value) -> Result<Diagnostics, CallError>;

    /// `Configure` / `ConfigureProvider`; once in the life of a process.
    async fn configure(&self, config: &Value) -> Result<Diagnostics, CallError>;

    /// `ValidateResourceTypeConfig` / `ValidateResourceConfig`.
    async fn validate_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError>;

    /// `ValidateDataSourceConfig` / `ValidateDataResourceConfig`.
    async fn validate_data_source_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError>;

    /// `UpgradeResourceState`; due whenever a stored object is loaded, also at equal versions.
    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError>;

    /// `UpgradeResourceIdentity`.
    async fn upgrade_resource_identity(
        &self,
        request: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError>;

    /// `ReadResource`.
    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError>;

    /// `PlanResourceChange`.
    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError>;

    /// `ApplyResourceChange`. Never retried: the outcome of a lost call is unknown.
    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError>;

    /// `ImportResourceState`.
    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError>;

    /// `MoveResourceState`.
    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError>;

    /// `ReadDataSource`.
    async fn read_data_source(
        &self,
        request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError>;

    /// `CallFunction`; the provider need not be configured.
    async fn call_function(&self, _: CallFunction<'_>) -> Result<CallFunctionResponse, CallError> {
        unimplemented("CallFunction")
    }

    /// `ValidateEphemeralResourceConfig`.
    async fn validate_ephemeral_resource_config(
        &self,
        _type_name: &str,
        _config: &Value,
    ) -> Result<Diagnostics, CallError> {
        unimplemented("ValidateEphemeralResourceConfig")
    }

    /// `OpenEphemeralResource`.
    async fn open_ephemeral_resource(
        &self,
        _: OpenEphemeralResource<'_>,
    ) -> Result<OpenEphemeralResourceResponse, CallError> {
        unimplemented("OpenEphemeralResource")
    }

    /// `RenewEphemeralResource`.
    async fn renew_ephemeral_resource(
        &self,
        _: OpenedEphemeralResource<'_>,
    ) -> Result<RenewEphemeralResourceResponse, CallError> {
        unimplemented("RenewEphemeralResource")
    }

    /// `CloseEphemeralResource`.
    async fn close_ephemeral_resource(
        &self,
        _: OpenedEphemeralResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        unimplemented("CloseEphemeralResource")
    }

    /// `ValidateListResourceConfig`.
    async fn validate_list_resource_config(
        &self,
        _: ListResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        unimplemented("ValidateListResourceConfig")
    }

    /// `ListResource`: the objects that exist, as far as the limit.
    async fn list_resource(&self, _: ListResource<'_>) -> Result<Vec<ListedResource>, CallError> {
        unimplemented("ListResource")
    }

    /// `ValidateActionConfig`.
    async fn validate_action_config(
        &self,
        _action_type: &str,
        _config: &Value,
    ) -> Result<Diagnostics, CallError> {
        unimplemented("ValidateActionConfig")
    }

    /// `PlanAction`.
    async fn plan_action(&self, _: InvokeAction<'_>) -> Result<PlanActionResponse, CallError> {
        unimplemented("PlanAction")
    }

    /// `InvokeAction`. Never retried: the outcome of a lost call is unknown.
    async fn invoke_action(
        &self,
        _: InvokeAction<'_>,
        _progress: Progress<'_>,
    ) -> Result<Diagnostics, CallError> {
        unimplemented("InvokeAction")
    }

    /// `GenerateResourceConfig`: arguments that would lead to that object. Due only where the provider announced it.
    async fn generate_resource_config(
        &self,
        _type_name: &str,
        _state: &Value,
    ) -> Result<GenerateResourceConfigResponse, CallError> {
        unimplemented("GenerateResourceConfig")
    }

    /// `Stop` / `StopProvider`: asks running operations to end early. `Err` text when the provider could not.
    async fn stop(&self) -> Result<(), CallError>;

    /// Ends the process: graceful shutdown, then kill. Later calls fail.
    async fn shutdown(&self);
}

fn unimplemented<T>(rpc: &'static str) -> Result<T, CallError> {
    Err(CallError::Unimplemented { rpc })
}

/// Starts providers; one process for each provider configuration.
#[async_trait]
pub trait Providers: Send + Sync {
    /// Starts an unconfigured process of that provider.
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, StartError>;

    /// Names the code that would be started, and the settings that it would find: where the name is that of an earlier day, answers
    /// are as good as on that day. `None` where that cannot be told.
    async fn build(&self, source: &ProviderSource) -> Option<String> {
        let _ = source;
        None
    }
}

/// Capabilities that a provider announced. Unknown future ones are ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It wants `PlanResourceChange` for destroys too.
    pub plan_destroy: bool,
    /// A cached schema may be used without asking each new process.
    pub get_provider_schema_optional: bool,
    /// It answers `MoveResourceState`.
    pub move_resource_state: bool,
    /// It answers `GenerateResourceConfig`.
    pub generate_resource_config: bool,
}

/// A resource's identity: a value of the type's identity schema, and that schema's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The version of the identity schema it was written with.
    pub schema_version: u64,
    /// The identity object.
    pub value: Value,
}

/// Stored attributes as the state has them, never decoded by us.
#[derive(Debug, Clone, Copy)]
pub enum RawState<'a> {
    /// The `attributes` object, verbatim JSON.
    Json(&'a [u8]),
    /// The legacy `attributes_flat` map.
    Flatmap(&'a BTreeMap<String, String>),
}

/// Request of `UpgradeResourceState`.
#[derive(Debug, Clone, Copy)]
pub struct UpgradeResourceState<'a> {
    /// The resource type.
    pub type_name: &'a str,
    /// The schema version it was stored with.
    pub version: u64,
    /// The stored attributes.
    pub raw_state: RawState<'a>,
}

/// Response of `UpgradeResourceState`.
#[derive(Debug, Clone)]
pub struct UpgradeResourceStateResponse {
    /// The object in the current schema.
    pub upgraded_state: Value,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// Request of `UpgradeResourceIdentity`.
#[derive(Debug, Clone, Copy)]
pub struct UpgradeResourceIdentity<'a> {
    /// The resource type.
    pub type_name: &'a str,
    /// The identity schema version it was stored with.
    pub version: u64,
    /// The stored identity, verbatim JSON.
    pub raw_identity: &'a [u8],
}

/// Response of `UpgradeResourceIdentity`.
#[derive(Debug, Clone)]
pub struct UpgradeResourceIdentityResponse {
    /// The identity in the current schema; none where the old one says nothing that this can.
    pub upgraded_identity: Option<Identity>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// Request of `ReadResource`.
#[derive(Debug, Clone, Copy)]
pub struct ReadResource<'a> {
    /// The resource type.
    pub type_name: &'a str,
    /// The object as far as we know.
    pub current_state: &'a Value,
    /// The stored private bytes.
    pub private: &'a Bytes,
    /// The stored identity.
    pub current_identity: Option<&'a Identity>,
    /// What the module says about itself.
    pub provider_meta: Option<&'a Value>,
}

/// Response of `ReadResource`.
#[derive(Debug, Clone)]
pub struct ReadResourceResponse {
    /// The object as it is; null when it is gone.
    pub new_state: Value,
    /// Replaces the stored private bytes, also when empty.
    pub private: Bytes,
    /// Replaces the stored identity.
    pub new_identity: Option<Identity>,
    /// The provider defers the read.
    pub deferred: Option<Deferred>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// Request of `PlanResourceChange`. A destroy has null `proposed_new_state` and `config`.
#[derive(Debug, Clone, Copy)]
pub struct PlanResourceChange<'a> {
    /// The resource type.
    pub type_name: &'a str,
    /// The object as it is; null before creation.
    pub prior_state: &'a Value,
    /// Prior and configuration merged.
    pub proposed_new_state: &'a Value,
    /// The configuration, unknowns included.
    pub config: &'a Value,
    /// The stored private bytes.
    pub prior_private: &'a Bytes,
    /// The stored identity.
    pub prior_identity: Option<&'a Identity>,
    /// The private bytes of the plan that was shown, when it is planned again to be applied (protocol 6.11).
    pub planned_private: Option<&'a Bytes>,
    /// What the module says about itself.
    pub provider_meta: Option<&'a Value>,
}

/// Response of `PlanResourceChange`.
#[derive(Debug, Clone)]
pub struct PlanResourceChangeResponse {
    /// The object that the provider means to make.
    pub planned_state: Value,
    /// Attributes whose change needs a replacement; to be filtered by actual change.
    pub requires_replace: Vec<Path>,
    /// Goes into the apply request.
    pub planned_private: Bytes,
    /// The identity that the provider means to give it.
    pub planned_identity: Option<Identity>,
    /// The provider (SDK v2) cannot keep to the rules; their violation is then only logged.
    pub legacy_type_system: bool,
    /// The provider defers the change; the plan is a best guess and must not be applied.
    pub deferred: Option<Deferred>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// Request of `ApplyResourceChange`. A destroy has null `planned_state` and `config`.
#[derive(Debug, Clone, Copy)]
pub struct ApplyResourceChange<'a> {
    /// The resource type.
    pub type_name: &'a str,
    /// The object as it is; null before creation.
    pub prior_state: &'a Value,
    /// The object as planned.
    pub planned_state: &'a Value,
    /// The configuration, wholly known.
    pub config: &'a Value,
    /// The private bytes of the plan.
    pub planned_private: &'a Bytes,
    /// The identity of the plan.
    pub planned_identity: Option<&'a Identity>,
    /// What the module says about itself.
    pub provider_meta: Option<&'a Value>,
}

/// Response of `ApplyResourceChange`.
#[derive(Debug, Clone)]
pub struct ApplyResourceChangeResponse {
    /// The object as it is now, null when there is none; or bytes that are no such object.
    pub new_state: Result<Value, GarbledState>,
    /// The private bytes to store.
    pub private: Bytes,
    /// The identity to store.
    pub new_identity: Option<Identity>,
    /// The provider (SDK v2) cannot keep to the rules; their violation is then only logged.
    pub legacy_type_system: bool,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// An object that a provider returned after an apply and that does not decode as its type. The bytes are kept, for something
/// may well exist behind them.
#[derive(Debug, Clone)]
pub struct GarbledState {
    /// The MessagePack or JSON bytes as they came.
    pub raw: Bytes,
    /// Why they do not decode.
    pub reason: String,
}

/// Request of `ImportResourceState`.
#[derive(Debug, Clone, Copy)]
pub struct ImportResourceState<'a> {
    /// The resource type.
    pub type_name: &'a str,
    /// The provider's id of the object.
    pub id: &'a str,
    /// Its identity, instead of an id.
    pub identity: Option<&'a Identity>,
}

/// Response of `ImportResourceState`.
#[derive(Debug, Clone)]
pub struct ImportResourceStateResponse {
    /// The objects found; `ReadResource` is due for each.
    pub imported_resources: Vec<ImportedResource>,
    /// The provider defers the import.
    pub deferred: Option<Deferred>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// One imported object.
#[derive(Debug, Clone)]
pub struct ImportedResource {
    /// Its resource type.
    pub type_name: String,
    /// Its attributes, as far as they are known.
    pub state: Value,
    /// The private bytes to store; the read that follows needs them.
    pub private: Bytes,
    /// Its identity.
    pub identity: Option<Identity>,
}

/// Request of `MoveResourceState`.
#[derive(Debug, Clone, Copy)]
pub struct MoveResourceState<'a> {
    /// The provider it was managed by.
    pub source_provider: &'a ProviderSource,
    /// The type it had.
    pub source_type_name: &'a str,
    /// The schema version it was stored with.
    pub source_schema_version: u64,
    /// The stored attributes.
    pub source_state: RawState<'a>,
    /// The stored private bytes.
    pub source_private: &'a Bytes,
    /// The stored identity, with the version of its schema.
    pub source_identity: Option<(&'a [u8], u64)>,
    /// The type it shall have.
    pub target_type_name: &'a str,
}

/// Response of `MoveResourceState`.
#[derive(Debug, Clone)]
pub struct MoveResourceStateResponse {
    /// The object as the target type.
    pub target_state: Value,
    /// The private bytes to store.
    pub target_private: Bytes,
    /// The identity to store.
    pub target_identity: Option<Identity>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// Request of `ReadDataSource`.
#[derive(Debug, Clone, Copy)]
pub struct ReadDataSource<'a> {
    /// The data source.
    pub type_name: &'a str,
    /// The configuration, wholly known.
    pub config: &'a Value,
    /// What the module says about itself.
    pub provider_meta: Option<&'a Value>,
}

/// Response of `ReadDataSource`.
#[derive(Debug, Clone)]
pub struct ReadDataSourceResponse {
    /// The object that was read.
    pub state: Value,
    /// The provider defers the read.
    pub deferred: Option<Deferred>,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// Response of `GenerateResourceConfig`.
#[derive(Debug, Clone)]
pub struct GenerateResourceConfigResponse {
    /// The arguments.
    pub config: Value,
    /// The provider's diagnostics.
    pub diagnostics: Diagnostics,
}

/// There is no response: the outcome of the call is unknown.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The process ended or closed the connection, usually because it crashed.
    #[error("the provider process ended during {rpc}")]
    Gone {
        /// The interrupted call.
        rpc: &'static str,
        /// Its exit status and last output (a Go panic, stderr); may be empty.
        last_words: String,
    },
    /// The call was cancelled on our side.
    #[error("{rpc} was cancelled")]
    Cancelled {
        /// The call.
        rpc: &'static str,
    },
    /// The provider does not have this RPC.
    #[error("the provider does not implement {rpc}")]
    Unimplemented {
        /// The call.
        rpc: &'static str,
    },
    /// The response cannot be read.
    #[error("cannot read the provider's response to {rpc}: {reason}")]
    Garbled {
        /// The call.
        rpc: &'static str,
        /// Why it cannot be read.
        reason: String,
    },
    /// The request was not sent: its values do not fit the provider's schema.
    #[error("cannot send {rpc} to the provider: {reason}")]
    Unsendable {
        /// The call.
        rpc: &'static str,
        /// Which value does not fit, and why.
        reason: String,
    },
    /// The provider answered with another gRPC failure.
    #[error("{rpc} failed: {message}")]
    Failed {
        /// The call.
        rpc: &'static str,
        /// The status as text.
        message: String,
    },
}

/// A provider could not be started.
#[derive(Debug, Clone, Error)]
#[error("{summary}")]
#[non_exhaustive]
pub struct StartError {
    /// What failed, a lowercase fragment: `cannot find provider …`.
    pub summary: String,
    /// Evidence: output of the process, paths that were searched.
    pub detail: String,
    /// Remedies, one sentence each.
    pub hints: Vec<String>,
}

impl From<terrane_registry::InstallError> for StartError {
    fn from(error: terrane_registry::InstallError) -> Self {
        Self {
            summary: error.summary,
            detail: error.detail,
            hints: error.hints,
        }
    }
}

impl StartError {
    /// An error with that summary.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            detail: String::new(),
            hints: Vec::new(),
        }
    }
}
