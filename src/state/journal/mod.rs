//! The write-ahead log of operations beside the snapshot.

mod codec;
mod damage;
pub(crate) mod frame;
mod log;
mod past;
mod record;
mod writer;

pub(crate) use codec::encode;
pub use damage::{Damage, JournalError};
pub(crate) use frame::MAX_JOURNAL;
pub use log::OpenIntent;
pub(crate) use log::{Log, Pending};
#[cfg(test)]
pub(crate) use past::MOST_RUNS;
pub(crate) use past::remember;
pub use past::{PastRun, Tally};
pub use record::{
    Change, Checkpoint, CheckpointPhase, ErrorClass, Intent, IntentAction, Open, OperationId,
    OperationOutcome, OperationResult, ParseOperationIdError, PlanUse, ProcessIdentity, Record,
    Resolution, Resolve, Seal, Transfer, TransferStep, Trim,
};
pub(crate) use writer::Writer;
