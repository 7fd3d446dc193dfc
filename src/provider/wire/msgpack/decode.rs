//! MessagePack to values. The bytes come from a provider: nothing in them is believed.

use std::sync::Arc;

use terrane_core::value::{Bound, Map, Number, ObjectType, Refinements};
use terrane_core::{PathStep, Type, Value, nfc};

use super::{MsgpackError, REFINED, Trouble, refinement};

/// How deep a value may nest below the first place that brings its own type; above it the schema is the limit.
const MAX_DYNAMIC_DEPTH: usize = 64;

/// The largest body of a refined unknown, as go-cty has it.
const MAX_REFINEMENTS: usize = 1024;

/// Room reserved for a collection before its elements have been seen.
const MAX_RESERVED: usize = 1024;

/// The value of that type in those bytes.
///
/// # Errors
/// When the bytes are no MessagePack, or no value of that type.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, MsgpackError> {
    let mut decoder = Decoder {
        rest: bytes,
        depth: None,
    };
    let value = decoder.value(ty)?;
    if decoder.rest.is_empty() {
        Ok(value)
    } else {
        Err(Trouble::new(format!("{} bytes too many", decoder.rest.len())).into())
    }
}

struct Decoder<'a> {
    rest: &'a [u8],
    /// Levels below the outermost dynamic place, if we are in one.
    depth: Option<usize>,
}

/// The first part of an encoded value.
enum Token<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(&'a [u8]),
    Bin(&'a [u8]),
    Array(usize),
    Map(usize),
    Ext(i8, &'a [u8]),
}

impl Token<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "null",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::Uint(_) | Self::Float(_) => "a number",
            Self::Str(_) => "a string",
            Self::Bin(_) => "bytes",
            Self::Array(_) => "an array",
            Self::Map(_) => "a map",
            Self::Ext(..) => "an unknown value",
        }
    }
}

type Decoded<T> = Result<T, Trouble>;

impl<'a> Decoder<'a> {
    fn take(&mut self, count: usize) -> Decoded<&'a [u8]> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(Trouble::new("the message ends in the middle of a value")),
        }
    }

    fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        match self.rest.split_first_chunk() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(Trouble::new("the message ends in the middle of a value")),
        }
    }

    /// A length of one, two or four bytes.
    fn length(&mut self, width: usize) -> Decoded<usize> {
        Ok(match width {
            1 => usize::from(u8::from_be_bytes(self.array()?)),
            2 => usize::from(u16::from_be_bytes(self.array()?)),
            _ => u32::from_be_bytes(self.array()?) as usize,
        })
    }

    /// A count of elements that take at least `least` bytes each.
    fn count(&self, count: usize, least: usize) -> Decoded<usize> {
        if count.saturating_mul(least) > self.rest.len() {
            return Err(Trouble::new(format!(
                "{count} elements are announced, {} bytes are left",
                self.rest.len()
            )));
        }
        Ok(count)
    }

    fn token(&mut self) -> Decoded<Token<'a>> {
        let [first] = self.array()?;
        Ok(match first {
            0x00..=0x7f => Token::Int(i64::from(first)),
            0x80..=0x8f => Token::Map(self.count(usize::from(first & 0x0f), 2)?),
            0x90..=0x9f => Token::Array(self.count(usize::from(first & 0x0f), 1)?),
            0xa0..=0xbf => Token::Str(self.take(usize::from(first & 0x1f))?),
            0xc0 => Token::Nil,
            0xc1 => return Err(Trouble::new("the byte c1 starts no value")),
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4..=0xc6 => {
                let length = self.length(1 << (first - 0xc4))?;
                Token::Bin(self.take(length)?)
            }
            0xc7..=0xc9 => {
                let length = self.length(1 << (first - 0xc7))?;
                self.ext(length)?
            }
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.array()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc => Token::Int(i64::from(u8::from_be_bytes(self.array()?))),
            0xcd => Token::Int(i64::from(u16::from_be_bytes(self.array()?))),
            0xce => Token::Int(i64::from(u32::from_be_bytes(self.array()?))),
            0xcf => Token::Uint(u64::from_be_bytes(self.array()?)),
            0xd0 => Token::Int(i64::from(i8::from_be_bytes(self.array()?))),
            0xd1 => Token::Int(i64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => Token::Int(i64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => Token::Int(i64::from_be_bytes(self.array()?)),
            0xd4..=0xd8 => self.ext(1 << (first - 0xd4))?,
            0xd9..=0xdb => {
                let length = self.length(1 << (first - 0xd9))?;
                Token::Str(self.take(length)?)
            }
            0xdc | 0xdd => {
                let count = self.length(2 << (first - 0xdc))?;
                Token::Array(self.count(count, 1)?)
            }
            0xde | 0xdf => {
                let count = self.length(2 << (first - 0xde))?;
                Token::Map(self.count(count, 2)?)
            }
            0xe0..=0xff => Token::Int(i64::from(first.cast_signed())),
        })
    }

    fn ext(&mut self, length: usize) -> Decoded<Token<'a>> {
        let kind = i8::from_be_bytes(self.array()?);
        Ok(Token::Ext(kind, self.take(length)?))
    }

    fn value(&mut self, ty: &Type) -> Decoded<Value> {
        if let Some(depth) = self.depth {
            if depth >= MAX_DYNAMIC_DEPTH {
                return Err(Trouble::new(format!(
                    "a dynamic value nests deeper than {MAX_DYNAMIC_DEPTH} levels"
                )));
            }
            self.depth = Some(depth + 1);
            let value = self.value_here(ty);
            self.depth = Some(depth);
            return value;
        }
        self.value_here(ty)
    }

    fn value_here(&mut self, ty: &Type) -> Decoded<Value> {
        match (self.token()?, ty) {
            (Token::Nil, _) => Ok(Value::Null),
            (Token::Ext(kind, body), ty) => unknown(kind, body, ty),
            (Token::Str(bytes) | Token::Bin(bytes), Type::String) => {
                Ok(Value::String(nfc(text(bytes)?)))
            }
            (Token::Bool(flag), Type::Bool) => Ok(Value::Bool(flag)),
            (token, Type::Number) => number(&token).map(Value::Number),
            (Token::Map(count), Type::Object(object)) => self.object(count, object),
            (Token::Array(count), Type::List(element)) => {
                Ok(Value::list(self.elements(count, element)?))
            }
            (Token::Array(count), Type::Set(element)) => {
                Ok(Value::set(self.elements(count, element)?, element))
            }
            (Token::Map(count), Type::Map(element)) => {
                let mut members = Vec::with_capacity(count.min(MAX_RESERVED));
                for _ in 0..count {
                    let key = nfc(self.key()?);
                    let member = self
                        .value(element)
                        .map_err(|error| error.inside(PathStep::Key(key.clone())))?;
                    members.push((key, member));
                }
                // As go-cty has it, a key that comes again counts, also one that is the same only in normal form: refusing an answer
                // for what somebody wrote on an object would leave no way to go on.
                Ok(Value::Map(Arc::new(Map::from_iter(members))))
            }
            (Token::Array(count), Type::Tuple(types)) => {
                if count != types.len() {
                    return Err(Trouble::new(format!(
                        "expected a tuple of {}, found {count} elements",
                        types.len()
                    )));
                }
                let mut elements = Vec::with_capacity(count);
                for (index, ty) in types.iter().enumerate() {
                    let element = self.value(ty);
                    elements.push(element.map_err(|error| error.inside(PathStep::Index(index)))?);
                }
                Ok(Value::list(elements))
            }
            (Token::Array(2), Type::Dynamic) => self.dynamic(),
            (Token::Array(_), Type::Dynamic) => {
                Err(Trouble::new("a dynamic value is a type and a value"))
            }
            (token, ty) => Err(Trouble::new(format!(
                "expected {ty}, found {}",
                token.kind()
            ))),
        }
    }

    fn elements(&mut self, count: usize, element: &Type) -> Decoded<Vec<Value>> {
        let mut elements = Vec::with_capacity(count.min(MAX_RESERVED));
        for index in 0..count {
            let value = self.value(element);
            elements.push(value.map_err(|error| error.inside(PathStep::Index(index)))?);
        }
        Ok(elements)
    }

    fn object(&mut self, count: usize, object: &ObjectType) -> Decoded<Value> {
        let attributes = &object.attributes;
        if count != attributes.len() {
            return Err(Trouble::new(format!(
                "expected an object of {} attributes, found {count}",
                attributes.len()
            )));
        }
        let mut members = Vec::with_capacity(count);
        // Attributes nearly always arrive in order; look one up only when it does not.
        let mut expected = attributes.iter();
        for _ in 0..count {
            let key = self.key()?;
            let (name, ty) = match expected.next() {
                Some((name, ty)) if **name == *key => (name, ty),
                _ => attributes
                    .get_key_value(&*nfc(key))
                    .ok_or_else(|| Trouble::new(format!("the type has no attribute `{key}`")))?,
            };
            let member = self
                .value(ty)
                .map_err(|error| error.inside(PathStep::Attribute(name.clone())))?;
            members.push((name.clone(), member));
        }
        let members = Map::from_iter(members);
        // As many members as attributes, each of them an attribute: a missing one shows as another that came twice.
        if members.len() != count {
            let missing = attributes.keys().find(|name| !members.contains_key(*name));
            return Err(Trouble::new(format!(
                "attribute `{}` is missing",
                missing.map_or("", |name| name)
            )));
        }
        Ok(Value::Map(Arc::new(members)))
    }

    fn key(&mut self) -> Decoded<&'a str> {
        match self.token()? {
            Token::Str(bytes) | Token::Bin(bytes) => text(bytes),
            token => Err(Trouble::new(format!(
                "expected a key, found {}",
                token.kind()
            ))),
        }
    }

    fn dynamic(&mut self) -> Decoded<Value> {
        let ty = match self.token()? {
            Token::Bin(json) | Token::Str(json) => Type::from_json(json).map_err(|error| {
                let source = &error.source;
                Trouble::new(format!("{error}: {source}"))
            })?,
            token => {
                return Err(Trouble::new(format!(
                    "expected a type, found {}",
                    token.kind()
                )));
            }
        };
        let outer = self.depth;
        self.depth = Some(outer.unwrap_or(0));
        let value = self.value(&ty);
        self.depth = outer;
        Ok(match value? {
            Value::Null => Value::Null,
            Value::Unknown(_) => Value::UNKNOWN,
            value @ Value::Dynamic(_) => value,
            value => Value::Dynamic(Arc::new((ty, value))),
        })
    }

    /// Passes over a value of any kind.
    fn skip(&mut self) -> Decoded<()> {
        let mut left = 1_usize;
        while left > 0 {
            left -= 1;
            match self.token()? {
                Token::Array(count) => left += count,
                Token::Map(count) => left += 2 * count,
                _ => {}
            }
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Decoded<&str> {
    std::str::from_utf8(bytes).map_err(|_| Trouble::new("text that is not UTF-8"))
}

fn number(token: &Token<'_>) -> Decoded<Number> {
    match token {
        Token::Int(int) => Ok(Number::from(*int)),
        Token::Uint(int) => Ok(Number::from(*int)),
        Token::Float(float) => {
            Number::from_f64(*float).ok_or_else(|| Trouble::new("NaN is no number"))
        }
        Token::Str(digits) => text(digits)?
            .parse()
            .map_err(|error| Trouble::new(format!("{error}"))),
        token => Err(Trouble::new(format!(
            "expected number, found {}",
            token.kind()
        ))),
    }
}

fn unknown(kind: i8, body: &[u8], ty: &Type) -> Decoded<Value> {
    if body.len() <= 1 {
        return Ok(Value::UNKNOWN);
    }
    if kind != REFINED {
        return Err(Trouble::new(format!("extension {kind} is no value")));
    }
    if body.len() > MAX_REFINEMENTS {
        return Err(Trouble::new("the refinements of an unknown are too long"));
    }
    let mut decoder = Decoder {
        rest: body,
        depth: None,
    };
    let Token::Map(count) = decoder.token()? else {
        return Err(Trouble::new("the refinements of an unknown are a map"));
    };
    if *ty == Type::Dynamic {
        return Ok(Value::UNKNOWN);
    }
    let mut known = Refinements::default();
    for _ in 0..count {
        let key = match decoder.token()? {
            Token::Int(key) => key,
            token => {
                return Err(Trouble::new(format!(
                    "expected the key of a refinement, found {}",
                    token.kind()
                )));
            }
        };
        let is_collection = matches!(ty, Type::List(_) | Type::Set(_) | Type::Map(_));
        match key {
            refinement::NULL => match decoder.token()? {
                Token::Bool(null) => known.null = Some(null),
                _ => return Err(Trouble::new("the null refinement is a bool")),
            },
            refinement::PREFIX if *ty == Type::String => match decoder.token()? {
                Token::Str(prefix) => known.prefix = Some(nfc(text(prefix)?)),
                _ => return Err(Trouble::new("the prefix refinement is a string")),
            },
            refinement::LOWER if *ty == Type::Number => known.lower = Some(bound(&mut decoder)?),
            refinement::UPPER if *ty == Type::Number => known.upper = Some(bound(&mut decoder)?),
            refinement::MIN_LENGTH if is_collection => {
                known.min_length = Some(length(&mut decoder)?);
            }
            refinement::MAX_LENGTH if is_collection => {
                known.max_length = Some(length(&mut decoder)?);
            }
            refinement::PREFIX..=refinement::MAX_LENGTH => {
                return Err(Trouble::new(format!(
                    "refinement {key} does not apply to {ty}"
                )));
            }
            // A later go-cty's; hints may always be dropped.
            _ => decoder.skip()?,
        }
    }
    Ok(match known.null {
        Some(true) => Value::Null,
        _ if known.is_empty() => Value::UNKNOWN,
        _ => Value::Unknown(Some(Arc::new(known))),
    })
}

fn bound(decoder: &mut Decoder<'_>) -> Decoded<Bound> {
    let Token::Array(2) = decoder.token()? else {
        return Err(Trouble::new("a bound is a number and a bool"));
    };
    let number = number(&decoder.token()?)?;
    match decoder.token()? {
        Token::Bool(inclusive) => Ok(Bound { number, inclusive }),
        _ => Err(Trouble::new("a bound is a number and a bool")),
    }
}

fn length(decoder: &mut Decoder<'_>) -> Decoded<u64> {
    match decoder.token()? {
        Token::Int(length) => u64::try_from(length).map_err(|_| Trouble::new("a negative length")),
        Token::Uint(length) => Ok(length),
        _ => Err(Trouble::new("a length is a whole number")),
    }
}
