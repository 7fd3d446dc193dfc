//! Options of a run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use terrane_core::addr::{InstanceAddr, Pattern};

use crate::change::Reason;
use crate::plan::Plan;

/// What kind of plan is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanMode {
    /// Make the world as the program says.
    #[default]
    Normal,
    /// Remove everything in the state.
    Destroy,
    /// Only bring the state up to date with the world.
    RefreshOnly,
}

/// Which objects are read before planning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RefreshPolicy {
    /// Every object.
    #[default]
    All,
    /// Objects that the plan changes, those that refer to such, and those that this build of their provider has not read, or not for
    /// [`PlanOptions::max_age`]. Of the others the state is trusted.
    Changed,
    /// Nothing; the state is trusted.
    Nothing,
}

/// Options of a plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Normal, destroy or refresh only.
    pub mode: PlanMode,
    /// Which objects are read first.
    pub refresh: RefreshPolicy,
    /// With [`RefreshPolicy::Changed`]: what was read longer ago is read again.
    pub max_age: Option<Duration>,
    /// Only these and what they need; empty means everything.
    pub targets: Vec<Pattern>,
    /// Not these, and not what needs them.
    pub excludes: Vec<Pattern>,
    /// Replace these even if they could stay.
    pub replace: Vec<Pattern>,
    /// Addresses with an unresolved operation: left out like [`excludes`](Self::excludes).
    pub blocked: Vec<InstanceAddr>,
    /// Operations ended since everything was last read: attributes that providers fill in only after that are no drift.
    pub unread: bool,
    /// What an earlier plan of the same run deferred, where this one continues it.
    pub continues: Option<Continuation>,
}

/// The changes that a plan deferred.
#[derive(Debug, Clone)]
pub struct Continuation {
    /// Their addresses, with the reason to replace the object where that plan found one.
    pub(crate) deferred: Arc<HashMap<InstanceAddr, Option<Reason>>>,
}

impl PlanOptions {
    /// The options of the plan that comes after `plan`, in the same run.
    #[must_use]
    pub fn continuing(&self, plan: &Plan) -> Self {
        let deferred = plan.deferred.iter();
        let deferred = deferred.map(|d| (d.address.as_ref().clone(), d.forced));
        Self {
            continues: Some(Continuation {
                deferred: Arc::new(deferred.collect()),
            }),
            unread: true,
            ..self.clone()
        }
    }

    /// Whether a plan with them looks at everything that there is, so far as it looks at all.
    pub(crate) fn are_whole(&self) -> bool {
        let is_selection = self.targets.is_empty() && self.excludes.is_empty();
        let looks = self.mode == PlanMode::Normal && self.refresh != RefreshPolicy::Nothing;
        looks && is_selection && self.blocked.is_empty() && self.continues.is_none()
    }

    /// Whether every object in the state is read.
    pub fn reads_everything(&self) -> bool {
        self.refresh == RefreshPolicy::All
            && self.targets.is_empty()
            && self.excludes.is_empty()
            && self.blocked.is_empty()
    }
}
