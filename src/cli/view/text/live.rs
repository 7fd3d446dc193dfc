//! Progress on a terminal: finished steps scroll by, running ones stay at the bottom with a clock a row.

use std::sync::Arc;

use terrane_engine::Event;

use super::painter::{Painter, Tone};
use super::{TextView, words};
use crate::streams::Streams;
use crate::view::printable::{counted, elapsed, one_line};
use crate::view::tracker::Running;
use crate::view::{Phase, ProgressView, Tracker};

/// Rows for steps that wait.
const WAITING_ROWS: usize = 3;

/// Rows below everything else on stderr, redrawn in place.
pub(super) struct Live {
    streams: Arc<Streams>,
}

impl Live {
    /// Rows on that terminal.
    pub(super) fn new(streams: Arc<Streams>) -> Self {
        Self { streams }
    }

    fn painter(&self) -> Painter {
        Painter(self.streams.err_style)
    }

    /// A line that stays.
    fn keep(&self, tone: Tone, line: &str) {
        let line = self.painter().paint(tone, line);
        self.streams.progress(&format!("{line}\n"));
    }

    fn draw(&self, run: &Tracker) {
        let Some(phase) = run.phase() else {
            return;
        };
        let painter = self.painter();
        let mut rows = vec![self.head(run, phase)];
        let mut running: Vec<&Running> = run.running().collect();
        running.sort_by_key(|running| running.since);
        rows.extend(running.into_iter().map(|running| self.running(running)));
        let waiting = self.waiting(run, phase).into_iter();
        rows.extend(waiting.map(|row| painter.paint(Tone::Faint, &row)));
        self.streams.rows(rows);
    }

    fn head(&self, run: &Tracker, phase: Phase) -> String {
        let painter = self.painter();
        let failed = match run.failed() {
            0 => String::new(),
            failed => painter.paint(Tone::Error, &format!(", {failed} failed")),
        };
        let text = match (phase, run.running().len()) {
            (_, 0) if self.streams.is_stopping() => format!("stopping{failed}"),
            (_, running) if self.streams.is_stopping() => {
                format!("stopping, {running} running{failed}")
            }
            (Phase::Recovering, _) => {
                let operations = counted(run.total(), "operation");
                format!("recovering {operations} of earlier runs")
            }
            (Phase::Planning, _) => {
                let resources = counted(run.total(), "resource");
                format!("planning: {} of {resources}", run.done())
            }
            (Phase::Applying, _) => {
                let steps = counted(run.total(), "step");
                format!("{} of {steps} done{failed}", run.done())
            }
        };
        format!(
            "{} {}",
            painter.paint(Tone::Strong, &text),
            painter.paint(Tone::Faint, &elapsed(run.time()))
        )
    }

    fn running(&self, Running { step, since }: &Running) -> String {
        let doing = self
            .painter()
            .paint(words::tone(step.kind), words::doing(step.kind));
        let time = elapsed(since.elapsed());
        format!("  {time:>6}  {} {doing}", words::name(step))
    }

    /// The first steps that wait for a running one, and for which.
    fn waiting(&self, run: &Tracker, phase: Phase) -> Vec<String> {
        if phase == Phase::Recovering {
            return late_rows(run);
        }
        // Nothing starts any more.
        if self.streams.is_stopping() {
            return Vec::new();
        }
        let waiting = run.waiting(WAITING_ROWS).map(|(address, blocker)| {
            let name = one_line(&address.to_string());
            format!("          {name} waiting for {}", words::name(blocker))
        });
        waiting.collect()
    }
}

/// The first operations that may still take effect, with the time that is left.
fn late_rows(run: &Tracker) -> Vec<String> {
    let Some((addresses, left)) = run.late() else {
        return Vec::new();
    };
    let left = elapsed(left);
    let shown = addresses.iter().take(WAITING_ROWS);
    let mut rows: Vec<String> = shown
        .map(|address| {
            let name = one_line(&address.to_string());
            format!("  {left:>6}  {name}: {}", words::LATE)
        })
        .collect();
    if addresses.len() > WAITING_ROWS {
        let more = addresses.len() - WAITING_ROWS;
        rows.push(format!("          and {more} more"));
    }
    rows
}

impl ProgressView for Live {
    fn event(&self, event: &Event, run: &Tracker) {
        match event {
            Event::RecoveryStarted { .. }
            | Event::RecoveryWaiting { .. }
            | Event::PlanStarted { .. }
            | Event::ApplyStarted { .. } => self.draw(run),
            Event::StepDone { step, elapsed, id } => {
                let line = words::succeeded(step, *elapsed, id.as_deref());
                self.keep(words::tone(step.kind), &line);
            }
            Event::StepFailed {
                step,
                elapsed,
                diagnostics,
            } => self.keep(Tone::Error, &words::failed(step, *elapsed, diagnostics)),
            Event::Action { action, stage } => {
                self.keep(Tone::Faint, &words::action(action, stage));
            }
            // Rows follow with the next tick: drawing all of them for each of ten thousand steps would take longer than these.
            Event::StepStarted(_)
            | Event::StepSkipped(_)
            | Event::InstancePlanned { .. }
            | Event::InstanceDeferred(_) => {}
            Event::ProviderStarting { .. }
            | Event::ProviderReady { .. }
            | Event::RefreshStarted { .. }
            | Event::RefreshDone { .. }
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }

    fn tick(&self, run: &Tracker) {
        self.draw(run);
    }

    fn pause(&self) {
        self.streams.rows(Vec::new());
    }
}

/// Rows while a command plans, in any format: nothing is drawn without a terminal.
pub(crate) fn rows_of_planning(streams: Arc<Streams>) -> Arc<dyn ProgressView> {
    Arc::new(Live::new(streams))
}

impl TextView {
    /// The rows of this view, where its terminal has some.
    pub(super) fn live(&self) -> Option<Live> {
        let is_live = self.streams.is_live();
        is_live.then(|| Live::new(self.streams.clone()))
    }
}
