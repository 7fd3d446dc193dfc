//! A provider in this process: types described in a few words, a cloud in memory, and hooks to make it misbehave.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::{IdentityAttribute, IdentitySchema, Schema};
use terrane_core::{Diagnostics, Type};
use terrane_provider::{
    ApplyResourceChangeResponse, CallError, Capabilities, ImportResourceStateResponse,
    PlanResourceChangeResponse, Provider, Providers, ReadDataSourceResponse, ReadResourceResponse,
    StartError,
};

use crate::binding::FINDER;
use crate::calls::{ApplyCall, ImportCall, PlanCall, ReadCall, ReadDataCall};
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::process::Process;

/// A provider (`test`, and `aws` where a name has a meaning of its own) whose processes share one definition, one set of hooks and one [`Cloud`].
///
/// It judges the engine as it goes: a request that breaks the protocol (a value that is not of its type, private bytes that are not
/// those given out, an apply that was never planned) panics, and so fails the test.
#[derive(Clone)]
pub struct FakeProvider {
    inner: Arc<Mutex<Definition>>,
    /// The objects that exist.
    pub cloud: Cloud,
}

#[derive(Clone, Default)]
pub(crate) struct Definition {
    pub(crate) resources: BTreeMap<String, FakeType>,
    pub(crate) data_sources: BTreeMap<String, Arc<Schema>>,
    pub(crate) config: Fields,
    pub(crate) capabilities: Capabilities,
    /// A process sees only the objects of the region that it is configured with.
    regional: bool,
    hooks: Hooks,
    /// What it says that it is built of.
    version: u64,
    /// How many processes of it were started.
    started: usize,
}

/// One resource type.
#[derive(Clone)]
pub(crate) struct FakeType {
    pub(crate) fields: Fields,
    pub(crate) schema: Arc<Schema>,
    /// It confesses to the legacy type system.
    pub(crate) legacy: bool,
    /// It has an identity: an object of its `id`.
    pub(crate) identity: bool,
    /// No two objects of it may have one name.
    pub(crate) unique_names: bool,
}

type PlanHook =
    Arc<dyn Fn(PlanCall<'_>) -> Result<PlanResourceChangeResponse, CallError> + Send + Sync>;
type ApplyHook =
    Arc<dyn Fn(ApplyCall<'_>) -> Result<ApplyResourceChangeResponse, CallError> + Send + Sync>;
type ImportHook =
    Arc<dyn Fn(ImportCall<'_>) -> Result<ImportResourceStateResponse, CallError> + Send + Sync>;
type ReadHook = Arc<dyn Fn(ReadCall<'_>) -> Result<ReadResourceResponse, CallError> + Send + Sync>;
type DataHook =
    Arc<dyn Fn(ReadDataCall<'_>) -> Result<ReadDataSourceResponse, CallError> + Send + Sync>;
type ConfigHook = Arc<dyn Fn(&terrane_core::Value) -> Diagnostics + Send + Sync>;

#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) plan: BTreeMap<String, PlanHook>,
    pub(crate) create: BTreeMap<String, ApplyHook>,
    pub(crate) update: BTreeMap<String, ApplyHook>,
    pub(crate) delete: BTreeMap<String, ApplyHook>,
    pub(crate) read: BTreeMap<String, ReadHook>,
    pub(crate) import: BTreeMap<String, ImportHook>,
    pub(crate) data: BTreeMap<String, DataHook>,
    pub(crate) validate: BTreeMap<String, ConfigHook>,
    pub(crate) configure: Option<ConfigHook>,
    pub(crate) validate_provider: Option<ConfigHook>,
}

impl Default for FakeProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeProvider {
    /// A provider `test` with a `region` in its configuration, the type `test_thing` ([`crate::thing`]), `test_item`
    /// ([`crate::item`]) and the data source `test_lookup` ([`crate::lookup`]); with the types that [`crate::TEST`] knows the names of,
    /// `test_bucket`, `test_part`, `test_setting` and `test_role` ([`crate::named`]), and `test_site` and `test_plot`, which have a `region` of
    /// their own: they are imported as `NAME@REGION`, and found by a tag in a region.
    pub fn new() -> Self {
        let provider = Self {
            inner: Arc::default(),
            cloud: Cloud::default(),
        };
        provider.define(|definition| {
            definition.config = Fields::new().string("region", "optional");
            definition.capabilities.plan_destroy = true;
            definition.capabilities.move_resource_state = true;
        });
        provider
            .resource("test_thing", crate::thing())
            .resource("test_item", crate::item())
            .resource("test_bucket", crate::thing())
            .resource("test_role", crate::named())
            .resource("test_part", crate::thing())
            .resource("test_setting", crate::thing())
            .resource("test_site", crate::fields::placed())
            .resource("test_plot", crate::fields::placed())
            .data_source("test_lookup", crate::lookup())
            .data_source(FINDER, crate::fields::finder())
    }

    /// Another version of it is installed from now on.
    pub fn upgrade(&self) {
        self.lock().version += 1;
    }

    /// How many processes were started since the last time.
    pub fn started(&self) -> usize {
        std::mem::take(&mut self.lock().started)
    }

    fn define(&self, change: impl FnOnce(&mut Definition)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Definition> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same with a resource type more, or another one of that name.
    #[must_use]
    pub fn resource(self, type_name: &str, fields: Fields) -> Self {
        let fake = FakeType {
            schema: Arc::new(fields.schema()),
            fields,
            legacy: false,
            identity: false,
            unique_names: false,
        };
        self.define(|definition| drop(definition.resources.insert(type_name.to_owned(), fake)));
        self
    }

    /// The same with a data source more.
    #[must_use]
    pub fn data_source(self, type_name: &str, fields: Fields) -> Self {
        let schema = Arc::new(fields.schema());
        self.define(|definition| {
            drop(definition.data_sources.insert(type_name.to_owned(), schema));
        });
        self
    }

    /// The same, where that type confesses to the legacy type system.
    #[must_use]
    pub fn legacy(self, type_name: &str) -> Self {
        self.change_type(type_name, |fake| fake.legacy = true)
    }

    /// The same, where objects of that type have an identity.
    #[must_use]
    pub fn with_identity(self, type_name: &str) -> Self {
        self.change_type(type_name, |fake| fake.identity = true)
    }

    /// The same, where no two objects of that type may have one name.
    #[must_use]
    pub fn unique_names(self, type_name: &str) -> Self {
        self.change_type(type_name, |fake| fake.unique_names = true)
    }

    /// The same, where the schema of that type has another version.
    #[must_use]
    pub fn schema_version(self, type_name: &str, version: u64) -> Self {
        self.change_type(type_name, |fake| {
            fake.schema = Arc::new(Schema::new(version, fake.fields.block.clone()));
        })
    }

    /// The same, where a process sees only the objects of the region that it is configured with: read, found, changed or destroyed
    /// elsewhere they are not found, and deleting a missing object succeeds silently.
    #[must_use]
    pub fn regional(self) -> Self {
        self.define(|definition| definition.regional = true);
        self
    }

    /// The same, without `PlanResourceChange` for destroys.
    #[must_use]
    pub fn without_plan_destroy(self) -> Self {
        self.define(|definition| definition.capabilities.plan_destroy = false);
        self
    }

    fn change_type(self, type_name: &str, change: impl FnOnce(&mut FakeType)) -> Self {
        self.define(|definition| {
            let fake = definition.resources.get_mut(type_name);
            change(fake.expect("a resource type that was described before"));
        });
        self
    }

    /// Answers `PlanResourceChange` for objects with that name (`*` for all); destroys excepted.
    pub fn on_plan(
        &self,
        name: &str,
        hook: impl Fn(PlanCall<'_>) -> Result<PlanResourceChangeResponse, CallError>
        + Send
        + Sync
        + 'static,
    ) {
        self.define(|d| drop(d.hooks.plan.insert(name.to_owned(), Arc::new(hook))));
    }

    /// Answers the creation of objects with that name (`*` for all).
    pub fn on_create(
        &self,
        name: &str,
        hook: impl Fn(ApplyCall<'_>) -> Result<ApplyResourceChangeResponse, CallError>
        + Send
        + Sync
        + 'static,
    ) {
        self.define(|d| drop(d.hooks.create.insert(name.to_owned(), Arc::new(hook))));
    }

    /// Answers the update of objects with that name (`*` for all).
    pub fn on_update(
        &self,
        name: &str,
        hook: impl Fn(ApplyCall<'_>) -> Result<ApplyResourceChangeResponse, CallError>
        + Send
        + Sync
        + 'static,
    ) {
        self.define(|d| drop(d.hooks.update.insert(name.to_owned(), Arc::new(hook))));
    }

    /// Answers the destruction of objects with that name (`*` for all).
    pub fn on_delete(
        &self,
        name: &str,
        hook: impl Fn(ApplyCall<'_>) -> Result<ApplyResourceChangeResponse, CallError>
        + Send
        + Sync
        + 'static,
    ) {
        self.define(|d| drop(d.hooks.delete.insert(name.to_owned(), Arc::new(hook))));
    }

    /// Answers `ReadResource` for objects with that name (`*` for all).
    pub fn on_read(
        &self,
        name: &str,
        hook: impl Fn(ReadCall<'_>) -> Result<ReadResourceResponse, CallError> + Send + Sync + 'static,
    ) {
        self.define(|d| drop(d.hooks.read.insert(name.to_owned(), Arc::new(hook))));
    }

    /// Answers `ImportResourceState` for that id (`*` for all).
    pub fn on_import(
        &self,
        id: &str,
        hook: impl Fn(ImportCall<'_>) -> Result<ImportResourceStateResponse, CallError>
        + Send
        + Sync
        + 'static,
    ) {
        self.define(|d| drop(d.hooks.import.insert(id.to_owned(), Arc::new(hook))));
    }

    /// Answers `ReadDataSource` for that name (`*` for all).
    pub fn on_read_data(
        &self,
        name: &str,
        hook: impl Fn(ReadDataCall<'_>) -> Result<ReadDataSourceResponse, CallError>
        + Send
        + Sync
        + 'static,
    ) {
        self.define(|d| drop(d.hooks.data.insert(name.to_owned(), Arc::new(hook))));
    }

    /// Judges configurations with that name (`*` for all).
    pub fn on_validate(
        &self,
        name: &str,
        hook: impl Fn(&terrane_core::Value) -> Diagnostics + Send + Sync + 'static,
    ) {
        self.define(|d| drop(d.hooks.validate.insert(name.to_owned(), Arc::new(hook))));
    }

    /// Judges the provider's own configuration when it is configured.
    pub fn on_configure(
        &self,
        hook: impl Fn(&terrane_core::Value) -> Diagnostics + Send + Sync + 'static,
    ) {
        self.define(|d| d.hooks.configure = Some(Arc::new(hook)));
    }

    /// Judges the provider's own configuration when it is validated.
    pub fn on_validate_provider(
        &self,
        hook: impl Fn(&terrane_core::Value) -> Diagnostics + Send + Sync + 'static,
    ) {
        self.define(|d| d.hooks.validate_provider = Some(Arc::new(hook)));
    }

    /// Forgets every hook: it behaves again.
    pub fn reset(&self) {
        self.define(|definition| definition.hooks = Hooks::default());
    }

    pub(crate) fn resource_type(&self, name: &str) -> Option<FakeType> {
        self.lock().resources.get(name).cloned()
    }

    pub(crate) fn data_schema(&self, name: &str) -> Option<Arc<Schema>> {
        self.lock().data_sources.get(name).cloned()
    }

    pub(crate) fn config_schema(&self) -> Arc<Schema> {
        Arc::new(self.lock().config.schema())
    }

    pub(crate) fn is_regional(&self) -> bool {
        self.lock().regional
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.lock().capabilities
    }

    /// The hook that is chosen for a name: its own, or the one for all.
    pub(crate) fn hook<H: Clone>(
        &self,
        name: &str,
        of: impl FnOnce(&Hooks) -> &BTreeMap<String, H>,
    ) -> Option<H> {
        let definition = self.lock();
        let hooks = of(&definition.hooks);
        hooks.get(name).or_else(|| hooks.get("*")).cloned()
    }

    pub(crate) fn validate_provider_hook(&self) -> Option<ConfigHook> {
        self.lock().hooks.validate_provider.clone()
    }

    pub(crate) fn configure_hook(&self) -> Option<ConfigHook> {
        self.lock().hooks.configure.clone()
    }
}

#[async_trait]
impl Providers for FakeProvider {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, StartError> {
        if !matches!(&*source.type_name, "test" | "aws") {
            return Err(StartError::new(format!("there is no provider {source}")));
        }
        self.lock().started += 1;
        Ok(Arc::new(Process::new(self.clone())))
    }

    async fn build(&self, _: &ProviderSource) -> Option<String> {
        Some(format!("version {}", self.lock().version))
    }
}

/// The schema of identities: an object with the id.
pub(crate) fn identity_schema() -> IdentitySchema {
    let id = IdentityAttribute {
        name: "id".into(),
        ty: Type::String,
        required_for_import: true,
        optional_for_import: false,
    };
    IdentitySchema::new(0, vec![id])
}
