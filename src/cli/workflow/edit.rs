//! What the commands that change the state share: lock, look, show, ask, record, unlock.

use std::time::Instant;

use serde::Serialize;
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
use crate::view::{outputs, summary};

/// What a command would do to the state as it is under the lock.
pub(crate) struct Proposal<R> {
    /// Shown to people before they are asked.
    pub(crate) text: String,
    /// What they are asked.
    pub(crate) question: &'static str,
    /// Where nothing may be in doubt.
    pub(crate) addresses: Vec<InstanceAddr>,
    /// Does it.
    pub(crate) deed: Deed,
    /// What `--json` prints when it is done, beside the serial.
    pub(crate) report: R,
}

/// What is recorded.
pub(crate) enum Deed {
    /// A change of the state.
    Change(Change),
    /// How operations ended that nobody else saw the end of.
    Settle(Vec<Resolve>),
    /// An object that exists is taken over.
    Import(Box<Imported>),
}

impl Deed {
    /// Whether there is anything to ask for.
    fn makes_a_difference(&self, state: &State) -> bool {
        match self {
            Self::Change(change) => change.changes(state),
            Self::Settle(resolutions) => !resolutions.is_empty(),
            Self::Import(_) => true,
        }
    }

    async fn record(self, session: &Session<'_>, run: &Run) -> Result<(), CommandError> {
        let resolutions = match self {
            Self::Settle(resolutions) => resolutions,
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
                    true => settled_by_content(session, run),
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

/// What `--json` prints.
#[derive(Serialize)]
pub(crate) struct Done<R> {
    #[serde(flatten)]
    pub(crate) report: R,
    /// The serial of the state that is stored now.
    pub(crate) serial: u64,
}

/// Whether a state may be changed that lacks what an earlier run of this machine did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpushed {
    /// That has to be stored first.
    Refused,
    /// This command stores it.
    Welcome,
}

/// Does what `propose` says, once somebody agreed.
pub(crate) async fn edit<R: Serialize>(
    session: &Session<'_>,
    yes: bool,
    unpushed: Unpushed,
    propose: impl AsyncFnOnce(&Run) -> Result<Proposal<R>, CommandError>,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    let confirmation = Confirmation::from(yes);
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
            let recorded = proposal.deed.record(session, &run).await;
            recorded.map(|()| proposal.report)
        }
        Err(error) => Err(error),
    };
    let closed = run.close().await.map_err(|error| run_error(&error));
    let (report, closed) = match (agreed, closed) {
        (Ok(report), Ok(closed)) => (report, closed),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error),
        (Err(error), Err(worse)) => {
            let diagnostics = error.diagnostics.into_iter().chain(worse.diagnostics);
            return Err(CommandError {
                exit: worse.exit,
                diagnostics: diagnostics.collect(),
            });
        }
    };
    if session.common.json {
        let serial = closed.serial;
        session
            .streams
            .out(outputs::to_line(&Done { report, serial }));
    } else {
        let text = summary::closed(&closed, session.took(started));
        session.streams.err(&format!("\n{text}\n"));
    }
    Ok(Exit::DONE)
}

/// Looks, shows and asks.
async fn agree<R>(
    session: &Session<'_>,
    run: &Run,
    confirmation: Confirmation,
    signals: &Signals,
    propose: impl AsyncFnOnce(&Run) -> Result<Proposal<R>, CommandError>,
) -> Result<Proposal<R>, CommandError> {
    let proposal = propose(run).await?;
    refuse_in_doubt(&run.open_intents(), &proposal.addresses)?;
    if !session.common.json {
        session.streams.out(proposal.text.as_str());
    }
    if proposal.deed.makes_a_difference(&run.state()) {
        confirmation
            .obtain(session, signals, proposal.question)
            .await?;
    }
    Ok(proposal)
}

/// A whole state that somebody stores is their answer to what was in doubt, as far as it has one: a creation whose object it does not
/// have stays open.
fn settled_by_content(session: &Session<'_>, run: &Run) -> Vec<Resolve> {
    let settled = |open: OpenIntent| {
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
            evidence: "it is so in the state that was pushed".to_owned(),
            who: session.who(),
            address: intent.address,
            changes_state: false,
            instance,
        })
    };
    let open = run.open_intents().into_iter();
    open.filter_map(settled).collect()
}

/// An operation whose end nobody saw is settled under the address it was begun with.
fn refuse_in_doubt(open: &[OpenIntent], addresses: &[InstanceAddr]) -> Result<(), CommandError> {
    let diagnostics: Diagnostics = open
        .iter()
        .filter(|open| addresses.contains(&open.intent.address))
        .map(|open| {
            let address = &open.intent.address;
            Diagnostic::error(format!("{address} has an unresolved operation"))
                .detail(request_text(open))
                .address(address)
                .hint("settle that first: `up` does, or says how")
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
        None => missing.hint("`state list` prints what is"),
    }
}
