//! The line that heads a resource: sign, name, id, the source line of its declaration, the reason.

use std::fmt::Write as _;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Location, Marked};
use terrane_engine::{Action, Drift, Reason, ResourceChange};

use super::PlanText;
use crate::view::hidden::Hidden;
use crate::view::printable::{self, one_line};
use crate::view::text::diff::Mark;
use crate::view::text::painter::Tone;

/// Writes the head of a change.
pub(super) fn head(text: &mut String, view: &PlanText<'_>, change: &ResourceChange) {
    let (sign, tone) = action_sign(change.action);
    let sign = view.painter.paint(tone, &format!("{sign:>3}"));
    let mut name = name_in_module(&change.address);
    if let Some(key) = change.deposed {
        let _ = write!(name, " (deposed {key})");
    }
    let _ = write!(text, "{sign} {}", view.painter.paint(Tone::Strong, &name));
    let notes = [
        id(&change.before).map(|id| format!("[id={id}]")),
        reason(change).map(|reason| format!("({reason})")),
        location(change.location),
    ];
    write_notes(text, view, notes);
}

/// Writes the head of a drift.
pub(super) fn drift_head(text: &mut String, view: &PlanText<'_>, drift: &Drift, mark: Mark) {
    let (sign, tone) = super::sign(mark);
    let sign = view.painter.paint(tone, &format!("{sign:>3}"));
    let name = name_in_module(&drift.address);
    let _ = write!(text, "{sign} {}", view.painter.paint(Tone::Strong, &name));
    let gone = (mark == Mark::Remove).then(|| "(it is gone)".to_owned());
    let id = id(&drift.before).map(|id| format!("[id={id}]"));
    write_notes(text, view, [id, gone, location(drift.location)]);
}

fn write_notes(text: &mut String, view: &PlanText<'_>, notes: [Option<String>; 3]) {
    for note in notes.into_iter().flatten() {
        let _ = write!(text, "  {}", view.painter.paint(Tone::Faint, &note));
    }
    text.push('\n');
}

fn location(location: Option<Location>) -> Option<String> {
    location.map(|location| location.to_string())
}

/// The sign of an action and its colour.
pub(crate) fn action_sign(action: Action) -> (&'static str, Tone) {
    match action {
        Action::NoOp => ("", Tone::Faint),
        Action::Create => ("+", Tone::Add),
        Action::Read => ("<=", Tone::Add),
        Action::Update => ("~", Tone::Change),
        Action::DeleteThenCreate => ("-/+", Tone::Replace),
        Action::CreateThenDelete => ("+/-", Tone::Replace),
        Action::Delete => ("-", Tone::Remove),
        Action::Forget => (".", Tone::Faint),
    }
}

/// The address without the module, which the tree shows.
fn name_in_module(address: &InstanceAddr) -> String {
    let resource = &address.resource;
    let data = resource.mode.prefix();
    let key = address
        .key
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    one_line(&format!(
        "{data}{}.{}{key}",
        resource.type_name, resource.name
    ))
}

/// The id of an object, if it has one that may be shown.
pub(crate) fn id(object: &Marked) -> Option<String> {
    if Hidden::of(object).member("id").is_something() {
        return None;
    }
    object.value.get("id")?.as_str().map(printable::id)
}

fn reason(change: &ResourceChange) -> Option<&'static str> {
    if change.deposed.is_some() {
        return Some("left over from a replacement");
    }
    match change.reason? {
        Reason::ReplaceBecauseTainted => Some("tainted: an earlier creation failed half-way"),
        Reason::ReplaceByRequest => Some("replaced by request"),
        Reason::ReplaceByTriggers => Some("replaced because of `replace_triggered_by`"),
        // The attribute that forces it says so.
        Reason::ReplaceBecauseCannotUpdate => None,
        Reason::DeleteBecauseNoResourceConfig => Some("no longer declared"),
        Reason::DeleteBecauseWrongRepetition => Some("declared with keys of another kind"),
        Reason::DeleteBecauseCountIndex | Reason::DeleteBecauseEachKey => {
            Some("this key is no longer declared")
        }
        Reason::DeleteBecauseNoModule => Some("its module is no longer declared"),
        Reason::ReadBecauseConfigUnknown => {
            Some("read during apply: its arguments are not known before")
        }
        Reason::ReadBecauseDependencyPending => Some("read during apply, after its dependencies"),
    }
}
