//! A provider as one operation sees it: a process that others may use, too.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use terrane_core::schema::{Function, IdentitySchema, Schema};
use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, CallFunction,
    CallFunctionResponse, Capabilities, GenerateResourceConfigResponse, ImportResourceState,
    ImportResourceStateResponse, InvokeAction, ListResource, ListedResource, MoveResourceState,
    MoveResourceStateResponse, OpenEphemeralResource, OpenEphemeralResourceResponse,
    OpenedEphemeralResource, PlanActionResponse, PlanResourceChange, PlanResourceChangeResponse,
    Progress, Provider, ReadDataSource, ReadDataSourceResponse, ReadResource, ReadResourceResponse,
    RenewEphemeralResourceResponse, StartError, UpgradeResourceIdentity,
    UpgradeResourceIdentityResponse, UpgradeResourceState, UpgradeResourceStateResponse,
};

use super::Starter;
use super::pool::{Kind, Lease, ProcessPool};

/// A provider of one operation.
pub(super) struct Shared {
    pool: Arc<ProcessPool>,
    starter: Starter,
    kind: Kind,
    used: Mutex<Used>,
}

/// The process that it uses now.
struct Used {
    provider: Arc<dyn Provider>,
    /// None after the end.
    lease: Option<Lease>,
}

impl Shared {
    /// One that is not configured yet.
    pub(super) async fn start(
        pool: Arc<ProcessPool>,
        starter: Starter,
        kind: Kind,
    ) -> Result<Self, StartError> {
        let lease = pool.any(kind.clone());
        let provider = lease.provider(&starter).await?;
        let lease = Some(lease);
        Ok(Self {
            pool,
            starter,
            kind,
            used: Mutex::new(Used { provider, lease }),
        })
    }

    fn provider(&self) -> Arc<dyn Provider> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.provider.clone()
    }

    /// Uses another process from now on, or none; the use of the last one comes back.
    fn change(&self, next: Option<Used>) -> Option<Lease> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match next {
            Some(next) => std::mem::replace(&mut *used, next).lease,
            None => used.lease.take(),
        }
    }
}

#[async_trait]
impl Provider for Shared {
    fn capabilities(&self) -> Capabilities {
        self.provider().capabilities()
    }

    fn pid(&self) -> Option<u32> {
        self.provider().pid()
    }

    fn is_running(&self) -> bool {
        self.provider().is_running()
    }

    async fn configure(&self, config: &Value) -> Result<Diagnostics, CallError> {
        let lease = self.pool.with_config(self.kind.clone(), config);
        let provider = match lease.provider(&self.starter).await {
            Ok(provider) => provider,
            Err(error) => {
                let failed = Diagnostic::error(error.summary).detail(error.detail);
                return Ok(failed.hints(error.hints).into());
            }
        };
        let said = lease.configured(&*provider, config).await;
        let lease = Some(lease);
        if let Some(before) = self.change(Some(Used { provider, lease })) {
            before.end().await;
        }
        said
    }

    /// A process that others use goes on: its operations end by themselves.
    async fn stop(&self) -> Result<(), CallError> {
        let provider = {
            let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let alone = used.lease.as_ref().is_some_and(Lease::claim_alone);
            alone.then(|| used.provider.clone())
        };
        match provider {
            Some(provider) => provider.stop().await,
            None => Ok(()),
        }
    }

    async fn shutdown(&self) {
        if let Some(lease) = self.change(None) {
            lease.end().await;
        }
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        self.provider().config_schema()
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.provider().resource_schema(type_name)
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.provider().data_source_schema(type_name)
    }

    fn identity_schema(&self, type_name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        self.provider().identity_schema(type_name)
    }

    fn ephemeral_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.provider().ephemeral_resource_schema(name)
    }

    fn list_resource_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.provider().list_resource_schema(name)
    }

    fn list_resources(&self) -> Vec<Arc<str>> {
        self.provider().list_resources()
    }

    fn provider_meta_schema(&self) -> Result<Option<Arc<Schema>>, CallError> {
        self.provider().provider_meta_schema()
    }

    fn action_schema(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.provider().action_schema(name)
    }

    fn function(&self, name: &str) -> Result<Option<Arc<Function>>, CallError> {
        self.provider().function(name)
    }

    fn functions(&self) -> Vec<Arc<str>> {
        self.provider().functions()
    }

    async fn validate_provider_config(&self, config: &Value) -> Result<Diagnostics, CallError> {
        self.provider().validate_provider_config(config).await
    }

    async fn validate_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.provider()
            .validate_resource_config(type_name, config)
            .await
    }

    async fn validate_data_source_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.provider()
            .validate_data_source_config(type_name, config)
            .await
    }

    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        self.provider().upgrade_resource_state(request).await
    }

    async fn upgrade_resource_identity(
        &self,
        request: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        self.provider().upgrade_resource_identity(request).await
    }

    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError> {
        self.provider().read_resource(request).await
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        self.provider().plan_resource_change(request).await
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        self.provider().apply_resource_change(request).await
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        self.provider().import_resource_state(request).await
    }

    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        self.provider().move_resource_state(request).await
    }

    async fn read_data_source(
        &self,
        request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        self.provider().read_data_source(request).await
    }

    async fn call_function(
        &self,
        request: CallFunction<'_>,
    ) -> Result<CallFunctionResponse, CallError> {
        self.provider().call_function(request).await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.provider()
            .validate_ephemeral_resource_config(type_name, config)
            .await
    }

    async fn open_ephemeral_resource(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> Result<OpenEphemeralResourceResponse, CallError> {
        self.provider().open_ephemeral_resource(request).await
    }

    async fn renew_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<RenewEphemeralResourceResponse, CallError> {
        self.provider().renew_ephemeral_resource(request).await
    }

    async fn close_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        self.provider().close_ephemeral_resource(request).await
    }

    async fn validate_list_resource_config(
        &self,
        request: ListResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        self.provider().validate_list_resource_config(request).await
    }

    async fn list_resource(
        &self,
        request: ListResource<'_>,
    ) -> Result<Vec<ListedResource>, CallError> {
        self.provider().list_resource(request).await
    }

    async fn validate_action_config(
        &self,
        action_type: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.provider()
            .validate_action_config(action_type, config)
            .await
    }

    async fn plan_action(
        &self,
        request: InvokeAction<'_>,
    ) -> Result<PlanActionResponse, CallError> {
        self.provider().plan_action(request).await
    }

    async fn invoke_action(
        &self,
        request: InvokeAction<'_>,
        progress: Progress<'_>,
    ) -> Result<Diagnostics, CallError> {
        self.provider().invoke_action(request, progress).await
    }

    async fn generate_resource_config(
        &self,
        type_name: &str,
        state: &Value,
    ) -> Result<GenerateResourceConfigResponse, CallError> {
        self.provider()
            .generate_resource_config(type_name, state)
            .await
    }
}
