//! A backend in memory: the reference for the others, and the store of simulations.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Backend, BackendError, Expected, Holder, LockError, Position, Restart, Segment, Snapshot,
    StoredVersion, Token, Written,
};
use crate::clock::Timestamp;
use crate::digest::Sha256;
use crate::lock_info::LockInfo;

/// A state that is gone when the program ends. It keeps every version that was written.
#[derive(Debug, Default)]
pub struct MemoryBackend {
    inner: Mutex<Store>,
}

#[derive(Debug, Clone, Default)]
struct Store {
    versions: Vec<Bytes>,
    journal: BTreeMap<Position, Bytes>,
    /// Journals that were damaged.
    copies: Vec<BTreeMap<Position, Bytes>>,
    lock: Option<(LockInfo, Option<Timestamp>)>,
    beside: BTreeMap<String, Bytes>,
}

impl MemoryBackend {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another store with the same in it.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            inner: Mutex::new(self.lock_store().clone()),
        }
    }

    /// Changes the segments of the journal behind everybody's back, for tests of what becomes of that.
    pub fn damage_journal(&self, damage: impl FnOnce(&mut BTreeMap<Position, Bytes>)) {
        damage(&mut self.lock_store().journal);
    }

    fn lock_store(&self) -> MutexGuard<'_, Store> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_held(&self, id: &str) -> BackendError {
        BackendError::NotHeld {
            place: self.place(),
            id: id.to_owned(),
        }
    }

    fn conflict(&self) -> BackendError {
        BackendError::Conflict {
            place: self.place(),
        }
    }
}

/// Names content, not writes: a file has the same token for every reader.
fn token(version: usize, bytes: &[u8]) -> Token {
    Token(format!("{version}-{}", Sha256::of(bytes)).into())
}

#[async_trait]
impl Backend for MemoryBackend {
    fn place(&self) -> String {
        "memory".into()
    }

    fn lock_path(&self) -> String {
        "memory".into()
    }

    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        let store = self.lock_store();
        let Some(bytes) = store.versions.last().cloned() else {
            return Ok(None);
        };
        Ok(Some(Snapshot {
            token: token(store.versions.len(), &bytes),
            sha256: Sha256::of(&bytes),
            version: Some(store.versions.len().to_string()),
            doubt: None,
            bytes,
        }))
    }

    async fn read_beside(&self, name: &str) -> Result<Option<Bytes>, BackendError> {
        Ok(self.lock_store().beside.get(name).cloned())
    }

    async fn write_beside(&self, name: &str, bytes: Bytes) -> Result<(), BackendError> {
        self.lock_store().beside.insert(name.to_owned(), bytes);
        Ok(())
    }

    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        let mut store = self.lock_store();
        let there = match store.versions.last() {
            None => Expected::Absent,
            Some(last) => Expected::Token(token(store.versions.len(), last)),
        };
        if there != *over {
            return Err(self.conflict());
        }
        store.versions.push(bytes.clone());
        Ok(Written {
            token: token(store.versions.len(), &bytes),
            version: Some(store.versions.len().to_string()),
        })
    }

    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        let store = self.lock_store();
        let segments = store.journal.iter();
        Ok(segments
            .map(|(at, bytes)| Segment {
                at: *at,
                bytes: bytes.clone(),
            })
            .collect())
    }

    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        let mut store = self.lock_store();
        if let Some(there) = store.journal.get(&at) {
            return if *there == bytes {
                Ok(())
            } else {
                Err(self.conflict())
            };
        }
        let last = store.journal.last_key_value().map(|(at, _)| *at);
        if !at.follows(last) {
            return Err(self.conflict());
        }
        store.journal.insert(at, bytes);
        Ok(())
    }

    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        let mut store = self.lock_store();
        let last = store.journal.last_key_value().map(|(at, _)| *at);
        store
            .journal
            .retain(|at, _| *at >= before || Some(*at) == last);
        Ok(())
    }

    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError> {
        let mut store = self.lock_store();
        let segments = BTreeMap::from([(restart.at, restart.bytes)]);
        let old = std::mem::replace(&mut store.journal, segments);
        store.copies.push(old);
        Ok(format!("memory, copy {}", restart.copy))
    }

    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        let mut store = self.lock_store();
        match &store.lock {
            Some((held, _)) if held.id == info.id => Ok(()),
            Some((held, last_seen)) => Err(LockError::Held(Box::new(Holder {
                info: Some(held.clone()),
                raw: held.to_json(),
                last_seen: *last_seen,
            }))),
            None => {
                store.lock = Some((info.clone(), None));
                Ok(())
            }
        }
    }

    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        let mut store = self.lock_store();
        if store.lock.as_ref().is_none_or(|(held, _)| held.id != id) {
            return Err(self.not_held(id));
        }
        store.lock = None;
        Ok(())
    }

    async fn heartbeat(&self, id: &str, now: Timestamp) -> Result<(), BackendError> {
        let mut store = self.lock_store();
        match &mut store.lock {
            Some((held, last_seen)) if held.id == id => {
                *last_seen = Some(now);
                Ok(())
            }
            _ => Err(self.not_held(id)),
        }
    }

    async fn holder(&self) -> Result<Option<Holder>, BackendError> {
        let store = self.lock_store();
        let lock = store.lock.as_ref();
        Ok(lock.map(|(info, last_seen)| Holder {
            info: Some(info.clone()),
            raw: info.to_json(),
            last_seen: *last_seen,
        }))
    }

    async fn force_unlock(&self, id: &str) -> Result<(), BackendError> {
        self.unlock(id).await
    }

    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        let store = self.lock_store();
        let versions = store.versions.iter().enumerate().rev();
        Ok(versions
            .map(|(place, bytes)| StoredVersion {
                id: (place + 1).to_string(),
                written_at: None,
                size: bytes.len() as u64,
                current: place + 1 == store.versions.len(),
            })
            .collect())
    }

    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        let store = self.lock_store();
        let place = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
        let bytes = place.and_then(|place| store.versions.get(place)).cloned();
        bytes.ok_or_else(|| BackendError::NoSuchVersion {
            place: self.place(),
            id: id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::backend::conformance;

    #[tokio::test]
    async fn memory_passes_the_conformance_suite() {
        conformance::check(async || {
            let store: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
            (Arc::clone(&store), store)
        })
        .await;
    }
}
