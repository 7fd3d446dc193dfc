//! `state replace-provider`: objects get another provider.

use terrane_core::Diagnostic;
use terrane_state::edit::{ProviderPattern, replace_provider};
use terrane_state::{Recorder as _, State};

use crate::args::Yes;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::view::StateEdit;
use crate::workflow::edit::{Proposal, Record, Unpushed, edit};

pub(super) async fn run(
    session: &Session<'_>,
    from: &ProviderPattern,
    to: &ProviderPattern,
    yes: Yes,
) -> Result<Exit, CommandError> {
    edit(session, yes.into(), Unpushed::Refused, async |run| {
        let state = &run.state();
        let edit = replace_provider(state, from, to);
        if edit.subjects.is_empty() {
            return Err(nothing_of(state, from).into());
        }
        Ok(Proposal {
            question: "Replace the provider?",
            addresses: edit.subjects.clone(),
            edit: StateEdit::ReplaceProvider {
                replaced: edit.subjects,
                from: from.clone(),
                to: to.clone(),
            },
            record: Record::Change(edit.change),
        })
    })
    .await
}

fn nothing_of(state: &State, from: &ProviderPattern) -> Diagnostic {
    let mut sources: Vec<String> = state
        .resources
        .values()
        .map(|instance| instance.provider.source.to_string())
        .collect();
    sources.sort_unstable();
    sources.dedup();
    let nothing = Diagnostic::error(format!("nothing in the state is of the provider {from}"));
    match sources.is_empty() {
        true => nothing.detail("the state is empty"),
        false => nothing.detail(format!("it names {}", sources.join(", "))),
    }
}
