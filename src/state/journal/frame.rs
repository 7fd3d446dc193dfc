//! How records lie in bytes: length, checksum, place, hash of the record before, payload.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic `TJ1\n` |
//! | 4 | length of the payload, little endian |
//! | 4 | CRC-32C of everything after this field |
//! | 8 | epoch |
//! | 8 | segment in the epoch |
//! | 8 | number of the record in the epoch, from 0 |
//! | 32 | SHA-256 of the frame before in the epoch, checksum field and all; zeros for the first |
//! | … | payload, JSON |

use bytes::Bytes;

use crate::backend::Position;
use crate::digest::{Sha256, crc32c};

const MAGIC: &[u8; 4] = b"TJ1\n";
const HEADER: usize = 4 + 4 + 4 + 8 + 8 + 8 + 32;
/// No record is larger, not even one that holds a whole state; a length above this is damage.
const MAX_PAYLOAD: usize = 600 * 1024 * 1024;

/// One record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) at: Position,
    pub(crate) number: u64,
    pub(crate) previous: Sha256,
    pub(crate) hash: Sha256,
    pub(crate) payload: Bytes,
}

impl Frame {
    /// How many bytes it takes.
    pub(crate) fn encoded_length(&self) -> usize {
        HEADER + self.payload.len()
    }
}

/// Where the frames of some bytes end, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// The offset behind the last good frame.
    pub(crate) offset: usize,
    pub(crate) reason: EndReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// All bytes were frames.
    Whole,
    /// The rest is the beginning of a frame, or a frame whose bytes did not all arrive, with nothing good after it.
    Torn,
    /// A good frame follows what could not be read.
    Damaged,
}

/// Appends a frame to `out`; its hash, for the next.
pub(crate) fn encode(
    at: Position,
    number: u64,
    previous: Sha256,
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Sha256 {
    let start = out.len();
    let length = u32::try_from(payload.len()).expect("invariant: no record has 4 GiB");
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&at.epoch.to_le_bytes());
    out.extend_from_slice(&at.segment.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(previous.as_bytes());
    out.extend_from_slice(payload);
    let crc = crc32c(&out[start + 12..]);
    out[start + 8..start + 12].copy_from_slice(&crc.to_le_bytes());
    Sha256::of(&out[start..])
}

/// The frame at an offset, with the offset behind it.
fn frame_at(bytes: &Bytes, start: usize) -> Option<(Frame, usize)> {
    let header = bytes.get(start..start + HEADER)?;
    if &header[..4] != MAGIC {
        return None;
    }
    let u32_at = |at: usize| {
        u32::from_le_bytes(
            header[at..at + 4]
                .try_into()
                .expect("invariant: four bytes"),
        )
    };
    let u64_at = |at: usize| {
        u64::from_le_bytes(
            header[at..at + 8]
                .try_into()
                .expect("invariant: eight bytes"),
        )
    };
    let length = u32_at(4) as usize;
    if length > MAX_PAYLOAD {
        return None;
    }
    let end = start + HEADER + length;
    let whole = bytes.get(start..end)?;
    if crc32c(&whole[12..]) != u32_at(8) {
        return None;
    }
    let previous = header[36..68]
        .try_into()
        .expect("invariant: thirty-two bytes");
    let frame = Frame {
        at: Position {
            epoch: u64_at(12),
            segment: u64_at(20),
        },
        number: u64_at(28),
        previous: Sha256::from_bytes(previous),
        hash: Sha256::of(whole),
        payload: bytes.slice(start + HEADER..end),
    };
    Some((frame, end))
}

/// Every frame from the start, and how the bytes end.
pub(crate) fn decode(bytes: &Bytes) -> (Vec<Frame>, End) {
    let mut frames = Vec::new();
    let mut offset = 0;
    while let Some((frame, end)) = frame_at(bytes, offset) {
        frames.push(frame);
        offset = end;
    }
    let reason = if offset == bytes.len() {
        EndReason::Whole
    } else if has_frame_after(bytes, offset) {
        EndReason::Damaged
    } else {
        EndReason::Torn
    };
    (frames, End { offset, reason })
}

/// Every frame that can be read, also behind damage; to tell a person what is known.
pub(crate) fn salvage(bytes: &Bytes) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut offset = 0;
    let mut effort = effort(bytes);
    while offset < bytes.len() {
        match frame_at(bytes, offset) {
            Some((frame, end)) => {
                frames.push(frame);
                offset = end;
            }
            None if effort == 0 => break,
            None => {
                effort = effort.saturating_sub(announced(bytes, offset));
                match find_magic(bytes, offset + 1) {
                    Some(next) => offset = next,
                    None => break,
                }
            }
        }
    }
    frames
}

/// How many bytes are summed up in vain before a search ends. A writer puts the magic only where a frame begins, so that a search
/// comes to an end at once; bytes that are full of beginnings were made by no writer.
fn effort(bytes: &[u8]) -> usize {
    bytes.len().saturating_mul(4)
}

/// How much the frame that seems to begin there says that it has, as far as it is there.
fn announced(bytes: &[u8], start: usize) -> usize {
    let length = bytes.get(start + 4..start + 8);
    let length = length.and_then(|length| length.try_into().ok());
    let length = length.map_or(0, u32::from_le_bytes) as usize;
    (HEADER + length).min(bytes.len() - start)
}

fn find_magic(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(4)
        .position(|window| window == MAGIC)
        .map(|at| from + at)
}

fn has_frame_after(bytes: &Bytes, offset: usize) -> bool {
    let mut from = offset + 1;
    let mut effort = effort(bytes);
    while let Some(start) = find_magic(bytes, from) {
        // What could not be searched to its end counts as damage: that is refused, a torn tail is not.
        if effort == 0 || frame_at(bytes, start).is_some() {
            return true;
        }
        effort = effort.saturating_sub(announced(bytes, start));
        from = start + 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn three() -> (Bytes, Vec<usize>) {
        let mut out = Vec::new();
        let mut previous = Sha256::default();
        let mut ends = Vec::new();
        for (number, payload) in [&b"one"[..], b"", b"three TJ1\n"].iter().enumerate() {
            let at = Position {
                epoch: 3,
                segment: number as u64 / 2,
            };
            previous = encode(at, number as u64, previous, payload, &mut out);
            ends.push(out.len());
        }
        (out.into(), ends)
    }

    #[test]
    fn frames_come_back_as_they_went_in() {
        let (bytes, ends) = three();
        let (frames, end) = decode(&bytes);
        assert_eq!(
            end,
            End {
                offset: ends[2],
                reason: EndReason::Whole
            }
        );
        assert_eq!(frames.len(), 3);
        assert_eq!(&*frames[2].payload, b"three TJ1\n");
        assert_eq!(frames[2].previous, frames[1].hash);
        assert_eq!(
            frames[2].at,
            Position {
                epoch: 3,
                segment: 1
            }
        );
    }

    #[test]
    fn a_cut_anywhere_is_a_torn_tail_behind_the_last_good_frame() {
        let (bytes, ends) = three();
        for cut in 0..bytes.len() {
            let (frames, end) = decode(&bytes.slice(..cut));
            let good = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(frames.len(), good);
            let whole = cut == 0 || ends.contains(&cut);
            assert_eq!(
                end.reason,
                if whole {
                    EndReason::Whole
                } else {
                    EndReason::Torn
                }
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_flipped_bit_is_always_seen(at in 0usize..200, bit in 0u8..8) {
            let (bytes, ends) = three();
            let mut damaged = bytes.to_vec();
            let at = at % damaged.len();
            damaged[at] ^= 1 << bit;
            let damaged = Bytes::from(damaged);
            let (frames, end) = decode(&damaged);
            let hit = ends.iter().filter(|end| **end <= at).count();
            prop_assert_eq!(frames.len(), hit);
            prop_assert_eq!(end.reason, if hit == 2 { EndReason::Torn } else { EndReason::Damaged });
            prop_assert_eq!(salvage(&damaged).len(), 2);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (frames, _) = decode(&bytes.into());
            prop_assert!(frames.is_empty());
        }
    }
}
