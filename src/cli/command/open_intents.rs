//! Operations of an earlier run whose end nobody saw, for people: what was settled, what waits, and what to do about it.

use terrane_core::addr::ProviderConfigAddr;
use terrane_core::{Diagnostic, Diagnostics, Program};
use terrane_engine::{Doubt, Resolved, Settled, Unresolved};
use terrane_state::{IntentAction, OpenIntent, Resolution};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, open_text, operation_text, run_error, working_folder};
use crate::view::text::{self, one_line};

/// One warning for each operation of a run that is still at it.
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
    let lines = settled.resolved.iter();
    lines
        .map(|resolved| resolved_line(resolved, "is in the state now"))
        .collect()
}

/// The same for a command that writes no state.
pub(super) fn rehearsed_text(settled: &Settled) -> String {
    let lines = settled.resolved.iter();
    lines
        .map(|resolved| {
            resolved_line(
                resolved,
                "the next `up` or `destroy` takes it into the state",
            )
        })
        .collect()
}

fn resolved_line(resolved: &Resolved, taken: &str) -> String {
    let address = one_line(&resolved.address.to_string());
    let asked = operation_text(resolved.action);
    let what = match (&resolved.how, resolved.action) {
        (Resolution::Adopted { id }, _) => {
            format!("it exists ({}) and {taken}", text::id(id))
        }
        (Resolution::Deleted, _) => "the object is gone".to_owned(),
        (Resolution::Refreshed, IntentAction::Delete) => "the object is still there".to_owned(),
        (Resolution::Refreshed, _) => "the object was read".to_owned(),
        (Resolution::Absent | Resolution::Forgotten, _) => "nothing came of it".to_owned(),
    };
    format!("{address}: an earlier run did not see the end of {asked}; {what}\n")
}

/// What a run did not settle: an error for each, with the commands that answer it.
pub(super) fn unresolved(
    session: &Session<'_>,
    program: &Program,
    settled: &Settled,
) -> Diagnostics {
    let remaining = settled.remaining.iter();
    remaining
        .map(|unresolved| question(session, program, unresolved, Diagnostic::error))
        .collect()
}

/// The same for a command that goes on without an answer.
pub(super) fn unresolved_warnings(
    session: &Session<'_>,
    program: &Program,
    settled: &Settled,
) -> Diagnostics {
    let remaining = settled.remaining.iter();
    remaining
        .map(|unresolved| question(session, program, unresolved, Diagnostic::warning))
        .collect()
}

fn question(
    session: &Session<'_>,
    program: &Program,
    unresolved: &Unresolved,
    severity: impl Fn(String) -> Diagnostic,
) -> Diagnostic {
    let Unresolved { open, doubt } = unresolved;
    let address = &open.intent.address;
    let asked = open_text(open);
    let mut diagnostic = described(open, severity).detail(format!("{asked}; {doubt}"));
    diagnostic.hints.extend(results_elsewhere(open));
    if let Doubt::NoProvider { provider } = doubt {
        diagnostic = diagnostic.hint(declare_again(session, provider));
    }
    let absent = session.again(&format!("state resolve {} --absent", address.in_shell()));
    match (open.intent.action, doubt) {
        (IntentAction::Create, _) => {
            // Without its provider no object can be looked up.
            if !matches!(doubt, Doubt::NoProvider { .. }) {
                let id = doubt.candidate().unwrap_or("ID");
                let found = format!("state resolve {} --id '{id}'", address.in_shell());
                let found = session.again(&found);
                diagnostic = diagnostic.hint(format!("if it exists, say which it is: `{found}`"));
            }
            let anew = match program.position(address) {
                Some(_) => ", and it is made anew",
                None => "",
            };
            diagnostic.hint(format!("if it does not, say so: `{absent}`{anew}"))
        }
        (_, Doubt::NoProvider { .. }) => diagnostic,
        (_, Doubt::Elsewhere { .. }) => diagnostic
            .hint("run again with the configuration that its provider had then")
            .hint(format!("if it is gone, say so: `{absent}`")),
        _ => diagnostic.hint("run again when it can be read"),
    }
}

/// A run that can write neither state nor journal leaves its results in its folder; nobody else knows of them.
fn results_elsewhere(open: &OpenIntent) -> Option<String> {
    let process = open.by.as_ref().filter(|_| open.result.is_none())?;
    let folder = process.folder.as_ref()?;
    if working_folder().as_ref() == Some(folder) {
        return None;
    }
    Some(format!(
        "{} ran it in {folder}: if that run said that its results are stored there only, first run the `state push` that it printed",
        process.who
    ))
}

/// What to do when the program does not name the provider any more that was asked.
fn declare_again(session: &Session<'_>, provider: &ProviderConfigAddr) -> String {
    let alias = provider
        .alias
        .as_ref()
        .map(|alias| format!(" with the alias `{alias}`"));
    format!(
        "declare {} again{} with `stack.provider(…)`, as it was configured, then run `{}`; what it made is found then, and goes if nothing declares it",
        provider.source,
        alias.unwrap_or_default(),
        session.again("up")
    )
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
