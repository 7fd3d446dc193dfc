//! Makes a plan: walks the program and the state once, several instances at a time.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode, ProviderConfigAddr, ProviderSource};
use terrane_core::{Diagnostic, Diagnostics, Marked, Program, Value};
use terrane_state::{DeposedKey, State};

use super::closure::Closures;
use super::configuring::Configuring;
use super::orphans::Siblings;
use super::selection::Selection;
use super::{Plan, outputs, steps};
use crate::change::{Action, Drift, ResourceChange};
use crate::event::{Event, EventSink};
use crate::graph::{Graph, NodeId};
use crate::options::{PlanMode, PlanOptions};
use crate::running::RunningProviders;
use crate::scope::Objects;
use crate::stop::StopFlag;
use crate::walk::{Resting, Visit, walk};

/// Changes of instances that are not declared, and of deposed objects.
type OtherChanges = BTreeMap<(Arc<InstanceAddr>, Option<DeposedKey>), ResourceChange>;

/// A node of the planning walk.
#[derive(Debug, Clone, Copy)]
enum Node {
    /// A declared instance, by position in the program.
    Declared(usize),
    /// A provider configuration, by position in the program.
    Provider(usize),
    /// An instance that only the state has, by place among these.
    Orphan(usize),
}

/// The state of one planning walk.
pub(crate) struct Planner<'a> {
    pub(super) program: &'a Program,
    pub(super) prior: &'a State,
    pub(super) options: &'a PlanOptions,
    pub(super) running: &'a RunningProviders<'a>,
    pub(super) events: &'a dyn EventSink,
    stop: StopFlag,
    pub(super) selection: Selection,
    pub(super) orphans: Vec<Arc<InstanceAddr>>,
    /// The program's configurations that serve them.
    orphan_providers: Vec<Option<usize>>,
    pub(super) configuring: Configuring,
    pub(super) siblings: Siblings<'a>,
    pub(super) closures: Closures,
    pub(super) create_before_destroy: Vec<bool>,
    /// The address that a provider configuration has in the state: the state's own, where only the registry host differs.
    pub(super) provider_addresses: Vec<ProviderConfigAddr>,
    pub(super) objects: Objects<'a>,
    /// Why what an instance says may not hold now, by position.
    pub(super) doubts: RefCell<Vec<Option<Arc<str>>>>,
    /// The same of providers: why their answers may not be about what holds now.
    pub(super) provider_doubts: RefCell<Vec<Option<Arc<str>>>>,
    pub(super) declared_changes: RefCell<Vec<Option<ResourceChange>>>,
    pub(super) other_changes: RefCell<OtherChanges>,
    pub(super) drift: RefCell<BTreeMap<Arc<InstanceAddr>, Drift>>,
    pub(super) refreshed: RefCell<State>,
    pub(super) diagnostics: RefCell<Diagnostics>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(
        program: &'a Program,
        prior: &'a State,
        options: &'a PlanOptions,
        running: &'a RunningProviders<'a>,
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
        let orphan_providers = orphans.iter().map(|address| {
            let instance = prior.instance(address)?;
            serving(program, &instance.provider)
        });
        let mut planner = Self {
            program,
            prior,
            options,
            running,
            events,
            stop,
            selection: Selection::new(program, &orphans, prior, options)?,
            orphan_providers: orphan_providers.collect(),
            orphans,
            configuring: Configuring::default(),
            siblings: Siblings::new(program),
            closures: Closures::new(program),
            create_before_destroy: forced_create_before_destroy(program),
            provider_addresses: stored_provider_addresses(program, prior),
            objects: Objects::new(program),
            doubts: RefCell::new(vec![None; program.resources().len()]),
            provider_doubts: RefCell::new(vec![None; program.providers().len()]),
            declared_changes: RefCell::new(vec![None; program.resources().len()]),
            other_changes: RefCell::default(),
            drift: RefCell::default(),
            refreshed: RefCell::new(refreshed),
            diagnostics: RefCell::default(),
        };
        planner.configuring = Configuring::new(program, planner.needed_providers());
        Ok(planner)
    }

    /// The providers of everything that something is planned for.
    fn needed_providers(&self) -> Vec<bool> {
        let mut needed = vec![false; self.program.providers().len()];
        for (position, resource) in self.program.resources().iter().enumerate() {
            needed[resource.provider] |= self.plans(position);
        }
        for (place, provider) in self.orphan_providers.iter().enumerate() {
            if let Some(provider) = *provider {
                needed[provider] |= self.selection.orphan(place);
            }
        }
        needed
    }

    /// Walks, and puts the plan together.
    pub(crate) async fn plan(self, parallelism: usize) -> Result<Plan, Diagnostics> {
        let graph = self.graph();
        self.events.emit(Event::PlanStarted {
            total: self.program.resources().len() + self.orphans.len(),
        });
        let this = &self;
        let stopped = self.stop.clone();
        let stopped = &stopped;
        let run = |node| async move {
            if stopped.is_stopped() {
                return Visit::Failed;
            }
            let result = match node {
                Node::Declared(position) => this.declared(position).await,
                Node::Provider(position) if this.configuring.providers[position] => {
                    this.configure(position).await
                }
                Node::Provider(_) => Ok(()),
                Node::Orphan(place) => this.orphan(place, this.orphan_providers[place]).await,
            };
            match result {
                Ok(()) => Visit::Done,
                Err(diagnostics) => {
                    this.diagnostics.borrow_mut().extend(diagnostics);
                    Visit::Failed
                }
            }
        };
        walk(&graph, parallelism, &Resting::default(), run, |_| {}).await;
        self.finish()
    }

    /// Instances after what they refer to and after their provider, a provider after what configures it.
    fn graph(&self) -> Graph<Node> {
        let mut graph = Graph::default();
        let (resources, providers) = (self.program.resources(), self.program.providers());
        let places = 0..resources.len();
        let declared: Vec<NodeId> = places.map(|at| graph.add(Node::Declared(at))).collect();
        let places = 0..providers.len();
        let configured: Vec<NodeId> = places.map(|at| graph.add(Node::Provider(at))).collect();
        for (resource, &node) in resources.iter().zip(&declared) {
            let needed = resource.dependencies.iter();
            needed.for_each(|&needed| graph.after(node, declared[needed]));
            graph.after(node, configured[resource.provider]);
        }
        for (provider, &node) in providers.iter().zip(&configured) {
            let needed = provider.dependencies.iter();
            needed.for_each(|&needed| graph.after(node, declared[needed]));
        }
        for (place, provider) in self.orphan_providers.iter().enumerate() {
            let node = graph.add(Node::Orphan(place));
            if let Some(provider) = *provider {
                graph.after(node, configured[provider]);
            }
        }
        graph
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
        let steps = steps::build(self.program, &changes, self.prior)?;
        if self.selection.is_partial() {
            let (why, hint) = match self.options.blocked.as_slice() {
                [] => ("`--target` or `--exclude`", "run without them afterwards"),
                _ => (
                    "unresolved operations",
                    "run again when every operation is resolved",
                ),
            };
            diagnostics.push(
                Diagnostic::warning("the plan covers only a part of the stack")
                    .detail(format!(
                        "{why} left the rest out; exported values may be out of date"
                    ))
                    .hint(hint),
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

    /// Whether anything is planned for a declared instance. Nothing stands behind a data source, so a destroy plans nothing for it.
    fn plans(&self, position: usize) -> bool {
        let resource = &self.program.resources()[position];
        let is_known = || self.prior.instance(&resource.address).is_some();
        self.selection.declared(position)
            && match self.options.mode {
                PlanMode::Normal => true,
                PlanMode::RefreshOnly => is_known(),
                PlanMode::Destroy => is_known() && resource.mode() == Mode::Managed,
            }
    }

    async fn configure(&self, position: usize) -> Result<(), Diagnostics> {
        let provider = &self.program.providers()[position];
        let configured = self.running.configure_as_declared(provider, &self.objects);
        let mut configured = configured.await?;
        let warnings = std::mem::take(&mut configured.warnings);
        self.diagnostics.borrow_mut().extend(warnings);
        self.judge(position, &configured)
    }

    async fn declared(&self, position: usize) -> Result<(), Diagnostics> {
        let resource = &self.program.resources()[position];
        let plans = self.plans(position);
        if !plans && !self.configuring.instances[position] {
            self.objects
                .set(position, Arc::new(Marked::plain(Value::UNKNOWN)));
            let left_behind = self.options.mode == PlanMode::Destroy
                && resource.mode() == Mode::Data
                && self.selection.declared(position);
            if left_behind {
                let mut refreshed = self.refreshed.borrow_mut();
                refreshed.set_instance(&resource.address, None);
            }
            return Ok(());
        }
        let address = &self.program.providers()[resource.provider].address;
        let running = self
            .running
            .configured(address)
            .expect("invariant: a provider is configured before what it serves");
        if !plans {
            return self.present(position, &*running.provider).await;
        }
        match resource.mode() {
            Mode::Managed => self.managed(position, &running).await?,
            Mode::Data => self.data(position, &*running.provider).await?,
        }
        let action = self.action_of(position);
        self.events.emit(Event::InstancePlanned {
            address: resource.address.clone(),
            action,
        });
        Ok(())
    }

    pub(super) fn action_of(&self, position: usize) -> Action {
        self.declared_changes.borrow()[position]
            .as_ref()
            .map_or(Action::NoOp, |c| c.action)
    }
}

/// The program's configuration that serves what the state has under `stored`.
pub(crate) fn serving(program: &Program, stored: &ProviderConfigAddr) -> Option<usize> {
    let configs = || program.providers().iter().map(|config| &config.address);
    let exact = configs().position(|address| address == stored);
    // Modules have no configurations of their own here, and the older tools disagree on the registry's host; a state of theirs may
    // name either.
    exact.or_else(|| {
        configs().position(|address| {
            same_provider(&address.source, &stored.source) && address.alias == stored.alias
        })
    })
}

/// The program's configuration that serves a change; planning refuses changes that none serves.
pub(crate) fn serving_change(program: &Program, change: &ResourceChange) -> Option<usize> {
    let declared = program.position(&change.address);
    let declared = declared.map(|position| program.resources()[position].provider);
    declared.or_else(|| serving(program, &change.provider))
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
pub(crate) fn deduplicated(diagnostics: Diagnostics) -> Diagnostics {
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    let mut seen = HashSet::new();
    for diagnostic in diagnostics {
        if seen.insert(diagnostic.to_string()) {
            kept.push(diagnostic);
        }
    }
    kept.into_iter().collect()
}
