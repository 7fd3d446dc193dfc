//! `output`: the stack's exported values, from the state.

use terrane_core::Diagnostic;

use crate::args::Output;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::Secrets;

pub(super) async fn run(session: &Session<'_>, arguments: Output) -> Result<Exit, CommandError> {
    let Output {
        name,
        raw,
        show_secrets,
    } = arguments;
    let (state, _) = session.look().await?;
    let secrets = Secrets::shown(show_secrets);
    let Some(name) = name else {
        session.view().all_outputs(&state.outputs, secrets);
        return Ok(Exit::DONE);
    };
    let Some(output) = state.outputs.get(&*name) else {
        if state.serial > 0 && is_exported(session, &name) {
            return null(session, &name, raw);
        }
        let names: Vec<&str> = state.outputs.keys().map(|name| &**name).collect();
        let missing = Diagnostic::error(format!("the state has no output `{name}`"));
        return Err(match names.is_empty() {
            true if state.serial > 0 => missing.detail("it has no outputs").into(),
            true => missing.hint("it has no outputs; run `up` first").into(),
            false => missing.hint(format!("it has {}", names.join(", "))).into(),
        });
    };
    if !raw {
        session.view().output(output, secrets);
        return Ok(Exit::DONE);
    }
    let stored = output.value.as_str();
    if stored == "null" {
        return null(session, &name, raw);
    }
    // Every byte of the value, and no other: it is piped into something. Text as it is, anything else as JSON.
    let bare = serde_json::from_str::<String>(stored);
    session
        .streams
        .out(bare.unwrap_or_else(|_| stored.to_owned()));
    Ok(Exit::DONE)
}

/// Whether the program exports that name. A null is not stored, as in Terraform, so the state cannot tell it from nothing.
fn is_exported(session: &Session<'_>, name: &str) -> bool {
    let program = session.declared();
    program.is_ok_and(|program| program.exports().iter().any(|export| &*export.name == name))
}

fn null(session: &Session<'_>, name: &str, raw: bool) -> Result<Exit, CommandError> {
    if raw {
        let null = Diagnostic::error(format!("the output `{name}` is null"));
        return Err(null.detail("there is nothing to print").into());
    }
    session.view().null_output();
    Ok(Exit::DONE)
}
