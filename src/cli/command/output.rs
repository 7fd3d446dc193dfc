//! `output`: the stack's exported values, from the state.

use terrane_core::Diagnostic;

use crate::args::Output;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::redactor::SENSITIVE;
use crate::session::Session;
use crate::view::diff::Secrets;
use crate::view::outputs;

pub(super) async fn run(session: &Session<'_>, arguments: &Output) -> Result<Exit, CommandError> {
    let (state, _) = session.look().await?;
    let secrets = match arguments.show_secrets {
        true => Secrets::Shown,
        false => Secrets::Hidden,
    };
    let Some(name) = &arguments.name else {
        let text = match session.common.json {
            true => outputs::json(&state.outputs, secrets),
            false => outputs::table(&state.outputs, secrets, session.out_painter()),
        };
        if state.outputs.is_empty() && !session.common.json {
            session.streams.err("The state has no outputs.\n");
        }
        session.streams.out(text);
        return Ok(Exit::DONE);
    };
    let Some(output) = state.outputs.get(&**name) else {
        if state.serial > 0 && is_exported(session, name) {
            return null(session, name, arguments.raw);
        }
        let names: Vec<&str> = state.outputs.keys().map(|name| &**name).collect();
        let missing = Diagnostic::error(format!("the state has no output `{name}`"));
        return Err(match names.is_empty() {
            true if state.serial > 0 => missing.detail("it has none at all").into(),
            true => missing.hint("it has none at all; run `up` first").into(),
            false => missing.hint(format!("it has {}", names.join(", "))).into(),
        });
    };
    if arguments.raw && output.value.as_str() == "null" {
        return null(session, name, arguments.raw);
    }
    let text = if arguments.raw {
        // The value itself, every byte of it: whoever asks by name pipes it into something.
        outputs::raw(output)
    } else if session.common.json {
        outputs::value_json(output, secrets)
    } else if output.sensitive && secrets == Secrets::Hidden {
        format!("{SENSITIVE}\n")
    } else {
        format!("{}\n", outputs::inline(output))
    };
    session.streams.out(text);
    Ok(Exit::DONE)
}

/// Whether the program exports that name. A null is not stored, as in Terraform, so the state cannot tell it from nothing.
fn is_exported(session: &Session<'_>, name: &str) -> bool {
    let program = session.program();
    program.is_ok_and(|program| program.exports().iter().any(|export| &*export.name == name))
}

fn null(session: &Session<'_>, name: &str, raw: bool) -> Result<Exit, CommandError> {
    if raw {
        let null = Diagnostic::error(format!("the output `{name}` is null"));
        return Err(null.detail("there is nothing to print").into());
    }
    session.streams.out("null\n");
    Ok(Exit::DONE)
}
