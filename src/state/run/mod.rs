//! A run's hold on the state: records, checkpoints, recovery.

mod error;
mod journaled;
mod open;
mod process;
mod recorder;
mod repair;
mod rescue;
mod restore;
pub mod survey;

pub use error::{Failure, RunError};
pub use journaled::{Closed, Kept, Run};
pub use open::{Patience, Recovered, RunOptions};
pub use process::Liveness;
pub use recorder::{MemoryRecorder, RecordError, Recorder};
pub use repair::Repair;
pub use rescue::{Origin, Rescued};
pub use restore::Restore;

#[cfg(test)]
mod tests;
