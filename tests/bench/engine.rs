//! The engine's side: the work of a command, from the stack function to the stored state, without output.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use terrane_core::addr::ProviderSource;
use terrane_engine::{Engine, Host, PlanCache, PlanOptions, RefreshPolicy, Silent};
use terrane_provider::{Provider, Providers, StartError};
use terrane_state::{
    Backend as _, LocalBackend, Operation, ProcessIdentity, Recorder as _, Run, RunOptions,
    SystemClock, SystemRandom,
};

use crate::case::{Case, PARALLELISM};
use crate::meter::{Measured, Meter};

/// A provider that was started before: the start is the same for everybody, and the meter needs the process.
pub(crate) struct Started(Arc<dyn Provider>);

#[async_trait]
impl Providers for Started {
    async fn start(&self, _: &ProviderSource) -> Result<Arc<dyn Provider>, StartError> {
        Ok(self.0.clone())
    }
}

pub(crate) async fn start(case: &Case) -> Started {
    let provider = case.plugins().start(&case.source()).await;
    Started(provider.expect("a provider"))
}

fn backend(case: &Case) -> LocalBackend {
    LocalBackend::new(case.place.join("terraform.tfstate")).expect("a backend")
}

pub(crate) fn world<'a>(started: &'a Started, clock: &'a SystemClock) -> Host<'a> {
    Host {
        providers: started,
        events: &Silent,
        clock,
        random: &SystemRandom,
    }
}

/// Plan and apply from nothing, with journal, snapshots and lock.
pub(crate) async fn up(case: &Case) -> Measured {
    if case.place.exists() {
        std::fs::remove_dir_all(&case.place).expect("the state of an earlier run is removed");
    }
    std::fs::create_dir(&case.place).expect("a folder");
    let started = start(case).await;
    let clock = SystemClock::default();

    let meter = Meter::start();
    let program = case.program();
    let options = RunOptions {
        operation: Operation::Apply,
        engine: "benchmark".to_owned(),
        process: ProcessIdentity::current("benchmark@localhost", None),
        lock_timeout: Duration::ZERO,
    };
    let (backend, random) = (Arc::new(backend(case)), Arc::new(SystemRandom));
    let opened = Run::open(backend, options, Arc::new(clock), random, &()).await;
    let (run, _) = opened.expect("the state");
    let engine = Engine::new(world(&started, &clock), PARALLELISM);
    let plan = engine
        .plan(&program, &run.state(), &PlanOptions::default())
        .await;
    let plan = plan.expect("a plan");
    let applied = engine.apply(&program, &plan, &run).await;
    assert_eq!(applied.done.create, case.count, "{}", applied.diagnostics);
    run.close().await.expect("the state is written");
    let measured = meter.stop();

    engine.close().await;
    measured
}

/// Plan with nothing to do.
pub(crate) async fn preview(case: &Case) -> Measured {
    let started = start(case).await;
    let clock = SystemClock::default();

    let meter = Meter::start();
    let program = case.program();
    let (state, _) = Run::look(&backend(case)).await.expect("the state");
    let engine = Engine::new(world(&started, &clock), PARALLELISM);
    let plan = engine.plan(&program, &state, &PlanOptions::default()).await;
    assert!(plan.expect("a plan").is_empty());
    let measured = meter.stop();

    engine.close().await;
    measured
}

/// Plan with nothing to do, by what an earlier plan found.
pub(crate) async fn quiet(case: &Case) -> Measured {
    let clock = SystemClock::default();
    // The hash of the provider's binary is remembered from run to run.
    let providers = case.plugins().keep_schemas_in(case.place.join("cache"));

    let meter = Meter::start();
    let program = case.program();
    let backend = backend(case);
    let (state, _) = Run::look(&backend).await.expect("the state");
    let found = backend
        .read_beside(PlanCache::NAME)
        .await
        .expect("readable");
    let known = PlanCache::read(&found.unwrap_or_default());
    let host = Host {
        providers: &providers,
        events: &Silent,
        clock: &clock,
        random: &SystemRandom,
    };
    let engine = Engine::new(host, PARALLELISM).remembering(known.clone());
    let options = PlanOptions {
        refresh: RefreshPolicy::Changed,
        ..PlanOptions::default()
    };
    let plan = engine.plan(&program, &state, &options).await;
    let plan = plan.expect("a plan");
    assert!(plan.is_empty());
    let now = engine.plan_cache().expect("a cache");
    if now != known {
        let written = backend.write_beside(PlanCache::NAME, now.write().into());
        written.await.expect("writable");
    }
    let measured = meter.stop();

    let unread = plan.unread.map_or(0, |unread| unread.objects);
    assert!(
        known.is_empty() || unread == case.count,
        "{unread} were not read"
    );
    engine.close().await;
    measured
}
