//! The write-ahead log of operations beside the snapshot.

mod record;

pub use record::{
    Change, Checkpoint, CheckpointPhase, Intent, IntentAction, Open, OperationId, OperationResult,
    Outcome, ParseOperationIdError, ProcessIdentity, Record, Resolution, Resolve, Seal,
};
