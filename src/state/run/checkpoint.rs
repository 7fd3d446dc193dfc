//! Checkpoints: the state in memory becomes the stored snapshot, in proportion to what has changed.

use std::time::Duration;

use super::{RecordError, Run, RunError};
use crate::backend::{BackendError, Expected, Token};
use crate::crash::{self, Point};
use crate::digest::Sha256;
use crate::file::v4;
use crate::journal::{Checkpoint, CheckpointPhase, Record};
use crate::model::{Lineage, State};

/// Results between two checkpoints, at least.
const CHECKPOINT_RESULTS: usize = 200;
/// Time between two checkpoints, at most, while results come in.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(30);

/// The snapshot in the backend.
#[derive(Debug)]
pub(super) struct Stored {
    /// What to name when replacing it.
    pub(super) expected: Expected,
    /// Its content, with serial and lineage.
    pub(super) state: State,
    pub(super) sha256: Option<Sha256>,
    /// The store's name of the version that this run stored, where it has one.
    pub(super) version: Option<String>,
    /// Whether this run stored it, at its end or on the way.
    pub(super) written: bool,
}

impl Run {
    /// Writes a snapshot if the state differs from the stored one. For the first signal, and before long waits.
    ///
    /// # Errors
    /// When it could not be stored; the journal still holds everything.
    pub async fn checkpoint(&self) -> Result<(), RunError> {
        let mut stored = self.stored.lock().await;
        self.checkpoint_over(&mut stored).await
    }

    pub(super) async fn checkpoint_over(&self, stored: &mut Stored) -> Result<(), RunError> {
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
        let pieces = v4::write_pieces(&state, self.holding.backend.layout());
        let mut checkpoint = Checkpoint {
            phase: CheckpointPhase::Writing,
            serial: state.serial,
            sha256: pieces.sha256(),
            version: None,
            covers,
            unread,
        };
        let number = self.writer.enqueue(&Record::Checkpoint(checkpoint.clone()));
        self.writer.durable(number).await?;
        crash::reach(Point::CheckpointAnnounced).await;
        let sha256 = checkpoint.sha256;
        let (token, version) = self.put(pieces, &stored.expected, &sha256).await?;
        crash::reach(Point::CheckpointStored).await;
        checkpoint.phase = CheckpointPhase::Written;
        checkpoint.version.clone_from(&version);
        self.writer.enqueue(&Record::Checkpoint(checkpoint));
        self.now().state.serial = state.serial;
        *stored = Stored {
            expected: Expected::Token(token),
            state,
            sha256: Some(sha256),
            version,
            written: true,
        };
        crash::reach(Point::CheckpointNoted).await;
        Ok(())
    }

    /// Stores a snapshot. A conflict with our own bytes is an earlier try whose answer was lost.
    async fn put(
        &self,
        pieces: v4::Pieces,
        over: &Expected,
        sha256: &Sha256,
    ) -> Result<(Token, Option<String>), RunError> {
        let unwritten = |source| RunError::Unwritten {
            place: self.holding.backend.place(),
            source,
        };
        match self.holding.backend.write_pieces(pieces, over).await {
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
    pub(super) async fn checkpoint_if_due(&self) {
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
}
