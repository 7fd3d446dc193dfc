//! The results of policies, as a plan and the lines of a run carry them.

use serde::Serialize;
use terrane_core::Location;
use terrane_core::policy::{PolicyFinding, PolicyReport};

#[derive(Serialize)]
pub(super) struct PolicyJson {
    name: String,
    enforcement: &'static str,
    outcome: &'static str,
    source: SourceJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    violations: Vec<FindingJson>,
    undecided: Vec<FindingJson>,
    excepted: Vec<FindingJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

#[derive(Serialize)]
struct FindingJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
pub(super) struct SourceJson {
    filename: &'static str,
    line: u32,
}

impl PolicyJson {
    pub(super) fn new(report: &PolicyReport) -> Self {
        let findings = |all: &[PolicyFinding]| all.iter().map(FindingJson::new).collect();
        Self {
            name: report.name.to_string(),
            enforcement: report.enforcement.as_str(),
            outcome: report.outcome().as_str(),
            source: report.location.into(),
            hint: report.hint.as_ref().map(ToString::to_string),
            violations: findings(&report.violations),
            undecided: findings(&report.undecided),
            excepted: findings(&report.excepted),
            fault: report.fault.clone(),
        }
    }
}

impl FindingJson {
    fn new(finding: &PolicyFinding) -> Self {
        Self {
            address: finding.address.as_ref().map(ToString::to_string),
            attribute: finding.attribute.as_ref().map(ToString::to_string),
            message: finding.message.clone(),
            source: finding.location.map(Into::into),
            reason: finding.exception.as_ref().map(ToString::to_string),
        }
    }
}

impl From<Location> for SourceJson {
    fn from(location: Location) -> Self {
        Self {
            filename: location.file,
            line: location.line,
        }
    }
}
