//! The text of a state file in pieces.

use std::fmt;

use bytes::Bytes;

use crate::digest::Sha256;

/// A text in pieces. The lists of dependencies are most of a large state's text and occur again and again: there they are one piece.
#[derive(Clone, Default)]
pub struct Pieces(Vec<Bytes>);

impl Pieces {
    pub(super) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.0.push(piece);
        }
    }

    /// Piece after piece.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|piece| &**piece)
    }

    /// The whole in one.
    pub fn to_vec(&self) -> Vec<u8> {
        self.0.concat()
    }

    pub(super) fn into_string(self) -> String {
        String::from_utf8(self.to_vec()).expect("invariant: pieces of text are text")
    }

    /// SHA-256 of the whole.
    pub fn sha256(&self) -> Sha256 {
        Sha256::of_pieces(self.iter())
    }
}

impl From<Bytes> for Pieces {
    fn from(whole: Bytes) -> Self {
        Self(vec![whole])
    }
}

impl fmt::Debug for Pieces {
    /// Only the size: the text may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length: usize = self.iter().map(<[u8]>::len).sum();
        write!(f, "Pieces({length} bytes)")
    }
}
