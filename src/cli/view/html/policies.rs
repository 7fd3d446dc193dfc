//! How the plan stands to the policies of its program.

use std::fmt::Write as _;

use terrane_core::policy::{PolicyFinding, PolicyOutcome, PolicyReport};

use super::escape::{Html, Links};
use crate::view::printable::one_line;
use crate::view::text::policies::totals;

/// More findings of one policy are counted instead of told.
const TOLD: usize = 200;

/// The section; nothing where there are no policies.
pub(super) fn section(reports: &[PolicyReport], links: &Links) -> String {
    if reports.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<section id=\"policies\"><h2>Policies</h2>\n<p class=\"sum\">{}</p>\n",
        Html(&totals(reports))
    );
    let (kept, others): (Vec<_>, Vec<_>) = reports.iter().partition(|report| {
        report.outcome() == PolicyOutcome::Passed && report.excepted.is_empty()
    });
    for report in others {
        policy(report, links, &mut html);
    }
    if !kept.is_empty() {
        let _ = writeln!(
            html,
            "<details class=\"policy passed\"><summary><b>passed</b> {}</summary><ul>",
            kept.len()
        );
        for report in kept {
            let name = one_line(&report.name);
            let _ = writeln!(html, "<li>{}</li>", Html(&name));
        }
        html.push_str("</ul></details>\n");
    }
    html.push_str("</section>\n");
    html
}

fn policy(report: &PolicyReport, links: &Links, html: &mut String) {
    let (word, open) = match (report.outcome(), report.refuses()) {
        (PolicyOutcome::Failed, true) => ("failed", " open"),
        (PolicyOutcome::Failed, false) => ("advice", " open"),
        (PolicyOutcome::Undecided, _) => ("undecided", ""),
        (PolicyOutcome::Passed, _) => ("passed", ""),
    };
    let (name, place) = (one_line(&report.name), report.location.to_string());
    let _ = writeln!(
        html,
        "<details class=\"policy {word}\"{open}><summary><b>{word}</b> {} <code class=\"faint\">{}</code></summary><ul>",
        Html(&name),
        Html(&place)
    );
    if let Some(fault) = &report.fault {
        let fault = one_line(fault);
        let _ = writeln!(html, "<li>the check itself failed: {}</li>", Html(&fault));
    }
    findings(&report.violations, "", links, html);
    findings(&report.undecided, "known after apply: ", links, html);
    findings(&report.excepted, "excepted: ", links, html);
    html.push_str("</ul>");
    if report.outcome() == PolicyOutcome::Failed
        && let Some(hint) = &report.hint
    {
        let hint = one_line(hint);
        let _ = write!(html, "<p>hint: {}</p>", Html(&hint));
    }
    html.push_str("</details>\n");
}

fn findings(findings: &[PolicyFinding], what: &str, links: &Links, html: &mut String) {
    for finding in findings.iter().take(TOLD) {
        let _ = write!(html, "<li>{what}");
        if let Some(address) = &finding.address {
            html.push_str(&links.address(&one_line(&address.to_string())));
            if let Some(attribute) = &finding.attribute {
                let attribute = one_line(&attribute.to_string());
                let _ = write!(html, " <code>{}</code>", Html(&attribute));
            }
            html.push_str(": ");
        }
        let _ = write!(html, "{}", Html(&one_line(&finding.message)));
        if let Some(reason) = &finding.exception {
            let _ = write!(html, " ({})", Html(&one_line(reason)));
        }
        html.push_str("</li>\n");
    }
    if findings.len() > TOLD {
        let _ = writeln!(html, "<li>{what}and {} more</li>", findings.len() - TOLD);
    }
}
