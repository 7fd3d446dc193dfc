//! `state`: what is in it, and answers to what a run could not know.

use terrane_core::Diagnostic;
use terrane_core::addr::InstanceAddr;
use terrane_engine::Pattern;
use terrane_state::{Operation, Recorder as _, Resolution, Resolve};

use crate::args::StateCommand;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::view::diff::Secrets;
use crate::view::text::one_line;
use crate::view::{json, outputs, state};

pub(super) async fn run(
    session: &Session<'_>,
    command: StateCommand,
) -> Result<Exit, CommandError> {
    match command {
        StateCommand::List { patterns } => list(session, &patterns).await,
        StateCommand::Show {
            address,
            show_secrets,
        } => show(session, &address, show_secrets).await,
        StateCommand::Resolve { address, .. } => resolve_absent(session, &address).await,
    }
}

async fn list(session: &Session<'_>, patterns: &[Pattern]) -> Result<Exit, CommandError> {
    let (stored, _) = session.look().await?;
    let wanted = |address: &&InstanceAddr| {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(address))
    };
    let addresses: Vec<String> = stored
        .resources
        .keys()
        .filter(wanted)
        .map(ToString::to_string)
        .collect();
    let text = match session.common.json {
        true => outputs::to_line(&addresses),
        false => addresses
            .iter()
            .map(|address| format!("{}\n", one_line(address)))
            .collect(),
    };
    session.streams.out(&text);
    Ok(Exit::DONE)
}

async fn show(
    session: &Session<'_>,
    address: &InstanceAddr,
    show_secrets: bool,
) -> Result<Exit, CommandError> {
    let (stored, _) = session.look().await?;
    let Some(instance) = stored.instance(address) else {
        let missing = Diagnostic::error(format!("{address} is not in the state"));
        return Err(missing.hint("`state list` prints what is").into());
    };
    let secrets = match show_secrets {
        true => Secrets::Shown,
        false => Secrets::Hidden,
    };
    let text = match session.common.json {
        true => json::state::instance(address, instance, secrets),
        false => state::instance(address, instance, secrets, session.out_painter()),
    };
    session.streams.out(&text);
    Ok(Exit::DONE)
}

/// Somebody looked, and nothing was made.
async fn resolve_absent(
    session: &Session<'_>,
    address: &InstanceAddr,
) -> Result<Exit, CommandError> {
    let (run, recovered) = session.open(Operation::State).await?;
    let open: Vec<_> = recovered
        .open
        .iter()
        .filter(|open| open.intent.address == *address)
        .collect();
    let mut failure = None;
    for open in &open {
        let resolve = Resolve {
            op: open.intent.op,
            how: Resolution::Absent,
            evidence: "a person looked".to_owned(),
            who: session.who(),
            address: address.clone(),
            changes_state: false,
            instance: run.instance(address),
        };
        if let Err(error) = run.resolve(resolve).await {
            failure = Some(run_error(&error.into()));
        }
    }
    run.close().await.map_err(|error| run_error(&error))?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    if open.is_empty() {
        return Err(Diagnostic::error(format!("nothing is in doubt at {address}")).into());
    }
    session.streams.err(&format!(
        "{} is not in doubt any more\n",
        one_line(&address.to_string())
    ));
    Ok(Exit::DONE)
}
