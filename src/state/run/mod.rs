//! A run's hold on the state: records, checkpoints, recovery.

mod carry;
mod checkpoint;
mod close;
mod error;
mod find;
mod hold;
mod journaled;
mod open;
mod process;
mod recorder;
mod repair;
mod rescue;
mod restore;
pub mod survey;
mod transfer;

pub use close::Closed;
pub use error::{Failure, RunError};
pub use hold::Patience;
pub use journaled::Run;
pub use open::{Recovered, RunOptions};
pub use process::Liveness;
pub use recorder::{MemoryRecorder, RecordError, Recorder};
pub use repair::Repair;
pub use rescue::{Kept, Origin, Rescued};
pub use restore::Restore;
pub use transfer::{TransferEnd, TransferError, TransferOrder, finish_transfers, transfer};

#[cfg(test)]
mod tests;
