//! Identifies a provider's binary by the hash of its content.

use std::fs::File;
use std::io;
use std::path::Path;

use aws_lc_rs::digest::{Context, Digest, SHA256, digest};
use terrane_files::each_piece;
use terrane_registry::Stamp;

/// The SHA-256 of some content.
pub(super) type Hash = [u8; 32];

/// The hash of a file's content; `None` where it is not, or no longer, the file with that stamp.
pub(super) fn hash_of(path: &Path, stamp: Stamp) -> io::Result<Option<Hash>> {
    let file = File::open(path)?;
    let mut hash = Context::new(&SHA256);
    each_piece(&file, |piece| hash.update(piece))?;
    let same = Stamp::from(&file.metadata()?) == stamp && Stamp::of(path)? == stamp;
    Ok(same.then(|| finished(hash)))
}

/// The hash of those bytes.
pub(super) fn hash_of_bytes(bytes: &[u8]) -> Hash {
    array(digest(&SHA256, bytes))
}

/// The hash of everything that went into the context.
pub(super) fn finished(context: Context) -> Hash {
    array(context.finish())
}

fn array(digest: Digest) -> Hash {
    (digest.as_ref().try_into()).expect("invariant: SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_longer_the_one_of_the_stamp_is_not_hashed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("binary");
        std::fs::write(&path, "one").expect("written");
        let stamp = Stamp::of(&path).expect("there");
        let hash = hash_of(&path, stamp).expect("readable");
        assert_eq!(hash, Some(hash_of_bytes(b"one")));
        std::fs::write(&path, "longer").expect("written");
        assert_eq!(hash_of(&path, stamp).expect("readable"), None);
    }
}
