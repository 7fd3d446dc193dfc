//! `show`: the state, for people or as JSON.

use crate::args::Show;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::diff::Secrets;
use crate::view::{json, state};

pub(super) async fn run(session: &Session<'_>, arguments: &Show) -> Result<Exit, CommandError> {
    let (stored, _) = session.look().await?;
    let secrets = match arguments.show_secrets {
        true => Secrets::Shown,
        false => Secrets::Hidden,
    };
    let text = match session.common.json {
        true => json::state::state(&stored, secrets),
        false => state::state(&stored, secrets, session.out_painter()),
    };
    session.streams.out(&text);
    Ok(Exit::DONE)
}
