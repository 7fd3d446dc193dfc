//! `state mv`: objects get another address in the state.

use terrane_core::Diagnostic;
use terrane_state::Recorder as _;
use terrane_state::edit::{RelocationRefused, StateAddr, TypeChange, relocate};

use crate::args::Yes;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::StateEdit;
use crate::workflow::edit::{Proposal, Record, Unpushed, edit, not_there};

pub(super) async fn run(
    session: &Session<'_>,
    addresses: &[StateAddr],
    yes: Yes,
) -> Result<Exit, CommandError> {
    let [from, to] = addresses else {
        let refused = Diagnostic::error("`state mv` takes the present address and the new one")
            .hint("`state mv FROM TO`; to another stack: `state mv --to BACKEND ADDR…`");
        return Err(CommandError::usage(refused));
    };
    edit(session, yes.into(), Unpushed::Refused, async |run| {
        let state = &run.state();
        let edit =
            relocate(state, from, to, TypeChange::Refused).map_err(|refused| match refused {
                RelocationRefused::NothingThere => not_there(state, &from.to_string()),
                refused => Diagnostic::error(format!("cannot move {from} to {to}"))
                    .detail(refused.to_string()),
            })?;
        let ends = edit.subjects.iter();
        let ends = ends.flat_map(|moved| [moved.from.clone(), moved.to.clone()]);
        Ok(Proposal {
            question: "Move them?",
            addresses: ends.collect(),
            edit: StateEdit::Move {
                moved: edit.subjects,
                dependents: edit.dependents,
            },
            record: Record::Change(edit.change),
        })
    })
    .await
}
