//! `state resolve`: answers to what a run could not know.

use serde::Serialize;
use terrane_core::Diagnostic;
use terrane_core::addr::InstanceAddr;
use terrane_state::{IntentAction, Recorder as _, Resolution, Resolve};

use super::edit::{Deed, Proposal, Unpushed, edit};
use crate::command::import::{Asked, look_up};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::diff::Secrets;
use crate::view::state;
use crate::view::text::one_line;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// What is no longer in doubt.
    address: String,
    /// The object that is in the state now; none when nothing was made.
    id: Option<String>,
}

/// Records what somebody who looked says: which object was made, or that none was. Saying it is the yes.
pub(super) async fn run(
    session: &Session<'_>,
    address: &InstanceAddr,
    id: Option<String>,
) -> Result<Exit, CommandError> {
    edit(session, true, Unpushed::Refused, async |run| {
        let open: Vec<_> = run
            .open_intents()
            .into_iter()
            .filter(|open| open.intent.address == *address)
            .collect();
        if open.is_empty() {
            return Err(Diagnostic::error(format!("nothing is in doubt at {address}")).into());
        }
        let mut text = String::new();
        let mut report = Report {
            address: address.to_string(),
            id: None,
        };
        let mut resolutions = Vec::with_capacity(open.len());
        let creation = open
            .iter()
            .find(|open| open.intent.action == IntentAction::Create);
        if let Some(id) = &id {
            let Some(creation) = creation else {
                let why = format!("no creation is in doubt at {address}");
                return Err(Diagnostic::error(why)
                    .hint("run `refresh`: reading settles the rest")
                    .into());
            };
            let imported = look_up(session, run, address, id, Asked::Resolve).await?;
            let painter = session.out_painter();
            text = state::instance(address, &imported.instance, Secrets::Hidden, painter);
            report.id = Some(imported.id.clone());
            resolutions.push(imported.resolve(creation, session.who()));
        }
        let settled: Vec<_> = resolutions
            .iter()
            .map(|resolve: &Resolve| resolve.op)
            .collect();
        let rest = open
            .iter()
            .filter(|open| !settled.contains(&open.intent.op));
        resolutions.extend(rest.filter(|_| id.is_none()).map(|open| Resolve {
            op: open.intent.op,
            how: Resolution::Absent,
            evidence: "a person looked".to_owned(),
            who: session.who(),
            address: address.clone(),
            changes_state: false,
            instance: run.instance(address),
        }));
        if !session.common.json {
            let name = one_line(&address.to_string());
            let left = open.len() - resolutions.len();
            match left {
                0 => session
                    .streams
                    .err(&format!("{name} is not in doubt any more\n")),
                _ => session.streams.err(&format!(
                    "the creation of {name} is not in doubt any more\n"
                )),
            }
        }
        Ok(Proposal {
            text,
            question: "",
            addresses: Vec::new(),
            report,
            deed: Deed::Settle(resolutions),
        })
    })
    .await
}
