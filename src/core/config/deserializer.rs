//! Giving a value to whatever type asks for it; text becomes what the type wants.

use std::borrow::Cow;
use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

use super::mismatch::{Kind, Mismatch, in_words};
use crate::value::{Map, Path, PathStep, Value};

/// Keys that were set and that no type asked for, with the names it knows.
pub(super) type Unasked = RefCell<Vec<(Path, &'static [&'static str])>>;

/// A value on its way to the type that asks for it.
#[derive(Clone)]
pub(super) struct Node<'v> {
    pub(super) content: Content<'v>,
    /// Where it is, to name keys below it that nobody asks for.
    pub(super) path: Path,
    pub(super) unasked: &'v Unasked,
}

#[derive(Clone)]
pub(super) enum Content<'v> {
    /// From a document.
    Value(Cow<'v, Value>),
    /// From a variable or a flag.
    Text(&'v str),
}

type Visited<T> = Result<T, Mismatch>;

impl<'v> Node<'v> {
    fn child(&self, step: PathStep, value: &Value) -> Self {
        Self {
            content: Content::Value(Cow::Owned(value.clone())),
            path: self.path.clone().step(step),
            unasked: self.unasked,
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

    fn members<V: Visitor<'v>>(&self, members: &Map, visitor: V) -> Visited<V::Value> {
        let members = members.iter().map(|(name, value)| {
            (
                name.to_string(),
                self.child(PathStep::Attribute(name.clone()), value),
            )
        });
        visitor.visit_map(Members::new(members))
    }
}

/// Text as a number, for the types that want one.
macro_rules! numbers {
    ($($method:ident $ty:ty, $visit:ident;)*) => {
        $(fn $method<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
            match self.content {
                Content::Text(text) => match text.trim().parse::<$ty>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(Mismatch::expected(in_words(stringify!($ty)), "other text")),
                },
                Content::Value(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

/// What text can be as it stands.
macro_rules! texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
            match self.content {
                Content::Text(text) => visitor.visit_str(text),
                Content::Value(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'v> Deserializer<'v> for Node<'v> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        match self.content.clone() {
            Content::Value(value) => self.value(&value, visitor),
            // A type that takes anything: what is not JSON is text.
            Content::Text(text) => match Value::from_json_untyped(text.as_bytes()) {
                Ok(value) => self.value(&value, visitor),
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
        match self.content {
            Content::Text(text) => match text.trim() {
                "true" => visitor.visit_bool(true),
                "false" => visitor.visit_bool(false),
                _ => Err(Mismatch::expected("`true` or `false`", "other text")),
            },
            Content::Value(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        match &self.content {
            // The only way to take an optional value back that a file sets.
            Content::Text("null") => visitor.visit_none(),
            Content::Value(value) if value.is_null() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bytes<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        self.deserialize_any(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Visited<V::Value> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Visited<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        self.document("a sequence")?.deserialize_any(visitor)
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
        self.document("a map")?.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Visited<V::Value> {
        let node = self.document("a map")?;
        let Content::Value(value) = &node.content else {
            return node.deserialize_any(visitor);
        };
        let Value::Map(members) = &**value else {
            return node.deserialize_any(visitor);
        };
        let mut asked = Map::new();
        for (name, value) in members.iter() {
            if fields.contains(&&**name) {
                asked.insert(name.clone(), value.clone());
            } else {
                let path = node.path.clone().attribute(name.clone());
                node.unasked.borrow_mut().push((path, fields));
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
        let node = match self.content {
            Content::Text(text) if !text.trim_start().starts_with('{') => {
                return visitor.visit_enum(StrDeserializer::new(text));
            }
            _ => self.document("a name")?,
        };
        let Content::Value(value) = &node.content else {
            return node.deserialize_any(visitor);
        };
        match &**value {
            Value::String(name) => visitor.visit_enum(StrDeserializer::new(name)),
            Value::Map(members) if members.len() == 1 => {
                let (name, value) = members.iter().next().expect("invariant: one member");
                let node = node.child(PathStep::Attribute(name.clone()), value);
                visitor.visit_enum(Variant { name, node })
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
        self.unasked.borrow_mut().push((self.path, &[]));
        visitor.visit_unit()
    }
}

impl<'v> IntoDeserializer<'v, Mismatch> for Node<'v> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

struct Elements<'a, 'v, I> {
    node: &'a Node<'v>,
    elements: I,
}

impl<'a, 'v, I: Iterator<Item = (usize, &'a Value)>> SeqAccess<'v> for Elements<'a, 'v, I> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'v>>(&mut self, seed: T) -> Visited<Option<T::Value>> {
        let Some((index, element)) = self.elements.next() else {
            return Ok(None);
        };
        let step = PathStep::Index(index);
        let read = seed.deserialize(self.node.child(step.clone(), element));
        read.map(Some).map_err(|mismatch| mismatch.inside(step))
    }

    fn size_hint(&self) -> Option<usize> {
        self.elements.size_hint().1
    }
}

/// The members of a table, or the keys of the configuration itself.
pub(super) struct Members<'v, I> {
    members: I,
    current: Option<(String, Node<'v>)>,
}

impl<'v, I: Iterator<Item = (String, Node<'v>)>> Members<'v, I> {
    pub(super) fn new(members: I) -> Self {
        Self {
            members,
            current: None,
        }
    }
}

impl<'v, I: Iterator<Item = (String, Node<'v>)>> MapAccess<'v> for Members<'v, I> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'v>>(&mut self, seed: K) -> Visited<Option<K::Value>> {
        self.current = self.members.next();
        let Some((name, _)) = &self.current else {
            return Ok(None);
        };
        let step = || PathStep::Attribute(name.as_str().into());
        seed.deserialize(Key(name))
            .map(Some)
            .map_err(|mismatch| mismatch.inside(step()))
    }

    fn next_value_seed<V: DeserializeSeed<'v>>(&mut self, seed: V) -> Visited<V::Value> {
        let (name, node) = self
            .current
            .take()
            .expect("invariant: a key comes before its value");
        let step = || PathStep::Attribute(name.as_str().into());
        seed.deserialize(node)
            .map_err(|mismatch| mismatch.inside(step()))
    }
}

/// A key is text; maps may have numbers for keys.
struct Key<'a>(&'a str);

macro_rules! number_keys {
    ($($method:ident $ty:ty, $visit:ident;)*) => {
        $(fn $method<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
            match self.0.parse::<$ty>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Mismatch::expected(in_words(stringify!($ty)), "other text")),
            }
        })*
    };
}

impl<'v> Deserializer<'v> for Key<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        visitor.visit_str(self.0)
    }

    number_keys! {
        deserialize_i8 i8, visit_i8;
        deserialize_i16 i16, visit_i16;
        deserialize_i32 i32, visit_i32;
        deserialize_i64 i64, visit_i64;
        deserialize_u8 u8, visit_u8;
        deserialize_u16 u16, visit_u16;
        deserialize_u32 u32, visit_u32;
        deserialize_u64 u64, visit_u64;
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Visited<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'v>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Visited<V::Value> {
        visitor.visit_enum(StrDeserializer::new(self.0))
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'v>>
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// A variant with content: a table of one member.
struct Variant<'a, 'v> {
    name: &'a str,
    node: Node<'v>,
}

impl<'v> EnumAccess<'v> for Variant<'_, 'v> {
    type Error = Mismatch;
    type Variant = Node<'v>;

    fn variant_seed<S: DeserializeSeed<'v>>(self, seed: S) -> Visited<(S::Value, Node<'v>)> {
        Ok((seed.deserialize(Key(self.name))?, self.node))
    }
}

impl<'v> VariantAccess<'v> for Node<'v> {
    type Error = Mismatch;

    fn unit_variant(self) -> Visited<()> {
        match &self.content {
            Content::Value(value) if value.is_null() => Ok(()),
            _ => Err(Mismatch::invalid_type(Unexpected::Map, &"a name alone")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'v>>(self, seed: T) -> Visited<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'v>>(self, _: usize, visitor: V) -> Visited<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'v>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Visited<V::Value> {
        self.deserialize_struct("", fields, visitor)
    }
}
