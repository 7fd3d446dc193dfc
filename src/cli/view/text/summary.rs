//! The end of a run in sentences: steps done, failed, not attempted; whether the state was written, and where.

use std::fmt::Write as _;
use std::time::Duration;

use terrane_engine::{Applied, PlanMode, Summary};
use terrane_state::Closed;

use crate::view::printable::{counted, elapsed, one_line};

/// The sentence that tools look for. A replacement counts as added and as destroyed.
pub(in crate::view) fn totals(mode: PlanMode, done: &Summary) -> String {
    let destroyed = done.delete + done.replace;
    match mode {
        PlanMode::Destroy => format!("Destroy complete! Resources: {destroyed} destroyed."),
        PlanMode::Normal | PlanMode::RefreshOnly => format!(
            "Apply complete! Resources: {} added, {} changed, {destroyed} destroyed.",
            done.create + done.replace,
            done.update,
        ),
    }
}

/// The totals of `refresh`.
pub(in crate::view) fn refreshed(recorded: usize) -> String {
    format!(
        "Refresh complete! {} recorded.",
        counted(recorded, "change")
    )
}

/// `3 of 9 steps done, 1 failed, 5 not attempted.`, and below it the names of those steps, a line each.
pub(in crate::view) fn partial(applied: &Applied, skipped: &[String]) -> Vec<String> {
    let total = applied.succeeded + applied.failed + applied.skipped;
    let mut text = format!("{} of {} done", applied.succeeded, counted(total, "step"));
    if applied.failed > 0 {
        let _ = write!(text, ", {} failed", applied.failed);
    }
    if applied.skipped > 0 {
        let _ = write!(text, ", {} not attempted", applied.skipped);
    }
    text.push('.');
    let mut lines = vec![text];
    let unknown = applied.unknown.iter();
    let unknown: Vec<_> = unknown.map(|a| one_line(&a.to_string())).collect();
    let heading = "No response was recorded; the next `up`, `destroy` or `refresh` recovers the operation, or says how to resolve it:";
    lines.extend(named(heading, &unknown));
    lines.extend(named("Not attempted:", skipped));
    lines
}

/// A heading and the first few names, and how many more there are; nothing without names.
fn named(heading: &str, names: &[String]) -> Vec<String> {
    const NAMED: usize = 10;
    if names.is_empty() {
        return Vec::new();
    }
    let shown = names.iter().take(NAMED);
    let more = names.len().saturating_sub(NAMED);
    std::iter::once(heading.to_owned())
        .chain(shown.map(|name| format!("  {name}")))
        .chain((more > 0).then(|| format!("  and {more} more")))
        .collect()
}

/// `State serial 42 written to …; lock released. Took 12s.`
pub(in crate::view) fn closed(closed: &Closed, time: Duration) -> String {
    let place = one_line(&closed.place);
    let state = match (closed.written, closed.serial) {
        (true, serial) => format!("State serial {serial} written to {place}; lock released."),
        (false, 0) => format!("There is no state at {place}; lock released."),
        (false, serial) => format!("State unchanged, serial {serial} at {place}; lock released."),
    };
    format!("{state} Took {}.", elapsed(time))
}
