//! Edits of the state as people read them before they confirm.

use std::fmt::Write as _;
use std::time::Duration;

use terrane_core::addr::InstanceAddr;
use terrane_state::edit::{ProviderPattern, Relocated};
use terrane_state::{Closed, Instance, Resolve, RunError, State};

use super::painter::{Painter, Tone};
use super::{TextView, state, summary};
use crate::view::printable::{counted, one_line};
use crate::view::{EditView, Secrets, StateEdit, outline, stored};

impl EditView for TextView {
    fn proposed(&self, edit: &StateEdit, before: &State) {
        let painter = self.out_painter();
        let text = match edit {
            StateEdit::Move { moved, dependents } => {
                self::moved(moved, dependents.len(), before, painter)
            }
            StateEdit::HandOver {
                moved,
                to,
                dependents,
            } => handed_over(moved, to, dependents.len(), before, painter),
            StateEdit::Remove {
                removed,
                dependents,
            } => self::removed(removed, dependents.len(), before, painter),
            StateEdit::ReplaceProvider { replaced, from, to } => {
                provided(replaced, (from, to), painter)
            }
            StateEdit::Push { pushed, stored } => self::pushed(pushed, stored.as_deref(), painter),
            StateEdit::Rescue { resolutions } => rescued(resolutions, painter),
            StateEdit::Import {
                address, instance, ..
            } => state::instance(address, instance, Secrets::Hidden, painter),
            StateEdit::Resolve { address, found, .. } => match found {
                Some((instance, _)) => state::instance(address, instance, Secrets::Hidden, painter),
                None => String::new(),
            },
        };
        self.streams.out(text);
    }

    fn recorded(&self, edit: &StateEdit, closed: &Closed, took: Duration) {
        if let StateEdit::Resolve {
            address,
            others_remain,
            ..
        } = edit
        {
            let name = one_line(&address.to_string());
            self.streams.err(&match others_remain {
                false => format!("{name} is resolved\n"),
                true => format!("the creation of {name} is resolved; other operations are not\n"),
            });
        }
        self.closing(&summary::closed(closed, took));
    }

    fn proposed_restore(&self, state: &State, why: &RunError) {
        self.streams.out(restored(state, why, self.out_painter()));
    }

    fn restored(&self, _: &State, closed: &Closed, took: Duration) {
        self.closing(&summary::closed(closed, took));
    }
}

/// Objects under new addresses.
fn moved(moved: &[Relocated], dependents: usize, state: &State, painter: Painter) -> String {
    let mut text = String::new();
    for Relocated { from, to } in moved {
        let (sign, from_text) = (painter.paint(Tone::Change, "~"), strong(from, painter));
        let to = strong(to, painter);
        let _ = writeln!(
            text,
            "  {sign} {from_text} -> {to}{}",
            notes(from, state, painter)
        );
    }
    let count = counted(moved.len(), "instance");
    let verb = verb(moved.len(), "moves", "move");
    let _ = writeln!(text, "\n{count} {verb}.{}", following(dependents));
    text
}

/// Instances that go to the state of another stack.
fn handed_over(
    moved: &[InstanceAddr],
    to: &str,
    dependents: usize,
    state: &State,
    painter: Painter,
) -> String {
    let mut text = String::new();
    for address in moved {
        let (sign, name) = (painter.paint(Tone::Change, "~"), strong(address, painter));
        let _ = writeln!(text, "  {sign} {name}{}", notes(address, state, painter));
    }
    let count = counted(moved.len(), "instance");
    let verb = verb(moved.len(), "moves", "move");
    let _ = writeln!(
        text,
        "\n{count} {verb} to the state at {}.{}",
        one_line(to),
        following(dependents)
    );
    text
}

/// Instances that leave the state.
fn removed(removed: &[InstanceAddr], dependents: usize, state: &State, painter: Painter) -> String {
    let mut text = String::new();
    for address in removed {
        let (sign, name) = (painter.paint(Tone::Faint, "."), strong(address, painter));
        let _ = writeln!(text, "  {sign} {name}{}", notes(address, state, painter));
    }
    let count = counted(removed.len(), "instance");
    let verb = verb(removed.len(), "leaves", "leave");
    let _ = writeln!(
        text,
        "\n{count} {verb} the state. The objects still exist, and nothing here manages them.{}",
        following(dependents)
    );
    text
}

/// Instances with another provider.
fn provided(
    replaced: &[InstanceAddr],
    (from, to): (&ProviderPattern, &ProviderPattern),
    painter: Painter,
) -> String {
    let mut text = String::new();
    for address in replaced {
        let sign = painter.paint(Tone::Change, "~");
        let _ = writeln!(text, "  {sign} {}", strong(address, painter));
    }
    let count = counted(replaced.len(), "instance");
    let verb = verb(replaced.len(), "goes", "go");
    let _ = writeln!(text, "\n{count} {verb} from {from} to {to}.");
    text
}

/// A whole state, compared with the stored one.
fn pushed(pushed: &State, stored: Option<&State>, painter: Painter) -> String {
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

/// A whole state in the place of one that cannot be used.
fn restored(pushed: &State, why: &RunError, painter: Painter) -> String {
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
        "The state to push has {}; the stored one cannot be used: {}.",
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

/// Results of operations that an earlier run could store nowhere.
fn rescued(resolutions: &[Resolve], painter: Painter) -> String {
    let mut text = String::new();
    for resolution in resolutions {
        let (tone, sign, end) = match &resolution.instance {
            Some(_) => (Tone::Change, "~", "is as the file says"),
            None => (Tone::Remove, "-", "no longer exists"),
        };
        let address = strong(&resolution.address, painter);
        let _ = writeln!(text, "  {} {address} {end}", painter.paint(tone, sign));
    }
    match resolutions.len() {
        0 => text.push_str("The state has everything that this file could add.\n"),
        count => {
            let count = counted(count, "operation");
            let _ = writeln!(
                text,
                "\nThe file has the results of {count} of an earlier run."
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

/// The id of the current object, and how many others there are.
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
    outline::id(&stored::marked(instance.current.as_ref()?))
}

fn following(dependents: usize) -> String {
    match dependents {
        0 => String::new(),
        1 => " The stored dependencies of 1 other instance follow.".to_owned(),
        count => format!(" The stored dependencies of {count} other instances follow."),
    }
}
