//! Everything that applying reads and nothing in it changes.

use terrane_core::{IdVec, Program, ResourceId};
use terrane_state::Recorder;
use terrane_state::model::Lineage;

use crate::change::{ChangeId, ResourceChange};
use crate::engine::Host;
use crate::plan::Plan;
use crate::plan::closure::Closures;
use crate::running::RunningProviders;
use crate::stop::StopFlag;
use crate::walk::Resting;

/// The inputs of an applying walk, shared by every step of it.
pub(crate) struct Inputs<'a> {
    pub(super) program: &'a Program,
    pub(super) plan: &'a Plan,
    /// The journal, written by the steps themselves, and the state as recorded so far.
    pub(super) recorder: &'a dyn Recorder,
    pub(super) running: &'a RunningProviders<'a>,
    pub(super) host: Host<'a>,
    pub(super) stop: StopFlag,
    /// The state's, for owner tags.
    pub(super) lineage: Lineage,
    pub(super) closures: Closures,
    /// The changes of declared instances.
    changes: IdVec<ResourceId, Option<ChangeId>>,
    /// Steps whose provider has answered and whose results are not durable yet.
    pub(super) resting: Resting,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(
        program: &'a Program,
        plan: &'a Plan,
        recorder: &'a dyn Recorder,
        running: &'a RunningProviders<'a>,
        host: Host<'a>,
        stop: StopFlag,
    ) -> Self {
        let mut changes = IdVec::filled(None, program.resources());
        for (id, change) in plan.changes.entries() {
            if let (None, Some(position)) = (change.deposed, program.position(&change.address)) {
                changes[position] = Some(id);
            }
        }
        Self {
            program,
            plan,
            recorder,
            running,
            host,
            stop,
            lineage: recorder.state().lineage,
            closures: Closures::new(program),
            changes,
            resting: Resting::default(),
        }
    }

    /// The change of a declared instance.
    pub(super) fn change(&self, id: ResourceId) -> Option<&ResourceChange> {
        Some(&self.plan.changes[self.changes[id]?])
    }
}
