//! Failures that a test asks for: operations that fail or time out, answers that are lost, runs that die.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use terrane_core::addr::InstanceAddr;
use terrane_engine::{Event, StepKind};
use tokio::sync::Notify;

/// A failure of the next run. A run that never comes to its place is an error of the test.
#[derive(Debug, Clone)]
pub struct Fault {
    place: Place,
    pub(crate) effect: Effect,
}

/// An operation that is to go wrong; its methods say how.
#[derive(Debug, Clone)]
#[must_use]
pub struct FaultyOperation {
    kind: Kind,
    address: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Operation(FaultyPlace),
    AfterSteps(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FaultyPlace {
    kind: Kind,
    address: String,
}

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Update,
    Delete,
    Read,
}

/// What happens instead of the operation, or after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The provider refuses; nothing was done.
    Fails(String),
    /// The cloud does it, and the provider gives up waiting for it.
    TimesOut,
    /// The cloud does it, and the provider ends before it can answer.
    LosesAnswer,
    /// The cloud does it, and the run ends before it hears of it.
    Dies,
}

impl Fault {
    /// The creation of the object at that address, also as a half of its replacement.
    pub fn create(address: impl Into<String>) -> FaultyOperation {
        FaultyOperation::new(Kind::Create, address)
    }

    /// Its change in place.
    pub fn update(address: impl Into<String>) -> FaultyOperation {
        FaultyOperation::new(Kind::Update, address)
    }

    /// Its deletion, also as a half of its replacement.
    pub fn delete(address: impl Into<String>) -> FaultyOperation {
        FaultyOperation::new(Kind::Delete, address)
    }

    /// The look at it before anything is planned.
    pub fn read(address: impl Into<String>) -> FaultyOperation {
        FaultyOperation::new(Kind::Read, address)
    }

    /// The run dies when that many steps are done: as by `kill -9`, between two operations.
    pub fn dies_after(steps: usize) -> Self {
        Self {
            place: Place::AfterSteps(steps),
            effect: Effect::Dies,
        }
    }
}

impl FaultyOperation {
    fn new(kind: Kind, address: impl Into<String>) -> Self {
        let address = address.into();
        Self { kind, address }
    }

    fn with(self, effect: Effect) -> Fault {
        let Self { kind, address } = self;
        Fault {
            place: Place::Operation(FaultyPlace { kind, address }),
            effect,
        }
    }

    /// The provider refuses it with that message; nothing was done.
    pub fn fails(self, message: impl Into<String>) -> Fault {
        self.with(Effect::Fails(message.into()))
    }

    /// The cloud begins it, and the provider gives up waiting: an object that was being created is there, and unfinished.
    pub fn times_out(self) -> Fault {
        self.with(Effect::TimesOut)
    }

    /// The cloud does it, and the provider crashes before it can say so: nobody knows the outcome.
    pub fn loses_answer(self) -> Fault {
        self.with(Effect::LosesAnswer)
    }

    /// The cloud does it, and the run dies before it hears of it: as by `kill -9`, in the middle of an operation.
    pub fn dies(self) -> Fault {
        self.with(Effect::Dies)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::AfterSteps(steps) => write!(f, "the death after {steps} steps"),
            Place::Operation(FaultyPlace { kind, address }) => {
                let kind = match kind {
                    Kind::Create => "create",
                    Kind::Update => "update",
                    Kind::Delete => "delete",
                    Kind::Read => "read",
                };
                write!(f, "the fault of {kind} {address}")
            }
        }
    }
}

/// The faults of one run, and where the run is.
pub(crate) struct Faults {
    armed: Mutex<Vec<Fault>>,
    /// The operation in progress: one at a time, so that it is known whose it is.
    current: Mutex<Option<FaultyPlace>>,
    steps: AtomicUsize,
    dead: AtomicBool,
    died: Notify,
}

impl Faults {
    pub(crate) fn new(armed: Vec<Fault>) -> Self {
        Self {
            armed: Mutex::new(armed),
            current: Mutex::default(),
            steps: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
            died: Notify::new(),
        }
    }

    /// Follows the run.
    pub(crate) fn event(&self, event: &Event) {
        match event {
            Event::StepStarted(step) => {
                let kind = match step.kind {
                    StepKind::Create => Kind::Create,
                    StepKind::Update => Kind::Update,
                    StepKind::Delete => Kind::Delete,
                    StepKind::Read | StepKind::Forget => return,
                };
                self.begin(kind, &step.address);
            }
            Event::RefreshStarted { address } => self.begin(Kind::Read, address),
            Event::StepDone { .. } => {
                let steps = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
                if self.take(&Place::AfterSteps(steps)).is_some() {
                    self.die();
                }
            }
            _ => {}
        }
    }

    fn begin(&self, kind: Kind, address: &InstanceAddr) {
        let address = address.to_string();
        *lock(&self.current) = Some(FaultyPlace { kind, address });
    }

    /// What is to happen to the operation in progress, if it is one of that kind.
    pub(crate) fn effect(&self, reads: bool) -> Option<Effect> {
        let current = lock(&self.current).clone()?;
        if (current.kind == Kind::Read) != reads {
            return None;
        }
        self.take(&Place::Operation(current))
            .map(|fault| fault.effect)
    }

    fn take(&self, place: &Place) -> Option<Fault> {
        let mut armed = lock(&self.armed);
        let found = armed.iter().position(|fault| fault.place == *place)?;
        Some(armed.remove(found))
    }

    /// Those that the run did not come to.
    pub(crate) fn left(&self) -> Vec<Fault> {
        lock(&self.armed).clone()
    }

    pub(crate) fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Goes on while the run is alive; a dead one never does.
    pub(crate) async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when the run has died.
    pub(crate) async fn death(&self) {
        self.died.notified().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
