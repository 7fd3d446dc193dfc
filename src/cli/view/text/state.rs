//! The state as people read it.

use std::fmt::Write as _;

use terrane_core::Value;
use terrane_core::addr::InstanceAddr;
use terrane_state::{Instance, Object, ObjectStatus, State};

use super::painter::{Painter, Tone};
use super::{TextView, history, outputs};
use crate::view::diff::{Comparison, Kind, Occasion, Row, Side};
use crate::view::hidden::Hidden;
use crate::view::printable::one_line;
use crate::view::{Past, Secrets, StateView, Version, stored};

impl StateView for TextView {
    fn state(&self, state: &State, secrets: Secrets) {
        let text = whole(state, secrets, self.out_painter());
        self.streams.out(text);
    }

    fn instance(&self, address: &InstanceAddr, instance: &Instance, secrets: Secrets) {
        let text = self::instance(address, instance, secrets, self.out_painter());
        self.streams.out(text);
    }

    fn addresses(&self, addresses: &[&InstanceAddr]) {
        let lines = addresses.iter();
        let lines = lines.map(|address| format!("{}\n", one_line(&address.to_string())));
        self.streams.out(lines.collect::<String>());
    }

    fn history(&self, place: &str, versions: &[Version]) {
        if versions.is_empty() {
            self.streams
                .err(&format!("There is no state at {place}.\n"));
        }
        self.streams
            .out(history::versions(versions, self.out_painter()));
    }

    fn past(&self, place: &str, past: &[Past]) {
        if past.is_empty() {
            self.streams
                .err(&format!("Nobody has changed the state at {place} yet.\n"));
        }
        self.streams.out(history::past(past, self.out_painter()));
    }
}

/// Everything in the state.
fn whole(state: &State, secrets: Secrets, painter: Painter) -> String {
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
pub(super) fn instance(
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
    let object = stored::marked(object);
    let hidden = match secrets {
        Secrets::Hidden => Hidden::of(&object),
        Secrets::Shown => Hidden::default(),
    };
    let side = Side {
        hidden: &hidden,
        arguments: None,
    };
    let comparison = Comparison {
        before: side,
        after: side,
        occasion: Occasion::Creation,
        kind: Kind::Object,
    };
    comparison.rows(&Value::Null, &object.value, None)
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
