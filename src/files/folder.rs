//! Folders that only their owner can enter, ignored by Git.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::io::Errno;

use crate::whole::{replace, tolerate};

/// Where terrane keeps everything that no one named another place for.
const OURS: &str = ".terrane";

/// Makes a folder and those above it, each with mode 0700 under any umask. In a folder named `.terrane` it sees to it that Git ignores
/// what is there: states and plans hold secrets.
///
/// # Errors
/// When a folder cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    create(path)?;
    if let Some(ours) = path.ancestors().find(|it| it.ends_with(OURS)) {
        let ignored = ours.join(".gitignore");
        if ignored.symlink_metadata().is_err() {
            // The next run tries again.
            let _ = replace(&ignored, b"*\n");
        }
    }
    Ok(())
}

fn create(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        create(above)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // A umask only removes rights, but it may remove ones that we need.
        Ok(()) => tolerate(
            std::fs::set_permissions(path, Permissions::from_mode(0o700)),
            &[Errno::PERM, Errno::OPNOTSUPP, Errno::NOSYS],
        ),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn git_ignores_everything_in_our_folder_also_when_another_tool_made_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let ours = folder.path().join(".terrane");
        let ignored = ours.join(".gitignore");
        create_folder(&ours.join("sandbox/prod")).expect("made");
        assert_eq!(std::fs::read_to_string(&ignored).expect("there"), "*\n");
        assert_eq!(mode(&ignored), 0o600);
        assert_eq!(
            [mode(&ours), mode(&ours.join("sandbox/prod"))],
            [0o700, 0o700]
        );
        // There without one, or with somebody's own.
        std::fs::remove_file(&ignored).expect("removed");
        create_folder(&ours.join("prod")).expect("made");
        assert!(ignored.exists());
        std::fs::write(&ignored, "!keep\n").expect("written");
        create_folder(&ours).expect("made");
        assert_eq!(std::fs::read_to_string(&ignored).expect("there"), "!keep\n");
        create_folder(&folder.path().join("elsewhere")).expect("made");
        assert!(!folder.path().join("elsewhere/.gitignore").exists());
    }
}
