//! The real recorder: a state in memory whose every change goes into a journal on a backend.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use terrane_core::addr::InstanceAddr;

use super::checkpoint::Stored;
use super::hold::Holding;
use super::{Liveness, RecordError, Recorder};
use crate::backend::Expected;
use crate::crash::{self, Point};
use crate::digest::Sha256;
use crate::journal::{
    Change, Intent, OpenIntent, OperationId, OperationOutcome, OperationResult, PastRun, PlanUse,
    ProcessIdentity, Record, Resolution, Resolve, Transfer, Writer,
};
use crate::model::{Instance, State};
use crate::random::Random;

/// A run that holds the lock of a state: from [`Run::open`] to [`Run::close`].
///
/// Records are safe whatever happens to this value: dropping it is a crash, which the next run recovers from.
#[derive(Debug)]
pub struct Run {
    pub(super) holding: Holding,
    pub(super) random: Arc<dyn Random>,
    pub(super) process: ProcessIdentity,
    pub(super) writer: Writer,
    /// How many records belong to the opening.
    pub(super) opening: u64,
    /// SHA-256 of the snapshot that the run began with.
    pub(super) base: Option<Sha256>,
    /// What [`Now::unread`] was then.
    pub(super) began_unread: bool,
    pub(super) now: Mutex<Now>,
    pub(super) stored: tokio::sync::Mutex<Stored>,
}

/// The state in memory. Records are put in their order under this lock, so order and state agree.
#[derive(Debug)]
pub(super) struct Now {
    pub(super) state: State,
    pub(super) open: BTreeMap<OperationId, OpenIntent>,
    pub(super) plans: Vec<PlanUse>,
    /// Transfers that are not done yet, by their ids.
    pub(super) transfers: BTreeMap<String, Transfer>,
    /// The runs before this one, oldest first.
    pub(super) past: Vec<PastRun>,
    /// This one, as it will be remembered.
    pub(super) this: PastRun,
    pub(super) results: usize,
    /// Every operation of this run whose end is known.
    pub(super) ended: BTreeMap<OperationId, InstanceAddr>,
    pub(super) checkpoint_at: Duration,
    /// The last result of an operation. Values that were only read are not worth keeping: the next run reads them again.
    pub(super) telling: Option<u64>,
    /// Operations ended since everything was last read.
    pub(super) unread: bool,
}

impl Run {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once, at the beginning of a run, with its findings"
    )]
    pub(super) fn new(
        holding: Holding,
        random: Arc<dyn Random>,
        process: ProcessIdentity,
        writer: Writer,
        stored: State,
        sha256: Option<Sha256>,
        expected: Expected,
        state: State,
        open: Vec<OpenIntent>,
        plans: Vec<PlanUse>,
        (past, this): (Vec<PastRun>, PastRun),
        unread: bool,
    ) -> Self {
        let now = Now {
            state,
            open: open
                .into_iter()
                .map(|open| (open.intent.op, open))
                .collect(),
            plans,
            transfers: BTreeMap::new(),
            past,
            this,
            results: 0,
            ended: BTreeMap::new(),
            checkpoint_at: holding.clock.monotonic(),
            telling: None,
            unread,
        };
        Self {
            holding,
            random,
            process,
            opening: writer.next_number(),
            base: sha256,
            began_unread: unread,
            writer,
            now: Mutex::new(now),
            stored: tokio::sync::Mutex::new(Stored {
                expected,
                state: stored,
                sha256,
                version: None,
                written: false,
            }),
        }
    }

    /// The id of the lock, and of the run in its records.
    pub fn lock_id(&self) -> &str {
        &self.holding.id
    }

    /// Where the state is.
    pub fn place(&self) -> String {
        self.holding.backend.place()
    }

    pub(super) fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether operations ended since everything was last read: what providers fill in only after that is not in the state yet.
    pub fn is_unread(&self) -> bool {
        self.now().unread
    }

    /// Says that the state has everything now as it was just read. Operations that follow make that old again.
    pub fn all_was_read(&self) {
        self.now().unread = false;
    }

    /// When and by whom that saved plan was applied. Known at least as long as the state is the one that it was made from.
    pub fn plan_use(&self, nonce: &str) -> Option<PlanUse> {
        let now = self.now();
        now.plans.iter().find(|plan| plan.nonce == nonce).cloned()
    }

    /// Says that a saved plan is about to be applied; durable on return.
    ///
    /// # Errors
    /// When it could not be recorded. Nothing of the plan must be done then.
    pub async fn use_plan(&self, plan: PlanUse) -> Result<(), RecordError> {
        let number = {
            let mut now = self.now();
            now.plans.push(plan.clone());
            self.writer.enqueue(&Record::Plan(plan))
        };
        self.writer.durable(number).await
    }

    /// Renews the lock's heartbeat every few seconds, until the lock is no longer its own; then no record is taken any more.
    /// Run it beside the work and drop it at the end.
    pub async fn keep_alive(&self) -> RecordError {
        let lost = self.holding.keep_alive().await;
        self.writer.fence(lost.clone());
        lost
    }

    /// An intent was not recorded, so its operation is not begun. Its record may be stored all the same, or arrive later: this one says that
    /// there is nothing to recover.
    fn not_begun(&self, intent: Intent, error: &RecordError) {
        let mut now = self.now();
        now.open.remove(&intent.op);
        if matches!(error, RecordError::Unwritable { .. }) {
            self.writer.enqueue(&Record::Resolve(Resolve {
                op: intent.op,
                how: Resolution::Absent,
                evidence: "it was not begun: its intent could not be recorded".to_owned(),
                who: self.process.who.clone(),
                address: intent.address,
                changes_state: false,
                instance: None,
            }));
        }
    }
}

#[async_trait]
impl Recorder for Run {
    async fn intent(&self, intent: Intent) -> Result<(), RecordError> {
        crash::reach(Point::IntentBefore).await;
        let number = {
            let mut now = self.now();
            let number = self.writer.enqueue(&Record::Intent(intent.clone().into()));
            let open = OpenIntent {
                intent: intent.clone(),
                result: None,
                by: None,
            };
            now.open.insert(open.intent.op, open);
            number
        };
        if let Err(error) = self.writer.durable(number).await {
            self.not_begun(intent, &error);
            return Err(error);
        }
        crash::reach(Point::IntentDurable).await;
        Ok(())
    }

    async fn result(&self, result: OperationResult) -> Result<(), RecordError> {
        crash::reach(Point::ResultBefore).await;
        let number = {
            let mut now = self.now();
            result.apply(&mut now.state);
            if let Some(open) = now.open.get(&result.op).filter(|open| open.by.is_none()) {
                let action = open.intent.action;
                now.this.done.count(action, result.outcome);
            }
            now.results += 1;
            now.unread = true;
            let number = self.writer.enqueue(&Record::Result(result.clone()));
            now.telling = Some(number);
            if result.outcome != OperationOutcome::Unknown {
                if let Some(open) = now.open.remove(&result.op) {
                    now.ended.insert(result.op, open.intent.address);
                }
            } else if let Some(open) = now.open.get_mut(&result.op) {
                open.result = Some(result);
            }
            number
        };
        self.writer.durable(number).await?;
        crash::reach(Point::ResultDurable).await;
        self.checkpoint_if_due().await;
        Ok(())
    }

    fn change(&self, change: Change) {
        let mut now = self.now();
        if change.changes(&now.state) {
            change.apply(&mut now.state);
            self.writer.enqueue(&Record::Change(change));
        }
    }

    fn instance(&self, address: &InstanceAddr) -> Option<Arc<Instance>> {
        self.now().state.instance(address).cloned()
    }

    fn state(&self) -> State {
        self.now().state.clone()
    }

    fn open_intents(&self) -> Vec<OpenIntent> {
        let mut open: Vec<OpenIntent> = self.now().open.values().cloned().collect();
        open.sort_by_key(|open| (open.intent.started_at, open.intent.op));
        open
    }

    fn liveness(&self, open: &OpenIntent) -> Liveness {
        open.liveness()
    }

    async fn resolve(&self, resolve: Resolve) -> Result<(), RecordError> {
        crash::reach(Point::ResolveBefore).await;
        let number = {
            let mut now = self.now();
            now.open.remove(&resolve.op);
            resolve.apply(&mut now.state);
            let number = self.writer.enqueue(&Record::Resolve(resolve));
            now.telling = Some(number);
            number
        };
        self.writer.durable(number).await?;
        crash::reach(Point::Resolved).await;
        Ok(())
    }
}
