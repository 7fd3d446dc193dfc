//! Lineage and serial: which history a state belongs to, and when one may replace another.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::State;
use crate::Random;

/// The name of a state's history, a UUID made once. Empty in hand-made files and before the first write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Lineage(Arc<str>);

impl Lineage {
    /// A new history.
    pub fn random(random: &dyn Random) -> Self {
        Self(random.uuid().into())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text in the file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Lineage {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a new state relates to the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Successor {
    /// The same state: nothing to write.
    Unchanged,
    /// A later one.
    Newer,
}

/// The state that is there must not be replaced by the other one (`state push`, migration).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WriteRefused {
    /// They belong to different histories.
    #[error("the stored state has lineage {stored}, the new one {new}")]
    OtherLineage {
        /// The stored lineage.
        stored: Lineage,
        /// The lineage of the new state.
        new: Lineage,
    },
    /// The stored state is newer.
    #[error("the stored state has serial {stored}, the new one only {new}")]
    OlderSerial {
        /// The stored serial.
        stored: u64,
        /// The serial of the new state.
        new: u64,
    },
    /// Both claim the same serial with different content.
    #[error("the stored state has the same serial {serial} and other content")]
    SameSerial {
        /// The serial of both.
        serial: u64,
    },
}

impl State {
    /// Whether `self` may be written over `stored` by a command that brings a whole state from elsewhere.
    ///
    /// # Errors
    /// When the lineages differ (unless one is empty or nothing is stored), the serial goes back, or it stays with other content.
    pub fn replaces(&self, stored: &Self) -> Result<Successor, WriteRefused> {
        let strangers = !self.lineage.is_empty()
            && !stored.lineage.is_empty()
            && self.lineage != stored.lineage;
        if stored.is_empty() && (strangers || self.serial < stored.serial) {
            return Ok(Successor::Newer);
        }
        if strangers {
            return Err(WriteRefused::OtherLineage {
                stored: stored.lineage.clone(),
                new: self.lineage.clone(),
            });
        }
        match self.serial.cmp(&stored.serial) {
            std::cmp::Ordering::Less => Err(WriteRefused::OlderSerial {
                stored: stored.serial,
                new: self.serial,
            }),
            std::cmp::Ordering::Greater => Ok(Successor::Newer),
            std::cmp::Ordering::Equal if self.same_content(stored) => Ok(Successor::Unchanged),
            std::cmp::Ordering::Equal => Err(WriteRefused::SameSerial {
                serial: self.serial,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OutputValue, RawJson};

    fn state(lineage: &str, serial: u64, output: &str) -> State {
        let mut state = State::new(lineage.into());
        state.serial = serial;
        if !output.is_empty() {
            let value = OutputValue {
                value: RawJson::string(output),
                ty: terrane_core::Type::String,
                sensitive: false,
                extra: std::sync::Arc::default(),
            };
            state.outputs.insert("x".into(), value);
        }
        state
    }

    #[test]
    fn a_state_is_replaced_only_by_a_later_one_of_its_own_history() {
        let stored = state("a", 5, "old");
        assert_eq!(state("a", 6, "new").replaces(&stored), Ok(Successor::Newer));
        assert_eq!(
            state("a", 5, "old").replaces(&stored),
            Ok(Successor::Unchanged)
        );
        assert_eq!(state("", 6, "new").replaces(&stored), Ok(Successor::Newer));
        assert!(matches!(
            state("b", 6, "new").replaces(&stored),
            Err(WriteRefused::OtherLineage { .. })
        ));
        assert!(matches!(
            state("a", 4, "new").replaces(&stored),
            Err(WriteRefused::OlderSerial { stored: 5, new: 4 })
        ));
        assert!(matches!(
            state("a", 5, "new").replaces(&stored),
            Err(WriteRefused::SameSerial { serial: 5 })
        ));
    }

    #[test]
    fn an_empty_state_gives_way_to_any() {
        assert_eq!(
            state("b", 1, "new").replaces(&state("a", 9, "")),
            Ok(Successor::Newer)
        );
    }
}
