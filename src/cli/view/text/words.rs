//! Steps and waits in words.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use terrane_core::Diagnostics;
use terrane_core::addr::{InstanceAddr, ModuleAddr};
use terrane_engine::{ActionStage, Step, StepKind};
use terrane_state::Timestamp;

use crate::view::printable::{
    LONGEST_VALUE, counted, elapsed, fitted, id as shown_id, one_line, printable, shortened, width,
};
use crate::view::text::painter::{Painter, Tone};

/// The name of a step: the address, with the deposed object where it is about one.
pub(crate) fn name(step: &Step) -> String {
    let address = one_line(&step.address.to_string());
    match step.deposed {
        Some(key) => format!("{address} (deposed {key})"),
        None => address,
    }
}

/// The name of a step in so many columns: without its module where the whole does not fit, and then without its middle.
pub(super) fn name_within(step: &Step, columns: usize) -> String {
    within(name(step), &step.address.resource.module, columns)
}

/// The same of an address.
pub(super) fn address_within(address: &InstanceAddr, columns: usize) -> String {
    let module = &address.resource.module;
    within(one_line(&address.to_string()), module, columns)
}

/// The name of a step under the heading of its module.
pub(super) fn name_in_module(step: &Step, columns: usize) -> String {
    let name = name(step);
    fitted(outside(&name, &step.address.resource.module), columns)
}

fn within(name: String, module: &ModuleAddr, columns: usize) -> String {
    match width(&name) <= columns {
        true => name,
        false => fitted(outside(&name, module), columns),
    }
}

fn outside<'a>(name: &'a str, module: &ModuleAddr) -> &'a str {
    if module.is_root() {
        return name;
    }
    let module = one_line(&module.to_string());
    let rest = name.strip_prefix(&*module);
    rest.and_then(|rest| rest.strip_prefix('.')).unwrap_or(name)
}

/// The first warnings of a step, a line each: the end of the run has all of them, with their places in the program.
pub(crate) fn warnings(warnings: &Diagnostics, painter: Painter) -> String {
    const SHOWN: usize = 3;
    const LONGEST: usize = 200;
    let mut text = String::new();
    let word = painter.paint(Tone::Warning, "warning:");
    for warning in warnings.iter().take(SHOWN) {
        let line = warning.summary.lines().next().unwrap_or_default();
        let line = one_line(&shortened(line.trim(), LONGEST));
        let _ = writeln!(text, "  {word} {line}");
    }
    if warnings.len() > SHOWN {
        let more = counted(warnings.len() - SHOWN, "warning");
        let more = more.replacen(' ', " more ", 1);
        let _ = writeln!(
            text,
            "  {}",
            painter.paint(Tone::Faint, &format!("and {more}"))
        );
    }
    text
}

/// Why a run waits before it plans.
pub(super) const LATE: &str = "an operation of an earlier run may still take effect";

/// `aws_vpc.main and 2 more: an operation of an earlier run may still take effect; waiting until 2026-11-26T05:40:00Z, at most 1m58s`
pub(crate) fn waiting(addresses: &[Arc<InstanceAddr>], until: Timestamp, time: Duration) -> String {
    let first = addresses
        .first()
        .map(|address| one_line(&address.to_string()));
    let more = match addresses.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    format!(
        "{}{more}: {LATE}; waiting until {until}, at most {}",
        first.unwrap_or_default(),
        elapsed(time)
    )
}

/// The verb of a running step.
pub(super) fn doing(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Create => "creating",
        StepKind::Update => "updating",
        StepKind::Delete => "destroying",
        StepKind::Read => "reading",
        StepKind::Forget => "forgetting",
    }
}

/// The verb of a finished step.
fn done(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Create => "created",
        StepKind::Update => "updated",
        StepKind::Delete => "destroyed",
        StepKind::Read => "read",
        StepKind::Forget => "forgotten",
    }
}

/// The colour of a step's action.
pub(super) fn tone(kind: StepKind) -> Tone {
    match kind {
        StepKind::Create | StepKind::Read => Tone::Add,
        StepKind::Update => Tone::Change,
        StepKind::Delete => Tone::Remove,
        StepKind::Forget => Tone::Faint,
    }
}

/// `aws_vpc.main: creating…`
pub(super) fn started(step: &Step) -> String {
    format!("{}: {}…", name(step), doing(step.kind))
}

/// `aws_vpc.main: still creating… (1m00s)`
pub(super) fn still(step: &Step, time: Duration) -> String {
    format!(
        "{}: still {}… ({})",
        name(step),
        doing(step.kind),
        elapsed(time)
    )
}

/// `aws_vpc.main: created in 2s [id=vpc-1]`
pub(crate) fn succeeded(step: &Step, time: Duration, id: Option<&str>) -> String {
    let id = id
        .map(|id| format!(" [id={}]", shown_id(id)))
        .unwrap_or_default();
    format!(
        "{}: {} in {}{id}",
        name(step),
        done(step.kind),
        elapsed(time)
    )
}

/// The same in a row of so many columns: the id is left out before the name is shortened.
pub(super) fn succeeded_within(
    step: &Step,
    time: Duration,
    id: Option<&str>,
    columns: usize,
) -> String {
    let whole = succeeded(step, time, id);
    if width(&whole) <= columns {
        return whole;
    }
    let words = format!(": {} in {}", done(step.kind), elapsed(time));
    let name = name_within(step, columns.saturating_sub(width(&words)));
    format!("{name}{words}")
}

/// `aws_vpc.main: creating failed after 2s: …`
pub(crate) fn failed(step: &Step, time: Duration, diagnostics: &Diagnostics) -> String {
    let why = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
    let why = why.map(|why| {
        let line = why.summary.lines().next().unwrap_or("");
        format!(": {}", printable(&shortened(line, LONGEST_VALUE)))
    });
    let name = name(step);
    format!(
        "{name}: {} failed after {}{}",
        doing(step.kind),
        elapsed(time),
        why.unwrap_or_default()
    )
}

/// How far an action is.
pub(crate) fn action(action: &str, stage: &ActionStage) -> String {
    match stage {
        ActionStage::Started => format!("{action}: invoked"),
        ActionStage::Progress(message) => format!("{action}: {}", one_line(message)),
        ActionStage::Done => format!("{action}: done"),
        ActionStage::Failed => format!("{action}: failed"),
    }
}
