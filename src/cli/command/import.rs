//! `import`: an object that exists goes into the state, at the address that the program declares for it.

use serde::Serialize;

use crate::args::Import;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::diff::Secrets;
use crate::view::state;
use crate::workflow::edit::{Deed, Proposal, Unpushed, edit};
use crate::workflow::look_up::{Purpose, look_up};

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
        let imported = look_up(session, run, &address, &id, Purpose::Import).await?;
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
