//! The state in memory: instances by address, every object as the bytes that were stored.

mod json;
mod lineage;
mod object;
mod snapshot;

pub use json::{ExtraMembers, InvalidJson, RawJson};
pub use lineage::{Lineage, Successor, WriteRefused};
pub use object::{
    Attributes, DeposedKey, Identity, InvalidDeposedKey, Object, ObjectStatus, SensitiveAttributes,
};
pub use snapshot::{Instance, OutputValue, State};
