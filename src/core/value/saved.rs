//! Any value as JSON that carries its own type: exact numbers, unknowns with their refinements, sets, dynamic values.
//!
//! Null, truth values, text and whole numbers are what JSON has for them, and a map or object is a JSON object. Everything else is an
//! array that begins with its kind: `["list", …]`, `["set", …]`, `["number", "0.10…1"]`, `["float", BITS]`, `["unknown", …]`,
//! `["dynamic", TYPE, VALUE]`. No schema is needed to read it, and a set is not put in order again.

use std::fmt;
use std::sync::Arc;

use super::{Bound, Map, Number, Refinements, Type, Value};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

/// A value in this form.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedValue(pub Value);

impl Serialize for SavedValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed(&self.0).serialize(serializer)
    }
}

/// Deepest nesting of a value in a file, as deep as its reader goes; states hold no deeper ones either.
const MAX_DEPTH: usize = 100;

/// Whether a file can hold the value.
pub fn fits(value: &Value) -> bool {
    value_fits(value, MAX_DEPTH)
}

fn value_fits(value: &Value, left: usize) -> bool {
    let inside = |inner: &Value| left > 0 && value_fits(inner, left - 1);
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Unknown(_) => left > 1,
        Value::List(elements) | Value::Set(elements) => elements.iter().all(inside),
        Value::Map(members) => members.values().all(inside),
        Value::Dynamic(dynamic) => inside(&dynamic.1) && type_fits(&dynamic.0, left - 1),
    }
}

fn type_fits(ty: &Type, left: usize) -> bool {
    // An object type is an array with an object in it.
    let inside = |inner: &Type| left > 1 && type_fits(inner, left - 2);
    match ty {
        Type::String | Type::Number | Type::Bool | Type::Dynamic => true,
        Type::List(element) | Type::Set(element) | Type::Map(element) => inside(element),
        Type::Tuple(elements) => elements.iter().all(inside),
        Type::Object(object) => object.attributes.values().all(inside),
    }
}

/// The same for writing.
#[derive(Debug)]
pub struct Borrowed<'a>(pub &'a Value);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::String(text) => serializer.serialize_str(text),
            Value::Number(number) => SavedNumber(number.clone()).serialize(serializer),
            Value::List(elements) => sequence("list", elements, serializer),
            Value::Set(elements) => sequence("set", elements, serializer),
            Value::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, member) in members.iter() {
                    map.serialize_entry(name, &Borrowed(member))?;
                }
                map.end()
            }
            Value::Unknown(None) => ("unknown",).serialize(serializer),
            Value::Unknown(Some(refinements)) => {
                ("unknown", SavedRefinements::from(&**refinements)).serialize(serializer)
            }
            Value::Dynamic(dynamic) => {
                ("dynamic", &dynamic.0, Borrowed(&dynamic.1)).serialize(serializer)
            }
        }
    }
}

fn sequence<S: Serializer>(
    what: &str,
    elements: &[Value],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(elements.len() + 1))?;
    seq.serialize_element(what)?;
    for element in elements {
        seq.serialize_element(&Borrowed(element))?;
    }
    seq.end()
}

impl<'de> Deserialize<'de> for SavedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a saved value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, member)) = map.next_entry::<Arc<str>, SavedValue>()? {
            if members.insert(name, member.0).is_some() {
                return Err(de::Error::custom("a member is there twice"));
            }
        }
        Ok(Value::Map(Arc::new(members)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let what: String = next(&mut seq)?;
        let value = match what.as_str() {
            "list" => return Ok(Value::List(Arc::new(rest(seq)?))),
            "set" => return Ok(Value::Set(Arc::new(rest(seq)?))),
            "unknown" => {
                let refinements: Option<SavedRefinements> = seq.next_element()?;
                Value::Unknown(refinements.map(|refinements| Arc::new(refinements.into())))
            }
            "dynamic" => {
                let (ty, value): (Type, SavedValue) = (next(&mut seq)?, next(&mut seq)?);
                Value::Dynamic(Arc::new((ty, value.0)))
            }
            other => Value::Number(tagged_number(other, &mut seq)?),
        };
        end(&mut seq)?;
        Ok(value)
    }
}

fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?
        .ok_or_else(|| de::Error::custom("a saved value ends early"))
}

fn end<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    match seq.next_element::<de::IgnoredAny>()? {
        None => Ok(()),
        Some(_) => Err(de::Error::custom("a saved value has too many parts")),
    }
}

fn rest<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<Value>, A::Error> {
    let mut elements = Vec::new();
    while let Some(SavedValue(element)) = seq.next_element()? {
        elements.push(element);
    }
    Ok(elements)
}

/// A number with every digit and in its own form: the `f64` nearest to 0.1 is not the decimal 0.1 on the wire.
#[derive(Debug, Clone)]
struct SavedNumber(Number);

impl Serialize for SavedNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0.as_i64(), self.0.as_exact_fraction()) {
            (Some(number), _) => serializer.serialize_i64(number),
            (None, Some(float)) => ("float", float.to_bits()).serialize(serializer),
            (None, None) => ("number", self.0.to_string()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SavedNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match SavedValue::deserialize(deserializer)?.0 {
            Value::Number(number) => Ok(Self(number)),
            _ => Err(de::Error::custom("expected a number")),
        }
    }
}

/// The part of a number after what kind of number it is.
fn tagged_number<'de, A: SeqAccess<'de>>(what: &str, seq: &mut A) -> Result<Number, A::Error> {
    let invalid = || de::Error::custom("a saved number is none");
    match what {
        "float" => Number::from_f64(f64::from_bits(next(seq)?)).ok_or_else(invalid),
        "number" => next::<String, _>(seq)?.parse().map_err(|_| invalid()),
        other => Err(de::Error::custom(format_args!(
            "`{other}` is no kind of value"
        ))),
    }
}

/// The refinements of an unknown value.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRefinements {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    null: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lower: Option<SavedBound>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upper: Option<SavedBound>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_length: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<u64>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedBound {
    number: SavedNumber,
    inclusive: bool,
}

impl From<&Refinements> for SavedRefinements {
    fn from(refinements: &Refinements) -> Self {
        let bound = |bound: &Bound| SavedBound {
            number: SavedNumber(bound.number.clone()),
            inclusive: bound.inclusive,
        };
        Self {
            null: refinements.null,
            prefix: refinements.prefix.clone(),
            lower: refinements.lower.as_ref().map(bound),
            upper: refinements.upper.as_ref().map(bound),
            min_length: refinements.min_length,
            max_length: refinements.max_length,
        }
    }
}

impl From<SavedRefinements> for Refinements {
    fn from(saved: SavedRefinements) -> Self {
        let bound = |bound: SavedBound| Bound {
            number: bound.number.0,
            inclusive: bound.inclusive,
        };
        Self {
            null: saved.null,
            prefix: saved.prefix,
            lower: saved.lower.map(bound),
            upper: saved.upper.map(bound),
            min_length: saved.min_length,
            max_length: saved.max_length,
        }
    }
}
