//! A world to run programs in: a provider with its cloud, the state that is left, a clock and dice that anyone can predict.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostics, KnownValues, NoConfig, Program, Result, Stack};
use terrane_engine::{
    Engine, Event, EventSink, FinalPlans, PlanCache, PlanMode, PlanOptions, RefreshPolicy, Silent,
};
use terrane_state::{
    Clock, IntentAction, Liveness, MemoryRecorder, OpenIntent, Random, RecordError, Recorder,
    State, Timestamp,
};
use tokio::sync::Notify;

use crate::fake_provider::FakeProvider;
use crate::run::Run;
use crate::saved::through_file;
use crate::show;

/// Provider, state and clock; an operation consumes a program and leaves the world changed.
///
/// After every operation the world checks that no object was lost: each object of the cloud is in the state or in an open intent, each
/// object once, and the state survives being written to a file. Plans are written to a file and read back before they are applied.
pub struct World {
    /// The provider of everything called `test_…`.
    pub provider: FakeProvider,
    /// The options of the next operation; reset after it.
    pub options: PlanOptions,
    /// How many instances may be in progress at once.
    pub parallelism: usize,
    /// How many provider processes there may be at once, as far as fewer are busy.
    pub provider_processes: usize,
    /// When creations are planned again.
    pub final_plans: FinalPlans,
    /// The state after the last operation.
    pub state: State,
    /// The unresolved operations of all runs.
    pub open_intents: Vec<OpenIntent>,
    /// Whether the processes that began them may still be alive.
    pub liveness: Liveness,
    /// Every record fails like that from the next operation on.
    pub recording_fails: Option<RecordError>,
    /// The emulator that programs are pointed at.
    pub endpoint_url: Option<String>,
    /// The file of the plan cache.
    pub plan_cache: Vec<u8>,
    stop_at: Option<StopAt>,
    clock: FakeClock,
    random: FakeRandom,
}

type StopAt = Box<dyn Fn(&Event) -> bool + Send + Sync>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Up,
    Preview,
}

impl World {
    /// A world with nothing in it but that provider.
    pub fn new(provider: FakeProvider) -> Self {
        Self {
            provider,
            options: PlanOptions::default(),
            parallelism: 10,
            provider_processes: terrane_engine::PROVIDER_PROCESSES,
            final_plans: FinalPlans::default(),
            state: State::new("lineage".into()),
            open_intents: Vec::new(),
            liveness: Liveness::Dead,
            recording_fails: None,
            endpoint_url: None,
            plan_cache: Vec::new(),
            stop_at: None,
            clock: FakeClock::default(),
            random: FakeRandom::default(),
        }
    }

    /// Plans and applies.
    pub fn up(&mut self, program: impl FnOnce(&mut Stack)) -> Run {
        self.run(Verb::Up, PlanMode::Normal, program)
    }

    /// Plans only.
    pub fn preview(&mut self, program: impl FnOnce(&mut Stack)) -> Run {
        self.run(Verb::Preview, PlanMode::Normal, program)
    }

    /// Removes everything.
    pub fn destroy(&mut self, program: impl FnOnce(&mut Stack)) -> Run {
        self.run(Verb::Up, PlanMode::Destroy, program)
    }

    /// Only brings the state up to date.
    pub fn refresh(&mut self, program: impl FnOnce(&mut Stack)) -> Run {
        self.run(Verb::Up, PlanMode::RefreshOnly, program)
    }

    /// The same for a program whose function may run more than once: modules of it take values.
    pub fn up_again(&mut self, program: impl Fn(&mut Stack) -> Result<()>) -> Run {
        self.run_again(Verb::Up, PlanMode::Normal, program)
    }

    /// Plans only, as above.
    pub fn preview_again(&mut self, program: impl Fn(&mut Stack) -> Result<()>) -> Run {
        self.run_again(Verb::Preview, PlanMode::Normal, program)
    }

    /// Removes everything, as above.
    pub fn destroy_again(&mut self, program: impl Fn(&mut Stack) -> Result<()>) -> Run {
        self.run_again(Verb::Up, PlanMode::Destroy, program)
    }

    /// Only brings the state up to date, as above.
    pub fn refresh_again(&mut self, program: impl Fn(&mut Stack) -> Result<()>) -> Run {
        self.run_again(Verb::Up, PlanMode::RefreshOnly, program)
    }

    /// The next operation targets this and its dependencies.
    pub fn target(&mut self, pattern: &str) -> &mut Self {
        self.options
            .targets
            .push(pattern.parse().expect("a pattern"));
        self
    }

    /// The next operation is not about this.
    pub fn exclude(&mut self, pattern: &str) -> &mut Self {
        self.options
            .excludes
            .push(pattern.parse().expect("a pattern"));
        self
    }

    /// The next operation replaces this.
    pub fn replace(&mut self, pattern: &str) -> &mut Self {
        self.options
            .replace
            .push(pattern.parse().expect("a pattern"));
        self
    }

    /// The next operation reads only what it changes, and what refers to that.
    pub fn reading_changes(&mut self) -> &mut Self {
        self.options.refresh = RefreshPolicy::Changed;
        self
    }

    /// The same, and what was read longer ago.
    pub fn reading_older_than(&mut self, age: Duration) -> &mut Self {
        self.options.max_age = Some(age);
        self.reading_changes()
    }

    /// The next operation trusts the state.
    pub fn without_refresh(&mut self) -> &mut Self {
        self.options.refresh = RefreshPolicy::Nothing;
        self
    }

    /// The next operation is interrupted when that has happened.
    pub fn stop_at(&mut self, event: impl Fn(&Event) -> bool + Send + Sync + 'static) -> &mut Self {
        self.stop_at = Some(Box::new(event));
        self
    }

    /// Everything in the state, a line an object.
    pub fn state(&self) -> String {
        show::state(&self.state)
    }

    /// The addresses that an object was made from, as the state has them.
    pub fn dependencies(&self, address: &str) -> Vec<String> {
        let current = self.instance(address).current.clone();
        let object = current.expect("a current object");
        object
            .dependencies
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The instance of the state at an address.
    pub fn instance(&self, address: &str) -> Arc<terrane_state::Instance> {
        let address: InstanceAddr = address.parse().expect("an address");
        let instance = self.state.instance(&address);
        instance.expect("an instance in the state").clone()
    }

    /// Records the object with that id at an address; its own id, or why not.
    ///
    /// # Errors
    /// The state as text.
    pub fn import(
        &mut self,
        address: &str,
        id: &str,
        program: impl FnOnce(&mut Stack),
    ) -> Result<String, String> {
        let declare = |stack: &mut Stack| {
            program(stack);
            Ok(())
        };
        let program = Program::from_fn(declare, NoConfig);
        let program = program.map_err(|diagnostics| diagnostics.to_string())?;
        let address: InstanceAddr = address.parse().expect("an address");
        let recorder = MemoryRecorder::new(self.state.clone());
        let world = terrane_engine::Host {
            providers: &self.provider,
            events: &Silent,
            clock: &self.clock,
            random: &self.random,
        };
        let engine = Engine::new(world, 1);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let imported = runtime.expect("a runtime").block_on(async {
            let imported = engine.import(&program, &recorder, &address, id).await;
            engine.close().await;
            let imported = imported.map_err(|diagnostics| diagnostics.to_string())?;
            let id = imported.id.clone();
            let (intent, result) = imported.records();
            recorder.intent(intent).await.expect("recorded");
            recorder.result(result).await.expect("recorded");
            Ok::<_, String>(id)
        });
        self.state = recorder.state();
        imported
    }

    /// The objects of a type that exist and that the state does not have.
    ///
    /// # Errors
    /// The diagnostics as text.
    pub fn query(
        &self,
        type_name: &str,
        arguments: &terrane_core::Value,
        limit: u32,
        program: impl FnOnce(&mut Stack),
    ) -> Result<terrane_engine::Inventory, String> {
        let declare = |stack: &mut Stack| {
            program(stack);
            Ok(())
        };
        let program = Program::from_fn(declare, NoConfig);
        let program = program.map_err(|diagnostics| diagnostics.to_string())?;
        let host = terrane_engine::Host {
            providers: &self.provider,
            events: &Silent,
            clock: &self.clock,
            random: &self.random,
        };
        let engine = Engine::new(host, 1);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let found = engine
                .query(&program, &self.state, type_name, arguments, limit)
                .await;
            engine.close().await;
            found.map_err(|diagnostics| diagnostics.to_string())
        })
    }

    /// Invokes an action by hand; the warnings.
    ///
    /// # Errors
    /// The diagnostics as text.
    pub fn invoke(&self, action: &str, program: impl FnOnce(&mut Stack)) -> Result<String, String> {
        let declare = |stack: &mut Stack| {
            program(stack);
            Ok(())
        };
        let program = Program::from_fn(declare, NoConfig);
        let program = program.map_err(|diagnostics| diagnostics.to_string())?;
        let host = terrane_engine::Host {
            providers: &self.provider,
            events: &Silent,
            clock: &self.clock,
            random: &self.random,
        };
        let engine = Engine::new(host, 1);
        let recorder = MemoryRecorder::new(self.state.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let invoked = runtime.expect("a runtime").block_on(async {
            let invoked = engine.invoke(&program, &recorder, action).await;
            engine.close().await;
            invoked
        });
        assert!(recorder.records().is_empty(), "an action is not recorded");
        match invoked {
            Ok(warnings) => Ok(show::diagnostics(&warnings)),
            Err(errors) => Err(show::diagnostics(&errors)),
        }
    }

    /// What stands in the way of destroying everything: an address, what is looked for, and the names of what is there.
    ///
    /// # Panics
    /// When the program is wrong or cannot be planned.
    pub fn contents(&self, program: impl FnOnce(&mut Stack)) -> Vec<String> {
        let declare = |stack: &mut Stack| {
            program(stack);
            Ok(())
        };
        let program = Program::from_fn(declare, NoConfig).expect("a program");
        let host = terrane_engine::Host {
            providers: &self.provider,
            events: &Silent,
            clock: &self.clock,
            random: &self.random,
        };
        let engine = Engine::new(host, 1);
        let options = PlanOptions {
            mode: PlanMode::Destroy,
            ..PlanOptions::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let found = runtime.expect("a runtime").block_on(async {
            let plan = engine.plan(&program, &self.state, &options).await;
            let found = engine.contents(&program, &plan.expect("a plan")).await;
            engine.close().await;
            found
        });
        let told = found.into_iter().map(|one| match one.names {
            Some(names) => format!("{} {}: {}", one.address, one.rule.words.1, names.join(", ")),
            None => format!("{} {}: unknown", one.address, one.rule.words.1),
        });
        told.collect()
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        self.clock.pass(duration);
    }

    /// Resolves all operations as a recovery would: objects that no state names are removed from the cloud, the others are as the state has them.
    pub fn resolve_all(&mut self) {
        let known = show::private(&self.state);
        self.provider.cloud.retain_known(&known);
        self.open_intents.clear();
    }

    fn run(&mut self, verb: Verb, mode: PlanMode, program: impl FnOnce(&mut Stack)) -> Run {
        let once = std::cell::Cell::new(Some(program));
        self.run_again(verb, mode, |stack| {
            let program = once.take().expect("only a program with values runs again");
            program(stack);
            Ok(())
        })
    }

    fn run_again(
        &mut self,
        verb: Verb,
        mode: PlanMode,
        function: impl Fn(&mut Stack) -> Result<()>,
    ) -> Run {
        let mut options = std::mem::take(&mut self.options);
        options.mode = mode;
        let events = Events {
            seen: Mutex::default(),
            stop_at: self.stop_at.take(),
            stop: Notify::new(),
        };
        let endpoint_url = self.endpoint_url.clone();
        let declare = async |values| {
            let mut program = Program::with_values(&function, NoConfig, values)?;
            if let Some(url) = &endpoint_url {
                program.redirect(url);
            }
            Ok::<_, Diagnostics>(program)
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let mut program = match runtime.block_on(declare(KnownValues::default())) {
            Ok(program) => program,
            Err(diagnostics) => return Run::refused(diagnostics),
        };
        let open = std::mem::take(&mut self.open_intents);
        let recorder = MemoryRecorder::with_open(self.state.clone(), open);
        recorder.set_liveness(self.liveness);
        recorder.fail_with(self.recording_fails.clone());
        let world = terrane_engine::Host {
            providers: &self.provider,
            events: &events,
            clock: &self.clock,
            random: &self.random,
        };
        let cache = std::mem::take(&mut self.plan_cache);
        let engine = Engine::new(world, self.parallelism)
            .provider_processes(self.provider_processes)
            .final_plans(self.final_plans)
            .remembering(PlanCache::read(&cache));
        let stopper = engine.stopper();
        let program_of_run = &mut program;
        let work = async {
            let program = program_of_run;
            let (state, open) = (recorder.state(), recorder.open_intents());
            let more = engine.expand_for_recovery(program, &state, &open, &declare);
            let more = more.await;
            let recovering = more.as_ref().unwrap_or(program);
            let (recovered, prior) = match verb {
                Verb::Up => {
                    let recovered = engine.recover(recovering, &recorder).await;
                    (recovered, recorder.state())
                }
                Verb::Preview => engine.rehearse(recovering, &state, open).await,
            };
            options.blocked = recovered.blocked();
            let expanded = async |program: &mut Program, prior: &State, options: &PlanOptions| {
                let again = engine.expand(program, prior, options, &declare).await?;
                if let Some(again) = again {
                    *program = again;
                }
                engine.plan(program, prior, options).await
            };
            let result = match expanded(program, &prior, &options).await {
                Err(diagnostics) => Err(diagnostics),
                Ok(plan) if verb == Verb::Preview => Ok((through_file(&plan, program), None)),
                Ok(plan) => {
                    let plan = through_file(&plan, program);
                    let mut applied = engine.apply(program, &plan, &recorder).await;
                    let (mut last, mut options) = (plan.clone(), options.clone());
                    applied.diagnostics.extend(last.stuck(None));
                    while last.continues(&applied) {
                        options = options.continuing(&last);
                        let prior = recorder.state();
                        let next = match expanded(program, &prior, &options).await {
                            Ok(next) => through_file(&next, program),
                            Err(diagnostics) => {
                                applied.diagnostics.extend(diagnostics);
                                break;
                            }
                        };
                        if let Some(stuck) = next.stuck(Some(&last)) {
                            applied.diagnostics.push(stuck);
                            break;
                        }
                        if !next.progresses(Some(&last)) {
                            break;
                        }
                        applied = applied.and(engine.apply(program, &next, &recorder).await);
                        last = next;
                    }
                    Ok((plan, Some(applied)))
                }
            };
            engine.close().await;
            // As the command line does: a plan that failed says nothing.
            let cache = match result.is_ok() {
                true => engine.plan_cache().map_or(cache, |cache| cache.write()),
                false => cache,
            };
            (recovered, result, cache)
        };
        let interrupt = async {
            events.stop.notified().await;
            stopper.stop().await;
            std::future::pending::<()>().await;
        };
        let (recovered, result, cache) = runtime.block_on(async {
            tokio::select! {
                result = work => result,
                () = interrupt => unreachable!("an interrupt never ends a run"),
            }
        });
        self.plan_cache = cache;
        let before = std::mem::replace(&mut self.state, recorder.state());
        if !self.state.same_content(&before) {
            self.state.serial += 1;
        }
        self.open_intents = recorder.open_intents();
        self.check();
        let events = events
            .seen
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Run::new(program, recovered, result, events, recorder.records())
    }

    /// Nothing is lost, nothing is there twice, and no two objects stand on each other.
    fn check(&self) {
        let mutual = show::mutual_dependencies(&self.state);
        assert!(mutual.is_empty(), "objects stand on each other: {mutual:?}");
        let ids = show::ids(&self.state);
        let mut once = ids.clone();
        once.sort();
        once.dedup();
        assert_eq!(
            once.len(),
            ids.len(),
            "an object is in the state twice:\n{}",
            self.state()
        );
        let mut lost: Vec<String> = self
            .provider
            .cloud
            .objects()
            .into_iter()
            .filter(|object| !object.foreign && !ids.contains(&object.id))
            .map(|object| object.id)
            .collect();
        let maybe = self
            .open_intents
            .iter()
            .filter(|open| open.intent.action == IntentAction::Create)
            .count();
        lost.truncate(lost.len().saturating_sub(maybe));
        assert!(
            lost.is_empty(),
            "{lost:?} exist, and neither state nor intents know:\n{}",
            self.state()
        );
        let file = terrane_state::file::write(&self.state, terrane_state::file::Layout::Compact);
        let again = terrane_state::file::read(&file).expect("a state file");
        assert_eq!(again, self.state, "the state changes by being written");
    }
}

/// Remembers events, and raises the interrupt.
struct Events {
    seen: Mutex<Vec<Event>>,
    stop_at: Option<StopAt>,
    stop: Notify,
}

impl EventSink for Events {
    fn emit(&self, event: Event) {
        if self.stop_at.as_ref().is_some_and(|stop_at| stop_at(&event)) {
            self.stop.notify_one();
        }
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
    }
}

/// A clock on which every look takes a millisecond.
#[derive(Debug, Default)]
pub struct FakeClock(AtomicU64);

impl FakeClock {
    fn pass(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).expect("a short time");
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_700_000_000, 0).after(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(1, Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        self.pass(duration);
        tokio::task::yield_now().await;
    }
}

/// Dice that count.
#[derive(Debug, Default)]
pub struct FakeRandom(AtomicU32);

impl Random for FakeRandom {
    fn fill(&self, buffer: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        buffer.fill(0);
        for (byte, digit) in buffer.iter_mut().zip(number.to_le_bytes()) {
            *byte = digit;
        }
    }
}
