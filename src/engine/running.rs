//! The provider processes of a run: started when first needed, configured once, shared by planning and applying, and by equal
//! configurations.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use terrane_core::addr::{ProviderConfigAddr, ProviderSource};
use terrane_core::{Diagnostic, Diagnostics, ProviderConfig, Scope, Value};
use terrane_provider::{CallError, Provider, Providers};
use terrane_state::Clock;

use crate::calls::Calls;
use crate::config::{self, Config};
use crate::ephemerals::Ephemerals;
use crate::event::{Event, EventSink};
use crate::evidence::place;
use crate::first_plans::{FinalPlans, FirstPlans};
use crate::idle::Uses;
use crate::newer;
use crate::plan_cache::{Asked, Asleep, Memory};

/// Processes providers by configuration.
pub(crate) struct RunningProviders<'a> {
    providers: &'a dyn Providers,
    events: &'a dyn EventSink,
    clock: &'a dyn Clock,
    pub(crate) configured: RefCell<BTreeMap<ProviderConfigAddr, RunningProvider>>,
    /// Processes that have not been configured yet, from validation.
    unconfigured: RefCell<BTreeMap<ProviderSource, Arc<dyn Provider>>>,
    processes: Processes,
    final_plans: FinalPlans,
    calls: Calls,
    ephemerals: Ephemerals,
    memory: Option<Memory>,
    pub(crate) uses: Uses,
    /// One process is started for functions at a time.
    starting: tokio::sync::Mutex<()>,
    /// One process is configured at a time, so that two steps never start two for the same configuration.
    pub(crate) configuring: tokio::sync::Mutex<()>,
}

/// Every process that was started and not shut down. An interrupt stops them.
pub(crate) type Processes = Arc<Mutex<Vec<Arc<dyn Provider>>>>;

/// A configured process.
#[derive(Clone)]
pub(crate) struct RunningProvider {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) first_plans: Rc<FirstPlans>,
    config: Rc<Config>,
    /// The configuration that the process was given.
    pub(crate) redirected: Rc<Value>,
    pub(crate) place: Rc<str>,
    /// The process has ended to make room for another, or nobody has needed one so far.
    pub(crate) is_ended: bool,
}

/// A provider that is configured.
pub(crate) struct Configured {
    pub(crate) provider: Arc<dyn Provider>,
    /// The first plans that it answered.
    pub(crate) first_plans: Rc<FirstPlans>,
    /// With what.
    pub(crate) config: Rc<Config>,
    /// The hash of where that makes it look.
    pub(crate) place: Rc<str>,
    /// Its warnings.
    pub(crate) warnings: Diagnostics,
}

impl<'a> RunningProviders<'a> {
    pub(crate) fn new(
        providers: &'a dyn Providers,
        events: &'a dyn EventSink,
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            providers,
            events,
            clock,
            configured: RefCell::default(),
            unconfigured: RefCell::default(),
            processes: Processes::default(),
            final_plans: FinalPlans::default(),
            calls: Calls::default(),
            ephemerals: Ephemerals::default(),
            memory: None,
            uses: Uses::default(),
            starting: tokio::sync::Mutex::default(),
            configuring: tokio::sync::Mutex::default(),
        }
    }

    /// Where events go.
    pub(crate) fn events(&self) -> &'a dyn EventSink {
        self.events
    }

    pub(crate) fn clock(&self) -> &'a dyn Clock {
        self.clock
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    pub(crate) fn ephemerals(&self) -> &Ephemerals {
        &self.ephemerals
    }

    /// What earlier plans found, where a run remembers it.
    pub(crate) fn memory(&self) -> Option<&Memory> {
        self.memory.as_ref()
    }

    pub(crate) fn remember(&mut self, memory: Memory) {
        self.memory = Some(memory);
    }

    /// Finds out which builds of a program's providers would be started, where a run remembers what they said.
    pub(crate) async fn know_builds(&self, declared: &[ProviderConfig]) {
        if let Some(memory) = &self.memory {
            let sources = declared.iter().map(|config| &config.address.source);
            memory
                .begin(self.providers, sources, self.clock.now())
                .await;
        }
    }

    /// A configured provider as it is: its process may have ended, or not been started.
    pub(crate) fn as_it_is(&self, address: &ProviderConfigAddr) -> Option<RunningProvider> {
        self.configured.borrow().get(address).cloned()
    }

    /// Whether nothing has needed a process of that configuration so far.
    pub(crate) fn rests(&self, address: &ProviderConfigAddr) -> bool {
        let running = self.as_it_is(address);
        running.is_some_and(|running| running.is_ended)
    }

    /// The same as [`configure_as_declared`](Self::configure_as_declared) without a process, where the provider took the same
    /// configuration before; the first request to it starts one. `None` where it has to be configured.
    pub(crate) async fn configure_at_rest(
        &self,
        declared: &ProviderConfig,
        scope: &impl Scope,
    ) -> Result<Option<Configured>, Diagnostics> {
        let address = &declared.address;
        let source = &address.source;
        let Some(memory) = &self.memory else {
            return Ok(None);
        };
        let _one_at_a_time = self.configuring.lock().await;
        if let Some(running) = self.as_it_is(address) {
            let config = configuration(declared, &*running.provider, scope, self).await?;
            let is_same = running.config.value == config.value;
            return Ok(is_same.then(|| running.into()));
        }
        let Some(known) = memory.provider(source) else {
            return Ok(None);
        };
        let asleep: Arc<dyn Provider> = Arc::new(Asleep(known));
        // What is wrong with it, the provider itself says.
        let Ok(config) = configuration(declared, &*asleep, scope, self).await else {
            return Ok(None);
        };
        let Ok(schema) = asleep.config_schema() else {
            return Ok(None);
        };
        let redirected = Config {
            value: declared.redirected(&config.value, &schema),
            sensitive: config.sensitive.clone(),
        };
        let place: Rc<str> = place(&schema.block, &redirected).into();
        let asked = Asked {
            source,
            place: &place,
        };
        if !config.value.is_wholly_known() || !memory.knows_configuration(asked) {
            return Ok(None);
        }
        let mut configured = self.configured.borrow_mut();
        let mut others = configured.iter();
        let equal = others
            .find(|(at, other)| at.source == *source && *other.redirected == redirected.value);
        let running = match equal {
            Some((_, other)) => other.clone(),
            None => RunningProvider {
                provider: asleep,
                first_plans: Rc::default(),
                config: Rc::new(config),
                redirected: Rc::new(redirected.value),
                place,
                is_ended: true,
            },
        };
        configured.insert(address.clone(), running.clone());
        Ok(Some(running.into()))
    }

    /// Some process of that provider, configured or not.
    pub(crate) async fn process_of(
        &self,
        source: &ProviderSource,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        let _one_at_a_time = self.starting.lock().await;
        let configured = {
            let configured = self.configured.borrow();
            let mut running = configured.iter().filter(|(_, running)| !running.is_ended);
            let known = running.find(|(address, _)| address.source == *source);
            known.map(|(_, running)| running.provider.clone())
        };
        match configured {
            Some(provider) => Ok(provider),
            None => self.unconfigured(source).await,
        }
    }

    pub(crate) fn processes(&self) -> Processes {
        self.processes.clone()
    }

    /// When creations are planned again.
    pub(crate) fn set_final_plans(&mut self, final_plans: FinalPlans) {
        self.final_plans = final_plans;
    }

    /// Whether first plans of creations are kept.
    pub(crate) fn keeps_first_plans(&self) -> bool {
        self.final_plans == FinalPlans::WhereNeeded
    }

    /// Another plan is about to be made.
    pub(crate) fn forget_first_plans(&self) {
        for running in self.configured.borrow().values() {
            running.first_plans.clear();
        }
    }

    /// The hash of where a running provider was configured to look.
    pub(crate) fn place(&self, address: &ProviderConfigAddr) -> Option<Rc<str>> {
        self.configured
            .borrow()
            .get(address)
            .map(|running| running.place.clone())
    }

    /// A process of that provider that is not configured yet: enough for schemas and validation.
    pub(crate) async fn unconfigured(
        &self,
        source: &ProviderSource,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        if let Some(provider) = self.unconfigured.borrow().get(source) {
            return Ok(provider.clone());
        }
        let provider = self.start(source).await?;
        self.unconfigured
            .borrow_mut()
            .insert(source.clone(), provider.clone());
        Ok(provider)
    }

    pub(crate) async fn start(
        &self,
        source: &ProviderSource,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        self.make_room().await;
        let provider = self.providers.start(source).await.map_err(|error| {
            let mut diagnostic = Diagnostic::error(error.summary)
                .detail(error.detail)
                .address(source);
            diagnostic.hints = error.hints;
            Diagnostics::from(diagnostic)
        })?;
        self.processes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(provider.clone());
        Ok(provider)
    }

    /// The provider with the configuration that a program declares, as far as it is known now, starting and configuring a process unless one with the same configuration runs.
    ///
    /// A process is configured once in its life, so another configuration (at apply, when an unknown has become known) needs another
    /// process.
    pub(crate) async fn configure_as_declared(
        &self,
        declared: &ProviderConfig,
        scope: &impl Scope,
    ) -> Result<Configured, Diagnostics> {
        let address = &declared.address;
        let _one_at_a_time = self.configuring.lock().await;
        let existing = self.configured.borrow().get(address).cloned();
        if let Some(running) = existing {
            let config = configuration(declared, &*running.provider, scope, self).await?;
            if running.config.value == config.value {
                return Ok(self.woken(address, running).await?.into());
            }
            self.configured.borrow_mut().remove(address);
            if !running.is_ended {
                self.retire(&running.provider).await;
            }
        }
        if let Some(shared) = self.shared(declared, scope).await? {
            let mut configured = self.configured.borrow_mut();
            configured.insert(address.clone(), shared.clone());
            self.uses.note(address);
            return Ok(shared.into());
        }
        self.events.emit(Event::ProviderStarting {
            provider: address.clone(),
        });
        let started = self.clock.monotonic();
        let unused = self.unconfigured.borrow_mut().remove(&address.source);
        let provider = match unused {
            Some(provider) => provider,
            None => self.start(&address.source).await?,
        };
        let config = configuration(declared, &*provider, scope, self).await?;
        let failed = |error: CallError| call_failed(&error, address);
        let mut diagnostics = provider
            .validate_provider_config(&config.value)
            .await
            .map_err(failed)?;
        let schema = provider.config_schema().map_err(failed)?;
        // What leads to an emulator is ours and needs no validation, which costs the AWS provider two seconds for its endpoints.
        let redirected = Config {
            value: declared.redirected(&config.value, &schema),
            sensitive: config.sensitive.clone(),
        };
        if !diagnostics.has_errors() {
            let configured = provider.configure(&redirected.value).await;
            diagnostics.extend(configured.map_err(failed)?);
        }
        let (provider, warnings) = diagnostics.into_result(provider)?;
        let place: Rc<str> = place(&schema.block, &redirected).into();
        if let Some(memory) = &self.memory
            && warnings.is_empty()
            && config.value.is_wholly_known()
        {
            let asked = Asked {
                source: &address.source,
                place: &place,
            };
            memory.note_configuration(asked, &*provider);
        }
        let config = Rc::new(config);
        let first_plans = Rc::<FirstPlans>::default();
        let running = RunningProvider {
            provider: provider.clone(),
            first_plans: first_plans.clone(),
            config: config.clone(),
            redirected: Rc::new(redirected.value),
            place: place.clone(),
            is_ended: false,
        };
        self.uses.note(address);
        self.configured
            .borrow_mut()
            .insert(address.clone(), running);
        let elapsed = self.clock.monotonic().saturating_sub(started);
        self.events.emit(Event::ProviderReady {
            provider: address.clone(),
            elapsed,
        });
        Ok(Configured {
            provider,
            first_plans,
            config,
            place,
            warnings,
        })
    }

    /// A process that runs with the configuration which a program declares under another name. First plans are of addresses, so they can
    /// share those as well.
    async fn shared(
        &self,
        declared: &ProviderConfig,
        scope: &impl Scope,
    ) -> Result<Option<RunningProvider>, Diagnostics> {
        let source = &declared.address.source;
        let same_provider = {
            let configured = self.configured.borrow();
            let mut others = configured.iter();
            let other = others.find(|(other, _)| other.source == *source);
            other.map(|(_, other)| other.provider.clone())
        };
        let Some(any) = same_provider else {
            return Ok(None);
        };
        let config = configuration(declared, &*any, scope, self).await?;
        // A configuration that is known in part only may turn out to be another one.
        if !config.value.is_wholly_known() {
            return Ok(None);
        }
        let failed = |error: CallError| call_failed(&error, &declared.address);
        let schema = any.config_schema().map_err(failed)?;
        let redirected = declared.redirected(&config.value, &schema);
        drop(any);
        let equal = {
            let configured = self.configured.borrow();
            let mut others = configured.iter();
            let equal = |(at, other): &(&ProviderConfigAddr, &RunningProvider)| {
                at.source == *source && *other.redirected == redirected
            };
            others
                .find(equal)
                .map(|(at, other)| (at.clone(), other.clone()))
        };
        match equal {
            None => Ok(None),
            Some((at, other)) => self.woken(&at, other).await.map(Some),
        }
    }

    /// Ends a process that has been replaced; one with an operation still in it lives until the run ends.
    async fn retire(&self, provider: &Arc<dyn Provider>) {
        // The list of processes and the caller hold it; any other holder is using it.
        const UNUSED: usize = 2;
        if Arc::strong_count(provider) > UNUSED {
            return;
        }
        self.end(provider).await;
    }

    /// Ends a process that nothing uses.
    pub(crate) async fn end(&self, provider: &Arc<dyn Provider>) {
        self.processes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .retain(|running| !Arc::ptr_eq(running, provider));
        provider.shutdown().await;
    }

    /// Ends every process.
    pub(crate) async fn close(&self) {
        self.configured.borrow_mut().clear();
        self.unconfigured.borrow_mut().clear();
        let running = std::mem::take(
            &mut *self
                .processes
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        join_all(running.iter().map(|provider| provider.shutdown())).await;
    }
}

impl From<RunningProvider> for Configured {
    fn from(running: RunningProvider) -> Self {
        Self {
            provider: running.provider,
            first_plans: running.first_plans,
            config: running.config,
            place: running.place,
            warnings: Diagnostics::new(),
        }
    }
}

/// The configuration that a program declares for a provider, as that scope knows it.
pub(crate) async fn configuration(
    declared: &ProviderConfig,
    provider: &dyn Provider,
    scope: &impl Scope,
    running: &RunningProviders<'_>,
) -> Result<Config, Diagnostics> {
    let schema = provider
        .config_schema()
        .map_err(|error| call_failed(&error, &declared.address))?;
    config::evaluate(
        &declared.arguments,
        &schema,
        scope,
        &declared.address,
        declared.location,
        running,
    )
    .await
    .map_err(|errors| newer::explained_configuration(errors, declared, &schema))
}

/// The diagnostic for a call that has no response.
pub(crate) fn call_failed(error: &CallError, address: impl std::fmt::Display) -> Diagnostics {
    let mut diagnostic = Diagnostic::error(error.to_string()).address(address);
    match error {
        CallError::Gone { last_words, .. } => {
            diagnostic = diagnostic.detail(last_words.clone()).hint(
                "this is a bug in the provider or a kill from outside; its last words are above",
            );
        }
        CallError::Garbled { .. } => {
            diagnostic =
                diagnostic.hint("this is a bug in the provider; report it to its developers");
        }
        _ => {}
    }
    diagnostic.into()
}
