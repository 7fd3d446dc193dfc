//! The types of the provider protocol, and their JSON form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use thiserror::Error;

use crate::go_json;
use crate::text::nfc;

/// A type of cty's system, as schemas and dynamic values write it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// Unicode text.
    String,
    /// A number of any precision.
    Number,
    /// A truth value.
    Bool,
    /// Any type; the value brings its own.
    Dynamic,
    /// A sequence of one type.
    List(Arc<Self>),
    /// Distinct elements of one type.
    Set(Arc<Self>),
    /// String keys to values of one type.
    Map(Arc<Self>),
    /// A sequence with a type for each place.
    Tuple(Arc<[Self]>),
    /// Named members with a type each.
    Object(Arc<ObjectType>),
}

/// The members of an object type.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ObjectType {
    /// Every attribute and its type, by name.
    pub attributes: BTreeMap<Arc<str>, Type>,
    /// Attributes that may be left out when converting to this type; only in schemas, never in values.
    pub optional: BTreeSet<Arc<str>>,
}

/// The bytes are not a type in JSON form.
#[derive(Debug, Error)]
#[error("invalid type `{text}`")]
#[non_exhaustive]
pub struct ParseTypeError {
    /// The text, shortened.
    pub text: String,
    /// The JSON reader's message.
    #[source]
    pub source: serde_json::Error,
}

impl Type {
    /// A list of that element type.
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// A set of that element type.
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    /// A map to that element type.
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    /// An object with those attributes, none optional.
    pub fn object<K: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Object(Arc::new(ObjectType {
            attributes: (attributes.into_iter())
                .map(|(name, ty)| (nfc(name.into()), ty))
                .collect(),
            optional: BTreeSet::new(),
        }))
    }

    /// Reads the JSON form, for example `["list","string"]`.
    ///
    /// # Errors
    /// When the bytes are not JSON or not a type.
    pub fn from_json(json: &[u8]) -> Result<Self, ParseTypeError> {
        serde_json::from_slice(json).map_err(|source| ParseTypeError {
            text: String::from_utf8_lossy(json).chars().take(120).collect(),
            source,
        })
    }

    /// The JSON form, as cty writes it.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string(self).expect("invariant: a type is always serialisable");
        go_json::escaped(&json).into_owned()
    }

    /// Whether "dynamic" occurs anywhere in the type.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Self::Dynamic => true,
            Self::String | Self::Number | Self::Bool => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.has_dynamic(),
            Self::Tuple(elements) => elements.iter().any(Self::has_dynamic),
            Self::Object(object) => object.attributes.values().any(Self::has_dynamic),
        }
    }

    /// The same type with no attribute of an object optional: the type of values, not of conversions.
    #[must_use]
    pub fn without_optional(&self) -> Self {
        match self {
            Self::String | Self::Number | Self::Bool | Self::Dynamic => self.clone(),
            Self::List(element) => Self::list(element.without_optional()),
            Self::Set(element) => Self::set(element.without_optional()),
            Self::Map(element) => Self::map(element.without_optional()),
            Self::Tuple(elements) => {
                Self::Tuple(elements.iter().map(Self::without_optional).collect())
            }
            Self::Object(object) => {
                let attributes = object.attributes.iter();
                Self::object(attributes.map(|(name, ty)| (name.clone(), ty.without_optional())))
            }
        }
    }
}

impl fmt::Debug for Type {
    /// As a person reads it: `list(string)`, `object({a: number})`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("string"),
            Self::Number => f.write_str("number"),
            Self::Bool => f.write_str("bool"),
            Self::Dynamic => f.write_str("any"),
            Self::List(element) => write!(f, "list({element:?})"),
            Self::Set(element) => write!(f, "set({element:?})"),
            Self::Map(element) => write!(f, "map({element:?})"),
            Self::Tuple(elements) => {
                f.write_str("tuple(")?;
                f.debug_list().entries(elements.iter()).finish()?;
                f.write_str(")")
            }
            Self::Object(object) => {
                f.write_str("object({")?;
                for (place, (name, ty)) in object.attributes.iter().enumerate() {
                    let separator = if place == 0 { "" } else { ", " };
                    write!(f, "{separator}{name}: {ty:?}")?;
                }
                f.write_str("})")
            }
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Serialize for Type {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::String => serializer.serialize_str("string"),
            Self::Number => serializer.serialize_str("number"),
            Self::Bool => serializer.serialize_str("bool"),
            Self::Dynamic => serializer.serialize_str("dynamic"),
            Self::List(element) => ("list", element).serialize(serializer),
            Self::Set(element) => ("set", element).serialize(serializer),
            Self::Map(element) => ("map", element).serialize(serializer),
            Self::Tuple(elements) => ("tuple", elements).serialize(serializer),
            Self::Object(object) if object.optional.is_empty() => {
                ("object", &object.attributes).serialize(serializer)
            }
            Self::Object(object) => {
                ("object", &object.attributes, &object.optional).serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TypeVisitor;

        impl<'de> Visitor<'de> for TypeVisitor {
            type Value = Type;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a type such as \"string\" or [\"list\", \"string\"]")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Type, E> {
                match name {
                    "string" => Ok(Type::String),
                    "number" => Ok(Type::Number),
                    "bool" => Ok(Type::Bool),
                    "dynamic" => Ok(Type::Dynamic),
                    _ => Err(E::custom(format!("unknown type `{name}`"))),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Type, A::Error> {
                let missing = |what| de::Error::custom(format!("missing {what}"));
                let kind: String = seq.next_element()?.ok_or_else(|| missing("type name"))?;
                let argument = || missing("element type");
                let ty = match kind.as_str() {
                    "list" => Type::List(seq.next_element()?.ok_or_else(argument)?),
                    "set" => Type::Set(seq.next_element()?.ok_or_else(argument)?),
                    "map" => Type::Map(seq.next_element()?.ok_or_else(argument)?),
                    "tuple" => Type::Tuple(seq.next_element()?.ok_or_else(argument)?),
                    "object" => {
                        let attributes: BTreeMap<Arc<str>, Type> =
                            seq.next_element()?.ok_or_else(|| missing("attributes"))?;
                        let optional: BTreeSet<Arc<str>> = seq.next_element()?.unwrap_or_default();
                        Type::Object(Arc::new(ObjectType {
                            attributes: (attributes.into_iter())
                                .map(|(name, ty)| (nfc(name), ty))
                                .collect(),
                            optional: optional.into_iter().map(nfc).collect(),
                        }))
                    }
                    _ => return Err(de::Error::custom(format!("unknown type `{kind}`"))),
                };
                match seq.next_element::<de::IgnoredAny>()? {
                    None => Ok(ty),
                    Some(_) => Err(de::Error::custom("too many parts in a type")),
                }
            }
        }

        deserializer.deserialize_any(TypeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_round_trips() {
        for json in [
            r#""string""#,
            r#""dynamic""#,
            r#"["list","number"]"#,
            r#"["map",["set","bool"]]"#,
            r#"["tuple",["string","number"]]"#,
            r#"["object",{"a":"string","b":["list","dynamic"]}]"#,
            r#"["object",{"a":"string"},["a"]]"#,
        ] {
            let ty = Type::from_json(json.as_bytes()).expect("a type");
            assert_eq!(ty.to_json(), json);
        }
    }

    #[test]
    fn names_of_attributes_are_escaped_as_go_does_and_normalised_as_keys_are() {
        let ty = Type::object([("<e\u{301}>", Type::String)]);
        let json = "[\"object\",{\"\\u003c\u{e9}\\u003e\":\"string\"}]";
        assert_eq!(ty.to_json(), json);
        assert_eq!(Type::from_json(json.as_bytes()).expect("a type"), ty);
        let decomposed = json.replace('\u{e9}', "e\u{301}");
        assert_eq!(Type::from_json(decomposed.as_bytes()).expect("a type"), ty);
    }

    #[test]
    fn what_is_no_type_is_refused_with_the_reason() {
        for json in [
            r#""text""#,
            r#"["list"]"#,
            r#"["list","string","x"]"#,
            "{}",
            "[]",
        ] {
            assert!(Type::from_json(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn types_print_as_people_write_them() {
        let ty = Type::object([("a", Type::list(Type::String)), ("b", Type::Number)]);
        assert_eq!(ty.to_string(), "object({a: list(string), b: number})");
    }
}
