//! The MessagePack form of values, driven by their types: what travels in a `DynamicValue`.
//!
//! One pass in each direction and no tree between: encoding appends to one buffer, decoding reads slices of the message. The
//! format is go-cty's, proved against vectors that go-cty made (`tests/conformance/vectors`).

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use std::fmt;

use terrane_core::{Path, PathStep};

pub use decode::decode;
pub use encode::encode;

/// The extension type of an unknown value with refinements.
const REFINED: i8 = 12;

/// Keys of the map in a refined unknown.
mod refinement {
    pub(super) const NULL: i64 = 1;
    pub(super) const PREFIX: i64 = 2;
    pub(super) const LOWER: i64 = 3;
    pub(super) const UPPER: i64 = 4;
    pub(super) const MIN_LENGTH: i64 = 5;
    pub(super) const MAX_LENGTH: i64 = 6;
}

/// A value does not fit its type, or bytes are no value of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MsgpackError {
    /// Where, from the root of the value.
    pub path: Path,
    /// The fault.
    pub reason: String,
}

impl fmt::Display for MsgpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() {
            f.write_str(&self.reason)
        } else {
            write!(f, "{}: {}", self.path, self.reason)
        }
    }
}

impl std::error::Error for MsgpackError {}

/// An error on its way out: the steps are gathered innermost first, so that the way in costs nothing.
struct Trouble {
    steps: Vec<PathStep>,
    reason: String,
}

impl Trouble {
    #[cold]
    fn new(reason: impl Into<String>) -> Self {
        Self {
            steps: Vec::new(),
            reason: reason.into(),
        }
    }

    #[cold]
    fn inside(mut self, step: PathStep) -> Self {
        self.steps.push(step);
        self
    }
}

impl From<Trouble> for MsgpackError {
    fn from(trouble: Trouble) -> Self {
        Self {
            path: trouble.steps.into_iter().rev().collect(),
            reason: trouble.reason,
        }
    }
}
