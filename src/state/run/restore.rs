//! Puts a state in the place of a stored one that cannot be used. The journal stays as it is: the next run replays it.

use std::sync::Arc;

use super::find::{Found, gather};
use super::hold::Holding;
use super::{Patience, RecordError, RunError, RunOptions};
use crate::backend::{Backend, Expected};
use crate::clock::Clock;
use crate::file::v4;
use crate::model::{Lineage, State};
use crate::random::Random;

/// A state that cannot be used, under its lock: from [`Restore::open`] to [`Restore::close`].
#[derive(Debug)]
pub struct Restore {
    holding: Holding,
    why: RunError,
    found: Found,
}

impl Restore {
    /// Takes the lock and looks; `None` when the stored state can be used, or there is none and never was.
    ///
    /// # Errors
    /// When the lock is another's, or the store or the journal cannot be read.
    pub async fn open(
        backend: Arc<dyn Backend>,
        options: RunOptions,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
        patience: &dyn Patience,
    ) -> Result<Option<Self>, RunError> {
        let holding = Holding::take(backend, &options, clock, random, patience).await?;
        match gather(&*holding.backend).await {
            Ok((found, Err(why))) => Ok(Some(Self {
                holding,
                why,
                found,
            })),
            usable => {
                holding.give_back().await;
                usable.map(|_| None)
            }
        }
    }

    /// Where the state is.
    pub fn place(&self) -> String {
        self.holding.backend.place()
    }

    /// Why the stored state cannot be used.
    pub fn why(&self) -> &RunError {
        &self.why
    }

    /// The state as it can be put there: of the journal's history, and later than everything that it or the store knows.
    ///
    /// # Errors
    /// When it is of another history than the journal.
    pub fn fitting(&self, mut state: State) -> Result<State, RunError> {
        let log = &self.found.log;
        if let Some(journal) = log.contradicts(&state.lineage) {
            return Err(RunError::OtherLineage {
                place: self.place(),
                stored: state.lineage,
                journal,
            });
        }
        if state.lineage.is_empty()
            && let Some(open) = &log.open
        {
            state.lineage = Lineage::from(&*open.lineage);
        }
        let known = log.stored.map(|(serial, _)| serial);
        let there = self
            .found
            .snapshot
            .as_ref()
            .map(|_| self.found.state.serial);
        let is_last = log
            .stored
            .is_some_and(|(_, sha256)| sha256 == Some(self.text(&state).sha256()));
        // The very one that the journal saw last is put back as it was.
        if !is_last && let Some(before) = known.max(there) {
            state.serial = state.serial.max(before + 1);
        }
        Ok(state)
    }

    fn text(&self, state: &State) -> v4::Pieces {
        v4::write_pieces(state, self.holding.backend.layout())
    }

    /// Says every few seconds that this process lives, until the lock is no longer its own.
    pub async fn keep_alive(&self) -> RecordError {
        self.holding.keep_alive().await
    }

    /// Puts the state in the place of exactly the content that was found there, and returns where a copy of that is kept, where the store has no
    /// versions; durable on return.
    ///
    /// # Errors
    /// When it could not be written, or something else is there by now.
    pub async fn put(&self, state: &State) -> Result<Option<String>, RunError> {
        let (over, kept) = match &self.found.snapshot {
            Some(snapshot) => {
                let kept = self.holding.backend.set_aside(snapshot).await?;
                (Expected::Token(snapshot.token.clone()), kept)
            }
            None => (Expected::Absent, None),
        };
        let written = self
            .holding
            .backend
            .write_pieces(self.text(state), &over)
            .await;
        written.map(|_| kept).map_err(|source| RunError::Unwritten {
            place: self.place(),
            source,
        })
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// When it could not be given back.
    pub async fn close(self) -> Result<(), RunError> {
        Ok(self.holding.backend.unlock(&self.holding.id).await?)
    }
}
