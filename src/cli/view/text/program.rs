//! The program as people look at it: its graph, and whether it is valid.

use terrane_core::Diagnostics;

use super::TextView;
use super::diagnostics::diagnostics;
use crate::args::GraphFormat;
use crate::view::graph::{self, ResourceGraph};
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

    fn validated(&self, validity: Validity, all: &Diagnostics) {
        if !all.is_empty() {
            self.streams.err(&diagnostics(all, self.err_painter()));
        }
        if validity == Validity::Valid {
            self.streams.out("The program is valid.\n");
        }
    }
}
