//! One remote object as the state remembers it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use terrane_core::Path;
use terrane_core::addr::ConfigAddr;
use thiserror::Error;

use super::{ExtraMembers, RawJson};

/// One stored object: its attributes as text, and the facts that the engine must remember about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Whether it is whole.
    pub status: ObjectStatus,
    /// Version of the resource type's schema that the attributes were written with; 0 for data resources.
    pub schema_version: u64,
    /// The attributes; never decoded here.
    pub attributes: Attributes,
    /// Which parts of the attributes are secret.
    pub sensitive_attributes: SensitiveAttributes,
    /// The provider's own bytes, opaque.
    pub private: Bytes,
    /// What this object was made from: config addresses, sorted. Transitive in files that Terraform or OpenTofu wrote.
    pub dependencies: Arc<[ConfigAddr]>,
    /// Whether its replacement is made before it is destroyed.
    pub create_before_destroy: bool,
    /// OpenTofu's: forget instead of destroying.
    pub skip_destroy: bool,
    /// The provider's identity of the object, where it has one.
    pub identity: Option<Identity>,
    /// Members that a newer writer added, in their order.
    pub extra: ExtraMembers,
}

/// Whether an object is whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ObjectStatus {
    /// As its provider left it.
    #[default]
    Ready,
    /// Its creation failed halfway: it is replaced by the next run.
    Tainted,
}

/// Attributes of an object in the form they were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attributes {
    /// An object, as every current writer stores it.
    Json(RawJson),
    /// The flat map of strings from before Terraform 0.12 (`attributes_flat`).
    Flat(RawJson),
}

impl Attributes {
    /// The text, whichever form it has.
    pub fn raw(&self) -> &RawJson {
        match self {
            Self::Json(raw) | Self::Flat(raw) => raw,
        }
    }
}

/// Paths of the secret parts of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SensitiveAttributes {
    /// The paths that are understood.
    pub paths: Arc<BTreeSet<Path>>,
    /// Entries in a form that is not known here; written back as they were.
    pub unrecognised: Arc<[RawJson]>,
}

impl FromIterator<Path> for SensitiveAttributes {
    fn from_iter<I: IntoIterator<Item = Path>>(paths: I) -> Self {
        Self {
            paths: Arc::new(paths.into_iter().collect()),
            unrecognised: Arc::default(),
        }
    }
}

/// A provider's identity of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The identity object.
    pub json: RawJson,
    /// Version of the identity schema it was written with.
    pub schema_version: u64,
}

impl Object {
    /// The `id` attribute, which almost every object has.
    pub fn id(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Id {
            id: Option<String>,
        }
        serde_json::from_str::<Id>(self.attributes.raw().as_str())
            .ok()?
            .id
    }

    /// A whole object with nothing but attributes and their schema version.
    pub fn new(schema_version: u64, attributes: RawJson) -> Self {
        Self {
            status: ObjectStatus::Ready,
            schema_version,
            attributes: Attributes::Json(attributes),
            sensitive_attributes: SensitiveAttributes::default(),
            private: Bytes::new(),
            dependencies: Arc::default(),
            create_before_destroy: false,
            skip_destroy: false,
            identity: None,
            extra: Arc::default(),
        }
    }
}

/// Names one deposed object of an instance: eight lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeposedKey(u32);

/// The text is not a deposed key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a deposed key (eight lower-case hexadecimal digits)")]
#[non_exhaustive]
pub struct InvalidDeposedKey {
    /// The text.
    pub text: String,
}

impl DeposedKey {
    /// The key with those bits; draw them at random and take another when the instance has it already.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

impl fmt::Display for DeposedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for DeposedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeposedKey({self})")
    }
}

impl FromStr for DeposedKey {
    type Err = InvalidDeposedKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = text.len() == 8
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let bits = u32::from_str_radix(text, 16).ok().filter(|_| valid);
        bits.map(Self).ok_or_else(|| InvalidDeposedKey {
            text: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deposed_keys_round_trip_and_nothing_else_is_one() {
        let key: DeposedKey = "00fe12ab".parse().expect("a key");
        assert_eq!(key.to_string(), "00fe12ab");
        for text in [
            "",
            "fe12ab",
            "00FE12AB",
            "+0fe12ab",
            "00fe12ab0",
            "00fe12a\u{e9}",
        ] {
            assert!(text.parse::<DeposedKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_attribute() {
        let raw = RawJson::new(r#"{"password":"hunter2"}"#).expect("JSON");
        assert!(!format!("{:?}", Object::new(0, raw)).contains("hunter2"));
    }
}
