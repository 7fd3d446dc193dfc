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

/// The files of one state.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) path: PathBuf,
    pub(super) journal: Option<Appender>,
    pub(super) lock: Option<HeldLock>,
    backed_up: bool,
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

    pub(super) fn write(&mut self, bytes: &[u8], over: &Expected) -> Result<Written, BackendError> {
        self.still_owned()?;
        files::create_parent(&self.path)?;
        let there = match self.read()? {
            None => Expected::Absent,
            Some(snapshot) => Expected::Token(snapshot.token),
        };
        if there != *over {
            return Err(self.conflict(&self.path));
        }
        let back_up = !self.backed_up && there != Expected::Absent;
        files::replace(&self.path, bytes, || {
            if back_up { self.back_up() } else { Ok(()) }
        })?;
        self.backed_up = true;
        // What the disk says, not what we meant.
        let sha256 = Sha256::of(bytes);
        match self.read()? {
            Some(stored) if stored.sha256 == sha256 => Ok(Written {
                token: token(&sha256),
                version: None,
            }),
            _ => Err(BackendError::Damaged {
                place: self.place(),
                reason: "what was read back is not what was written".into(),
            }),
        }
    }

    fn backup_path(&self) -> PathBuf {
        files::beside(&self.path, ".backup")
    }

    /// Keeps the snapshot from before this run under another name, without a moment in which there is no backup.
    fn back_up(&self) -> io::Result<()> {
        let link = files::temporary_beside(&self.path);
        std::fs::hard_link(&self.path, &link)?;
        std::fs::rename(&link, self.backup_path())?;
        // Renaming one name of a file over another name of the same file does nothing and leaves both.
        match std::fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
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
