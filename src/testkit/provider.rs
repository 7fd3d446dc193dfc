//! The sandbox as the engine's provider, in this process: no wire, no waiting, and faults where a test asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::{Function, IdentitySchema, ProviderSchema, Schema};
use terrane_core::{Diagnostic, Diagnostics, Program, ProviderBinding, Value};
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, Builtin, CallError, CallFunction,
    CallFunctionResponse, Capabilities, ImportResourceState, ImportResourceStateResponse,
    MoveResourceState, MoveResourceStateResponse, OpenEphemeralResource,
    OpenEphemeralResourceResponse, OpenedEphemeralResource, PlanResourceChange,
    PlanResourceChangeResponse, Provider, Providers, ReadDataSource, ReadDataSourceResponse,
    ReadResource, ReadResourceResponse, RenewEphemeralResourceResponse, StartError,
    UpgradeResourceIdentity, UpgradeResourceIdentityResponse, UpgradeResourceState,
    UpgradeResourceStateResponse,
};
use terrane_sandbox::{InMemory, Types};

use crate::fault::{Effect, Faults};

/// The providers that the programs of a test have named.
#[derive(Clone, Default)]
pub(crate) struct KnownProviders(BTreeMap<ProviderSource, KnownProvider>);

/// A provider, and the types of it that a test has to do with.
#[derive(Clone)]
struct KnownProvider {
    binding: &'static ProviderBinding,
    names: BTreeSet<Arc<str>>,
    types: Types,
}

impl KnownProviders {
    /// Adds the types that a program declares.
    ///
    /// # Errors
    /// When a provider has no bindings: nobody knows its types then.
    pub(crate) fn learn(&mut self, program: &Program) -> Result<(), Diagnostics> {
        let mut faults = Diagnostics::new();
        for (id, provider) in program.providers().entries() {
            let source = &provider.address.source;
            if source.is_builtin() {
                continue;
            }
            let binding = provider.binding.filter(|binding| !binding.facts.is_empty());
            let known = self.0.get(source);
            let Some(binding) = binding.or(known.map(|known| known.binding)) else {
                faults.push(Diagnostic {
                    location: provider.location,
                    ..Diagnostic::error(unknown(source))
                        .detail("a test plans by the schemas of bindings, and the program has none of that provider")
                        .hint("declare its resources by bindings; `bindings add` makes them for any provider")
                });
                continue;
            };
            let mut names = known.map(|known| known.names.clone()).unwrap_or_default();
            let declared = program.resources().iter();
            let declared = declared.filter(|resource| resource.provider == id);
            names.extend(declared.map(|resource| resource.type_name().clone()));
            // Recovery asks it for objects by their owner tags.
            names.extend(binding.lookup.by_tag.map(|tags| tags.data_source.into()));
            let types = types_of(binding, &names);
            let provider = KnownProvider {
                binding,
                names,
                types,
            };
            self.0.insert(source.clone(), provider);
        }
        faults.into_result(()).map(|_| ())
    }

    /// The types of a provider.
    pub(crate) fn types(&self, source: &ProviderSource) -> Option<&Types> {
        self.0.get(source).map(|known| &known.types)
    }
}

fn unknown(source: &ProviderSource) -> String {
    format!("the types of {source} are not known to this test")
}

/// The named types of bindings. They are read once a process: tests plan by the thousand, and facts never change. Of a large
/// provider most types are not read at all.
fn types_of(binding: &'static ProviderBinding, names: &BTreeSet<Arc<str>>) -> Types {
    type Read = (&'static ProviderBinding, BTreeSet<Arc<str>>, Types);
    static READ: Mutex<Vec<Read>> = Mutex::new(Vec::new());
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let known = read
        .iter()
        .find(|(other, of, _)| std::ptr::eq(*other, binding) && of == names);
    if let Some((_, _, types)) = known {
        return types.clone();
    }
    let is_needed = |line: &&str| {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("resource" | "data"), Some(name)) => names.contains(name),
            // The provider itself, and whatever has no objects.
            _ => true,
        }
    };
    let lines = binding.facts.iter().flat_map(|facts| facts.lines());
    let lines: Vec<&str> = lines.filter(is_needed).collect();
    let types = Types::read(&lines.join("\n"));
    read.push((binding, names.clone(), types.clone()));
    types
}

/// Starts providers over one cloud.
pub(crate) struct SandboxProviders {
    pub(crate) cloud: Arc<InMemory>,
    pub(crate) known: KnownProviders,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl Providers for SandboxProviders {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, StartError> {
        if source.is_builtin() {
            return Ok(Arc::new(Builtin));
        }
        let Some(types) = self.known.types(source) else {
            return Err(StartError::new(unknown(source)));
        };
        Ok(Arc::new(SandboxProvider {
            sandbox: self.cloud.beside(types),
            types: types.clone(),
            faults: self.faults.clone(),
            gone: AtomicBool::new(false),
        }))
    }
}

/// One configured provider.
struct SandboxProvider {
    sandbox: InMemory,
    types: Types,
    faults: Arc<Faults>,
    /// It crashed.
    gone: AtomicBool,
}

impl SandboxProvider {
    fn schema(&self) -> &ProviderSchema {
        self.types.schema()
    }

    /// Whether it can answer; a run that has died hears nothing.
    async fn ask(&self, rpc: &'static str) -> Result<(), CallError> {
        self.faults.alive().await;
        match self.is_running() {
            true => Ok(()),
            false => Err(gone(rpc)),
        }
    }
}

fn gone(rpc: &'static str) -> CallError {
    CallError::Gone {
        rpc,
        last_words: "the test lets the provider crash".to_owned(),
    }
}

#[async_trait]
impl Provider for SandboxProvider {
    fn capabilities(&self) -> Capabilities {
        self.sandbox.service().capabilities()
    }

    fn is_running(&self) -> bool {
        !self.gone.load(Ordering::Relaxed)
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        let schema = self.schema().provider.clone();
        Ok(schema.unwrap_or_else(|| Arc::new(Schema::new(0, Default::default()))))
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(self.schema().resources.get(type_name).cloned())
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(self.schema().data_sources.get(type_name).cloned())
    }

    fn identity_schema(&self, type_name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        Ok(self.schema().identities.get(type_name).cloned())
    }

    fn ephemeral_resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(self.schema().ephemeral_resources.get(type_name).cloned())
    }

    fn function(&self, name: &str) -> Result<Option<Arc<Function>>, CallError> {
        Ok(self.schema().functions.get(name).cloned())
    }

    fn functions(&self) -> Vec<Arc<str>> {
        self.schema().functions.keys().cloned().collect()
    }

    async fn validate_provider_config(&self, config: &Value) -> Result<Diagnostics, CallError> {
        self.ask("ValidateProviderConfig").await?;
        Ok(self
            .sandbox
            .service()
            .validate_provider_config(config)
            .await)
    }

    async fn configure(&self, config: &Value) -> Result<Diagnostics, CallError> {
        self.ask("ConfigureProvider").await?;
        Ok(self.sandbox.service().configure(config).await)
    }

    async fn validate_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.ask("ValidateResourceConfig").await?;
        let service = self.sandbox.service();
        Ok(service.validate_resource_config(type_name, config).await)
    }

    async fn validate_data_source_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.ask("ValidateDataResourceConfig").await?;
        let service = self.sandbox.service();
        Ok(service.validate_data_source_config(type_name, config).await)
    }

    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        const RPC: &str = "UpgradeResourceState";
        self.ask(RPC).await?;
        let Some(schema) = self.schema().resources.get(request.type_name) else {
            return Err(CallError::Failed {
                rpc: RPC,
                message: format!("there is no type {}", request.type_name),
            });
        };
        let service = self.sandbox.service();
        Ok(service.upgrade_resource_state(request, schema.ty()).await)
    }

    async fn upgrade_resource_identity(
        &self,
        request: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        self.ask("UpgradeResourceIdentity").await?;
        Ok(self
            .sandbox
            .service()
            .upgrade_resource_identity(request)
            .await)
    }

    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError> {
        const RPC: &str = "ReadResource";
        self.ask(RPC).await?;
        let message = match self.faults.effect(true) {
            None => return Ok(self.sandbox.service().read_resource(request).await),
            Some(Effect::Fails(message)) => message,
            Some(Effect::TimesOut) => "timeout while reading".to_owned(),
            Some(Effect::LosesAnswer) => {
                self.gone.store(true, Ordering::Relaxed);
                return Err(gone(RPC));
            }
            Some(Effect::Dies) => {
                self.faults.die();
                return std::future::pending().await;
            }
        };
        Ok(ReadResourceResponse {
            deferred: None,
            new_state: request.current_state.clone(),
            private: request.private.clone(),
            new_identity: None,
            diagnostics: Diagnostic::error(message).into(),
        })
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        self.ask("PlanResourceChange").await?;
        Ok(self.sandbox.service().plan_resource_change(request).await)
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        const RPC: &str = "ApplyResourceChange";
        self.ask(RPC).await?;
        let service = self.sandbox.service();
        let unchanged = |message: String| ApplyResourceChangeResponse {
            new_state: Ok(request.prior_state.clone()),
            private: request.planned_private.clone(),
            new_identity: None,
            legacy_type_system: true,
            diagnostics: Diagnostic::error(message).into(),
        };
        match self.faults.effect(false) {
            None => Ok(service.apply_resource_change(request).await),
            Some(Effect::Fails(message)) => Ok(unchanged(message)),
            Some(Effect::TimesOut) if request.planned_state.is_null() => Ok(unchanged(
                "timeout while waiting for the object to be deleted".to_owned(),
            )),
            Some(Effect::TimesOut) => {
                let mut response = service.apply_resource_change(request).await;
                let late = "timeout while waiting for the object to become ready (timeout: 30m0s)";
                response.diagnostics.push(Diagnostic::error(late));
                Ok(response)
            }
            Some(Effect::LosesAnswer) => {
                service.apply_resource_change(request).await;
                self.gone.store(true, Ordering::Relaxed);
                Err(gone(RPC))
            }
            Some(Effect::Dies) => {
                service.apply_resource_change(request).await;
                self.faults.die();
                std::future::pending().await
            }
        }
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        self.ask("ImportResourceState").await?;
        Ok(self.sandbox.service().import_resource_state(request).await)
    }

    async fn move_resource_state(
        &self,
        request: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        self.ask("MoveResourceState").await?;
        Ok(self.sandbox.service().move_resource_state(request).await)
    }

    async fn read_data_source(
        &self,
        request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        self.ask("ReadDataSource").await?;
        Ok(self.sandbox.service().read_data_source(request).await)
    }

    async fn call_function(
        &self,
        request: CallFunction<'_>,
    ) -> Result<CallFunctionResponse, CallError> {
        self.ask("CallFunction").await?;
        Ok(self.sandbox.service().call_function(request).await)
    }

    async fn validate_ephemeral_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.ask("ValidateEphemeralResourceConfig").await?;
        let service = self.sandbox.service();
        Ok(service
            .validate_ephemeral_resource_config(type_name, config)
            .await)
    }

    async fn open_ephemeral_resource(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> Result<OpenEphemeralResourceResponse, CallError> {
        self.ask("OpenEphemeralResource").await?;
        Ok(self
            .sandbox
            .service()
            .open_ephemeral_resource(request)
            .await)
    }

    async fn renew_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<RenewEphemeralResourceResponse, CallError> {
        self.ask("RenewEphemeralResource").await?;
        Ok(self
            .sandbox
            .service()
            .renew_ephemeral_resource(request)
            .await)
    }

    async fn close_ephemeral_resource(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        self.ask("CloseEphemeralResource").await?;
        Ok(self
            .sandbox
            .service()
            .close_ephemeral_resource(request)
            .await)
    }

    async fn stop(&self) -> Result<(), CallError> {
        Ok(())
    }

    async fn shutdown(&self) {}
}
