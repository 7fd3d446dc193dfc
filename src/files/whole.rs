//! A file takes the place of another in one step: a reader sees the old one or the new one.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::io::Errno;

use crate::temporary::{Temporary, sweep};

/// How far a replacement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The new content is on the disk, under a temporary name.
    Written,
    /// It has its name; the folder is not on the disk yet.
    Renamed,
}

/// Puts a whole file with mode 0600 in the place of another, or leaves that one as it is. Durable on return.
///
/// # Errors
/// When it could not be written. The new content may be in place all the same, where only making that durable failed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_at(path, [bytes], |_| Ok(()))
}

/// The same with content in pieces, and with an action at each moment on the way.
///
/// # Errors
/// As [`replace`], and those of `at`: before the renaming they leave everything as it was.
pub fn replace_at<'b>(
    path: &Path,
    pieces: impl IntoIterator<Item = &'b [u8]>,
    mut at: impl FnMut(Moment) -> io::Result<()>,
) -> io::Result<()> {
    let folder = parent(path);
    sweep(folder);
    let mut temporary = Temporary::beside(path)?;
    let mut file = BufWriter::with_capacity(1 << 16, &mut temporary.file);
    for piece in pieces {
        file.write_all(piece)?;
    }
    file.flush()?;
    drop(file);
    temporary.file.sync_all()?;
    at(Moment::Written)?;
    temporary.rename_to(path)?;
    at(Moment::Renamed)?;
    sync_folder(folder)
}

/// The folder of a file.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    }
}

/// Takes everybody else's rights to a file of ours, and gives back those that a umask took from us.
///
/// # Errors
/// When the file cannot be changed; where a file system keeps no modes, it says who may read.
pub fn restrict(file: &File) -> io::Result<()> {
    tolerate(
        file.set_permissions(Permissions::from_mode(0o600)),
        &[Errno::PERM, Errno::OPNOTSUPP, Errno::NOSYS],
    )
}

/// Makes the names in a folder durable, where a file system has something to do for that.
///
/// # Errors
/// When the folder cannot be opened or synced.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    tolerate(
        File::open(path)?.sync_all(),
        &[Errno::INVAL, Errno::BADF, Errno::OPNOTSUPP, Errno::NOSYS],
    )
}

/// Takes an answer that means "this file system does not have that" for done.
pub(crate) fn tolerate(done: io::Result<()>, missing: &[Errno]) -> io::Result<()> {
    match done {
        Err(error) if Errno::from_io_error(&error).is_some_and(|it| missing.contains(&it)) => {
            Ok(())
        }
        done => done,
    }
}
