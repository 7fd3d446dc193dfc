//! A run that nobody watches but a function that is asked about plans, and what comes of it.

use std::sync::Arc;

use terrane_core::{KnownValues, Program};
use terrane_engine::Recovered;
use terrane_state::Patience;

use super::Inner;
use crate::cancellation::Cancellation;
use crate::deployed::{Deployed, StackOutputs};
use crate::error::DeployError;
use crate::options::{Approve, Decision, Operating};
use crate::policies;
use crate::redactor::Redactor;
use crate::run::{Attendant, Carried, Ended, Proposal};

/// Nobody watches but a function that is asked about plans.
pub(super) struct Unattended<'a> {
    pub(super) approve: Option<Approve>,
    pub(super) redactor: &'a Arc<Redactor>,
    pub(super) deployment: &'a Inner,
    pub(super) program: &'a Program,
    pub(super) operating: &'a Operating,
}

impl Attendant for Unattended<'_> {
    type Error = DeployError;

    fn recovered(&self, _: &Recovered) {}

    fn unresolved(&self, _: &Program, _: &Recovered) {}

    async fn redeclare(&self, values: KnownValues) -> Result<Program, DeployError> {
        let Self {
            deployment,
            program,
            operating,
            redactor,
            ..
        } = self;
        deployment
            .redeclared(program, values, operating, redactor)
            .await
    }

    async fn confirm(&self, proposal: &Proposal<'_>) -> Result<(), DeployError> {
        let Proposal { plan, program, .. } = proposal;
        let reports = policies::review(plan, program, self.redactor);
        policies::check(&reports)?;
        if !proposal.has_a_question()? {
            return Ok(());
        }
        let Some(approve) = &self.approve else {
            return Ok(());
        };
        match approve(proposal).await {
            Decision::Yes => Ok(()),
            Decision::No => Err(DeployError::NotConfirmed),
        }
    }

    fn continues(&self, _: &terrane_engine::Plan) {}

    fn cancelled_midway(&self) -> DeployError {
        DeployError::Cancelled
    }
}

/// Waits for a lock until it is cancelled.
pub(super) struct Waiting<'a>(pub(super) &'a Cancellation);

impl Patience for Waiting<'_> {
    fn refused(&self, _: &terrane_state::backend::Holder) {}

    fn is_over(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// The result of a run, as an error where it did not do everything.
pub(super) fn finished(
    ended: Ended<'_, DeployError>,
    outputs: StackOutputs,
    serial: u64,
    redactor: &Redactor,
) -> Result<Deployed, DeployError> {
    let Ended {
        plan,
        recovered,
        carried,
    } = ended;
    let mut plan = plan.into_owned();
    plan.diagnostics = redactor.diagnostics(plan.diagnostics);
    let mut diagnostics = plan.diagnostics.clone();
    diagnostics.extend(redactor.diagnostics(recovered.diagnostics));
    let (applied, deferred, deferred_modules, stopped) = match carried {
        None => (
            None,
            plan.deferred.clone(),
            plan.deferred_modules.clone(),
            None,
        ),
        Some(Carried {
            applied,
            deferred,
            deferred_modules,
            stopped,
        }) => (Some(applied), deferred, deferred_modules, stopped),
    };
    let applied = applied.map(|mut applied| {
        applied.diagnostics = redactor.diagnostics(applied.diagnostics);
        diagnostics.extend(applied.diagnostics.clone());
        applied
    });
    let record_error = applied.as_ref().and_then(|it| it.record_error.clone());
    let was_cancelled = matches!(stopped, Some(DeployError::Cancelled));
    if let Some(stopped) = stopped.filter(|_| !was_cancelled) {
        diagnostics.extend(redactor.diagnostics(stopped.diagnostics()));
    }
    let has_errors = diagnostics.has_errors();
    let deployed = Deployed {
        plan,
        applied,
        deferred,
        deferred_modules,
        unresolved: recovered.remaining,
        outputs,
        serial,
        diagnostics,
        was_cancelled,
    };
    match record_error {
        Some(error) => Err(error.into()),
        None if deployed.is_complete() && !has_errors => Ok(deployed),
        None => Err(DeployError::Incomplete(Box::new(deployed))),
    }
}
