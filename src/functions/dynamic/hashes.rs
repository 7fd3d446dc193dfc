//! Digests and base64.

use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use terrane_core::Value;
use uuid::Uuid;

use super::calls::at;
use super::conversions::text;

/// The answer of a function of this file.
pub(super) fn answer(name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    if name == "uuidv5" {
        return Some(uuidv5(arguments));
    }
    if name == "base64decode" {
        let decoded = at(arguments, 0).and_then(text).and_then(|it| {
            let bytes = BASE64
                .decode(it.as_bytes())
                .map_err(|error| error.to_string())?;
            Ok(String::from_utf8(bytes)
                .map_err(|_| "finds bytes that are not text")?
                .into())
        });
        return Some(decoded);
    }
    // No way to say of any other function that it is none but to try it.
    digest(name, b"")?;
    let made = at(arguments, 0)
        .and_then(text)
        .and_then(|it| digest(name, it.as_bytes()).ok_or_else(|| "has no result".to_owned()));
    Some(made.map(Value::from))
}

/// A text made of bytes.
pub(super) fn digest(name: &str, bytes: &[u8]) -> Option<String> {
    Some(match name {
        "base64encode" => BASE64.encode(bytes),
        "md5" => HEXLOWER.encode(&Md5::digest(bytes)),
        "sha1" => HEXLOWER.encode(&Sha1::digest(bytes)),
        "sha256" => HEXLOWER.encode(&Sha256::digest(bytes)),
        "sha512" => HEXLOWER.encode(&Sha512::digest(bytes)),
        "base64sha256" => BASE64.encode(&Sha256::digest(bytes)),
        "base64sha512" => BASE64.encode(&Sha512::digest(bytes)),
        _ => return None,
    })
}

fn uuidv5(arguments: &[Value]) -> Result<Value, String> {
    let (space, name) = (text(at(arguments, 0)?)?, text(at(arguments, 1)?)?);
    let space = match &*space {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => other
            .parse()
            .map_err(|_| format!("knows no namespace `{other}`"))?,
    };
    Ok(Uuid::new_v5(&space, name.as_bytes()).to_string().into())
}
