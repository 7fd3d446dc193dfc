//! Progress as plain lines, for logs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use terrane_core::Diagnostics;
use terrane_engine::{Event, Plan, Step};

use super::{ProgressView, words};
use crate::streams::Streams;
use crate::view::diagnostics::diagnostics;
use crate::view::painter::{Painter, Tone};

/// How often a slow operation says that it goes on.
const STILL: Duration = Duration::from_secs(30);

/// One line for each step that starts and ends, on stderr.
pub(crate) struct Lines {
    streams: Arc<Streams>,
    running: Mutex<BTreeMap<usize, Running>>,
}

struct Running {
    step: Step,
    since: Instant,
    said: Duration,
}

impl Lines {
    /// Lines on stderr.
    pub(crate) fn new(streams: Arc<Streams>) -> Self {
        Self {
            streams,
            running: Mutex::default(),
        }
    }

    fn line(&self, tone: Option<Tone>, line: &str) {
        let painter = Painter(self.streams.err_style);
        let line = tone.map_or_else(|| line.to_owned(), |tone| painter.paint(tone, line));
        self.streams.progress(&format!("{line}\n"));
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProgressView for Lines {
    fn event(&self, event: &Event) {
        match event {
            Event::SettleWaiting {
                addresses,
                until,
                time,
            } => self.line(None, &words::waiting(addresses, *until, *time)),
            Event::StepStarted(step) => {
                self.line(None, &words::started(step));
                let running = Running {
                    step: step.clone(),
                    since: Instant::now(),
                    said: Duration::ZERO,
                };
                self.running().insert(step.index, running);
            }
            Event::StepDone { step, elapsed, id } => {
                self.running().remove(&step.index);
                let line = words::succeeded(step, *elapsed, id.as_deref());
                self.line(None, &line);
            }
            Event::StepFailed {
                step,
                elapsed,
                diagnostics,
            } => {
                self.running().remove(&step.index);
                self.line(
                    Some(Tone::Error),
                    &words::failed(step, *elapsed, diagnostics),
                );
            }
            _ => {}
        }
    }

    fn plan(&self, _: &Plan) {}

    fn diagnostics(&self, all: &Diagnostics) {
        self.streams
            .err(&diagnostics(all, Painter(self.streams.err_style)));
    }

    fn tick(&self) {
        for running in self.running().values_mut() {
            let time = running.since.elapsed();
            if time >= running.said + STILL {
                running.said = time;
                self.line(None, &words::still(&running.step, time));
            }
        }
    }
}
