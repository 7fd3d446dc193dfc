//! A run's hold on the state: records, checkpoints, recovery.

mod recorder;

pub use recorder::{MemoryRecorder, RecordError, Recorder};
