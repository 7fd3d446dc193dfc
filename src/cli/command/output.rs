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
        let names: Vec<&str> = state.outputs.keys().map(|name| &**name).collect();
        let missing = Diagnostic::error(format!("the state has no output `{name}`"));
        return Err(match names.is_empty() {
            true => missing.hint("it has none at all; run `up` first").into(),
            false => missing.hint(format!("it has {}", names.join(", "))).into(),
        });
    };
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
