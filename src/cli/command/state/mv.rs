//! `state mv`: the same objects under another address.

use serde::Serialize;
use terrane_core::Diagnostic;
use terrane_state::Recorder as _;
use terrane_state::edit::{Place, RelocationRefused, relocate};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::edit as view;
use crate::workflow::edit::{Deed, Proposal, Unpushed, edit, not_there};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// Every instance that moved.
    moved: Vec<Moved>,
    /// Other instances whose stored dependencies followed.
    dependents: Vec<String>,
}

#[derive(Serialize)]
struct Moved {
    from: String,
    to: String,
}

pub(super) async fn run(
    session: &Session<'_>,
    from: &Place,
    to: &Place,
    yes: bool,
) -> Result<Exit, CommandError> {
    edit(session, yes, Unpushed::Refused, async |run| {
        let state = &run.state();
        let edit = relocate(state, from, to).map_err(|refused| match refused {
            RelocationRefused::NothingThere => not_there(state, &from.to_string()),
            refused => {
                Diagnostic::error(format!("cannot move {from} to {to}")).detail(refused.to_string())
            }
        })?;
        let moved = edit.subjects.iter().map(|moved| Moved {
            from: moved.from.to_string(),
            to: moved.to.to_string(),
        });
        let ends = edit.subjects.iter();
        Ok(Proposal {
            text: view::moved(&edit, state, session.out_painter()),
            question: "Move them?",
            addresses: ends
                .flat_map(|moved| [moved.from.clone(), moved.to.clone()])
                .collect(),
            report: Report {
                moved: moved.collect(),
                dependents: edit.dependents.iter().map(ToString::to_string).collect(),
            },
            deed: Deed::Change(edit.change),
        })
    })
    .await
}
