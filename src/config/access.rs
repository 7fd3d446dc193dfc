//! Hands the elements, members and variants of a value to the type that asks for them.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use terrane_core::{PathStep, Value};

use crate::deserializer::{Content, Node, Visited};
use crate::mismatch::{Mismatch, in_words};

/// The elements of a list.
pub(super) struct Elements<'a, 'v, I> {
    pub(super) node: &'a Node<'v>,
    pub(super) elements: I,
}

impl<'a, 'v, I: Iterator<Item = (usize, &'a Value)>> SeqAccess<'v> for Elements<'a, 'v, I> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'v>>(&mut self, seed: T) -> Visited<Option<T::Value>> {
        let Some((index, element)) = self.elements.next() else {
            return Ok(None);
        };
        let node = self.node.child(PathStep::Index(index), element);
        deserialize(seed, node).map(Some)
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
        let Some((name, node)) = &self.current else {
            return Ok(None);
        };
        let key = Key {
            text: name,
            at: node,
        };
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'v>>(&mut self, seed: V) -> Visited<V::Value> {
        let current = self.current.take();
        let (_, node) = current.expect("invariant: a key comes before its value");
        deserialize(seed, node)
    }
}

/// Reads one value, and notes why that failed.
fn deserialize<'v, T: DeserializeSeed<'v>>(seed: T, node: Node<'v>) -> Visited<T::Value> {
    let (path, findings) = (node.path.clone(), node.findings);
    let read = seed.deserialize(node);
    read.map_err(|mismatch| findings.mismatch(&path, mismatch))
}

/// A key is text; maps may have numbers for keys.
struct Key<'a, 'v> {
    text: &'a str,
    at: &'a Node<'v>,
}

impl Key<'_, '_> {
    fn noted<T>(&self, read: Visited<T>) -> Visited<T> {
        read.map_err(|mismatch| self.at.findings.mismatch(&self.at.path, mismatch))
    }
}

macro_rules! number_keys {
    ($($method:ident $ty:ty, $visit:ident;)*) => {
        $(fn $method<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
            self.noted(match self.text.parse::<$ty>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Mismatch::expected(in_words(stringify!($ty)), "other text")),
            })
        })*
    };
}

impl<'v> Deserializer<'v> for Key<'_, 'v> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Visited<V::Value> {
        self.noted(visitor.visit_str(self.text))
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
        self.noted(visitor.visit_enum(StrDeserializer::new(self.text)))
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'v>>
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// A variant of an enum: a name alone, or a table of one member.
pub(super) struct Variant<'a, 'v> {
    pub(super) name: &'a str,
    pub(super) at: &'a Node<'v>,
    pub(super) content: Option<Node<'v>>,
}

/// The content of a variant, if it has any.
pub(super) struct VariantContent<'v>(Option<Node<'v>>);

impl<'v> EnumAccess<'v> for Variant<'_, 'v> {
    type Error = Mismatch;
    type Variant = VariantContent<'v>;

    fn variant_seed<S: DeserializeSeed<'v>>(
        self,
        seed: S,
    ) -> Visited<(S::Value, VariantContent<'v>)> {
        let name = Key {
            text: self.name,
            at: self.at,
        };
        Ok((seed.deserialize(name)?, VariantContent(self.content)))
    }
}

impl<'v> VariantContent<'v> {
    fn expected(self, expected: &'static str) -> Visited<Node<'v>> {
        self.0
            .ok_or_else(|| Mismatch::invalid_type(Unexpected::UnitVariant, &expected))
    }
}

impl<'v> VariantAccess<'v> for VariantContent<'v> {
    type Error = Mismatch;

    fn unit_variant(self) -> Visited<()> {
        match self.0.map(|node| node.content) {
            None => Ok(()),
            Some(Content::Value(value)) if value.is_null() => Ok(()),
            Some(_) => Err(Mismatch::invalid_type(Unexpected::Map, &"a name alone")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'v>>(self, seed: T) -> Visited<T::Value> {
        deserialize(seed, self.expected("newtype variant")?)
    }

    fn tuple_variant<V: Visitor<'v>>(self, _: usize, visitor: V) -> Visited<V::Value> {
        self.expected("tuple variant")?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'v>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Visited<V::Value> {
        let node = self.expected("struct variant")?;
        node.deserialize_struct("", fields, visitor)
    }
}
