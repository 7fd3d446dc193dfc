//! `state resolve`: a person records the outcome of an unresolved operation.

use terrane_core::Diagnostic;
use terrane_core::addr::InstanceAddr;
use terrane_state::{IntentAction, Recorder as _, Resolution, Resolve};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::StateEdit;
use crate::workflow::confirmation::Confirmation;
use crate::workflow::edit::{Proposal, Record, Unpushed, edit};
use crate::workflow::look_up::{Purpose, look_up};

/// Records which object exists, or that none does. The command itself is the confirmation.
pub(super) async fn run(
    session: &Session<'_>,
    address: &InstanceAddr,
    id: Option<String>,
) -> Result<Exit, CommandError> {
    edit(
        session,
        Confirmation::Given,
        Unpushed::Refused,
        async |run| {
            let open: Vec<_> = run
                .open_intents()
                .into_iter()
                .filter(|open| open.intent.address == *address)
                .collect();
            if open.is_empty() {
                return Err(
                    Diagnostic::error(format!("{address} has no unresolved operation")).into(),
                );
            }
            let mut found = None;
            let mut resolutions = Vec::with_capacity(open.len());
            let creation = open
                .iter()
                .find(|open| open.intent.action == IntentAction::Create);
            if let Some(id) = &id {
                let Some(creation) = creation else {
                    let why = format!("{address} has no unresolved creation");
                    return Err(Diagnostic::error(why)
                        .hint("run `refresh`: it recovers the others by reading")
                        .into());
                };
                let imported = look_up(session, run, address, id, Purpose::Resolve).await?;
                found = Some((imported.instance.clone(), imported.id.clone()));
                resolutions.push(imported.resolve(creation, session.who()));
            }
            let resolved: Vec<_> = resolutions
                .iter()
                .map(|resolve: &Resolve| resolve.op)
                .collect();
            let rest = open
                .iter()
                .filter(|open| !resolved.contains(&open.intent.op));
            resolutions.extend(rest.filter(|_| id.is_none()).map(|open| Resolve {
                op: open.intent.op,
                how: Resolution::Absent,
                evidence: "a person resolved it".to_owned(),
                who: session.who(),
                address: address.clone(),
                changes_state: false,
                instance: run.instance(address),
            }));
            Ok(Proposal {
                edit: StateEdit::Resolve {
                    address: address.clone(),
                    found,
                    others_remain: resolutions.len() < open.len(),
                },
                question: "",
                addresses: Vec::new(),
                record: Record::Resolve(resolutions),
            })
        },
    )
    .await
}
