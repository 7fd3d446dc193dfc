//! A file that holds one document about a plan, and about the run that applies it: written anew whenever there is more to say.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use terrane_core::{Diagnostic, Diagnostics};
use terrane_engine::{Event, PlanMode};

use super::sink::Sink;
use super::text::{closed, partial, refreshed, totals};
use super::{AppliedRun, ClosedRun, Outputs, PlanView, ProgressView, RunView, ShownPlan, Tracker};

/// What a document says, and how.
pub(super) trait Document: Send {
    /// The part of a plan that it keeps.
    type Plan: Send;

    /// Takes what it says about a plan.
    fn plan(&self, shown: &ShownPlan<'_>) -> Self::Plan;

    /// Adds a plan that continues the first one.
    fn continued(&self, first: &mut Self::Plan, next: Self::Plan);

    /// The whole text.
    fn text(&self, said: &Said<Self::Plan>) -> String;
}

/// Everything that there is to say so far.
pub(super) struct Said<P> {
    pub(super) plan: Option<P>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Sentences about a run.
    pub(super) result: Vec<String>,
    /// Whether the run did everything; none before it ends.
    pub(super) is_complete: Option<bool>,
    is_appended: bool,
}

impl<P> Default for Said<P> {
    fn default() -> Self {
        Self {
            plan: None,
            diagnostics: Vec::new(),
            result: Vec::new(),
            is_complete: None,
            is_appended: false,
        }
    }
}

/// Writes a document into a file.
pub(super) struct DocumentView<D: Document> {
    to: Sink,
    /// Also appended to this file, once.
    appended_to: Option<PathBuf>,
    document: D,
    said: Mutex<Said<D::Plan>>,
}

impl<D: Document> DocumentView<D> {
    /// Into that file, and at the end of another one.
    pub(super) fn new(path: PathBuf, appended_to: Option<PathBuf>, document: D) -> Self {
        Self {
            to: Sink::file(path),
            appended_to,
            document,
            said: Mutex::default(),
        }
    }

    fn said(&self) -> MutexGuard<'_, Said<D::Plan>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, shown: &ShownPlan<'_>) {
        let plan = self.document.plan(shown);
        let mut said = self.said();
        match &mut said.plan {
            Some(first) => self.document.continued(first, plan),
            None => said.plan = Some(plan),
        }
        drop(said);
        self.add(shown.diagnostics);
    }

    /// Takes note of diagnostics, and tells whether one of them is new.
    fn add(&self, diagnostics: &Diagnostics) -> bool {
        let mut said = self.said();
        let known = said.diagnostics.len();
        for one in diagnostics {
            if !said.diagnostics.contains(one) {
                said.diagnostics.push(one.clone());
            }
        }
        said.diagnostics.len() > known
    }

    /// Writes the file as far as there is something to say.
    fn write(&self) -> Result<(), Diagnostics> {
        let text = self.document.text(&self.said());
        self.to.document(text)
    }

    /// Adds the document to the other file, once everything is said.
    fn append(&self) -> Result<(), Diagnostics> {
        let mut said = self.said();
        let Some(path) = &self.appended_to else {
            return Ok(());
        };
        if said.is_appended {
            return Ok(());
        }
        said.is_appended = true;
        let text = format!("{}\n", self.document.text(&said));
        let file = OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| {
            let place = path.display();
            let unwritable = Diagnostic::warning(format!("cannot write {place}"));
            let unwritable = unwritable.detail(error.to_string());
            unwritable
                .hint("unset `GITHUB_STEP_SUMMARY`, which names that file")
                .into()
        })
    }
}

impl<D: Document + Sync> PlanView for DocumentView<D> {
    fn plan(&self, shown: &ShownPlan<'_>) -> Result<(), Diagnostics> {
        self.show(shown);
        self.write()?;
        self.append()
    }

    fn no_plan(&self, why: &Diagnostics) -> Result<(), Diagnostics> {
        if !self.add(why) {
            return Ok(());
        }
        self.write()?;
        self.append()
    }
}

impl<D: Document + Sync> ProgressView for DocumentView<D> {
    fn event(&self, event: &Event, _: &Tracker) {
        // Nobody watches a document; what failed comes as diagnostics.
        match event {
            Event::ProviderStarting { .. }
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
            | Event::StepDone { .. }
            | Event::StepFailed { .. }
            | Event::StepSkipped(_)
            | Event::Action { .. }
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }

    fn tick(&self, _: &Tracker) {}

    fn pause(&self) {}
}

impl<D: Document + Sync> RunView for DocumentView<D> {
    fn begin(&self) -> Result<(), Diagnostics> {
        // A file that cannot be written is known before anything is changed.
        self.write()
    }

    fn diagnostics(&self, diagnostics: &Diagnostics) {
        self.add(diagnostics);
        // A full disk must not end a run that changes objects.
        let _ = self.write();
    }

    fn planned(&self, shown: &ShownPlan<'_>) {
        self.show(shown);
        let _ = self.write();
    }

    fn applied(&self, run: &AppliedRun<'_>) {
        if run.is_complete {
            let sentence = match run.mode {
                PlanMode::RefreshOnly => refreshed(run.recorded),
                mode => totals(mode, &run.applied.done),
            };
            self.said().result.push(sentence);
        }
    }

    /// They are not for everybody who reads a pull request.
    fn outputs(&self, _: &Outputs) {}

    fn closed(&self, run: &ClosedRun<'_>) {
        let ended = run.partial.as_ref();
        let ended = ended.map(|(applied, skipped)| partial(applied, skipped));
        let state = run.closed.map(|state| closed(state, run.took));
        {
            let mut said = self.said();
            said.is_complete = Some(run.partial.is_none() && run.closed.is_some());
            said.result.extend(ended.into_iter().flatten().chain(state));
        }
        let _ = self.write();
        let _ = self.append();
    }
}

impl<D: Document> Drop for DocumentView<D> {
    /// A run that failed early has no last word.
    fn drop(&mut self) {
        let has_something = {
            let said = self.said();
            said.plan.is_some() || !said.diagnostics.is_empty()
        };
        if has_something {
            // Nobody is left to tell.
            let _ = self.append();
        }
    }
}
