//! `state resolve`: answers to what a run could not know.

use terrane_core::Diagnostic;
use terrane_core::addr::InstanceAddr;
use terrane_state::{Operation, Recorder as _, Resolution, Resolve};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::view::text::one_line;

/// Somebody looked, and nothing was made.
pub(super) async fn run(
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
