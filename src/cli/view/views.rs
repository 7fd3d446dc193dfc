//! The traits that commands speak to. Each format implements those whose results it can hold.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use terrane_codegen::AddedBindings;
use terrane_core::addr::{InstanceAddr, Pattern, ProviderSource};
use terrane_core::policy::PolicyReport;
use terrane_core::{Diagnostics, Program, Value};
use terrane_cost::Estimate;
use terrane_engine::{Applied, Event, Inventory, Plan, PlanMode};
use terrane_registry::{InstallEvent, LockChange, MirroredPackage, ProviderStatus};
use terrane_state::backend::Holder;
use terrane_state::edit::{ProviderPattern, Relocated};
use terrane_state::model::OutputValue;
use terrane_state::{
    Closed, Damage, Instance, PastRun, Recovered, Resolve, RunError, State, Timestamp,
};

use super::graph::ResourceGraph;
use super::hidden::Hidden;
use super::{Approval, Details, Place, PlanDigest, Secrets, Tracker};
use crate::args::GraphFormat;

/// Everything that can be the format of stdout.
pub(crate) trait View:
    ChangeView + StateView + OutputsView + EditView + UpkeepView + ProgramView + ProvidersView
{
    /// Why no question can be asked beside this format, if none can.
    fn cannot_ask(&self) -> Option<&'static str>;
}

/// Everything that can be written to a file beside stdout: it is told about plans and runs.
pub(crate) trait ChangeView: PlanView + RunView {}

impl<V: PlanView + RunView> ChangeView for V {}

/// Shows a plan as the result of a command.
pub(crate) trait PlanView {
    /// `preview`, and `show` of a saved plan.
    ///
    /// # Errors
    /// When the place that it is written to cannot be written.
    fn plan(&self, shown: &ShownPlan<'_>) -> Result<(), Diagnostics>;

    /// There is no plan to show, and why.
    ///
    /// # Errors
    /// When the place that it is written to cannot be written.
    fn no_plan(&self, why: &Diagnostics) -> Result<(), Diagnostics>;
}

/// A plan, and the facts that are needed to show it.
pub(crate) struct ShownPlan<'a> {
    pub(crate) plan: &'a Plan,
    /// The program that it was made from: source lines, and where unknown values come from.
    pub(crate) program: &'a Program,
    pub(crate) made_at: Timestamp,
    pub(crate) secrets: Secrets,
    /// Unresolved operations kept a part of the stack out of it: an empty plan is no proof then that nothing differs.
    pub(crate) is_partial: bool,
    /// The policies of the program, and how the plan stands to each.
    pub(crate) policies: &'a [PolicyReport],
    /// What the stack costs, where that was asked for.
    pub(crate) cost: Option<&'a Estimate>,
    /// Where it acts.
    pub(crate) place: &'a Place,
    pub(crate) details: Details,
    /// Its digest, and how that approves it.
    pub(crate) approval: &'a Approval,
    /// The file that it is saved in, if it is.
    pub(crate) saved: Option<&'a SavedAs>,
    /// What is to be read beside it: warnings, and why it is refused. Text for people has them on stderr.
    pub(crate) diagnostics: &'a Diagnostics,
}

impl ShownPlan<'_> {
    /// The digest of the plan.
    pub(crate) fn digest(&self) -> &PlanDigest {
        self.approval.digest(self.plan, self.program, self.place)
    }

    /// The command that applies this plan and nothing else. A plan without changes needs none, unless it is saved.
    pub(crate) fn command(&self) -> Option<String> {
        match self.saved {
            Some(saved) => Some(saved.command.clone()),
            None if self.plan.is_empty() => None,
            None => self.approval.command(self.digest()),
        }
    }
}

/// A plan in a file.
pub(crate) struct SavedAs {
    /// The file as it was named.
    pub(crate) file: String,
    /// The SHA-256 of the file.
    pub(crate) digest: String,
    /// The command that applies it.
    pub(crate) command: String,
}

/// Follows the engine while it works. Must not block.
pub(crate) trait ProgressView: Send + Sync {
    /// Something happened; the tracker has taken note of it already.
    fn event(&self, event: &Event, run: &Tracker);

    /// Time went by.
    fn tick(&self, run: &Tracker);

    /// Nothing more will happen, or a question is asked now.
    fn pause(&self);
}

/// Follows `up`, `destroy` or `refresh` from the first event to the last line.
pub(crate) trait RunView: ProgressView {
    /// The run begins.
    ///
    /// # Errors
    /// When the place that it is written to cannot be written.
    fn begin(&self) -> Result<(), Diagnostics>;

    /// A provider of the run is installed first. On the terminal its progress has rows already.
    fn installing(&self, _: &InstallEvent<'_>) {}

    /// Diagnostics that no event carried.
    fn diagnostics(&self, diagnostics: &Diagnostics);

    /// The plan that is applied once it is confirmed.
    fn planned(&self, shown: &ShownPlan<'_>);

    /// Every argument of some changes, for a person who is asked about the plan. A format beside which nothing can be asked has none.
    fn inspected(&self, _shown: &ShownPlan<'_>, _which: &Pattern) {}

    /// The plan was applied, or as much of it as was possible.
    fn applied(&self, run: &AppliedRun<'_>);

    /// The exported values at the end of the run.
    fn outputs(&self, outputs: &Outputs);

    /// The run is over.
    fn closed(&self, run: &ClosedRun<'_>);
}

/// An applied plan.
pub(crate) struct AppliedRun<'a> {
    pub(crate) mode: PlanMode,
    /// Objects that had changed outside of the program.
    pub(crate) recorded: usize,
    pub(crate) applied: &'a Applied,
    /// Whether nothing failed and nothing was left out.
    pub(crate) is_complete: bool,
}

/// The end of a run.
pub(crate) struct ClosedRun<'a> {
    /// The operations of a run that did not do everything, and the names of the steps that were not attempted.
    pub(crate) partial: Option<(&'a Applied, Vec<String>)>,
    /// The state as it is stored now; none when it could not be closed.
    pub(crate) closed: Option<&'a Closed>,
    pub(crate) took: Duration,
}

/// All exported values of a state.
pub(crate) type Outputs = BTreeMap<Arc<str>, OutputValue>;

/// Shows exported values.
pub(crate) trait OutputsView {
    /// All of them.
    fn all_outputs(&self, outputs: &Outputs, secrets: Secrets);

    /// One of them.
    fn output(&self, output: &OutputValue, secrets: Secrets);

    /// One that is null.
    fn null_output(&self);

    /// A part of one, or of an object.
    fn value(&self, value: &Value, hidden: &Hidden);
}

/// Shows the state.
pub(crate) trait StateView {
    /// All of it.
    fn state(&self, state: &State, secrets: Secrets);

    /// One instance: its current object and deposed ones.
    fn instance(&self, address: &InstanceAddr, instance: &Instance, secrets: Secrets);

    /// Addresses in it.
    fn addresses(&self, addresses: &[&InstanceAddr]);

    /// The versions of it that the store still has, newest first.
    fn history(&self, place: &str, versions: &[Version]);

    /// Its past, newest first.
    fn past(&self, place: &str, past: &[Past]);
}

/// One event of a state's past.
pub(crate) enum Past {
    /// A run that the journal remembers.
    Run { run: PastRun, status: RunStatus },
    /// A version of the state that none of them wrote.
    Version(Version),
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStatus {
    /// It ended in order.
    Ended,
    /// It holds the lock.
    Running,
    /// It did not end in order.
    Interrupted,
}

/// One version of the state.
pub(crate) struct Version {
    /// Its name for `state pull --version`.
    pub(crate) id: String,
    /// When it was written.
    pub(crate) written_at: Option<Timestamp>,
    /// Its serial, where that can be read.
    pub(crate) serial: Option<u64>,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Whether it is the one in use.
    pub(crate) is_current: bool,
}

/// Shows a change of the state itself: before it is confirmed, and when it is recorded.
pub(crate) trait EditView {
    /// The edit, and the state that it would change.
    fn proposed(&self, edit: &StateEdit, before: &State);

    /// The edit is stored.
    fn recorded(&self, edit: &StateEdit, closed: &Closed, took: Duration);

    /// A state that would take the place of one that cannot be used.
    fn proposed_restore(&self, state: &State, why: &RunError);

    /// It took that place.
    fn restored(&self, pushed: &State, closed: &Closed, took: Duration);
}

/// A change of the state that asks nothing of a provider but reads.
pub(crate) enum StateEdit {
    /// Objects get other addresses.
    Move {
        moved: Vec<Relocated>,
        /// Other instances whose stored dependencies follow.
        dependents: Vec<InstanceAddr>,
    },
    /// Instances go to the state of another stack.
    HandOver {
        moved: Vec<InstanceAddr>,
        /// The other state, as `--backend` takes it.
        to: String,
        dependents: Vec<InstanceAddr>,
    },
    /// Instances are forgotten.
    Remove {
        removed: Vec<InstanceAddr>,
        dependents: Vec<InstanceAddr>,
    },
    /// Instances get another provider.
    ReplaceProvider {
        replaced: Vec<InstanceAddr>,
        from: ProviderPattern,
        to: ProviderPattern,
    },
    /// A whole state takes the place of the stored one.
    Push {
        pushed: Box<State>,
        /// The stored one, if there is one.
        stored: Option<Box<State>>,
    },
    /// Results that an earlier run could store nowhere are recorded.
    Rescue { resolutions: Vec<Resolve> },
    /// An existing object is recorded.
    Import {
        address: InstanceAddr,
        instance: Arc<Instance>,
        id: String,
    },
    /// A person resolves operations.
    Resolve {
        address: InstanceAddr,
        /// The object that exists, and its id.
        found: Option<(Arc<Instance>, String)>,
        /// Whether operations at that address stay unresolved.
        others_remain: bool,
    },
}

/// Shows the upkeep of a state: its lock, its journal, its store.
pub(crate) trait UpkeepView {
    /// The steps that make a store for it.
    fn bootstrap_plan(&self, steps: &[String]);

    /// One of them is done.
    fn bootstrap_step(&self, step: &str);

    /// The store is ready.
    fn bootstrapped(&self, location: &str, steps: &[String]);

    /// The holder of a lock that is about to be broken.
    fn lock(&self, holder: &Holder, now: Timestamp);

    /// The lock is broken.
    fn unlocked(&self, id: &str, holder: &Holder, place: &str);

    /// The journal needs no repair.
    fn journal_is_whole(&self, place: &str);

    /// A damaged journal, and the records that can be saved.
    fn journal_damage(&self, place: &str, damage: &Damage, saved: &Recovered);

    /// A new journal is in place; the damaged one is kept at `copy`, and `next` is the command that continues.
    fn journal_repaired(
        &self,
        place: &str,
        damage: (&Damage, &Recovered),
        copy: Option<&str>,
        next: &str,
    );
}

/// Shows the program itself.
pub(crate) trait ProgramView {
    /// Its resources and their dependencies; `form` is the one that people asked for.
    fn graph(&self, graph: &ResourceGraph, form: GraphFormat);

    /// The objects of a type that exist and that the state does not have.
    fn inventory(&self, type_name: &str, inventory: &Inventory);

    /// Whether it is valid, and why not.
    fn validated(&self, validity: Validity, diagnostics: &Diagnostics);
}

/// Shows the providers of a program.
pub(crate) trait ProvidersView {
    /// What is needed, recorded and installed.
    fn providers(&self, statuses: &[ProviderStatus]);

    /// What was changed in the lock file.
    fn locked(&self, changes: &[LockChange]);

    /// Packages that lie in a mirror now.
    fn mirrored(&self, packages: &[MirroredPackage]);

    /// The schemas of providers, in Terraform's JSON.
    fn schemas(&self, schemas: &[(ProviderSource, serde_json::Value)]);

    /// Whether what is installed is what is recorded.
    fn verified(&self, statuses: &[ProviderStatus]);

    /// The bindings of a provider that the project has now; `origin` is the provider and its version.
    fn bindings(&self, origin: &str, added: &AddedBindings);
}

/// Whether a program is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validity {
    Valid,
    Invalid,
}
