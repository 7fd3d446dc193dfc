//! The surroundings of the runs: store, cloud, clock and dice; and the places that runs pass.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use terrane_state::backend::Position;
use terrane_state::crash::{self, Fate, Point};
use terrane_state::{Clock as _, MemoryBackend, Random as _};
use tokio::sync::Notify;

use crate::cloud::SimulatedCloud;
use crate::schedule::{ANY, ANY_REQUEST, Fault, Schedule, What, faults};
use crate::time::Time;
use terrane_tests::Dice;

/// How long GitHub waits from the first signal to the last.
const CANCELLED: Duration = Duration::from_secs(10);

/// Everything outside of the runs.
pub(crate) struct Simulation {
    pub(crate) schedule: Schedule,
    pub(crate) time: Arc<Time>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) store: MemoryBackend,
    pub(crate) cloud: SimulatedCloud,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The process that is being polled.
    current: Option<usize>,
    processes: Vec<Process>,
    /// The events of their steps, in order.
    said: Vec<Said>,
    /// The processes that took the lock, in order.
    locks: Vec<usize>,
    /// Its holder.
    holder: Option<usize>,
}

/// A run of the engine with its provider, as the simulation sees it.
#[derive(Default)]
pub(crate) struct Process {
    /// Which run of the schedule; none where nothing shall happen.
    pub(crate) run: Option<usize>,
    /// Which places it passed, in order.
    pub(crate) trace: Vec<&'static str>,
    passed: BTreeMap<&'static str, usize>,
    /// It was told to die; its driver drops it.
    pub(crate) death: Option<What>,
    pub(crate) provider_dead: bool,
    pub(crate) interrupt: Arc<Notify>,
    pub(crate) killed_at: Option<Duration>,
    /// It sleeps; its driver does not poll it.
    pub(crate) sleeps: bool,
    /// It sleeps, or has ended.
    pub(crate) still: Arc<Notify>,
    /// Another run has put a record behind its last one.
    fenced: bool,
}

/// An event about an address.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) address: String,
    pub(crate) kind: terrane_engine::StepKind,
    /// The id of the finished object; none while its step has only begun, or failed.
    pub(crate) done: Option<Option<String>>,
}

/// The fate of a process at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    Goes,
    Sleeps,
    Ends,
    Panics,
    Fails(Fault),
}

/// Thrown by a simulated panic.
pub(crate) struct Panicked;

impl Simulation {
    /// An empty one.
    pub(crate) fn new(schedule: Schedule) -> Arc<Self> {
        Self::with(schedule, MemoryBackend::new(), SimulatedCloud::new())
    }

    /// One with the same contents, for a schedule of its own.
    pub(crate) fn like(prepared: &Self, schedule: Schedule) -> Arc<Self> {
        Self::with(schedule, prepared.store.fork(), prepared.cloud.fork())
    }

    fn with(schedule: Schedule, store: MemoryBackend, cloud: SimulatedCloud) -> Arc<Self> {
        let simulation = Arc::new(Self {
            time: Arc::default(),
            dice: Arc::new(Dice::new(schedule.seed)),
            store,
            cloud,
            inner: Mutex::default(),
            schedule,
        });
        let hooked = Arc::downgrade(&simulation);
        crash::install(Some(Rc::new(move |point: Point| {
            let Some(simulation) = hooked.upgrade() else {
                return Fate::GoesOn;
            };
            match simulation.pass(point.name()) {
                Passage::Ends => Fate::Ends,
                Passage::Sleeps => Fate::Waits,
                Passage::Panics => std::panic::resume_unwind(Box::new(Panicked)),
                // A request can fail, a step of the engine cannot.
                Passage::Goes | Passage::Fails(_) => Fate::GoesOn,
            }
        })));
        simulation
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new process; its number.
    pub(crate) fn begin(&self, run: Option<usize>) -> usize {
        let mut inner = self.lock();
        inner.processes.push(Process {
            run,
            ..Process::default()
        });
        inner.processes.len() - 1
    }

    pub(crate) fn set_current(&self, process: Option<usize>) {
        self.lock().current = process;
    }

    /// Looks at a process, or changes it.
    pub(crate) fn process<T>(&self, process: usize, work: impl FnOnce(&mut Process) -> T) -> T {
        work(&mut self.lock().processes[process])
    }

    /// Everything that every run said, in order.
    pub(crate) fn said(&self) -> Vec<Said> {
        self.lock().said.clone()
    }

    /// One more.
    pub(crate) fn say(&self, said: Said) {
        self.lock().said.push(said);
    }

    /// The polled process has put a record into the journal: all earlier holders of the lock are fenced.
    pub(crate) fn appended(&self) {
        let mut inner = self.lock();
        let Some(current) = inner.current else { return };
        assert!(
            !inner.processes[current].fenced,
            "FENCE: a run that was shut out put a record into the journal"
        );
        let Some(mine) = inner.locks.iter().rposition(|&process| process == current) else {
            return;
        };
        let Inner {
            processes, locks, ..
        } = &mut *inner;
        for &earlier in &locks[..mine] {
            processes[earlier].fenced |= earlier != current;
        }
    }

    /// The polled process has got the lock; two never hold it at once.
    pub(crate) fn took_lock(&self) {
        let mut inner = self.lock();
        let Some(current) = inner.current else { return };
        assert!(
            inner.holder.is_none_or(|holder| holder == current),
            "LOCK: two runs hold it"
        );
        inner.holder = Some(current);
        inner.locks.push(current);
    }

    /// The lock is free: given back, or broken.
    pub(crate) fn freed_lock(&self) {
        self.lock().holder = None;
    }

    /// Every place that the runs of the schedule passed, a list a run.
    pub(crate) fn traces(&self) -> Vec<Vec<&'static str>> {
        let inner = self.lock();
        let runs = inner.processes.iter().filter(|it| it.run.is_some());
        runs.map(|process| process.trace.clone()).collect()
    }

    /// Passes a place of the simulation outside of the engine; how the request there goes wrong, if it does.
    pub(crate) async fn place(&self, place: &'static str) -> Option<Fault> {
        match self.pass(place) {
            Passage::Goes => None,
            Passage::Fails(fault) => Some(fault),
            Passage::Panics => std::panic::resume_unwind(Box::new(Panicked)),
            Passage::Ends => std::future::pending().await,
            Passage::Sleeps => {
                tokio::task::yield_now().await;
                None
            }
        }
    }

    fn pass(&self, place: &'static str) -> Passage {
        let mut inner = self.lock();
        let Some(current) = inner.current else {
            return Passage::Goes;
        };
        if inner.processes[current].death.is_some() {
            return Passage::Ends;
        }
        let process = &mut inner.processes[current];
        process.trace.push(place);
        let mut counted = vec![place, ANY];
        if !faults(place).is_empty() {
            counted.push(ANY_REQUEST);
        }
        let mut happens = None;
        for counted in counted {
            let nth = process.passed.entry(counted).or_default();
            *nth += 1;
            let event = self.schedule.events.iter().find(|event| {
                Some(event.run) == process.run && event.place == counted && event.nth == *nth
            });
            happens = happens.or(event.map(|event| event.what));
        }
        match happens {
            None => Passage::Goes,
            // Not every request can go wrong in every way.
            Some(What::Fault(fault)) if !faults(place).contains(&fault) => Passage::Goes,
            Some(What::Fault(fault)) => Passage::Fails(fault),
            Some(What::Sleeps) => {
                process.sleeps = true;
                process.still.notify_one();
                Passage::Sleeps
            }
            Some(What::ProviderDies) => {
                process.provider_dead = true;
                Passage::Goes
            }
            Some(What::Cancelled) => {
                process.interrupt.notify_one();
                process.killed_at = Some(self.time.monotonic() + CANCELLED);
                Passage::Goes
            }
            Some(What::Panic) => {
                process.death = Some(What::Panic);
                Passage::Panics
            }
            Some(What::Garbles) => {
                process.death = Some(What::Garbles);
                self.garble();
                Passage::Ends
            }
            Some(death @ (What::EngineDies | What::BothDie)) => {
                process.death = Some(death);
                Passage::Ends
            }
        }
    }

    /// Puts something that is no record behind the last one.
    fn garble(&self) {
        let garbage = match self.dice.below(3) {
            0 => vec![0; 4096],
            1 => b"garbage".to_vec(),
            _ => self.dice.bits().to_le_bytes().to_vec(),
        };
        self.store.damage_journal(|journal| {
            let at = journal.keys().next_back().copied().unwrap_or_default();
            let last = journal.entry(at).or_default();
            *last = [&last[..], &garbage].concat().into();
        });
    }

    /// Half of the journal before a place is lost.
    pub(crate) fn halve_before(&self, before: Position) {
        self.store.damage_journal(|journal| {
            let mut nth = 0;
            journal.retain(|at, _| {
                nth += 1;
                *at >= before || nth % 2 == 0
            });
        });
    }

    /// Takes some time of the clock, up to that many milliseconds.
    pub(crate) async fn takes(&self, most: usize) {
        let millis = u64::try_from(1 + self.dice.below(most)).expect("small");
        self.time.sleep(Duration::from_millis(millis)).await;
    }
}
