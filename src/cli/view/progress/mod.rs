//! What happens while a run is under way, shown as it happens.

mod lines;
mod live;
pub(super) mod words;

use std::sync::{Arc, Mutex, PoisonError};

use terrane_core::{Diagnostics, Marked};
use terrane_engine::{Event, EventSink, Plan};

use crate::redactor::Redactor;

pub(crate) use lines::Lines;
pub(crate) use live::Live;

/// One rendering of a run.
pub(crate) trait ProgressView: Send + Sync {
    /// Something happened. Must not block.
    fn event(&self, event: &Event);

    /// A plan is there and will be applied next.
    fn plan(&self, plan: &Plan);

    /// Something to read that no event carried.
    fn diagnostics(&self, diagnostics: &Diagnostics);

    /// Time went by.
    fn tick(&self) {}

    /// Nothing more will happen, or a question is asked now.
    fn pause(&self) {}
}

/// Remembers what was not attempted, for the summary.
#[derive(Default)]
pub(crate) struct Skipped(Mutex<Vec<String>>);

impl Skipped {
    /// The names of those steps, in the order they were given up.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ProgressView for Skipped {
    fn event(&self, event: &Event) {
        if let Event::StepSkipped(step) = event {
            let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // A replacement is two steps of one object.
            let name = words::name(step);
            if names.last() != Some(&name) && !names.contains(&name) {
                names.push(name);
            }
        }
    }

    fn plan(&self, _: &Plan) {}

    fn diagnostics(&self, _: &Diagnostics) {}
}

/// All renderings of a run. None of them gets to see a secret that is known.
#[derive(Clone)]
pub(crate) struct Progress {
    views: Vec<Arc<dyn ProgressView>>,
    redactor: Arc<Redactor>,
}

impl Progress {
    /// No renderings yet; what is told to be sensitive is masked by `redactor`.
    pub(crate) fn new(redactor: Arc<Redactor>) -> Self {
        Self {
            views: Vec::new(),
            redactor,
        }
    }

    /// Adds a rendering.
    pub(crate) fn add(&mut self, view: Arc<dyn ProgressView>) {
        self.views.push(view);
    }

    /// A plan is there and will be applied next.
    pub(crate) fn plan(&self, plan: &Plan) {
        for view in &self.views {
            view.plan(plan);
        }
    }

    /// Something to read that no event carried.
    pub(crate) fn diagnostics(&self, diagnostics: &Diagnostics) {
        if diagnostics.is_empty() {
            return;
        }
        let masked = self.redactor.diagnostics(diagnostics.clone());
        for view in &self.views {
            view.diagnostics(&masked);
        }
    }

    /// Takes away what is redrawn: nothing more will happen, or a question is asked now.
    pub(crate) fn pause(&self) {
        for view in &self.views {
            view.pause();
        }
    }

    /// Keeps the clocks going until the result is dropped.
    pub(crate) fn ticking(&self) -> Ticking {
        const INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);
        let progress = self.clone();
        Ticking(tokio::spawn(async move {
            let mut interval = tokio::time::interval(INTERVAL);
            loop {
                interval.tick().await;
                for view in &progress.views {
                    view.tick();
                }
            }
        }))
    }
}

impl EventSink for Progress {
    fn emit(&self, event: Event) {
        let event = match event {
            Event::StepFailed {
                step,
                elapsed,
                diagnostics,
            } => Event::StepFailed {
                step,
                elapsed,
                diagnostics: self.redactor.diagnostics(diagnostics),
            },
            Event::StepDone { step, elapsed, id } => Event::StepDone {
                step,
                elapsed,
                id: id.map(|id| self.redactor.text(&id).into_owned()),
            },
            Event::Diagnostic(one) => Event::Diagnostic(self.redactor.diagnostic(one)),
            event => event,
        };
        for view in &self.views {
            view.event(&event);
        }
    }

    fn conceal(&self, object: &Marked) {
        self.redactor.learn(object);
    }
}

/// Keeps clocks going while it lives.
pub(crate) struct Ticking(tokio::task::JoinHandle<()>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.abort();
    }
}
