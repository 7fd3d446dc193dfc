//! The beginning of a run: an epoch of the journal of its own, behind the one that an interrupted run left.

use std::sync::Arc;
use std::time::Duration;

use super::carry::{Replayed, carry, replay};
use super::find::{find, read_log};
use super::hold::{Holding, Patience};
use super::{Run, RunError};
use crate::backend::{Backend, BackendError, Expected, Position};
use crate::clock::Clock;
use crate::crash::{self, Point};
use crate::digest::Sha256;
use crate::journal::{
    Log, Open, OpenIntent, PastRun, ProcessIdentity, Record, Seal, Tally, Transfer, Writer, frame,
};
use crate::lock_info::Operation;
use crate::model::{Lineage, State};
use crate::random::Random;

/// Who begins a run, and for what.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The operation that the lock names.
    pub operation: Operation,
    /// Which build of the engine.
    pub engine: String,
    /// This process.
    pub process: ProcessIdentity,
    /// How long to wait for the lock.
    pub lock_timeout: Duration,
}

/// The findings at the beginning of a run.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// Results and changes of an earlier run that the snapshot lacked; they are in the state now.
    pub replayed: usize,
    /// Unresolved operations, oldest first. They must be resolved before anything is planned at their addresses.
    pub open: Vec<OpenIntent>,
    /// The earlier run, if it did not end in order.
    pub interrupted: Option<Arc<Open>>,
    /// Operations ended since everything was last read: the state may lack values that providers fill in later.
    pub unread: bool,
    /// Moves to or from other states that an interrupted command began. A run that is opened finishes those that its state announces.
    pub transfers: Vec<Transfer>,
}

/// How often a living writer may overtake us while we seal its epoch.
const SEAL_TRIES: usize = 20;

impl Run {
    /// The state as a run would find it now, for commands that only read: takes no lock and writes nothing.
    ///
    /// # Errors
    /// When state and journal cannot be read or do not belong together.
    pub async fn look(backend: &dyn Backend) -> Result<(State, Recovered), RunError> {
        let found = find(backend).await?;
        let interrupted = found.log.last.is_some() && !found.log.ended;
        let Replayed {
            state,
            replayed,
            open,
        } = replay(&found);
        let recovered = Recovered {
            unread: found.unread(),
            replayed,
            open,
            transfers: found.log.transfers.values().cloned().collect(),
            interrupted: found.log.open.filter(|_| interrupted),
        };
        Ok((state, recovered))
    }

    /// The latest runs that recorded something, newest first. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn history(backend: &dyn Backend) -> Result<Vec<PastRun>, RunError> {
        let mut runs = read_log(backend).await?.runs();
        runs.reverse();
        Ok(runs)
    }

    /// Begins a run: takes the lock, reads the state, replays the journal of an interrupted run, and shuts that run
    /// out. `patience` hears of it whenever the lock is another's and there is time left to wait.
    ///
    /// # Errors
    /// When the lock is another's or the store does not take it, or state and journal cannot be read or do not belong together. What
    /// is ours of the lock is given back then.
    pub async fn open(
        backend: Arc<dyn Backend>,
        options: RunOptions,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        patience: &dyn Patience,
    ) -> Result<(Self, Recovered), RunError> {
        let holding = Holding::take(backend, &options, clock, &*random, patience).await?;
        let (id, backend) = (holding.id.clone(), Arc::clone(&holding.backend));
        let opened = Self::open_locked(holding, options, random).await;
        if opened.is_err() {
            // The lock is held for nothing. A failure to free it is not the first error.
            let _ = backend.unlock(&id).await;
        }
        opened
    }

    async fn open_locked(
        holding: Holding,
        options: RunOptions,
        random: Arc<dyn Random>,
    ) -> Result<(Self, Recovered), RunError> {
        let backend = Arc::clone(&holding.backend);
        let clock = Arc::clone(&holding.clock);
        let mut found = find(&*backend).await?;
        crash::reach(Point::StateRead).await;
        let interrupted = found.log.last.is_some() && !found.log.ended;
        let mut tries = 0;
        while found.log.last.is_some() && !found.log.ended {
            // It may have died before it could tell the store's other half, which perhaps knows of no state yet.
            if let Some(snapshot) = found.known_snapshot() {
                backend.vouch(snapshot).await?;
            }
            let sealed = seal(&holding, &found.log, &options).await;
            match sealed {
                Ok(()) => crash::reach(Point::Sealed).await,
                // The interrupted run lives and wrote once more: read that too.
                Err(BackendError::Conflict { .. }) if tries < SEAL_TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
            found = find(&*backend).await?;
        }
        if let Some(snapshot) = found.known_snapshot().filter(|it| it.doubt.is_some()) {
            backend.vouch(snapshot).await?;
        }
        let mut recovered_state = replay(&found);
        // A new state has its lineage from the first run on, also when that run dies before there is a snapshot: owner tags are made
        // of it.
        let lineage = &mut recovered_state.state.lineage;
        if lineage.is_empty() {
            let begun = found
                .log
                .open
                .as_ref()
                .map(|open| Lineage::from(&*open.lineage));
            let begun = begun.filter(|lineage| !lineage.is_empty());
            *lineage = begun.unwrap_or_else(|| Lineage::random(&*random));
            // That alone is nothing to store.
            found.state.lineage = lineage.clone();
        }
        let sha256 = found.snapshot.as_ref().map(|snapshot| snapshot.sha256);
        let unread = found.unread();
        let epoch = found.log.last.map_or(1, |(at, ..)| at.epoch + 1);
        let open = Open {
            run: holding.id.clone(),
            lineage: recovered_state.state.lineage.to_string(),
            base_serial: found.snapshot.as_ref().map_or(0, |_| found.state.serial),
            base_sha256: sha256,
            engine: options.engine,
            process: options.process.clone(),
            at: clock.now(),
        };
        let at = Position { epoch, segment: 0 };
        let writer = Writer::new(Arc::clone(&backend), at, 0, Sha256::default());
        let this = PastRun {
            operation: Some(options.operation.as_str().to_owned()),
            ..PastRun::begun(&open, Tally::default())
        };
        writer.enqueue(&Record::Open(open));
        let past = found.log.runs();
        for run in &past {
            writer.enqueue(&Record::Past(run.clone().into()));
        }
        for carried in &recovered_state.open {
            carry(&writer, carried);
        }
        for plan in &found.log.plans {
            writer.enqueue(&Record::Plan(plan.clone()));
        }
        for transfer in found.log.transfers.values() {
            writer.enqueue(&Record::Transfer(transfer.clone().into()));
        }
        let run = Self::new(
            holding,
            random,
            options.process,
            writer,
            found.state,
            sha256,
            found
                .snapshot
                .map_or(Expected::Absent, |snapshot| Expected::Token(snapshot.token)),
            recovered_state.state,
            recovered_state.open.clone(),
            found.log.plans,
            (past, this),
            unread,
        );
        run.now().transfers = found.log.transfers;
        let recovered = Recovered {
            unread,
            transfers: run.transfers(),
            replayed: recovered_state.replayed,
            open: recovered_state.open,
            interrupted: found.log.open.filter(|_| interrupted),
        };
        if recovered.replayed > 0 {
            // Until this is stored the earlier epochs are needed; after it they are not.
            run.checkpoint().await?;
            crash::reach(Point::Replayed).await;
            run.trim().await?;
            crash::reach(Point::RecoveryTrimmed).await;
        }
        crash::reach(Point::Opened).await;
        Ok((run, recovered))
    }
}

/// Ends an epoch that its run did not end: that run can append nothing any more, so it can begin no operation.
async fn seal(holding: &Holding, log: &Log, options: &RunOptions) -> Result<(), BackendError> {
    let Some((at, number, previous)) = log.last else {
        return Ok(());
    };
    let seal = Record::Seal(Seal {
        new_epoch: at.epoch + 1,
        run: holding.id.clone(),
        who: options.process.who.clone(),
        why: "its run did not end in order".into(),
        at: holding.clock.now(),
    });
    let at = Position {
        epoch: at.epoch,
        segment: at.segment + 1,
    };
    let mut bytes = Vec::new();
    let payload = crate::journal::encode(&seal);
    frame::encode(at, number + 1, previous, &payload, &mut bytes);
    holding.backend.append_journal(at, bytes.into()).await
}
