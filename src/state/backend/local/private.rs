//! A file beside the state that holds secrets too: a saved plan.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::files;
use crate::backend::BackendError;

/// A file that only its owner may read, replaced as a whole or not at all.
#[derive(Debug, Clone)]
pub struct PrivateFile {
    path: PathBuf,
}

/// How much of a file tells its kind.
const BEGINNING: u64 = 64;

impl PrivateFile {
    /// The file at that path; it need not exist.
    ///
    /// # Errors
    /// When the path cannot be made absolute.
    pub fn new(path: &Path) -> Result<Self, BackendError> {
        let absolute = std::path::absolute(path);
        let path = absolute
            .map_err(|error| BackendError::store("find", path.display().to_string(), error))?;
        Ok(Self { path })
    }

    /// The whole content; `None` when there is no file.
    ///
    /// # Errors
    /// When it is no regular file or cannot be read.
    pub fn read(&self) -> Result<Option<Vec<u8>>, BackendError> {
        files::read(&self.path)
    }

    /// Makes sure that nothing is lost by writing here: there is nothing, an empty file, or one whose beginning says that it may go.
    ///
    /// # Errors
    /// When there is anything else.
    pub fn check_replaceable(&self, may_go: impl Fn(&[u8]) -> bool) -> Result<(), BackendError> {
        let place = || self.path.display().to_string();
        let unusable = |reason: &str| BackendError::Unusable {
            place: place(),
            reason: reason.to_owned(),
        };
        match self.path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(BackendError::store("inspect", place(), error)),
            Ok(metadata) if !metadata.is_file() => return Err(unusable("it is no regular file")),
            Ok(_) => {}
        }
        let mut beginning = Vec::new();
        OpenOptions::new()
            .read(true)
            .custom_flags(files::flags())
            .open(&self.path)
            .and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning))
            .map_err(|error| BackendError::store("read", place(), error))?;
        match beginning.is_empty() || may_go(&beginning) {
            true => Ok(()),
            false => Err(unusable("another file is there, and is left as it is")),
        }
    }

    /// Puts a whole file there, with mode 0600 under any umask; durable on return.
    ///
    /// # Errors
    /// As [`Self::check_replaceable`], and when it cannot be written; the old file stays.
    pub fn replace(
        &self,
        bytes: &[u8],
        may_go: impl Fn(&[u8]) -> bool,
    ) -> Result<(), BackendError> {
        self.check_replaceable(may_go)?;
        files::replace(&self.path, [bytes], || Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn ours(beginning: &[u8]) -> bool {
        beginning.starts_with(b"ours")
    }

    #[test]
    fn only_what_may_go_is_replaced_and_the_result_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan");
        let file = PrivateFile::new(&path).expect("a path");
        assert_eq!(file.read().expect("readable"), None);
        for content in ["ours 1", "ours 2"] {
            file.replace(content.as_bytes(), ours).expect("written");
            assert_eq!(
                file.read().expect("readable").as_deref(),
                Some(content.as_bytes())
            );
        }
        let mode = path.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, "").expect("written");
        file.replace(b"ours 3", ours).expect("an empty file may go");
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("readable").count(),
            1
        );
    }

    #[test]
    fn other_files_are_left_as_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("main.rs");
        std::fs::write(&path, "fn main() {}").expect("written");
        let refused = PrivateFile::new(&path)
            .expect("a path")
            .replace(b"ours", ours);
        assert!(
            refused
                .expect_err("refused")
                .to_string()
                .contains("another file is there")
        );
        assert_eq!(
            std::fs::read_to_string(&path).expect("readable"),
            "fn main() {}"
        );
        let link = folder.path().join("link");
        symlink(&path, &link).expect("a link");
        for path in [&link, folder.path()] {
            let refused = PrivateFile::new(path)
                .expect("a path")
                .replace(b"ours", ours);
            assert!(
                refused
                    .expect_err("refused")
                    .to_string()
                    .contains("no regular file")
            );
        }
    }
}
