//! Files that an earlier run wrote for a later one: read only where no other user could have written them.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use crate::temporary::is_ours;

/// Reads a whole file of at most so many bytes that is ours and that no other user may write.
///
/// # Errors
/// When it cannot be read, is too long, is no regular file, or could be another user's work.
pub fn read_own(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let metadata = file.metadata()?;
    let refused = |reason| Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    if !metadata.is_file() {
        return refused("it is not a regular file");
    }
    if !is_ours(&metadata) {
        return refused("it belongs to another user");
    }
    if metadata.permissions().mode() & 0o022 != 0 {
        return refused("other users may write it");
    }
    if metadata.len() > most {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_that_others_could_have_written_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        crate::replace(&file, b"kept").expect("written");
        assert_eq!(read_own(&file, 4).expect("readable"), b"kept");
        let problem = |path: &Path, most| read_own(path, most).expect_err("refused").kind();
        assert_eq!(problem(&file, 3), io::ErrorKind::FileTooLarge);
        let link = folder.path().join("link");
        symlink(&file, &link).expect("a link");
        read_own(&link, 4).expect_err("a link is not followed");
        std::fs::set_permissions(&file, Permissions::from_mode(0o620)).expect("set");
        assert_eq!(problem(&file, 4), io::ErrorKind::PermissionDenied);
        assert_eq!(problem(folder.path(), 4), io::ErrorKind::PermissionDenied);
    }
}
