//! Diagnostics as people read them: the failure, its cause, the source line, the remedy.

use std::fmt::Write as _;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostic, Diagnostics};

use super::painter::{Painter, Tone};
use crate::view::printable::{LONGEST_VALUE, one_line, printable, shortened};

/// All of them, errors and warnings in the order they came, each once.
pub(crate) fn diagnostics(diagnostics: &Diagnostics, painter: Painter) -> String {
    let mut seen = std::collections::HashSet::new();
    let mut text = String::new();
    for diagnostic in diagnostics {
        let one = self::diagnostic(diagnostic, painter);
        if seen.contains(&one) {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&one);
        seen.insert(one);
    }
    text
}

/// One of them, with a line feed at its end.
pub(crate) fn diagnostic(diagnostic: &Diagnostic, painter: Painter) -> String {
    let head = if diagnostic.is_error() {
        painter.paint(Tone::Error, "error:")
    } else {
        painter.paint(Tone::Warning, "warning:")
    };
    let summary = shortened(diagnostic.summary.trim_end(), LONGEST_VALUE);
    // No line of a message begins as the provider pleases: a log may obey it there.
    let (first, others) = summary.split_once('\n').unwrap_or((&*summary, ""));
    let mut text = format!("{head} {}", printable(first));
    let detail = shortened(diagnostic.detail.trim(), LONGEST_VALUE);
    let detail = match others.is_empty() {
        true => detail,
        false => format!("{others}\n{detail}").into(),
    };
    let detail = printable(&detail);
    // A short detail goes on in the same line; a long one (a Go panic, an API's document) gets lines of its own.
    if !detail.is_empty() && !detail.contains('\n') {
        let _ = write!(text, ": {detail}");
    }
    text.push('\n');
    let mut field = |name: &str, value: &str| {
        let name = painter.paint(Tone::Faint, &format!("{name:<10}"));
        let _ = writeln!(text, "  {name} {value}");
    };
    if let Some(address) = &diagnostic.address {
        let kind = match address.parse::<InstanceAddr>() {
            Err(_) if address.contains('/') => "provider",
            _ => "resource",
        };
        field(kind, &one_line(address));
    }
    if let Some(attribute) = &diagnostic.attribute {
        field("attribute", &one_line(&attribute.to_string()));
    }
    if let Some(location) = &diagnostic.location {
        field("declared", &location.to_string());
    }
    if detail.contains('\n') {
        for line in detail.lines() {
            let _ = writeln!(text, "{}", format!("  | {line}").trim_end());
        }
    }
    for hint in &diagnostic.hints {
        let hint = printable(hint).replace('\n', "\n  | ");
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use terrane_core::Location;

    use super::*;

    #[test]
    fn an_error_names_resource_attribute_line_and_remedy() {
        let subnet = Diagnostic::error("creating subnet: InvalidSubnet.Range: the CIDR is invalid")
            .address("module.network.aws_subnet.private[\"eu-west-1a\"]")
            .attribute("cidr_block".parse().expect("a path"))
            .location(Location {
                file: "stacks/prod/network.rs",
                line: 28,
                column: 1,
            })
            .hint("VPC subnets are between /16 and /28");
        let crash = Diagnostic::error("the provider process ended during ApplyResourceChange")
            .detail("panic: boom\u{1b}[31m\n\ngoroutine 1 [running]:\n");
        let all: Diagnostics = [subnet.clone(), crash, subnet].into_iter().collect();
        assert_snapshot!(diagnostics(&all, Painter::PLAIN), @r#"
        error: creating subnet: InvalidSubnet.Range: the CIDR is invalid
          resource   module.network.aws_subnet.private["eu-west-1a"]
          attribute  cidr_block
          declared   stacks/prod/network.rs:28
        hint: VPC subnets are between /16 and /28

        error: the provider process ended during ApplyResourceChange
          | panic: boom\u{1b}[31m
          |
          | goroutine 1 [running]:
        "#);
    }
}
