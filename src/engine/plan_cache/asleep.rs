//! A provider that has not been started: it knows the schemas that it had, and answers nothing.

use std::sync::Arc;

use async_trait::async_trait;
use terrane_core::schema::{IdentitySchema, Schema};
use terrane_core::{Diagnostics, Value};
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities, ImportResourceState,
    ImportResourceStateResponse, MoveResourceState, MoveResourceStateResponse, PlanResourceChange,
    PlanResourceChangeResponse, Provider, ReadDataSource, ReadDataSourceResponse, ReadResource,
    ReadResourceResponse, UpgradeResourceIdentity, UpgradeResourceIdentityResponse,
    UpgradeResourceState, UpgradeResourceStateResponse,
};

use super::KnownProvider;

/// In the place of a process that nobody needed so far. A process that is asked anything is started first, so no request arrives here.
pub(crate) struct Asleep(pub(crate) KnownProvider);

fn not_started<T>(rpc: &'static str) -> Result<T, CallError> {
    let message = "the provider has not been started; this is a bug in terrane".to_owned();
    Err(CallError::Failed { rpc, message })
}

#[async_trait]
impl Provider for Asleep {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn is_running(&self) -> bool {
        false
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        Ok(self.0.config.clone())
    }

    fn provider_meta_schema(&self) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(self.0.meta.clone())
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let known = self.0.resources.get(type_name);
        Ok(known.map(|known| known.schema.clone()))
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(self.0.data_sources.get(type_name).cloned())
    }

    fn identity_schema(&self, type_name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        let known = self.0.resources.get(type_name);
        Ok(known.and_then(|known| known.identity.clone()))
    }

    async fn validate_provider_config(&self, _: &Value) -> Result<Diagnostics, CallError> {
        not_started("ValidateProviderConfig")
    }

    async fn configure(&self, _: &Value) -> Result<Diagnostics, CallError> {
        not_started("ConfigureProvider")
    }

    async fn validate_resource_config(&self, _: &str, _: &Value) -> Result<Diagnostics, CallError> {
        not_started("ValidateResourceConfig")
    }

    async fn validate_data_source_config(
        &self,
        _: &str,
        _: &Value,
    ) -> Result<Diagnostics, CallError> {
        not_started("ValidateDataResourceConfig")
    }

    async fn upgrade_resource_state(
        &self,
        _: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        not_started("UpgradeResourceState")
    }

    async fn upgrade_resource_identity(
        &self,
        _: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        not_started("UpgradeResourceIdentity")
    }

    async fn read_resource(&self, _: ReadResource<'_>) -> Result<ReadResourceResponse, CallError> {
        not_started("ReadResource")
    }

    async fn plan_resource_change(
        &self,
        _: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        not_started("PlanResourceChange")
    }

    async fn apply_resource_change(
        &self,
        _: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        not_started("ApplyResourceChange")
    }

    async fn import_resource_state(
        &self,
        _: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        not_started("ImportResourceState")
    }

    async fn move_resource_state(
        &self,
        _: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        not_started("MoveResourceState")
    }

    async fn read_data_source(
        &self,
        _: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        not_started("ReadDataSource")
    }

    async fn stop(&self) -> Result<(), CallError> {
        Ok(())
    }

    async fn shutdown(&self) {}
}
