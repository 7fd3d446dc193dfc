//! `import`: an object that exists goes into the state, at the address that the program declares for it.

use std::num::NonZeroUsize;

use serde::Serialize;
use terrane_core::addr::InstanceAddr;
use terrane_engine::Imported;
use terrane_state::Run;

use super::plan::Machine;
use super::state::{Deed, Proposal, Unpushed, edit};
use crate::args::Import;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::diff::Secrets;
use crate::view::progress::Progress;
use crate::view::state;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// Where it is in the state.
    address: String,
    /// The object's own id.
    id: String,
}

pub(super) async fn run(session: &Session<'_>, arguments: Import) -> Result<Exit, CommandError> {
    let Import { address, id, yes } = arguments;
    edit(session, yes, Unpushed::Refused, async |run| {
        let imported = look_up(session, run, &address, &id, Asked::Import).await?;
        let painter = session.out_painter();
        Ok(Proposal {
            text: state::instance(&address, &imported.instance, Secrets::Hidden, painter),
            question: "Record it?",
            addresses: vec![address.clone()],
            report: Report {
                address: address.to_string(),
                id: imported.id.clone(),
            },
            deed: Deed::Import(Box::new(imported)),
        })
    })
    .await
}

/// Why an object is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is to be imported.
    Import,
    /// It is what a creation in doubt has made.
    Resolve,
}

/// Asks the provider for the object with that id.
pub(super) async fn look_up(
    session: &Session<'_>,
    run: &Run,
    address: &InstanceAddr,
    id: &str,
    asked: Asked,
) -> Result<Imported, CommandError> {
    let program = session.program()?;
    let providers = session.providers(&program)?;
    let machine = Machine::default();
    let silent = Progress::new(session.redactor.clone());
    let engine = machine.engine(&providers, &silent, NonZeroUsize::MIN, session);
    let imported = match asked {
        Asked::Import => engine.import(&program, run, address, id).await,
        Asked::Resolve => engine.take_over(&program, run, address, id).await,
    };
    engine.close().await;
    let imported = imported?;
    session.say(&imported.diagnostics);
    Ok(imported)
}
