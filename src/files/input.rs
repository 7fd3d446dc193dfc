//! Files that a person names and that are read whole: of any kind, and no longer than a bound.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// Reads a text of at most so many bytes. A device that never ends is too long.
///
/// # Errors
/// When it cannot be read, is too long or is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if text.len() as u64 > most {
        let reason = format!("it is longer than {} MiB", most >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(text)
}

/// Whether reading it may have to wait for a writer.
pub fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_is_refused_before_it_is_all_in_memory() {
        let endless = read_text(Path::new("/dev/zero"), 1 << 20).expect_err("too long");
        assert_eq!(endless.to_string(), "it is longer than 1 MiB");
        assert_eq!(read_text(Path::new("/dev/null"), 0).expect("readable"), "");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x");
        fs::write(&file, "12345").expect("writable");
        assert_eq!(read_text(&file, 5).expect("readable"), "12345");
        assert!(read_text(&file, 4).is_err());
        assert!(!is_pipe(&file));
    }
}
