//! The local file: a snapshot that is replaced by rename, a journal beside it, a lock of the operating system.

mod address;
mod files;
mod journal;
mod lock;
mod private;
mod store;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

pub use self::private::PrivateFile;
use self::store::Store;
use super::{
    Backend, BackendError, Expected, Holder, LockError, Position, Restart, Segment, Snapshot,
    StoredVersion, Written,
};
use crate::clock::Timestamp;
use crate::file::Pieces;
use crate::lock_info::LockInfo;

/// A state in a file. All its files have mode 0600, the directories it makes 0700, under any umask.
#[derive(Debug, Clone)]
pub struct LocalBackend {
    store: Arc<Mutex<Store>>,
    place: String,
}

/// The name is not one that a stack may have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{name}` is not a stack name: up to 90 letters, digits, `-` and `_`, the first a letter or digit"
)]
#[non_exhaustive]
pub struct InvalidStackName {
    /// The given text.
    pub name: String,
}

impl LocalBackend {
    /// The state in that file; neither it nor its directory need to exist.
    ///
    /// # Errors
    /// When the path cannot be made absolute, or leads by a symbolic link to a file that is not ours.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, BackendError> {
        let place = path.as_ref().display().to_string();
        let store = Store::new(path.as_ref())?;
        Ok(Self {
            store: Arc::new(Mutex::new(store)),
            place,
        })
    }

    /// Where the state of a stack lies when nothing else is said: `.terrane/<stack>/terraform.tfstate`.
    ///
    /// # Errors
    /// When the name could lead elsewhere.
    pub fn default_path(stack: &str) -> Result<PathBuf, InvalidStackName> {
        let plain = |b: u8| b.is_ascii_alphanumeric();
        let is_part = |part: &str| {
            part.bytes().next().is_some_and(plain)
                && part.bytes().all(|b| plain(b) || matches!(b, b'-' | b'_'))
        };
        let valid = stack.len() <= 90 && stack.split('/').all(is_part);
        if valid {
            Ok(Path::new(".terrane").join(stack).join("terraform.tfstate"))
        } else {
            Err(InvalidStackName {
                name: stack.to_owned(),
            })
        }
    }

    /// Runs file work where it may block.
    async fn blocking<T, E>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<BackendError> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || {
            work(&mut store.lock().unwrap_or_else(PoisonError::into_inner))
        });
        match done.await {
            Ok(result) => result,
            Err(error) => {
                Err(BackendError::store("use", &self.place, io::Error::other(error)).into())
            }
        }
    }
}

#[async_trait]
impl Backend for LocalBackend {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn lock_path(&self) -> String {
        self.place.clone()
    }

    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        self.blocking(|store| store.read()).await
    }

    async fn set_aside(&self, snapshot: &Snapshot) -> Result<Option<String>, BackendError> {
        let bytes = snapshot.bytes.clone();
        self.blocking(move |store| store.set_aside(&bytes).map(Some))
            .await
    }

    async fn read_beside(&self, name: &str) -> Result<Option<Bytes>, BackendError> {
        let name = name.to_owned();
        self.blocking(move |store| store.read_beside(&name)).await
    }

    async fn write_beside(&self, name: &str, bytes: Bytes) -> Result<(), BackendError> {
        let name = name.to_owned();
        self.blocking(move |store| store.write_beside(&name, &bytes))
            .await
    }

    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        self.write_pieces(Pieces::from(bytes), over).await
    }

    async fn write_pieces(&self, pieces: Pieces, over: &Expected) -> Result<Written, BackendError> {
        let over = over.clone();
        self.blocking(move |store| store.write(&pieces, &over))
            .await
    }

    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        self.blocking(|store| store.read_journal()).await
    }

    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        self.blocking(move |store| store.append_journal(at, &bytes))
            .await
    }

    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        self.blocking(move |store| store.trim_journal(before)).await
    }

    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError> {
        self.blocking(move |store| store.restart_journal(&restart))
            .await
    }

    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        let info = info.clone();
        self.blocking(move |store| store.lock(&info)).await
    }

    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        let id = id.to_owned();
        self.blocking(move |store| store.unlock(&id)).await
    }

    async fn heartbeat(&self, id: &str, _now: Timestamp) -> Result<(), BackendError> {
        let id = id.to_owned();
        self.blocking(move |store| store.still_held(&id)).await
    }

    async fn holder(&self) -> Result<Option<Holder>, BackendError> {
        self.blocking(|store| store.holder()).await
    }

    async fn force_unlock(&self, id: &str) -> Result<(), BackendError> {
        let id = id.to_owned();
        self.blocking(move |store| store.force_unlock(&id)).await
    }

    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        self.blocking(|store| store.history()).await
    }

    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        let id = id.to_owned();
        self.blocking(move |store| store.read_version(&id)).await
    }
}

#[cfg(test)]
mod tests;
