//! The program as people look at it: its graph, and whether it is valid.

use std::fmt::Write as _;

use terrane_core::{Diagnostics, Value};
use terrane_engine::Inventory;

use super::TextView;
use super::diagnostics::diagnostics;
use crate::args::GraphFormat;
use crate::view::graph::{self, ResourceGraph};
use crate::view::printable::one_line;
use crate::view::{ProgramView, Validity};

impl ProgramView for TextView {
    fn graph(&self, graph: &ResourceGraph, form: GraphFormat) {
        self.streams.out(match form {
            GraphFormat::Svg => graph::svg(graph),
            GraphFormat::Dot => graph::dot(graph),
            GraphFormat::Mermaid => graph::mermaid(graph),
            GraphFormat::Json => graph::json(graph),
        });
    }

    fn inventory(&self, type_name: &str, inventory: &Inventory) {
        let mut text = String::new();
        for one in &inventory.found {
            let members = one.identity.iter();
            let members = members.map(|(name, value)| format!("{name} = {}", plain(value)));
            let members: Vec<String> = members.collect();
            let name = one_line(&one.name);
            let _ = writeln!(text, "{name}  {}", one_line(&members.join(", ")));
        }
        self.streams.out(text);
        let mut total = format!(
            "{} {type_name} in no state, {} in this one",
            inventory.found.len(),
            inventory.known
        );
        if inventory.is_cut {
            total.push_str("; there may be more, `--limit` raises the number that is listed");
        }
        self.streams.err(&format!("{total}\n"));
        if let Some(first) = inventory
            .found
            .first()
            .filter(|one| !one.identity.is_empty())
        {
            let members = first.identity.iter();
            let members = members.map(|(name, value)| format!("({name:?}, {})", plain(value)));
            let members: Vec<String> = members.collect();
            let members = one_line(&members.join(", "));
            let hint = format!("stack.import(&resource, ImportBy::identity([{members}]))");
            self.streams
                .err(&format!("hint: to take one in: `{hint}`\n"));
        }
    }

    fn validated(&self, validity: Validity, all: &Diagnostics) {
        if !all.is_empty() {
            self.streams.err(&diagnostics(all, self.err_painter()));
        }
        if validity == Validity::Valid {
            self.streams.out("The program is valid.\n");
        }
    }
}

/// A value of an identity, as a program writes it.
fn plain(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
