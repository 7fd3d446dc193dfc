//! Identifies a provider's binary by the hash of its content.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use terrane_files::each_piece;
use terrane_registry::Stamp;

/// The SHA-256 of some content.
pub(super) type Hash = [u8; 32];

/// The hash of a file's content; `None` where it is not, or no longer, the file with that stamp.
pub(super) fn hash_of(path: &Path, stamp: Stamp) -> io::Result<Option<Hash>> {
    let file = File::open(path)?;
    let mut hash = Sha256::new();
    each_piece(&file, |piece| hash.update(piece))?;
    let same = Stamp::from(&file.metadata()?) == stamp && Stamp::of(path)? == stamp;
    Ok(same.then(|| hash.finalize().into()))
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
        assert_eq!(hash, Some(Sha256::digest("one").into()));
        std::fs::write(&path, "longer").expect("written");
        assert_eq!(hash_of(&path, stamp).expect("readable"), None);
    }
}
