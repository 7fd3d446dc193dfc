//! `query`: the objects of a type that exist and that the state does not have.

use std::num::NonZeroUsize;

use terrane_core::{Diagnostic, Diagnostics, Value};

use crate::args::Query;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::workflow::plan::Machine;

pub(super) async fn run(session: &Session<'_>, arguments: Query) -> Result<Exit, CommandError> {
    let Query {
        type_name,
        arguments,
        limit,
    } = arguments;
    let program = session.program().await?;
    let (state, _) = session.look().await?;
    let providers = session.providers(&program).await?;
    let machine = Machine::default();
    let feed = session.silent_feed();
    let engine = machine.engine(&providers, &feed, NonZeroUsize::MIN, session);
    let _signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let arguments = object(&arguments)?;
    let listed = engine
        .query(&program, &state, &type_name, &arguments, limit)
        .await;
    engine.close().await;
    let inventory = listed?;
    session.say(&inventory.diagnostics);
    session.view().inventory(&type_name, &inventory);
    Ok(Exit::DONE)
}

/// Arguments as an object: a value is JSON where it is JSON, else text.
fn object(arguments: &[String]) -> Result<Value, CommandError> {
    let members = arguments.iter().map(|argument| {
        let (name, value) = argument.split_once('=').ok_or_else(|| {
            let error = Diagnostic::error(format!("`--arg {argument}` has no `=`"));
            let error = error.hint("write it as `--arg NAME=VALUE`; a list or map as JSON");
            Diagnostics::from(error)
        })?;
        let json = serde_json::from_str::<serde_json::Value>(value);
        Ok((
            name.to_owned(),
            json.map_or_else(|_| value.into(), Value::from),
        ))
    });
    let members: Result<Vec<_>, Diagnostics> = members.collect();
    Ok(Value::map(members?))
}
