//! The beginning of a run: lock, read, replay what the snapshot lacks, seal what was left open.

use std::sync::Arc;
use std::time::Duration;

use super::{RecordError, Run, RunError};
use crate::backend::{Backend, BackendError, Expected, Holder, LockError, Position, Snapshot};
use crate::clock::Clock;
use crate::crash::{self, Point};
use crate::digest::Sha256;
use crate::file::v4;
use crate::journal::{
    Intent, Log, Open, OpenIntent, OperationResult, Outcome, Pending, ProcessIdentity, Record,
    Seal, Writer, frame,
};
use crate::lock_info::{LockInfo, Operation};
use crate::model::{Instance, Lineage, Object, State};
use crate::random::Random;

/// Who begins a run, and for what.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// What the lock says the run does.
    pub operation: Operation,
    /// Which build of the engine.
    pub engine: String,
    /// This process.
    pub process: ProcessIdentity,
    /// How long to wait for the lock.
    pub lock_timeout: Duration,
}

/// What a run found at its beginning.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// Results and changes of an earlier run that the snapshot lacked; they are in the state now.
    pub replayed: usize,
    /// Operations whose end nobody saw, oldest first. They must be settled before anything is planned at their addresses.
    pub open: Vec<OpenIntent>,
    /// The earlier run, if it did not end in order.
    pub interrupted: Option<Arc<Open>>,
    /// Operations ended since everything was last read: what a provider fills in only after an operation is not in the state yet.
    pub unread: bool,
}

/// A store as a run finds it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) snapshot: Option<Snapshot>,
    pub(super) state: State,
    pub(super) log: Log,
}

impl Found {
    /// The snapshot, if the journal saw it written.
    fn known_snapshot(&self) -> Option<&Snapshot> {
        let stored = self.log.stored.and_then(|(_, sha256)| sha256);
        let snapshot = self.snapshot.as_ref();
        snapshot.filter(|snapshot| stored == Some(snapshot.sha256))
    }

    /// Whether snapshot and journal belong together.
    fn check(&self, place: String) -> Result<(), RunError> {
        let known = self.known_snapshot().is_some();
        // Our own write, which died before it could tell the store's other half, is in doubt no longer; who holds the lock says so.
        if let Some(snapshot) = self.snapshot.as_ref().filter(|_| !known)
            && let Some(reason) = snapshot.doubt.clone()
        {
            return Err(BackendError::Doubtful { place, reason }.into());
        }
        if self.snapshot.is_some()
            && let Some(journal) = self.log.contradicts(&self.state.lineage)
        {
            return Err(RunError::OtherLineage {
                place,
                stored: self.state.lineage.clone(),
                journal,
            });
        }
        if let Some((journal, Some(_))) = self.log.stored {
            let stored = self.snapshot.as_ref().map(|_| self.state.serial);
            if stored.is_none_or(|serial| serial < journal) {
                return Err(RunError::RolledBack {
                    place,
                    stored,
                    journal,
                });
            }
            if stored == Some(journal) && !known {
                return Err(RunError::Altered {
                    place,
                    serial: journal,
                });
            }
        }
        Ok(())
    }

    /// Whether operations ended since everything was last read. What another tool wrote is another tool's to explain.
    fn unread(&self) -> bool {
        self.log.unread && self.known_snapshot().is_some()
    }
}

/// Who waits for a lock: is told of every refusal, and may lose patience.
pub trait Patience: Sync {
    /// The lock is another's; it is tried again soon.
    fn refused(&self, holder: &Holder);

    /// Whether waiting has no sense any more, as after Ctrl-C. Asked several times a second.
    fn is_over(&self) -> bool;
}

/// Waits in silence, as long as it may.
impl Patience for () {
    fn refused(&self, _: &Holder) {}

    fn is_over(&self) -> bool {
        false
    }
}

/// How often a living writer may overtake us while we seal its epoch.
const SEAL_TRIES: usize = 20;

/// How often a lock that changes hands is looked at again, and after which time.
const BLINKS: usize = 5;
const BLINK: Duration = Duration::from_millis(100);

/// Time between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Between two looks at whether somebody still wants to wait.
const GLANCE: Duration = Duration::from_millis(200);

/// A lock that is held.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) id: String,
}

impl Holding {
    /// Takes the lock, waiting for it if asked to.
    pub(super) async fn take(
        backend: Arc<dyn Backend>,
        options: &RunOptions,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
        patience: &dyn Patience,
    ) -> Result<Self, RunError> {
        let path = backend.lock_path();
        let info = LockInfo::new(
            options.operation,
            &options.process.who,
            &path,
            &*clock,
            random,
        );
        let taken = acquire(&*backend, &info, options.lock_timeout, &*clock, patience).await;
        let holding = Self {
            backend,
            clock,
            id: info.id,
        };
        match taken {
            Ok(()) => Ok(holding),
            Err(error @ RunError::Locked { .. }) => Err(error),
            // Perhaps it was taken, and only the answer was lost.
            Err(error) => {
                holding.give_back().await;
                Err(error)
            }
        }
    }

    /// Frees a lock that is held for nothing. That it could not be freed is not what went wrong first.
    pub(super) async fn give_back(&self) {
        let _ = self.backend.unlock(&self.id).await;
    }

    /// Says every few seconds that its holder lives, until the lock is no longer its own.
    pub(super) async fn keep_alive(&self) -> RecordError {
        loop {
            self.clock.sleep(HEARTBEAT).await;
            // Any other failure may pass, and the lock is a promise only: the journal is the fence.
            if let Err(error @ BackendError::NotHeld { .. }) =
                self.backend.heartbeat(&self.id, self.clock.now()).await
            {
                return RecordError::Fenced {
                    reason: error.to_string(),
                };
            }
        }
    }
}

/// Takes the lock, waiting for it if asked to.
async fn acquire(
    backend: &dyn Backend,
    info: &LockInfo,
    timeout: Duration,
    clock: &dyn Clock,
    patience: &dyn Patience,
) -> Result<(), RunError> {
    let deadline = clock.monotonic() + timeout;
    let mut pause = Duration::from_secs(1);
    let mut blinks = 0;
    loop {
        crash::reach(Point::LockBefore).await;
        let holder = match backend.lock(info).await {
            Ok(()) => {
                crash::reach(Point::LockTaken).await;
                return Ok(());
            }
            Err(LockError::Backend(error)) => return Err(error.into()),
            Err(LockError::Held(holder)) => holder,
        };
        // Freed at this moment, or just taken and not described yet: a second look tells.
        if holder.info.is_none() && holder.raw.is_empty() && blinks < BLINKS {
            blinks += 1;
            clock.sleep(BLINK).await;
            continue;
        }
        let left = deadline.saturating_sub(clock.monotonic());
        if left.is_zero() || patience.is_over() {
            return Err(RunError::Locked {
                place: backend.place(),
                holder,
            });
        }
        patience.refused(&holder);
        let again = clock.monotonic() + pause.min(left);
        while clock.monotonic() < again && !patience.is_over() {
            let rest = again.saturating_sub(clock.monotonic());
            clock.sleep(rest.min(GLANCE)).await;
        }
        pause = (pause * 2).min(Duration::from_secs(16));
    }
}

impl Run {
    /// The state as a run would find it now, for commands that only read: takes no lock and writes nothing.
    ///
    /// # Errors
    /// When state and journal can not be read or do not belong together.
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
            interrupted: found.log.open.filter(|_| interrupted),
        };
        Ok((state, recovered))
    }

    /// Begins a run: takes the lock, reads the state, puts back what an interrupted run left in its journal, and shuts that run
    /// out. `patience` hears of it whenever the lock is another's and there is time left to wait.
    ///
    /// # Errors
    /// When the lock is another's or the store does not take it, or state and journal can not be read or do not belong together. What
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
            // The lock is held for nothing. That it could not be freed is not what went wrong first.
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
        writer.enqueue(&Record::Open(open));
        for carried in &recovered_state.open {
            carry(&writer, carried);
        }
        for plan in &found.log.plans {
            writer.enqueue(&Record::Plan(plan.clone()));
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
            unread,
        );
        let recovered = Recovered {
            unread,
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

/// Writes an open intent, with what came of it so far, into the next epoch.
pub(super) fn carry(writer: &Writer, open: &OpenIntent) {
    for record in carried(open) {
        writer.enqueue(&record);
    }
}

/// The records of an open intent that say what is known of it wherever they stand.
pub(super) fn carried(open: &OpenIntent) -> impl Iterator<Item = Record> {
    let intent = Intent {
        asked_by: open.by.clone(),
        ..open.intent.clone()
    };
    let result = open.result.as_ref().map(|result| OperationResult {
        outcome: Outcome::Unknown,
        ..result.clone()
    });
    let intent = Record::Intent(intent.into());
    [intent].into_iter().chain(result.map(Record::Result))
}

/// How often a journal that changes while it is read is read again.
const READ_TRIES: usize = 5;

/// Reads the journal. Who looks without the lock may find segments listed that their run trims before they are read: damage is believed
/// when it is there a second time.
async fn read_log(backend: &dyn Backend) -> Result<Log, RunError> {
    let mut segments = backend.read_journal().await?;
    let mut tries = 0;
    loop {
        let source = match Log::read(&segments) {
            Ok(log) => return Ok(log),
            Err(damaged) => damaged,
        };
        let again = backend.read_journal().await?;
        if again == segments || tries == READ_TRIES {
            let place = backend.place();
            return Err(RunError::Journal { place, source });
        }
        segments = again;
        tries += 1;
    }
}

/// Reads snapshot and journal, and checks that they belong together.
async fn find(backend: &dyn Backend) -> Result<Found, RunError> {
    let (found, usable) = gather(backend).await?;
    usable?;
    Ok(found)
}

/// Reads snapshot and journal; whether the snapshot can be used with this journal is said beside it. One that cannot be read counts as
/// a state that holds nothing.
pub(super) async fn gather(
    backend: &dyn Backend,
) -> Result<(Found, Result<(), RunError>), RunError> {
    // The journal first: a snapshot that is read after it can only be newer than what it says.
    let mut log = read_log(backend).await?;
    let place = backend.place();
    let (snapshot, missing) = match backend.read().await {
        Err(error @ BackendError::Missing { .. }) => (None, Some(error)),
        read => (read?, None),
    };
    let nothing = || State::new(Lineage::default());
    let (state, unreadable) = match snapshot.as_ref().map(|it| v4::read(&it.bytes)) {
        None => (nothing(), None),
        Some(Ok(state)) => (state, None),
        Some(Err(source)) => (nothing(), Some(RunError::State { place, source })),
    };
    if let Some(snapshot) = &snapshot {
        log.found(&snapshot.sha256);
    }
    let found = Found {
        snapshot,
        state,
        log,
    };
    let wrong = missing.map(RunError::from).or(unreadable);
    let usable = match wrong {
        Some(wrong) => Err(wrong),
        None => found.check(backend.place()),
    };
    Ok((found, usable))
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

pub(super) struct Replayed {
    pub(super) state: State,
    pub(super) replayed: usize,
    pub(super) open: Vec<OpenIntent>,
}

/// The state with everything that the journal knows and the snapshot lacks.
pub(super) fn replay(found: &Found) -> Replayed {
    let mut state = found.state.clone();
    let mut open = found.log.open_intents();
    let snapshot = found.snapshot.as_ref().map(|snapshot| snapshot.sha256);
    let ours = found
        .log
        .stored
        .is_none_or(|(_, sha256)| sha256 == snapshot);
    let mut replayed = 0;
    for pending in found.log.pending() {
        if !ours && pending.is_edit() {
            // It was an order about the state that was there then, and nobody was told that it is done.
            continue;
        }
        let contradicted = pending.instance().filter(|(address, instance)| {
            !ours && !agrees(*instance, found.state.instance(address))
        });
        match (contradicted, pending) {
            (None, pending) => {
                if !ours
                    && pending
                        .instance()
                        .is_some_and(|(address, _)| found.state.instance(address).is_some())
                {
                    // Another tool's state has the same object, perhaps in a later shape: that one counts.
                    continue;
                }
                pending.apply(&mut state);
                replayed += 1;
            }
            (Some(_), Pending::Result(result, Some(intent))) => open.push(OpenIntent {
                intent: intent.as_ref().clone(),
                result: Some(result.clone()),
                by: found.log.open.as_ref().map(|open| open.process.clone()),
            }),
            // A change without an operation made nothing that could be lost.
            (Some(_), _) => {}
        }
    }
    Replayed {
        state,
        replayed,
        open,
    }
}

/// Whether what another tool stored at an address can be the object that our result is about.
fn agrees(ours: Option<&Arc<Instance>>, theirs: Option<&Arc<Instance>>) -> bool {
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        // Nothing there: our object is put back. Ours is gone: their reading will find that out.
        return true;
    };
    let id = |instance: &Instance| instance.current.as_deref().and_then(Object::id);
    match (id(ours), id(theirs)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        (None, None) => ours.current == theirs.current,
        _ => false,
    }
}
