//! Checks a plan by the policies of its program, and refuses one that breaks a mandatory policy.

use terrane_core::policy::{PolicyFinding, PolicyReport};
use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_engine::Plan;

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::printable::one_line;
use crate::view::text::policies::place;

/// The report of each policy, without the secrets of this invocation.
pub(crate) fn review(session: &Session<'_>, plan: &Plan, program: &Program) -> Vec<PolicyReport> {
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
            mask(session, finding);
        }
        if let Some(fault) = fault {
            *fault = session.redactor.text(fault).into_owned();
        }
    }
    reports
}

fn mask(session: &Session<'_>, finding: &mut PolicyFinding) {
    let mut told = Diagnostic::error(std::mem::take(&mut finding.message));
    told.attribute = finding.attribute.take();
    let told = session.redactor.diagnostic(told);
    (finding.message, finding.attribute) = (told.summary, told.attribute);
}

/// Refuses a plan that breaks a mandatory policy.
pub(crate) fn check(reports: &[PolicyReport]) -> Result<(), CommandError> {
    let broken = reports.iter().filter(|report| report.refuses());
    let diagnostics: Diagnostics = broken.map(refusal).collect();
    match diagnostics.is_empty() {
        true => Ok(()),
        false => Err(CommandError {
            exit: Exit::DENIED,
            diagnostics,
        }),
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
    let name = one_line(&report.name);
    let refused = Diagnostic::error(format!("the plan is refused by the policy `{name}`"))
        .detail(lines.join("\n"))
        .location(report.location);
    let hints = report.hint.iter().map(ToString::to_string);
    refused.hints(hints).hint("nothing was changed")
}

fn line(finding: &PolicyFinding) -> String {
    match place(finding) {
        Some(place) => format!("{}: {}", one_line(&place), finding.message),
        None => finding.message.clone(),
    }
}
