//! Progress as plain lines, for logs: one for each step that starts and ends, on stderr.

use std::time::Duration;

use terrane_engine::Event;

use super::TextView;
use super::painter::Tone;
use super::words;
use crate::view::Tracker;

/// How often a slow operation is mentioned again.
const STILL: Duration = Duration::from_secs(30);

impl TextView {
    /// Writes the line of an event, if it has one.
    pub(super) fn event_in_lines(&self, event: &Event) {
        match event {
            Event::RecoveryWaiting {
                addresses,
                until,
                time,
            } => self.progress(None, &words::waiting(addresses, *until, *time)),
            Event::StepStarted(step) => self.progress(None, &words::started(step)),
            Event::StepDone {
                step,
                elapsed,
                id,
                warnings,
            } => {
                self.progress(None, &words::succeeded(step, *elapsed, id.as_deref()));
                let warnings = words::warnings(warnings, self.err_painter());
                if !warnings.is_empty() {
                    self.streams.progress(&warnings);
                }
            }
            Event::StepFailed {
                step,
                elapsed,
                diagnostics,
            } => self.progress(
                Some(Tone::Error),
                &words::failed(step, *elapsed, diagnostics),
            ),
            Event::Action { action, stage } => self.progress(None, &words::action(action, stage)),
            Event::ProviderStarting { .. }
            | Event::ProviderReady { .. }
            | Event::RecoveryStarted { .. }
            | Event::PlanStarted { .. }
            | Event::RefreshStarted { .. }
            | Event::RefreshDone { .. }
            | Event::InstancePlanned { .. }
            | Event::InstanceDeferred(_)
            | Event::ApplyStarted { .. }
            | Event::StepSkipped(_)
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }

    /// Mentions the operations that are slow.
    pub(super) fn tick_in_lines(&self, run: &Tracker) {
        for (step, time) in run.slow(STILL) {
            self.progress(None, &words::still(step, time));
        }
    }
}
