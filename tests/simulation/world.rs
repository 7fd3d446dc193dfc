//! What survives the runs: store, cloud, clock and dice; and what runs pass on their way.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use terrane_state::crash::{self, Fate, Point};
use terrane_state::{Clock as _, MemoryBackend};
use tokio::sync::Notify;

use crate::cloud::Cloud;
use crate::dice::Dice;
use crate::schedule::{Fault, Schedule, What};
use crate::time::Time;

/// How long GitHub waits from the first signal to the last.
const CANCELLED: Duration = Duration::from_secs(10);

/// Everything outside of the runs.
pub(crate) struct World {
    pub(crate) schedule: Schedule,
    pub(crate) time: Arc<Time>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) store: MemoryBackend,
    pub(crate) cloud: Cloud,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Who is being polled.
    current: Option<usize>,
    processes: Vec<Process>,
}

/// A run of the engine with its provider, as the world sees it.
#[derive(Default)]
pub(crate) struct Process {
    /// Which run of the schedule; none where nothing shall happen.
    pub(crate) run: Option<usize>,
    /// Which places it passed, in order.
    pub(crate) trace: Vec<&'static str>,
    passed: BTreeMap<&'static str, usize>,
    /// It was told to die; whoever drives it drops it.
    pub(crate) death: Option<What>,
    pub(crate) provider_dead: bool,
    pub(crate) interrupt: Arc<Notify>,
    pub(crate) killed_at: Option<Duration>,
    /// What it said of its steps.
    pub(crate) said: Vec<Said>,
}

/// What was said of an address.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) address: String,
    pub(crate) kind: terrane_engine::StepKind,
    /// The id of what is done; none while it is only begun, or failed.
    pub(crate) done: Option<Option<String>>,
}

/// What becomes of who passes a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    Goes,
    Ends,
    Panics,
    Fails(Fault),
}

/// Thrown by a simulated panic.
pub(crate) struct Panicked;

impl World {
    /// An empty one.
    pub(crate) fn new(schedule: Schedule) -> Arc<Self> {
        Self::with(schedule, MemoryBackend::new(), Cloud::new())
    }

    /// One that holds what another one holds, for a schedule of its own.
    pub(crate) fn like(prepared: &Self, schedule: Schedule) -> Arc<Self> {
        Self::with(schedule, prepared.store.fork(), prepared.cloud.fork())
    }

    fn with(schedule: Schedule, store: MemoryBackend, cloud: Cloud) -> Arc<Self> {
        let world = Arc::new(Self {
            time: Arc::default(),
            dice: Arc::new(Dice::new(schedule.seed)),
            store,
            cloud,
            inner: Mutex::default(),
            schedule,
        });
        let hooked = Arc::downgrade(&world);
        crash::install(Some(Rc::new(move |point: Point| {
            let Some(world) = hooked.upgrade() else {
                return Fate::GoesOn;
            };
            match world.pass(point.name()) {
                Passage::Ends => Fate::Ends,
                Passage::Panics => std::panic::resume_unwind(Box::new(Panicked)),
                // A request can fail, a step of the engine cannot.
                Passage::Goes | Passage::Fails(_) => Fate::GoesOn,
            }
        })));
        world
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

    /// Everything that every run said, in order: no two of them live at the same time.
    pub(crate) fn said(&self) -> Vec<Said> {
        let inner = self.lock();
        let processes = inner.processes.iter();
        processes.flat_map(|process| process.said.clone()).collect()
    }

    /// Every place that the runs of the schedule passed, a list a run.
    pub(crate) fn traces(&self) -> Vec<Vec<&'static str>> {
        let inner = self.lock();
        let runs = inner.processes.iter().filter(|it| it.run.is_some());
        runs.map(|process| process.trace.clone()).collect()
    }

    /// Passes a place of the world outside of the engine; how the request there goes wrong, if it does.
    pub(crate) async fn place(&self, place: &'static str) -> Option<Fault> {
        match self.pass(place) {
            Passage::Goes => None,
            Passage::Fails(fault) => Some(fault),
            Passage::Panics => std::panic::resume_unwind(Box::new(Panicked)),
            Passage::Ends => std::future::pending().await,
        }
    }

    fn pass(&self, place: &'static str) -> Passage {
        let mut inner = self.lock();
        let Some(current) = inner.current else {
            return Passage::Goes;
        };
        let process = &mut inner.processes[current];
        if process.death.is_some() {
            return Passage::Ends;
        }
        process.trace.push(place);
        let nth = process.passed.entry(place).or_default();
        *nth += 1;
        let nth = *nth;
        let happens = self.schedule.events.iter().find(|event| {
            Some(event.run) == process.run && event.place == place && event.nth == nth
        });
        match happens.map(|event| event.what) {
            None => Passage::Goes,
            Some(What::Fault(fault)) => Passage::Fails(fault),
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
            Some(death @ (What::EngineDies | What::BothDie)) => {
                process.death = Some(death);
                Passage::Ends
            }
        }
    }

    /// Takes some time of the clock, up to that many milliseconds.
    pub(crate) async fn takes(&self, most: usize) {
        let millis = u64::try_from(1 + self.dice.below(most)).expect("small");
        self.time.sleep(Duration::from_millis(millis)).await;
    }
}
