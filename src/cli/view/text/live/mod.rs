//! Progress on a terminal: finished steps scroll by, running ones stay at the bottom with a clock a row.

mod tree;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use terrane_core::Diagnostics;
use terrane_engine::Event;

use super::painter::{Painter, Tone};
use super::{TextView, words};
use crate::streams::Streams;
use crate::view::{ProgressView, Tracker};
use tree::Tree;

/// Steps that begin and end sooner after each other share a drawing: one for each of ten thousand would take longer than these.
const TOGETHER: Duration = Duration::from_millis(30);

/// Rows below everything else on stderr, redrawn in place.
pub(super) struct Live {
    streams: Arc<Streams>,
    drawn: Mutex<Option<Instant>>,
}

impl Live {
    /// Rows on that terminal.
    pub(super) fn new(streams: Arc<Streams>) -> Self {
        Self {
            streams,
            drawn: Mutex::new(None),
        }
    }

    fn painter(&self) -> Painter {
        Painter(self.streams.err_style)
    }

    /// A line that stays, and the warnings that belong to it.
    fn keep(&self, tone: Tone, line: &str, warnings: &Diagnostics) {
        let painter = self.painter();
        let mut text = painter.paint(tone, line);
        text.push('\n');
        text.push_str(&words::warnings(warnings, painter));
        self.streams.progress(&text);
    }

    fn draw(&self, run: &Tracker) {
        let tree = Tree {
            run,
            size: self.streams.size(),
            is_stopping: self.streams.is_stopping(),
            painter: self.painter(),
        };
        if let Some(rows) = tree.rows() {
            *self.drawn() = Some(Instant::now());
            self.streams.rows(rows);
        }
    }

    /// Draws, unless that was done a moment ago: then the next tick does it.
    fn draw_soon(&self, run: &Tracker) {
        let drawn = *self.drawn();
        if drawn.is_none_or(|drawn| drawn.elapsed() > TOGETHER) {
            self.draw(run);
        }
    }

    fn drawn(&self) -> MutexGuard<'_, Option<Instant>> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProgressView for Live {
    fn event(&self, event: &Event, run: &Tracker) {
        match event {
            Event::RecoveryStarted { .. }
            | Event::RecoveryWaiting { .. }
            | Event::PlanStarted { .. }
            | Event::ApplyStarted { .. } => self.draw(run),
            Event::StepDone {
                step,
                elapsed,
                id,
                warnings,
            } => {
                let columns = self.streams.size().columns.saturating_sub(1);
                let line = words::succeeded_within(step, *elapsed, id.as_deref(), columns);
                // First: the line stands above rows without its step.
                self.draw_soon(run);
                self.keep(words::tone(step.kind), &line, warnings);
            }
            Event::StepFailed {
                step,
                elapsed,
                diagnostics,
            } => {
                let line = words::failed(step, *elapsed, diagnostics);
                self.draw_soon(run);
                self.keep(Tone::Error, &line, &Diagnostics::new());
            }
            Event::Action { action, stage } => {
                let line = words::action(action, stage);
                self.keep(Tone::Faint, &line, &Diagnostics::new());
            }
            Event::StepStarted(_) => self.draw_soon(run),
            // Rows follow with the next tick.
            Event::StepSkipped(_) | Event::InstancePlanned { .. } | Event::InstanceDeferred(_) => {}
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
    pub(super) fn live(&self) -> Option<&Live> {
        self.streams.is_live().then_some(&self.live)
    }
}
