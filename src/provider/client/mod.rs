//! A running provider process in domain terms, over either version of the protocol.

mod action;
mod calls;
mod ephemeral;
mod function;
mod listing;
mod schemas;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use prost::Message;
use terrane_core::schema::{Function, IdentitySchema, Schema};
use terrane_core::{Diagnostics, Value};
use tokio::task::JoinHandle;
use tonic::Streaming;

use crate::action::{InvokeAction, PlanActionResponse, Progress};
use crate::ephemeral::{
    OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    RenewEphemeralResourceResponse,
};
use crate::function::{CallFunction, CallFunctionResponse};
use crate::listing::{ListResource, ListedResource};
use crate::log::LogLevel;
use crate::plugin::Plugin;
use crate::provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities, GarbledState,
    GenerateResourceConfigResponse, Identity, ImportResourceState, ImportResourceStateResponse,
    ImportedResource, MoveResourceState, MoveResourceStateResponse, PlanResourceChange,
    PlanResourceChangeResponse, Provider, RawState, ReadDataSource, ReadDataSourceResponse,
    ReadResource, ReadResourceResponse, StartError, UpgradeResourceIdentity,
    UpgradeResourceIdentityResponse, UpgradeResourceState, UpgradeResourceStateResponse,
};
use crate::wire::tfplugin6 as proto;
use crate::wire::{
    LazyProviderSchema, Protocol, Rpc, diagnostics, identity_data, null_value, read_deferred,
    read_dynamic_value, read_identity, read_path,
};
use crate::withheld::Withheld;

pub(crate) use schemas::{SchemaResponse, Schemas};

use calls::{call, failure, garbled, own, put, raw_bytes, raw_state, read, unsendable};

/// The version that we announce: providers know Terraform's numbers, and turn features on by them.
const TERRAFORM_VERSION: &str = "1.13.0";

/// What we can do beyond the first version of the protocol. Version 5 has no word for what 6.11 added.
pub(super) fn client_capabilities(protocol: Protocol) -> proto::ClientCapabilities {
    let is_six = protocol == Protocol::V6;
    proto::ClientCapabilities {
        deferral_allowed: true,
        write_only_attributes_allowed: true,
        store_planned_private: is_six,
        computed_blocks_allowed: is_six,
    }
}

/// A provider process and its schemas.
pub(crate) struct Client {
    plugin: Plugin,
    schemas: Arc<Schemas>,
    withheld: Withheld,
    /// Writes the schemas for the next runs.
    keeping: Mutex<Option<JoinHandle<()>>>,
}

impl Client {
    /// A process with its schemas, which it was asked for or which its binary gave to an earlier one.
    pub(crate) fn new(plugin: Plugin, schemas: Arc<Schemas>, withheld: Withheld) -> Self {
        Self {
            plugin,
            schemas,
            withheld,
            keeping: Mutex::default(),
        }
    }

    /// The same, whose end waits for that.
    pub(crate) fn keeping(mut self, keeping: Option<JoinHandle<()>>) -> Self {
        self.keeping = Mutex::new(keeping);
        self
    }

    /// The diagnostics of a response.
    fn said(&self, received: Vec<proto::Diagnostic>) -> Diagnostics {
        self.withheld.explain(diagnostics(received))
    }

    /// Asks a process for its schemas; one that does not say them is stopped.
    pub(crate) async fn fetch_schemas(plugin: &Plugin) -> Result<SchemaResponse, StartError> {
        let answer = Self::ask_for_schemas(plugin).await;
        if answer.is_err() {
            plugin.stop().await;
        }
        answer
    }

    async fn ask_for_schemas(plugin: &Plugin) -> Result<SchemaResponse, StartError> {
        let request = proto::get_provider_schema::Request {};
        let response: LazyProviderSchema = call(plugin, Rpc::GetProviderSchema, request)
            .await
            .map_err(|error| refused(&error))?;
        let said = diagnostics(response.diagnostics.clone());
        if said.has_errors() {
            let mut error = StartError::new("the provider returned no schema");
            error.detail = said.to_string();
            return Err(error);
        }
        let request = proto::get_resource_identity_schemas::Request {};
        let identities: Result<proto::get_resource_identity_schemas::Response, _> =
            call(plugin, Rpc::GetResourceIdentitySchemas, request).await;
        let identities = match identities {
            Ok(response) => Some(response.identity_schemas),
            Err(CallError::Unimplemented { .. }) => Some(BTreeMap::new()),
            Err(error @ CallError::Gone { .. }) => return Err(refused(&error)),
            Err(error) => {
                plugin.note(
                    LogLevel::Warn,
                    &format!("its identity schemas are left out: {error}"),
                );
                None
            }
        };
        Ok(SchemaResponse {
            schema: response,
            identities,
        })
    }

    async fn call<Q, A>(&self, rpc: Rpc, request: Q) -> Result<A, CallError>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        call(&self.plugin, rpc, request).await
    }

    /// A call with many responses.
    async fn stream<Q, A>(&self, rpc: Rpc, request: Q) -> Result<Streaming<A>, CallError>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let plugin = &self.plugin;
        let path = rpc.path_and_query(plugin.protocol());
        match plugin.channel().stream(path, request).await {
            Ok(responses) => Ok(responses),
            Err(status) => Err(failure(plugin, rpc, status).await),
        }
    }

    /// The next response of such a call; none after the last.
    async fn next<A>(
        &self,
        rpc: Rpc,
        responses: &mut Streaming<A>,
    ) -> Result<Option<A>, CallError> {
        match responses.message().await {
            Ok(response) => Ok(response),
            Err(status) => Err(failure(&self.plugin, rpc, status).await),
        }
    }

    fn capabilities_of_ours(&self) -> proto::ClientCapabilities {
        client_capabilities(self.plugin.protocol())
    }

    fn resource(&self, rpc: Rpc, type_name: &str) -> Result<Arc<Schema>, CallError> {
        let schema = self.schemas.resource(type_name)?;
        schema.ok_or_else(|| CallError::Unsendable {
            rpc: rpc.name(),
            reason: format!("the provider has no resource type `{type_name}`"),
        })
    }

    fn data_source(&self, rpc: Rpc, type_name: &str) -> Result<Arc<Schema>, CallError> {
        let schema = self.schemas.data_source(type_name)?;
        schema.ok_or_else(|| CallError::Unsendable {
            rpc: rpc.name(),
            reason: format!("the provider has no data source `{type_name}`"),
        })
    }

    /// What a module says about itself, for a provider that wants to know; null where it says nothing.
    fn put_meta(
        &self,
        rpc: Rpc,
        said: Option<&Value>,
    ) -> Result<Option<proto::DynamicValue>, CallError> {
        let Some(schema) = self.schemas.provider_meta()? else {
            return Ok(None);
        };
        match said {
            Some(said) => put(rpc, said, schema.ty()),
            None => Ok(Some(null_value())),
        }
    }

    fn put_identity(
        &self,
        rpc: Rpc,
        type_name: &str,
        identity: Option<&Identity>,
    ) -> Result<Option<proto::ResourceIdentityData>, CallError> {
        let identity = identity.filter(|identity| !IdentitySchema::is_nothing(&identity.value));
        let (Some(identity), Some(schema)) = (identity, self.schemas.identity(type_name)?) else {
            return Ok(None);
        };
        let data = identity_data(&identity.value, schema.ty()).map_err(unsendable(rpc))?;
        Ok(Some(data))
    }

    fn read_identity(
        &self,
        rpc: Rpc,
        type_name: &str,
        data: Option<&proto::ResourceIdentityData>,
    ) -> Result<Option<Identity>, CallError> {
        let Some(schema) = self.schemas.identity(type_name)? else {
            return Ok(None);
        };
        let value = read_identity(data, schema.ty()).map_err(garbled(rpc))?;
        Ok(value.map(|value| Identity {
            schema_version: schema.version,
            value,
        }))
    }
}

fn refused(error: &CallError) -> StartError {
    let mut refused = StartError::new(error.to_string());
    if let CallError::Gone { last_words, .. } = error {
        refused.detail.clone_from(last_words);
    }
    refused
}

#[async_trait]
impl Provider for Client {
    fn capabilities(&self) -> Capabilities {
        self.schemas.capabilities()
    }

    fn pid(&self) -> Option<u32> {
        self.plugin.pid()
    }

    fn is_running(&self) -> bool {
        self.plugin.is_running()
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        self.schemas.config()
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.schemas.resource(type_name)
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.schemas.data_source(type_name)
    }

    fn identity_schema(&self, type_name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        self.schemas.identity(type_name)
    }

    fn ephemeral_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.schemas.ephemeral_resource(name)
    }

    fn list_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.schemas.list_resource(name)
    }

    fn list_resources(&self) -> Vec<Arc<str>> {
        self.schemas.list_resources()
    }

    fn provider_meta_schema(&self) -> Result<Option<Arc<Schema>>, CallError> {
        self.schemas.provider_meta()
    }

    fn action_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.schemas.action(name)
    }

    fn function(&self, name: &str) -> Result<Option<Arc<Function>>, CallError> {
        self.schemas.function(name)
    }

    fn functions(&self) -> Vec<Arc<str>> {
        self.schemas.functions()
    }

    async fn validate_provider_config(&self, config: &Value) -> Result<Diagnostics, CallError> {
        let rpc = Rpc::ValidateProviderConfig;
        let request = proto::validate_provider_config::Request {
            config: put(rpc, config, self.schemas.config()?.ty())?,
        };
        let response: proto::validate_provider_config::Response = self.call(rpc, request).await?;
        let said = diagnostics(response.diagnostics);
        Ok(self.withheld.explain_configuration(said))
    }

    async fn configure(&self, config: &Value) -> Result<Diagnostics, CallError> {
        let rpc = Rpc::ConfigureProvider;
        let request = proto::configure_provider::Request {
            terraform_version: TERRAFORM_VERSION.to_owned(),
            config: put(rpc, config, self.schemas.config()?.ty())?,
            client_capabilities: Some(self.capabilities_of_ours()),
        };
        let response: proto::configure_provider::Response = self.call(rpc, request).await?;
        let said = diagnostics(response.diagnostics);
        Ok(self.withheld.explain_configuration(said))
    }

    async fn validate_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let rpc = Rpc::ValidateResourceConfig;
        let request = proto::validate_resource_config::Request {
            type_name: type_name.to_owned(),
            config: put(rpc, config, self.resource(rpc, type_name)?.ty())?,
            client_capabilities: Some(self.capabilities_of_ours()),
        };
        let response: proto::validate_resource_config::Response = self.call(rpc, request).await?;
        Ok(self.said(response.diagnostics))
    }

    async fn validate_data_source_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let rpc = Rpc::ValidateDataResourceConfig;
        let request = proto::validate_data_resource_config::Request {
            type_name: type_name.to_owned(),
            config: put(rpc, config, self.data_source(rpc, type_name)?.ty())?,
        };
        let response: proto::validate_data_resource_config::Response =
            self.call(rpc, request).await?;
        Ok(self.said(response.diagnostics))
    }

    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        let rpc = Rpc::UpgradeResourceState;
        let schema = self.resource(rpc, request.type_name)?;
        let request = proto::upgrade_resource_state::Request {
            type_name: request.type_name.to_owned(),
            version: request.version.cast_signed(),
            raw_state: Some(raw_state(request.raw_state)),
        };
        let response: proto::upgrade_resource_state::Response = self.call(rpc, request).await?;
        Ok(UpgradeResourceStateResponse {
            upgraded_state: read(rpc, response.upgraded_state.as_ref(), schema.ty())?,
            diagnostics: self.said(response.diagnostics),
        })
    }

    async fn upgrade_resource_identity(
        &self,
        request: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        let rpc = Rpc::UpgradeResourceIdentity;
        let Some(schema) = self.schemas.identity(request.type_name)? else {
            return Err(CallError::Unimplemented { rpc: rpc.name() });
        };
        let request = proto::upgrade_resource_identity::Request {
            type_name: request.type_name.to_owned(),
            version: request.version.cast_signed(),
            raw_identity: Some(raw_state(RawState::Json(request.raw_identity))),
        };
        let response: proto::upgrade_resource_identity::Response = self.call(rpc, request).await?;
        let value = read_identity(response.upgraded_identity.as_ref(), schema.ty())
            .map_err(garbled(rpc))?;
        Ok(UpgradeResourceIdentityResponse {
            upgraded_identity: value.map(|value| Identity {
                schema_version: schema.version,
                value,
            }),
            diagnostics: self.said(response.diagnostics),
        })
    }

    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError> {
        let rpc = Rpc::ReadResource;
        let type_name = request.type_name;
        let schema = self.resource(rpc, type_name)?;
        let request = proto::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: put(rpc, request.current_state, schema.ty())?,
            private: request.private.clone(),
            provider_meta: self.put_meta(rpc, request.provider_meta)?,
            client_capabilities: Some(self.capabilities_of_ours()),
            current_identity: self.put_identity(rpc, type_name, request.current_identity)?,
        };
        let response: proto::read_resource::Response = self.call(rpc, request).await?;
        Ok(ReadResourceResponse {
            new_state: read(rpc, response.new_state.as_ref(), schema.ty())?,
            private: own(&response.private),
            new_identity: self.read_identity(rpc, type_name, response.new_identity.as_ref())?,
            deferred: read_deferred(response.deferred),
            diagnostics: self.said(response.diagnostics),
        })
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        let rpc = Rpc::PlanResourceChange;
        let type_name = request.type_name;
        let schema = self.resource(rpc, type_name)?;
        let request = proto::plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: put(rpc, request.prior_state, schema.ty())?,
            proposed_new_state: put(rpc, request.proposed_new_state, schema.ty())?,
            config: put(rpc, request.config, schema.ty())?,
            prior_private: request.prior_private.clone(),
            provider_meta: self.put_meta(rpc, request.provider_meta)?,
            client_capabilities: Some(self.capabilities_of_ours()),
            prior_identity: self.put_identity(rpc, type_name, request.prior_identity)?,
            planned_private: match (self.plugin.protocol(), request.planned_private) {
                (Protocol::V6, Some(private)) => private.clone(),
                _ => Bytes::new(),
            },
        };
        let response: proto::plan_resource_change::Response = self.call(rpc, request).await?;
        let identity = response.planned_identity.as_ref();
        Ok(PlanResourceChangeResponse {
            planned_state: read(rpc, response.planned_state.as_ref(), schema.ty())?,
            requires_replace: response
                .requires_replace
                .iter()
                .filter_map(read_path)
                .collect(),
            planned_private: own(&response.planned_private),
            planned_identity: self.read_identity(rpc, type_name, identity)?,
            legacy_type_system: response.legacy_type_system,
            deferred: read_deferred(response.deferred),
            diagnostics: self.said(response.diagnostics),
        })
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        let rpc = Rpc::ApplyResourceChange;
        let type_name = request.type_name;
        let schema = self.resource(rpc, type_name)?;
        let request = proto::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: put(rpc, request.prior_state, schema.ty())?,
            planned_state: put(rpc, request.planned_state, schema.ty())?,
            config: put(rpc, request.config, schema.ty())?,
            planned_private: request.planned_private.clone(),
            provider_meta: self.put_meta(rpc, request.provider_meta)?,
            planned_identity: self.put_identity(rpc, type_name, request.planned_identity)?,
        };
        let response: proto::apply_resource_change::Response = self.call(rpc, request).await?;
        let mut said = self.said(response.diagnostics);
        let new_state = read_dynamic_value(response.new_state.as_ref(), schema.ty());
        // From here on something may exist: nothing that is wrong with the rest of the answer may lose it.
        let new_identity = match self.read_identity(rpc, type_name, response.new_identity.as_ref())
        {
            Ok(identity) => identity,
            Err(error) => {
                said.push(terrane_core::Diagnostic::warning(error.to_string()));
                None
            }
        };
        Ok(ApplyResourceChangeResponse {
            new_state: new_state.map_err(|reason| GarbledState {
                raw: raw_bytes(response.new_state),
                reason,
            }),
            private: own(&response.private),
            new_identity,
            legacy_type_system: response.legacy_type_system,
            diagnostics: said,
        })
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        let rpc = Rpc::ImportResourceState;
        let request = proto::import_resource_state::Request {
            type_name: request.type_name.to_owned(),
            id: request.id.to_owned(),
            client_capabilities: Some(self.capabilities_of_ours()),
            identity: self.put_identity(rpc, request.type_name, request.identity)?,
        };
        let response: proto::import_resource_state::Response = self.call(rpc, request).await?;
        let mut imported_resources = Vec::with_capacity(response.imported_resources.len());
        for imported in response.imported_resources {
            let schema = self.resource(rpc, &imported.type_name)?;
            imported_resources.push(ImportedResource {
                state: read(rpc, imported.state.as_ref(), schema.ty())?,
                identity: self.read_identity(
                    rpc,
                    &imported.type_name,
                    imported.identity.as_ref(),
                )?,
                private: own(&imported.private),
                type_name: imported.type_name,
            });
        }
        Ok(ImportResourceStateResponse {
            imported_resources,
            deferred: read_deferred(response.deferred),
            diagnostics: self.said(response.diagnostics),
        })
    }

    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        let rpc = Rpc::MoveResourceState;
        let type_name = request.target_type_name;
        let schema = self.resource(rpc, type_name)?;
        let request = proto::move_resource_state::Request {
            source_provider_address: request.source_provider.to_string(),
            source_type_name: request.source_type_name.to_owned(),
            source_schema_version: request.source_schema_version.cast_signed(),
            source_state: Some(raw_state(request.source_state)),
            target_type_name: type_name.to_owned(),
            source_private: request.source_private.clone(),
            source_identity: request
                .source_identity
                .map(|(json, _)| raw_state(RawState::Json(json))),
            source_identity_schema_version: request
                .source_identity
                .map_or(0, |(_, version)| version.cast_signed()),
        };
        let response: proto::move_resource_state::Response = self.call(rpc, request).await?;
        let identity = response.target_identity.as_ref();
        Ok(MoveResourceStateResponse {
            target_state: read(rpc, response.target_state.as_ref(), schema.ty())?,
            target_private: own(&response.target_private),
            target_identity: self.read_identity(rpc, type_name, identity)?,
            diagnostics: self.said(response.diagnostics),
        })
    }

    async fn read_data_source(
        &self,
        request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        let rpc = Rpc::ReadDataSource;
        let schema = self.data_source(rpc, request.type_name)?;
        let request = proto::read_data_source::Request {
            type_name: request.type_name.to_owned(),
            config: put(rpc, request.config, schema.ty())?,
            provider_meta: self.put_meta(rpc, request.provider_meta)?,
            client_capabilities: Some(self.capabilities_of_ours()),
        };
        let response: proto::read_data_source::Response = self.call(rpc, request).await?;
        Ok(ReadDataSourceResponse {
            state: read(rpc, response.state.as_ref(), schema.ty())?,
            deferred: read_deferred(response.deferred),
            diagnostics: self.said(response.diagnostics),
        })
    }

    async fn call_function(&self, q: CallFunction<'_>) -> Result<CallFunctionResponse, CallError> {
        self.call_function(q).await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.validate_ephemeral(type_name, config).await
    }

    async fn open_ephemeral_resource(
        &self,
        q: OpenEphemeralResource<'_>,
    ) -> Result<OpenEphemeralResourceResponse, CallError> {
        self.open(q).await
    }

    async fn renew_ephemeral_resource(
        &self,
        q: OpenedEphemeralResource<'_>,
    ) -> Result<RenewEphemeralResourceResponse, CallError> {
        self.renew(q).await
    }

    async fn close_ephemeral_resource(
        &self,
        q: OpenedEphemeralResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        self.close(q).await
    }

    async fn validate_list_resource_config(
        &self,
        q: ListResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        self.validate_list(q).await
    }

    async fn list_resource(&self, q: ListResource<'_>) -> Result<Vec<ListedResource>, CallError> {
        self.list(q).await
    }

    async fn validate_action_config(
        &self,
        action_type: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.validate_action(action_type, config).await
    }

    async fn plan_action(&self, q: InvokeAction<'_>) -> Result<PlanActionResponse, CallError> {
        self.plan_an_action(q).await
    }

    async fn invoke_action(
        &self,
        q: InvokeAction<'_>,
        progress: Progress<'_>,
    ) -> Result<Diagnostics, CallError> {
        self.invoke(q, progress).await
    }

    async fn generate_resource_config(
        &self,
        type_name: &str,
        state: &Value,
    ) -> Result<GenerateResourceConfigResponse, CallError> {
        let rpc = Rpc::GenerateResourceConfig;
        let schema = self.resource(rpc, type_name)?;
        let request = proto::generate_resource_config::Request {
            type_name: type_name.to_owned(),
            state: put(rpc, state, schema.ty())?,
        };
        let response: proto::generate_resource_config::Response = self.call(rpc, request).await?;
        Ok(GenerateResourceConfigResponse {
            config: read(rpc, response.config.as_ref(), schema.ty())?,
            diagnostics: self.said(response.diagnostics),
        })
    }

    async fn stop(&self) -> Result<(), CallError> {
        let rpc = Rpc::StopProvider;
        let response: proto::stop_provider::Response =
            self.call(rpc, proto::stop_provider::Request {}).await?;
        if response.error.is_empty() {
            return Ok(());
        }
        Err(CallError::Failed {
            rpc: rpc.name(),
            message: response.error,
        })
    }

    async fn shutdown(&self) {
        self.plugin.stop().await;
        let keeping = self.keeping.lock();
        let keeping = keeping.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeping) = keeping {
            let _ = keeping.await;
        }
    }
}
