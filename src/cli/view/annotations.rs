//! Notes at lines of the source, as GitHub shows them beside a pull request: workflow commands on stderr.

use std::fmt::Write as _;
use std::sync::Arc;

use terrane_core::{Diagnostic, Diagnostics, Location};
use terrane_engine::Event;

use super::outline::{Details, Outline, verb_of};
use super::printable::{printable, shortened};
use super::{AppliedRun, ClosedRun, Outputs, PlanView, ProgressView, RunView, ShownPlan, Tracker};
use crate::streams::Streams;

/// GitHub shows ten of a kind for a step; more only fill the log.
const MOST: usize = 50;
/// How many characters one has room for.
const LONGEST: usize = 4000;

/// Writes losses and failures of a run beside the output.
pub(crate) struct Annotations {
    streams: Arc<Streams>,
}

impl Annotations {
    /// On stderr of those streams.
    pub(crate) fn new(streams: Arc<Streams>) -> Self {
        Self { streams }
    }

    fn losses(&self, shown: &ShownPlan<'_>) {
        let outline = Outline::of(shown, Details::Folded);
        let losses = outline.dangers.iter().take(MOST);
        let lines = losses.map(|loss| {
            let why = loss.why.as_ref();
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            let text = format!(
                "this plan would {} {}{why}",
                verb_of(loss.action),
                loss.address
            );
            command("warning", loss.location, &text)
        });
        self.streams.err(&lines.collect::<String>());
    }
}

/// Diagnostics as workflow commands, a line each.
pub(crate) fn annotations(diagnostics: &Diagnostics) -> String {
    let first = diagnostics.iter().take(MOST);
    first.map(annotation).collect()
}

fn annotation(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.summary.clone();
    if let Some(address) = &diagnostic.address {
        text = format!("{address}: {text}");
    }
    for more in [&diagnostic.detail].into_iter().chain(&diagnostic.hints) {
        if !more.is_empty() {
            let _ = write!(text, "\n{more}");
        }
    }
    let kind = match diagnostic.is_error() {
        true => "error",
        false => "warning",
    };
    command(kind, diagnostic.location, &text)
}

/// `::error file=stacks/prod.rs,line=7::text`
fn command(kind: &str, location: Option<Location>, text: &str) -> String {
    let place = location.map(|location| {
        let file = escaped(location.file)
            .replace(':', "%3A")
            .replace(',', "%2C");
        format!(" file={file},line={}", location.line)
    });
    let text = printable(&shortened(text, LONGEST)).into_owned();
    format!(
        "::{kind}{}::{}\n",
        place.unwrap_or_default(),
        escaped(&text)
    )
}

/// A text that stays on one line of the log and means nothing there.
fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

impl PlanView for Annotations {
    fn plan(&self, shown: &ShownPlan<'_>) -> Result<(), Diagnostics> {
        self.losses(shown);
        Ok(())
    }

    /// Every message on stderr has its own.
    fn no_plan(&self, _: &Diagnostics) -> Result<(), Diagnostics> {
        Ok(())
    }
}

impl ProgressView for Annotations {
    fn event(&self, event: &Event, _: &Tracker) {
        // Failures come as diagnostics, with their lines.
        match event {
            Event::ProviderStarting { .. }
            | Event::ProviderReady { .. }
            | Event::RecoveryStarted { .. }
            | Event::RecoveryWaiting { .. }
            | Event::PlanStarted { .. }
            | Event::RefreshStarted { .. }
            | Event::RefreshDone { .. }
            | Event::InstancePlanned { .. }
            | Event::InstanceDeferred(_)
            | Event::ApplyStarted { .. }
            | Event::StepStarted(_)
            | Event::StepDone { .. }
            | Event::StepFailed { .. }
            | Event::StepSkipped(_)
            | Event::Action { .. }
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }

    fn tick(&self, _: &Tracker) {}

    fn pause(&self) {}
}

impl RunView for Annotations {
    fn begin(&self) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn diagnostics(&self, all: &Diagnostics) {
        self.streams.err(&annotations(all));
    }

    /// Whoever runs `up` has seen the plan.
    fn planned(&self, _: &ShownPlan<'_>) {}

    fn applied(&self, _: &AppliedRun<'_>) {}

    fn outputs(&self, _: &Outputs) {}

    fn closed(&self, _: &ClosedRun<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_one_command_at_its_line() {
        let hostile = Diagnostic::error("boom\n::set-output name=x::y\u{1b}[2J")
            .address("a.b")
            .detail("100%")
            .location(Location {
                file: "stacks/a,b:c.rs",
                line: 7,
                column: 1,
            });
        assert_eq!(
            annotations(&hostile.into()),
            "::error file=stacks/a%2Cb%3Ac.rs,line=7::a.b: boom%0A\\u{3a}:set-output name=x::y\\u{1b}[2J%0A100%25\n"
        );
    }
}
