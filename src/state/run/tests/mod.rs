//! Runs over a store in memory that can fail, stop or be taken over at any call.

mod crash;
mod edits;
mod faults;
mod fencing;
mod foreign;
mod history;
mod life;
mod plans;
mod repair;
mod restore;
mod transfers;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use terrane_core::addr::InstanceAddr;

use super::*;
use crate::backend::Backend;
use crate::journal::{
    Intent, IntentAction, OperationId, OperationOutcome, OperationResult, ProcessIdentity,
};
use crate::model::{Instance, Object, RawJson, State};
use crate::{Clock, MemoryBackend, Operation, Random, Timestamp};

/// A clock that only moves when someone waits.
#[derive(Debug, Default)]
struct TestClock(Mutex<Duration>);

impl TestClock {
    fn advance(&self, duration: Duration) {
        *self.0.lock().expect("not poisoned") += duration;
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_800_000_000, 0).after(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().expect("not poisoned")
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        tokio::task::yield_now().await;
    }
}

/// Numbers that never repeat.
#[derive(Debug, Default)]
struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            chunk.copy_from_slice(&next.to_be_bytes()[..chunk.len()]);
        }
    }
}

/// One store with a clock, and runs over it.
struct Rig {
    backend: Arc<dyn Backend>,
    clock: Arc<TestClock>,
    random: Arc<TestRandom>,
}

impl Rig {
    fn new() -> Self {
        Self::over(Arc::new(MemoryBackend::new()))
    }

    fn over(backend: Arc<dyn Backend>) -> Self {
        Self {
            backend,
            clock: Arc::default(),
            random: Arc::default(),
        }
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            operation: Operation::Apply,
            engine: "test".into(),
            process: ProcessIdentity {
                who: "me@here".into(),
                ..ProcessIdentity::default()
            },
            lock_timeout: Duration::ZERO,
        }
    }

    async fn try_open(&self) -> Result<(Run, Recovered), RunError> {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        Run::open(
            Arc::clone(&self.backend),
            self.options(),
            clock,
            random,
            &(),
        )
        .await
    }

    async fn try_repair(&self) -> Result<Repair, RunError> {
        let clock = Arc::clone(&self.clock);
        let backend = Arc::clone(&self.backend);
        Repair::open(backend, self.options(), clock, &*self.random, &()).await
    }

    async fn open(&self) -> (Run, Recovered) {
        self.try_open().await.expect("opened")
    }

    /// Frees the lock of a run that died.
    async fn break_lock(&self) {
        if let Some(holder) = self.backend.holder().await.expect("readable") {
            let id = holder.info.expect("ours").id;
            self.backend.force_unlock(&id).await.expect("broken");
        }
    }

    async fn stored(&self) -> Option<State> {
        let snapshot = self.backend.read().await.expect("readable")?;
        Some(crate::file::read(&snapshot.bytes).expect("a state"))
    }

    fn intent(&self, name: &str) -> Intent {
        Intent::new(
            OperationId::random(&*self.random),
            address(name),
            IntentAction::Create,
            "provider[\"h.example/ns/t\"]".parse().expect("an address"),
            self.clock.now(),
        )
    }
}

fn address(name: &str) -> InstanceAddr {
    format!("t_thing.{name}").parse().expect("an address")
}

fn instance(id: &str) -> Arc<Instance> {
    let attributes = RawJson::new(&format!("{{\"id\":{id:?}}}")).expect("JSON");
    let provider = "provider[\"h.example/ns/t\"]".parse().expect("an address");
    Instance::with_current(provider, Object::new(0, attributes)).into()
}

fn done(intent: &Intent, id: &str) -> OperationResult {
    OperationResult {
        op: intent.op,
        address: intent.address.clone(),
        outcome: OperationOutcome::Ok,
        instance: Some(instance(id)),
        undecoded: None,
        error_class: None,
    }
}

fn unknown(intent: &Intent) -> OperationResult {
    OperationResult {
        outcome: OperationOutcome::Unknown,
        instance: None,
        ..done(intent, "")
    }
}

/// Creates one object in a run, in the engine's order.
async fn create(rig: &Rig, run: &Run, name: &str) {
    let intent = rig.intent(name);
    run.intent(intent.clone()).await.expect("recorded");
    run.result(done(&intent, name)).await.expect("recorded");
}

fn names(state: &State) -> Vec<String> {
    state
        .resources
        .keys()
        .map(|address| address.resource.name.to_string())
        .collect()
}
