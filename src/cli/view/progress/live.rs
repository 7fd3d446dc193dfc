//! Progress on a terminal: what is done scrolls by, what is running stays at the bottom with a clock a row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use terrane_core::Diagnostics;
use terrane_engine::{Event, Plan, Step, Work};

use super::{ProgressView, words};
use crate::streams::Streams;
use crate::view::diagnostics::diagnostics;
use crate::view::painter::{Painter, Tone};
use crate::view::text::{counted, elapsed, one_line};

/// Rows for steps that wait.
const WAITING_ROWS: usize = 3;
/// How far the waiting steps are searched for those rows.
const SEARCHED: usize = 200;

/// Rows below everything that is said, redrawn in place.
pub(crate) struct Live {
    streams: Arc<Streams>,
    now: Mutex<Now>,
}

/// What is known of the run.
struct Now {
    /// Nothing while nothing is shown.
    phase: Option<Phase>,
    total: usize,
    done: usize,
    failed: usize,
    since: Instant,
    running: BTreeMap<usize, Running>,
    /// By step: its name and what it does; nothing for junctions.
    names: Vec<Option<String>>,
    needs: Vec<Vec<usize>>,
    /// Steps that did not start yet, in the order of the plan.
    pending: BTreeSet<usize>,
    /// Operations of earlier runs that may still take effect.
    late: Vec<String>,
    /// When they cannot any more.
    late_until: Instant,
}

/// A running step, and since when.
type Running = (Step, Instant);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Recovering,
    Planning,
    Applying,
}

impl Live {
    /// A display on stderr.
    pub(crate) fn new(streams: Arc<Streams>) -> Self {
        Self {
            streams,
            now: Mutex::new(Now {
                phase: None,
                total: 0,
                done: 0,
                failed: 0,
                since: Instant::now(),
                running: BTreeMap::new(),
                names: Vec::new(),
                needs: Vec::new(),
                pending: BTreeSet::new(),
                late: Vec::new(),
                late_until: Instant::now(),
            }),
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn painter(&self) -> Painter {
        Painter(self.streams.err_style)
    }

    fn begin(&self, phase: Phase, total: usize) {
        let mut now = self.now();
        now.phase = Some(phase);
        (now.total, now.done, now.failed) = (total, 0, 0);
        now.since = Instant::now();
        self.draw(&now);
    }

    /// A line that stays.
    fn keep(&self, tone: Tone, line: &str) {
        let line = self.painter().paint(tone, line);
        self.streams.progress(&format!("{line}\n"));
    }

    fn draw(&self, now: &Now) {
        let Some(phase) = now.phase else {
            return;
        };
        let painter = self.painter();
        let mut rows = vec![self.head(now, phase)];
        let mut running: Vec<&Running> = now.running.values().collect();
        running.sort_by_key(|(_, since)| *since);
        rows.extend(running.into_iter().map(|running| self.running(running)));
        let waiting = self.waiting(now, phase).into_iter();
        rows.extend(waiting.map(|row| painter.paint(Tone::Faint, &row)));
        self.streams.rows(rows);
    }

    fn head(&self, now: &Now, phase: Phase) -> String {
        let painter = self.painter();
        let time = elapsed(now.since.elapsed());
        let failed = match now.failed {
            0 => String::new(),
            failed => painter.paint(Tone::Error, &format!(", {failed} failed")),
        };
        let text = match (phase, now.running.len()) {
            _ if self.streams.is_stopping() => match now.running.len() {
                0 => format!("stopping{failed}"),
                running => format!("stopping, {running} running{failed}"),
            },
            (Phase::Recovering, _) => format!(
                "recovering {} of earlier runs",
                counted(now.total, "operation")
            ),
            (Phase::Planning, _) => format!(
                "planning: {} of {}",
                now.done,
                counted(now.total, "resource")
            ),
            (Phase::Applying, _) => {
                format!(
                    "{} of {} done{failed}",
                    now.done,
                    counted(now.total, "step")
                )
            }
        };
        format!(
            "{} {}",
            painter.paint(Tone::Strong, &text),
            painter.paint(Tone::Faint, &time)
        )
    }

    fn running(&self, (step, since): &Running) -> String {
        let doing = self
            .painter()
            .paint(words::tone(step.kind), words::doing(step.kind));
        let time = elapsed(since.elapsed());
        format!("  {time:>6}  {} {doing}", words::name(step))
    }

    /// The first that wait for something under way, and for what.
    fn waiting(&self, now: &Now, phase: Phase) -> Vec<String> {
        if phase == Phase::Recovering {
            return now.late_rows();
        }
        // Nothing starts any more.
        if self.streams.is_stopping() {
            return Vec::new();
        }
        let mut rows = Vec::new();
        for &step in now.pending.iter().take(SEARCHED) {
            if rows.len() == WAITING_ROWS {
                break;
            }
            let Some(name) = &now.names[step] else {
                continue;
            };
            if let Some(blocker) = now.running_need(step) {
                let blocker = &now.running[&blocker].0;
                rows.push(format!(
                    "          {name} waiting for {}",
                    words::name(blocker)
                ));
            }
        }
        rows
    }
}

impl Now {
    fn end(&mut self, step: &Step) {
        self.running.remove(&step.index);
        self.pending.remove(&step.index);
    }

    /// The first operations that may still take effect, with the time that is left.
    fn late_rows(&self) -> Vec<String> {
        let left = self.late_until.saturating_duration_since(Instant::now());
        let left = elapsed(left);
        let mut rows: Vec<String> = self
            .late
            .iter()
            .take(WAITING_ROWS)
            .map(|name| format!("  {left:>6}  {name}: {}", words::LATE))
            .collect();
        if self.late.len() > WAITING_ROWS {
            rows.push(format!(
                "          and {} more",
                self.late.len() - WAITING_ROWS
            ));
        }
        rows
    }

    /// Something under way that the step needs, junctions looked through.
    fn running_need(&self, step: usize) -> Option<usize> {
        const LOOKED_AT: usize = 64;
        let mut queue: Vec<usize> = self.needs[step].clone();
        let mut at = 0;
        while at < queue.len().min(LOOKED_AT) {
            let need = queue[at];
            if self.running.contains_key(&need) {
                return Some(need);
            }
            if self.names[need].is_none() {
                queue.extend(&self.needs[need]);
            }
            at += 1;
        }
        None
    }
}

impl ProgressView for Live {
    fn event(&self, event: &Event) {
        match event {
            Event::SettleStarted { total } => self.begin(Phase::Recovering, *total),
            Event::SettleWaiting {
                addresses, time, ..
            } => {
                let mut now = self.now();
                now.late = addresses.iter().map(|a| one_line(&a.to_string())).collect();
                now.late_until = Instant::now() + *time;
                self.draw(&now);
            }
            Event::PlanStarted { total } => self.begin(Phase::Planning, *total),
            Event::InstancePlanned { .. } => self.now().done += 1,
            Event::ApplyStarted { total } => self.begin(Phase::Applying, *total),
            // Rows follow with the next tick: drawing all of them for each of ten thousand steps would take longer than these.
            Event::StepStarted(step) => {
                let mut now = self.now();
                now.pending.remove(&step.index);
                now.running
                    .insert(step.index, (step.clone(), Instant::now()));
            }
            Event::StepDone { step, elapsed, id } => {
                let mut now = self.now();
                now.done += 1;
                now.end(step);
                let line = words::succeeded(step, *elapsed, id.as_deref());
                self.keep(words::tone(step.kind), &line);
            }
            Event::StepFailed {
                step,
                elapsed,
                diagnostics,
            } => {
                let mut now = self.now();
                now.failed += 1;
                now.end(step);
                self.keep(Tone::Error, &words::failed(step, *elapsed, diagnostics));
            }
            Event::StepSkipped(step) => self.now().end(step),
            _ => {}
        }
    }

    fn plan(&self, plan: &Plan) {
        let steps = plan.steps.steps();
        let mut now = self.now();
        now.needs = steps.iter().map(|step| step.dependencies.clone()).collect();
        let name = |work: Work| match work {
            Work::Junction => None,
            Work::Change { change, .. } => {
                Some(one_line(&plan.changes[change].address.to_string()))
            }
        };
        now.names = steps.iter().map(|step| name(step.work)).collect();
        now.pending = (0..steps.len())
            .filter(|&step| steps[step].work != Work::Junction)
            .collect();
    }

    fn diagnostics(&self, all: &Diagnostics) {
        self.streams.err(&diagnostics(all, self.painter()));
    }

    fn tick(&self) {
        self.draw(&self.now());
    }

    fn pause(&self) {
        self.now().phase = None;
        self.streams.rows(Vec::new());
    }
}
