//! The progress of many stacks: one tree of rows on a terminal, a line an event in a log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use terrane_engine::{Event, EventSink};
use terrane_fleet::{Deployments, FleetObserver, StackId, StackResult};

use crate::streams::Streams;
use crate::view::printable::{elapsed, fitted};
use crate::view::text::words;

/// How often the rows are drawn anew.
pub(super) const TICK: Duration = Duration::from_millis(200);
/// Running steps that a stack names below its row.
const STEPS: usize = 3;

/// Follows the stacks.
pub(super) struct Progress(Arc<Shared>);

struct Shared {
    streams: Arc<Streams>,
    names: Vec<(StackId, String)>,
    running: Mutex<BTreeMap<StackId, Running>>,
    took: Mutex<BTreeMap<StackId, Duration>>,
}

/// A stack that is worked on.
struct Running {
    since: Instant,
    phase: &'static str,
    total: usize,
    done: usize,
    /// The steps in progress, in words, by their place.
    steps: BTreeMap<String, Instant>,
}

impl Progress {
    pub(super) fn new(streams: Arc<Streams>, deployments: &Deployments) -> Self {
        let order = deployments.order();
        let names = order.ids().map(|id| (id, order.name(id).to_string()));
        Self(Arc::new(Shared {
            streams,
            names: names.collect(),
            running: Mutex::default(),
            took: Mutex::default(),
        }))
    }

    /// Draws the tree anew.
    pub(super) fn tick(&self) {
        self.0.draw();
    }

    /// Takes the rows away.
    pub(super) fn pause(&self) {
        self.0.streams.rows(Vec::new());
    }

    /// How long the work on a stack took.
    pub(super) fn took(&self, stack: StackId) -> Option<Duration> {
        lock(&self.0.took).get(&stack).copied()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn name(&self, stack: StackId) -> &str {
        let found = self.names.iter().find(|(id, _)| *id == stack);
        found.map_or("", |(_, name)| name)
    }

    fn draw(&self) {
        if !self.streams.is_live() {
            return;
        }
        let columns = self.streams.size().columns.saturating_sub(1);
        let mut rows = Vec::new();
        for (stack, running) in &*lock(&self.running) {
            let time = elapsed(running.since.elapsed());
            let steps = match running.total {
                0 => running.phase.to_owned(),
                total => format!("{} {} of {total}", running.phase, running.done),
            };
            rows.push(fitted(
                &format!("{}  {steps}  {time}", self.name(*stack)),
                columns,
            ));
            for (step, since) in running.steps.iter().take(STEPS) {
                let row = format!("  {step}  {}", elapsed(since.elapsed()));
                rows.push(fitted(&row, columns));
            }
        }
        self.streams.rows(rows);
    }

    /// A line about a stack.
    fn line(&self, stack: StackId, text: &str) {
        let name = self.name(stack);
        let lines = text.trim_end().lines();
        let lines: Vec<String> = lines.map(|line| format!("{name}: {line}\n")).collect();
        self.streams.progress(&lines.concat());
    }
}

impl FleetObserver for Progress {
    fn began(&self, stack: StackId) -> Arc<dyn EventSink> {
        let running = Running {
            since: Instant::now(),
            phase: "starting",
            total: 0,
            done: 0,
            steps: BTreeMap::new(),
        };
        lock(&self.0.running).insert(stack, running);
        self.0.draw();
        Arc::new(StackEvents {
            shared: self.0.clone(),
            stack,
        })
    }

    fn ended(&self, stack: StackId, _: &StackResult) {
        if let Some(running) = lock(&self.0.running).remove(&stack) {
            lock(&self.0.took).insert(stack, running.since.elapsed());
        }
        self.0.draw();
    }
}

/// The events of one stack.
struct StackEvents {
    shared: Arc<Shared>,
    stack: StackId,
}

impl StackEvents {
    fn note(&self, change: impl FnOnce(&mut Running)) {
        if let Some(running) = lock(&self.shared.running).get_mut(&self.stack) {
            change(running);
        }
    }
}

impl EventSink for StackEvents {
    fn emit(&self, event: Event) {
        match &event {
            Event::PlanStarted { total } => self.note(|running| {
                (running.phase, running.total, running.done) = ("planning", *total, 0);
            }),
            Event::InstancePlanned { .. } => self.note(|running| running.done += 1),
            Event::ApplyStarted { total } => self.note(|running| {
                (running.phase, running.total, running.done) = ("applying", *total, 0);
            }),
            Event::StepStarted(step) => self.note(|running| {
                running.steps.insert(words::name(step), Instant::now());
            }),
            Event::StepDone {
                step, elapsed, id, ..
            } => {
                self.note(|running| {
                    running.steps.remove(&words::name(step));
                    running.done += 1;
                });
                let text = words::succeeded(step, *elapsed, id.as_deref());
                self.shared.line(self.stack, &text);
            }
            Event::StepFailed {
                step,
                elapsed,
                diagnostics,
            } => {
                self.note(|running| {
                    running.steps.remove(&words::name(step));
                });
                let text = words::failed(step, *elapsed, diagnostics);
                self.shared.line(self.stack, &text);
            }
            Event::RecoveryWaiting {
                addresses,
                until,
                time,
            } => {
                let text = words::waiting(addresses, *until, *time);
                self.shared.line(self.stack, &text);
            }
            Event::Action { action, stage } => {
                self.shared.line(self.stack, &words::action(action, stage));
            }
            Event::RecoveryStarted { .. } => self.note(|running| running.phase = "recovering"),
            Event::ProviderStarting { .. }
            | Event::ProviderReady { .. }
            | Event::RefreshStarted { .. }
            | Event::RefreshDone { .. }
            | Event::InstanceDeferred(_)
            | Event::StepSkipped(_)
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }
}
