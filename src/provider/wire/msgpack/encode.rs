//! Values to MessagePack.

use terrane_core::value::{Bound, Number, Refinements};
use terrane_core::{PathStep, Type, Value};

use super::{MsgpackError, REFINED, Trouble, refinement};

/// The longest prefix that go-cty puts into a refinement, in bytes.
const MAX_PREFIX: usize = 256;

/// The bytes of a value of that type.
///
/// # Errors
/// When the value is not of that type; a bug of the caller, for values are converted before they are sent.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, MsgpackError> {
    let mut out = Vec::with_capacity(256);
    put(&mut out, value, ty)?;
    Ok(out)
}

fn put(out: &mut Vec<u8>, value: &Value, ty: &Type) -> Result<(), Trouble> {
    match (value, ty) {
        (Value::Null, _) => out.push(0xc0),
        (Value::Unknown(refinements), _) => match refinements {
            Some(known) if *ty != Type::Dynamic => put_refined(out, known, ty),
            _ => put_unknown(out),
        },
        (Value::String(text), Type::String) => put_str(out, text),
        (Value::Bool(flag), Type::Bool) => out.push(if *flag { 0xc3 } else { 0xc2 }),
        (Value::Number(number), Type::Number) => put_number(out, number),
        (Value::Map(members), Type::Object(object)) => {
            put_map_header(out, object.attributes.len());
            // Both sides are sorted by name.
            let mut rest = members.iter().peekable();
            for (name, ty) in &object.attributes {
                let member = match rest.peek() {
                    Some((key, member)) if *key == name => *member,
                    Some((key, _)) if *key < name => return Err(surplus(key)),
                    _ => return Err(Trouble::new(format!("attribute `{name}` is missing"))),
                };
                rest.next();
                put_str(out, name);
                put(out, member, ty)
                    .map_err(|error| error.inside(PathStep::Attribute(name.clone())))?;
            }
            if let Some((key, _)) = rest.next() {
                return Err(surplus(key));
            }
        }
        (Value::List(elements), Type::List(element))
        | (Value::Set(elements), Type::Set(element)) => {
            put_array_header(out, elements.len());
            for (index, value) in elements.iter().enumerate() {
                put(out, value, element).map_err(|error| error.inside(PathStep::Index(index)))?;
            }
        }
        (Value::Map(members), Type::Map(element)) => {
            put_map_header(out, members.len());
            for (key, value) in members.iter() {
                put_str(out, key);
                put(out, value, element)
                    .map_err(|error| error.inside(PathStep::Key(key.clone())))?;
            }
        }
        (Value::List(elements), Type::Tuple(types)) => {
            if elements.len() != types.len() {
                return Err(Trouble::new(format!(
                    "expected a tuple of {}, found {} elements",
                    types.len(),
                    elements.len()
                )));
            }
            put_array_header(out, elements.len());
            for (index, (value, ty)) in elements.iter().zip(types.iter()).enumerate() {
                put(out, value, ty).map_err(|error| error.inside(PathStep::Index(index)))?;
            }
        }
        (Value::Dynamic(dynamic), Type::Dynamic) => put_dynamic(out, &dynamic.1, &dynamic.0)?,
        (value, Type::Dynamic) => put_dynamic(out, value, &value.implied_type())?,
        (value, ty) => {
            return Err(Trouble::new(format!(
                "expected {ty}, found {}",
                kind(value)
            )));
        }
    }
    Ok(())
}

#[cold]
fn surplus(name: &str) -> Trouble {
    Trouble::new(format!("the type has no attribute `{name}`"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Unknown(_) => "an unknown value",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Set(_) => "a set",
        Value::Map(_) => "a map",
        Value::Dynamic(_) => "a dynamic value",
    }
}

fn put_dynamic(out: &mut Vec<u8>, value: &Value, ty: &Type) -> Result<(), Trouble> {
    let json = ty.to_json();
    out.push(0x92);
    let length = json.len();
    if let Ok(length) = u8::try_from(length) {
        out.extend([0xc4, length]);
    } else if let Ok(length) = u16::try_from(length) {
        out.push(0xc5);
        out.extend(length.to_be_bytes());
    } else {
        out.push(0xc6);
        out.extend(length32(length).to_be_bytes());
    }
    out.extend_from_slice(json.as_bytes());
    put(out, value, ty)
}

fn put_unknown(out: &mut Vec<u8>) {
    out.extend([0xd4, 0, 0]);
}

fn put_refined(out: &mut Vec<u8>, known: &Refinements, ty: &Type) {
    let mut body = Vec::new();
    let mut count = 0;
    let mut key = |body: &mut Vec<u8>, key| {
        count += 1;
        put_int(body, key);
    };
    if let Some(null) = known.null {
        key(&mut body, refinement::NULL);
        body.push(if null { 0xc3 } else { 0xc2 });
    }
    match ty {
        Type::String => {
            if let Some(prefix) = &known.prefix {
                key(&mut body, refinement::PREFIX);
                put_str(&mut body, shortened(prefix));
            }
        }
        Type::Number => {
            let bounds = [
                (refinement::LOWER, &known.lower),
                (refinement::UPPER, &known.upper),
            ];
            for (name, bound) in bounds {
                if let Some(Bound { number, inclusive }) = bound {
                    key(&mut body, name);
                    body.push(0x92);
                    put_number(&mut body, number);
                    body.push(if *inclusive { 0xc3 } else { 0xc2 });
                }
            }
        }
        Type::List(_) | Type::Set(_) | Type::Map(_) => {
            let lengths = [
                (refinement::MIN_LENGTH, known.min_length),
                (refinement::MAX_LENGTH, known.max_length),
            ];
            for (name, length) in lengths {
                if let Some(length) = length {
                    key(&mut body, name);
                    put_uint(&mut body, length);
                }
            }
        }
        _ => {}
    }
    // The keys above are at most four, and the prefix is short: the body's length fits a byte or two.
    if count == 0 {
        return put_unknown(out);
    }
    match body.len() + 1 {
        2 => out.push(0xd5),
        4 => out.push(0xd6),
        8 => out.push(0xd7),
        16 => out.push(0xd8),
        length => match u8::try_from(length) {
            Ok(length) => out.extend([0xc7, length]),
            Err(_) => {
                out.push(0xc8);
                out.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            }
        },
    }
    out.extend([REFINED.cast_unsigned(), 0x80 | count]);
    out.extend_from_slice(&body);
}

/// At most [`MAX_PREFIX`] bytes; the last character before a cut goes too, for the next might have been part of it.
fn shortened(prefix: &str) -> &str {
    if prefix.len() <= MAX_PREFIX {
        return prefix;
    }
    let mut end = MAX_PREFIX;
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    let mut cut = prefix[..end].chars();
    cut.next_back();
    cut.as_str()
}

fn put_number(out: &mut Vec<u8>, number: &Number) {
    if let Some(int) = number.as_i64() {
        put_int(out, int);
    } else if let Some(float) = number.as_exact_fraction() {
        out.push(0xcb);
        out.extend(float.to_be_bytes());
    } else {
        put_str(out, &number.to_string());
    }
}

/// The smallest form, as go-cty writes it: unsigned where it is not negative.
fn put_int(out: &mut Vec<u8>, int: i64) {
    if let Ok(unsigned) = u64::try_from(int) {
        return put_uint(out, unsigned);
    }
    if let Ok(int) = i8::try_from(int) {
        if int < -32 {
            out.push(0xd0);
        }
        out.push(int.cast_unsigned());
    } else if let Ok(int) = i16::try_from(int) {
        out.push(0xd1);
        out.extend(int.to_be_bytes());
    } else if let Ok(int) = i32::try_from(int) {
        out.push(0xd2);
        out.extend(int.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend(int.to_be_bytes());
    }
}

fn put_uint(out: &mut Vec<u8>, int: u64) {
    if let Ok(int) = u8::try_from(int) {
        if int > 127 {
            out.push(0xcc);
        }
        out.push(int);
    } else if let Ok(int) = u16::try_from(int) {
        out.push(0xcd);
        out.extend(int.to_be_bytes());
    } else if let Ok(int) = u32::try_from(int) {
        out.push(0xce);
        out.extend(int.to_be_bytes());
    } else {
        out.push(0xcf);
        out.extend(int.to_be_bytes());
    }
}

fn put_str(out: &mut Vec<u8>, text: &str) {
    match text.len() {
        length @ 0..=31 => out.push(0xa0 | length as u8),
        length @ 32..=0xff => out.extend([0xd9, length as u8]),
        length @ 0x100..=0xffff => {
            out.push(0xda);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0xdb);
            out.extend(length32(length).to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}

fn put_array_header(out: &mut Vec<u8>, length: usize) {
    put_header(out, length, 0x90, 0xdc);
}

fn put_map_header(out: &mut Vec<u8>, length: usize) {
    put_header(out, length, 0x80, 0xde);
}

fn put_header(out: &mut Vec<u8>, length: usize, small: u8, large: u8) {
    match length {
        0..=15 => out.push(small | length as u8),
        16..=0xffff => {
            out.push(large);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(large + 1);
            out.extend(length32(length).to_be_bytes());
        }
    }
}

fn length32(length: usize) -> u32 {
    u32::try_from(length).expect("invariant: no value is larger than a message may be")
}
