//! Checksums: SHA-256 of stored bytes, and the CRC that guards journal records.

use std::fmt;
use std::io;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256, digest};
use aws_lc_rs::hmac;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use thiserror::Error;

/// SHA-256 of some bytes; prints as hexadecimal.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Of those bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_slice(digest(&SHA256, bytes).as_ref())
    }

    /// Of those bytes, piece after piece.
    pub(crate) fn of_pieces<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Self {
        let mut context = Context::new(&SHA256);
        pieces.for_each(|piece| context.update(piece));
        Self::from_slice(context.finish().as_ref())
    }

    /// Of everything that a reader gives, piece by piece: for files that are too large to hold.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn of_reader(reader: impl io::Read) -> io::Result<Self> {
        let mut context = Context::new(&SHA256);
        terrane_files::each_piece(reader, |piece| context.update(piece))?;
        Ok(Self::from_slice(context.finish().as_ref()))
    }

    /// Of those bytes under a key: HMAC (RFC 2104).
    pub fn keyed(key: &[u8], bytes: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self::from_slice(hmac::sign(&key, bytes).as_ref())
    }

    fn from_slice(digest: &[u8]) -> Self {
        Self(digest.try_into().expect("invariant: SHA-256 has 32 bytes"))
    }

    /// The bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest with those bytes.
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// The text is not a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a SHA-256 (64 hexadecimal digits)")]
#[non_exhaustive]
pub struct ParseSha256Error {
    /// The text.
    pub text: String,
}

impl FromStr for Sha256 {
    type Err = ParseSha256Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseSha256Error {
            text: text.chars().take(80).collect(),
        };
        let bytes = HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .map_err(|_| error())?;
        bytes.try_into().map(Self).map_err(|_| error())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// CRC-32C (Castagnoli), by table: records are small, so nothing faster is worth a dependency.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut entry = 0;
        while entry < 256 {
            let mut crc = entry as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 1 {
                    (crc >> 1) ^ 0x82f6_3b78
                } else {
                    crc >> 1
                };
                bit += 1;
            }
            table[entry] = crc;
            entry += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, byte| {
        (crc >> 8) ^ TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_agree_with_their_published_vectors() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(
            Sha256::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let long = vec![7; 1 << 20];
        let read = Sha256::of_reader(&long[..]).expect("memory can be read");
        assert_eq!(read, Sha256::of(&long));
        let digest = Sha256::of(b"");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("zz".parse::<Sha256>().is_err());
        assert_eq!(
            Sha256::keyed(b"key", b"The quick brown fox jumps over the lazy dog").to_string(),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
        );
    }
}
