//! The real recorder: a journal on a backend, snapshots at checkpoints, the lock given back at the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use terrane_core::addr::InstanceAddr;

use super::open::{Holding, carry};
use super::{Liveness, Origin, RecordError, Recorder, Rescued, RunError};
use crate::backend::{Backend, BackendError, Expected, LocalBackend, Position, Token};
use crate::crash::{self, Point};
use crate::digest::Sha256;
use crate::file::v4;
use crate::journal::{
    Change, Checkpoint, CheckpointPhase, Intent, OpenIntent, OperationId, OperationResult, Outcome,
    PlanUse, ProcessIdentity, Record, Resolution, Resolve, Trim, Writer,
};
use crate::model::{Instance, Lineage, State};
use crate::random::Random;

/// Results between two checkpoints, at least.
const CHECKPOINT_RESULTS: usize = 200;
/// Time between two checkpoints, at most, while results come in.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(30);

/// A run that holds the lock of a state: from [`Run::open`] to [`Run::close`].
///
/// What was recorded is safe whatever happens to this value: dropping it is a crash, which the next run recovers from.
#[derive(Debug)]
pub struct Run {
    holding: Holding,
    random: Arc<dyn Random>,
    process: ProcessIdentity,
    writer: Writer,
    /// How many records belong to the opening.
    opening: u64,
    /// SHA-256 of the snapshot that the run began with.
    base: Option<Sha256>,
    /// What [`Now::unread`] was then.
    began_unread: bool,
    now: Mutex<Now>,
    stored: tokio::sync::Mutex<Stored>,
}

/// The state in memory. Records are put in their order under this lock, so order and state agree.
#[derive(Debug)]
struct Now {
    state: State,
    open: BTreeMap<OperationId, OpenIntent>,
    plans: Vec<PlanUse>,
    results: usize,
    /// Every operation of this run whose end is known.
    ended: BTreeMap<OperationId, InstanceAddr>,
    checkpoint_at: Duration,
    /// The last record of what came of an operation. What was only read is not worth keeping: the next run reads it again.
    telling: Option<u64>,
    /// Operations ended since everything was last read.
    unread: bool,
}

/// What the backend has.
#[derive(Debug)]
struct Stored {
    /// What to name when replacing it.
    expected: Expected,
    /// What it holds, with its serial and lineage.
    state: State,
    sha256: Option<Sha256>,
    /// Whether this run stored it, at its end or on the way.
    written: bool,
}

/// Where what a run did is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of it in the stored state; nothing, if it did nothing.
    State,
    /// In the journal, from which the next run goes on.
    Journal,
    /// In this process alone, which asks for [`Run::rescue`].
    Nowhere,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// The serial of the stored state; 0 when there is none.
    pub serial: u64,
    /// Where it is.
    pub place: String,
    /// Whether this run wrote it.
    pub written: bool,
    /// Operations whose end is still unknown.
    pub open: Vec<OpenIntent>,
}

impl Run {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once, by the beginning of a run, with what it found"
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
        unread: bool,
    ) -> Self {
        let now = Now {
            state,
            open: open
                .into_iter()
                .map(|open| (open.intent.op, open))
                .collect(),
            plans,
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

    fn now(&self) -> MutexGuard<'_, Now> {
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

    /// Says every few seconds that this run lives, until the lock is no longer its own; then no record is taken any more.
    /// Run it beside the work and drop it at the end.
    pub async fn keep_alive(&self) -> RecordError {
        let lost = self.holding.keep_alive().await;
        self.writer.fence(lost.clone());
        lost
    }

    /// Writes a snapshot if the state differs from the stored one. For the first signal, and before long waits.
    ///
    /// # Errors
    /// When it could not be stored; the journal still holds everything.
    pub async fn checkpoint(&self) -> Result<(), RunError> {
        let mut stored = self.stored.lock().await;
        self.checkpoint_over(&mut stored).await
    }

    async fn checkpoint_over(&self, stored: &mut Stored) -> Result<(), RunError> {
        let (mut state, covers, unread) = {
            let mut now = self.now();
            now.results = 0;
            now.checkpoint_at = self.holding.clock.monotonic();
            (now.state.clone(), self.writer.next_number(), now.unread)
        };
        if state.same_content(&stored.state) && state.lineage == stored.state.lineage {
            return Ok(());
        }
        if state.lineage.is_empty() {
            state.lineage = Lineage::random(&*self.random);
            self.now().state.lineage = state.lineage.clone();
        }
        // A state that was pushed keeps its own serial where that is the later one.
        state.serial = state.serial.max(stored.state.serial + 1);
        let bytes = bytes::Bytes::from(v4::write(&state, self.holding.backend.style()));
        let mut checkpoint = Checkpoint {
            phase: CheckpointPhase::Writing,
            serial: state.serial,
            sha256: Sha256::of(&bytes),
            version: None,
            covers,
            unread,
        };
        let number = self.writer.enqueue(&Record::Checkpoint(checkpoint.clone()));
        self.writer.durable(number).await?;
        crash::reach(Point::CheckpointAnnounced).await;
        let sha256 = checkpoint.sha256;
        let (token, version) = self.put(bytes, &stored.expected, &sha256).await?;
        crash::reach(Point::CheckpointStored).await;
        checkpoint.phase = CheckpointPhase::Written;
        checkpoint.version = version;
        self.writer.enqueue(&Record::Checkpoint(checkpoint));
        self.now().state.serial = state.serial;
        *stored = Stored {
            expected: Expected::Token(token),
            state,
            sha256: Some(sha256),
            written: true,
        };
        crash::reach(Point::CheckpointNoted).await;
        Ok(())
    }

    /// Stores a snapshot. A conflict with our own bytes is an earlier try whose answer was lost.
    async fn put(
        &self,
        bytes: bytes::Bytes,
        over: &Expected,
        sha256: &Sha256,
    ) -> Result<(Token, Option<String>), RunError> {
        let unwritten = |source| RunError::Unwritten {
            place: self.holding.backend.place(),
            source,
        };
        match self.holding.backend.write(bytes, over).await {
            Ok(written) => Ok((written.token, written.version)),
            Err(error @ BackendError::Conflict { .. }) => match self.holding.backend.read().await {
                Ok(Some(there)) if there.sha256 == *sha256 => {
                    self.holding
                        .backend
                        .vouch(&there)
                        .await
                        .map_err(unwritten)?;
                    Ok((there.token, there.version))
                }
                Ok(_) => {
                    let fenced = RecordError::Fenced {
                        reason: error.to_string(),
                    };
                    self.writer.fence(fenced.clone());
                    Err(fenced.into())
                }
                Err(error) => Err(unwritten(error)),
            },
            Err(error @ BackendError::NotHeld { .. }) => {
                let fenced = RecordError::Fenced {
                    reason: error.to_string(),
                };
                self.writer.fence(fenced.clone());
                Err(fenced.into())
            }
            Err(error) => Err(unwritten(error)),
        }
    }

    /// A checkpoint when one is due. Its failure is not the failure of the operation that happened to be there.
    async fn checkpoint_if_due(&self) {
        let due = {
            let now = self.now();
            // Each snapshot holds everything, so their number must not grow with the stack: a quarter more each time keeps the
            // sum of their sizes in proportion to the last one.
            let results = CHECKPOINT_RESULTS.max(now.state.resources.len() / 4);
            now.results >= results
                || (now.results > 0
                    && self
                        .holding
                        .clock
                        .monotonic()
                        .saturating_sub(now.checkpoint_at)
                        >= CHECKPOINT_INTERVAL)
        };
        if due && let Ok(mut stored) = self.stored.try_lock() {
            let _ = self.checkpoint_over(&mut stored).await;
        }
    }

    /// Where what this run did is, when it could not be closed.
    pub async fn kept(&self) -> Kept {
        let (telling, state, begun) = {
            let now = self.now();
            let begun = now.open.values().any(|open| open.by.is_none());
            (now.telling, now.state.clone(), begun)
        };
        let is_stored = match telling {
            None => true,
            Some(_) => state.same_content(&self.stored.lock().await.state),
        };
        match telling {
            _ if is_stored && !begun => Kept::State,
            Some(number) if !is_stored && !self.writer.is_durable(number) => Kept::Nowhere,
            _ => Kept::Journal,
        }
    }

    /// Writes the state as it is now into a file of its own, readable by its owner only: for when it could not be stored where
    /// it belongs. The file is a state, and [`Rescued::of`] reads more from it.
    ///
    /// # Errors
    /// When it can not be written either.
    pub async fn rescue(&self, path: &Path, origin: Origin) -> Result<(), BackendError> {
        let mut state = self.state();
        state.serial += 1;
        if state.lineage.is_empty() {
            state.lineage = Lineage::random(&*self.random);
        }
        let file = LocalBackend::new(path)?;
        let over = match file.read().await? {
            None => Expected::Absent,
            Some(snapshot) => Expected::Token(snapshot.token),
        };
        let rescued = Rescued::new(state, self.now().ended.clone(), origin);
        let bytes = v4::write(&rescued.to_state(), v4::Style::Indented);
        file.write(bytes.into(), &over).await.map(drop)
    }

    /// An intent was not recorded, so its operation is not begun. Its record may be stored all the same, or be stored yet: it shall ask
    /// nobody.
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

    /// Forgets the journal before this epoch, once this epoch's opening has taken over what was open in it.
    pub(super) async fn trim(&self) -> Result<(), RunError> {
        let next = self.writer.next_position();
        if next.segment == 0 {
            return Ok(());
        }
        let before = Position { segment: 0, ..next };
        let trim = self.writer.enqueue(&trim_before(before));
        self.writer.durable(trim).await?;
        match self.holding.backend.trim_journal(before).await {
            Err(error @ (BackendError::Conflict { .. } | BackendError::NotHeld { .. })) => {
                Err(error.into())
            }
            // What is left over is not looked at, and trimmed by the next run.
            _ => Ok(()),
        }
    }

    /// Ends the run in order: snapshot, end of the journal, lock. Nothing can be recorded after it.
    ///
    /// # Errors
    /// When the snapshot could not be stored or the lock not be freed. The journal then keeps what the snapshot lacks, the state
    /// can still be had from [`Recorder::state`], and the lock is freed if that is possible.
    pub async fn close(&self) -> Result<Closed, RunError> {
        let ended = self.end().await;
        self.writer.fence(RecordError::Closed);
        crash::reach(Point::UnlockBefore).await;
        let unlocked = self.holding.backend.unlock(&self.holding.id).await;
        crash::reach(Point::Unlocked).await;
        ended?;
        unlocked?;
        let stored = self.stored.lock().await;
        Ok(Closed {
            serial: stored.state.serial,
            place: self.holding.backend.place(),
            written: stored.written,
            open: self.open_intents(),
        })
    }

    async fn end(&self) -> Result<(), RunError> {
        let mut stored = self.stored.lock().await;
        self.checkpoint_over(&mut stored).await?;
        let unread = self.now().unread;
        if self.writer.next_number() == self.opening && unread == self.began_unread {
            // Nothing was asked of anyone: there is nothing to end, and the opening was never written.
            return Ok(());
        }
        let last = self.writer.next_position();
        for open in self.open_intents() {
            // The opening, which says whose epoch this is, is trimmed with the rest.
            let by = open.by.or_else(|| Some(self.process.clone()));
            carry(&self.writer, &OpenIntent { by, ..open });
        }
        let plans = self.now().plans.clone();
        // Over another state than the one they were made from plans are stale anyway: only the last one is still worth a better word.
        let first = match stored.sha256 == self.base {
            true => 0,
            false => plans.len().saturating_sub(1),
        };
        for plan in &plans[first..] {
            self.writer.enqueue(&Record::Plan(plan.clone()));
        }
        if let Some(sha256) = stored.sha256 {
            // The last segment stays when the journal is trimmed: it tells the next run what must be there.
            self.writer.enqueue(&Record::Checkpoint(Checkpoint {
                phase: CheckpointPhase::Written,
                serial: stored.state.serial,
                sha256,
                version: None,
                covers: self.writer.next_number(),
                unread,
            }));
        }
        self.writer.enqueue(&trim_before(last));
        let close = self.writer.enqueue(&Record::Close);
        self.writer.durable(close).await?;
        crash::reach(Point::Closed).await;
        // What is left over is read and trimmed by the next run.
        let _ = self.holding.backend.trim_journal(last).await;
        crash::reach(Point::CloseTrimmed).await;
        Ok(())
    }
}

/// Says that what follows contains all that is still needed of what lies before a place: whatever a trimming then leaves or loses, it
/// is not looked at any more.
fn trim_before(Position { epoch, segment }: Position) -> Record {
    Record::Trim(Trim { epoch, segment })
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
            now.results += 1;
            now.unread = true;
            let number = self.writer.enqueue(&Record::Result(result.clone()));
            now.telling = Some(number);
            if result.outcome != Outcome::Unknown {
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
