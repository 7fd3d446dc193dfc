//! Earlier runs, so that a state knows its history: who ran, when, and how much was done.

use serde::{Deserialize, Serialize};

use super::{IntentAction, Open, OperationOutcome, codec};
use crate::clock::Timestamp;

/// How many earlier runs a journal carries on.
pub(crate) const MOST_RUNS: usize = 50;

/// A run that recorded something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct PastRun {
    /// Names the run in messages, locks and records.
    pub run: String,
    /// Its operation, as its lock named it; not known of one that was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// `user@host`.
    pub who: String,
    /// The page of the CI job, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_url: Option<String>,
    /// Which build of the engine.
    pub engine: String,
    /// When it began.
    #[serde(with = "codec::text")]
    pub began_at: Timestamp,
    /// When it ended; none where it was interrupted, or still runs.
    #[serde(
        with = "codec::optional_text",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<Timestamp>,
    /// The serial of the state that it left; none where it was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// The backend's name of that version, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its operations.
    pub done: Tally,
}

impl PastRun {
    /// A run from its opening; it has not ended.
    pub(crate) fn begun(open: &Open, done: Tally) -> Self {
        Self {
            run: open.run.clone(),
            operation: None,
            who: open.process.who.clone(),
            ci_url: open.process.ci_url.clone(),
            engine: open.engine.clone(),
            began_at: open.at,
            ended_at: None,
            serial: None,
            version: None,
            done,
        }
    }
}

/// Operations of a run by their ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct Tally {
    /// Objects that it made.
    #[serde(skip_serializing_if = "is_zero")]
    pub created: u64,
    /// Objects that it changed.
    #[serde(skip_serializing_if = "is_zero")]
    pub updated: u64,
    /// Objects that it destroyed.
    #[serde(skip_serializing_if = "is_zero")]
    pub deleted: u64,
    /// Objects that it took into the state.
    #[serde(skip_serializing_if = "is_zero")]
    pub imported: u64,
    /// Operations that failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Operations whose outcome was unknown at its end.
    #[serde(skip_serializing_if = "is_zero")]
    pub unresolved: u64,
}

impl Tally {
    /// Counts the end of an operation.
    pub(crate) fn count(&mut self, action: IntentAction, outcome: OperationOutcome) {
        let counted = match (outcome, action) {
            (OperationOutcome::Ok, IntentAction::Create) => &mut self.created,
            (OperationOutcome::Ok, IntentAction::Update) => &mut self.updated,
            (OperationOutcome::Ok, IntentAction::Delete) => &mut self.deleted,
            (OperationOutcome::Ok, IntentAction::Import) => &mut self.imported,
            (OperationOutcome::Unknown, _) => &mut self.unresolved,
            (
                OperationOutcome::Partial
                | OperationOutcome::FailedProved
                | OperationOutcome::FailedAssumed,
                _,
            ) => &mut self.failed,
        };
        *counted += 1;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Adds a run, unless it is there; the oldest give way.
pub(crate) fn remember(runs: &mut Vec<PastRun>, run: PastRun) {
    runs.retain(|other| other.run != run.run);
    runs.push(run);
    let surplus = runs.len().saturating_sub(MOST_RUNS);
    runs.drain(..surplus);
}
