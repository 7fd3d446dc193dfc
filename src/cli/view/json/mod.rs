//! The view for programs, in the shapes that Terraform gave them: one document, or a line for each event of a run.

mod checks;
mod configuration;
mod cost;
mod plan;
mod policies;
mod providers;
mod references;
mod reports;
mod state;
mod stream;
mod validate;
mod value;
mod values;
mod variables;

use std::sync::Arc;

use serde::Serialize;
use terrane_core::Diagnostics;

use super::format::{Flag, Format};
use super::printable::harmless_json;
use super::sink::Sink;
use super::{PlanView, ShownPlan, View};
pub(super) use cost::number;
pub(super) use plan::actions;

/// `--json` and `--json-file`.
pub(super) static FORMAT: Format = Format {
    on_stdout: Some((
        Flag {
            name: "json",
            help: "Print JSON: one document, or a line for each event (up, destroy, refresh)",
        },
        |streams| {
            Arc::new(JsonView {
                to: Sink::Stdout(streams),
            })
        },
    )),
    in_file: Some((
        Flag {
            name: "json-file",
            help: "Write the same JSON into a file, beside the text for people",
        },
        |path, _| {
            Arc::new(JsonView {
                to: Sink::file(path),
            })
        },
    )),
};

/// Writes JSON.
struct JsonView {
    to: Sink,
}

impl JsonView {
    /// Writes a document to stdout. Files are told about plans and runs only.
    fn print(&self, document: &impl Serialize) {
        let _ = self.to.document(to_line(document));
    }
}

impl View for JsonView {
    fn cannot_ask(&self) -> Option<&'static str> {
        Some("`--json` cannot ask")
    }
}

impl PlanView for JsonView {
    fn plan(&self, shown: &ShownPlan<'_>) -> Result<(), Diagnostics> {
        self.to.document(to_line(&plan::plan(shown)))
    }

    /// The reasons are on stderr; a document without a plan would be taken for one.
    fn no_plan(&self, _: &Diagnostics) -> Result<(), Diagnostics> {
        Ok(())
    }
}

/// A document as one line of JSON.
fn to_line(document: &impl Serialize) -> String {
    let json = serde_json::to_string(document);
    let mut json = json.expect("invariant: our documents are serialisable");
    json.push('\n');
    harmless_json(json)
}
