//! Instances go from one state to another, while both are locked: each step is in one journal before the next begins.
//!
//! ```text
//! from  announced ─────────────► left ──────────────
//! to               arrived ─────────────► confirmed
//! ```
//!
//! A run that dies before `arrived` leaves everything as it was; after it, everything as it is to be, but for the state that they leave. That
//! one still announces them, so whoever opens it next looks into the other state and finishes: they have left if they arrived there, else
//! they stay. Neither is guessed: the mark `arrived` is one record with the instances, and stays until it is confirmed, whatever
//! happens to them there meanwhile.
//!
//! **Why not** the other order: instances that are taken out first are in no state when the run dies.

use std::collections::BTreeSet;

use terrane_core::addr::InstanceAddr;
use thiserror::Error;

use super::{Patience, RecordError, Recorder as _, Run, RunError, RunOptions};
use crate::backend::{BackendError, Backends};
use crate::crash::{self, Point};
use crate::edit::{HandOverRefused, forget, hand_over};
use crate::journal::{OperationId, Record, Transfer, TransferStep};

/// Which instances go, and between which states.
#[derive(Debug, Clone)]
pub struct TransferOrder {
    /// The state that they leave, as `--backend` takes it.
    pub from: String,
    /// The state that they go to, as `--backend` takes it.
    pub to: String,
    /// Their addresses.
    pub addresses: BTreeSet<InstanceAddr>,
}

/// Instances did not go to the other state.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// They cannot; nothing was done.
    #[error(transparent)]
    Refused(#[from] HandOverRefused),
    /// A step could not be recorded. The next run of either stack finishes it or leaves everything as it was.
    #[error(transparent)]
    Unrecorded(#[from] RecordError),
}

/// How a transfer ended that an earlier run had begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEnd {
    /// The instances are in the other state alone.
    Left,
    /// They stay: they never arrived in the other state.
    Stayed,
}

/// Moves instances from the state of one run to that of another. Both hold their locks.
///
/// # Errors
/// When the instances cannot be moved, or a step could not be recorded.
pub async fn transfer(from: &Run, to: &Run, order: &TransferOrder) -> Result<(), TransferError> {
    let plan = hand_over(&from.state(), &to.state(), &order.addresses)?;
    let announced = Transfer {
        id: OperationId::random(&*from.random).to_string(),
        step: TransferStep::Announced,
        other: order.to.clone(),
        addresses: order.addresses.iter().map(ToString::to_string).collect(),
        change: None,
        who: from.process.who.clone(),
        at: from.holding.clock.now(),
    };
    from.note(announced.clone()).await?;
    crash::reach(Point::TransferAnnounced).await;
    let arrived = Transfer {
        step: TransferStep::Arrived,
        other: order.from.clone(),
        change: Some(plan.arriving),
        ..announced.clone()
    };
    to.note(arrived.clone()).await?;
    crash::reach(Point::TransferArrived).await;
    let left = Transfer {
        step: TransferStep::Left,
        change: Some(plan.leaving.change),
        ..announced
    };
    from.note(left).await?;
    crash::reach(Point::TransferLeft).await;
    to.confirm(arrived).await?;
    crash::reach(Point::TransferConfirmed).await;
    Ok(())
}

/// Finishes a transfer that an earlier run announced in the state of `from`. Both hold their locks, so no earlier run can still add to
/// either journal.
///
/// # Errors
/// When a step could not be recorded.
pub(super) async fn finish_transfer(
    from: &Run,
    to: &Run,
    announced: &Transfer,
) -> Result<TransferEnd, RecordError> {
    let arrived = to.transfers().into_iter();
    let mut arrived = arrived.filter(|one| one.step == TransferStep::Arrived);
    let Some(arrived) = arrived.find(|one| one.id == announced.id) else {
        let withdrawn = Transfer {
            step: TransferStep::Withdrawn,
            ..announced.clone()
        };
        from.note(withdrawn).await?;
        return Ok(TransferEnd::Stayed);
    };
    let addresses = announced.addresses.iter();
    let addresses = addresses
        .filter_map(|address| address.parse().ok())
        .collect();
    let left = Transfer {
        step: TransferStep::Left,
        change: Some(forget(&from.state(), &addresses).change),
        ..announced.clone()
    };
    from.note(left).await?;
    to.confirm(arrived).await?;
    Ok(TransferEnd::Left)
}

/// Finishes every transfer that earlier runs announced in a state that is opened now, under the locks of both states. Due before anything
/// is planned or edited. `options` are those of the run.
///
/// # Errors
/// When the other state cannot be opened, or a step could not be recorded.
pub async fn finish_transfers(
    run: &Run,
    backends: &Backends,
    options: &RunOptions,
    patience: &dyn Patience,
) -> Result<Vec<(Transfer, TransferEnd)>, RunError> {
    let announced = run.transfers().into_iter();
    let announced = announced.filter(|one| one.step == TransferStep::Announced);
    let mut finished = Vec::new();
    for transfer in announced {
        let unfinished = |source: RunError| RunError::Underway {
            place: run.place(),
            other: transfer.other.clone(),
            source: source.into(),
        };
        let clock = run.holding.clock.clone();
        let location = backends
            .parse(&transfer.other)
            .map_err(|error| BackendError::store("find", &*transfer.other, error));
        let location = location.map_err(|error| unfinished(error.into()))?;
        let backend = location.address().connect(clock.clone()).await;
        let backend = backend.map_err(|error| unfinished(error.into()))?;
        let random = run.random.clone();
        let opened = Run::open(backend, options.clone(), clock, random, patience).await;
        let (other, _) = opened.map_err(unfinished)?;
        let end = finish_transfer(run, &other, &transfer).await;
        other.close().await.map_err(unfinished)?;
        finished.push((transfer.clone(), end?));
    }
    Ok(finished)
}

impl Run {
    /// The transfers that are not done yet: instances that this state announces, and those that arrived here.
    pub fn transfers(&self) -> Vec<Transfer> {
        self.now().transfers.values().cloned().collect()
    }

    async fn confirm(&self, arrived: Transfer) -> Result<(), RecordError> {
        self.note(Transfer {
            step: TransferStep::Confirmed,
            change: None,
            ..arrived
        })
        .await
    }

    /// Records a step, and changes the state with it.
    async fn note(&self, transfer: Transfer) -> Result<(), RecordError> {
        let number = {
            let mut now = self.now();
            if let Some(change) = &transfer.change {
                change.apply(&mut now.state);
            }
            let number = self
                .writer
                .enqueue(&Record::Transfer(transfer.clone().into()));
            now.telling = Some(number);
            let (id, step) = (transfer.id.clone(), transfer.step);
            match step.is_open() {
                true => now.transfers.insert(
                    id,
                    Transfer {
                        change: None,
                        ..transfer
                    },
                ),
                false => now.transfers.remove(&id),
            };
            number
        };
        self.writer.durable(number).await
    }
}
