//! Exported values as people read them.

use std::fmt::Write as _;

use terrane_core::{Path, Value};
use terrane_state::model::OutputValue;

use super::TextView;
use super::painter::{Painter, Tone};
use crate::view::diff::{Side, member_name};
use crate::view::hidden::Hidden;
use crate::view::printable::{LONGEST_VALUE, one_line, shortened, width};
use crate::view::{Outputs, OutputsView, Secrets};
use terrane_deploy::SENSITIVE;

impl OutputsView for TextView {
    fn all_outputs(&self, outputs: &Outputs, secrets: Secrets) {
        if outputs.is_empty() {
            self.streams.err("The state has no outputs.\n");
        }
        self.streams.out(table(
            outputs,
            secrets,
            self.out_painter(),
            self.streams.out_columns(),
        ));
    }

    fn output(&self, output: &OutputValue, secrets: Secrets) {
        self.streams.out(format!("{}\n", shown(output, secrets)));
    }

    fn null_output(&self) {
        self.streams.out("null\n");
    }

    fn value(&self, value: &Value, hidden: &Hidden) {
        let side = Side {
            hidden,
            arguments: None,
        };
        let text = side.inline(value, &Path::root());
        self.streams.out(format!("{text}\n"));
    }
}

/// A table of names and values. On a terminal, a list or a map that does not fit on its line unfolds below its name.
pub(super) fn table(
    outputs: &Outputs,
    secrets: Secrets,
    painter: Painter,
    columns: Option<usize>,
) -> String {
    let names: Vec<String> = outputs.keys().map(|name| one_line(name)).collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let mut text = String::new();
    for (name, output) in names.iter().zip(outputs.values()) {
        let pad = " ".repeat(widest - width(name));
        let name = painter.paint(Tone::Strong, name);
        let line = shown(output, secrets);
        let taken = widest + 2 + width(&line);
        match value_of(output, secrets) {
            Some(value) if columns.is_some_and(|columns| taken > columns) && has_parts(&value) => {
                let _ = writeln!(text, "{name}");
                unfold(&value, columns.unwrap_or(usize::MAX), 1, &mut text);
            }
            _ => {
                let _ = writeln!(text, "{name}{pad}  {line}");
            }
        }
    }
    text
}

/// The same under a heading.
pub(super) fn indented(
    outputs: &Outputs,
    secrets: Secrets,
    painter: Painter,
    columns: Option<usize>,
) -> String {
    let columns = columns.map(|columns| columns.saturating_sub(2));
    let table = table(outputs, secrets, painter, columns);
    table.lines().map(|line| format!("  {line}\n")).collect()
}

/// Deeper values stay on their line.
const DEEPEST: usize = 8;

/// A line for each part of a value, and for the parts of one that has no room on its line.
fn unfold(value: &Value, columns: usize, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let parts: Vec<(String, &Value)> = match (value.members(), value.elements()) {
        (Some(members), _) => {
            let members = members.iter();
            let name = |name: &str| format!("{} = ", member_name(name));
            members.map(|(key, member)| (name(key), member)).collect()
        }
        (None, Some(elements)) => {
            let elements = elements.iter();
            elements.map(|element| ("- ".to_owned(), element)).collect()
        }
        (None, None) => Vec::new(),
    };
    for (label, part) in parts {
        let line = format!("{indent}{label}{}", inline(part));
        if width(&line) > columns && has_parts(part) && depth < DEEPEST {
            let _ = writeln!(text, "{indent}{}", label.trim_end().trim_end_matches(" ="));
            unfold(part, columns, depth + 1, text);
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
}

/// Whether a value is a list, set or map of something.
fn has_parts(value: &Value) -> bool {
    value
        .elements()
        .is_some_and(|elements| !elements.is_empty())
        || value.members().is_some_and(|members| !members.is_empty())
}

fn inline(value: &Value) -> String {
    let side = Side {
        hidden: Hidden::NOTHING,
        arguments: None,
    };
    side.inline(value, &Path::root())
}

/// The value, if it can be read and may be shown.
fn value_of(output: &OutputValue, secrets: Secrets) -> Option<Value> {
    match output.sensitive && secrets == Secrets::Hidden {
        true => None,
        false => Value::from_json(output.value.as_str().as_bytes(), &output.ty).ok(),
    }
}

/// The value on one line, as tables show it.
pub(crate) fn shown(output: &OutputValue, secrets: Secrets) -> String {
    match value_of(output, secrets) {
        Some(value) => inline(&value),
        None if output.sensitive && secrets == Secrets::Hidden => SENSITIVE.to_owned(),
        None => one_line(&shortened(output.value.as_str(), LONGEST_VALUE)),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use terrane_core::Type;
    use terrane_state::model::RawJson;

    use super::*;

    #[test]
    fn values_without_room_on_their_line_unfold_on_a_terminal_alone() {
        let value = |ty: &str, text: &str| OutputValue {
            value: RawJson::new(text).expect("JSON"),
            ty: Type::from_json(ty.as_bytes()).expect("a type"),
            sensitive: false,
            extra: Default::default(),
        };
        let outputs: Outputs = [
            ("name", "\"string\"", r#""prod""#),
            ("private_subnet_ids", r#"["list", "string"]"#, r#"["subnet-0a1b2c3d4e5f", "subnet-1a1b2c3d4e5f"]"#),
            (
                "cluster",
                r#"["object", {"name": "string", "security_groups": ["list", "string"]}]"#,
                r#"{"name": "prod", "security_groups": ["sg-0a1b2c3d4e5f", "sg-1a1b2c3d4e5f", "sg-2a1b2c3d4e5f"]}"#,
            ),
        ]
        .into_iter()
        .map(|(name, ty, text)| (name.into(), value(ty, text)))
        .collect();
        let shown = |columns| table(&outputs, Secrets::Hidden, Painter::PLAIN, columns);
        assert_snapshot!(shown(Some(60)), @r#"
        cluster
          name = "prod"
          security_groups
            - "sg-0a1b2c3d4e5f"
            - "sg-1a1b2c3d4e5f"
            - "sg-2a1b2c3d4e5f"
        name                "prod"
        private_subnet_ids
          - "subnet-0a1b2c3d4e5f"
          - "subnet-1a1b2c3d4e5f"
        "#);
        assert_snapshot!(shown(None), @r#"
        cluster             {name = "prod", security_groups = ["sg-0a1b2c3d4e5f", "sg-1a1b2c3d4e5f", "sg-2a1b2c3d4e5f"]}
        name                "prod"
        private_subnet_ids  ["subnet-0a1b2c3d4e5f", "subnet-1a1b2c3d4e5f"]
        "#);
    }
}
