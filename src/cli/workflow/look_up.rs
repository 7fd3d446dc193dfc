//! Asks a provider for one existing object by its id.

use std::num::NonZeroUsize;

use terrane_core::addr::InstanceAddr;
use terrane_engine::Imported;
use terrane_state::{Recorder as _, Run};

use super::plan::Machine;
use crate::error::CommandError;
use crate::session::Session;

/// Why an object is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is to be imported.
    Import,
    /// It is the result of an unresolved creation.
    Resolve,
}

/// Asks the provider for the object with that id.
pub(crate) async fn look_up(
    session: &Session<'_>,
    run: &Run,
    address: &InstanceAddr,
    id: &str,
    purpose: Purpose,
) -> Result<Imported, CommandError> {
    let program = session.program().await?;
    let providers = session.providers(&program).await?;
    let machine = Machine::default();
    let silent = session.silent_feed();
    let engine = machine.engine(&providers, &silent, NonZeroUsize::MIN, session);
    let program = session.expanded(&engine, program, &run.state()).await?;
    let imported = match purpose {
        Purpose::Import => engine.import(&program, run, address, id).await,
        Purpose::Resolve => engine.take_over(&program, run, address, id).await,
    };
    engine.close().await;
    let imported = imported?;
    session.say(&imported.diagnostics);
    Ok(imported)
}
