//! The order of records: an intent before a provider is asked, a result before anything is reported as done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use terrane_core::addr::InstanceAddr;
use thiserror::Error;

use super::Liveness;
use crate::journal::{
    Change, Intent, OpenIntent, OperationOutcome, OperationResult, Record, Resolve,
};
use crate::model::{Instance, State};

/// The engine's side of the journal and the state in memory.
///
/// The order for one operation: [`intent`](Self::intent) is awaited, then the provider is asked, then
/// [`result`](Self::result) is awaited, then "done" is said. The state in memory changes as soon as a result or a change is
/// handed over. A future that is dropped halfway loses nothing: the record is written with the next one.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Returns when the intent is durable; only then may the provider be asked.
    ///
    /// # Errors
    /// When it could not be made durable, or this run no longer owns the stack. The provider must not be asked then.
    async fn intent(&self, intent: Intent) -> Result<(), RecordError>;

    /// Returns when the result is durable; only then may "done" be said. An [`OperationOutcome::Unknown`] leaves its intent open.
    ///
    /// # Errors
    /// When it could not be made durable. The state in memory holds the result all the same.
    async fn result(&self, result: OperationResult) -> Result<(), RecordError>;

    /// Records a change that asks nothing of a provider. It is durable before any intent that follows it.
    fn change(&self, change: Change);

    /// All that is at an address now.
    fn instance(&self, address: &InstanceAddr) -> Option<Arc<Instance>>;

    /// The whole state as it is now; copies pointers only.
    fn state(&self) -> State;

    /// Unresolved operations, oldest first: those of earlier runs, and those of this one.
    fn open_intents(&self) -> Vec<OpenIntent>;

    /// Whether the run that began an operation, or its provider process, may still work on it.
    fn liveness(&self, open: &OpenIntent) -> Liveness;

    /// Resolves an unresolved operation, and changes the state with it where the resolution does. Durable on return.
    ///
    /// # Errors
    /// When it could not be made durable, or this run no longer owns the stack.
    async fn resolve(&self, resolve: Resolve) -> Result<(), RecordError>;
}

/// Something could not be recorded.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Another run sealed the journal or took the lock: this one must stop.
    #[error("this run no longer owns the stack: {reason}")]
    Fenced {
        /// Who took over and why, as far as it is known.
        reason: String,
    },
    /// The run was closed.
    #[error("the run was closed")]
    Closed,
    /// The journal cannot be written.
    #[error("the journal at {place} cannot be written: {reason}")]
    Unwritable {
        /// Where it is.
        place: String,
        /// The backend's error.
        reason: String,
    },
}

/// A recorder that keeps the state and every record in memory: for tests, and for looking ahead.
#[derive(Debug, Default)]
pub struct MemoryRecorder {
    inner: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    state: State,
    open: Vec<OpenIntent>,
    /// What to say of all; `None` where it is looked up.
    liveness: Option<Liveness>,
    records: Vec<Record>,
    failure: Option<RecordError>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            state: State::new("".into()),
            open: Vec::new(),
            liveness: Some(Liveness::Dead),
            records: Vec::new(),
            failure: None,
        }
    }
}

impl MemoryRecorder {
    /// A recorder that begins with that state.
    pub fn new(state: State) -> Self {
        Self::with_open(state, Vec::new())
    }

    /// A recorder that begins with that state and these unresolved operations.
    pub fn with_open(state: State, open: Vec<OpenIntent>) -> Self {
        let memory = Memory {
            state,
            open,
            ..Memory::default()
        };
        Self {
            inner: Mutex::new(memory),
        }
    }

    /// The same, where the processes behind those operations are looked for as a real run does it.
    pub fn rehearsing(state: State, open: Vec<OpenIntent>) -> Self {
        let recorder = Self::with_open(state, open);
        recorder.lock().liveness = None;
        recorder
    }

    /// Everything that was recorded, in order.
    pub fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    /// Lets every record from now on fail like that, or succeed again.
    pub fn fail_with(&self, failure: Option<RecordError>) {
        self.lock().failure = failure;
    }

    /// Declares the process behind every unresolved operation alive, dead or unknown from now on; dead at first.
    pub fn set_liveness(&self, liveness: Liveness) {
        self.lock().liveness = Some(liveness);
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn may_record(&self) -> Result<(), RecordError> {
        self.failure.clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Recorder for MemoryRecorder {
    async fn intent(&self, intent: Intent) -> Result<(), RecordError> {
        let mut memory = self.lock();
        memory.may_record()?;
        memory.open.push(OpenIntent {
            intent: intent.clone(),
            result: None,
            by: None,
        });
        memory.records.push(Record::Intent(intent.into()));
        Ok(())
    }

    async fn result(&self, result: OperationResult) -> Result<(), RecordError> {
        let mut memory = self.lock();
        result.apply(&mut memory.state);
        memory.may_record()?;
        if result.outcome != OperationOutcome::Unknown {
            memory.open.retain(|open| open.intent.op != result.op);
        } else if let Some(open) = memory
            .open
            .iter_mut()
            .find(|open| open.intent.op == result.op)
        {
            open.result = Some(result.clone());
        }
        memory.records.push(Record::Result(result));
        Ok(())
    }

    fn change(&self, change: Change) {
        let mut memory = self.lock();
        change.apply(&mut memory.state);
        memory.records.push(Record::Change(change));
    }

    fn instance(&self, address: &InstanceAddr) -> Option<Arc<Instance>> {
        self.lock().state.instance(address).cloned()
    }

    fn state(&self) -> State {
        self.lock().state.clone()
    }

    fn open_intents(&self) -> Vec<OpenIntent> {
        self.lock().open.clone()
    }

    fn liveness(&self, open: &OpenIntent) -> Liveness {
        self.lock().liveness.unwrap_or_else(|| open.liveness())
    }

    async fn resolve(&self, resolve: Resolve) -> Result<(), RecordError> {
        let mut memory = self.lock();
        memory.may_record()?;
        memory.open.retain(|open| open.intent.op != resolve.op);
        resolve.apply(&mut memory.state);
        memory.records.push(Record::Resolve(resolve));
        Ok(())
    }
}
