//! A provider beside which every request and response is written down.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value as Json;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::{Block, FactsKind, Function, IdentitySchema, Schema, to_facts_line};
use terrane_core::{Diagnostics, Marked, Value};

use super::exchange::{Response, failure, request};
use super::features::{Invoked, arguments, list, opened, signature};
use super::form::{block_of, hidden};
use super::tape::{Process, Recorder};
use crate::action::{InvokeAction, PlanActionResponse, Progress};
use crate::ephemeral::{
    OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    RenewEphemeralResourceResponse,
};
use crate::function::{CallFunction, CallFunctionResponse};
use crate::listing::{ListResource, ListedResource};
use crate::provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities,
    GenerateResourceConfigResponse, ImportResourceState, ImportResourceStateResponse,
    MoveResourceState, MoveResourceStateResponse, PlanResourceChange, PlanResourceChangeResponse,
    Provider, ReadDataSource, ReadDataSourceResponse, ReadResource, ReadResourceResponse,
    UpgradeResourceIdentity, UpgradeResourceIdentityResponse, UpgradeResourceState,
    UpgradeResourceStateResponse,
};

/// The words for what a provider has beside resources.
pub(super) const EPHEMERAL: &str = "ephemeral";
pub(super) const LIST: &str = "list";
pub(super) const ACTION: &str = "action";
pub(super) const FUNCTION: &str = "function";

/// The name under which the schema of `provider_meta` is written.
pub(super) const META: &str = "provider_meta";

/// A provider that is recorded.
pub(crate) struct Recorded {
    provider: Arc<dyn Provider>,
    recorder: Arc<Recorder>,
    process: Process,
}

impl Recorded {
    /// Records that provider from here on.
    pub(crate) fn new(
        provider: Arc<dyn Provider>,
        source: &ProviderSource,
        recorder: Arc<Recorder>,
    ) -> Self {
        let process = recorder.started(source, provider.capabilities());
        Self {
            provider,
            recorder,
            process,
        }
    }

    fn note_schema(&self, kind: FactsKind, name: &str, schema: Option<&Schema>) {
        let key = match kind {
            FactsKind::Provider => "provider".to_owned(),
            _ => format!("{} {name}", kind.word()),
        };
        (self.recorder).schema(&self.process.source, &key, || {
            schema.map(|schema| to_facts_line(kind, name, schema))
        });
    }

    fn note_feature(&self, feature: &str, name: &str, schema: Option<&Schema>) {
        let is = || schema.map(|schema| to_facts_line(FactsKind::Resource, name, schema));
        (self.recorder).feature(&self.process.source, feature, name, || is().into());
    }

    /// The schema of a resource type, to know its secrets.
    fn resource(&self, type_name: &str) -> Option<Arc<Schema>> {
        self.resource_schema(type_name).ok().flatten()
    }

    fn data_source(&self, type_name: &str) -> Option<Arc<Schema>> {
        self.data_source_schema(type_name).ok().flatten()
    }

    /// What these values hold of secrets is secret wherever it appears.
    fn learn(&self, block: Option<&Block>, values: &[&Value]) {
        for value in values {
            let sensitive = block.map(|block| block.secret_paths(value));
            if let Some(sensitive) = sensitive.filter(|sensitive| !sensitive.is_empty()) {
                self.recorder.learn(&Marked {
                    value: (*value).clone(),
                    sensitive,
                });
            }
        }
    }

    /// The same of a provider configuration. The rest of it is hidden where it is written; a region is no secret elsewhere.
    fn learn_configuration(&self, config: &Value) {
        if let Ok(schema) = self.config_schema() {
            self.learn(Some(&schema.block), &[config]);
        }
    }

    fn ask(&self, call: &str, type_name: &str, request: Json) -> u64 {
        self.recorder.ask(&self.process, call, type_name, request)
    }

    fn ask_action(&self, call: &str, action_type: &str, config: &Value) -> u64 {
        let schema = self.action_schema(action_type).ok().flatten();
        let block = block_of(schema.as_deref());
        self.learn(block, &[config]);
        self.ask(call, action_type, request::config(block, config))
    }

    fn answered<R: Response>(
        &self,
        ask: u64,
        block: Option<&Block>,
        mut response: Result<R, CallError>,
    ) -> Result<R, CallError> {
        match &mut response {
            Ok(response) => {
                // Looked at and not changed.
                response.change(&mut |value| self.learn(block, &[value]));
                self.recorder.answer(ask, response.write(block));
            }
            Err(error) => self.recorder.no_answer(ask, failure(error)),
        }
        response
    }
}

#[async_trait]
impl Provider for Recorded {
    fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    fn pid(&self) -> Option<u32> {
        self.provider.pid()
    }

    fn is_running(&self) -> bool {
        self.provider.is_running()
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        let schema = self.provider.config_schema()?;
        self.note_schema(
            FactsKind::Provider,
            &self.process.source.type_name,
            Some(&schema),
        );
        Ok(schema)
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let schema = self.provider.resource_schema(type_name)?;
        self.note_schema(FactsKind::Resource, type_name, schema.as_deref());
        Ok(schema)
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let schema = self.provider.data_source_schema(type_name)?;
        self.note_schema(FactsKind::DataSource, type_name, schema.as_deref());
        Ok(schema)
    }

    fn identity_schema(&self, type_name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        let schema = self.provider.identity_schema(type_name)?;
        if let Some(schema) = &schema {
            let source = &self.process.source;
            self.recorder.identity_schema(source, type_name, schema);
        }
        Ok(schema)
    }

    fn ephemeral_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let schema = self.provider.ephemeral_resource_schema(name)?;
        self.note_feature(EPHEMERAL, name, schema.as_deref());
        Ok(schema)
    }

    fn list_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let schema = self.provider.list_resource_schema(name)?;
        self.note_feature(LIST, name, schema.as_deref());
        Ok(schema)
    }

    fn list_resources(&self) -> Vec<Arc<str>> {
        self.provider.list_resources()
    }

    fn provider_meta_schema(&self) -> Result<Option<Arc<Schema>>, CallError> {
        let schema = self.provider.provider_meta_schema()?;
        if let Some(schema) = &schema {
            let line = || Some(to_facts_line(FactsKind::Provider, META, schema));
            self.recorder.schema(&self.process.source, META, line);
        }
        Ok(schema)
    }

    fn action_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let schema = self.provider.action_schema(name)?;
        self.note_feature(ACTION, name, schema.as_deref());
        Ok(schema)
    }

    fn function(&self, name: &str) -> Result<Option<Arc<Function>>, CallError> {
        let function = self.provider.function(name)?;
        let is = || function.as_deref().map_or(Json::Null, signature);
        self.recorder
            .feature(&self.process.source, FUNCTION, name, is);
        Ok(function)
    }

    fn functions(&self) -> Vec<Arc<str>> {
        self.provider.functions()
    }

    async fn validate_provider_config(&self, config: &Value) -> Result<Diagnostics, CallError> {
        self.learn_configuration(config);
        let request = request::config(Some(&Block::default()), &hidden(config));
        let ask = self.ask("ValidateProviderConfig", "", request);
        let response = self.provider.validate_provider_config(config).await;
        self.answered(ask, None, response)
    }

    async fn configure(&self, config: &Value) -> Result<Diagnostics, CallError> {
        self.learn_configuration(config);
        let request = request::config(Some(&Block::default()), &hidden(config));
        let ask = self.ask("ConfigureProvider", "", request);
        let response = self.provider.configure(config).await;
        self.answered(ask, None, response)
    }

    async fn validate_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let schema = self.resource(type_name);
        let block = block_of(schema.as_deref());
        self.learn(block, &[config]);
        let request = request::config(block, config);
        let ask = self.ask("ValidateResourceConfig", type_name, request);
        let response = (self.provider)
            .validate_resource_config(type_name, config)
            .await;
        self.answered(ask, block, response)
    }

    async fn validate_data_source_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let schema = self.data_source(type_name);
        let block = block_of(schema.as_deref());
        self.learn(block, &[config]);
        let request = request::config(block, config);
        let ask = self.ask("ValidateDataSourceConfig", type_name, request);
        let response = (self.provider)
            .validate_data_source_config(type_name, config)
            .await;
        self.answered(ask, block, response)
    }

    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        let schema = self.resource(request.type_name);
        let block = block_of(schema.as_deref());
        let json = request::upgrade(block, &request);
        let ask = self.ask("UpgradeResourceState", request.type_name, json);
        let response = self.provider.upgrade_resource_state(request).await;
        self.answered(ask, block, response)
    }

    async fn upgrade_resource_identity(
        &self,
        request: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        let json = request::upgrade_identity(&request);
        let ask = self.ask("UpgradeResourceIdentity", request.type_name, json);
        let response = self.provider.upgrade_resource_identity(request).await;
        self.answered(ask, None, response)
    }

    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError> {
        let schema = self.resource(request.type_name);
        let block = block_of(schema.as_deref());
        self.learn(block, &[request.current_state]);
        let json = request::read(block, &request);
        let ask = self.ask("ReadResource", request.type_name, json);
        let response = self.provider.read_resource(request).await;
        self.answered(ask, block, response)
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        let schema = self.resource(request.type_name);
        let block = block_of(schema.as_deref());
        self.learn(block, &[request.config, request.prior_state]);
        let json = request::plan(block, &request);
        let ask = self.ask("PlanResourceChange", request.type_name, json);
        let response = self.provider.plan_resource_change(request).await;
        self.answered(ask, block, response)
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        let schema = self.resource(request.type_name);
        let block = block_of(schema.as_deref());
        self.learn(block, &[request.config, request.prior_state]);
        let json = request::apply(block, &request);
        let ask = self.ask("ApplyResourceChange", request.type_name, json);
        let response = self.provider.apply_resource_change(request).await;
        self.answered(ask, block, response)
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        let schema = self.resource(request.type_name);
        let json = request::import(&request);
        let ask = self.ask("ImportResourceState", request.type_name, json);
        let response = self.provider.import_resource_state(request).await;
        self.answered(ask, block_of(schema.as_deref()), response)
    }

    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        let schema = self.resource(request.target_type_name);
        let json = request::moved(&request);
        let ask = self.ask("MoveResourceState", request.target_type_name, json);
        let response = self.provider.move_resource_state(request).await;
        self.answered(ask, block_of(schema.as_deref()), response)
    }

    async fn read_data_source(
        &self,
        request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        let schema = self.data_source(request.type_name);
        let block = block_of(schema.as_deref());
        self.learn(block, &[request.config]);
        let json = request::data(block, &request);
        let ask = self.ask("ReadDataSource", request.type_name, json);
        let response = self.provider.read_data_source(request).await;
        self.answered(ask, block, response)
    }

    async fn call_function(
        &self,
        request: CallFunction<'_>,
    ) -> Result<CallFunctionResponse, CallError> {
        let ask = self.ask("CallFunction", request.name, arguments(&request));
        let response = self.provider.call_function(request).await;
        self.answered(ask, None, response)
    }

    async fn validate_ephemeral_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let schema = self.ephemeral_resource_schema(type_name).ok().flatten();
        let block = block_of(schema.as_deref());
        self.learn(block, &[config]);
        let json = request::config(block, config);
        let ask = self.ask("ValidateEphemeralResourceConfig", type_name, json);
        let provider = &self.provider;
        let response = provider
            .validate_ephemeral_resource_config(type_name, config)
            .await;
        self.answered(ask, None, response)
    }

    async fn open_ephemeral_resource(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> Result<OpenEphemeralResourceResponse, CallError> {
        let schema = self.ephemeral_resource_schema(request.type_name);
        let schema = schema.ok().flatten();
        let block = block_of(schema.as_deref());
        self.learn(block, &[request.config]);
        let json = request::config(block, request.config);
        let ask = self.ask("OpenEphemeralResource", request.type_name, json);
        let response = self.provider.open_ephemeral_resource(request).await;
        if let Ok(opened) = &response {
            self.learn(block, &[&opened.result]);
        }
        self.answered(ask, None, response)
    }

    async fn renew_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<RenewEphemeralResourceResponse, CallError> {
        let ask = self.ask(
            "RenewEphemeralResource",
            request.type_name,
            opened(&request),
        );
        let response = self.provider.renew_ephemeral_resource(request).await;
        self.answered(ask, None, response)
    }

    async fn close_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        let ask = self.ask(
            "CloseEphemeralResource",
            request.type_name,
            opened(&request),
        );
        let response = self.provider.close_ephemeral_resource(request).await;
        self.answered(ask, None, response)
    }

    async fn validate_list_resource_config(
        &self,
        request: ListResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        let schema = self.list_resource_schema(request.type_name).ok().flatten();
        let block = block_of(schema.as_deref());
        self.learn(block, &[request.config]);
        let json = list(block, &request);
        let ask = self.ask("ValidateListResourceConfig", request.type_name, json);
        let response = self.provider.validate_list_resource_config(request).await;
        self.answered(ask, None, response)
    }

    async fn list_resource(
        &self,
        request: ListResource<'_>,
    ) -> Result<Vec<ListedResource>, CallError> {
        let schema = self.list_resource_schema(request.type_name).ok().flatten();
        let block = block_of(schema.as_deref());
        self.learn(block, &[request.config]);
        let json = list(block, &request);
        let ask = self.ask("ListResource", request.type_name, json);
        let objects = self.resource(request.type_name);
        let response = self.provider.list_resource(request).await;
        self.answered(ask, block_of(objects.as_deref()), response)
    }

    async fn validate_action_config(
        &self,
        action_type: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let ask = self.ask_action("ValidateActionConfig", action_type, config);
        let provider = &self.provider;
        let response = provider.validate_action_config(action_type, config).await;
        self.answered(ask, None, response)
    }

    async fn plan_action(
        &self,
        request: InvokeAction<'_>,
    ) -> Result<PlanActionResponse, CallError> {
        let ask = self.ask_action("PlanAction", request.action_type, request.config);
        let response = self.provider.plan_action(request).await;
        self.answered(ask, None, response)
    }

    async fn invoke_action(
        &self,
        request: InvokeAction<'_>,
        progress: Progress<'_>,
    ) -> Result<Diagnostics, CallError> {
        let ask = self.ask_action("InvokeAction", request.action_type, request.config);
        let said = Mutex::new(Vec::new());
        let listening = |message: String| {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push(message.clone());
            drop(said);
            progress(message);
        };
        let response = self.provider.invoke_action(request, &listening).await;
        let progress = said.into_inner().unwrap_or_else(PoisonError::into_inner);
        let invoked = response.map(|diagnostics| Invoked {
            progress,
            diagnostics,
        });
        let invoked = self.answered(ask, None, invoked)?;
        Ok(invoked.diagnostics)
    }

    async fn generate_resource_config(
        &self,
        type_name: &str,
        state: &Value,
    ) -> Result<GenerateResourceConfigResponse, CallError> {
        (self.provider)
            .generate_resource_config(type_name, state)
            .await
    }

    async fn stop(&self) -> Result<(), CallError> {
        self.provider.stop().await
    }

    async fn shutdown(&self) {
        self.provider.shutdown().await;
    }
}
