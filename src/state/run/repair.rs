//! The repair of a damaged journal: its readable records go into a new one, and the next run works.

use std::sync::Arc;

use super::carry::{carried, replay};
use super::find::{Found, read_segments};
use super::hold::Holding;
use super::{Patience, RecordError, Recovered, RunError, RunOptions};
use crate::backend::{Backend, Position, Restart, Segment, Snapshot};
use crate::clock::Clock;
use crate::counter;
use crate::digest::Sha256;
use crate::file::v4;
use crate::journal::{
    Damage, JournalError, Log, Open, OpenIntent, Pending, ProcessIdentity, Record, Trim, encode,
    frame,
};
use crate::model::{Lineage, State};
use crate::random::Random;

/// A damaged journal under the lock of its state: from [`Repair::open`] to [`Repair::close`].
#[derive(Debug)]
pub struct Repair {
    holding: Holding,
    engine: String,
    process: ProcessIdentity,
    broken: Option<Broken>,
}

/// The store, as far as it can be read.
#[derive(Debug)]
struct Broken {
    damage: Damage,
    segments: Vec<Segment>,
    log: Log,
    snapshot: Option<Snapshot>,
    /// The snapshot; `None` where that cannot be read either.
    state: Option<State>,
}

impl Repair {
    /// Takes the lock and looks at the journal.
    ///
    /// # Errors
    /// When the lock is another's, or the store cannot be read.
    pub async fn open(
        backend: Arc<dyn Backend>,
        options: RunOptions,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
        patience: &dyn Patience,
    ) -> Result<Self, RunError> {
        let holding = Holding::take(backend, &options, clock, random, patience).await?;
        match look(&*holding.backend).await {
            Ok(broken) => Ok(Self {
                holding,
                engine: options.engine,
                process: options.process,
                broken,
            }),
            Err(error) => {
                holding.give_back().await;
                Err(error)
            }
        }
    }

    /// The damage; `None` when the journal is whole.
    pub fn damage(&self) -> Option<&Damage> {
        self.broken.as_ref().map(|broken| &broken.damage)
    }

    /// The findings of the next run in the new journal.
    pub fn saved(&self) -> Recovered {
        let Some(broken) = &self.broken else {
            return Recovered::default();
        };
        let interrupted = broken.log.open.clone();
        let Some(state) = &broken.state else {
            return Recovered {
                replayed: broken.log.pending().count(),
                open: broken.log.open_intents(),
                interrupted,
                unread: broken.log.unread,
                transfers: broken.log.transfers.values().cloned().collect(),
            };
        };
        let replayed = replay(&Found {
            snapshot: broken.snapshot.clone(),
            state: state.clone(),
            log: broken.log.clone(),
        });
        Recovered {
            replayed: replayed.replayed,
            open: replayed.open,
            interrupted,
            unread: broken.log.unread,
            transfers: broken.log.transfers.values().cloned().collect(),
        }
    }

    /// Says every few seconds that this process lives, until the lock is no longer its own.
    pub async fn keep_alive(&self) -> RecordError {
        self.holding.keep_alive().await
    }

    /// Keeps a copy of the journal and begins a new one with what can be saved; returns where the copy is. Killed at any instant, the old
    /// journal is in its place or the new one is.
    ///
    /// # Errors
    /// When the store cannot be changed, or another run goes on writing the journal.
    pub async fn restart(&self) -> Result<Option<String>, RunError> {
        let Some(broken) = &self.broken else {
            return Ok(None);
        };
        let at = Position {
            epoch: broken.next_epoch(),
            segment: 0,
        };
        let now = self.holding.clock.now();
        let (base_serial, base_sha256) = broken.base();
        let open = Open {
            run: self.holding.id.clone(),
            lineage: broken.lineage(),
            base_serial,
            base_sha256,
            engine: self.engine.clone(),
            process: self.process.clone(),
            at: now,
        };
        let mut bytes = Vec::new();
        let mut previous = Sha256::default();
        for (number, record) in (0..).zip(broken.records(open, at)) {
            previous = frame::encode(at, number, previous, &encode(&record), &mut bytes);
        }
        let is_plain = |c: &char| c.is_ascii_alphanumeric();
        let restart = Restart {
            copy: now.to_string().chars().filter(is_plain).collect(),
            at,
            bytes: bytes.into(),
        };
        let copy = self.holding.backend.restart_journal(restart).await?;
        Ok(Some(copy))
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// When it could not be given back.
    pub async fn close(self) -> Result<(), RunError> {
        let Holding { backend, id, .. } = &self.holding;
        Ok(backend.unlock(id).await?)
    }
}

async fn look(backend: &dyn Backend) -> Result<Option<Broken>, RunError> {
    let segments = read_segments(backend).await?;
    let damage = match Log::read(&segments) {
        Ok(_) => return Ok(None),
        Err(JournalError::Damaged(damage)) => *damage,
    };
    // A state that is damaged, too, is no reason to lose the journal.
    let snapshot = backend.read().await.ok().flatten();
    let mut log = Log::salvage(&segments);
    let state = match &snapshot {
        None => Some(State::new(Lineage::default())),
        Some(snapshot) => {
            log.found(&snapshot.sha256);
            v4::read(&snapshot.bytes).ok()
        }
    };
    Ok(Some(Broken {
        damage,
        segments,
        log,
        snapshot,
        state,
    }))
}

impl Broken {
    /// Behind every epoch of the journal, but for those that no counting leads to.
    fn next_epoch(&self) -> u64 {
        let listed = self.segments.iter().map(|segment| segment.at.epoch);
        let read = self.log.last.map(|(at, ..)| at.epoch);
        let epochs = listed.chain(read);
        let counted = epochs.filter(|epoch| counter::check("epoch", *epoch).is_ok());
        counted.max().unwrap_or(0) + 1
    }

    /// The last snapshot that the journal knows to be stored: the next run is as strict about another one as it would have been. Where
    /// it knows of none, the one that is there.
    fn base(&self) -> (u64, Option<Sha256>) {
        self.log.stored.unwrap_or_else(|| {
            let serial = self.state.as_ref().map_or(0, |state| state.serial);
            let sha256 = self.snapshot.as_ref().map(|snapshot| snapshot.sha256);
            (serial, sha256)
        })
    }

    fn lineage(&self) -> String {
        match (&self.log.open, &self.state) {
            (Some(open), _) => open.lineage.clone(),
            (None, Some(state)) => state.lineage.to_string(),
            (None, None) => String::new(),
        }
    }

    /// The new journal: changes that a snapshot may lack, unresolved operations, used plans, earlier runs.
    fn records(&self, open: Open, at: Position) -> Vec<Record> {
        let mut records = vec![Record::Open(open)];
        for pending in self.log.pending() {
            match pending {
                Pending::Result(result, intent) => {
                    records.extend(intent.clone().map(Record::Intent));
                    records.push(Record::Result(result.clone()));
                }
                Pending::Change(change) | Pending::Transfer(change) => {
                    records.push(Record::Change(change.clone()));
                }
            }
        }
        let by = self.log.open.as_ref().map(|open| &open.process);
        for open in self.log.open_intents() {
            let by = open.by.or_else(|| by.cloned());
            records.extend(carried(&OpenIntent { by, ..open }));
        }
        let plans = self.log.plans.iter().cloned();
        records.extend(plans.map(Record::Plan));
        let transfers = self.log.transfers.values().cloned();
        records.extend(transfers.map(|transfer| Record::Transfer(transfer.into())));
        let runs = self.log.runs().into_iter();
        records.extend(runs.map(|run| Record::Past(run.into())));
        let Position { epoch, segment } = at;
        records.push(Record::Trim(Trim { epoch, segment }));
        records.push(Record::Close);
        records
    }
}
