//! `state resolve`: a person records the outcome of an unresolved operation.

use serde::Serialize;
use terrane_core::Diagnostic;
use terrane_core::addr::InstanceAddr;
use terrane_state::{IntentAction, Recorder as _, Resolution, Resolve};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::diff::Secrets;
use crate::view::state;
use crate::view::text::one_line;
use crate::workflow::edit::{Deed, Proposal, Unpushed, edit};
use crate::workflow::look_up::{Purpose, look_up};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// Whose operation is resolved.
    address: String,
    /// The id of the object that is in the state now; null when none exists.
    id: Option<String>,
}

/// Records which object exists, or that none does. The command itself is the confirmation.
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
            return Err(Diagnostic::error(format!("{address} has no unresolved operation")).into());
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
                let why = format!("{address} has no unresolved creation");
                return Err(Diagnostic::error(why)
                    .hint("run `refresh`: it recovers the others by reading")
                    .into());
            };
            let imported = look_up(session, run, address, id, Purpose::Resolve).await?;
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
            evidence: "a person resolved it".to_owned(),
            who: session.who(),
            address: address.clone(),
            changes_state: false,
            instance: run.instance(address),
        }));
        if !session.common.json {
            let name = one_line(&address.to_string());
            let left = open.len() - resolutions.len();
            match left {
                0 => session.streams.err(&format!("{name} is resolved\n")),
                _ => session.streams.err(&format!(
                    "the creation of {name} is resolved; other operations are not\n"
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
