//! An edit of the state, as the commands that change it share it: lock, look, show, ask, record, unlock.

use std::time::Instant;

use terrane_core::addr::{InstanceAddr, ModuleAddr};
use terrane_core::{Diagnostic, Diagnostics, closest};
use terrane_engine::Imported;
use terrane_state::{
    Change, IntentAction, OpenIntent, Operation, Recorder as _, Resolution, Resolve, Run, State,
};

use super::confirmation::Confirmation;
use super::plan::say_recovered;
use super::unresolved::request_text;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, run_error};
use crate::signals::Signals;
use crate::view::StateEdit;

/// An edit of the state as it is under the lock.
pub(crate) struct Proposal {
    /// The edit as it is shown before the confirmation and reported afterwards.
    pub(crate) edit: StateEdit,
    /// The question that they confirm.
    pub(crate) question: &'static str,
    /// Where no operation may be unresolved.
    pub(crate) addresses: Vec<InstanceAddr>,
    /// Does it.
    pub(crate) record: Record,
}

/// The records of an edit.
pub(crate) enum Record {
    /// A change of the state.
    Change(Change),
    /// The outcomes of unresolved operations.
    Resolve(Vec<Resolve>),
    /// An existing object.
    Import(Box<Imported>),
}

impl Record {
    /// Whether there is anything to confirm.
    fn makes_a_difference(&self, state: &State) -> bool {
        match self {
            Self::Change(change) => change.changes(state),
            Self::Resolve(resolutions) => !resolutions.is_empty(),
            Self::Import(_) => true,
        }
    }

    async fn write(self, session: &Session<'_>, run: &Run) -> Result<(), CommandError> {
        let resolutions = match self {
            Self::Resolve(resolutions) => resolutions,
            Self::Import(imported) => {
                let (intent, result) = imported.records();
                let recorded = run.intent(intent).await;
                recorded.map_err(|error| run_error(&error.into()))?;
                let recorded = run.result(result).await;
                return recorded.map_err(|error| run_error(&error.into()));
            }
            Self::Change(change) => {
                let is_whole = matches!(change, Change::State(_));
                run.change(change);
                match is_whole {
                    true => resolved_by_content(session, run),
                    false => Vec::new(),
                }
            }
        };
        for resolve in resolutions {
            let resolved = run.resolve(resolve).await;
            resolved.map_err(|error| run_error(&error.into()))?;
        }
        Ok(())
    }
}

/// Whether a state may be changed that lacks results of an earlier run on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpushed {
    /// They have to be stored first.
    Refused,
    /// This command stores them.
    Welcome,
}

/// Makes the edit that `propose` returns, once it is confirmed.
pub(crate) async fn edit(
    session: &Session<'_>,
    confirmation: Confirmation,
    unpushed: Unpushed,
    propose: impl AsyncFnOnce(&Run) -> Result<Proposal, CommandError>,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    confirmation.check_possible(session)?;
    let (run, recovered) = match unpushed {
        Unpushed::Refused => session.open(Operation::State).await?,
        Unpushed::Welcome => session.open_to_push(Operation::State).await?,
    };
    say_recovered(session, &recovered);
    let signals = Signals::listening(session.streams.clone());
    let agreed = tokio::select! {
        agreed = agree(session, &run, confirmation, &signals, propose) => agreed,
        lost = run.keep_alive() => Err(run_error(&lost.into())),
    };
    let agreed = match agreed {
        Ok(proposal) => {
            let written = proposal.record.write(session, &run).await;
            written.map(|()| proposal.edit)
        }
        Err(error) => Err(error),
    };
    let closed = run.close().await.map_err(|error| run_error(&error));
    match (agreed, closed) {
        (Ok(edit), Ok(closed)) => {
            let took = session.took(started);
            session.view().recorded(&edit, &closed, took);
            Ok(Exit::DONE)
        }
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(error), Err(unclosed)) => Err(error.and(unclosed)),
    }
}

/// Looks, shows and asks.
async fn agree(
    session: &Session<'_>,
    run: &Run,
    confirmation: Confirmation,
    signals: &Signals,
    propose: impl AsyncFnOnce(&Run) -> Result<Proposal, CommandError>,
) -> Result<Proposal, CommandError> {
    let proposal = propose(run).await?;
    refuse_unresolved(&run.open_intents(), &proposal.addresses)?;
    let before = run.state();
    session.view().proposed(&proposal.edit, &before);
    if proposal.record.makes_a_difference(&before) {
        confirmation
            .obtain(session, signals, proposal.question)
            .await?;
    }
    Ok(proposal)
}

/// A whole state that a person stores resolves the operations that it has an object for. A creation whose object it lacks stays
/// unresolved.
fn resolved_by_content(session: &Session<'_>, run: &Run) -> Vec<Resolve> {
    let resolved = |open: OpenIntent| {
        let intent = open.intent;
        let instance = run.instance(&intent.address);
        let object = instance.as_ref().and_then(|instance| match intent.deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(&key),
        });
        let how = match (intent.action, object) {
            (IntentAction::Create | IntentAction::Import, None) => return None,
            (IntentAction::Create | IntentAction::Import, Some(object)) => Resolution::Adopted {
                id: object.id().unwrap_or_default(),
            },
            (IntentAction::Update | IntentAction::Delete, Some(_)) => Resolution::Refreshed,
            (IntentAction::Update | IntentAction::Delete, None) => Resolution::Deleted,
        };
        Some(Resolve {
            op: intent.op,
            how,
            evidence: "the pushed state says so".to_owned(),
            who: session.who(),
            address: intent.address,
            changes_state: false,
            instance,
        })
    };
    let open = run.open_intents().into_iter();
    open.filter_map(resolved).collect()
}

/// An unresolved operation is resolved under the address that it was begun with.
pub(crate) fn refuse_unresolved(
    open: &[OpenIntent],
    addresses: &[InstanceAddr],
) -> Result<(), CommandError> {
    let diagnostics: Diagnostics = open
        .iter()
        .filter(|open| addresses.contains(&open.intent.address))
        .map(|open| {
            let address = &open.intent.address;
            Diagnostic::error(format!("{address} has an unresolved operation"))
                .detail(request_text(open))
                .address(address)
                .hint("run `up` first: it recovers the operation, or says how to resolve it")
        })
        .collect();
    match diagnostics.is_empty() {
        true => Ok(()),
        false => Err(CommandError {
            exit: Exit::UNRESOLVED,
            diagnostics,
        }),
    }
}

/// Nothing in the state has that address; perhaps something has one like it.
pub(crate) fn not_there(state: &State, address: &str) -> Diagnostic {
    let mut known: Vec<String> = Vec::new();
    for instance in state.resources.keys() {
        known.push(instance.to_string());
        known.push(instance.resource.to_string());
        let steps = instance.resource.module.steps();
        for depth in 1..=steps.len() {
            let module: ModuleAddr = steps[..depth].iter().cloned().collect();
            known.push(module.to_string());
        }
    }
    let missing = Diagnostic::error(format!("{address} is not in the state"));
    match closest(address, known.iter().map(String::as_str)) {
        Some(close) => missing.hint(format!("did you mean `{close}`?")),
        None => missing.hint("`state list` prints the addresses that are"),
    }
}
