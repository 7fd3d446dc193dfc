//! The summary of a plan for scripts and agents: one JSON document of at most 8 KB, however large the plan is.

mod facts;
mod layout;

use std::sync::Arc;

use super::ShownPlan;
use super::document::{Document, DocumentView, Said};
use super::format::{Flag, Format};
use facts::Facts;

/// `--summary-json`.
pub(super) static FORMAT: Format = Format {
    on_stdout: None,
    in_file: Some((
        Flag {
            name: "summary-json",
            help: "Write at most 8 KB of JSON into a file: totals, what is destroyed or replaced, costs, failed policies, the plan's digest",
        },
        |path, stack| {
            let stack = stack.to_owned();
            Arc::new(DocumentView::new(path, None, Summary { stack }))
        },
    )),
};

/// The summary.
struct Summary {
    stack: String,
}

impl Document for Summary {
    type Plan = Facts;

    fn plan(&self, shown: &ShownPlan<'_>) -> Facts {
        Facts::of(shown)
    }

    fn continued(&self, first: &mut Facts, next: Facts) {
        first.and(next);
    }

    fn text(&self, said: &Said<Facts>) -> String {
        layout::fitted(&self.stack, said)
    }
}
