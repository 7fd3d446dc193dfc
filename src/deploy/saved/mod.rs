//! Saved plans: made by a preview, kept anywhere, applied exactly and once, or refused with the reason.

mod checks;

use std::borrow::Cow;

use terrane_core::{Diagnostic, Program};
use terrane_engine::{Origin, Plan, PlanFileError, Recovered, SavedPlan};
use terrane_state::{
    Backend, Clock as _, ParseSha256Error, PlanUse, Sha256, StackFile, SystemClock, is_sealed,
};

pub use checks::{ActsIn, UNREAD, check_build, check_place, check_providers, check_stack};

use crate::error::DeployError;
use crate::run::{Attendant, HeldRun, PlanSource, Sourced};

/// A plan as bytes, for a file or a store: the same that `preview --out` writes. It holds secrets, unless the stack's state is encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct PlanBytes(Vec<u8>);

impl PlanBytes {
    /// Takes what was kept. Whether it is a plan, and fits, is found out when it is applied.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// What to keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What an approval names: the SHA-256 of the bytes.
    pub fn digest(&self) -> String {
        Sha256::of(&self.0).to_string()
    }
}

impl std::fmt::Debug for PlanBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlanBytes({} bytes)", self.0.len())
    }
}

/// Whether bytes are a plan, in clear or encrypted.
pub fn is_plan(bytes: &[u8]) -> bool {
    SavedPlan::is_one(bytes) || is_sealed(bytes, StackFile::Plan)
}

/// The bytes of a plan with its origin; encrypted, if the state is.
///
/// # Errors
/// When a value is nested too deep for a file, or the key cannot be used.
pub async fn write_plan(
    backend: &dyn Backend,
    plan: &Plan,
    origin: Origin,
) -> Result<PlanBytes, DeployError> {
    let bytes = SavedPlan::write(plan, origin)
        .map_err(|error| Diagnostic::error("the plan cannot be saved").detail(error.to_string()))?;
    let sealed = backend.seal(StackFile::Plan, "", bytes.into()).await?;
    Ok(PlanBytes(sealed.into()))
}

/// Reads a plan again. `place` names it in messages.
///
/// # Errors
/// When the bytes are none, or cannot be decrypted.
pub async fn read_plan(
    backend: &dyn Backend,
    PlanBytes(bytes): &PlanBytes,
    place: &str,
) -> Result<SavedPlan, DeployError> {
    let name = format!("the plan in {place}");
    let opened = backend.unseal(StackFile::Plan, &name, bytes.clone().into());
    let opened = opened.await?;
    SavedPlan::read(&opened).map_err(|error| checks::no_plan(place, &error))
}

/// Refuses to save a plan of a program that waits for another one.
///
/// # Errors
/// The export that is not known yet.
pub fn check_saveable(program: &Program) -> Result<(), DeployError> {
    let Some(unknown) = program.unknown_exports().next() else {
        return Ok(());
    };
    let unsaved = Diagnostic::error("the plan cannot be saved").detail(format!(
        "`{unknown}` is known only after {} is applied",
        unknown.producer()
    ));
    Err(checks::refusal(
        unsaved.hint("apply the producer first, then plan and save"),
    ))
}

/// Refuses a plan that is not the one which was approved.
pub(crate) fn check_digest(bytes: &PlanBytes, approved: &str) -> Result<(), DeployError> {
    let approved: Sha256 = approved.parse().map_err(|error: ParseSha256Error| {
        checks::refusal(checks::refused(
            format!("`{approved}` is not the digest of a plan"),
            error,
        ))
    })?;
    let is = Sha256::of(&bytes.0);
    match is == approved {
        true => Ok(()),
        false => Err(checks::refusal(checks::refused(
            "this plan is not the one that was approved",
            format!("its digest is {is}, and {approved} was approved"),
        ))),
    }
}

/// A saved plan with the program that it is for.
#[derive(Debug)]
pub struct FixedPlan {
    /// Where it comes from.
    pub origin: Origin,
    /// The plan.
    pub plan: Plan,
    /// Who applies it.
    pub who: String,
}

impl FixedPlan {
    /// The plan of that program.
    ///
    /// # Errors
    /// When the program declares something else than it did.
    pub fn of(saved: SavedPlan, program: &Program, who: String) -> Result<Self, DeployError> {
        let origin = saved.origin.clone();
        let plan = saved.plan(program);
        let plan = plan.map_err(|error: PlanFileError| checks::other_program(&error))?;
        Ok(Self { origin, plan, who })
    }
}

impl<A: Attendant> PlanSource<A> for FixedPlan {
    async fn plan<'s>(&'s self, held: HeldRun<'_>, _: &A) -> Result<Sourced<'s>, A::Error> {
        let Self { origin, plan, .. } = self;
        checks::check_state(origin, plan, held.run)?;
        checks::check_callers(origin, plan, held.engine, held.program).await?;
        checks::check_objects(origin, plan, held.engine, held.program).await?;
        if held.cancellation.is_cancelled() {
            return Err(DeployError::Cancelled.into());
        }
        Ok(Sourced {
            plan: Cow::Borrowed(plan),
            program: None,
            recovered: Recovered::default(),
            reads_everything: false,
            callers: origin.callers.clone(),
            // Nobody has approved more than is in it.
            continues_with: None,
        })
    }

    /// Records, before anything is done, that the plan is used.
    async fn begin(&self, held: HeldRun<'_>, _: &A) -> Result<(), A::Error> {
        let used = PlanUse {
            nonce: self.origin.nonce.clone(),
            who: self.who.clone(),
            at: SystemClock::default().now(),
        };
        let used = held.run.use_plan(used).await;
        Ok(used.map_err(DeployError::from)?)
    }
}
