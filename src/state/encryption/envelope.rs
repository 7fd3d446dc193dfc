//! Bytes encrypted with a data key, which comes along, encrypted by a key service.

use std::fmt;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use terrane_vault::DataKey;

/// The form of envelopes that this version writes.
pub(super) const VERSION: u32 = 1;
const NONCE: usize = 12;

/// Encrypted bytes, as JSON.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope {
    pub(super) version: u32,
    /// The key service that encrypted the data key.
    pub(super) key: String,
    /// The data key, encrypted.
    #[serde(with = "base64")]
    pub(super) data_key: Vec<u8>,
    /// Nonce and ciphertext.
    #[serde(with = "base64")]
    content: Vec<u8>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({}, {} bytes)", self.key, self.content.len())
    }
}

/// Something was changed, or moved from another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forged;

/// A data key, as it is and as a key service encrypted it.
#[derive(Debug, Clone)]
pub(super) struct WrappedKey {
    pub(super) key: DataKey,
    pub(super) service: String,
    pub(super) wrapped: Vec<u8>,
}

impl Envelope {
    /// Encrypts bytes for one place.
    pub(super) fn seal(key: &WrappedKey, place: &str, bytes: &[u8]) -> Self {
        Self {
            version: VERSION,
            key: key.service.clone(),
            data_key: key.wrapped.clone(),
            content: encrypt(&key.key, place, bytes),
        }
    }

    /// Decrypts what was encrypted for that place.
    pub(super) fn open(&self, key: &DataKey, place: &str) -> Result<Vec<u8>, Forged> {
        decrypt(key, place, &self.content)
    }
}

/// Nonce and ciphertext of bytes for one place.
pub(super) fn encrypt(key: &DataKey, place: &str, bytes: &[u8]) -> Vec<u8> {
    let length = (place.len() as u64).to_le_bytes();
    let nonce = mac(key, "nonce", [&length[..], place.as_bytes(), bytes]);
    let nonce = &nonce[..NONCE];
    let payload = Payload {
        msg: bytes,
        aad: place.as_bytes(),
    };
    let sealed = cipher(key).encrypt(Nonce::from_slice(nonce), payload);
    let sealed = sealed.expect("invariant: no content has 64 GiB");
    [nonce, &sealed].concat()
}

/// The bytes that were encrypted for that place.
pub(super) fn decrypt(key: &DataKey, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Forged> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or(Forged)?;
    let payload = Payload {
        msg: sealed,
        aad: place.as_bytes(),
    };
    let opened = cipher(key).decrypt(Nonce::from_slice(nonce), payload);
    opened.map_err(|_| Forged)
}

/// A keyed hash of these parts, one after another.
pub(super) fn mac<'a>(
    key: &DataKey,
    purpose: &str,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key.0));
    mac.update(purpose.as_bytes());
    mac.update(b"\0");
    parts.into_iter().for_each(|part| mac.update(part));
    mac.sign().as_ref().to_vec()
}

/// Whether that is the keyed hash of these parts.
pub(super) fn is_mac<'a>(
    key: &DataKey,
    purpose: &str,
    parts: impl IntoIterator<Item = &'a [u8]>,
    said: &[u8],
) -> bool {
    verify_slices_are_equal(&mac(key, purpose, parts), said).is_ok()
}

fn cipher(key: &DataKey) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(&key.0).expect("invariant: the key has 256 bits")
}

/// For `#[serde(with)]`: bytes as base64.
pub(super) mod base64 {
    use super::BASE64;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in crate::encryption) fn serialize<S: Serializer>(
        bytes: &[u8],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(bytes))
    }

    pub(in crate::encryption) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        BASE64.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}
