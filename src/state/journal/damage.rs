//! The damage of a journal, and how a message tells it.

use std::fmt;

use thiserror::Error;

use super::{Intent, OpenIntent};
use crate::clock::Timestamp;

/// The journal cannot be used; an integrity refusal (exit code 7).
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A record is unreadable or missing.
    #[error("{0}")]
    Damaged(Box<Damage>),
}

/// The damage of a journal, and the records that can still be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Damage {
    /// The epoch of the last whole record before the damage.
    pub epoch: u64,
    /// The number that the damaged or missing record would have.
    pub number: u64,
    /// The reason.
    pub reason: String,
    /// How many whole records lie before it.
    pub before: usize,
    /// How many can be read behind it.
    pub behind: usize,
    /// The latest time that a record tells.
    pub last_known: Option<Timestamp>,
    /// Unresolved operations, as far as they can be read.
    pub open: Vec<OpenIntent>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; ", self.reason)?;
        match self.before {
            0 => f.write_str("no record before that can be read")?,
            1 => f.write_str("1 record before that is whole")?,
            before => write!(f, "{before} records before that are whole")?,
        }
        if self.behind > 0 {
            write!(f, ", {} behind it can be read", self.behind)?;
        }
        f.write_str("; unresolved operations: ")?;
        if self.open.is_empty() {
            return f.write_str("none that can be read");
        }
        for (n, open) in self.open.iter().take(SHOWN).enumerate() {
            let separator = if n > 0 { ", " } else { "" };
            let Intent {
                action, address, ..
            } = &open.intent;
            write!(f, "{separator}{action} {address}")?;
        }
        match self.open.len() {
            0..=SHOWN => Ok(()),
            many => write!(f, " and {} more", many - SHOWN),
        }
    }
}

/// How many operations a message names.
const SHOWN: usize = 10;
