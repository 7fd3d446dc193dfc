//! Progress on a terminal: what is done scrolls by, what is under way stays at the bottom with a clock a row.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
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

/// Redraws in place on stderr.
pub(crate) struct Live {
    streams: Arc<Streams>,
    rows: MultiProgress,
    now: Mutex<Now>,
}

/// What is known of the run.
struct Now {
    phase: Phase,
    total: usize,
    done: usize,
    failed: usize,
    since: Instant,
    head: Option<ProgressBar>,
    running: BTreeMap<usize, Running>,
    waiting: Vec<ProgressBar>,
    /// By step: its name and what it does; nothing for junctions.
    names: Vec<Option<String>>,
    needs: Vec<Vec<usize>>,
    /// Steps that did not start yet, in the order of the plan.
    pending: std::collections::BTreeSet<usize>,
    /// Operations of earlier runs that may still take effect.
    late: Vec<String>,
    /// When they can not any more.
    late_until: Instant,
}

/// A step under way, since when, and its row.
type Running = (Step, Instant, ProgressBar);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Settling,
    Planning,
    Applying,
}

impl Live {
    /// A display on stderr.
    pub(crate) fn new(streams: Arc<Streams>) -> Self {
        Self {
            streams,
            rows: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)),
            now: Mutex::new(Now {
                phase: Phase::Planning,
                total: 0,
                done: 0,
                failed: 0,
                since: Instant::now(),
                head: None,
                running: BTreeMap::new(),
                waiting: Vec::new(),
                names: Vec::new(),
                needs: Vec::new(),
                pending: std::collections::BTreeSet::new(),
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

    fn row(&self) -> ProgressBar {
        let style = ProgressStyle::with_template("{wide_msg}");
        let row = ProgressBar::no_length();
        match style {
            Ok(style) => row.with_style(style),
            Err(_) => row,
        }
    }

    fn begin(&self, phase: Phase, total: usize) {
        let mut now = self.now();
        now.phase = phase;
        (now.total, now.done, now.failed) = (total, 0, 0);
        now.since = Instant::now();
        let head = self.rows.add(self.row());
        now.head = Some(head);
        self.draw(&mut now);
    }

    /// A line that stays.
    fn keep(&self, tone: Tone, line: &str) {
        // Nothing can be done about a terminal that went away.
        let _ = self.rows.println(self.painter().paint(tone, line));
    }

    fn draw(&self, now: &mut Now) {
        let painter = self.painter();
        if let Some(head) = &now.head {
            let time = elapsed(now.since.elapsed());
            let failed = match now.failed {
                0 => String::new(),
                failed => painter.paint(Tone::Error, &format!(", {failed} failed")),
            };
            let head_text = match now.phase {
                Phase::Settling => format!(
                    "settling what earlier runs left open: {}",
                    counted(now.total, "operation")
                ),
                Phase::Planning => format!(
                    "planning: {} of {}",
                    now.done,
                    counted(now.total, "resource")
                ),
                Phase::Applying => format!(
                    "{} of {} done{failed}",
                    now.done,
                    counted(now.total, "step")
                ),
            };
            head.set_message(format!(
                "{} {}",
                painter.paint(Tone::Strong, &head_text),
                painter.paint(Tone::Faint, &time)
            ));
        }
        for running in now.running.values() {
            self.draw_running(running);
        }
        let waiting = self.waiting(now);
        while now.waiting.len() < waiting.len() {
            let row = self.rows.add(self.row());
            now.waiting.push(row);
        }
        while now.waiting.len() > waiting.len() {
            if let Some(row) = now.waiting.pop() {
                row.finish_and_clear();
                self.rows.remove(&row);
            }
        }
        for (row, text) in now.waiting.iter().zip(waiting) {
            row.set_message(painter.paint(Tone::Faint, &text));
        }
    }

    fn draw_running(&self, (step, since, row): &Running) {
        let doing = self
            .painter()
            .paint(words::tone(step.kind), words::doing(step.kind));
        let time = elapsed(since.elapsed());
        row.set_message(format!("  {time:>6}  {} {doing}", words::name(step)));
    }

    /// The first that wait for something under way, and for what.
    fn waiting(&self, now: &Now) -> Vec<String> {
        if now.phase == Phase::Settling {
            return now.late_rows();
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

    fn end_row(&self, now: &mut Now, step: &Step) {
        if let Some((_, _, row)) = now.running.remove(&step.index) {
            row.finish_and_clear();
            self.rows.remove(&row);
        }
        now.pending.remove(&step.index);
    }

    fn clear(&self) {
        let mut now = self.now();
        let rows: Vec<ProgressBar> = now.waiting.drain(..).collect();
        let running = std::mem::take(&mut now.running)
            .into_values()
            .map(|(_, _, row)| row);
        for row in rows.into_iter().chain(running).chain(now.head.take()) {
            row.finish_and_clear();
            self.rows.remove(&row);
        }
        let _ = self.rows.clear();
    }
}

impl Now {
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
            Event::SettleStarted { total } => self.begin(Phase::Settling, *total),
            Event::SettleWaiting {
                addresses, time, ..
            } => {
                let mut now = self.now();
                now.late = addresses.iter().map(|a| one_line(&a.to_string())).collect();
                now.late_until = Instant::now() + *time;
                self.draw(&mut now);
            }
            Event::PlanStarted { total } => self.begin(Phase::Planning, *total),
            Event::InstancePlanned { .. } => self.now().done += 1,
            Event::ApplyStarted { total } => self.begin(Phase::Applying, *total),
            // The other rows follow with the next tick: drawing all of them for each of ten thousand steps would take longer than these.
            Event::StepStarted(step) => {
                let mut now = self.now();
                let row = match &now.head {
                    Some(head) => self.rows.insert_after(head, self.row()),
                    None => self.rows.add(self.row()),
                };
                now.pending.remove(&step.index);
                let running = (step.clone(), Instant::now(), row);
                self.draw_running(&running);
                now.running.insert(step.index, running);
            }
            Event::StepDone { step, elapsed, id } => {
                let mut now = self.now();
                now.done += 1;
                self.end_row(&mut now, step);
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
                self.end_row(&mut now, step);
                self.keep(Tone::Error, &words::failed(step, *elapsed, diagnostics));
            }
            Event::StepSkipped(step) => self.end_row(&mut self.now(), step),
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
        let text = diagnostics(all, self.painter());
        self.rows.suspend(|| self.streams.err(&text));
    }

    fn tick(&self) {
        let mut now = self.now();
        if now.head.is_some() {
            self.draw(&mut now);
        }
    }

    fn pause(&self) {
        self.clear();
    }
}
