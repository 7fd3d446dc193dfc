//! One process of the fake provider: its memory, the requests that it refuses, and the way to its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use terrane_core::schema::{Function, IdentitySchema, Schema};
use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_provider::wire::msgpack;
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, CallFunction,
    CallFunctionResponse, Capabilities, Identity, ImportResourceState, ImportResourceStateResponse,
    InvokeAction, ListResource, ListedResource, MoveResourceState, MoveResourceStateResponse,
    OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    PlanActionResponse, PlanResourceChange, PlanResourceChangeResponse, Progress, Provider,
    RawState, ReadDataSource, ReadDataSourceResponse, ReadResource, ReadResourceResponse,
    RenewEphemeralResourceResponse, UpgradeResourceIdentity, UpgradeResourceIdentityResponse,
    UpgradeResourceState, UpgradeResourceStateResponse,
};

use crate::binding::FINDER;
use crate::calls::{ApplyCall, ImportCall, PlanCall, ReadCall, ReadDataCall};
use crate::cloud::{CloudObject, name_of};
use crate::fake_provider::{FakeProvider, FakeType, identity_schema};
use crate::features;

pub(crate) struct Process {
    pub(crate) provider: FakeProvider,
    configured: Mutex<Option<Value>>,
    dead: AtomicBool,
    under_way: AtomicUsize,
}

/// A call counts as running while this lives.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Process {
    pub(crate) fn new(provider: FakeProvider) -> Self {
        provider.cloud.lock().begin_process();
        Self {
            provider,
            configured: Mutex::new(None),
            dead: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
        }
    }

    pub(crate) fn note(&self, line: String) {
        self.provider.cloud.lock().ledger.push(line);
    }

    /// The process ends.
    pub(crate) fn die(&self, rpc: &'static str) -> CallError {
        if !self.dead.swap(true, Ordering::SeqCst) {
            self.provider.cloud.lock().processes -= 1;
        }
        gone(rpc)
    }

    /// The configuration that it got.
    pub(crate) fn config(&self) -> Value {
        let configured = self
            .configured
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        configured.clone().expect("protocol: configure first")
    }

    /// The region that it is configured with; unknown as long as that is.
    pub(crate) fn region(&self) -> Value {
        match self.config().get("region") {
            None | Some(Value::Null) => Value::from("home"),
            Some(region) => region.clone(),
        }
    }

    /// Whether it can see an object.
    pub(crate) fn sees(&self, object: &CloudObject) -> bool {
        !self.provider.is_regional() || object.value.get("region") == Some(&self.region())
    }

    /// A call begins, and gives way to others a few times as a real one would.
    async fn begin(&self, rpc: &'static str) -> Result<UnderWay<'_>, CallError> {
        if self.dead.load(Ordering::SeqCst) {
            return Err(gone(rpc));
        }
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let under_way = UnderWay(&self.under_way);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        if self.dead.load(Ordering::SeqCst) {
            return Err(gone(rpc));
        }
        Ok(under_way)
    }

    pub(crate) fn resource(&self, type_name: &str) -> FakeType {
        self.provider
            .resource_type(type_name)
            .expect("protocol: a type of this provider")
    }

    pub(crate) fn verb(&self, request: &ApplyResourceChange<'_>) -> &'static str {
        if request.prior_state.is_null() {
            "create"
        } else if request.planned_state.is_null() {
            "delete"
        } else {
            "update"
        }
    }

    /// The id of an object with the private bytes that were given out last.
    pub(crate) fn private_of(&self, state: &Value) -> Option<(String, bytes::Bytes)> {
        let id = state.get("id").and_then(Value::as_str)?;
        let contents = self.provider.cloud.lock();
        let object = contents.objects.get(id)?;
        Some((id.to_owned(), object.private.clone()))
    }

    pub(crate) fn set_private(&self, id: &str, private: bytes::Bytes) {
        if let Some(object) = self.provider.cloud.lock().objects.get_mut(id) {
            object.private = private;
        }
    }

    fn judge_apply(&self, request: &ApplyResourceChange<'_>) {
        let fake = self.resource(request.type_name);
        for (what, value) in [
            ("prior state", request.prior_state),
            ("planned state", request.planned_state),
            ("config", request.config),
        ] {
            conforms(what, value, &fake.schema);
        }
        assert!(request.config.is_wholly_known(), "protocol: unknown config");
        assert!(
            request.prior_state.is_wholly_known(),
            "protocol: unknown prior"
        );
        let contents = self.provider.cloud.lock();
        let private = request.planned_private;
        let planned = contents.plans.contains(private);
        let own = !fake_planned(&self.provider) && request.planned_state.is_null();
        assert!(
            planned || own,
            "protocol: {} {} was never planned with private {private:?}",
            self.verb(request),
            name_of(request.prior_state),
        );
    }

    fn judge_plan(&self, request: &PlanResourceChange<'_>) {
        let fake = self.resource(request.type_name);
        for (what, value) in [
            ("prior state", request.prior_state),
            ("proposed state", request.proposed_new_state),
            ("config", request.config),
        ] {
            conforms(what, value, &fake.schema);
        }
        assert!(
            request.prior_state.is_wholly_known(),
            "protocol: unknown prior"
        );
        for (what, value) in [
            ("prior state", request.prior_state),
            ("proposed state", request.proposed_new_state),
        ] {
            assert_eq!(
                &fake.schema.block.write_only_to_null(value),
                value,
                "protocol: write-only value in {what}"
            );
        }
        self.judge_object(
            &fake,
            request.prior_state,
            request.prior_private,
            request.prior_identity,
        );
    }

    /// A request must carry an existing object as it was last given out.
    fn judge_object(
        &self,
        fake: &FakeType,
        state: &Value,
        private: &bytes::Bytes,
        identity: Option<&Identity>,
    ) {
        let Some(id) = state.get("id").and_then(Value::as_str) else {
            return;
        };
        let contents = self.provider.cloud.lock();
        let Some(object) = contents.objects.get(id) else {
            return;
        };
        assert_eq!(private, &object.private, "protocol: private bytes of {id}");
        let expected = fake.identity.then(|| identity_of(id));
        assert_eq!(identity, expected.as_ref(), "protocol: identity of {id}");
    }
}

fn fake_planned(provider: &FakeProvider) -> bool {
    provider.capabilities().plan_destroy
}

pub(crate) fn identity_of(id: &str) -> Identity {
    Identity {
        schema_version: 0,
        value: Value::map([("id", Value::from(id))]),
    }
}

fn gone(rpc: &'static str) -> CallError {
    CallError::Gone {
        rpc,
        last_words: "panic: something went wrong".to_owned(),
    }
}

/// A value that crosses the wire unchanged is of its type.
fn conforms(what: &str, value: &Value, schema: &Schema) {
    let bytes = msgpack::encode(value, schema.ty()).unwrap_or_else(|error| {
        panic!("protocol: {what} is not of its type: {error} in {value:?}")
    });
    let again = msgpack::decode(&bytes, schema.ty());
    assert_eq!(
        again.as_ref().ok(),
        Some(value),
        "protocol: {what} changes on the wire"
    );
}

#[async_trait]
impl Provider for Process {
    fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    fn is_running(&self) -> bool {
        !self.dead.load(Ordering::SeqCst)
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        Ok(self.provider.config_schema())
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let fake = self.provider.resource_type(type_name);
        Ok(fake.map(|fake| fake.schema))
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(self.provider.data_schema(type_name))
    }

    fn identity_schema(&self, type_name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        let has = self.resource(type_name).identity;
        Ok(has.then(|| Arc::new(identity_schema())))
    }

    async fn validate_provider_config(&self, config: &Value) -> Result<Diagnostics, CallError> {
        let _call = self.begin("ValidateProviderConfig").await?;
        conforms("provider config", config, &self.provider.config_schema());
        let hook = self.provider.validate_provider_hook();
        Ok(hook.map(|hook| hook(config)).unwrap_or_default())
    }

    async fn configure(&self, config: &Value) -> Result<Diagnostics, CallError> {
        let _call = self.begin("ConfigureProvider").await?;
        conforms("provider config", config, &self.provider.config_schema());
        let region = config.get("region").unwrap_or(&Value::Null);
        self.note(format!("configure region={region:?}"));
        let mut configured = self
            .configured
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        assert!(configured.is_none(), "protocol: configured twice");
        *configured = Some(config.clone());
        let hook = self.provider.configure_hook();
        Ok(hook.map(|hook| hook(config)).unwrap_or_default())
    }

    async fn validate_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let _call = self.begin("ValidateResourceConfig").await?;
        conforms("config", config, &self.resource(type_name).schema);
        let hook = self.provider.hook(name_of(config), |hooks| &hooks.validate);
        Ok(hook.map(|hook| hook(config)).unwrap_or_default())
    }

    async fn validate_data_source_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let _call = self.begin("ValidateDataResourceConfig").await?;
        let schema = self.provider.data_schema(type_name);
        conforms("config", config, &schema.expect("protocol: a data source"));
        Ok(Diagnostics::new())
    }

    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        let _call = self.begin("UpgradeResourceState").await?;
        let RawState::Json(json) = request.raw_state else {
            panic!("protocol: nothing was ever stored flat");
        };
        Ok(self.upgrade(request.type_name, json))
    }

    async fn upgrade_resource_identity(
        &self,
        _: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        panic!("protocol: the identity schema never had another version")
    }

    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError> {
        let _call = self.begin("ReadResource").await?;
        let fake = self.resource(request.type_name);
        let state = request.current_state;
        conforms("current state", state, &fake.schema);
        self.judge_object(&fake, state, request.private, request.current_identity);
        let call = ReadCall {
            request,
            process: self,
        };
        match self.provider.hook(name_of(state), |hooks| &hooks.read) {
            Some(hook) => hook(call),
            None => call.proceed(),
        }
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        let _call = self.begin("PlanResourceChange").await?;
        self.judge_plan(&request);
        let name = name_of(request.config);
        let destroy = request.proposed_new_state.is_null();
        let hook = self.provider.hook(name, |hooks| &hooks.plan);
        let call = PlanCall {
            request,
            process: self,
        };
        let mut response = match hook.filter(|_| !destroy) {
            Some(hook) => hook(call)?,
            None => call.proceed()?,
        };
        let mut contents = self.provider.cloud.lock();
        // Of their own numbers: how often something is planned is not to be seen in the names of objects.
        let number = contents.plans.len() + 1;
        response.planned_private = format!("{{\"plan\":{number}}}").into();
        contents.plans.push(response.planned_private.clone());
        Ok(response)
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        let _call = self.begin("ApplyResourceChange").await?;
        self.judge_apply(&request);
        let call = ApplyCall {
            request,
            process: self,
        };
        let object = if request.planned_state.is_null() {
            request.prior_state
        } else {
            request.planned_state
        };
        let hook = self
            .provider
            .hook(name_of(object), |hooks| match self.verb(&request) {
                "create" => &hooks.create,
                "update" => &hooks.update,
                _ => &hooks.delete,
            });
        match hook {
            Some(hook) => hook(call),
            None => call.proceed(),
        }
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        let _call = self.begin("ImportResourceState").await?;
        let hook = self.provider.hook(request.id, |hooks| &hooks.import);
        let call = ImportCall {
            request,
            process: self,
        };
        match hook {
            Some(hook) => hook(call),
            None => call.proceed(),
        }
    }

    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        let _call = self.begin("MoveResourceState").await?;
        Ok(self.answer_move(&request))
    }

    async fn read_data_source(
        &self,
        request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        let _call = self.begin("ReadDataSource").await?;
        let schema = self.provider.data_schema(request.type_name);
        conforms(
            "config",
            request.config,
            &schema.expect("protocol: a data source"),
        );
        assert!(request.config.is_wholly_known(), "protocol: unknown config");
        let call = ReadDataCall {
            request,
            process: self,
        };
        let name = match request.type_name {
            FINDER => FINDER,
            _ => name_of(request.config),
        };
        match self.provider.hook(name, |hooks| &hooks.data) {
            Some(hook) => hook(call),
            None => call.proceed(),
        }
    }

    fn function(&self, name: &str) -> Result<Option<Arc<Function>>, CallError> {
        Ok(features::function(name))
    }

    fn functions(&self) -> Vec<Arc<str>> {
        features::FUNCTIONS.map(Into::into).into()
    }

    fn ephemeral_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(features::ephemeral(name))
    }

    fn list_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(features::list(name))
    }

    fn list_resources(&self) -> Vec<Arc<str>> {
        vec!["test_thing".into()]
    }

    fn action_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(features::action(name))
    }

    async fn call_function(
        &self,
        request: CallFunction<'_>,
    ) -> Result<CallFunctionResponse, CallError> {
        let _call = self.begin("CallFunction").await?;
        Ok(self.answer_function(request))
    }

    async fn validate_ephemeral_resource_config(
        &self,
        _: &str,
        _: &Value,
    ) -> Result<Diagnostics, CallError> {
        let _call = self.begin("ValidateEphemeralResourceConfig").await?;
        Ok(Diagnostics::new())
    }

    async fn open_ephemeral_resource(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> Result<OpenEphemeralResourceResponse, CallError> {
        let _call = self.begin("OpenEphemeralResource").await?;
        self.config();
        Ok(self.answer_open(request))
    }

    async fn renew_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<RenewEphemeralResourceResponse, CallError> {
        let _call = self.begin("RenewEphemeralResource").await?;
        Ok(self.answer_renew(request))
    }

    async fn close_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        let _call = self.begin("CloseEphemeralResource").await?;
        Ok(self.answer_close(request))
    }

    async fn validate_list_resource_config(
        &self,
        _: ListResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        let _call = self.begin("ValidateListResourceConfig").await?;
        Ok(Diagnostics::new())
    }

    async fn list_resource(
        &self,
        request: ListResource<'_>,
    ) -> Result<Vec<ListedResource>, CallError> {
        let _call = self.begin("ListResource").await?;
        Ok(self.answer_list(request))
    }

    async fn validate_action_config(&self, _: &str, _: &Value) -> Result<Diagnostics, CallError> {
        let _call = self.begin("ValidateActionConfig").await?;
        Ok(Diagnostics::new())
    }

    async fn plan_action(
        &self,
        request: InvokeAction<'_>,
    ) -> Result<PlanActionResponse, CallError> {
        let _call = self.begin("PlanAction").await?;
        Ok(PlanActionResponse {
            deferred: None,
            diagnostics: features::complaint(request.config, "refused"),
        })
    }

    async fn invoke_action(
        &self,
        request: InvokeAction<'_>,
        progress: Progress<'_>,
    ) -> Result<Diagnostics, CallError> {
        let _call = self.begin("InvokeAction").await?;
        self.answer_invoke(request, progress)
    }

    async fn stop(&self) -> Result<(), CallError> {
        self.note("stop".to_owned());
        Ok(())
    }

    async fn shutdown(&self) {
        if !self.dead.swap(true, Ordering::SeqCst) {
            self.provider.cloud.lock().processes -= 1;
        }
        let under_way = self.under_way.load(Ordering::SeqCst);
        assert_eq!(under_way, 0, "the process was ended with calls running");
    }
}

/// An error diagnostic, as the fake provider gives them.
pub(crate) fn error(message: impl Into<String>) -> Diagnostics {
    Diagnostic::error(message).into()
}
