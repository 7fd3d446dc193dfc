//! Records as JSON, the payload of a frame.

#![expect(
    clippy::ref_option,
    reason = "the signatures that serde's `with` asks for"
)]

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use terrane_core::json_fault;

use super::Record;
use crate::file::v4;
use crate::model::{Instance, RawJson, State};

/// The payload of a record.
pub(crate) fn encode(record: &Record) -> Vec<u8> {
    serde_json::to_vec(record).expect("invariant: every record is serialisable")
}

/// The record of a payload; the message names the flaw.
pub(crate) fn decode(payload: &[u8]) -> Result<Record, String> {
    serde_json::from_slice(payload).map_err(|error| json_fault(&error))
}

/// For `#[serde(with)]`: what prints and parses as text.
pub(super) mod text {
    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// For `#[serde(with)]`: an address. Earlier versions quoted its keys as JSON does, and their journals are still read.
pub(super) mod address {
    use terrane_core::addr::InstanceAddr;

    use super::*;

    pub(crate) use super::text::serialize;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<InstanceAddr, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        InstanceAddr::parse_lenient(&text).map_err(D::Error::custom)
    }
}

/// For `#[serde(with)]`: the same where it may be missing.
pub(super) mod optional_text {
    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

/// For `#[serde(with)]`: a list of what prints and parses as text, where it may be missing.
pub(super) mod optional_texts {
    use super::*;

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<Vec<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let texts = value
            .as_ref()
            .map(|values| values.iter().map(T::to_string).collect::<Vec<_>>());
        texts.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Option::<Vec<String>>::deserialize(deserializer)?;
        texts
            .map(|texts| texts.iter().map(|text| text.parse()).collect())
            .transpose()
            .map_err(D::Error::custom)
    }
}

/// For `#[serde(with)]`: bytes as base64.
pub(super) mod optional_bytes {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Bytes>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value
            .as_ref()
            .map(|bytes| BASE64.encode(bytes))
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Bytes>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let bytes = text.map(|text| BASE64.decode(text).map(Bytes::from));
        bytes.transpose().map_err(D::Error::custom)
    }
}

/// For `#[serde(with)]`: an instance in the form files store its objects.
pub(super) mod instance {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Arc<Instance>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = value.as_ref().map(|instance| v4::write_instance(instance));
        text.map(raw_value::<S>).transpose()?.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Arc<Instance>>, D::Error> {
        let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
        let instance = raw.map(|raw| v4::read_instance(raw.get()).map(Arc::new));
        instance.transpose().map_err(D::Error::custom)
    }
}

/// For `#[serde(with)]`: a state as its file.
pub(super) mod state {
    use super::*;

    #[expect(
        clippy::borrowed_box,
        reason = "the signature that serde's `with` asks for"
    )]
    pub(crate) fn serialize<S: Serializer>(
        value: &Box<State>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = String::from_utf8(v4::write(value, v4::Layout::Compact));
        let text = text.expect("invariant: states are text");
        raw_value::<S>(text)?.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Box<State>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let state = v4::read(raw.get().as_bytes());
        state.map(Box::new).map_err(D::Error::custom)
    }
}

fn raw_value<S: Serializer>(text: String) -> Result<Box<RawValue>, S::Error> {
    RawValue::from_string(text).map_err(S::Error::custom)
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raw_value::<S>(self.to_string())?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_valid(raw.get()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use terrane_core::addr::InstanceAddr;

    use super::*;
    use crate::clock::Timestamp;
    use crate::journal::{Intent, IntentAction};

    #[test]
    fn a_record_of_an_earlier_version_which_quoted_keys_as_json_is_read() {
        let key = "home/${aws:username}\u{8}";
        let address: InstanceAddr = "t.x".parse().expect("an address");
        let intent = Intent::new(
            "0".repeat(32).parse().expect("an id"),
            address.resource.instance(Some(key.into())),
            IntentAction::Create,
            "provider[\"h.example/ns/t\"]".parse().expect("an address"),
            Timestamp::new(1_800_000_000, 0),
        );
        let record = Record::Intent(intent.into());
        let new = String::from_utf8(encode(&record)).expect("text");
        let (quoted, once) = (
            r#"t.x[\"home/$${aws:username}\\u0008\"]"#,
            r#"t.x[\"home/${aws:username}\\b\"]"#,
        );
        assert!(new.contains(quoted), "{new}");
        let old = new.replace(quoted, once);
        assert_eq!(decode(new.as_bytes()), Ok(record.clone()));
        assert_eq!(decode(old.as_bytes()), Ok(record));
    }
}
