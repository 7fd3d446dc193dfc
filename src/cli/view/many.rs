//! Several views as one: a terminal and the files beside it.

use std::sync::Arc;

use terrane_core::Diagnostics;
use terrane_core::addr::Pattern;
use terrane_engine::Event;
use terrane_registry::InstallEvent;

use super::{
    Annotations, AppliedRun, ChangeView, ClosedRun, Details, InFiles, Outputs, PlanView,
    ProgressView, RunView, ShownPlan, Tracker, View,
};
use crate::session::Readable;

/// Shows one plan in every view.
pub(crate) struct PlanViews(Vec<Arc<dyn ChangeView>>);

impl PlanViews {
    /// On stdout, in files of that stack, and as annotations where a CI takes some.
    pub(crate) fn new(
        stdout: Arc<dyn View>,
        files: (&InFiles, &str),
        annotations: Option<Annotations>,
    ) -> Self {
        Self(all(stdout, files, annotations))
    }
}

/// The one on stdout comes first.
fn all(
    stdout: Arc<dyn View>,
    (files, stack): (&InFiles, &str),
    annotations: Option<Annotations>,
) -> Vec<Arc<dyn ChangeView>> {
    let stdout: Arc<dyn ChangeView> = stdout;
    let annotations = annotations.map(|view| -> Arc<dyn ChangeView> { Arc::new(view) });
    [stdout]
        .into_iter()
        .chain(files.views(stack))
        .chain(annotations)
        .collect()
}

impl PlanView for PlanViews {
    fn plan(&self, shown: &ShownPlan<'_>) -> Result<(), Diagnostics> {
        self.0.iter().try_for_each(|view| view.plan(shown))
    }

    fn no_plan(&self, why: &Diagnostics) -> Result<(), Diagnostics> {
        self.0.iter().try_for_each(|view| view.no_plan(why))
    }
}

/// Shows one run in every view. None of them sees a known secret.
pub(crate) struct RunViews {
    views: Vec<Arc<dyn ChangeView>>,
    readable: Readable,
}

impl RunViews {
    /// On the streams, in files of that stack, and as annotations where a CI takes some.
    pub(crate) fn new(
        stdout: Arc<dyn View>,
        files: (&InFiles, &str),
        annotations: Option<Annotations>,
        readable: Readable,
    ) -> Self {
        Self {
            views: all(stdout, files, annotations),
            readable,
        }
    }

    /// Every argument of a plan that is shown already, for the person who is asked about it.
    pub(crate) fn details(&self, shown: &ShownPlan<'_>) {
        if let Some(stdout) = self.views.first() {
            stdout.planned(&ShownPlan {
                details: Details::All,
                ..*shown
            });
        }
    }

    /// Every argument of the changes that a pattern names.
    pub(crate) fn details_of(&self, shown: &ShownPlan<'_>, which: &Pattern) {
        if let Some(stdout) = self.views.first() {
            stdout.inspected(shown, which);
        }
    }
}

impl ProgressView for RunViews {
    fn event(&self, event: &Event, run: &Tracker) {
        self.views.iter().for_each(|view| view.event(event, run));
    }

    fn tick(&self, run: &Tracker) {
        self.views.iter().for_each(|view| view.tick(run));
    }

    fn pause(&self) {
        self.views.iter().for_each(|view| view.pause());
    }
}

impl RunView for RunViews {
    fn begin(&self) -> Result<(), Diagnostics> {
        self.views.iter().try_for_each(|view| view.begin())
    }

    fn installing(&self, event: &InstallEvent<'_>) {
        self.views.iter().for_each(|view| view.installing(event));
    }

    fn diagnostics(&self, diagnostics: &Diagnostics) {
        if diagnostics.is_empty() {
            return;
        }
        let readable = self.readable.diagnostics(diagnostics);
        self.views
            .iter()
            .for_each(|view| view.diagnostics(&readable));
    }

    fn planned(&self, shown: &ShownPlan<'_>) {
        self.views.iter().for_each(|view| view.planned(shown));
    }

    fn applied(&self, run: &AppliedRun<'_>) {
        self.views.iter().for_each(|view| view.applied(run));
    }

    fn outputs(&self, outputs: &Outputs) {
        self.views.iter().for_each(|view| view.outputs(outputs));
    }

    fn closed(&self, run: &ClosedRun<'_>) {
        self.views.iter().for_each(|view| view.closed(run));
    }
}
