//! Reads content that is too large to hold.

use std::io::{self, Read};

/// Hands everything that a reader gives to `each`, piece by piece.
///
/// # Errors
/// When it cannot be read to its end.
pub fn each_piece(mut reader: impl Read, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; 1 << 18];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => each(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
