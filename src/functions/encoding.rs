//! Values and texts in JSON, in URLs and in other encodings.

use data_encoding::{BASE64, HEXUPPER};
use serde::Serialize;
use terrane_core::{Value, go_json};

use crate::FunctionError;

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// UTF-16 with the low byte first, as Windows and PowerShell want it.
    Utf16Le,
    /// UTF-16 with the high byte first.
    Utf16Be,
    /// ISO 8859-1.
    Latin1,
}

/// A value as JSON, with the bytes of Terraform's: names in order, and `<`, `>` and `&` escaped.
///
/// # Errors
/// When the value cannot be said in JSON: an infinite number, one with more digits than serde's numbers hold, a map whose keys are no texts.
pub fn jsonencode(value: &impl Serialize) -> Result<String, FunctionError> {
    const NAME: &str = "jsonencode";
    let value = value_of(NAME, value)?;
    json(NAME, &value)
}

pub(crate) fn json(function: &'static str, value: &Value) -> Result<String, FunctionError> {
    let json = value.to_json(&value.implied_type());
    let json = json.map_err(|error| unwritable(function, &error))?;
    Ok(go_json::escaped(&json).into_owned())
}

/// The value that serde sees.
pub(crate) fn value_of(
    function: &'static str,
    value: &impl Serialize,
) -> Result<Value, FunctionError> {
    let json = serde_json::to_value(value).map_err(|error| unwritable(function, &error))?;
    Ok(json.into())
}

fn unwritable(function: &'static str, why: &dyn std::fmt::Display) -> FunctionError {
    FunctionError::new(function, format!("cannot write the value: {why}"))
}

/// A text in another encoding, as base64: `-EncodedCommand` of PowerShell takes [`Charset::Utf16Le`].
///
/// # Errors
/// When the encoding lacks a character of the text.
pub fn textencodebase64(text: &str, charset: Charset) -> Result<String, FunctionError> {
    let bytes = match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Charset::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Charset::Latin1 => {
            let byte = |character: char| {
                u8::try_from(u32::from(character)).map_err(|_| {
                    let reason = format!("finds no `{character}` in ISO 8859-1");
                    FunctionError::new("textencodebase64", reason)
                })
            };
            text.chars().map(byte).collect::<Result<_, _>>()?
        }
    };
    Ok(BASE64.encode(&bytes))
}

/// The text that base64 holds in another encoding.
///
/// # Errors
/// When it is no base64, or no text in the encoding.
pub fn textdecodebase64(encoded: &str, charset: Charset) -> Result<String, FunctionError> {
    let error = |reason: String| FunctionError::new("textdecodebase64", reason);
    let bytes = BASE64.decode(encoded.as_bytes());
    let bytes = bytes.map_err(|why| error(format!("cannot decode its argument: {why}")))?;
    let wide = |unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text = String::from_utf16(&pairs.iter().copied().map(unit).collect::<Vec<_>>());
        text.ok().filter(|_| rest.is_empty())
    };
    let text = match charset {
        Charset::Utf8 => String::from_utf8(bytes.clone()).ok(),
        Charset::Utf16Le => wide(u16::from_le_bytes),
        Charset::Utf16Be => wide(u16::from_be_bytes),
        Charset::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
    };
    text.ok_or_else(|| error("finds bytes that are not text".to_owned()))
}

impl Charset {
    /// The encoding of a name, in upper or lower case: `UTF-8`, `UTF-16LE`, `UTF-16BE`, `ISO-8859-1`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match &*name.to_ascii_lowercase() {
            "utf-8" => Self::Utf8,
            "utf-16le" => Self::Utf16Le,
            "utf-16be" => Self::Utf16Be,
            "iso-8859-1" => Self::Latin1,
            _ => return None,
        })
    }
}

/// A text for the query of a URL: a space becomes `+`.
pub fn urlencode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            byte => {
                encoded.push('%');
                HEXUPPER.encode_append(&[byte], &mut encoded);
            }
        }
    }
    encoded
}
