//! A line of the ledger: one object was made, changed or deleted.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What happened to one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LedgerEntry {
    /// Counts from 1.
    pub(crate) sequence: u64,
    /// When, in UTC as RFC 3339 writes it.
    pub(crate) time: String,
    /// The operation.
    #[serde(rename = "op")]
    pub(crate) action: LedgerAction,
    /// The resource type.
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    /// The object's id.
    pub(crate) id: String,
}

/// What can be done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LedgerAction {
    /// It did not exist before.
    Create,
    /// It was changed in place.
    Update,
    /// It no longer exists.
    Delete,
}

/// A line of the file: the entry, and the object as it is afterwards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    #[serde(flatten)]
    pub(crate) entry: LedgerEntry,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<Box<RawValue>>,
}
