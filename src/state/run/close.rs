//! The end of a run in order: snapshot, end of the journal, trimming, lock.

use super::carry::carry;
use super::checkpoint::Stored;
use super::{RecordError, Recorder as _, Run, RunError};
use crate::backend::{BackendError, Position};
use crate::crash::{self, Point};
use crate::journal::{Checkpoint, CheckpointPhase, OpenIntent, PastRun, Record, Trim, remember};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// The serial of the stored state; 0 when there is none.
    pub serial: u64,
    /// Where it is.
    pub place: String,
    /// Whether this run wrote it.
    pub written: bool,
    /// Unresolved operations.
    pub open: Vec<OpenIntent>,
}

impl Run {
    /// Forgets the journal before this epoch, once this epoch's opening has taken over its unresolved operations.
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
            // The rest is not looked at, and trimmed by the next run.
            _ => Ok(()),
        }
    }

    /// Ends the run in order: snapshot, end of the journal, lock. Nothing can be recorded after it.
    ///
    /// # Errors
    /// When the snapshot could not be stored or the lock not be freed. The journal then keeps the results that the snapshot lacks, the state
    /// can still be had from [`Recorder::state`](crate::Recorder::state), and the lock is freed if that is possible.
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
        for transfer in self.transfers() {
            self.writer.enqueue(&Record::Transfer(transfer.into()));
        }
        for run in self.remembered(&stored) {
            self.writer.enqueue(&Record::Past(run.into()));
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
        // The rest is read and trimmed by the next run.
        let _ = self.holding.backend.trim_journal(last).await;
        crash::reach(Point::CloseTrimmed).await;
        Ok(())
    }
}

impl Run {
    /// The earlier runs, and this one as it ends now.
    fn remembered(&self, stored: &Stored) -> Vec<PastRun> {
        let now = self.now();
        let mut runs = now.past.clone();
        let this = PastRun {
            ended_at: Some(self.holding.clock.now()),
            serial: Some(stored.state.serial),
            version: stored.version.clone(),
            ..now.this.clone()
        };
        remember(&mut runs, this);
        runs
    }
}

/// A record that everything still needed of the records before a place follows it: whatever a trimming then leaves or loses, it
/// is not looked at any more.
fn trim_before(Position { epoch, segment }: Position) -> Record {
    Record::Trim(Trim { epoch, segment })
}
