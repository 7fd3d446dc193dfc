//! The write-ahead log of operations beside the snapshot.

mod codec;
pub(crate) mod frame;
mod log;
mod record;
mod writer;

pub(crate) use codec::encode;
pub use log::{JournalError, OpenIntent};
pub(crate) use log::{Log, Pending};
pub use record::{
    Change, Checkpoint, CheckpointPhase, Intent, IntentAction, Open, OperationId, OperationResult,
    Outcome, ParseOperationIdError, PlanUse, ProcessIdentity, Record, Resolution, Resolve, Seal,
};
pub(crate) use writer::Writer;
