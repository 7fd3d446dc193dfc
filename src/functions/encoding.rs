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
