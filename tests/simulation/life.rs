//! One run of the engine from lock to unlock, in the order in which the command line does it.

use std::sync::Arc;
use std::time::Duration;

use terrane_core::Program;
use terrane_engine::{Applied, Engine, Event, EventSink, PlanMode, PlanOptions, Unresolved};
use terrane_state::{
    Backend as _, Clock as _, Operation, ProcessIdentity, Recorder as _, Repair, Run, RunError,
    RunOptions,
};

use crate::cloud::Plugins;
use crate::schedule::{Begins, Rival};
use crate::simulation::{Said, Simulation};
use crate::store::Store;

/// How a run ended that was not killed.
#[derive(Debug)]
pub(crate) enum RunEnd {
    /// The state could not be used, or not be written.
    Failed(RunError),
    /// There is no plan.
    Unplanned(terrane_core::Diagnostics),
    /// It was applied, as far as it went.
    Applied {
        /// A person must resolve these.
        remaining: Vec<Unresolved>,
        /// There was nothing to do.
        unchanged: bool,
        applied: Box<Applied>,
    },
}

/// The command of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Up,
    Destroy,
}

/// Collects the events of a run.
struct Events(Arc<Simulation>);

impl EventSink for Events {
    fn emit(&self, event: Event) {
        let (step, done) = match event {
            Event::StepDone { step, id, .. } => (step, Some(id)),
            Event::StepStarted(step) | Event::StepFailed { step, .. } => (step, None),
            _ => return,
        };
        self.0.say(Said {
            address: step.address.to_string(),
            kind: step.kind,
            done,
        });
    }
}

/// The options of a run, which does not wait for a lock.
fn options(operation: Operation) -> RunOptions {
    RunOptions {
        operation,
        engine: "simulated".to_owned(),
        process: ProcessIdentity {
            who: "me@here".to_owned(),
            ..ProcessIdentity::default()
        },
        lock_timeout: Duration::ZERO,
    }
}

/// Opens the state.
pub(crate) async fn open(
    simulation: &Arc<Simulation>,
) -> Result<(Run, terrane_state::Recovered), RunError> {
    let options = options(Operation::Apply);
    let store = Arc::new(Store(simulation.clone()));
    Run::open(
        store,
        options,
        simulation.time.clone(),
        simulation.dice.clone(),
        &(),
    )
    .await
}

/// Opens its journal for repair.
pub(crate) async fn open_repair(simulation: &Arc<Simulation>) -> Result<Repair, RunError> {
    let options = options(Operation::State);
    let store = Arc::new(Store(simulation.clone()));
    Repair::open(
        store,
        options,
        simulation.time.clone(),
        &*simulation.dice,
        &(),
    )
    .await
}

/// A run beside another one.
pub(crate) async fn rival(
    simulation: Arc<Simulation>,
    process: usize,
    beside: usize,
    rival: Rival,
    verb: Verb,
    program: &Program,
) -> RunEnd {
    match rival.begins {
        Begins::After(millis) => {
            simulation
                .time
                .sleep(Duration::from_millis(millis.into()))
                .await;
        }
        Begins::WhenItSleeps => {
            let still = simulation.process(beside, |process| process.still.clone());
            still.notified().await;
        }
    }
    if rival.steals {
        let store = Store(simulation.clone());
        let holder = store.holder().await.expect("readable");
        if let Some(info) = holder.and_then(|holder| holder.info) {
            // It may have been given back in between.
            let _ = store.force_unlock(&info.id).await;
        }
    }
    live(simulation, process, verb, program).await
}

/// The run.
pub(crate) async fn live(
    simulation: Arc<Simulation>,
    process: usize,
    verb: Verb,
    program: &Program,
) -> RunEnd {
    let run = match open(&simulation).await {
        Ok((run, _)) => run,
        Err(error) => return RunEnd::Failed(error),
    };
    let plugins = Plugins {
        simulation: simulation.clone(),
        process,
    };
    let events = Events(simulation.clone());
    let machine = terrane_engine::Host {
        providers: &plugins,
        events: &events,
        clock: &*simulation.time,
        random: &*simulation.dice,
    };
    let engine = Engine::new(machine, simulation.schedule.parallelism);
    let interrupt = simulation.process(process, |process| process.interrupt.clone());
    let stopper = engine.stopper();
    let ended = {
        let lost = async {
            run.keep_alive().await;
            stopper.stop().await;
            std::future::pending::<()>().await;
        };
        let interrupted = async {
            interrupt.notified().await;
            stopper.stop().await;
            std::future::pending::<()>().await;
        };
        // Without `biased` the order of polling would be chance that no seed decides.
        tokio::select! {
            biased;
            () = interrupted => unreachable!("a signal alone ends nothing"),
            () = lost => unreachable!("a lost lock alone ends nothing"),
            ended = work(&run, &engine, verb, program) => ended,
        }
    };
    engine.close().await;
    match run.close().await {
        Ok(_) => ended,
        Err(error) => match ended {
            // The failed record came first.
            RunEnd::Applied { ref applied, .. } if applied.record_error.is_some() => ended,
            _ => RunEnd::Failed(error),
        },
    }
}

async fn work(run: &Run, engine: &Engine<'_>, verb: Verb, program: &Program) -> RunEnd {
    let recovered = engine.recover(program, run).await;
    if let Some(error) = recovered.record_error {
        return RunEnd::Failed(error.into());
    }
    let mut options = PlanOptions {
        blocked: recovered.blocked(),
        ..PlanOptions::default()
    };
    if verb == Verb::Destroy {
        options.mode = PlanMode::Destroy;
    }
    let plan = match engine.plan(program, &run.state(), &options).await {
        Ok(plan) => plan,
        Err(diagnostics) => return RunEnd::Unplanned(diagnostics),
    };
    let unchanged = plan.is_empty() && plan.refreshed().same_content(&plan.prior);
    let applied = match unchanged {
        true => Applied::default(),
        false => engine.apply(program, &plan, run).await,
    };
    RunEnd::Applied {
        remaining: recovered.remaining,
        unchanged: plan.is_empty() && applied.succeeded + applied.failed == 0,
        applied: Box::new(applied),
    }
}
