//! The action that a plan takes on an object.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The operation planned for an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Make it.
    Create,
    /// Read a data source during apply, because its configuration is not known before.
    Read,
    /// Change it in place.
    Update,
    /// Replace it; the old object goes first.
    DeleteThenCreate,
    /// Replace it; the new object comes first.
    CreateThenDelete,
    /// Destroy it.
    Delete,
    /// Take it out of the state and leave it in the world.
    Forget,
}

impl Action {
    /// What it does to the object, in one word.
    pub fn verb(self) -> &'static str {
        match self {
            Self::NoOp => "keep",
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::DeleteThenCreate | Self::CreateThenDelete => "replace",
            Self::Delete => "delete",
            Self::Forget => "forget",
        }
    }

    /// Whether this is one of the two ways to replace.
    pub fn is_replace(self) -> bool {
        matches!(self, Self::DeleteThenCreate | Self::CreateThenDelete)
    }

    /// Whether an existing object goes.
    pub fn destroys(self) -> bool {
        self.is_replace() || self == Self::Delete
    }
}

impl fmt::Display for Action {
    /// As a noun, for sentences: `an update`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoOp => "no change",
            Self::Create => "a creation",
            Self::Read => "a read",
            Self::Update => "an update",
            Self::DeleteThenCreate | Self::CreateThenDelete => "a replacement",
            Self::Delete => "a deletion",
            Self::Forget => "to forget it",
        })
    }
}
