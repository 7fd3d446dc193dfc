//! Encrypted records of the journal: each frame, whole, in a frame of its own.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::envelope::{Envelope, WrappedKey};
use crate::digest::Sha256;
use crate::journal::frame::{self, Frame, HEADER};

/// The payload of a frame that holds an encrypted one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    terrane_encryption: Envelope,
}

/// The place of a record: where its frame lies.
fn place(frame: &Frame) -> String {
    let at = frame.at;
    format!(
        "terrane journal\n{}\n{}\n{}",
        at.epoch, at.segment, frame.number
    )
}

/// Appends the frame, encrypted, whose predecessor in the store has that hash; returns its own.
pub(super) fn seal(
    key: &WrappedKey,
    frame: &Frame,
    plain: &[u8],
    previous: Sha256,
    out: &mut Vec<u8>,
) -> Sha256 {
    let sealed = Sealed {
        terrane_encryption: Envelope::seal(key, &place(frame), plain),
    };
    let payload = serde_json::to_vec(&sealed).expect("invariant: a record is serialisable");
    frame::encode(frame.at, frame.number, previous, &payload, out)
}

/// The envelope in a stored frame and its place; `None` where the record is in clear.
pub(super) fn envelope(frame: &Frame) -> Option<(Envelope, String)> {
    let sealed: Sealed = serde_json::from_slice(&frame.payload).ok()?;
    Some((sealed.terrane_encryption, place(frame)))
}

/// The envelope in the first frame of these, where the program names no key; cheap where they are in clear.
pub(super) fn first_envelope(bytes: &Bytes) -> Option<Envelope> {
    const BEGINNING: &[u8] = br#"{"terrane_encryption":"#;
    bytes.get(HEADER..)?.starts_with(BEGINNING).then_some(())?;
    let (frames, _) = frame::decode(bytes);
    let (envelope, _) = envelope(frames.first()?)?;
    Some(envelope)
}
