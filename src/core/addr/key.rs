//! The key that tells the instances of one resource apart.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::quote::Quoted;
use crate::text::nfc;

/// An instance key: `[0]` or `["eu-west-1a"]`. The JSON type in the state decides which; `0` and `"0"` are different keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// A number, from 0 to [`InstanceKey::MAX_INT`].
    Int(u64),
    /// Any text, in normal form C; [`InstanceKey::string`] normalises.
    String(Arc<str>),
}

/// The number is larger than an instance key may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{}", Self::REASON)]
pub struct KeyTooLarge;

impl KeyTooLarge {
    pub(crate) const REASON: &'static str =
        "an integer key is at most 9007199254740992 (2^53), because Terraform reads it as a float";
}

impl InstanceKey {
    /// The largest number that a key can be: 2^53, up to which a float tells all integers apart.
    pub const MAX_INT: u64 = 1 << 53;

    /// A text key, normalised as cty normalises every text.
    pub fn string(key: impl AsRef<str>) -> Self {
        Self::String(nfc(key.as_ref()))
    }

    /// A number key.
    ///
    /// # Errors
    /// When it is larger than [`InstanceKey::MAX_INT`].
    pub fn int(index: u64) -> Result<Self, KeyTooLarge> {
        match index {
            0..=Self::MAX_INT => Ok(Self::Int(index)),
            _ => Err(KeyTooLarge),
        }
    }

    /// The same key, checked and normalised: a program may have made it from a variant alone.
    pub(crate) fn checked(self) -> Result<Self, KeyTooLarge> {
        match self {
            Self::Int(index) => Self::int(index),
            Self::String(key) => Ok(Self::String(nfc(key))),
        }
    }
}

impl fmt::Display for InstanceKey {
    /// With the brackets, as HCL writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(index) => write!(f, "[{index}]"),
            Self::String(key) => write!(f, "[{}]", Quoted(key)),
        }
    }
}

macro_rules! int_keys {
    ($($int:ty),*) => {
        $(impl From<$int> for InstanceKey {
            fn from(index: $int) -> Self {
                Self::Int(index.into())
            }
        })*
    };
}
int_keys!(u8, u16, u32, u64);

impl From<usize> for InstanceKey {
    fn from(index: usize) -> Self {
        // Lossless on every platform Rust has.
        Self::Int(index as u64)
    }
}

impl From<&str> for InstanceKey {
    fn from(key: &str) -> Self {
        Self::string(key)
    }
}

impl From<String> for InstanceKey {
    fn from(key: String) -> Self {
        Self::string(key)
    }
}

impl From<&String> for InstanceKey {
    fn from(key: &String) -> Self {
        Self::string(key)
    }
}
