//! Changes of the state as people read them before they agree.

use std::fmt::Write as _;

use terrane_core::addr::InstanceAddr;
use terrane_state::edit::{Edit, ProviderPattern, Relocated};
use terrane_state::{Instance, Resolve, RunError, State};

use super::painter::{Painter, Tone};
use super::stored;
use super::text::{counted, one_line};

/// What moves where.
pub(crate) fn moved(edit: &Edit<Relocated>, state: &State, painter: Painter) -> String {
    let mut text = String::new();
    for Relocated { from, to } in &edit.subjects {
        let (sign, from_text) = (painter.paint(Tone::Change, "~"), strong(from, painter));
        let to = strong(to, painter);
        let _ = writeln!(
            text,
            "  {sign} {from_text} -> {to}{}",
            notes(from, state, painter)
        );
    }
    let count = counted(edit.subjects.len(), "instance");
    let verb = verb(edit.subjects.len(), "moves", "move");
    let _ = writeln!(text, "\n{count} {verb}.{}", following(edit));
    text
}

/// What leaves the state.
pub(crate) fn removed(edit: &Edit<InstanceAddr>, state: &State, painter: Painter) -> String {
    let mut text = String::new();
    for address in &edit.subjects {
        let (sign, name) = (painter.paint(Tone::Faint, "."), strong(address, painter));
        let _ = writeln!(text, "  {sign} {name}{}", notes(address, state, painter));
    }
    let count = counted(edit.subjects.len(), "instance");
    let verb = verb(edit.subjects.len(), "leaves", "leave");
    let _ = writeln!(
        text,
        "\n{count} {verb} the state; what exists goes on existing, and nothing here manages it.{}",
        following(edit)
    );
    text
}

/// What another provider takes care of.
pub(crate) fn provided(
    edit: &Edit<InstanceAddr>,
    (from, to): (&ProviderPattern, &ProviderPattern),
    painter: Painter,
) -> String {
    let mut text = String::new();
    for address in &edit.subjects {
        let sign = painter.paint(Tone::Change, "~");
        let _ = writeln!(text, "  {sign} {}", strong(address, painter));
    }
    let count = counted(edit.subjects.len(), "instance");
    let verb = verb(edit.subjects.len(), "goes", "go");
    let _ = writeln!(text, "\n{count} {verb} from {from} to {to}.");
    text
}

/// What a whole state brings, compared with the stored one.
pub(crate) fn pushed(pushed: &State, stored: Option<&State>, painter: Painter) -> String {
    let mut text = String::new();
    let nothing = State::new(pushed.lineage.clone());
    let before = stored.unwrap_or(&nothing);
    let mut line = |tone: Tone, sign: &str, address: &InstanceAddr| {
        let _ = writeln!(
            text,
            "  {} {}",
            painter.paint(tone, sign),
            strong(address, painter)
        );
    };
    for (address, instance) in &before.resources {
        match pushed.instance(address) {
            None => line(Tone::Remove, "-", address),
            Some(other) if other != instance => line(Tone::Change, "~", address),
            Some(_) => {}
        }
    }
    for address in pushed.resources.keys() {
        if before.instance(address).is_none() {
            line(Tone::Add, "+", address);
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let stored = stored.map_or("nothing".to_owned(), whole);
    let _ = writeln!(
        text,
        "The state to push has {}; stored is {stored}.",
        whole(pushed)
    );
    text
}

/// What a whole state brings in the place of one that cannot be used.
pub(crate) fn restored(pushed: &State, why: &RunError, painter: Painter) -> String {
    let mut text = String::new();
    for address in pushed.resources.keys() {
        let (sign, name) = (painter.paint(Tone::Add, "+"), strong(address, painter));
        let _ = writeln!(text, "  {sign} {name}");
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "The state to push has {}; what is stored cannot be used: {}.",
        whole(pushed),
        one_line(&why.to_string())
    );
    text
}

fn whole(state: &State) -> String {
    let instances = counted(state.resources.len(), "instance");
    let lineage = one_line(state.lineage.as_str());
    format!("serial {}, lineage {lineage}, {instances}", state.serial)
}

/// What a file of a run that could store nothing says of operations that nobody else saw the end of.
pub(crate) fn rescued(resolutions: &[Resolve], painter: Painter) -> String {
    let mut text = String::new();
    for settled in resolutions {
        let (tone, sign, end) = match &settled.instance {
            Some(_) => (Tone::Change, "~", "is as the file has it"),
            None => (Tone::Remove, "-", "is not there"),
        };
        let address = strong(&settled.address, painter);
        let _ = writeln!(text, "  {} {address} {end}", painter.paint(tone, sign));
    }
    match resolutions.len() {
        0 => text.push_str("The state has all that this file could add.\n"),
        count => {
            let count = counted(count, "operation");
            let _ = writeln!(
                text,
                "\nThe file tells how {count} of an earlier run ended."
            );
        }
    }
    text
}

fn strong(address: &InstanceAddr, painter: Painter) -> String {
    painter.paint(Tone::Strong, &one_line(&address.to_string()))
}

fn verb(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// The id of what is there, and what is there beside it.
fn notes(address: &InstanceAddr, state: &State, painter: Painter) -> String {
    let Some(instance) = state.instance(address) else {
        return String::new();
    };
    let deposed = instance.deposed.len();
    let with = (deposed > 0).then(|| format!("with {}", counted(deposed, "deposed object")));
    let notes = [id(instance).map(|id| format!("[id={id}]")), with];
    let notes = notes.into_iter().flatten();
    notes
        .map(|note| format!("  {}", painter.paint(Tone::Faint, &note)))
        .collect()
}

/// The id of the current object, if it has one that may be shown.
fn id(instance: &Instance) -> Option<String> {
    super::plan::id(&stored::marked(instance.current.as_ref()?))
}

fn following<T>(edit: &Edit<T>) -> String {
    match edit.dependents.len() {
        0 => String::new(),
        1 => " The stored dependencies of 1 other instance follow.".to_owned(),
        count => format!(" The stored dependencies of {count} other instances follow."),
    }
}
