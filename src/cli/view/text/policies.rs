//! The policies of a program as people read them: those that a plan breaks, those that wait for the apply, and how many it keeps.

use std::fmt::Write as _;

use terrane_core::policy::{Enforcement, PolicyFinding, PolicyOutcome, PolicyReport};

use super::painter::{Painter, Tone};
use crate::view::printable::one_line;

/// More findings of one policy are counted instead of told.
const TOLD: usize = 10;

/// The section, with an empty line at its end; nothing where there are no policies.
pub(crate) fn text(reports: &[PolicyReport], painter: Painter) -> String {
    if reports.is_empty() {
        return String::new();
    }
    let heading = painter.paint(Tone::Strong, "Policies:");
    let mut text = format!("{heading} {}\n", totals(reports));
    for report in reports {
        if report.outcome() != PolicyOutcome::Passed || !report.excepted.is_empty() {
            policy(&mut text, report, painter);
        }
    }
    text.push('\n');
    text
}

/// Whether a plan breaks one of them, or may do so.
pub(super) fn are_news(reports: &[PolicyReport]) -> bool {
    let mut outcomes = reports.iter().map(PolicyReport::outcome);
    outcomes.any(|outcome| outcome != PolicyOutcome::Passed)
}

/// `1 failed, 2 advisory failed, 1 undecided, 9 passed`
pub(crate) fn totals(reports: &[PolicyReport]) -> String {
    let mut counts = [
        (0, "failed"),
        (0, "advisory failed"),
        (0, "undecided"),
        (0, "passed"),
    ];
    for report in reports {
        let place = match (report.outcome(), report.enforcement) {
            (PolicyOutcome::Failed, Enforcement::Mandatory) => 0,
            (PolicyOutcome::Failed, Enforcement::Advisory) => 1,
            (PolicyOutcome::Undecided, _) => 2,
            (PolicyOutcome::Passed, _) => 3,
        };
        counts[place].0 += 1;
    }
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    counts.join(", ")
}

fn policy(text: &mut String, report: &PolicyReport, painter: Painter) {
    let (word, tone) = match (report.outcome(), report.refuses()) {
        (PolicyOutcome::Failed, true) => ("failed", Tone::Error),
        (PolicyOutcome::Failed, false) => ("advice", Tone::Warning),
        (PolicyOutcome::Undecided, _) => ("undecided", Tone::Warning),
        (PolicyOutcome::Passed, _) => ("passed", Tone::Faint),
    };
    let word = painter.paint(tone, &format!("{word:<9}"));
    let location = painter.paint(Tone::Faint, &report.location.to_string());
    let _ = writeln!(text, "  {word} {}  {location}", one_line(&report.name));
    if let Some(fault) = &report.fault {
        let _ = writeln!(text, "      the check itself failed: {}", one_line(fault));
    }
    findings(text, &report.violations, "", painter);
    findings(text, &report.undecided, "known after apply: ", painter);
    findings(text, &report.excepted, "excepted: ", painter);
    if report.outcome() == PolicyOutcome::Failed
        && let Some(hint) = &report.hint
    {
        let _ = writeln!(text, "      hint: {}", one_line(hint));
    }
}

fn findings(text: &mut String, findings: &[PolicyFinding], what: &str, painter: Painter) {
    for finding in findings.iter().take(TOLD) {
        let mut line = what.to_owned();
        if let Some(place) = place(finding) {
            let _ = write!(line, "{}: ", one_line(&place));
        }
        line.push_str(&one_line(&finding.message));
        if let Some(reason) = &finding.exception {
            let _ = write!(line, " ({})", one_line(reason));
        }
        let location = finding.location.map(|location| {
            let location = painter.paint(Tone::Faint, &location.to_string());
            format!("  {location}")
        });
        let _ = writeln!(text, "      {line}{}", location.unwrap_or_default());
    }
    if findings.len() > TOLD {
        let _ = writeln!(text, "      {what}and {} more", findings.len() - TOLD);
    }
}

/// The resource and attribute that a finding is about.
pub(crate) fn place(finding: &PolicyFinding) -> Option<String> {
    let address = finding.address.as_ref()?;
    Some(match &finding.attribute {
        Some(attribute) => format!("{address}.{attribute}"),
        None => address.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use terrane_core::Location;

    use super::*;

    fn report(name: &str, enforcement: Enforcement) -> PolicyReport {
        PolicyReport {
            name: name.into(),
            enforcement,
            hint: Some("set `acl` to `private`".into()),
            location: Location {
                file: "stacks/prod/main.rs",
                line: 12,
                column: 5,
            },
            violations: Vec::new(),
            undecided: Vec::new(),
            excepted: Vec::new(),
            fault: None,
        }
    }

    fn finding(address: &str, message: &str) -> PolicyFinding {
        PolicyFinding {
            address: Some(
                address
                    .parse::<terrane_core::addr::InstanceAddr>()
                    .expect("an address")
                    .into(),
            ),
            attribute: Some("acl".parse().expect("a path")),
            message: message.to_owned(),
            location: Some(Location {
                file: "stacks/prod/storage.rs",
                line: 7,
                column: 5,
            }),
            exception: None,
        }
    }

    #[test]
    fn what_a_plan_breaks_is_told_with_place_and_remedy_and_what_it_keeps_is_counted() {
        let failed = PolicyReport {
            violations: vec![finding(
                "module.web.aws_s3_bucket.site[\"a\"]",
                "everybody can read\nit\u{1b}",
            )],
            excepted: vec![PolicyFinding {
                exception: Some("a public site".into()),
                ..finding("aws_s3_bucket.www", "everybody can read it")
            }],
            ..report("no public buckets", Enforcement::Mandatory)
        };
        let advice = PolicyReport {
            violations: vec![finding("aws_s3_bucket.many", "no tags"); 12],
            ..report("tags", Enforcement::Advisory)
        };
        let undecided = PolicyReport {
            undecided: vec![finding("aws_s3_bucket.late", "everybody can read it")],
            ..report("late", Enforcement::Mandatory)
        };
        let faulty = PolicyReport {
            fault: Some("the check panicked".to_owned()),
            ..report("faulty", Enforcement::Mandatory)
        };
        let kept = report("kept", Enforcement::Mandatory);
        let all = [failed, advice, undecided, faulty, kept.clone()];
        assert_snapshot!(text(&all, Painter::PLAIN), @r#"
        Policies: 2 failed, 1 advisory failed, 1 undecided, 1 passed
          failed    no public buckets  stacks/prod/main.rs:12
              module.web.aws_s3_bucket.site["a"].acl: everybody can read\nit\u{1b}  stacks/prod/storage.rs:7
              excepted: aws_s3_bucket.www.acl: everybody can read it (a public site)  stacks/prod/storage.rs:7
              hint: set `acl` to `private`
          advice    tags  stacks/prod/main.rs:12
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              aws_s3_bucket.many.acl: no tags  stacks/prod/storage.rs:7
              and 2 more
              hint: set `acl` to `private`
          undecided late  stacks/prod/main.rs:12
              known after apply: aws_s3_bucket.late.acl: everybody can read it  stacks/prod/storage.rs:7
          failed    faulty  stacks/prod/main.rs:12
              the check itself failed: the check panicked
              hint: set `acl` to `private`
        "#);
        assert_eq!(text(&[kept], Painter::PLAIN), "Policies: 1 passed\n\n");
        assert_eq!(text(&[], Painter::PLAIN), "");
    }
}
