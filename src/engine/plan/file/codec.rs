//! Small things as JSON.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// What prints and parses as text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// For `#[serde(with)]`: the same where a public type holds it.
pub(super) mod text {
    use super::*;

    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        Text::deserialize(deserializer).map(|text| text.0)
    }
}

/// For `#[serde(with)]`: bytes as base64.
pub(super) mod base64_text {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &Bytes,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        BASE64.encode(bytes).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Bytes, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let bytes = BASE64.decode(text.as_bytes()).map_err(D::Error::custom)?;
        Ok(bytes.into())
    }
}

/// For `#[serde(with)]`: the values that decided what was declared.
pub(super) mod values {
    use terrane_core::KnownValues;
    use terrane_core::addr::{InstanceAddr, ModuleAddr};
    use terrane_core::value::saved::SavedValue;

    use super::super::form::SavedMarked;
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Saved {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        modules: Vec<(Text<ModuleAddr>, SavedValue)>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        objects: Vec<(Text<InstanceAddr>, SavedMarked)>,
    }

    pub(in super::super) fn serialize<S: Serializer>(
        values: &KnownValues,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let modules = values.modules();
        let objects = values.objects();
        Saved {
            modules: modules
                .map(|(module, value)| (Text(module.clone()), SavedValue(value.clone())))
                .collect(),
            objects: objects
                .map(|(address, object)| (Text(address.clone()), object.into()))
                .collect(),
        }
        .serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<KnownValues, D::Error> {
        let saved = Saved::deserialize(deserializer)?;
        let mut values = KnownValues::default();
        for (module, value) in saved.modules {
            values.add_module(module.0, value.0);
        }
        for (address, object) in saved.objects {
            values.add_object(address.0, object.into());
        }
        Ok(values)
    }
}
