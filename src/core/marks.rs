//! A value together with the paths inside it that must not be shown.

use std::collections::BTreeSet;
use std::fmt;

use crate::value::{Path, Value};

/// A value and its sensitive paths. Marks never cross the wire; they are taken off before a call and put back after it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Marked {
    /// The value.
    pub value: Value,
    /// The sensitive parts; the root path means all of it.
    pub sensitive: BTreeSet<Path>,
}

impl Marked {
    /// A value with nothing sensitive in it.
    pub fn plain(value: Value) -> Self {
        Self {
            value,
            sensitive: BTreeSet::new(),
        }
    }

    /// A value that is sensitive as a whole.
    pub fn sensitive(value: Value) -> Self {
        Self {
            value,
            sensitive: BTreeSet::from([Path::root()]),
        }
    }

    /// Whether anything in it is sensitive.
    pub fn is_sensitive(&self) -> bool {
        !self.sensitive.is_empty()
    }
}

impl fmt::Debug for Marked {
    /// Never prints a value that has a mark.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() {
            f.write_str("(sensitive)")
        } else {
            self.value.fmt(f)
        }
    }
}

impl From<Value> for Marked {
    fn from(value: Value) -> Self {
        Self::plain(value)
    }
}
