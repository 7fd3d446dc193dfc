//! The engine's side: a program of many small resources, with the journal and state that a real run has.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use terrane_core::addr::ProviderSource;
use terrane_core::{ConfigValues, Program, Resource};
use terrane_engine::{Engine, PlanOptions, Silent, World};
use terrane_provider::{CliConfig, Environment, Launch, NoLog, Plugins, ProviderCommand};
use terrane_state::{
    LocalBackend, Operation, ProcessIdentity, Recorder as _, Run, RunOptions, SystemClock,
    SystemRandom,
};
use terrane_tests::go_program;

use crate::measure::{Figures, Meter};

pub(crate) fn source() -> ProviderSource {
    "terrane/fast".parse().expect("a source")
}

/// The fast provider, whose own work is next to nothing.
pub(crate) fn plugins() -> Plugins {
    let environment: Environment = ["PATH", "HOME"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?.into_string().ok()?)))
        .collect();
    let command: ProviderCommand = go_program("terraform-provider-fast").into();
    Plugins::new(
        environment,
        CliConfig::default(),
        Launch::Direct,
        Arc::new(NoLog),
    )
    .with_command(source(), command)
}

fn program(count: usize) -> Program {
    let declared = Program::from_fn(
        |stack| {
            for place in 0..count {
                Resource::dynamic("fast_resource", "one")
                    .provider_source(source())
                    .instance_key(place)
                    .set("first", "the same for all")
                    .declare(stack);
            }
            Ok(())
        },
        ConfigValues::default(),
    );
    declared.expect("a program")
}

async fn open(place: &TempDir) -> Run {
    let backend = LocalBackend::new(place.path().join("terraform.tfstate")).expect("a backend");
    let options = RunOptions {
        operation: Operation::Apply,
        engine: "benchmark".to_owned(),
        process: ProcessIdentity::default(),
        lock_timeout: Duration::ZERO,
    };
    let clock = Arc::new(SystemClock::default());
    let random = Arc::new(SystemRandom);
    let opened = Run::open(Arc::new(backend), options, clock, random, &|_| {}).await;
    opened.expect("the state").0
}

/// Plan and apply from nothing, journal and snapshots included.
pub(crate) async fn up(count: usize) -> Figures {
    let place = tempfile::tempdir().expect("a folder");
    let program = program(count);
    let meter = Meter::start();
    apply(&place, &program, &meter).await
}

async fn apply(place: &TempDir, program: &Program, meter: &Meter) -> Figures {
    let run = open(place).await;
    let plugins = plugins();
    let clock = SystemClock::default();
    let world = World {
        providers: &plugins,
        events: &Silent,
        clock: &clock,
        random: &SystemRandom,
    };
    let engine = Engine::new(world, 10);
    let plan = engine
        .plan(program, &run.state(), &PlanOptions::default())
        .await;
    let plan = plan.expect("a plan");
    let applied = engine.apply(program, &plan, &run).await;
    assert_eq!(applied.failed, 0, "{}", applied.diagnostics);
    run.close().await.expect("the state is written");
    let figures = meter.stop();
    engine.close().await;
    figures
}

/// Plan with nothing to do.
pub(crate) async fn preview(count: usize) -> Figures {
    let place = tempfile::tempdir().expect("a folder");
    let program = program(count);
    apply(&place, &program, &Meter::start()).await;
    let run = open(&place).await;
    let plugins = plugins();
    let clock = SystemClock::default();
    let world = World {
        providers: &plugins,
        events: &Silent,
        clock: &clock,
        random: &SystemRandom,
    };
    let meter = Meter::start();
    let engine = Engine::new(world, 10);
    let plan = engine
        .plan(&program, &run.state(), &PlanOptions::default())
        .await;
    assert!(plan.expect("a plan").is_empty());
    let figures = meter.stop();
    engine.close().await;
    figures
}
