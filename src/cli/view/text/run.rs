//! A run as people follow it: progress, plan, totals, exported values, the place of the state.

use terrane_core::Diagnostics;
use terrane_core::addr::Pattern;
use terrane_engine::{Event, PlanMode};

use super::diagnostics::diagnostics;
use super::painter::Tone;
use super::{TextView, outputs, summary};
use crate::view::outline::Outline;
use crate::view::printable::one_line;
use crate::view::{
    AppliedRun, ClosedRun, Outputs, ProgressView, RunView, Secrets, ShownPlan, Tracker,
};

impl ProgressView for TextView {
    fn event(&self, event: &Event, run: &Tracker) {
        match self.live() {
            Some(live) => live.event(event, run),
            None => self.event_in_lines(event),
        }
    }

    fn tick(&self, run: &Tracker) {
        match self.live() {
            Some(live) => live.tick(run),
            None => self.tick_in_lines(run),
        }
    }

    fn pause(&self) {
        if let Some(live) = self.live() {
            live.pause();
        }
    }
}

impl RunView for TextView {
    fn begin(&self) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn diagnostics(&self, all: &Diagnostics) {
        self.streams.err(&diagnostics(all, self.err_painter()));
    }

    fn planned(&self, shown: &ShownPlan<'_>) {
        self.write_plan(shown);
    }

    fn inspected(&self, shown: &ShownPlan<'_>, which: &Pattern) {
        let outline = Outline::of_some(shown, which);
        let text = self.layout(shown, &outline).changes();
        self.streams.out(match text.is_empty() {
            true => format!("{}: no changes\n", one_line(&which.to_string())),
            false => text,
        });
    }

    fn applied(&self, run: &AppliedRun<'_>) {
        if run.is_complete {
            let totals = match run.mode {
                PlanMode::RefreshOnly => summary::refreshed(run.recorded),
                mode => summary::totals(mode, &run.applied.done),
            };
            self.streams.out(format!("\n{totals}\n"));
        }
    }

    fn outputs(&self, outputs: &Outputs) {
        if outputs.is_empty() {
            return;
        }
        let painter = self.out_painter();
        let heading = painter.paint(Tone::Strong, "Outputs:");
        let table = outputs::indented(
            outputs,
            Secrets::Hidden,
            painter,
            self.streams.out_columns(),
        );
        self.streams.out(format!("\n{heading}\n{table}"));
    }

    fn closed(&self, run: &ClosedRun<'_>) {
        let partial = run.partial.as_ref();
        let partial = partial.map(|(applied, skipped)| summary::partial(applied, skipped));
        let closed = run.closed.map(|closed| summary::closed(closed, run.took));
        let lines: Vec<String> = partial.into_iter().flatten().chain(closed).collect();
        if !lines.is_empty() {
            self.closing(&lines.join("\n"));
        }
    }
}
