//! Named places at which a test lets a run die. Without the feature `crash-points` they are empty.
//!
//! A simulation installs a `Hook`, which decides at each place; a real process is armed with one place and one kind of death by
//! `arm`. Engine, runs and stores only call [`reach`] (or [`reach_blocking`] where they may block).

#[cfg(feature = "crash-points")]
mod armed;

#[cfg(feature = "crash-points")]
pub use armed::{Fate, Hook, InvalidCrash, arm, install};

/// Where a place lies, and so which kind of run passes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// In the run or the engine, whatever the store.
    Run,
    /// In the store of local files.
    Local,
    /// In the store in S3.
    S3,
    /// Between the records of a move to another state.
    Transfer,
}

macro_rules! points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal, $layer:ident;)+) => {
        /// A place between two effects that others can see.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Point {
            $($(#[doc = $doc])+ $point,)+
        }

        impl Point {
            /// All of them: the tests must pass each.
            pub const ALL: &[Self] = &[$(Self::$point),+];

            /// Its name: `intent.durable`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }

            /// Where it lies.
            pub const fn layer(self) -> Layer {
                match self {
                    $(Self::$point => Layer::$layer,)+
                }
            }
        }
    };
}

points! {
    /// Nothing was asked of the store.
    LockBefore = "lock.before", Run;
    /// The lock is ours; nothing was read.
    LockTaken = "lock.taken", Run;
    /// State and journal were read.
    StateRead = "state.read", Run;
    /// The journal of a run that did not end was sealed.
    Sealed = "recovery.sealed", Run;
    /// The results in that run's journal are in a snapshot of ours.
    Replayed = "recovery.replayed", Run;
    /// The journal before ours was forgotten.
    RecoveryTrimmed = "recovery.trimmed", Run;
    /// The run is open.
    Opened = "run.opened", Run;
    /// How an open operation ended is about to be recorded.
    ResolveBefore = "resolve.before", Run;
    /// How an open operation ended is recorded.
    Resolved = "resolve.durable", Run;
    /// The changes are planned.
    Planned = "plan.made", Run;
    /// The old object was set aside, in memory.
    Deposed = "object.deposed", Run;
    /// An operation is about to be recorded.
    IntentBefore = "intent.before", Run;
    /// An operation is recorded; nothing was asked.
    IntentDurable = "intent.durable", Run;
    /// The provider answered.
    Replied = "reply.received", Run;
    /// Its answer is about to be recorded.
    ResultBefore = "result.before", Run;
    /// Its answer is recorded; "done" was not said.
    ResultDurable = "result.durable", Run;
    /// A segment of the journal is about to be stored.
    SegmentBefore = "segment.before", Run;
    /// It is stored, and not acknowledged yet.
    SegmentStored = "segment.stored", Run;
    /// A snapshot is announced in the journal.
    CheckpointAnnounced = "checkpoint.announced", Run;
    /// The snapshot is stored.
    CheckpointStored = "checkpoint.stored", Run;
    /// The run knows that it is.
    CheckpointNoted = "checkpoint.noted", Run;
    /// The journal has its end.
    Closed = "close.durable", Run;
    /// The journal before its end was forgotten.
    CloseTrimmed = "close.trimmed", Run;
    /// The lock is about to be given back.
    UnlockBefore = "unlock.before", Run;
    /// The lock is given back.
    Unlocked = "unlock.done", Run;

    /// Instances are announced in the state that they leave.
    TransferAnnounced = "transfer.announced", Transfer;
    /// They are in both states.
    TransferArrived = "transfer.arrived", Transfer;
    /// They have left; the other state still has its mark.
    TransferLeft = "transfer.left", Transfer;
    /// Both journals have the end of it.
    TransferConfirmed = "transfer.confirmed", Transfer;

    /// A new file is on the disk under a temporary name.
    FileWritten = "local.file.written", Local;
    /// It has its name; the directory was not synced.
    FileRenamed = "local.file.renamed", Local;
    /// A segment was appended and not synced.
    SegmentUnsynced = "local.segment.unsynced", Local;
    /// The lock is ours, and its description is not written yet.
    LockUndescribed = "local.lock.undescribed", Local;
    /// The description of the lock's holder is gone; the lock is still ours.
    LockDescriptionGone = "local.unlock.undescribed", Local;

    /// The lockfile is ours, the item is not.
    HalfLocked = "s3.lock.half", S3;
    /// The state is stored, its digest is not.
    DigestBefore = "s3.digest.before", S3;
    /// The digest is stored.
    DigestStored = "s3.digest.stored", S3;
    /// Epochs that ended keep their last place by an empty object; their segments are still there.
    TombstonesLaid = "s3.trim.tombstones", S3;
    /// The item is free, the lockfile is not.
    HalfUnlocked = "s3.unlock.half", S3;
}

/// Passes a place. A test may let the run end there: then this never returns.
#[inline]
pub async fn reach(point: Point) {
    #[cfg(feature = "crash-points")]
    armed::reach(point).await;
    #[cfg(not(feature = "crash-points"))]
    let _ = point;
}

/// The same where it may block, on a thread that is not the run's: only a process of its own can be let die there.
#[inline]
pub fn reach_blocking(point: Point) {
    #[cfg(feature = "crash-points")]
    armed::reach_blocking(point);
    #[cfg(not(feature = "crash-points"))]
    let _ = point;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_place_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Point::ALL.len());
    }
}
