//! What a run records, until it dies: a dead run records nothing.

use std::sync::Arc;

use async_trait::async_trait;
use terrane_core::addr::InstanceAddr;
use terrane_state::{
    Change, Instance, Intent, Liveness, MemoryRecorder, OpenIntent, OperationResult, RecordError,
    Recorder, Resolve, State,
};

use crate::fault::Faults;

/// A recorder in memory whose records end with the run.
pub(crate) struct MortalRecorder<'a> {
    pub(crate) memory: MemoryRecorder,
    pub(crate) faults: &'a Faults,
}

#[async_trait]
impl Recorder for MortalRecorder<'_> {
    async fn intent(&self, intent: Intent) -> Result<(), RecordError> {
        self.faults.alive().await;
        self.memory.intent(intent).await
    }

    async fn result(&self, result: OperationResult) -> Result<(), RecordError> {
        self.faults.alive().await;
        self.memory.result(result).await
    }

    fn change(&self, change: Change) {
        if !self.faults.is_dead() {
            self.memory.change(change);
        }
    }

    fn instance(&self, address: &InstanceAddr) -> Option<Arc<Instance>> {
        self.memory.instance(address)
    }

    fn state(&self) -> State {
        self.memory.state()
    }

    fn open_intents(&self) -> Vec<OpenIntent> {
        self.memory.open_intents()
    }

    fn liveness(&self, open: &OpenIntent) -> Liveness {
        self.memory.liveness(open)
    }

    async fn resolve(&self, resolve: Resolve) -> Result<(), RecordError> {
        self.faults.alive().await;
        self.memory.resolve(resolve).await
    }
}
