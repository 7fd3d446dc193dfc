//! Runs over a state in S3.

use std::sync::Arc;
use std::time::Duration;

use terrane_core::addr::InstanceAddr;
use terrane_state::backend::S3Backend;
use terrane_state::{
    Backend, BackendAddress as _, BootstrapStep, Instance, Intent, IntentAction, Object, Operation,
    OperationId, OperationOutcome, OperationResult, ProcessIdentity, RawJson, Recorder, Recovered,
    Run, RunError, RunOptions, State, SystemClock, SystemRandom,
};

use terrane_tests::Aws;

pub(crate) const STATE: &str = "prod/terraform.tfstate";

/// A new client, as another process has one.
pub(crate) async fn connect(options: &S3Backend) -> Arc<dyn Backend> {
    let clock = Arc::new(SystemClock::default());
    options.connect(clock).await.expect("connected")
}

/// What bucket and table lack.
pub(crate) async fn missing(options: &S3Backend) -> Vec<Box<dyn BootstrapStep>> {
    let clock = Arc::new(SystemClock::default());
    let planned = options.plan_bootstrap(clock).await.expect("planned");
    planned.expect("a bucket must be created")
}

/// Makes bucket and table.
pub(crate) async fn bootstrap(options: &S3Backend) {
    for step in missing(options).await {
        step.run().await.expect("done");
    }
}

/// A state with a lock table, ready to use.
pub(crate) async fn prepared(aws: &Aws) -> S3Backend {
    let options = aws.backend().lock_table(aws.name());
    bootstrap(&options).await;
    options
}

/// A run by a new process.
pub(crate) async fn try_open(options: &S3Backend) -> Result<(Run, Recovered), RunError> {
    let run_options = RunOptions {
        operation: Operation::Apply,
        engine: "test".into(),
        process: ProcessIdentity::current("me@here", None),
        lock_timeout: Duration::ZERO,
    };
    let (clock, random) = (Arc::new(SystemClock::default()), Arc::new(SystemRandom));
    let store = connect(options).await;
    Run::open(store, run_options, clock, random, &()).await
}

pub(crate) async fn open(options: &S3Backend) -> (Run, Recovered) {
    try_open(options).await.expect("opened")
}

/// Frees the lock of a run that died.
pub(crate) async fn break_lock(options: &S3Backend) {
    let store = connect(options).await;
    let holder = store.holder().await.expect("readable").expect("held");
    store
        .force_unlock(&holder.info.expect("readable").id)
        .await
        .expect("broken");
}

pub(crate) fn address(name: &str) -> InstanceAddr {
    format!("t_thing.{name}").parse().expect("an address")
}

pub(crate) fn intent(name: &str) -> Intent {
    Intent::new(
        OperationId::random(&SystemRandom),
        address(name),
        IntentAction::Create,
        "provider[\"h.example/ns/t\"]".parse().expect("an address"),
        terrane_state::Timestamp::new(1_800_000_000, 0),
    )
}

pub(crate) fn done(intent: &Intent) -> OperationResult {
    let attributes = RawJson::new(r#"{"id":"i"}"#).expect("JSON");
    OperationResult {
        op: intent.op,
        address: intent.address.clone(),
        outcome: OperationOutcome::Ok,
        instance: Some(
            Instance::with_current(intent.provider.clone(), Object::new(0, attributes)).into(),
        ),
        undecoded: None,
        error_class: None,
    }
}

/// Creates one object in the engine's order.
pub(crate) async fn create(run: &Run, name: &str) {
    let intent = intent(name);
    run.intent(intent.clone()).await.expect("recorded");
    run.result(done(&intent)).await.expect("recorded");
}

/// The state that is stored, as Terraform would read it.
pub(crate) fn stored(aws: &Aws) -> State {
    let bytes = aws.object(STATE).expect("there");
    terrane_state::file::read(bytes.as_bytes()).expect("a state")
}

pub(crate) fn names(state: &State) -> Vec<String> {
    state
        .resources
        .keys()
        .map(|address| address.resource.name.to_string())
        .collect()
}
