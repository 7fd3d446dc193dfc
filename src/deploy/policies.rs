//! Checks a plan by the policies of its program.

use terrane_core::policy::{PolicyFinding, PolicyReport};
use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_engine::Plan;

use crate::error::DeployError;
use crate::redactor::Redactor;

/// The report of each policy, without known secrets.
pub fn review(plan: &Plan, program: &Program, redactor: &Redactor) -> Vec<PolicyReport> {
    let mut reports = plan.review(program);
    for report in &mut reports {
        let PolicyReport {
            violations,
            undecided,
            excepted,
            fault,
            ..
        } = report;
        for finding in violations.iter_mut().chain(undecided).chain(excepted) {
            mask(finding, redactor);
        }
        if let Some(fault) = fault {
            *fault = redactor.text(fault).into_owned();
        }
    }
    reports
}

fn mask(finding: &mut PolicyFinding, redactor: &Redactor) {
    let mut told = Diagnostic::error(std::mem::take(&mut finding.message));
    told.attribute = finding.attribute.take();
    let told = redactor.diagnostic(told);
    (finding.message, finding.attribute) = (told.summary, told.attribute);
}

/// Refuses a plan that breaks a mandatory policy.
///
/// # Errors
/// When it breaks one.
pub fn check(reports: &[PolicyReport]) -> Result<(), DeployError> {
    let broken = reports.iter().filter(|report| report.refuses());
    let denied: Diagnostics = broken.map(refusal).collect();
    match denied.is_empty() {
        true => Ok(()),
        false => Err(DeployError::Denied(denied)),
    }
}

fn refusal(report: &PolicyReport) -> Diagnostic {
    /// More are counted instead of named.
    const NAMED: usize = 10;
    let findings = &report.violations;
    let mut lines: Vec<String> = findings.iter().take(NAMED).map(line).collect();
    if findings.len() > NAMED {
        lines.push(format!("and {} more", findings.len() - NAMED));
    }
    lines.extend(report.fault.clone());
    let name = on_one_line(&report.name);
    let refused = Diagnostic::error(format!("the plan is refused by the policy `{name}`"))
        .detail(lines.join("\n"))
        .location(report.location);
    let hints = report.hint.iter().map(ToString::to_string);
    refused.hints(hints).hint("nothing was changed")
}

fn line(finding: &PolicyFinding) -> String {
    let Some(address) = &finding.address else {
        return finding.message.clone();
    };
    let place = match &finding.attribute {
        Some(attribute) => format!("{address}.{attribute}"),
        None => address.to_string(),
    };
    format!("{}: {}", on_one_line(&place), finding.message)
}

fn on_one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\t', "\\t")
}
