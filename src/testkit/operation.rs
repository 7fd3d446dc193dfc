//! One preview or run of the engine over a test's cloud, as the command line does it.

use std::sync::{Arc, Mutex, PoisonError};

use terrane_core::{Diagnostics, Program};
use terrane_engine::{
    Applied, Engine, Event, EventSink, Host, Plan, PlanMode, PlanOptions, Recovered, Step,
};
use terrane_state::{MemoryRecorder, OpenIntent, Recorder as _, State};

use crate::fault::Faults;
use crate::provider::SandboxProviders;
use crate::recorder::MortalRecorder;
use crate::stack::TestStack;
use crate::time::{TestClock, TestRandom};

/// Operations are done one at a time: then their order is the same in every run, and a fault knows whose operation it is in.
const PARALLELISM: usize = 1;

/// Everything that one operation works on.
pub(crate) struct Operation<'a> {
    pub(crate) program: &'a Arc<Program>,
    pub(crate) stack: &'a TestStack,
    pub(crate) providers: &'a SandboxProviders,
    pub(crate) clock: &'a TestClock,
    pub(crate) random: &'a TestRandom,
    pub(crate) state: State,
    pub(crate) open: Vec<OpenIntent>,
}

/// What an applying operation left.
pub(crate) struct Ended {
    pub(crate) state: State,
    pub(crate) open: Vec<OpenIntent>,
    /// The first plan, and its program.
    pub(crate) plan: Option<(Arc<Program>, Plan)>,
    pub(crate) recovered: Recovered,
    pub(crate) steps: Vec<String>,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) died: bool,
}

impl Operation<'_> {
    /// Plans, and changes nothing.
    pub(crate) fn preview(self) -> Result<(Arc<Program>, Plan), Diagnostics> {
        let events = Events::new(self.providers.faults.clone());
        on_a_thread_of_its_own(|| async {
            let engine = Engine::new(self.host(&events), PARALLELISM);
            let (recovered, prior) = engine
                .rehearse(self.program, &self.state, self.open.clone())
                .await;
            let options = PlanOptions {
                blocked: recovered.blocked(),
                ..PlanOptions::default()
            };
            let planned = self.planned(&engine, self.program, &prior, &options).await;
            engine.close().await;
            planned
        })
    }

    /// Recovers, plans and applies, until all is done, something fails, or the run dies.
    pub(crate) fn apply(self, mode: PlanMode) -> Ended {
        let faults = &self.providers.faults;
        let events = Events::new(faults.clone());
        let recorder = MortalRecorder {
            memory: MemoryRecorder::with_open(self.state.clone(), self.open.clone()),
            faults,
        };
        let shown: Mutex<Option<(Arc<Program>, Plan)>> = Mutex::default();
        let ended = on_a_thread_of_its_own(|| async {
            tokio::select! {
                biased;
                () = faults.death() => None,
                ended = self.run(mode, &events, &recorder, &shown) => Some(ended),
            }
        });
        let died = ended.is_none() || faults.is_dead();
        let (recovered, diagnostics) = ended.unwrap_or_default();
        Ended {
            state: recorder.state(),
            open: recorder.open_intents(),
            plan: shown.into_inner().unwrap_or_else(PoisonError::into_inner),
            recovered,
            steps: events.into_steps(),
            diagnostics,
            died,
        }
    }

    async fn run(
        &self,
        mode: PlanMode,
        events: &Events,
        recorder: &MortalRecorder<'_>,
        shown: &Mutex<Option<(Arc<Program>, Plan)>>,
    ) -> (Recovered, Diagnostics) {
        let engine = Engine::new(self.host(events), PARALLELISM);
        let recovered = engine.recover(self.program, recorder).await;
        let mut options = PlanOptions {
            mode,
            blocked: recovered.blocked(),
            ..PlanOptions::default()
        };
        let mut diagnostics = recovered.diagnostics.clone();
        let mut program = self.program.clone();
        let mut last: Option<Plan> = None;
        let mut applied: Option<Applied> = None;
        loop {
            let prior = recorder.state();
            let planned = self.planned(&engine, &program, &prior, &options).await;
            let plan = match planned {
                Ok((expanded, plan)) => {
                    program = expanded;
                    plan
                }
                Err(errors) => {
                    diagnostics.extend(errors);
                    break;
                }
            };
            if let Some(stuck) = plan.stuck(last.as_ref()) {
                diagnostics.push(stuck);
                break;
            }
            if last.is_some() && !plan.progresses(last.as_ref()) {
                break;
            }
            if last.is_none() {
                *shown.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((program.clone(), plan.clone()));
            }
            diagnostics.extend(plan.diagnostics.clone());
            let refused = plan.review(&program);
            if let Some(report) = refused.iter().find(|report| report.refuses()) {
                let name = &report.name;
                diagnostics.push(terrane_core::Diagnostic::error(format!(
                    "the plan breaks the policy `{name}`"
                )));
                break;
            }
            let now = engine.apply(&program, &plan, recorder).await;
            diagnostics.extend(now.diagnostics.clone());
            let sum = match applied.take() {
                Some(before) => before.and(now),
                None => now,
            };
            if !plan.continues(&sum) {
                break;
            }
            applied = Some(sum);
            options = options.continuing(&plan);
            last = Some(plan);
        }
        engine.close().await;
        (recovered, diagnostics)
    }

    /// The plan, with every module whose value is known, and its program.
    async fn planned(
        &self,
        engine: &Engine<'_>,
        program: &Arc<Program>,
        prior: &State,
        options: &PlanOptions,
    ) -> Result<(Arc<Program>, Plan), Diagnostics> {
        let redeclare = async |values| self.stack.program_with(values);
        let more = engine.expand(program, prior, options, redeclare).await?;
        let program = more.map_or_else(|| program.clone(), Arc::new);
        let plan = engine.plan(&program, prior, options).await?;
        Ok((program, plan))
    }

    fn host<'h>(&'h self, events: &'h Events) -> Host<'h> {
        Host {
            providers: self.providers,
            events,
            clock: self.clock,
            random: self.random,
        }
    }
}

/// Runs a future to its end, also where the test itself is asynchronous: there no second runtime may start on its thread.
pub(crate) fn on_a_thread_of_its_own<T: Send, F: Future<Output = T>>(
    work: impl FnOnce() -> F + Send,
) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.expect("a runtime without drivers").block_on(work())
        });
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Writes the steps down, and tells the faults where the run is.
struct Events {
    steps: Mutex<Vec<String>>,
    faults: Arc<Faults>,
}

impl Events {
    fn new(faults: Arc<Faults>) -> Self {
        Self {
            steps: Mutex::default(),
            faults,
        }
    }

    fn into_steps(self) -> Vec<String> {
        self.steps
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Events {
    fn emit(&self, event: Event) {
        let line = match &event {
            Event::StepDone { step, .. } => Some(format!("{}: done", named(step))),
            Event::StepFailed { step, .. } => Some(format!("{}: failed", named(step))),
            Event::StepSkipped(step) => Some(format!("{}: skipped", named(step))),
            _ => None,
        };
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.extend(line);
        self.faults.event(&event);
    }
}

fn named(step: &Step) -> String {
    let kind = format!("{:?}", step.kind).to_lowercase();
    let deposed = step.deposed.map(|_| " (deposed)").unwrap_or_default();
    format!("{kind} {}{deposed}", step.address)
}
