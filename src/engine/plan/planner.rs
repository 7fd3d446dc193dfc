//! Makes a plan: walks the program and the state once, several instances at a time.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{
    InstanceAddr, InstanceKey, Mode, ModuleAddr, ProviderConfigAddr, ProviderSource, ResourceAddr,
};
use terrane_core::schema::Schema;
use terrane_core::{Diagnostic, Diagnostics, Marked, Program, Value};
use terrane_provider::Provider;
use terrane_state::{DeposedKey, Instance, Object, State};

use super::closure::Closures;
use super::instance::{Planned, Wish};
use super::selection::Selection;
use super::{Plan, outputs, steps};
use crate::change::{Action, Drift, Reason, ResourceChange};
use crate::config::{self, Config};
use crate::diff::proposed_unknown;
use crate::event::{Event, EventSink};
use crate::object::{Loaded, Subject, schema_of};
use crate::options::{PlanMode, PlanOptions, RefreshPolicy};
use crate::scope::Objects;
use crate::sessions::{Sessions, call_failed};
use crate::stop::StopFlag;
use crate::walk::{Outcome, walk};

/// The state of one planning walk.
pub(crate) struct Planner<'a> {
    program: &'a Program,
    prior: &'a State,
    options: &'a PlanOptions,
    sessions: &'a Sessions<'a>,
    events: &'a dyn EventSink,
    stop: StopFlag,
    selection: Selection,
    orphans: Vec<Arc<InstanceAddr>>,
    siblings: Siblings<'a>,
    closures: Closures,
    create_before_destroy: Vec<bool>,
    /// The address that a provider configuration has in the state: the state's own, where only the registry host differs.
    provider_addresses: Vec<ProviderConfigAddr>,
    objects: Objects<'a>,
    declared_changes: RefCell<Vec<Option<ResourceChange>>>,
    other_changes: RefCell<BTreeMap<(Arc<InstanceAddr>, Option<DeposedKey>), ResourceChange>>,
    drift: RefCell<BTreeMap<Arc<InstanceAddr>, Drift>>,
    refreshed: RefCell<State>,
    diagnostics: RefCell<Diagnostics>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(
        program: &'a Program,
        prior: &'a State,
        options: &'a PlanOptions,
        sessions: &'a Sessions<'a>,
        events: &'a dyn EventSink,
        stop: StopFlag,
    ) -> Result<Self, Diagnostics> {
        let mut refreshed = prior.clone();
        let mut orphans = Vec::new();
        for address in prior.resources.keys() {
            if program.position(address).is_some() {
                continue;
            }
            match address.resource.mode {
                Mode::Managed => orphans.push(Arc::new(address.clone())),
                // Nothing stands behind a data resource; it is read again by whoever declares it.
                Mode::Data => refreshed.set_instance(address, None),
            }
        }
        Ok(Self {
            program,
            prior,
            options,
            sessions,
            events,
            stop,
            selection: Selection::new(program, &orphans, prior, options)?,
            orphans,
            siblings: Siblings::new(program),
            closures: Closures::new(program),
            create_before_destroy: forced_create_before_destroy(program),
            provider_addresses: stored_provider_addresses(program, prior),
            objects: Objects::new(program),
            declared_changes: RefCell::new(vec![None; program.resources().len()]),
            other_changes: RefCell::default(),
            drift: RefCell::default(),
            refreshed: RefCell::new(refreshed),
            diagnostics: RefCell::default(),
        })
    }

    /// Walks, and puts the plan together.
    pub(crate) async fn plan(self, parallelism: usize) -> Result<Plan, Diagnostics> {
        let resources = self.program.resources().len();
        let providers = self.program.providers().len();
        let mut graph: Vec<Vec<usize>> = Vec::with_capacity(resources + providers);
        let mut provider_needed = vec![false; providers];
        for (position, resource) in self.program.resources().iter().enumerate() {
            let mut needed = resource.dependencies.clone();
            needed.push(resources + resource.provider);
            graph.push(needed);
            provider_needed[resource.provider] |= self.looks_at(position);
        }
        graph.extend(
            self.program
                .providers()
                .iter()
                .map(|provider| provider.dependencies.clone()),
        );
        let mut orphan_providers = Vec::with_capacity(self.orphans.len());
        for (place, address) in self.orphans.iter().enumerate() {
            let provider = self.orphan_provider(address);
            if let Some(provider) = provider {
                provider_needed[provider] |= self.selection.orphan(place);
            }
            graph.push(
                provider
                    .map(|provider| resources + provider)
                    .into_iter()
                    .collect(),
            );
            orphan_providers.push(provider);
        }
        self.events.emit(Event::PlanStarted {
            total: resources + self.orphans.len(),
        });
        let this = &self;
        let stopped = self.stop.clone();
        let stopped = &stopped;
        let (provider_needed, orphan_providers) = (&provider_needed, &orphan_providers);
        let run = |node: usize| async move {
            if stopped.is_stopped() {
                return Outcome::Failed;
            }
            let result = if node < resources {
                this.declared(node).await
            } else if node < resources + providers {
                let provider = node - resources;
                if provider_needed[provider] {
                    this.configure(provider).await
                } else {
                    Ok(())
                }
            } else {
                let place = node - resources - providers;
                this.orphan(place, orphan_providers[place]).await
            };
            match result {
                Ok(()) => Outcome::Done,
                Err(diagnostics) => {
                    this.diagnostics.borrow_mut().extend(diagnostics);
                    Outcome::Failed
                }
            }
        };
        walk(&graph, parallelism, run, |_| {}).await;
        self.finish()
    }

    fn finish(self) -> Result<Plan, Diagnostics> {
        let mut diagnostics = self.diagnostics.into_inner();
        if self.stop.is_stopped() {
            diagnostics.push(Diagnostic::error(
                "interrupted while planning; nothing was changed",
            ));
        }
        if diagnostics.has_errors() {
            return Err(deduplicated(diagnostics));
        }
        let outputs = outputs::plan(
            self.program,
            self.prior,
            &self.objects,
            self.options.mode,
            self.selection.is_partial(),
        )?;
        let mut changes: Vec<ResourceChange> = self
            .declared_changes
            .into_inner()
            .into_iter()
            .flatten()
            .collect();
        changes.extend(self.other_changes.into_inner().into_values());
        let refreshed = self.refreshed.into_inner();
        let steps = steps::build(self.program, &changes, &refreshed)?;
        if self.selection.is_partial() {
            diagnostics.push(
                Diagnostic::warning("the plan covers only a part of the stack")
                    .detail("`--target` or `--exclude` left the rest out; exported values may be out of date")
                    .hint("run without them afterwards"),
            );
        }
        Ok(Plan {
            mode: self.options.mode,
            changes,
            drift: self.drift.into_inner().into_values().collect(),
            outputs,
            steps,
            diagnostics: deduplicated(diagnostics),
            prior: self.prior.clone(),
            refreshed,
            objects: self.objects.into_inner(),
        })
    }

    /// Whether a declared instance needs its provider in this run.
    fn looks_at(&self, position: usize) -> bool {
        let resource = &self.program.resources()[position];
        self.selection.declared(position)
            && (self.options.mode == PlanMode::Normal
                || self.prior.instance(&resource.address).is_some())
    }

    /// The program's configuration that serves an orphan.
    fn orphan_provider(&self, address: &InstanceAddr) -> Option<usize> {
        let stored = &self.prior.instance(address)?.provider;
        let exact = self
            .provider_addresses
            .iter()
            .position(|provider| provider == stored);
        // Modules have no configurations of their own here; a state of another tool may name one.
        exact.or_else(|| {
            self.provider_addresses.iter().position(|provider| {
                same_provider(&provider.source, &stored.source) && provider.alias == stored.alias
            })
        })
    }

    async fn configure(&self, position: usize) -> Result<(), Diagnostics> {
        let provider = &self.program.providers()[position];
        let evaluate = |running: &dyn Provider| {
            let schema = running
                .config_schema()
                .map_err(|error| call_failed(&error, &provider.address))?;
            let config = config::evaluate(
                &provider.arguments,
                &schema,
                &self.objects,
                &provider.address,
                provider.location,
            )?;
            Ok(config.value)
        };
        let (_, warnings) = self.sessions.configure(&provider.address, evaluate).await?;
        self.diagnostics.borrow_mut().extend(warnings);
        Ok(())
    }

    async fn declared(&self, position: usize) -> Result<(), Diagnostics> {
        let resource = &self.program.resources()[position];
        if !self.looks_at(position) {
            self.objects
                .set(position, Arc::new(Marked::plain(Value::UNKNOWN)));
            return Ok(());
        }
        let address = &self.program.providers()[resource.provider].address;
        let provider = self
            .sessions
            .configured(address)
            .expect("invariant: a provider is configured before what it serves");
        match resource.mode() {
            Mode::Managed => self.managed(position, &*provider).await?,
            Mode::Data => self.data(position, &*provider).await?,
        }
        let action = self.action_of(position);
        self.events.emit(Event::InstancePlanned {
            address: resource.address.clone(),
            action,
        });
        Ok(())
    }

    fn action_of(&self, position: usize) -> Action {
        self.declared_changes.borrow()[position]
            .as_ref()
            .map_or(Action::NoOp, |c| c.action)
    }

    async fn managed(&self, position: usize, provider: &dyn Provider) -> Result<(), Diagnostics> {
        let resource = &self.program.resources()[position];
        let address = &resource.address;
        let location = Some(resource.location);
        let provider_address = &self.provider_addresses[resource.provider];
        let schema = schema_of(provider, address, &provider_address.source, location)?;
        let warnings = &self.diagnostics;
        let subject = Subject {
            provider,
            schema: &schema,
            address,
            location,
            warnings,
        };
        let instance = self.prior.instance(address).cloned();
        self.deposed(&subject, &schema, instance.as_ref()).await?;
        let stored = instance
            .as_ref()
            .and_then(|instance| instance.current.clone());
        let current = self.refresh(&subject, &schema, stored.as_ref()).await?;

        if self.options.mode != PlanMode::Normal {
            let value = current
                .as_ref()
                .map_or(Value::UNKNOWN, |loaded| loaded.value.clone());
            let marks = current.as_ref().map(|loaded| loaded.sensitive.clone());
            let marked = subject.marked(value, &marks.unwrap_or_default());
            self.objects.set(position, Arc::new(marked));
            if let (PlanMode::Destroy, Some(current)) = (self.options.mode, current) {
                if resource.lifecycle.prevent_destroy {
                    return Err(prevented(&subject));
                }
                let change = self
                    .deletion(&subject, &schema, &current, provider_address, None)
                    .await?;
                self.declared_changes.borrow_mut()[position] = Some(change);
            }
            return Ok(());
        }

        let config = config::evaluate(
            &resource.arguments,
            &schema,
            &self.objects,
            address,
            location,
        )?;
        let create_before_destroy = self.create_before_destroy[position];
        let wish = Wish {
            ignore: &resource.lifecycle.ignore_changes,
            create_before_destroy,
            force: self.forced(position),
        };
        let planned = subject.plan(current.as_ref(), &config, wish).await?;
        if planned.action.destroys() && resource.lifecycle.prevent_destroy {
            return Err(prevented(&subject));
        }
        if let (Action::NoOp, Some(current)) = (planned.action, current.as_ref()) {
            self.keep(position, &subject, current)?;
        }
        let change = self.change(
            &subject,
            &schema,
            &config,
            planned,
            current.as_ref(),
            position,
        );
        self.objects.set(position, change.after.clone());
        self.declared_changes.borrow_mut()[position] = Some(change);
        Ok(())
    }

    /// The recorded form of a planned change.
    fn change(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        config: &Config,
        planned: Planned,
        current: Option<&Loaded>,
        position: usize,
    ) -> ResourceChange {
        let resource = &self.program.resources()[position];
        let stored_marks = current
            .map(|current| current.sensitive.clone())
            .unwrap_or_default();
        let before = subject.marked(planned.before, &stored_marks);
        let after = subject.marked(planned.after, &config.sensitive);
        let mut action = planned.action;
        // What is secret has changed, nothing else has: recorded without asking the provider anything.
        if action == Action::NoOp && before.sensitive != after.sensitive {
            action = Action::Update;
        }
        ResourceChange {
            address: resource.address.clone(),
            deposed: None,
            provider: self.provider_addresses[resource.provider].clone(),
            action,
            reason: planned.reason,
            before: Arc::new(before),
            after: Arc::new(after),
            replace_paths: planned.replace_paths,
            schema: schema.clone(),
            private: planned.private,
            before_identity: current.and_then(|current| current.identity.clone()),
            planned_identity: planned.identity,
            create_before_destroy: self.create_before_destroy[position],
            location: Some(resource.location),
        }
    }

    /// Brings what the state remembers beside the object (dependencies, order of replacement) up to date, where nothing else changes.
    fn keep(
        &self,
        position: usize,
        subject: &Subject<'_>,
        current: &Loaded,
    ) -> Result<(), Diagnostics> {
        let dependencies = self
            .closures
            .dependencies(position, Some(&current.dependencies));
        let create_before_destroy = self.create_before_destroy[position];
        if dependencies == current.dependencies
            && create_before_destroy == current.create_before_destroy
        {
            return Ok(());
        }
        let mut kept = current.clone();
        kept.dependencies = dependencies;
        kept.create_before_destroy = create_before_destroy;
        self.record(subject, Some(&kept))
    }

    /// Why the program or the command line wants a replacement, whatever the provider thinks.
    fn forced(&self, position: usize) -> Option<Reason> {
        let resource = &self.program.resources()[position];
        if self
            .options
            .replace
            .iter()
            .any(|pattern| pattern.matches(&resource.address))
        {
            return Some(Reason::ReplaceByRequest);
        }
        let changes = self.declared_changes.borrow();
        let triggered = resource
            .lifecycle
            .replace_triggered_by
            .iter()
            .any(|trigger| {
                let change = self
                    .program
                    .position(&trigger.address)
                    .and_then(|position| changes[position].as_ref());
                change.is_some_and(|change| match change.action {
                    Action::NoOp | Action::Read | Action::Delete | Action::Forget => false,
                    _ if trigger.path.is_root() => true,
                    _ => {
                        let (before, after) = (
                            change.before.value.at(&trigger.path),
                            change.after.value.at(&trigger.path),
                        );
                        match (before, after) {
                            (Some(before), Some(after)) => !before.known_equal(after),
                            (before, after) => before.is_some() != after.is_some(),
                        }
                    }
                })
            });
        triggered.then_some(Reason::ReplaceByTriggers)
    }

    /// Loads the current object and reads what it is like now.
    async fn refresh(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        stored: Option<&Arc<Object>>,
    ) -> Result<Option<Loaded>, Diagnostics> {
        let Some(stored) = stored else {
            return Ok(None);
        };
        let loaded = subject.load(stored).await?;
        if self.options.refresh == RefreshPolicy::Nothing {
            return Ok(Some(loaded));
        }
        let address = Arc::new(subject.address.clone());
        self.events.emit(Event::RefreshStarted {
            address: address.clone(),
        });
        let read = subject.read(&loaded).await?;
        self.events.emit(Event::RefreshDone {
            address: address.clone(),
        });
        let value = |loaded: &Loaded| loaded.value.clone();
        let now = read.as_ref().map_or(Value::Null, value);
        if now != loaded.value {
            let drift = Drift {
                address: address.clone(),
                provider: self.prior.instance(subject.address).map_or_else(
                    || {
                        ProviderConfigAddr::default_of(ProviderSource::implied_by(
                            subject.type_name(),
                        ))
                    },
                    |instance| instance.provider.clone(),
                ),
                before: Arc::new(subject.marked(loaded.value.clone(), &loaded.sensitive)),
                after: Arc::new(subject.marked(now, &loaded.sensitive)),
                schema: schema.clone(),
                location: subject.location,
            };
            self.drift.borrow_mut().insert(address, drift);
        }
        self.record(subject, read.as_ref())?;
        Ok(read)
    }

    /// Puts the current object of an instance into the refreshed state.
    fn record(&self, subject: &Subject<'_>, loaded: Option<&Loaded>) -> Result<(), Diagnostics> {
        let current = loaded.map(|loaded| subject.store(loaded)).transpose()?;
        let mut refreshed = self.refreshed.borrow_mut();
        let Some(instance) = refreshed.instance(subject.address) else {
            return Ok(());
        };
        if instance.current == current {
            return Ok(());
        }
        let instance = Instance {
            current,
            ..instance.as_ref().clone()
        };
        refreshed.set_instance(subject.address, Some(Arc::new(instance)));
        Ok(())
    }

    /// Plans the end of objects that an earlier run replaced and could not destroy.
    async fn deposed(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        instance: Option<&Arc<Instance>>,
    ) -> Result<(), Diagnostics> {
        let Some(instance) = instance else {
            return Ok(());
        };
        if self.options.mode == PlanMode::RefreshOnly {
            return Ok(());
        }
        for (&key, object) in &instance.deposed {
            let loaded = subject.load(object).await?;
            let read = match self.options.refresh {
                RefreshPolicy::All => subject.read(&loaded).await?,
                RefreshPolicy::Nothing => Some(loaded),
            };
            let Some(read) = read else {
                let mut refreshed = self.refreshed.borrow_mut();
                if let Some(instance) = refreshed.instance(subject.address).cloned() {
                    let mut instance = instance.as_ref().clone();
                    instance.deposed.remove(&key);
                    refreshed.set_instance(subject.address, Some(Arc::new(instance)));
                }
                continue;
            };
            let change = self
                .deletion(subject, schema, &read, &instance.provider, Some(key))
                .await?;
            self.other_changes
                .borrow_mut()
                .insert((change.address.clone(), Some(key)), change);
        }
        Ok(())
    }

    async fn deletion(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        current: &Loaded,
        provider: &ProviderConfigAddr,
        deposed: Option<DeposedKey>,
    ) -> Result<ResourceChange, Diagnostics> {
        let private = subject.plan_destroy(current).await?;
        Ok(ResourceChange {
            address: Arc::new(subject.address.clone()),
            deposed,
            provider: provider.clone(),
            action: Action::Delete,
            reason: None,
            before: Arc::new(subject.marked(current.value.clone(), &current.sensitive)),
            after: Arc::new(Marked::plain(Value::Null)),
            replace_paths: Vec::new(),
            schema: schema.clone(),
            private,
            before_identity: current.identity.clone(),
            planned_identity: None,
            create_before_destroy: current.create_before_destroy || deposed.is_some(),
            location: subject.location,
        })
    }

    /// An instance that the state has and the program does not.
    async fn orphan(&self, place: usize, provider: Option<usize>) -> Result<(), Diagnostics> {
        if !self.selection.orphan(place) {
            return Ok(());
        }
        let address = &self.orphans[place];
        let instance = self
            .prior
            .instance(address)
            .expect("invariant: orphans come from the state")
            .clone();
        // A state alone must never cause a program to be started: whoever can write it would run code here.
        let Some(provider) = provider else {
            return Err(Diagnostic::error(format!(
                "{address} is in the state, but the program does not use {}",
                instance.provider
            ))
            .address(address)
            .hint("declare that provider with `stack.provider(…)` until its last object is gone")
            .into());
        };
        let configured = &self.program.providers()[provider].address;
        let running = self
            .sessions
            .configured(configured)
            .expect("invariant: a provider is configured before what it serves");
        let schema = schema_of(&*running, address, &instance.provider.source, None)?;
        let warnings = &self.diagnostics;
        let subject = Subject {
            provider: &*running,
            schema: &schema,
            address,
            location: None,
            warnings,
        };
        self.deposed(&subject, &schema, Some(&instance)).await?;
        let current = self
            .refresh(&subject, &schema, instance.current.as_ref())
            .await?;
        let Some(current) = current else {
            return Ok(());
        };
        if self.options.mode == PlanMode::RefreshOnly {
            return Ok(());
        }
        let (reason, sibling) = self.why_orphan(address);
        if sibling
            .is_some_and(|position| self.program.resources()[position].lifecycle.prevent_destroy)
        {
            return Err(prevented(&subject));
        }
        let mut change = self
            .deletion(&subject, &schema, &current, &instance.provider, None)
            .await?;
        change.reason = (self.options.mode == PlanMode::Normal).then_some(reason);
        self.events.emit(Event::InstancePlanned {
            address: address.clone(),
            action: change.action,
        });
        self.other_changes
            .borrow_mut()
            .insert((address.clone(), None), change);
        Ok(())
    }

    /// Why an instance is not declared any more, and another instance of the same resource if there is one.
    fn why_orphan(&self, address: &InstanceAddr) -> (Reason, Option<usize>) {
        let siblings = &self.siblings;
        if let Some(&sibling) = siblings.resources.get(&address.resource) {
            let declared = &self.program.resources()[sibling].address.key;
            let reason = match (&address.key, declared) {
                (Some(InstanceKey::Int(_)), Some(InstanceKey::Int(_))) => {
                    Reason::DeleteBecauseCountIndex
                }
                (Some(InstanceKey::String(_)), Some(InstanceKey::String(_))) => {
                    Reason::DeleteBecauseEachKey
                }
                _ => Reason::DeleteBecauseWrongRepetition,
            };
            return (reason, Some(sibling));
        }
        let module = &address.resource.module;
        let known = module.is_root() || siblings.modules.contains(module);
        let reason = if known {
            Reason::DeleteBecauseNoResourceConfig
        } else {
            Reason::DeleteBecauseNoModule
        };
        (reason, None)
    }

    async fn data(&self, position: usize, provider: &dyn Provider) -> Result<(), Diagnostics> {
        let resource = &self.program.resources()[position];
        let address = &resource.address;
        let location = Some(resource.location);
        let provider_address = &self.provider_addresses[resource.provider];
        let schema = schema_of(provider, address, &provider_address.source, location)?;
        let warnings = &self.diagnostics;
        let subject = Subject {
            provider,
            schema: &schema,
            address,
            location,
            warnings,
        };
        if self.options.mode == PlanMode::Destroy {
            let stored = self
                .prior
                .instance(address)
                .and_then(|i| i.current.as_ref());
            let value = stored.and_then(|object| {
                let json = object.attributes.raw().as_str().as_bytes();
                Value::from_json(json, schema.ty()).ok()
            });
            let marked = Marked::plain(value.unwrap_or(Value::UNKNOWN));
            self.objects.set(position, Arc::new(marked));
            self.refreshed.borrow_mut().set_instance(address, None);
            return Ok(());
        }
        let config = config::evaluate(
            &resource.arguments,
            &schema,
            &self.objects,
            address,
            location,
        )?;
        let pending = resource.depends_on.iter().any(|&needed| {
            self.program.resources()[needed].mode() == Mode::Managed
                && self.action_of(needed) != Action::NoOp
        });
        if config.value.is_wholly_known() && !pending {
            let object = subject.read_data(&config).await?;
            let mut loaded = Loaded::new(object.value.clone(), bytes::Bytes::new(), None);
            loaded.dependencies = self.closures.dependencies(position, None);
            let stored = Instance::with_current(provider_address.clone(), subject.store(&loaded)?);
            self.refreshed
                .borrow_mut()
                .set_instance(address, Some(Arc::new(stored)));
            self.objects.set(position, Arc::new(object));
            return Ok(());
        }
        if self.options.mode == PlanMode::RefreshOnly {
            self.objects
                .set(position, Arc::new(Marked::plain(Value::UNKNOWN)));
            return Ok(());
        }
        let reason = if pending {
            Reason::ReadBecauseDependencyPending
        } else {
            Reason::ReadBecauseConfigUnknown
        };
        let planned = Planned {
            action: Action::Read,
            reason: Some(reason),
            before: Value::Null,
            after: proposed_unknown(&schema.block, &config.value),
            replace_paths: Vec::new(),
            private: bytes::Bytes::new(),
            identity: None,
        };
        let change = self.change(&subject, &schema, &config, planned, None, position);
        self.objects.set(position, change.after.clone());
        self.declared_changes.borrow_mut()[position] = Some(change);
        Ok(())
    }
}

/// What the program declares, by resource and by module: tells why an instance is no longer declared.
struct Siblings<'a> {
    resources: HashMap<&'a ResourceAddr, usize>,
    modules: HashSet<&'a ModuleAddr>,
}

impl<'a> Siblings<'a> {
    fn new(program: &'a Program) -> Self {
        let mut siblings = Self {
            resources: HashMap::new(),
            modules: HashSet::new(),
        };
        for (position, resource) in program.resources().iter().enumerate() {
            let resource = &resource.address.resource;
            siblings.resources.entry(resource).or_insert(position);
            siblings.modules.insert(&resource.module);
        }
        siblings
    }
}

fn prevented(subject: &Subject<'_>) -> Diagnostics {
    subject
        .error("the plan would destroy an object that `prevent_destroy` protects")
        .hint("take `prevent_destroy()` out of its lifecycle, or leave it out of the run with `--exclude`")
        .into()
}

/// Create-before-destroy spreads from an instance to everything it depends on: their old objects must outlive its own.
fn forced_create_before_destroy(program: &Program) -> Vec<bool> {
    let resources = program.resources();
    let mut forced: Vec<bool> = resources
        .iter()
        .map(|resource| resource.lifecycle.create_before_destroy)
        .collect();
    let mut open: Vec<usize> = (0..resources.len()).filter(|&node| forced[node]).collect();
    while let Some(node) = open.pop() {
        for &needed in &resources[node].dependencies {
            if !forced[needed] {
                forced[needed] = true;
                open.push(needed);
            }
        }
    }
    forced
}

fn same_provider(a: &ProviderSource, b: &ProviderSource) -> bool {
    a.namespace == b.namespace && a.type_name == b.type_name
}

/// The two older tools have different default registries, and the host is part of the address. What the state has is kept.
fn stored_provider_addresses(program: &Program, prior: &State) -> Vec<ProviderConfigAddr> {
    let mut stored: HashSet<&ProviderConfigAddr> = HashSet::new();
    stored.extend(prior.resources.values().map(|instance| &instance.provider));
    let address_in_state = |address: &ProviderConfigAddr| {
        if stored.contains(address) {
            return address.clone();
        }
        let other = stored.iter().find(|stored| {
            stored.module == address.module
                && stored.alias == address.alias
                && same_provider(&stored.source, &address.source)
        });
        other.map_or_else(|| address.clone(), |&other| other.clone())
    };
    program
        .providers()
        .iter()
        .map(|provider| address_in_state(&provider.address))
        .collect()
}

/// Providers repeat their warnings in validation and in both plan calls.
fn deduplicated(diagnostics: Diagnostics) -> Diagnostics {
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    let mut seen = HashSet::new();
    for diagnostic in diagnostics {
        if seen.insert(diagnostic.to_string()) {
            kept.push(diagnostic);
        }
    }
    kept.into_iter().collect()
}
