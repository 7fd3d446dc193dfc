//! The sandbox as a provider in this process, whose operations may outlive their callers: a request may take effect after
//! the caller has died.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use terrane_core::addr::ProviderSource;
use terrane_core::schema::{IdentitySchema, Schema};
use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, Capabilities, ImportResourceState,
    ImportResourceStateResponse, MoveResourceState, MoveResourceStateResponse, PlanResourceChange,
    PlanResourceChangeResponse, Provider, Providers, ReadDataSource, ReadDataSourceResponse,
    ReadResource, ReadResourceResponse, StartError, UpgradeResourceIdentity,
    UpgradeResourceIdentityResponse, UpgradeResourceState, UpgradeResourceStateResponse,
};
use terrane_sandbox::{Happened, InMemory, Types};
use terrane_state::Clock as _;

use crate::schedule::Late;
use crate::simulation::Simulation;

/// How long after its run's death an operation takes place that the next run has looked for already.
const LATE: Duration = Duration::from_secs(60);

/// The most that half an operation takes, in milliseconds; most, and the long ones.
const OPERATION: [usize; 4] = [2_000, 2_000, 2_000, 40_000];
/// The most that another call takes, in milliseconds.
const CALL: usize = 20;

/// The types of the bindings that schedules use.
pub(crate) fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| Types::read(&terrane_aws::PROVIDER.facts.join("\n")))
}

/// The objects, and the requests that have not taken effect.
pub(crate) struct SimulatedCloud {
    pub(crate) sandbox: InMemory,
    under_way: Mutex<Vec<UnderWay>>,
}

/// An operation that the cloud has heard of and not begun.
struct UnderWay {
    number: u64,
    process: usize,
    type_name: String,
    prior: Value,
    planned: Value,
    config: Value,
    private: Bytes,
    /// When it takes effect, once no caller waits for it.
    at: Option<Duration>,
}

impl SimulatedCloud {
    pub(crate) fn new() -> Self {
        Self {
            sandbox: InMemory::new(types()),
            under_way: Mutex::default(),
        }
    }

    /// Another one with the same objects.
    pub(crate) fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            under_way: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<UnderWay>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, number: u64) -> Option<UnderWay> {
        let mut under_way = self.lock();
        let place = under_way
            .iter()
            .position(|operation| operation.number == number)?;
        Some(under_way.remove(place))
    }

    /// The requests that the cloud has received and not begun.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().is_empty()
    }

    /// The requests of a process have no caller any more.
    pub(crate) fn abandon(&self, process: usize, late: Late, now: Duration) {
        let mut under_way = self.lock();
        let mut kept = Vec::new();
        for mut operation in under_way.drain(..) {
            if operation.process == process && operation.at.is_none() {
                match late {
                    Late::Never => continue,
                    Late::BeforeLook => operation.at = Some(now),
                    Late::AfterLook => operation.at = Some(now + LATE),
                }
            }
            kept.push(operation);
        }
        *under_way = kept;
    }

    /// Lets everything take place that is due.
    pub(crate) fn land(&self, now: Duration) {
        loop {
            let due = {
                let mut under_way = self.lock();
                let place = under_way
                    .iter()
                    .position(|operation| operation.at.is_some_and(|at| at <= now));
                place.map(|place| under_way.remove(place))
            };
            let Some(operation) = due else { break };
            // Nobody hears the answer.
            let _ = self.commit(&operation);
        }
    }

    fn commit(&self, operation: &UnderWay) -> ApplyResourceChangeResponse {
        let request = ApplyResourceChange {
            provider_meta: None,
            type_name: &operation.type_name,
            prior_state: &operation.prior,
            planned_state: &operation.planned,
            config: &operation.config,
            planned_private: &operation.private,
            planned_identity: None,
        };
        at_once(self.sandbox.service().apply_resource_change(request))
    }

    pub(crate) fn ledger(&self) -> Vec<Happened> {
        self.sandbox.ledger()
    }
}

/// The answer of the sandbox, which is immediate.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("this sandbox never waits")
}

/// Starts providers for one process.
pub(crate) struct Plugins {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) process: usize,
}

/// A provider process.
struct Plugin {
    simulation: Arc<Simulation>,
    process: usize,
}

#[async_trait]
impl Providers for Plugins {
    async fn start(&self, source: &ProviderSource) -> Result<Arc<dyn Provider>, StartError> {
        if &*source.type_name != "aws" {
            return Err(StartError::new(format!("there is no provider {source}")));
        }
        self.simulation.takes(CALL).await;
        Ok(Arc::new(Plugin {
            simulation: self.simulation.clone(),
            process: self.process,
        }))
    }
}

impl Plugin {
    fn alive(&self, rpc: &'static str) -> Result<(), CallError> {
        if self
            .simulation
            .process(self.process, |process| process.provider_dead)
        {
            return Err(CallError::Gone {
                rpc,
                last_words: String::new(),
            });
        }
        Ok(())
    }

    /// A call that changes nothing.
    async fn call(&self, rpc: &'static str) -> Result<(), CallError> {
        self.simulation.takes(CALL).await;
        self.simulation.cloud.land(self.simulation.time.monotonic());
        self.alive(rpc)
    }

    /// The provider is gone: requests that the cloud has received may still take effect.
    fn died(&self, rpc: &'static str) -> CallError {
        let simulation = &self.simulation;
        simulation.process(self.process, |process| process.provider_dead = true);
        let now = simulation.time.monotonic();
        simulation
            .cloud
            .abandon(self.process, simulation.schedule.late, now);
        CallError::Gone {
            rpc,
            last_words: String::new(),
        }
    }
}

#[async_trait]
impl Provider for Plugin {
    fn capabilities(&self) -> Capabilities {
        self.simulation.cloud.sandbox.service().capabilities()
    }

    fn is_running(&self) -> bool {
        self.alive("").is_ok()
    }

    fn config_schema(&self) -> Result<Arc<Schema>, CallError> {
        let schema = types().schema().provider.clone();
        Ok(schema.expect("the provider has a schema"))
    }

    fn resource_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(types().schema().resources.get(type_name).cloned())
    }

    fn data_source_schema(&self, type_name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        Ok(types().schema().data_sources.get(type_name).cloned())
    }

    fn identity_schema(&self, _: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        Ok(None)
    }

    async fn validate_provider_config(&self, config: &Value) -> Result<Diagnostics, CallError> {
        self.call("ValidateProviderConfig").await?;
        let service = self.simulation.cloud.sandbox.service();
        Ok(at_once(service.validate_provider_config(config)))
    }

    async fn configure(&self, config: &Value) -> Result<Diagnostics, CallError> {
        self.call("ConfigureProvider").await?;
        Ok(at_once(
            self.simulation.cloud.sandbox.service().configure(config),
        ))
    }

    async fn validate_resource_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.call("ValidateResourceConfig").await?;
        let service = self.simulation.cloud.sandbox.service();
        Ok(at_once(service.validate_resource_config(type_name, config)))
    }

    async fn validate_data_source_config(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        self.call("ValidateDataResourceConfig").await?;
        let service = self.simulation.cloud.sandbox.service();
        Ok(at_once(
            service.validate_data_source_config(type_name, config),
        ))
    }

    async fn upgrade_resource_state(
        &self,
        request: UpgradeResourceState<'_>,
    ) -> Result<UpgradeResourceStateResponse, CallError> {
        self.call("UpgradeResourceState").await?;
        let schema = types().schema().resources.get(request.type_name);
        let ty = schema.expect("a type of this provider").ty();
        let service = self.simulation.cloud.sandbox.service();
        Ok(at_once(service.upgrade_resource_state(request, ty)))
    }

    async fn upgrade_resource_identity(
        &self,
        _: UpgradeResourceIdentity<'_>,
    ) -> Result<UpgradeResourceIdentityResponse, CallError> {
        Err(CallError::Unimplemented {
            rpc: "UpgradeResourceIdentity",
        })
    }

    async fn read_resource(
        &self,
        request: ReadResource<'_>,
    ) -> Result<ReadResourceResponse, CallError> {
        self.call("ReadResource").await?;
        Ok(at_once(
            self.simulation
                .cloud
                .sandbox
                .service()
                .read_resource(request),
        ))
    }

    async fn plan_resource_change(
        &self,
        request: PlanResourceChange<'_>,
    ) -> Result<PlanResourceChangeResponse, CallError> {
        self.call("PlanResourceChange").await?;
        let service = self.simulation.cloud.sandbox.service();
        Ok(at_once(service.plan_resource_change(request)))
    }

    async fn apply_resource_change(
        &self,
        request: ApplyResourceChange<'_>,
    ) -> Result<ApplyResourceChangeResponse, CallError> {
        const RPC: &str = "ApplyResourceChange";
        let simulation = &self.simulation;
        self.alive(RPC)?;
        simulation.cloud.land(simulation.time.monotonic());
        let number = simulation.dice.next();
        simulation.cloud.lock().push(UnderWay {
            number,
            process: self.process,
            type_name: request.type_name.to_owned(),
            prior: request.prior_state.clone(),
            planned: request.planned_state.clone(),
            config: request.config.clone(),
            private: request.planned_private.clone(),
            at: None,
        });
        let fault = simulation.place("cloud.asked").await;
        simulation.takes(*simulation.dice.pick(&OPERATION)).await;
        if self.alive(RPC).is_err() {
            return Err(self.died(RPC));
        }
        let Some(operation) = simulation.cloud.take(number) else {
            return Err(self.died(RPC));
        };
        if fault.is_some() {
            return Ok(ApplyResourceChangeResponse {
                new_state: Ok(operation.prior),
                private: operation.private,
                new_identity: None,
                legacy_type_system: true,
                diagnostics: Diagnostic::error("AWS is having a bad day").into(),
            });
        }
        let response = simulation.cloud.commit(&operation);
        simulation.place("cloud.done").await;
        simulation.takes(*simulation.dice.pick(&OPERATION)).await;
        if self.alive(RPC).is_err() {
            return Err(self.died(RPC));
        }
        Ok(response)
    }

    async fn import_resource_state(
        &self,
        request: ImportResourceState<'_>,
    ) -> Result<ImportResourceStateResponse, CallError> {
        self.call("ImportResourceState").await?;
        let service = self.simulation.cloud.sandbox.service();
        Ok(at_once(service.import_resource_state(request)))
    }

    async fn move_resource_state(
        &self,
        _: MoveResourceState<'_>,
    ) -> Result<MoveResourceStateResponse, CallError> {
        Err(CallError::Unimplemented {
            rpc: "MoveResourceState",
        })
    }

    async fn read_data_source(
        &self,
        request: ReadDataSource<'_>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        self.call("ReadDataSource").await?;
        Ok(at_once(
            self.simulation
                .cloud
                .sandbox
                .service()
                .read_data_source(request),
        ))
    }

    async fn stop(&self) -> Result<(), CallError> {
        self.alive("StopProvider")
    }

    async fn shutdown(&self) {}
}
