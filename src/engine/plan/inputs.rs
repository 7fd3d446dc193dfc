//! Everything that planning reads and nothing in it changes.

use std::collections::HashSet;
use std::sync::Arc;

use terrane_core::addr::{
    InstanceAddr, Mode, ModuleAddr, ProviderConfigAddr, ProviderSource, ResourceAddr,
};
use terrane_core::{Diagnostics, IdVec, PlaceAddr, Program, ProviderId, ResourceId, id_type};
use terrane_state::State;

use super::configuring::Configuring;
use super::moves::Moves;
use super::orphans::Siblings;
use super::selection::{Selection, spread};
use super::value_modules::Waiting;
use crate::change::ResourceChange;
use crate::event::EventSink;
use crate::options::{PlanMode, PlanOptions, RefreshPolicy};
use crate::running::RunningProviders;

id_type! {
    /// The place of a managed instance among those that only the state has.
    pub(super) struct OrphanId;
}

/// The inputs of a plan, shared by every node of the walk.
pub(crate) struct Inputs<'a> {
    pub(super) program: &'a Program,
    /// The state as read from the backend.
    pub(super) stored: &'a State,
    /// The same after the program's moves.
    pub(super) prior: &'a State,
    pub(super) moves: &'a Moves,
    pub(super) options: &'a PlanOptions,
    pub(super) running: &'a RunningProviders<'a>,
    pub(super) events: &'a dyn EventSink,
    pub(super) selection: Selection,
    /// Managed instances that only the state has.
    pub(super) orphans: IdVec<OrphanId, Arc<InstanceAddr>>,
    /// The program's configurations that serve them.
    pub(super) orphan_providers: IdVec<OrphanId, Option<ProviderId>>,
    /// Which of them the program gives up.
    pub(super) removed: HashSet<OrphanId>,
    /// Modules that wait for their values.
    pub(super) waiting: Waiting<'a>,
    pub(super) configuring: Configuring,
    pub(super) siblings: Siblings<'a>,
    pub(super) create_before_destroy: IdVec<ResourceId, bool>,
    /// The address that a provider configuration has in the state: the state's own, where only the registry host differs.
    pub(super) provider_addresses: IdVec<ProviderId, ProviderConfigAddr>,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(
        program: &'a Program,
        (stored, moves): (&'a State, &'a Moves),
        options: &'a PlanOptions,
        running: &'a RunningProviders<'a>,
        events: &'a dyn EventSink,
    ) -> Result<Self, Diagnostics> {
        let choose = Selection::new;
        Self::chosen(program, (stored, moves), options, running, events, choose)
    }

    /// The same for nothing but the values that waiting modules take.
    pub(crate) fn of_values(
        program: &'a Program,
        (stored, moves): (&'a State, &'a Moves),
        options: &'a PlanOptions,
        running: &'a RunningProviders<'a>,
        events: &'a dyn EventSink,
    ) -> Result<Self, Diagnostics> {
        let choose = Selection::of_values;
        Self::chosen(program, (stored, moves), options, running, events, choose)
    }

    fn chosen(
        program: &'a Program,
        (stored, moves): (&'a State, &'a Moves),
        options: &'a PlanOptions,
        running: &'a RunningProviders<'a>,
        events: &'a dyn EventSink,
        choose: impl FnOnce(
            &Program,
            &IdVec<OrphanId, Arc<InstanceAddr>>,
            &State,
            &PlanOptions,
        ) -> Result<Selection, Diagnostics>,
    ) -> Result<Self, Diagnostics> {
        let prior = &moves.state;
        let undeclared = undeclared(program, prior);
        let managed = undeclared.filter(|address| address.resource.mode == Mode::Managed);
        let orphans: IdVec<OrphanId, _> =
            managed.map(|address| Arc::new(address.clone())).collect();
        let orphan_providers = orphans.iter().map(|address| {
            let instance = prior.instance(address)?;
            serving(program, &instance.provider)
        });
        let selection = choose(program, &orphans, prior, options)?;
        let waiting = Waiting::new(program, |module| selection.module(module, options));
        let mut inputs = Self {
            program,
            stored,
            prior,
            moves,
            options,
            running,
            events,
            selection,
            waiting,
            orphan_providers: orphan_providers.collect(),
            removed: removed(program, &orphans),
            orphans,
            configuring: Configuring::default(),
            siblings: Siblings::new(program),
            create_before_destroy: forced_create_before_destroy(program),
            provider_addresses: stored_provider_addresses(program, prior),
        };
        inputs.configuring = Configuring::new(program, inputs.needed_providers());
        Ok(inputs)
    }

    /// The providers of everything that something is planned for.
    fn needed_providers(&self) -> IdVec<ProviderId, bool> {
        let mut needed = IdVec::filled(false, self.program.providers());
        for (position, resource) in self.program.resources().entries() {
            needed[resource.provider] |= self.plans(position);
        }
        for (orphan, provider) in self.orphan_providers.entries() {
            if let Some(provider) = *provider {
                needed[provider] |= self.selection.orphan(orphan);
            }
        }
        needed
    }

    /// Whether an object is read. The plan before this one has read and applied everything that it did not defer.
    pub(super) fn refresh(&self, address: &InstanceAddr) -> RefreshPolicy {
        match &self.options.continues {
            Some(before) if !before.deferred.contains_key(address) => RefreshPolicy::Nothing,
            // A destroy and a refresh are about every object.
            _ if self.options.mode != PlanMode::Normal => match self.options.refresh {
                RefreshPolicy::Changed => RefreshPolicy::All,
                policy => policy,
            },
            _ => self.options.refresh,
        }
    }

    /// Whether anything is planned for a declared instance. Nothing stands behind a data source, so a destroy plans nothing for it.
    pub(super) fn plans(&self, position: ResourceId) -> bool {
        let resource = &self.program.resources()[position];
        let is_known = || self.prior.instance(&resource.address).is_some();
        self.selection.declared(position)
            && match self.options.mode {
                PlanMode::Normal => true,
                // Opened where the configuration of a provider needs it.
                _ if resource.mode() == Mode::Ephemeral => false,
                PlanMode::RefreshOnly => is_known(),
                PlanMode::Destroy => is_known() && resource.mode() == Mode::Managed,
            }
    }
}

/// The instances that the program gives up.
fn removed(program: &Program, orphans: &IdVec<OrphanId, Arc<InstanceAddr>>) -> HashSet<OrphanId> {
    if program.removed().is_empty() {
        return HashSet::new();
    }
    let mut exact: HashSet<&InstanceAddr> = HashSet::new();
    let mut resources: HashSet<&ResourceAddr> = HashSet::new();
    let mut modules: HashSet<&ModuleAddr> = HashSet::new();
    for removed in program.removed() {
        match &removed.address {
            PlaceAddr::Module(module) => drop(modules.insert(module)),
            PlaceAddr::Instance(one) if one.key.is_none() => drop(resources.insert(&one.resource)),
            PlaceAddr::Instance(one) => drop(exact.insert(one)),
        }
    }
    let is_removed = |address: &InstanceAddr| {
        let steps = address.resource.module.steps();
        let outer = |depth| steps[..depth].iter().cloned().collect::<ModuleAddr>();
        exact.contains(address)
            || resources.contains(&address.resource)
            || (!modules.is_empty() && (1..=steps.len()).any(|at| modules.contains(&outer(at))))
    };
    let removed = orphans.entries();
    let removed = removed.filter(|(_, address)| is_removed(address));
    removed.map(|(id, _)| id).collect()
}

/// The instances that only the state has.
pub(super) fn undeclared<'a>(
    program: &'a Program,
    prior: &'a State,
) -> impl Iterator<Item = &'a InstanceAddr> {
    let addresses = prior.resources.keys();
    addresses.filter(|address| program.position(address).is_none())
}

/// The program's configuration that serves the objects that the state has under `stored`.
pub(crate) fn serving(program: &Program, stored: &ProviderConfigAddr) -> Option<ProviderId> {
    let find = |fits: &dyn Fn(&ProviderConfigAddr) -> bool| {
        let mut configs = program.providers().entries();
        configs.find_map(|(id, config)| fits(&config.address).then_some(id))
    };
    let exact = find(&|address| address == stored);
    // Modules have no configurations of their own here, and the older tools disagree on the registry's host; a state of theirs may
    // name either.
    exact.or_else(|| {
        find(&|address| {
            same_provider(&address.source, &stored.source) && address.alias == stored.alias
        })
    })
}

/// The program's configuration that serves a change; planning refuses changes that none serves.
pub(crate) fn serving_change(program: &Program, change: &ResourceChange) -> Option<ProviderId> {
    let declared = program.position(&change.address);
    let declared = declared.map(|position| program.resources()[position].provider);
    declared.or_else(|| serving(program, &change.provider))
}

/// Create-before-destroy spreads from an instance to everything it depends on: their old objects must outlive its own.
fn forced_create_before_destroy(program: &Program) -> IdVec<ResourceId, bool> {
    let resources = program.resources();
    let asked = resources
        .iter()
        .map(|resource| resource.lifecycle.create_before_destroy);
    spread(asked.collect(), |node| &resources[node].dependencies)
}

pub(crate) fn same_provider(a: &ProviderSource, b: &ProviderSource) -> bool {
    a.namespace == b.namespace && a.type_name == b.type_name
}

/// The two older tools have different default registries, and the host is part of the address. The state's is kept.
fn stored_provider_addresses(
    program: &Program,
    prior: &State,
) -> IdVec<ProviderId, ProviderConfigAddr> {
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
