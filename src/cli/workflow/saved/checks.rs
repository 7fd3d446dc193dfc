//! What a saved plan's own configuration means beside that of an invocation.

use std::path::Path;

use terrane_core::{Diagnostic, Diagnostics};
use terrane_engine::Inputs;

use crate::error::CommandError;
use crate::session::Session;

/// A plan has its own configuration; another one beside it can only be a mistake. That of a fleet is not in the plan of a stack.
pub(super) fn refuse_configuration(session: &Session<'_>) -> Result<(), CommandError> {
    if session.is_of_fleet() {
        return Ok(());
    }
    let given = [
        ("--var", !session.common.vars.is_empty()),
        ("--var-file", !session.common.var_files.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(CommandError::usage(
            Diagnostic::error(format!("`{flag}` has no effect on a saved plan"))
                .detail("the plan holds the configuration that it was made with")
                .hint("make a new plan with `preview --out FILE` to change it"),
        )),
    }
}

/// The changed parts of the configuration; the plan's own is in effect.
pub(super) fn changed_inputs(then: &Inputs, now: &Inputs) -> Diagnostics {
    let names = then.environment.keys().chain(now.environment.keys());
    let mut changed: Vec<&str> = names
        .filter(|name| then.environment.get(*name) != now.environment.get(*name))
        .map(String::as_str)
        .collect();
    let files = then.files.iter();
    // A pipe has no text any more.
    let differs = |name: &str, text: &str| {
        Path::new(name).is_file() && std::fs::read_to_string(name).is_ok_and(|now| now != text)
    };
    let files = files.filter(|(name, text)| differs(name, text));
    changed.extend(files.map(|(name, _)| name.as_str()));
    changed.sort_unstable();
    changed.dedup();
    if changed.is_empty() {
        return Diagnostics::new();
    }
    let names = changed.join(", ");
    Diagnostic::warning("the configuration has changed since the plan was made")
        .detail(format!(
            "{names}; the plan is applied with the values that it was made with"
        ))
        .into()
}
