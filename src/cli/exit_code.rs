//! Exit codes: the only numbers a stack program ends with, as scripts and CI rely on them.

use std::fmt;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// Done; with `--detailed-exitcode`: there are no changes.
    pub const DONE: Self = Self(0);
    /// Failed; every finished operation is recorded.
    pub const FAILED: Self = Self(1);
    /// `--detailed-exitcode`: there are changes. Nothing else uses 2.
    pub const CHANGES: Self = Self(2);
    /// Recorded, but an operation whose outcome is unknown waits for a person.
    pub const UNRESOLVED: Self = Self(3);
    /// Locked by another run.
    pub const LOCKED: Self = Self(4);
    /// The state could not be written; its results are at the printed path.
    pub const STATE_UNWRITTEN: Self = Self(5);
    /// Fenced: the lock was lost and this run stopped.
    pub const FENCED: Self = Self(6);
    /// Refused: foreign or damaged state, stale plan, tampered provider.
    pub const REFUSED: Self = Self(7);
    /// Interrupted, recorded, unlocked.
    pub const INTERRUPTED: Self = Self(8);
    /// Refused by a policy, by `--deny`, or because it would fail half-way.
    pub const DENIED: Self = Self(9);
    /// Wrong usage or wrong configuration.
    pub const USAGE: Self = Self(64);
    /// A second SIGINT: exited at once, journal complete.
    pub const KILLED_BY_INTERRUPT: Self = Self(130);
    /// A second signal after a SIGTERM: exited at once, journal complete.
    pub const KILLED_BY_TERMINATE: Self = Self(143);

    /// Every code, the better before the worse.
    const WORST_LAST: [Self; 13] = [
        Self::DONE,
        Self::CHANGES,
        Self::USAGE,
        Self::DENIED,
        Self::LOCKED,
        Self::FAILED,
        Self::UNRESOLVED,
        Self::REFUSED,
        Self::INTERRUPTED,
        Self::FENCED,
        Self::STATE_UNWRITTEN,
        Self::KILLED_BY_TERMINATE,
        Self::KILLED_BY_INTERRUPT,
    ];

    /// The worse of two ends of one command, which a person has to know first.
    pub(crate) fn worse_of(self, other: Self) -> Self {
        let rank = |exit| Self::WORST_LAST.iter().position(|&known| known == exit);
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }

    /// Whether the command did everything that it was asked to do.
    pub(crate) fn is_success(self) -> bool {
        self == Self::DONE || self == Self::CHANGES
    }

    /// The code after delivery of the output: only a success can get worse.
    pub(crate) fn with_delivery(self, delivery: Self) -> Self {
        if self.is_success() {
            self.worse_of(delivery)
        } else {
            self
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_of_two_ends_decides_in_either_order() {
        let table = [
            (Exit::DONE, Exit::DONE, Exit::DONE),
            (Exit::DONE, Exit::CHANGES, Exit::CHANGES),
            (Exit::DONE, Exit::FAILED, Exit::FAILED),
            (Exit::CHANGES, Exit::DENIED, Exit::DENIED),
            (Exit::DONE, Exit::UNRESOLVED, Exit::UNRESOLVED),
            // A failed operation can be tried again; an unresolved one waits for a person.
            (Exit::FAILED, Exit::UNRESOLVED, Exit::UNRESOLVED),
            // Operations that end early after an interrupt fail only in form.
            (Exit::FAILED, Exit::INTERRUPTED, Exit::INTERRUPTED),
            (Exit::UNRESOLVED, Exit::INTERRUPTED, Exit::INTERRUPTED),
            (Exit::DENIED, Exit::FAILED, Exit::FAILED),
            (Exit::LOCKED, Exit::FAILED, Exit::FAILED),
            (Exit::REFUSED, Exit::UNRESOLVED, Exit::REFUSED),
            // Results that are stored nowhere come before everything else.
            (Exit::INTERRUPTED, Exit::FENCED, Exit::FENCED),
            (
                Exit::INTERRUPTED,
                Exit::STATE_UNWRITTEN,
                Exit::STATE_UNWRITTEN,
            ),
            (Exit::FENCED, Exit::STATE_UNWRITTEN, Exit::STATE_UNWRITTEN),
            (Exit::REFUSED, Exit::STATE_UNWRITTEN, Exit::STATE_UNWRITTEN),
        ];
        for (one, other, worse) in table {
            assert_eq!(one.worse_of(other), worse, "{one} and {other}");
            assert_eq!(other.worse_of(one), worse, "{other} and {one}");
        }
    }

    #[test]
    fn every_code_has_a_rank_and_is_its_own_worst() {
        for exit in Exit::WORST_LAST {
            assert_eq!(exit.worse_of(exit), exit);
            assert_eq!(exit.worse_of(Exit::DONE), exit);
        }
    }

    #[test]
    fn incomplete_output_makes_a_success_a_failure_and_hides_no_failure() {
        assert_eq!(Exit::DONE.with_delivery(Exit::FAILED), Exit::FAILED);
        assert_eq!(
            Exit::CHANGES.with_delivery(Exit::INTERRUPTED),
            Exit::INTERRUPTED
        );
        assert_eq!(Exit::LOCKED.with_delivery(Exit::FAILED), Exit::LOCKED);
        assert_eq!(Exit::FAILED.with_delivery(Exit::INTERRUPTED), Exit::FAILED);
    }
}
