//! Unresolved operations of earlier runs, for people: which were recovered, which wait, and the commands that resolve them.

use terrane_core::addr::ProviderConfigAddr;
use terrane_core::{Diagnostic, Diagnostics, Program, Severity};
use terrane_deploy::identity;
pub(crate) use terrane_deploy::unresolved::{found, request_text};
use terrane_engine::{Doubt, Recovered, Resolved, Unresolved};
use terrane_state::{IntentAction, OpenIntent, Resolution};

use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::printable::{self, one_line};

/// One line for each recovered operation; empty when there was none.
pub(crate) fn recovered_text(recovered: &Recovered) -> String {
    let lines = recovered.resolved.iter();
    lines
        .map(|resolved| resolved_line(resolved, "is in the state now"))
        .collect()
}

/// The same for a command that writes no state.
pub(crate) fn rehearsed_text(recovered: &Recovered) -> String {
    let lines = recovered.resolved.iter();
    lines
        .map(|resolved| resolved_line(resolved, "the next `up` or `destroy` adds it to the state"))
        .collect()
}

fn resolved_line(resolved: &Resolved, taken: &str) -> String {
    let address = one_line(&resolved.address.to_string());
    let doing = match resolved.action {
        IntentAction::Create => "creating",
        IntentAction::Update => "updating",
        IntentAction::Delete => "deleting",
        IntentAction::Import => "importing",
    };
    let outcome = match (&resolved.how, resolved.action) {
        (Resolution::Adopted { id }, _) => {
            format!("it exists ({}) and {taken}", printable::id(id))
        }
        (Resolution::Deleted, _) => "the object no longer exists".to_owned(),
        (Resolution::Refreshed, IntentAction::Delete) => "the object still exists".to_owned(),
        (Resolution::Refreshed, _) => "the object was read again".to_owned(),
        (Resolution::Absent | Resolution::Forgotten, _) => "no object exists".to_owned(),
    };
    format!("{address}: an earlier run was interrupted while {doing} it; {outcome}\n")
}

/// The operations that could not be recovered, with the commands that resolve them.
pub(crate) fn remaining(
    session: &Session<'_>,
    program: &Program,
    recovered: &Recovered,
    severity: Severity,
) -> Diagnostics {
    let remaining = recovered.remaining.iter();
    remaining
        .map(|unresolved| question(session, program, unresolved, severity))
        .collect()
}

fn question(
    session: &Session<'_>,
    program: &Program,
    unresolved: &Unresolved,
    severity: Severity,
) -> Diagnostic {
    let Unresolved { open, doubt } = unresolved;
    let address = &open.intent.address;
    let request = request_text(open);
    let described = found(std::slice::from_ref(open), severity)
        .into_iter()
        .next();
    let described = described.expect("invariant: a diagnostic for each operation");
    let mut diagnostic = described.detail(format!("{request}; {doubt}"));
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
                diagnostic = diagnostic.hint(format!("if it exists, record its id: `{found}`"));
            }
            let creation = match program.position(address) {
                Some(_) => "; the next run creates it",
                None => "",
            };
            diagnostic.hint(format!("if it does not exist: `{absent}`{creation}"))
        }
        (_, Doubt::NoProvider { .. }) => diagnostic,
        (_, Doubt::Elsewhere { .. }) => diagnostic
            .hint("run again with the configuration that its provider had then")
            .hint(format!("if it no longer exists: `{absent}`")),
        _ => diagnostic.hint("run again when the provider can read it"),
    }
}

/// A run that can write neither state nor journal leaves its results in its own folder.
fn results_elsewhere(open: &OpenIntent) -> Option<String> {
    let process = open.by.as_ref().filter(|_| open.result.is_none())?;
    let folder = process.folder.as_ref()?;
    if identity::working_folder().as_ref() == Some(folder) {
        return None;
    }
    Some(format!(
        "{} ran it in {folder}: if that run reported that its results are stored there only, first run the `state push` that it printed",
        process.who
    ))
}

/// The remedy when the program no longer declares the provider of the operation.
fn declare_again(session: &Session<'_>, provider: &ProviderConfigAddr) -> String {
    let alias = provider
        .alias
        .as_ref()
        .map(|alias| format!(" with the alias `{alias}`"));
    format!(
        "declare {} again{} with `stack.provider(…)`, configured as before, then run `{}`; it finds the object, and destroys it unless the program declares it",
        provider.source,
        alias.unwrap_or_default(),
        session.again("up")
    )
}

/// The exit code that the remaining operations alone call for.
pub(crate) fn exit(recovered: &Recovered) -> Exit {
    match recovered.remaining.is_empty() {
        true => Exit::DONE,
        false => Exit::UNRESOLVED,
    }
}
