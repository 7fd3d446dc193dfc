//! Options of a run.

use serde::{Deserialize, Serialize};
use terrane_core::addr::{InstanceAddr, Pattern};

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
}

impl PlanOptions {
    /// Whether every object in the state is read.
    pub fn reads_everything(&self) -> bool {
        self.refresh == RefreshPolicy::All
            && self.targets.is_empty()
            && self.excludes.is_empty()
            && self.blocked.is_empty()
    }
}
