//! `state show`: one resource instance as the state has it.

use terrane_core::addr::InstanceAddr;

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::Secrets;
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
    let secrets = Secrets::shown(show_secrets);
    session.view().instance(address, instance, secrets);
    Ok(Exit::DONE)
}
