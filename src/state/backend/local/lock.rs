//! The lock: of the operating system, on a file of its own, so that it ends with its holder and survives renames.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::files;
use super::store::Store;
use crate::backend::{BackendError, Holder, LockError};
use crate::crash::{self, Point};
use crate::lock_info::LockInfo;

/// A lock that this process holds; closing the file gives it up.
#[derive(Debug)]
pub(super) struct HeldLock {
    id: String,
    file: File,
}

/// Whether an open file is still the one that has that name.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let ours = file.metadata().map(identity).ok();
    ours.is_some() && ours == path.symlink_metadata().map(identity).ok()
}

impl Store {
    fn lock_file(&self) -> PathBuf {
        files::hidden_beside(&self.path, ".lock")
    }

    /// Terraform's name for the description of a lock's holder.
    fn info_file(&self) -> PathBuf {
        files::hidden_beside(&self.path, ".lock.info")
    }

    fn not_held(&self, id: &str) -> BackendError {
        BackendError::NotHeld {
            place: self.place(),
            id: id.to_owned(),
        }
    }

    pub(super) fn lock(&mut self, info: &LockInfo) -> Result<(), LockError> {
        if self.lock.as_ref().is_some_and(|held| held.id == info.id) {
            return Ok(());
        }
        let path = self.lock_file();
        files::create_parent(&path)?;
        let file = files::open_or_create(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held(Box::new(self.read_info()?)));
            }
            Err(TryLockError::Error(error)) => {
                return Err(BackendError::Unusable {
                    place: path.display().to_string(),
                    reason: format!("this file system has no locks ({error})"),
                }
                .into());
            }
        }
        self.lock = Some(HeldLock {
            id: info.id.clone(),
            file,
        });
        crash::reach_blocking(Point::LockUndescribed);
        if let Err(error) = self.describe(info) {
            self.lock = None;
            return Err(error.into());
        }
        self.sweep_link();
        Ok(())
    }

    /// Writes who we are, if the file that we locked is still the one that others would lock.
    fn describe(&self, info: &LockInfo) -> Result<(), BackendError> {
        self.still_owned()?;
        files::replace(&self.info_file(), [info.to_json().as_bytes()], || Ok(()))
    }

    fn read_info(&self) -> Result<Holder, BackendError> {
        let bytes = files::read(&self.info_file())?.unwrap_or_default();
        Ok(Holder {
            info: LockInfo::parse(&bytes).ok(),
            raw: String::from_utf8_lossy(&bytes).into_owned(),
            last_seen: None,
        })
    }

    pub(super) fn unlock(&mut self, id: &str) -> Result<(), BackendError> {
        self.still_held(id)?;
        let info = self.info_file();
        // First the description: once the lock is free, that file belongs to the next holder.
        if let Err(error) = std::fs::remove_file(&info)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(BackendError::store(
                "remove",
                info.display().to_string(),
                error,
            ));
        }
        crash::reach_blocking(Point::LockDescriptionGone);
        self.lock = None;
        self.journal = None;
        Ok(())
    }

    pub(super) fn still_held(&self, id: &str) -> Result<(), BackendError> {
        if self.lock.as_ref().is_some_and(|held| held.id == id) {
            self.still_owned()
        } else {
            Err(self.not_held(id))
        }
    }

    /// Where a lock is held: that its file is still the one at the path, and was not deleted and made anew by another.
    pub(super) fn still_owned(&self) -> Result<(), BackendError> {
        let Some(held) = &self.lock else {
            return Ok(());
        };
        match is_at(&held.file, &self.lock_file()) {
            true => Ok(()),
            false => Err(self.not_held(&held.id)),
        }
    }

    pub(super) fn holder(&self) -> Result<Option<Holder>, BackendError> {
        if self.lock.is_some() {
            return self.read_info().map(Some);
        }
        let Some(file) = files::open(&self.lock_file(), OpenOptions::new().read(true))? else {
            return Ok(None);
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(_) => self.read_info().map(Some),
        }
    }

    /// A lock of the operating system cannot be taken from a living process; a dead one's is free already.
    pub(super) fn force_unlock(&mut self, id: &str) -> Result<(), BackendError> {
        let info = match self.holder()? {
            Some(holder) => holder.info,
            None => {
                let left = self.read_info()?.info;
                if left.is_some_and(|left| left.id == id) {
                    let _ = std::fs::remove_file(self.info_file());
                    return Ok(());
                }
                None
            }
        };
        match info {
            Some(info) if info.id == id => Err(BackendError::HolderAlive {
                place: self.place(),
                who: info.who,
            }),
            _ => Err(self.not_held(id)),
        }
    }
}
