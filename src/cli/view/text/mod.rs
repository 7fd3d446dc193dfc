//! The view for people: results on stdout, everything else on stderr, with colours and live rows where a terminal has them.

pub(crate) mod cost;
pub(crate) mod diagnostics;
mod edit;
mod history;
mod installing;
mod lines;
mod live;
mod outputs;
pub(crate) mod painter;
mod plan;
pub(crate) mod policies;
mod program;
mod providers;
mod repair;
mod run;
pub(crate) mod stacks;
mod state;
mod still;
mod summary;
mod table;
mod upkeep;
pub(crate) mod words;

use std::sync::Arc;

use terrane_core::Diagnostics;

use super::outline::Outline;
use super::{PlanView, ShownPlan, View};
use crate::streams::Streams;
use live::Live;
use painter::{Painter, Tone};
use plan::PlanText;

pub(crate) use installing::{Installing, install_warning};
pub(crate) use live::rows_of_planning;
pub(crate) use outputs::shown as shown_output;
pub use still::plan_text;
pub(in crate::view) use summary::{closed, partial, refreshed, totals};
pub(crate) use words::name;
pub(in crate::view) use words::waiting;

/// The text of a plan that is to be shown, on lines of so many columns where they matter.
pub(crate) fn shown_text(
    shown: &ShownPlan<'_>,
    columns: Option<usize>,
    painter: Painter,
) -> String {
    let outline = Outline::of(shown, shown.details);
    let plan = PlanText {
        outline: &outline,
        place: shown.place,
        policies: shown.policies,
        cost: shown.cost,
        columns,
        painter,
    };
    plan.text()
}

/// Writes for people.
pub(crate) struct TextView {
    streams: Arc<Streams>,
    live: Live,
}

impl TextView {
    /// On those streams.
    pub(super) fn new(streams: Arc<Streams>) -> Self {
        Self {
            live: Live::new(streams.clone()),
            streams,
        }
    }

    /// Colours for results.
    fn out_painter(&self) -> Painter {
        Painter(self.streams.out_style)
    }

    /// Colours for everything else.
    fn err_painter(&self) -> Painter {
        Painter(self.streams.err_style)
    }

    /// A line about the progress of a run.
    fn progress(&self, tone: Option<Tone>, line: &str) {
        let painter = self.err_painter();
        let line = tone.map_or_else(|| line.to_owned(), |tone| painter.paint(tone, line));
        self.streams.progress(&format!("{line}\n"));
    }

    /// The last line of a command, after an empty one.
    fn closing(&self, line: &str) {
        self.streams.err(&format!("\n{line}\n"));
    }

    fn write_plan(&self, shown: &ShownPlan<'_>) {
        // Of an empty plan the text says that nothing differs.
        if shown.plan.is_empty() && shown.is_partial {
            return;
        }
        let outline = Outline::of(shown, shown.details);
        self.streams.out(self.layout(shown, &outline).text());
    }

    fn layout<'a>(&self, shown: &'a ShownPlan<'_>, outline: &'a Outline) -> PlanText<'a> {
        PlanText {
            outline,
            place: shown.place,
            policies: shown.policies,
            cost: shown.cost,
            painter: self.out_painter(),
            columns: self.streams.out_columns(),
        }
    }
}

impl View for TextView {
    fn cannot_ask(&self) -> Option<&'static str> {
        None
    }
}

impl PlanView for TextView {
    fn plan(&self, shown: &ShownPlan<'_>) -> Result<(), Diagnostics> {
        self.write_plan(shown);
        Ok(())
    }

    /// The reasons are on stderr.
    fn no_plan(&self, _: &Diagnostics) -> Result<(), Diagnostics> {
        Ok(())
    }
}
