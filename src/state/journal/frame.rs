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

use std::fmt;

use bytes::Bytes;
use serde::de::IgnoredAny;

use crate::backend::Position;
use crate::digest::{Sha256, crc32c};

const MAGIC: &[u8; 4] = b"TJ1\n";
/// How many bytes lie before the payload.
pub(crate) const HEADER: usize = 4 + 4 + 4 + 8 + 8 + 8 + 32;
/// Where the header says which frame this is: epoch, segment, number, hash of the frame before.
const PLACE: usize = 4 + 4 + 4;
/// No record is larger, not even one that holds a whole state; a length above this is damage.
const MAX_PAYLOAD: usize = 600 * 1024 * 1024;

/// No journal has more bytes: it is trimmed whenever a run ends.
pub(crate) const MAX_JOURNAL: u64 = 1 << 30;

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
    /// The rest is the beginning of the next frame and nothing else: an interrupted write, never acknowledged.
    Torn,
    /// The rest is something else: a stored record may be lost.
    Damaged(Flaw),
}

/// What there is in place of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Zeros,
    NoFrame,
    Checksum,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zeros => "only zero bytes follow",
            Self::NoFrame => "something that is no record follows",
            Self::Checksum => "a record that fails its checksum follows",
        })
    }
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
    let end = start + HEADER + payload_length(header)?;
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
    let rest = &bytes[offset..];
    let reason = if rest.is_empty() {
        EndReason::Whole
    } else if is_torn(rest, frames.last()) {
        EndReason::Torn
    } else {
        EndReason::Damaged(flaw(rest))
    };
    (frames, End { offset, reason })
}

/// How long the payload is of a frame whose header begins like that; `None` where it is no header.
pub(crate) fn payload_length(header: &[u8]) -> Option<usize> {
    let length = header.strip_prefix(MAGIC)?.first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    (length <= MAX_PAYLOAD).then_some(length)
}

/// Whether the bytes are the beginning of the frame that follows `last`, and not all of it. Anything else may have been a record:
/// zeros where a file system lost blocks, a record whose bytes changed, another file.
fn is_torn(rest: &[u8], last: Option<&Frame>) -> bool {
    let magic = &MAGIC[..rest.len().min(MAGIC.len())];
    if !rest.starts_with(magic) {
        return false;
    }
    if rest.len() >= MAGIC.len() + 4
        && payload_length(rest).is_none_or(|length| rest.len() >= HEADER + length)
    {
        return false;
    }
    if let (Some(last), Some(place)) = (last, rest.get(PLACE..rest.len().min(HEADER)))
        && !places_after(last).any(|expected| expected.starts_with(place))
    {
        return false;
    }
    rest.get(HEADER..).is_none_or(is_beginning_of_json)
}

/// How the header of a frame goes on, from its epoch, that may follow: in the same segment, in the next, or in the next epoch.
fn places_after(last: &Frame) -> impl Iterator<Item = Vec<u8>> {
    let Position { epoch, segment } = last.at;
    let next = |epoch: Option<u64>, segment: Option<u64>, number: Option<u64>, previous: Sha256| {
        let counters = [epoch?, segment?, number?];
        let mut place: Vec<u8> = counters.into_iter().flat_map(u64::to_le_bytes).collect();
        place.extend_from_slice(previous.as_bytes());
        Some(place)
    };
    let number = last.number.checked_add(1);
    [
        next(Some(epoch), Some(segment), number, last.hash),
        next(Some(epoch), segment.checked_add(1), number, last.hash),
        next(epoch.checked_add(1), Some(0), Some(0), Sha256::default()),
    ]
    .into_iter()
    .flatten()
}

/// Whether more bytes could make it JSON as a writer writes it: without a byte that is no text, and not whole already.
fn is_beginning_of_json(bytes: &[u8]) -> bool {
    let is_text = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_text && serde_json::from_slice::<IgnoredAny>(bytes).is_err_and(|error| error.is_eof())
}

fn flaw(rest: &[u8]) -> Flaw {
    match payload_length(rest) {
        _ if rest.iter().all(|byte| *byte == 0) => Flaw::Zeros,
        Some(_) => Flaw::Checksum,
        None => Flaw::NoFrame,
    }
}

/// Every frame that can be read, also behind damage; for the report to a person.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn three() -> (Bytes, Vec<usize>) {
        let mut out = Vec::new();
        let mut previous = Sha256::default();
        let mut ends = Vec::new();
        for (number, payload) in [&b"{\"one\":1}"[..], b"", b"{\"three\":\"TJ1\\n\xc3\xa9\"}"]
            .iter()
            .enumerate()
        {
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
        assert_eq!(
            &*frames[2].payload,
            "{\"three\":\"TJ1\\n\u{e9}\"}".as_bytes()
        );
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

    fn damaged(reason: EndReason) -> bool {
        matches!(reason, EndReason::Damaged(_))
    }

    #[test]
    fn zeros_and_other_bytes_are_damage_wherever_they_begin() {
        let (bytes, ends) = three();
        for cut in 0..bytes.len() {
            // A few bytes may be those that belong there; where a frame should begin they are none.
            let few = (cut == 0 || ends.contains(&cut)).then_some([(0, 1), (b'T', 3)]);
            let many = [(0, 4096), (b'x', 100), (0xff, 700)];
            for (filler, length) in many.into_iter().chain(few.into_iter().flatten()) {
                let mut tail = bytes[..cut].to_vec();
                tail.extend(std::iter::repeat_n(filler, length));
                let (frames, end) = decode(&tail.into());
                assert_eq!(frames.len(), ends.iter().filter(|end| **end <= cut).count());
                assert!(damaged(end.reason), "{filler} from {cut}");
                assert_eq!(
                    end.reason == EndReason::Damaged(Flaw::Zeros),
                    filler == 0 && (cut == 0 || ends.contains(&cut)),
                    "{filler} from {cut}"
                );
            }
        }
    }

    #[test]
    fn the_beginning_of_a_frame_that_belongs_elsewhere_is_damage() {
        let (bytes, ends) = three();
        let last = bytes.slice(..ends[2]);
        for again in [bytes.slice(..40), bytes.slice(ends[1]..ends[1] + 50)] {
            let (_, end) = decode(&[last.clone(), again].concat().into());
            assert!(damaged(end.reason));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_flipped_bit_is_always_damage(at in 0usize..300, bit in 0u8..8) {
            let (bytes, ends) = three();
            let mut changed = bytes.to_vec();
            let at = at % changed.len();
            changed[at] ^= 1 << bit;
            let changed = Bytes::from(changed);
            let (frames, end) = decode(&changed);
            prop_assert_eq!(frames.len(), ends.iter().filter(|end| **end <= at).count());
            prop_assert!(damaged(end.reason));
            prop_assert_eq!(salvage(&changed).len(), 2);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (frames, _) = decode(&bytes.into());
            prop_assert!(frames.is_empty());
        }

        #[test]
        fn counters_at_their_end_overflow_nothing(
            epoch in near_the_end(), segment in near_the_end(), number in near_the_end(), cut in 0usize..75
        ) {
            let mut bytes = Vec::new();
            let place = Position { epoch, segment };
            let hash = encode(place, number, Sha256::default(), b"{}", &mut bytes);
            let whole = bytes.len();
            encode(place, number, hash, b"{\"a\":1}", &mut bytes);
            bytes.truncate(whole + cut);
            let (frames, _) = decode(&bytes.into());
            prop_assert_eq!(frames.len(), 1);
        }
    }

    fn near_the_end() -> impl Strategy<Value = u64> {
        prop_oneof![0..3u64, u64::MAX - 2..=u64::MAX]
    }
}
