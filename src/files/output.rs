//! Files that a person names for a command's output: new private ones, unless a pipe or a terminal is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::temporary::{Temporary, is_ours};
use crate::whole::replace;

/// Writes a whole document there, in the place of the file that is there now.
///
/// # Errors
/// When it cannot be written; a file that was there is there still.
pub fn write_output(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match destination(path)? {
        Destination::File(path) => replace(&path, bytes),
        Destination::Stream(path) => open(&path)?.write_all(bytes),
    }
}

/// An empty file in the place of the one that is there now, for what comes bit by bit and can be read meanwhile.
///
/// # Errors
/// When it cannot be made; a file that was there is there still.
pub fn create_output(path: &Path) -> io::Result<File> {
    match destination(path)? {
        Destination::File(path) => {
            let mut new = Temporary::beside(&path)?;
            new.rename_to(&path)?;
            let file = new.file.try_clone()?;
            file.unlock()?;
            Ok(file)
        }
        Destination::Stream(path) => open(&path),
    }
}

/// The target of a path.
enum Destination {
    /// A file, or nothing yet.
    File(PathBuf),
    /// A pipe, a terminal, a device: nothing that could be replaced.
    Stream(PathBuf),
}

fn destination(path: &Path) -> io::Result<Destination> {
    match path.metadata() {
        Ok(there) if there.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(there) if !there.is_file() => Ok(Destination::Stream(path.to_owned())),
        // A link to a file of ours stays; one that leads to somebody else's is replaced.
        Ok(there) if is_ours(&there) => path.canonicalize().map(Destination::File),
        _ => Ok(Destination::File(path.to_owned())),
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_written_is_private_also_where_everybody_could_read_the_old_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        let mode = || path.metadata().expect("there").permissions().mode() & 0o777;
        std::fs::write(&path, "old").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        let mut reader = File::open(&path).expect("there");
        write_output(&path, b"new").expect("written");
        assert_eq!(mode(), 0o600);
        let mut seen = String::new();
        io::Read::read_to_string(&mut reader, &mut seen).expect("readable");
        assert_eq!(seen, "old", "an open reader still sees the old content");
        let mut stream = create_output(&path).expect("made");
        assert_eq!(mode(), 0o600);
        stream.write_all(b"line\n").expect("written");
        assert_eq!(
            std::fs::read_to_string(&path).expect("readable"),
            "line\n",
            "it can be followed"
        );
        assert_eq!(folder.path().read_dir().expect("a folder").count(), 1);
    }

    #[test]
    fn a_link_is_followed_to_a_file_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "").expect("written");
        symlink(&file, &link).expect("a link");
        write_output(&link, b"new").expect("written");
        assert_eq!(std::fs::read_to_string(&file).expect("readable"), "new");
        assert!(link.symlink_metadata().expect("there").is_symlink());
        let device = folder.path().join("device");
        symlink("/dev/null", &device).expect("a link");
        write_output(&device, b"new").expect("written");
        create_output(&device).expect("opened");
        assert!(device.symlink_metadata().expect("there").is_symlink());
        write_output(folder.path(), b"new").expect_err("a folder is there");
    }
}
