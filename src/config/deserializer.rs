//! Gives a value to the type that asks for it; text becomes the type's kind of value.

use std::borrow::Cow;

use serde::de::value::SeqDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use terrane_core::value::Map;
use terrane_core::{Path, PathStep, SECRET_NAME, SecretSource, Value};

use crate::access::{Elements, Members, Variant};
use crate::findings::Findings;
use crate::mismatch::{Kind, Mismatch, in_words};

/// A value on its way to the type that asks for it.
#[derive(Clone)]
pub(super) struct Node<'v> {
    pub(super) content: Content<'v>,
    pub(super) path: Path,
    /// Where its key was set: `prod.toml:3`.
    pub(super) set_in: &'v str,
    pub(super) findings: &'v Findings,
}

#[derive(Clone)]
pub(super) enum Content<'v> {
    /// From a document.
    Value(Cow<'v, Value>),
    /// From a variable or a flag.
    Text(&'v str),
}

pub(super) type Visited<T> = Result<T, Mismatch>;

impl<'v> Node<'v> {
    pub(super) fn child(&self, step: PathStep, value: &Value) -> Self {
        Self {
            content: Content::Value(Cow::Owned(value.clone())),
            path: self.path.clone().step(step),
            set_in: self.set_in,
            findings: self.findings,
        }
    }

    /// The value that the text is as JSON, for types that text cannot be.
    fn document(self, expected: &str) -> Visited<Self> {
        match self.content {
            Content::Value(_) => Ok(self),
            Content::Text(text) => match Value::from_json_untyped(text.as_bytes()) {
                Ok(value) => Ok(Self {
                    content: Content::Value(Cow::Owned(value)),
                    ..self
                }),
                Err(_) => Err(Mismatch::new(Kind::NotJson {
                    expected: in_words(expected),
                })),
            },
        }
    }

    fn value<V: Visitor<'v>>(self, value: &Value, visitor: V) -> Visited<V::Value> {
        match value {
            Value::Null | Value::Unknown(_) => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::String(text) => visitor.visit_str(text),
            Value::Number(number) => match number.as_i64() {
                Some(number) => visitor.visit_i64(number),
                None => match number.to_string().parse() {
                    Ok(number) => visitor.visit_u64(number),
                    Err(_) => visitor.visit_f64(number.to_f64()),
                },
            },
            Value::List(elements) | Value::Set(elements) => {
                let elements = Elements {
                    node: &self,
                    elements: elements.iter().enumerate(),
                };
                visitor.visit_seq(elements)
            }
            Value::Map(members) => self.members(members, visitor),
            Value::Dynamic(dynamic) => self.clone().value(&dynamic.1, visitor),
        }
    }

    /// The source of a secret, with its key and the place where it was set.
    fn secret<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        let text = match &self.content {
            Content::Text(text) => *text,
            Content::Value(value) => value
                .as_str()
                .ok_or_else(|| Mismatch::new(Kind::NoSecretSource(value.kind())))?,
        };
        if text.parse::<SecretSource>().is_err() {
            return Err(Mismatch::new(Kind::NoSecretSource("other text")));
        }
        let parts = [&self.path.to_string(), self.set_in, text];
        visitor.visit_seq(SeqDeserializer::new(parts.into_iter()))
    }

    fn members<V: Visitor<'v>>(&self, members: &Map, visitor: V) -> Visited<V::Value> {
        let members = members.iter().map(|(name, value)| {
            let member = self.child(PathStep::Attribute(name.clone()), value);
            (name.to_string(), member)
        });
        visitor.visit_map(Members::new(members))
    }
}

/// Text as a number, for the types that want one.
macro_rules! numbers {
    ($($method:ident $ty:ty, $visit:ident;)*) => {
        $(fn $method<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
            match self.0.content {
                Content::Text(text) => match text.trim().parse::<$ty>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(Mismatch::expected(in_words(stringify!($ty)), "other text")),
                },
                Content::Value(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

/// Types that take text as it stands.
macro_rules! texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
            match self.0.content {
                Content::Text(text) => visitor.visit_str(text),
                Content::Value(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

/// A value whose errors are not noted yet.
struct Bare<'v>(Node<'v>);

/// Reads the value, and notes why that failed: the asking type hands on no more than the text of an error.
macro_rules! noted {
    ($($method:ident $(($($argument:ident: $ty:ty),*))?;)*) => {
        $(fn $method<V: Visitor<'v>>(self, $($($argument: $ty,)*)? visitor: V) -> Visited<V::Value> {
            let (path, findings) = (self.path.clone(), self.findings);
            let read = Bare(self).$method($($($argument,)*)? visitor);
            read.map_err(|mismatch| findings.mismatch(&path, mismatch))
        })*
    };
}

impl<'v> Deserializer<'v> for Node<'v> {
    type Error = Mismatch;

    noted! {
        deserialize_any;
        deserialize_bool;
        deserialize_i8;
        deserialize_i16;
        deserialize_i32;
        deserialize_i64;
        deserialize_i128;
        deserialize_u8;
        deserialize_u16;
        deserialize_u32;
        deserialize_u64;
        deserialize_u128;
        deserialize_f32;
        deserialize_f64;
        deserialize_char;
        deserialize_str;
        deserialize_string;
        deserialize_bytes;
        deserialize_byte_buf;
        deserialize_option;
        deserialize_unit;
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq;
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier;
        deserialize_ignored_any;
    }
}

impl<'v> Deserializer<'v> for Bare<'v> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        match self.0.content.clone() {
            Content::Value(value) => self.0.value(&value, visitor),
            // A type that takes anything: if it is not JSON, it is text.
            Content::Text(text) => match Value::from_json_untyped(text.as_bytes()) {
                Ok(value) => self.0.value(&value, visitor),
                Err(_) => visitor.visit_str(text),
            },
        }
    }

    numbers! {
        deserialize_i8 i8, visit_i8;
        deserialize_i16 i16, visit_i16;
        deserialize_i32 i32, visit_i32;
        deserialize_i64 i64, visit_i64;
        deserialize_i128 i128, visit_i128;
        deserialize_u8 u8, visit_u8;
        deserialize_u16 u16, visit_u16;
        deserialize_u32 u32, visit_u32;
        deserialize_u64 u64, visit_u64;
        deserialize_u128 u128, visit_u128;
        deserialize_f32 f32, visit_f32;
        deserialize_f64 f64, visit_f64;
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_bool<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        match self.0.content {
            Content::Text(text) => match text.trim() {
                "true" => visitor.visit_bool(true),
                "false" => visitor.visit_bool(false),
                _ => Err(Mismatch::expected("`true` or `false`", "other text")),
            },
            Content::Value(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        match &self.0.content {
            // The only way to take an optional value back that a file sets.
            Content::Text("null") => visitor.visit_none(),
            Content::Value(value) if value.is_null() => visitor.visit_none(),
            _ => visitor.visit_some(self.0),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Visited<V::Value> {
        match name {
            SECRET_NAME => self.0.secret(visitor),
            _ => visitor.visit_newtype_struct(self.0),
        }
    }

    fn deserialize_seq<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        Self(self.0.document("a sequence")?).deserialize_any(visitor)
    }

    fn deserialize_tuple<V: Visitor<'v>>(self, _: usize, visitor: V) -> Visited<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Visited<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        Self(self.0.document("a map")?).deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Visited<V::Value> {
        let node = self.0.document("a map")?;
        let Content::Value(value) = &node.content else {
            return Self(node).deserialize_any(visitor);
        };
        let Value::Map(members) = &**value else {
            return Self(node).deserialize_any(visitor);
        };
        let mut asked = Map::new();
        for (name, value) in members.iter() {
            if fields.contains(&&**name) {
                asked.insert(name.clone(), value.clone());
            } else {
                let path = node.path.clone().attribute(name.clone());
                node.findings.unasked(path, fields);
            }
        }
        node.members(&asked, visitor)
    }

    fn deserialize_enum<V: Visitor<'v>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Visited<V::Value> {
        let alone = |name, at| Variant {
            name,
            at,
            content: None,
        };
        let node = match self.0.content {
            Content::Text(text) if !text.trim_start().starts_with('{') => {
                return visitor.visit_enum(alone(text, &self.0));
            }
            _ => self.0.document("a name")?,
        };
        let Content::Value(value) = &node.content else {
            return Self(node).deserialize_any(visitor);
        };
        match &**value {
            Value::String(name) => visitor.visit_enum(alone(name, &node)),
            Value::Map(members) if members.len() == 1 => {
                let (name, value) = members.iter().next().expect("invariant: one member");
                let content = node.child(PathStep::Attribute(name.clone()), value);
                visitor.visit_enum(Variant {
                    name,
                    at: &node,
                    content: Some(content),
                })
            }
            other => {
                let names = variants.join("`, `");
                Err(Mismatch::expected(
                    format!("one of `{names}`"),
                    other.kind(),
                ))
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        // A type that ignores keys it does not know, however it came by them.
        self.0.findings.unasked(self.0.path, &[]);
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'v>>
        bytes byte_buf unit unit_struct
    }
}

impl<'v> IntoDeserializer<'v, Mismatch> for Node<'v> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
