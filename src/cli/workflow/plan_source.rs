//! Where the plan of a run comes from: made now, or saved earlier.

use std::borrow::Cow;

use terrane_core::{Program, Severity};
use terrane_engine::{CallerIdentity, Engine, Plan, PlanOptions, Recovered};
use terrane_state::{Recorder as _, Run};

use super::plan::make_plan;
use super::unresolved;
use crate::error::CommandError;
use crate::session::Session;
use crate::signals::{Signals, interrupted};
use crate::view::{Feed, RunView as _, RunViews};

/// The parts that a source works with, while the run holds the state.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) program: &'a Program,
    pub(crate) engine: &'a Engine<'a>,
    pub(crate) run: &'a Run,
    pub(crate) signals: &'a Signals,
    pub(crate) feed: &'a Feed,
    pub(crate) view: &'a RunViews,
}

/// A plan that can be applied, and the recovery before it.
pub(crate) struct Sourced<'a> {
    pub(crate) plan: Cow<'a, Plan>,
    /// The recovery of unresolved operations of earlier runs.
    pub(crate) recovered: Recovered,
    /// Whether every object was read for it.
    pub(crate) reads_everything: bool,
    /// In whose name it acts, as far as that is known.
    pub(crate) callers: Vec<CallerIdentity>,
    /// The options to plan with what it defers; none where another command does that.
    pub(crate) options: Option<PlanOptions>,
}

/// Where the plan of a run comes from.
pub(crate) trait PlanSource {
    /// The plan for the state as the run holds it.
    ///
    /// # Errors
    /// When none can be made, or the one that was made does not fit any more.
    async fn plan(&self, held: Held<'_>) -> Result<Sourced<'_>, CommandError>;

    /// The plan is about to be applied.
    ///
    /// # Errors
    /// When that cannot be recorded.
    async fn begin(&self, held: Held<'_>) -> Result<(), CommandError>;
}

/// Makes a plan with these options.
pub(crate) struct Fresh(pub(crate) PlanOptions);

impl PlanSource for Fresh {
    async fn plan(&self, held: Held<'_>) -> Result<Sourced<'_>, CommandError> {
        let recovered = recover(held).await?;
        let options = PlanOptions {
            blocked: recovered.blocked(),
            unread: held.run.is_unread(),
            ..self.0.clone()
        };
        let prior = held.run.state();
        let plan = make_plan(held.engine, held.signals, held.program, &prior, &options).await?;
        Ok(Sourced {
            callers: terrane_deploy::known_callers(held.engine, held.program, &plan).await,
            plan: Cow::Owned(plan),
            reads_everything: options.reads_everything(),
            options: Some(options),
            recovered,
        })
    }

    async fn begin(&self, _: Held<'_>) -> Result<(), CommandError> {
        Ok(())
    }
}

/// Recovers the unresolved operations of earlier runs, and names those that wait for a person.
async fn recover(held: Held<'_>) -> Result<Recovered, CommandError> {
    let recovered = held.engine.recover(held.program, held.run).await;
    held.feed.pause();
    held.view.diagnostics(&recovered.diagnostics);
    let text = unresolved::recovered_text(&recovered);
    held.session.note(&text);
    unresolved::recorded(&recovered)?;
    if held.signals.heard() {
        return Err(interrupted());
    }
    let remaining = unresolved::remaining(held.session, held.program, &recovered, Severity::Error);
    held.view.diagnostics(&remaining);
    Ok(recovered)
}
