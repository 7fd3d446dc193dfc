//! `state show`: one resource instance as the state has it.

use terrane_core::addr::InstanceAddr;

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::diff::Secrets;
use crate::view::{json, state};
use crate::workflow::edit::not_there;

pub(super) async fn run(
    session: &Session<'_>,
    address: &InstanceAddr,
    show_secrets: bool,
) -> Result<Exit, CommandError> {
    let (stored, _) = session.look().await?;
    let Some(instance) = stored.instance(address) else {
        return Err(not_there(&stored, &address.to_string()).into());
    };
    let secrets = match show_secrets {
        true => Secrets::Shown,
        false => Secrets::Hidden,
    };
    let text = match session.common.json {
        true => json::state::instance(address, instance, secrets),
        false => state::instance(address, instance, secrets, session.out_painter()),
    };
    session.streams.out(text);
    Ok(Exit::DONE)
}
