//! `import`: records an existing object in the state, at the address that the program declares for it; or writes that declaration.

use crate::args::Import;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::StateEdit;
use crate::workflow::declaring::declare;
use crate::workflow::edit::{Proposal, Record, Unpushed, edit};
use crate::workflow::look_up::{Purpose, look_up};

pub(super) async fn run(session: &Session<'_>, arguments: Import) -> Result<Exit, CommandError> {
    let Import {
        address,
        id,
        generate,
        into,
        yes,
    } = arguments;
    let (Some(address), Some(id)) = (address, id) else {
        return declare(session, async |_, _, _| Ok(generate), into.as_deref()).await;
    };
    edit(session, yes.into(), Unpushed::Refused, async |run| {
        let imported = look_up(session, run, &address, &id, Purpose::Import).await?;
        Ok(Proposal {
            edit: StateEdit::Import {
                address: address.clone(),
                instance: imported.instance.clone(),
                id: imported.id.clone(),
            },
            question: "Record it?",
            addresses: vec![address.clone()],
            record: Record::Import(Box::new(imported)),
        })
    })
    .await
}
