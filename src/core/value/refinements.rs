//! Refinements of an unknown value: hints that providers send and that may always be dropped.

use std::sync::Arc;

use super::Number;

/// Facts about a value that is not known yet (go-cty's refinements, extension 12 on the wire).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refinements {
    /// `Some(false)`: the value will not be null. `Some(true)`: it will be.
    pub null: Option<bool>,
    /// The string will start with this.
    pub prefix: Option<Arc<str>>,
    /// The number will not be below this.
    pub lower: Option<Bound>,
    /// The number will not be above this.
    pub upper: Option<Bound>,
    /// The collection will have at least this many elements.
    pub min_length: Option<u64>,
    /// The collection will have at most this many elements.
    pub max_length: Option<u64>,
}

/// One end of a number range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The end itself.
    pub number: Number,
    /// Whether the end belongs to the range.
    pub inclusive: bool,
}

impl Refinements {
    /// Whether nothing at all is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
