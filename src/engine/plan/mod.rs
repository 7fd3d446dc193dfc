//! Makes the plan: reads, compares, asks providers, and builds the step graph.

mod actions;
mod adoption;
pub(crate) mod closure;
pub(crate) mod configuring;
pub(crate) mod data;
pub(crate) mod deferred;
mod ephemeral;
pub(crate) mod file;
mod filled_in;
pub(crate) mod inputs;
pub(crate) mod instance;
mod managed;
pub(crate) mod moves;
mod orphans;
pub(crate) mod outputs;
pub(crate) mod planner;
mod recalled;
mod refresh;
mod review;
mod selection;
mod steps;
pub(crate) mod untouched;
pub(crate) mod value_modules;
mod visitor;

use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostic, Diagnostics, IdVec};
use terrane_state::{Change, Instance, State, Timestamp};

use crate::apply::Applied;
use crate::change::{Action, ChangeId, Drift, OutputChange, ResourceChange, Summary};
use crate::options::PlanMode;
use crate::scope::PlannedObjects;
use crate::steps::StepGraph;
use deferred::old_half_stays;
pub use deferred::{DeferralReason, DeferredChange};
pub use moves::Move;
pub use value_modules::DeferredModule;

/// Everything that a run is going to do, and the state that it found.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What kind of plan this is.
    pub mode: PlanMode,
    /// One change for each object looked at, `NoOp` included; in the order of declaration, then objects that are no longer declared.
    pub changes: IdVec<ChangeId, ResourceChange>,
    /// Objects that are not as the state remembers.
    pub drift: Vec<Drift>,
    /// Changes that are planned later in the same run, in the order of declaration; then those of objects that are no longer declared.
    pub deferred: Vec<DeferredChange>,
    /// Modules that take a value which this plan makes known; with the objects that they have declared before among `deferred`.
    pub deferred_modules: Vec<DeferredModule>,
    /// Changes of exported values, `NoOp` included.
    pub outputs: Vec<OutputChange>,
    /// The order of work.
    pub steps: StepGraph,
    /// Objects that have another address than the state had for them, in the order of their new ones.
    pub moves: Vec<Move>,
    /// Objects that the program imports: their addresses, and by what they were found.
    pub adoptions: Vec<(Arc<InstanceAddr>, String)>,
    /// Objects of which the state was trusted, though others were read; `None` where there are none.
    pub unread: Option<Unread>,
    /// Warnings.
    pub diagnostics: Diagnostics,
    /// The state as read from the backend.
    pub prior: State,
    /// The same after upgrades and reads: what applying starts from.
    pub(crate) refreshed: State,
    /// The planned object of each declared instance.
    pub(crate) objects: PlannedObjects,
}

/// Objects that a plan did not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// How many.
    pub objects: usize,
    /// When the one was read that nobody has read for longest, where that is known of all.
    pub since: Option<Timestamp>,
}

impl Unread {
    /// With another one, which was last read then.
    fn and(before: Option<Self>, read: Option<Timestamp>) -> Self {
        let Some(Self { objects, since }) = before else {
            return Self {
                objects: 1,
                since: read,
            };
        };
        Self {
            objects: objects + 1,
            since: since.zip(read).map(|(one, other)| one.min(other)),
        }
    }
}

impl Plan {
    /// How many objects it touches.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.changes)
    }

    /// Whether applying it would change nothing: no object, now or later in the run, no exported value, and (refresh only) no drift to record.
    pub fn is_empty(&self) -> bool {
        !self.defers() && self.does_nothing()
    }

    /// Whether everything that it has to do is deferred.
    pub fn only_defers(&self) -> bool {
        self.defers() && self.does_nothing()
    }

    /// Whether anything is left to a later plan.
    pub fn defers(&self) -> bool {
        self.deferred_count() > 0
    }

    /// How many changes and modules are left to a later plan.
    pub fn deferred_count(&self) -> usize {
        self.deferred.len() + self.deferred_modules.len()
    }

    fn does_nothing(&self) -> bool {
        let outputs = self.outputs.iter().all(|o| o.action() == Action::NoOp);
        let drift = self.mode != PlanMode::RefreshOnly || self.drift.is_empty();
        let recorded = self.moves.is_empty() && self.adoptions.is_empty();
        self.steps.is_empty() && outputs && drift && recorded
    }

    /// Whether a create-before-destroy leaves its old object to a later plan.
    pub(crate) fn old_object_stays(&self, change: &ResourceChange) -> bool {
        change.action == Action::CreateThenDelete && old_half_stays(&self.deferred)(change)
    }

    /// Whether another plan of the deferred changes is due, after this plan ended so.
    pub fn continues(&self, applied: &Applied) -> bool {
        let idle = self.steps.is_empty() && self.waits_for_providers();
        self.defers() && applied.is_complete() && !idle
    }

    /// Whether changes are deferred by the wish of providers alone: nothing in this run need change that, and nothing is wrong.
    pub fn waits_for_providers(&self) -> bool {
        let changes = self.deferred.iter().map(|deferred| &deferred.reason);
        let modules = self.deferred_modules.iter().map(|module| &module.reason);
        let mut reasons = changes.chain(modules);
        let by_provider = |reason: &DeferralReason| matches!(reason, DeferralReason::ByProvider(_));
        reasons.clone().any(by_provider) && !reasons.any(DeferralReason::is_by_run)
    }

    /// Whether it comes nearer to the end than the plan before it.
    pub fn progresses(&self, before: Option<&Self>) -> bool {
        match before {
            None => !self.steps.is_empty(),
            Some(before) => {
                // What a module declares may be deferred in its turn.
                let is_left = |module: &&DeferredModule| {
                    let mut left = self.deferred_modules.iter();
                    left.any(|left| left.address == module.address)
                };
                let mut modules = before.deferred_modules.iter();
                self.deferred_count() < before.deferred_count() || !modules.all(|it| is_left(&it))
            }
        }
    }

    /// An error if the plan defers no less than the one before it, or defers and has nothing to apply: the next one would be the same.
    pub fn stuck(&self, before: Option<&Self>) -> Option<Diagnostic> {
        let progresses = self.progresses(before) || self.waits_for_providers();
        if progresses {
            return None;
        }
        let change = self.deferred.first().map(|first| {
            let address = first.address.to_string();
            (
                address,
                first.address.in_shell().to_string(),
                first.to_string(),
                first.location,
            )
        });
        let module = || {
            let first = self.deferred_modules.first()?;
            let address = first.address.to_string();
            Some((address.clone(), address, first.to_string(), first.location))
        };
        let (address, in_shell, first, location) = change.or_else(module)?;
        let more = match self.deferred_count() {
            1 => String::new(),
            2 => "; another change is deferred, too".to_owned(),
            count => format!("; {} more changes are deferred, too", count - 1),
        };
        let mut error = Diagnostic::error(format!("{address} still cannot be planned"))
            .address(&address)
            .detail(format!("{first}{more}"))
            .hint(format!(
                "nothing in this run makes it known; `--exclude {in_shell}` leaves it out"
            ));
        error.location = location;
        Some(error)
    }

    /// The state after upgrades and reads: applying starts from it.
    pub fn refreshed(&self) -> &State {
        &self.refreshed
    }

    /// The changes that make the refreshed state of the prior one.
    pub(crate) fn learnt(&self) -> impl Iterator<Item = Change> {
        let (prior, refreshed) = (&self.prior.resources, &self.refreshed.resources);
        let differs = |(address, instance): &(&InstanceAddr, &Arc<Instance>)| {
            prior
                .get(address)
                .is_none_or(|prior| !Arc::ptr_eq(prior, instance) && prior != *instance)
        };
        let there = refreshed.iter().filter(differs);
        let gone = prior
            .keys()
            .filter(|address| !refreshed.contains_key(address));
        there
            .map(|(address, instance)| (address, Some(instance.clone())))
            .chain(gone.map(|address| (address, None)))
            .map(|(address, instance)| Change::Instance {
                address: address.clone(),
                instance,
            })
    }
}
