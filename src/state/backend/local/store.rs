//! The snapshot file and its backup.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::files;
use super::journal::Appender;
use super::lock::HeldLock;
use crate::backend::{BackendError, Expected, Snapshot, StoredVersion, Token, Written};
use crate::clock::Timestamp;
use crate::digest::Sha256;
use crate::file::Pieces;

/// The files of one state.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) path: PathBuf,
    pub(super) journal: Option<Appender>,
    pub(super) lock: Option<HeldLock>,
    backed_up: bool,
    /// The content of a write that failed. It may be in place all the same, where only making that durable failed.
    attempted: Option<Token>,
}

fn token(sha256: &Sha256) -> Token {
    Token(sha256.to_string().into())
}

impl Store {
    pub(super) fn new(path: &Path) -> Result<Self, BackendError> {
        Ok(Self {
            path: files::resolve(path)?,
            journal: None,
            lock: None,
            backed_up: false,
            attempted: None,
        })
    }

    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn conflict(&self, path: &Path) -> BackendError {
        BackendError::Conflict {
            place: path.display().to_string(),
        }
    }

    pub(super) fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        let bytes = files::read(&self.path)?;
        Ok(bytes.map(|bytes| {
            let sha256 = Sha256::of(&bytes);
            Snapshot {
                bytes: bytes.into(),
                token: token(&sha256),
                sha256,
                version: None,
                doubt: None,
            }
        }))
    }

    pub(super) fn write(
        &mut self,
        pieces: &Pieces,
        over: &Expected,
    ) -> Result<Written, BackendError> {
        self.still_owned()?;
        files::create_parent(&self.path)?;
        let new = token(&pieces.sha256());
        // A large state is not held a second time to compare it.
        let there = self.token()?;
        let is_ours = |there: &Token| self.attempted.as_ref() == Some(there);
        let expected = match (&there, over) {
            (None, Expected::Absent) => true,
            (None, Expected::Token(_)) => false,
            (Some(there), Expected::Token(token)) => there == token || is_ours(there),
            (Some(there), Expected::Absent) => is_ours(there),
        };
        if !expected {
            return Err(self.conflict(&self.path));
        }
        let back_up = there.is_some() && !self.backed_up;
        self.attempted = Some(new.clone());
        files::replace(&self.path, pieces.iter(), || match back_up {
            true => self.back_up(),
            false => Ok(()),
        })?;
        self.backed_up |= back_up;
        // From the disk, not from memory.
        match self.token()? {
            Some(stored) if stored == new => {
                self.attempted = None;
                self.backed_up = true;
                Ok(Written {
                    token: stored,
                    version: None,
                })
            }
            _ => Err(BackendError::Damaged {
                place: self.place(),
                reason: "other bytes were read back than were written".into(),
            }),
        }
    }

    /// Names the stored snapshot.
    fn token(&self) -> Result<Option<Token>, BackendError> {
        Ok(files::digest(&self.path)?.as_ref().map(token))
    }

    fn backup_path(&self) -> PathBuf {
        files::beside(&self.path, ".backup")
    }

    /// A second name of the snapshot on its way to become the backup.
    fn link_path(&self) -> PathBuf {
        files::hidden_beside(&self.path, ".backup.link")
    }

    /// Removes the second name that a run which died left. Only the holder of the lock makes one.
    pub(super) fn sweep_link(&self) {
        let _ = std::fs::remove_file(self.link_path());
    }

    /// Keeps the snapshot from before this run under another name, without a moment in which there is no backup.
    ///
    /// A second name costs nothing, however large the state is. Where a file system has none (FAT, some network ones), or a file
    /// has all that it may have, the bytes are written once more.
    fn back_up(&self) -> io::Result<()> {
        self.sweep_link();
        let (link, backup) = (self.link_path(), self.backup_path());
        let linked =
            std::fs::hard_link(&self.path, &link).and_then(|()| std::fs::rename(&link, &backup));
        // Renaming one name of a file over another name of the same file does nothing and leaves both.
        self.sweep_link();
        linked.or_else(|_| terrane_files::replace(&backup, &std::fs::read(&self.path)?))
    }

    /// Keeps what cannot be used under a name of its own: it must not take the place of a backup that can be.
    pub(super) fn set_aside(&mut self, bytes: &[u8]) -> Result<String, BackendError> {
        self.still_owned()?;
        let path = files::beside(&self.path, ".replaced");
        files::replace(&path, [bytes], || Ok(()))?;
        self.backed_up = true;
        Ok(path.display().to_string())
    }

    pub(super) fn read_beside(&self, name: &str) -> Result<Option<Bytes>, BackendError> {
        let bytes = files::read(&self.beside(name))?;
        Ok(bytes.map(Into::into))
    }

    pub(super) fn write_beside(&self, name: &str, bytes: &[u8]) -> Result<(), BackendError> {
        files::create_parent(&self.path)?;
        let path = self.beside(name);
        let failed = |error| BackendError::store("write", path.display().to_string(), error);
        terrane_files::replace(&path, bytes).map_err(failed)
    }

    fn beside(&self, name: &str) -> PathBuf {
        files::beside(&self.path, &format!(".{name}"))
    }

    pub(super) fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        let mut versions = Vec::new();
        for (id, path) in [
            ("current", self.path.clone()),
            ("backup", self.backup_path()),
        ] {
            let Ok(metadata) = path.metadata() else {
                continue;
            };
            versions.push(StoredVersion {
                id: id.into(),
                written_at: metadata.modified().ok().map(Timestamp::from),
                size: metadata.len(),
                current: id == "current",
            });
        }
        Ok(versions)
    }

    pub(super) fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        let bytes = match id {
            "current" => files::read(&self.path)?,
            "backup" => files::read(&self.backup_path())?,
            _ => None,
        };
        let bytes = bytes.map(Bytes::from);
        bytes.ok_or_else(|| BackendError::NoSuchVersion {
            place: self.place(),
            id: id.to_owned(),
        })
    }
}
