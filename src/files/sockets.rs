//! Folders for one socket each: only we can enter them, and they go with their process.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::temporary::{is_at, is_ours, is_random, random};

const PREFIX: &str = "terrane-";

/// Random characters in a name.
const RANDOM: usize = 8;

/// A new folder with mode 0700 for a socket; removed when dropped, or by the next one that is made beside it.
#[derive(Debug)]
pub struct SocketFolder {
    path: PathBuf,
    /// Its lock says that we live.
    _lock: File,
}

impl SocketFolder {
    /// Makes one in that folder, and removes those there whose processes died.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        loop {
            let path = parent.join(format!("{PREFIX}{}", random(RANDOM)?));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            // A umask only removes rights, but it may remove ones that we need.
            let opened = std::fs::set_permissions(&path, Permissions::from_mode(0o700))
                .and_then(|()| open(&path));
            let folder = match opened {
                // A sweep found it before it was locked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            match folder.try_lock() {
                Ok(()) | Err(TryLockError::Error(_)) if is_at(&folder, &path) => {
                    return Ok(Self {
                        path,
                        _lock: folder,
                    });
                }
                _ => {}
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::DIRECTORY).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Removes the folders of processes that died. One with anything but sockets in it is none of ours.
fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if random.is_some_and(|random| is_random(random, RANDOM)) {
            let _ = remove_if_dead(&entry.path());
        }
    }
}

fn remove_if_dead(path: &Path) -> io::Result<()> {
    let folder = open(path)?;
    let metadata = folder.metadata()?;
    let private = metadata.permissions().mode() & 0o777 == 0o700;
    if !private || !is_ours(&metadata) || folder.try_lock().is_err() || !is_at(&folder, path) {
        return Ok(());
    }
    let sockets: Vec<_> = std::fs::read_dir(path)?.collect::<io::Result<_>>()?;
    for socket in &sockets {
        if !socket.file_type()?.is_socket() {
            return Ok(());
        }
    }
    for socket in &sockets {
        std::fs::remove_file(socket.path())?;
    }
    std::fs::remove_dir(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_dead_process_s_folder_is_swept_and_nothing_else() {
        let parent = tempfile::tempdir().expect("a folder");
        let at = |name: &str| parent.path().join(name);
        let private = |name: &str| {
            let path = at(name);
            DirBuilder::new().mode(0o700).create(&path).expect("made");
            path
        };
        let alive = SocketFolder::new(parent.path()).expect("made");
        let dead = private("terrane-01234567");
        drop(UnixListener::bind(dead.join("plugin1")).expect("a socket"));
        let empty = private("terrane-89abcdef");
        let filled = private("terrane-00000000");
        std::fs::write(filled.join("notes"), "mine").expect("written");
        drop(UnixListener::bind(filled.join("plugin1")).expect("a socket"));
        let open = private("terrane-00000001");
        std::fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("set");
        let other = private("terrane-notes");
        symlink(&other, at("terrane-00000002")).expect("a link");
        let next = SocketFolder::new(parent.path()).expect("made");
        assert!(!dead.exists() && !empty.exists());
        assert!(alive.path().exists() && next.path().exists());
        assert!(filled.join("notes").exists() && filled.join("plugin1").exists());
        assert!(open.exists() && other.exists());
        assert!(at("terrane-00000002").symlink_metadata().is_ok());
        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists());
    }

    #[test]
    fn many_that_start_at_once_keep_theirs() {
        let parent = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let folder = SocketFolder::new(parent.path()).expect("made");
                        assert!(folder.path().exists());
                        std::fs::write(folder.path().join("socket"), "").expect("it is ours");
                    }
                });
            }
        });
        assert_eq!(parent.path().read_dir().expect("a folder").count(), 0);
    }
}
