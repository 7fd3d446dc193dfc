//! Operations of an earlier run whose end nobody saw, for people: what was settled, what waits, and what to do about it.

use terrane_core::{Diagnostic, Diagnostics};
use terrane_engine::{Resolved, Settled, Unresolved};
use terrane_state::{IntentAction, OpenIntent, Resolution};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{open_text, operation_text, run_error};
use crate::view::text::one_line;

/// One warning for each, where nothing can be settled because nothing may be written.
pub(super) fn warnings(open: &[OpenIntent]) -> Diagnostics {
    open.iter()
        .map(|open| described(open, Diagnostic::warning))
        .collect()
}

/// One error for each, where nothing must be in doubt.
pub(super) fn errors(open: &[OpenIntent]) -> Diagnostics {
    open.iter()
        .map(|open| described(open, Diagnostic::error))
        .collect()
}

fn described(open: &OpenIntent, severity: impl Fn(String) -> Diagnostic) -> Diagnostic {
    let address = &open.intent.address;
    severity(format!("{address} is in doubt"))
        .detail(open_text(open))
        .address(address)
}

/// What was settled, a line each; empty when there was nothing.
pub(super) fn settled_text(settled: &Settled) -> String {
    settled.resolved.iter().map(resolved_line).collect()
}

fn resolved_line(resolved: &Resolved) -> String {
    let address = one_line(&resolved.address.to_string());
    let asked = operation_text(resolved.action);
    let what = match (&resolved.how, resolved.action) {
        (Resolution::Adopted { id }, _) => {
            format!("it exists ({}) and is in the state now", one_line(id))
        }
        (Resolution::Deleted, _) => "the object is gone".to_owned(),
        (Resolution::Refreshed, IntentAction::Delete) => "the object is still there".to_owned(),
        (Resolution::Refreshed, _) => "the object was read".to_owned(),
        (Resolution::Absent | Resolution::Forgotten, _) => "nothing came of it".to_owned(),
    };
    format!("{address}: an earlier run did not see the end of {asked}; {what}\n")
}

/// What a run did not settle: an error for each, with the commands that answer it.
pub(super) fn unresolved(settled: &Settled) -> Diagnostics {
    settled.remaining.iter().map(question).collect()
}

fn question(unresolved: &Unresolved) -> Diagnostic {
    let Unresolved { open, doubt } = unresolved;
    let address = &open.intent.address;
    let diagnostic = described(open, Diagnostic::error);
    let asked = open_text(open);
    let diagnostic = diagnostic.detail(format!("{asked}; {doubt}"));
    match open.intent.action {
        IntentAction::Create => {
            let id = doubt.candidate().unwrap_or("ID");
            diagnostic
                .hint(format!(
                    "if it exists, say which it is: `state resolve '{address}' --id '{id}'`"
                ))
                .hint(format!(
                    "if it does not, say so: `state resolve '{address}' --absent`, and it is made anew"
                ))
        }
        _ => diagnostic.hint("run again when it can be read"),
    }
}

/// A record that could not be written while settling.
pub(super) fn recorded(settled: &Settled) -> Result<(), CommandError> {
    match &settled.record_error {
        None => Ok(()),
        Some(error) => Err(run_error(&error.clone().into())),
    }
}

/// The exit code of a run that otherwise ends with `exit`: somebody has to look, unless something is worse.
pub(super) fn exit_with(settled: &Settled, exit: Exit) -> Exit {
    match exit {
        Exit::DONE | Exit::FAILED if !settled.remaining.is_empty() => Exit::UNRESOLVED,
        exit => exit,
    }
}
