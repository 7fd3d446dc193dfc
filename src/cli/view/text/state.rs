//! The state as people read it.

use std::fmt::Write as _;

use terrane_core::Value;
use terrane_core::addr::InstanceAddr;
use terrane_state::{Instance, Object, ObjectStatus, State};

use super::painter::{Painter, Tone};
use super::{TextView, history, outputs};
use crate::view::diff::{Comparison, Kind, Occasion, Row, Side};
use crate::view::hidden::Hidden;
use crate::view::printable::{one_line, width};
use crate::view::{Past, Secrets, StateView, Version, stored};

impl StateView for TextView {
    fn state(&self, state: &State, secrets: Secrets) {
        let text = whole(
            state,
            secrets,
            self.out_painter(),
            self.streams.out_columns(),
        );
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
fn whole(state: &State, secrets: Secrets, painter: Painter, columns: Option<usize>) -> String {
    let mut text = String::new();
    for (address, instance) in &state.resources {
        text.push_str(&self::instance(address, instance, secrets, painter));
        text.push('\n');
    }
    if !state.outputs.is_empty() {
        let _ = writeln!(text, "{}", painter.paint(Tone::Strong, "Outputs:"));
        text.push_str(&outputs::indented(
            &state.outputs,
            secrets,
            painter,
            columns,
        ));
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
        write_rows(&mut text, &rows(object, secrets), 1);
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

/// Rows under each other, those of one level with their `=` in one column; a very long name stands out of it.
fn write_rows(text: &mut String, rows: &[Row], depth: usize) {
    const LONGEST: usize = 48;
    let indent = "  ".repeat(depth);
    let labels = rows.iter().filter(|row| row.has_value());
    let widths = labels.map(|row| width(&row.label));
    let widest = widths.filter(|width| *width <= LONGEST).max().unwrap_or(0);
    for row in rows {
        let pad = match row.has_value() {
            true => " ".repeat(widest.saturating_sub(width(&row.label))),
            false => String::new(),
        };
        let _ = writeln!(text, "{indent}{}", row.padded_line(&pad));
        write_rows(text, &row.inside, depth + 1);
    }
}
