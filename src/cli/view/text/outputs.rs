//! Exported values as people read them.

use std::fmt::Write as _;

use terrane_core::{Path, Value};
use terrane_state::model::OutputValue;

use super::TextView;
use super::painter::{Painter, Tone};
use crate::view::diff::Side;
use crate::view::hidden::Hidden;
use crate::view::printable::{LONGEST_VALUE, one_line, shortened};
use crate::view::{Outputs, OutputsView, Secrets};
use terrane_deploy::SENSITIVE;

impl OutputsView for TextView {
    fn all_outputs(&self, outputs: &Outputs, secrets: Secrets) {
        if outputs.is_empty() {
            self.streams.err("The state has no outputs.\n");
        }
        self.streams
            .out(table(outputs, secrets, self.out_painter()));
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

/// A table of names and values.
pub(super) fn table(outputs: &Outputs, secrets: Secrets, painter: Painter) -> String {
    let widths = outputs.keys().map(|name| name.chars().count());
    let width = widths.max().unwrap_or(0);
    let mut text = String::new();
    for (name, output) in outputs {
        let name = painter.paint(Tone::Strong, &format!("{:<width$}", one_line(name)));
        let _ = writeln!(text, "{name}  {}", shown(output, secrets));
    }
    text
}

/// The value on one line, as tables show it.
pub(crate) fn shown(output: &OutputValue, secrets: Secrets) -> String {
    if output.sensitive && secrets == Secrets::Hidden {
        return SENSITIVE.to_owned();
    }
    let side = Side {
        hidden: Hidden::NOTHING,
        arguments: None,
    };
    match Value::from_json(output.value.as_str().as_bytes(), &output.ty) {
        Ok(value) => side.inline(&value, &Path::root()),
        Err(_) => one_line(&shortened(output.value.as_str(), LONGEST_VALUE)),
    }
}
