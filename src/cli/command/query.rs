//! `query`: the objects of a type that exist and that the state does not have.

use std::num::NonZeroUsize;

use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_engine::Found;

use crate::args::{NamedBy, NamedObject, Query};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::workflow::declaring::declare;
use crate::workflow::plan::Machine;

pub(super) async fn run(session: &Session<'_>, arguments: Query) -> Result<Exit, CommandError> {
    let Query {
        type_names,
        arguments,
        limit,
        generate,
        into,
    } = arguments;
    let arguments = object(&arguments)?;
    if generate {
        return declare(
            session,
            async |engine, program, state| {
                let mut all = Vec::new();
                for type_name in &type_names {
                    let listed = engine.query(program, state, type_name, &arguments, limit);
                    let inventory = listed.await?;
                    session.say(&inventory.diagnostics);
                    let named = inventory.found.into_iter().map(|one| named(type_name, one));
                    all.extend(named.collect::<Result<Vec<_>, _>>()?);
                }
                Ok(all)
            },
            into.as_deref(),
        )
        .await;
    }
    let [type_name] = type_names.as_slice() else {
        let many = Diagnostic::error("one type at a time is listed");
        let many = many.hint("`--generate` takes several and writes Rust that declares them");
        return Err(CommandError::usage(many));
    };
    let program = session.program().await?;
    let (state, _) = session.look().await?;
    let providers = session.providers(&program).await?;
    let machine = Machine::default();
    let feed = session.silent_feed();
    let engine = machine.engine(&providers, &feed, NonZeroUsize::MIN, session);
    let _signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let listed = engine
        .query(&program, &state, type_name, &arguments, limit)
        .await;
    engine.close().await;
    let inventory = listed?;
    session.say(&inventory.diagnostics);
    session.view().inventory(type_name, &inventory);
    Ok(Exit::DONE)
}

/// A listed object, as its provider imports it.
fn named(type_name: &str, found: Found) -> Result<NamedObject, CommandError> {
    if found.identity.is_empty() {
        let error = Diagnostic::error(format!("{type_name} `{}` has no identity", found.name));
        let error = error.detail("its provider cannot import it without an id");
        let error = error.hint("name it with `import --generate TYPE=ID`");
        return Err(Diagnostics::from(error).into());
    }
    Ok(NamedObject {
        type_name: type_name.to_owned(),
        name: None,
        by: NamedBy::Identity(Value::map(found.identity)),
    })
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
