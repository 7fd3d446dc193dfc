//! The key that tells the instances of one resource apart.

use std::fmt;
use std::sync::Arc;

/// An instance key: `[0]` or `["eu-west-1a"]`. The JSON type in the state decides which; `0` and `"0"` are different keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// A number, from 0.
    Int(u64),
    /// Any text.
    String(Arc<str>),
}

impl fmt::Display for InstanceKey {
    /// With the brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(index) => write!(f, "[{index}]"),
            Self::String(key) => write!(f, "[{}]", serde_json::Value::from(&**key)),
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
        Self::String(key.into())
    }
}

impl From<String> for InstanceKey {
    fn from(key: String) -> Self {
        Self::String(key.into())
    }
}

impl From<&String> for InstanceKey {
    fn from(key: &String) -> Self {
        Self::String(key.as_str().into())
    }
}
