//! Reading a value from JSON, with the leniency that states need: written by other versions of a schema and by other tools.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::members::{RawMembers, RawString};
use super::{JsonError, MAX_DEPTH};
use crate::text::nfc;
use crate::value::{Map, Path, PathStep, REPEATED_KEY, Type, Value};

impl Value {
    /// Reads a value of type `ty`.
    ///
    /// A number may be written as a string, a string as a number or a bool, a bool as `"true"`, `"false"`, `"1"` or `"0"`. A member that
    /// an object lacks is null; one that its type lacks is an error. No number passes through a float.
    ///
    /// # Errors
    /// When the bytes are not JSON, or a part of it does not fit the type.
    pub fn from_json(json: &[u8], ty: &Type) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(json).map_err(|error| JsonError::Syntax {
            source: serde_json::Error::custom(error),
        })?;
        let trouble = RefCell::new(Trouble::default());
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = Reader {
            ty,
            trouble: &trouble,
        }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
        read.map_err(|source| trouble.into_inner().error(source))
    }

    /// Reads any JSON: sequences become lists (tuples), objects become maps (objects), numbers keep every digit.
    ///
    /// # Errors
    /// When the bytes are not JSON, or nest absurdly deep.
    pub fn from_json_untyped(json: &[u8]) -> Result<Self, JsonError> {
        let syntax = |source| JsonError::Syntax { source };
        let raw: &RawValue = serde_json::from_slice(json).map_err(syntax)?;
        untyped(raw, &mut Path::root(), Wrapped::Kept)
    }

    /// Reads the stored attributes of an object whose schema is not at hand.
    ///
    /// As [`from_json_untyped`](Self::from_json_untyped), but a value that was stored with its type, because its schema says "dynamic",
    /// becomes a [`Value::Dynamic`]. It is told from an object with members of these names by its form: cty writes the value first there,
    /// and the members of an object in alphabetical order.
    ///
    /// # Errors
    /// When the bytes are not JSON, or nest absurdly deep.
    pub fn from_json_stored(json: &[u8]) -> Result<Self, JsonError> {
        let syntax = |source| JsonError::Syntax { source };
        let raw: &RawValue = serde_json::from_slice(json).map_err(syntax)?;
        untyped(raw, &mut Path::root(), Wrapped::Opened)
    }
}

/// How objects in the form of stored dynamic values are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrapped {
    /// They are objects like any other.
    Kept,
    /// They are dynamic values.
    Opened,
}

/// A stored dynamic value; `None` for an object that only looks like one.
fn stored_dynamic(members: &[(Cow<'_, str>, &RawValue)]) -> Option<Value> {
    let member = |name| {
        let found = members.iter().find(|(known, _)| known == name);
        found.map(|(_, raw)| raw.get())
    };
    let (2, Some(value), Some(ty)) = (members.len(), member("value"), member("type")) else {
        return None;
    };
    // Both are slices of one text. Tools that sort the members of a file leave no order to go by: no other tool writes `["object", …]`.
    let value_first = value.as_ptr() < ty.as_ptr();
    if !value_first && !ty.starts_with('[') {
        return None;
    }
    let ty = Type::from_json(ty.as_bytes()).ok()?;
    match Value::from_json(value.as_bytes(), &ty).ok()? {
        Value::Null => Some(Value::Null),
        value => Some(Value::Dynamic(Arc::new((ty, value)))),
    }
}

fn untyped(raw: &RawValue, path: &mut Path, wrapped: Wrapped) -> Result<Value, JsonError> {
    let text = raw.get();
    let syntax = |source| JsonError::Syntax { source };
    if path.steps().len() > MAX_DEPTH {
        return Err(JsonError::Value {
            path: path.clone(),
            reason: TOO_DEEP.into(),
        });
    }
    match text.as_bytes().first() {
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(syntax)?;
            let mut values = Vec::with_capacity(elements.len());
            for (index, element) in elements.into_iter().enumerate() {
                path.push(PathStep::Index(index));
                values.push(untyped(element, path, wrapped)?);
                path.pop();
            }
            Ok(Value::list(values))
        }
        Some(b'{') => {
            let RawMembers(members) = serde_json::from_str(text).map_err(syntax)?;
            if wrapped == Wrapped::Opened
                && let Some(dynamic) = stored_dynamic(&members)
            {
                return Ok(dynamic);
            }
            let mut values = Map::new();
            for (name, member) in members {
                let name = nfc(name);
                path.push(PathStep::Attribute(name.clone()));
                if values
                    .insert(name, untyped(member, path, wrapped)?)
                    .is_some()
                {
                    return Err(JsonError::Value {
                        path: path.clone(),
                        reason: "duplicate key".into(),
                    });
                }
                path.pop();
            }
            Ok(Value::Map(Arc::new(values)))
        }
        _ => match leaf(text).map_err(syntax)? {
            Leaf::Null => Ok(Value::Null),
            Leaf::Bool(flag) => Ok(flag.into()),
            Leaf::String(text) => Ok(Value::string(text)),
            Leaf::Number(number) => {
                number
                    .parse()
                    .map(Value::Number)
                    .map_err(|error| JsonError::Value {
                        path: path.clone(),
                        reason: format!("{error}"),
                    })
            }
            Leaf::Compound => Err(syntax(serde_json::Error::custom("expected a value"))),
        },
    }
}

const TOO_DEEP: &str = "the value is nested too deep";

/// The kind of a JSON token.
enum Leaf<'a> {
    Null,
    Bool(bool),
    String(Cow<'a, str>),
    Number(&'a str),
    Compound,
}

fn leaf(text: &str) -> Result<Leaf<'_>, serde_json::Error> {
    Ok(match text.as_bytes().first() {
        Some(b'n') => Leaf::Null,
        Some(b't') => Leaf::Bool(true),
        Some(b'f') => Leaf::Bool(false),
        Some(b'"') => Leaf::String(serde_json::from_str::<RawString<'_>>(text)?.0),
        Some(b'[' | b'{') => Leaf::Compound,
        _ => Leaf::Number(text),
    })
}

/// The position of the reader, and the fault there: serde's errors are only text.
#[derive(Default)]
struct Trouble {
    path: Path,
    found: Option<Found>,
}

enum Found {
    Reason(String),
    Type(crate::value::ParseTypeError),
}

impl Trouble {
    fn error(self, source: serde_json::Error) -> JsonError {
        let path = self.path;
        match self.found {
            Some(Found::Reason(reason)) => JsonError::Value { path, reason },
            Some(Found::Type(source)) => JsonError::Type { path, source },
            None => JsonError::Syntax { source },
        }
    }
}

/// Reads one value of a type.
#[derive(Clone, Copy)]
struct Reader<'t> {
    ty: &'t Type,
    trouble: &'t RefCell<Trouble>,
}

impl<'t> Reader<'t> {
    /// Leaves `found` with the path at which it was found; the serde error only unwinds.
    fn refuse<E: serde::de::Error>(&self, found: Found) -> E {
        self.trouble.borrow_mut().found.get_or_insert(found);
        E::custom("refused")
    }

    fn reason<E: serde::de::Error>(&self, reason: impl Into<String>) -> E {
        self.refuse(Found::Reason(reason.into()))
    }

    fn expected<E: serde::de::Error>(&self, found: &str) -> E {
        self.reason(format!("expected {}, found {found}", self.ty))
    }

    fn enter<E: serde::de::Error>(&self, step: PathStep) -> Result<(), E> {
        let mut trouble = self.trouble.borrow_mut();
        trouble.path.push(step);
        if trouble.path.steps().len() > MAX_DEPTH {
            drop(trouble);
            return Err(self.reason(TOO_DEEP));
        }
        Ok(())
    }

    fn leave(&self) {
        self.trouble.borrow_mut().path.pop();
    }

    fn of(&self, ty: &'t Type) -> Self {
        Self {
            ty,
            trouble: self.trouble,
        }
    }

    fn primitive<E: serde::de::Error>(&self, text: &str) -> Result<Value, E> {
        let leaf = leaf(text).map_err(E::custom)?;
        let number = |text: &str| match text.parse() {
            Ok(number) => Ok(Value::Number(number)),
            // The value may be a secret, so it is not said.
            Err(_) => Err(self.reason("expected a number, found a text that is none")),
        };
        match (self.ty, leaf) {
            (_, Leaf::Null) => Ok(Value::Null),
            (Type::Bool, Leaf::Bool(flag)) => Ok(flag.into()),
            (Type::Bool, Leaf::String(text)) => match &*text {
                "true" | "1" => Ok(true.into()),
                "false" | "0" => Ok(false.into()),
                _ => Err(self.expected("a string")),
            },
            (Type::Number, Leaf::Number(text)) => number(text),
            (Type::Number, Leaf::String(text)) => number(&text),
            (Type::String, Leaf::String(text)) => Ok(Value::string(text)),
            (Type::String, Leaf::Number(text)) => Ok(Value::string(text)),
            (Type::String, Leaf::Bool(flag)) => Ok(if flag { "true" } else { "false" }.into()),
            (_, Leaf::Bool(_)) => Err(self.expected("a bool")),
            (_, Leaf::Number(_)) => Err(self.expected("a number")),
            (_, Leaf::String(_)) => Err(self.expected("a string")),
            (_, Leaf::Compound) => Err(self.expected("a collection")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.ty {
            Type::String | Type::Number | Type::Bool => {
                // The text of the token itself, as serde_json would turn a number into a float.
                let raw = <&RawValue>::deserialize(deserializer)?;
                self.primitive(raw.get())
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.ty)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Value, E> {
        Err(self.expected("a bool"))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Value, E> {
        Err(self.expected("a number"))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Value, E> {
        Err(self.expected("a number"))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Err(self.expected("a number"))
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Value, E> {
        Err(self.expected("a string"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        match self.ty {
            Type::List(element) | Type::Set(element) => loop {
                self.enter(PathStep::Index(elements.len()))?;
                let Some(value) = seq.next_element_seed(self.of(element))? else {
                    break;
                };
                self.leave();
                elements.push(value);
            },
            Type::Tuple(types) => {
                for ty in types.iter() {
                    self.enter(PathStep::Index(elements.len()))?;
                    let Some(value) = seq.next_element_seed(self.of(ty))? else {
                        self.leave();
                        let (all, got) = (types.len(), elements.len());
                        return Err(self.reason(format!("expected {all} elements, found {got}")));
                    };
                    self.leave();
                    elements.push(value);
                }
                if seq.next_element::<IgnoredAny>()?.is_some() {
                    let all = types.len();
                    return Err(self.reason(format!("expected {all} elements, found more")));
                }
                return Ok(Value::list(elements));
            }
            _ => return Err(self.expected("a sequence")),
        }
        self.leave();
        Ok(match self.ty {
            Type::Set(element) => Value::set(elements, element),
            _ => Value::list(elements),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        match self.ty {
            Type::Map(element) => {
                let mut members = Map::new();
                while let Some(key) = map.next_key::<RawString<'de>>()? {
                    let key = nfc(key.0);
                    self.enter(PathStep::Key(key.clone()))?;
                    let value = map.next_value_seed(self.of(element))?;
                    if members.insert(key, value).is_some() {
                        return Err(self.reason(REPEATED_KEY));
                    }
                    self.leave();
                }
                Ok(Value::Map(Arc::new(members)))
            }
            Type::Object(object) => {
                let nulls = object
                    .attributes
                    .keys()
                    .map(|name| (name.clone(), Value::Null));
                let mut members: Map = nulls.collect();
                while let Some(key) = map.next_key::<RawString<'de>>()? {
                    let key = nfc(key.0);
                    self.enter(PathStep::Attribute(key.clone()))?;
                    let (Some(ty), Some(member)) =
                        (object.attributes.get(&*key), members.get_mut(&*key))
                    else {
                        return Err(self.reason("the type has no such attribute"));
                    };
                    *member = map.next_value_seed(self.of(ty))?;
                    self.leave();
                }
                Ok(Value::Map(Arc::new(members)))
            }
            Type::Dynamic => self.dynamic(map),
            _ => Err(self.expected("an object")),
        }
    }
}

impl Reader<'_> {
    fn dynamic<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (mut value, mut ty) = (None, None);
        while let Some(key) = map.next_key::<RawString<'de>>()? {
            let part: &RawValue = map.next_value()?;
            match &*key.0 {
                "value" => value = Some(part),
                "type" => ty = Some(part),
                _ => return Err(self.reason(NOT_DYNAMIC)),
            }
        }
        let (Some(value), Some(ty)) = (value, ty) else {
            return Err(self.reason(NOT_DYNAMIC));
        };
        let ty = Type::from_json(ty.get().as_bytes())
            .map_err(|error| self.refuse::<A::Error>(Found::Type(error)))?;
        if ty == Type::Dynamic {
            // A null of any type at all; nothing else can lack a type.
            return match value.get() {
                "null" => Ok(Value::Null),
                _ => Err(self.reason("a value must say its type")),
            };
        }
        // The type may come after the value, so only now can the value be read.
        let mut inner = serde_json::Deserializer::from_str(value.get());
        let reader = Reader {
            ty: &ty,
            trouble: self.trouble,
        };
        let read = reader.deserialize(&mut inner).map_err(A::Error::custom)?;
        Ok(match read {
            Value::Null => Value::Null,
            read => Value::Dynamic(Arc::new((ty, read))),
        })
    }
}

const NOT_DYNAMIC: &str = "expected an object of `value` and `type`";
