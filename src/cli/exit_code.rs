//! Exit codes: the only numbers a stack program ends with, as scripts and CI rely on them.

use std::fmt;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// Done; with `--detailed-exitcode`: there is nothing to change.
    pub const DONE: Self = Self(0);
    /// Failed; everything that did happen is recorded.
    pub const FAILED: Self = Self(1);
    /// `--detailed-exitcode`: there are changes. Nothing else uses 2.
    pub const CHANGES: Self = Self(2);
    /// Recorded, but an operation whose outcome is unknown waits for a person.
    pub const UNRESOLVED: Self = Self(3);
    /// Locked by another run.
    pub const LOCKED: Self = Self(4);
    /// The state could not be written; a recovery record is at the printed path.
    pub const STATE_UNWRITTEN: Self = Self(5);
    /// Fenced: the lock was lost and this run stopped.
    pub const FENCED: Self = Self(6);
    /// Refused: foreign or damaged state, stale plan, tampered provider.
    pub const REFUSED: Self = Self(7);
    /// Interrupted, recorded, unlocked.
    pub const INTERRUPTED: Self = Self(8);
    /// Refused by policy or `--deny`.
    pub const DENIED: Self = Self(9);
    /// Wrong usage or wrong configuration.
    pub const USAGE: Self = Self(64);
    /// A second SIGINT: left at once, journal complete.
    pub const KILLED_BY_INTERRUPT: Self = Self(130);
    /// A second signal after a SIGTERM: left at once, journal complete.
    pub const KILLED_BY_TERMINATE: Self = Self(143);

    /// The number.
    pub fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.0.into()
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
