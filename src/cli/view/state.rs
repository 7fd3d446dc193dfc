//! The state as people read it.

use std::fmt::Write as _;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Path, PathStep, Value};
use terrane_state::model::Attributes;
use terrane_state::{Instance, Object, ObjectStatus, State};

use super::diff::{Comparison, Occasion, Row, Secrets, Side, is_word};
use super::outputs;
use super::painter::{Painter, Tone};
use super::text::one_line;

/// Everything in the state.
pub(crate) fn state(state: &State, secrets: Secrets, painter: Painter) -> String {
    let mut text = String::new();
    for (address, instance) in &state.resources {
        text.push_str(&self::instance(address, instance, secrets, painter));
        text.push('\n');
    }
    if !state.outputs.is_empty() {
        let _ = writeln!(text, "{}", painter.paint(Tone::Strong, "Outputs:"));
        for line in outputs::table(&state.outputs, secrets, painter).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    if text.is_empty() {
        text.push_str("The state is empty.\n");
    }
    text
}

/// All objects of one instance.
pub(crate) fn instance(
    address: &InstanceAddr,
    instance: &Instance,
    secrets: Secrets,
    painter: Painter,
) -> String {
    let mut text = String::new();
    let mut one = |note: &str, object: &Object| {
        let name = format!("{}{note}", one_line(&address.to_string()));
        let tainted = match object.status {
            ObjectStatus::Ready => "",
            ObjectStatus::Tainted => "  (tainted)",
        };
        let _ = writeln!(text, "{}{tainted}", painter.paint(Tone::Strong, &name));
        for row in rows(object, secrets) {
            write_row(&mut text, &row, 1);
        }
    };
    if let Some(current) = &instance.current {
        one("", current);
    }
    for (key, object) in &instance.deposed {
        one(&format!(" (deposed {key})"), object);
    }
    text
}

fn rows(object: &Object, secrets: Secrets) -> Vec<Row> {
    let json = match &object.attributes {
        Attributes::Json(raw) | Attributes::Flat(raw) => raw.as_str(),
    };
    let value = Value::from_json_untyped(json.as_bytes()).unwrap_or(Value::Null);
    // Without a schema the maps among the attributes are not known as such, and their keys look like members.
    let hidden = object
        .sensitive_attributes
        .paths
        .iter()
        .map(as_members)
        .collect();
    let nothing = std::collections::BTreeSet::new();
    let side = Side {
        sensitive: match secrets {
            Secrets::Hidden => &hidden,
            Secrets::Shown => &nothing,
        },
        arguments: None,
    };
    let comparison = Comparison {
        before: side,
        after: side,
        occasion: Occasion::Creation,
    };
    comparison.rows(&Value::Null, &value, None)
}

/// A path whose keys are steps of the kind that a comparison without a type makes of them.
fn as_members(path: &Path) -> Path {
    let step = |step: &PathStep| match step {
        PathStep::Key(name) if is_word(name) => PathStep::Attribute(name.clone()),
        other => other.clone(),
    };
    path.steps().iter().map(step).collect()
}

fn write_row(text: &mut String, row: &Row, depth: usize) {
    let indent = "  ".repeat(depth);
    let equals = match (row.label.is_empty(), row.text.is_empty()) {
        (false, false) => " = ",
        _ => "",
    };
    let _ = writeln!(text, "{indent}{}{equals}{}", row.label, row.text);
    for inside in &row.inside {
        write_row(text, inside, depth + 1);
    }
}
