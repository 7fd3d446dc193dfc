//! An encrypted state in either form: whole, or its sensitive values alone.

use super::envelope::Envelope;
use super::leaves::Leaves;
use super::whole;

/// A file that holds an encrypted state.
#[derive(Debug)]
pub(super) enum SealedState<'a> {
    /// Everything is in an envelope, which must be for that place.
    Whole(Envelope, String),
    /// Only what is sensitive is encrypted.
    Leaves(Leaves<'a>),
}

impl<'a> SealedState<'a> {
    /// The encrypted state in a file; `None` where it is in clear.
    pub(super) fn find(file: &'a [u8]) -> Option<Self> {
        match whole::envelope(file) {
            Some((envelope, place)) => Some(Self::Whole(envelope, place)),
            None => Leaves::find(file).map(Self::Leaves),
        }
    }

    /// The key service that it is encrypted with.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::Whole(envelope, _) => &envelope.key,
            Self::Leaves(leaves) => &leaves.header.key,
        }
    }
}
