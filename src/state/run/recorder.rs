//! What the engine must say, and when: before it asks a provider for anything, and before it says that something is done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use terrane_core::addr::InstanceAddr;
use thiserror::Error;

use crate::journal::{Change, Intent, OperationResult, Outcome, Record};
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

    /// Returns when the result is durable; only then may "done" be said. An [`Outcome::Unknown`] leaves its intent open.
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
    /// The journal can not be written.
    #[error("the journal at {place} can not be written: {reason}")]
    Unwritable {
        /// Where it is.
        place: String,
        /// What the backend said.
        reason: String,
    },
}

/// A recorder for tests: keeps the state and every record in memory.
#[derive(Debug, Default)]
pub struct MemoryRecorder {
    inner: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    state: State,
    records: Vec<Record>,
    failure: Option<RecordError>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            state: State::new("".into()),
            records: Vec::new(),
            failure: None,
        }
    }
}

impl MemoryRecorder {
    /// A recorder that begins with that state.
    pub fn new(state: State) -> Self {
        let memory = Memory {
            state,
            ..Memory::default()
        };
        Self {
            inner: Mutex::new(memory),
        }
    }

    /// Everything that was recorded, in order.
    pub fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    /// Lets every record from now on fail like that, or succeed again.
    pub fn fail_with(&self, failure: Option<RecordError>) {
        self.lock().failure = failure;
    }

    /// Intents that have no result yet, or one that is unknown.
    pub fn open_intents(&self) -> Vec<Intent> {
        let memory = self.lock();
        let mut open: Vec<Intent> = Vec::new();
        for record in &memory.records {
            match record {
                Record::Intent(intent) => open.push(intent.clone()),
                Record::Result(result) if result.outcome != Outcome::Unknown => {
                    open.retain(|intent| intent.op != result.op);
                }
                _ => {}
            }
        }
        open
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Recorder for MemoryRecorder {
    async fn intent(&self, intent: Intent) -> Result<(), RecordError> {
        let mut memory = self.lock();
        if let Some(failure) = &memory.failure {
            return Err(failure.clone());
        }
        memory.records.push(Record::Intent(intent));
        Ok(())
    }

    async fn result(&self, result: OperationResult) -> Result<(), RecordError> {
        let mut memory = self.lock();
        result.apply(&mut memory.state);
        if let Some(failure) = &memory.failure {
            return Err(failure.clone());
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
}
