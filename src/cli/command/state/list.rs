//! `state list`: the addresses in the state.

use terrane_core::addr::{InstanceAddr, Pattern};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(session: &Session<'_>, patterns: &[Pattern]) -> Result<Exit, CommandError> {
    let (stored, _) = session.look().await?;
    let patterns: Vec<Pattern> = (patterns.iter())
        .map(|pattern| pattern.among(stored.resources.keys()))
        .collect();
    let wanted = |address: &&InstanceAddr| {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(address))
    };
    let addresses: Vec<&InstanceAddr> = stored.resources.keys().filter(wanted).collect();
    session.view().addresses(&addresses);
    Ok(Exit::DONE)
}
