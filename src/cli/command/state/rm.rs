//! `state rm`: instances leave the state, their objects stay.

use std::collections::BTreeSet;

use terrane_core::Diagnostics;
use terrane_core::addr::{InstanceAddr, Pattern};
use terrane_state::Recorder as _;
use terrane_state::edit::forget;

use crate::args::Yes;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::StateEdit;
use crate::workflow::edit::{Proposal, Record, Unpushed, edit, not_there};

pub(super) async fn run(
    session: &Session<'_>,
    patterns: &[Pattern],
    yes: Yes,
) -> Result<Exit, CommandError> {
    edit(session, yes.into(), Unpushed::Refused, async |run| {
        let state = &run.state();
        let mut addresses: BTreeSet<InstanceAddr> = BTreeSet::new();
        let mut unknown = Diagnostics::new();
        for pattern in patterns {
            let pattern = pattern.among(state.resources.keys());
            let named = state.resources.keys().filter(|a| pattern.matches(a));
            let mut named = named.cloned().peekable();
            if named.peek().is_none() {
                unknown.push(not_there(state, &pattern.to_string()));
            }
            addresses.extend(named);
        }
        if !unknown.is_empty() {
            return Err(unknown.into());
        }
        let edit = forget(state, &addresses);
        Ok(Proposal {
            question: "Forget them?",
            addresses: edit.subjects.clone(),
            edit: StateEdit::Remove {
                removed: edit.subjects,
                dependents: edit.dependents,
            },
            record: Record::Change(edit.change),
        })
    })
    .await
}
