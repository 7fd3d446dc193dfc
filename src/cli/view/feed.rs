//! The engine's events, without known secrets, to every view of a run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use terrane_core::Marked;
use terrane_engine::{Event, EventSink, Plan};
use tokio::task::JoinHandle;

use super::{ProgressView, Tracker, UsualTimes};
use crate::trace::Trace;
use terrane_deploy::{Redactor, masked};

/// Feeds the events of one run to its view.
#[derive(Clone)]
pub(crate) struct Feed {
    view: Option<Arc<dyn ProgressView>>,
    tracker: Arc<Mutex<Tracker>>,
    redactor: Arc<Redactor>,
    trace: Option<Arc<Trace>>,
}

impl Feed {
    /// Feeds that view. Whatever is sensitive is masked by `redactor`.
    pub(crate) fn new(view: Arc<dyn ProgressView>, redactor: Arc<Redactor>) -> Self {
        Self {
            view: Some(view),
            ..Self::silent(redactor)
        }
    }

    /// Feeds no view, and learns secrets all the same.
    pub(crate) fn silent(redactor: Arc<Redactor>) -> Self {
        Self {
            view: None,
            tracker: Arc::new(Mutex::new(Tracker::new())),
            redactor,
            trace: None,
        }
    }

    /// The same; events go into that trace, too.
    pub(crate) fn traced(self, trace: Option<Arc<Trace>>) -> Self {
        Self { trace, ..self }
    }

    /// Tells the tracker which plan will be applied.
    pub(crate) fn planned(&self, plan: &Plan) {
        self.tracker().planned(plan);
    }

    /// Tells the tracker how long operations took in earlier runs.
    pub(crate) fn remember(&self, usual: UsualTimes) {
        self.tracker().remember(usual);
    }

    /// Those times with the ones of this run; none when nothing was done.
    pub(crate) fn times(&self) -> Option<UsualTimes> {
        self.tracker().times()
    }

    /// Takes away rows that are redrawn: nothing more will happen, or a question is asked now.
    pub(crate) fn pause(&self) {
        self.tracker().pause();
        if let Some(view) = &self.view {
            view.pause();
        }
    }

    /// Keeps the clocks going until the result is dropped.
    pub(crate) fn ticking(&self) -> Ticking {
        const INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);
        let feed = self.clone();
        Ticking(tokio::spawn(async move {
            let mut interval = tokio::time::interval(INTERVAL);
            loop {
                interval.tick().await;
                let mut tracker = feed.tracker();
                tracker.tick();
                if let Some(view) = &feed.view {
                    view.tick(&tracker);
                }
            }
        }))
    }

    /// The operations of the run as they stand.
    pub(crate) fn tracker(&self) -> MutexGuard<'_, Tracker> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Feed {
    fn emit(&self, event: Event) {
        let event = masked(event, &self.redactor);
        if let Some(trace) = &self.trace {
            trace.event(&event);
        }
        let mut tracker = self.tracker();
        tracker.event(&event);
        if let Some(view) = &self.view {
            view.event(&event, &tracker);
        }
    }

    fn conceal(&self, object: &Marked) {
        self.redactor.learn(object);
    }
}

/// Keeps clocks going while it lives.
pub(crate) struct Ticking(JoinHandle<()>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.abort();
    }
}
