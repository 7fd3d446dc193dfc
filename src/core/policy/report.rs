//! The result of a policy on a plan.

use std::sync::Arc;

use super::Enforcement;
use crate::addr::InstanceAddr;
use crate::diagnostics::Location;
use crate::value::Path;

/// The findings of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyReport {
    /// The policy's name.
    pub name: Arc<str>,
    /// What breaking it leads to.
    pub enforcement: Enforcement,
    /// The remedy.
    pub hint: Option<Arc<str>>,
    /// Where the program declares it.
    pub location: Location,
    /// Where the plan breaks it.
    pub violations: Vec<PolicyFinding>,
    /// Requirements on values that are known only after the apply.
    pub undecided: Vec<PolicyFinding>,
    /// Where the plan may break it, by an exception in the program.
    pub excepted: Vec<PolicyFinding>,
    /// The check itself failed: it panicked, or read a value as another type.
    pub fault: Option<String>,
}

/// One place where a plan breaks a policy, or may do so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFinding {
    /// The resource instance, if it is about one.
    pub address: Option<Arc<InstanceAddr>>,
    /// The attribute of it.
    pub attribute: Option<Path>,
    /// What is wrong; where it is undecided, what would be.
    pub message: String,
    /// Where the program declares the resource.
    pub location: Option<Location>,
    /// Why it may break the policy.
    pub exception: Option<Arc<str>>,
}

/// How a plan stands to a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyOutcome {
    /// The plan keeps it.
    Passed,
    /// Only the apply can tell.
    Undecided,
    /// The plan breaks it, or the check itself failed.
    Failed,
}

impl PolicyOutcome {
    /// As outputs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Undecided => "undecided",
            Self::Failed => "failed",
        }
    }
}

impl PolicyReport {
    /// How the plan stands to the policy.
    pub fn outcome(&self) -> PolicyOutcome {
        match (&self.fault, &*self.violations, &*self.undecided) {
            (None, [], []) => PolicyOutcome::Passed,
            (None, [], _) => PolicyOutcome::Undecided,
            _ => PolicyOutcome::Failed,
        }
    }

    /// Whether the plan must not be applied.
    pub fn refuses(&self) -> bool {
        self.enforcement == Enforcement::Mandatory && self.outcome() == PolicyOutcome::Failed
    }
}
