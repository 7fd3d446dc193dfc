//! `state mv --to`: objects go to the state of another stack, under the locks of both.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostic, Diagnostics, closest};
use terrane_state::edit::{StateAddr, hand_over};
use terrane_state::{
    BackendConfig, Change, Operation, Recorder as _, Run, State, TransferError, TransferOrder,
    transfer,
};

use crate::args::Yes;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, quoted_if_needed, run_error};
use crate::signals::Signals;
use crate::view::StateEdit;
use crate::view::printable::one_line;
use crate::workflow::confirmation::Confirmation;
use crate::workflow::edit::{not_there, refuse_unresolved};
use crate::workflow::proof::{Side, prove};

pub(super) async fn run(
    session: &Session<'_>,
    addresses: &[StateAddr],
    (to, unproven): (&str, bool),
    yes: Yes,
) -> Result<Exit, CommandError> {
    let started = Instant::now();
    let confirmation = Confirmation::from(yes);
    confirmation.check_possible(session)?;
    let sibling = session.sibling(to);
    let there = match &sibling {
        Some(sibling) => sibling.location()?,
        None => elsewhere(session, to)?,
    };
    let here = session.location()?;
    if here.address().identity() == there.address().identity() {
        let refused = Diagnostic::error("both states are the same")
            .hint("to move within a state, leave `--to` out: `state mv FROM TO`");
        return Err(CommandError::usage(refused));
    }
    let (from, other) = open_both(session, &here, &there).await?;
    let signals = Signals::listening(session.streams.clone());
    let order = Order {
        session,
        sibling: sibling.as_ref(),
        runs: (&from, &other),
        places: (&here, &there),
        addresses,
        unproven,
    };
    let work = hand(&order, confirmation, &signals);
    let moved = tokio::select! {
        moved = work => moved,
        lost = from.keep_alive() => Err(run_error(&lost.into())),
        lost = other.keep_alive() => Err(run_error(&lost.into())),
    };
    // The state that has them now is stored first.
    let stored = other.close().await.map_err(|error| run_error(&error));
    let closed = from.close().await.map_err(|error| run_error(&error));
    let (edit, closed) = match (moved, stored, closed) {
        (Ok(edit), Ok(_), Ok(closed)) => (edit, closed),
        (moved, stored, closed) => {
            let errors = [moved.err(), stored.err(), closed.err()];
            let errors = errors.into_iter().flatten();
            let whole = errors.reduce(CommandError::and);
            return Err(whole.expect("invariant: one of them failed"));
        }
    };
    session
        .view()
        .recorded(&edit, &closed, session.took(started));
    if sibling.is_none() {
        session.note(&format!(
            "the other stack has them now; its `preview` shows whether it would change anything, at {}\n",
            quoted_if_needed(to)
        ));
    }
    Ok(Exit::DONE)
}

/// The state of another program's stack.
fn elsewhere(session: &Session<'_>, to: &str) -> Result<BackendConfig, CommandError> {
    let close = closest(to, session.siblings());
    if let Some(close) = close.filter(|_| !to.contains("://") && !Path::new(to).exists()) {
        let slip = Diagnostic::error(format!("there is no stack `{}`", one_line(to)));
        return Err(CommandError::usage(
            slip.hint(format!("did you mean `--to {close}`?")),
        ));
    }
    session.parse_location(to)
}

/// Which instances go, and between which stacks.
struct Order<'a> {
    session: &'a Session<'a>,
    /// The other stack, where it is one of this program.
    sibling: Option<&'a Session<'a>>,
    runs: (&'a Run, &'a Run),
    places: (&'a BackendConfig, &'a BackendConfig),
    addresses: &'a [StateAddr],
    unproven: bool,
}

/// Takes both locks, always in the same order: two commands that move in opposite directions do not wait for each other.
async fn open_both(
    session: &Session<'_>,
    here: &BackendConfig,
    there: &BackendConfig,
) -> Result<(Run, Run), CommandError> {
    let own = async || Ok::<_, CommandError>(session.open(Operation::State).await?.0);
    let is_first = here.address().identity() < there.address().identity();
    let first = match is_first {
        true => own().await?,
        false => session.open_other(there).await?,
    };
    let second = match is_first {
        true => session.open_other(there).await,
        false => own().await,
    };
    match (second, is_first) {
        (Ok(second), true) => Ok((first, second)),
        (Ok(second), false) => Ok((second, first)),
        (Err(error), _) => {
            let closed = first.close().await.map_err(|unclosed| run_error(&unclosed));
            Err(match closed {
                Ok(_) => error,
                Err(unclosed) => error.and(unclosed),
            })
        }
    }
}

/// Looks, shows, asks and moves.
async fn hand(
    order: &Order<'_>,
    confirmation: Confirmation,
    signals: &Signals,
) -> Result<StateEdit, CommandError> {
    let Order {
        session,
        sibling,
        runs: (from, other),
        places: (here, there),
        addresses,
        unproven,
    } = *order;
    let (state, others) = (from.state(), other.state());
    let instances = named(&state, addresses)?;
    refuse_declared(session, &instances)?;
    let all: Vec<InstanceAddr> = instances.iter().cloned().collect();
    refuse_unresolved(&from.open_intents(), &all)?;
    refuse_unresolved(&other.open_intents(), &all)?;
    let plan = hand_over(&state, &others, &instances).map_err(|refused| {
        let to = there.to_string();
        Diagnostic::error(format!("cannot move them to {to}"))
            .detail(refused.to_string())
            .hint("give that one another address in the other state, or take it out there; nothing was changed")
    })?;
    let edit = StateEdit::HandOver {
        moved: all,
        to: there.to_string(),
        dependents: plan.leaving.dependents,
    };
    let (leaving, arriving) = (plan.leaving.change, plan.arriving);
    session.view().proposed(&edit, &state);
    if !unproven {
        let side = |session, before: State, change: &Change| {
            let mut after = before.clone();
            change.apply(&mut after);
            Side {
                session,
                before,
                after,
            }
        };
        let own = side(session, state, &leaving);
        let theirs = sibling.map(|sibling| side(sibling, others, &arriving));
        let sides = [own].into_iter().chain(theirs).collect();
        prove(sides, &instances, signals).await?;
    }
    confirmation.obtain(session, signals, "Move them?").await?;
    let order = TransferOrder {
        from: here.address().absolute(),
        to: there.address().absolute(),
        addresses: instances,
    };
    let moved = transfer(from, other, &order).await;
    moved.map_err(|error| match error {
        TransferError::Unrecorded(error) => run_error(&error.into()).and(
            Diagnostic::error("the move was interrupted")
                .hint("the next command that locks this state finishes it")
                .into(),
        ),
        refused => Diagnostic::error(refused.to_string()).into(),
    })?;
    Ok(edit)
}

/// The instances at those addresses.
fn named(state: &State, addresses: &[StateAddr]) -> Result<BTreeSet<InstanceAddr>, CommandError> {
    let mut found = BTreeSet::new();
    let mut unknown = Diagnostics::new();
    for address in addresses {
        let is_there = |instance: &&InstanceAddr| match address {
            StateAddr::Module(module) => module.contains(&instance.resource.module),
            StateAddr::Instance(one) if one.key.is_none() => one.resource == instance.resource,
            StateAddr::Instance(one) => one == *instance,
        };
        let mut there = state.resources.keys().filter(is_there).cloned().peekable();
        if there.peek().is_none() {
            unknown.push(not_there(state, &address.to_string()));
        }
        found.extend(there);
    }
    match unknown.is_empty() {
        true => Ok(found),
        false => Err(unknown.into()),
    }
}

/// The program must have let them go: what it still declares it would make again with the next `up`.
fn refuse_declared(
    session: &Session<'_>,
    instances: &BTreeSet<InstanceAddr>,
) -> Result<(), CommandError> {
    let program = session.declared()?;
    let program = program.whole()?;
    let declared = instances.iter().filter_map(|address| {
        let position = program.position(address)?;
        let line = program.resources()[position].location;
        let refused = Diagnostic::error(format!(
            "the program of this stack still declares {address}"
        ));
        Some(
            refused
                .detail("the next `up` would make it again")
                .address(address)
                .location(line)
                .hint("move the declaration to the program of the other stack first"),
        )
    });
    let declared: Diagnostics = declared.collect();
    match declared.is_empty() {
        true => Ok(()),
        false => Err(declared.into()),
    }
}
