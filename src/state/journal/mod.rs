//! The write-ahead log of operations beside the snapshot.

mod codec;
pub(crate) mod frame;
mod log;
mod record;
mod writer;

pub(crate) use codec::encode;
pub(crate) use frame::MAX_JOURNAL;
pub use log::{Damage, JournalError, OpenIntent};
pub(crate) use log::{Log, Pending};
pub use record::{
    Change, Checkpoint, CheckpointPhase, ErrorClass, Intent, IntentAction, Open, OperationId,
    OperationOutcome, OperationResult, ParseOperationIdError, PlanUse, ProcessIdentity, Record,
    Resolution, Resolve, Seal, Trim,
};
pub(crate) use writer::Writer;
