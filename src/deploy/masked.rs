//! Events without known secrets, whoever takes them.

use std::sync::Arc;

use terrane_core::Marked;
use terrane_engine::{ActionStage, Event, EventSink};

use crate::redactor::Redactor;

/// Passes events on without the secrets that are known so far, and learns those that the engine tells.
pub struct MaskedEvents {
    sink: Arc<dyn EventSink>,
    redactor: Arc<Redactor>,
}

impl MaskedEvents {
    /// Passes them on to that sink.
    pub fn new(sink: Arc<dyn EventSink>, redactor: Arc<Redactor>) -> Self {
        Self { sink, redactor }
    }
}

impl EventSink for MaskedEvents {
    fn emit(&self, event: Event) {
        self.sink.emit(masked(event, &self.redactor));
    }

    fn conceal(&self, object: &Marked) {
        self.redactor.learn(object);
    }
}

/// An event without secrets.
pub fn masked(event: Event, redactor: &Redactor) -> Event {
    match event {
        Event::StepFailed {
            step,
            elapsed,
            diagnostics,
        } => Event::StepFailed {
            step,
            elapsed,
            diagnostics: redactor.diagnostics(diagnostics),
        },
        Event::StepDone {
            step,
            elapsed,
            id,
            warnings,
        } => Event::StepDone {
            step,
            elapsed,
            warnings: redactor.diagnostics(warnings),
            id: id.map(|id| redactor.text(&id).into_owned()),
        },
        Event::Action {
            action,
            stage: ActionStage::Progress(message),
        } => Event::Action {
            action,
            stage: ActionStage::Progress(redactor.text(&message).into_owned()),
        },
        Event::Diagnostic(one) => Event::Diagnostic(redactor.diagnostic(one)),
        // These hold addresses, times and numbers.
        event @ (Event::ProviderStarting { .. }
        | Event::Action { .. }
        | Event::ProviderReady { .. }
        | Event::RecoveryStarted { .. }
        | Event::RecoveryWaiting { .. }
        | Event::PlanStarted { .. }
        | Event::RefreshStarted { .. }
        | Event::RefreshDone { .. }
        | Event::InstancePlanned { .. }
        | Event::InstanceDeferred(_)
        | Event::ApplyStarted { .. }
        | Event::StepStarted(_)
        | Event::StepSkipped(_)
        | Event::Stopping { .. }) => event,
    }
}
