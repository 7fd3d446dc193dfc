//! Makes a plan: walks the program and the state once, several instances at a time.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode, ProviderConfigAddr, ProviderSource};
use terrane_core::{Diagnostic, Diagnostics, Marked, Program, Value};
use terrane_state::{DeposedKey, State};

use super::closure::Closures;
use super::orphans::Siblings;
use super::selection::Selection;
use super::{Plan, outputs, steps};
use crate::change::{Action, Drift, ResourceChange};
use crate::event::{Event, EventSink};
use crate::options::{PlanMode, PlanOptions};
use crate::scope::Objects;
use crate::sessions::Sessions;
use crate::stop::StopFlag;
use crate::walk::{Outcome, Resting, walk};

/// Changes of what is not declared, or deposed.
type OtherChanges = BTreeMap<(Arc<InstanceAddr>, Option<DeposedKey>), ResourceChange>;

/// The state of one planning walk.
pub(crate) struct Planner<'a> {
    pub(super) program: &'a Program,
    pub(super) prior: &'a State,
    pub(super) options: &'a PlanOptions,
    pub(super) sessions: &'a Sessions<'a>,
    pub(super) events: &'a dyn EventSink,
    stop: StopFlag,
    pub(super) selection: Selection,
    pub(super) orphans: Vec<Arc<InstanceAddr>>,
    pub(super) siblings: Siblings<'a>,
    pub(super) closures: Closures,
    pub(super) create_before_destroy: Vec<bool>,
    /// The address that a provider configuration has in the state: the state's own, where only the registry host differs.
    pub(super) provider_addresses: Vec<ProviderConfigAddr>,
    pub(super) objects: Objects<'a>,
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
        walk(&graph, parallelism, &Resting::default(), run, |_| {}).await;
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
        let steps = steps::build(self.program, &changes, self.prior)?;
        if self.selection.is_partial() {
            let (why, hint) = match self.options.blocked.as_slice() {
                [] => ("`--target` or `--exclude`", "run without them afterwards"),
                _ => (
                    "what is in doubt",
                    "run again when nothing is in doubt any more",
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

    /// Whether a declared instance needs its provider in this run.
    fn looks_at(&self, position: usize) -> bool {
        let resource = &self.program.resources()[position];
        self.selection.declared(position)
            && (self.options.mode == PlanMode::Normal
                || self.prior.instance(&resource.address).is_some())
    }

    /// The program's configuration that serves an orphan.
    fn orphan_provider(&self, address: &InstanceAddr) -> Option<usize> {
        serving(self.program, &self.prior.instance(address)?.provider)
    }

    async fn configure(&self, position: usize) -> Result<(), Diagnostics> {
        let provider = &self.program.providers()[position];
        let configured = self.sessions.configure_as_declared(provider, &self.objects);
        let (_, warnings) = configured.await?;
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
