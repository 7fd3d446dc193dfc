//! The store as one process reaches it: requests take time, may fail, may be lost on the way there or back.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use terrane_state::backend::{
    Expected, Holder, Position, Segment, Snapshot, StoredVersion, Written,
};
use terrane_state::{Backend, BackendError, LockError, LockInfo, Timestamp};

use crate::schedule::Fault;
use crate::world::World;

/// The most that half a request takes, in milliseconds.
const LATENCY: usize = 30;

/// A connection to the world's store.
pub(crate) struct Store(pub(crate) Arc<World>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

fn broken(action: &'static str) -> BackendError {
    BackendError::Store {
        action,
        place: "memory".to_owned(),
        source: Arc::new(std::io::Error::other("the network is gone")),
    }
}

impl Store {
    /// One request that changes something: on its way there, done, on its way back.
    async fn request<T, E: From<BackendError>>(
        &self,
        [asked, done]: [&'static str; 2],
        action: &'static str,
        work: impl Fn() -> Result<T, E>,
    ) -> Result<T, E> {
        self.0.takes(LATENCY).await;
        if self.0.place(asked).await.is_some() {
            return Err(broken(action).into());
        }
        let mut answer = work();
        match self.0.place(done).await {
            None => {}
            Some(Fault::Fails) => return Err(broken(action).into()),
            Some(Fault::Repeated) => answer = work(),
        }
        self.0.takes(LATENCY).await;
        answer
    }
}

impl Store {
    /// How many segments the journal has.
    fn segments(&self) -> usize {
        now(self.0.store.read_journal()).map_or(0, |segments| segments.len())
    }
}

/// What memory answers, which it does at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory never waits")
}

#[async_trait]
impl Backend for Store {
    fn place(&self) -> String {
        self.0.store.place()
    }

    fn lock_path(&self) -> String {
        self.0.store.lock_path()
    }

    fn commit_window(&self) -> Duration {
        Duration::from_millis(10)
    }

    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        self.0.takes(LATENCY).await;
        now(self.0.store.read())
    }

    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        self.request(["store.write.asked", "store.write.done"], "write", || {
            now(self.0.store.write(bytes.clone(), over))
        })
        .await
    }

    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        self.0.takes(LATENCY).await;
        now(self.0.store.read_journal())
    }

    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        self.request(
            ["store.append.asked", "store.append.done"],
            "append to",
            || {
                let before = self.segments();
                now(self.0.store.append_journal(at, bytes.clone()))?;
                // What was there already is no record of whoever says it again.
                if self.segments() > before {
                    self.0.appended();
                }
                Ok(())
            },
        )
        .await
    }

    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        self.request(["store.trim.asked", "store.trim.done"], "trim", || {
            now(self.0.store.trim_journal(before))
        })
        .await
    }

    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        self.request(["store.lock.asked", "store.lock.done"], "lock", || {
            now(self.0.store.lock(info)).inspect(|()| self.0.took_lock())
        })
        .await
    }

    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        self.request(
            ["store.unlock.asked", "store.unlock.done"],
            "unlock",
            || now(self.0.store.unlock(id)).inspect(|()| self.0.freed_lock()),
        )
        .await
    }

    async fn heartbeat(&self, id: &str, at: Timestamp) -> Result<(), BackendError> {
        self.0.takes(LATENCY).await;
        now(self.0.store.heartbeat(id, at))
    }

    async fn holder(&self) -> Result<Option<Holder>, BackendError> {
        self.0.takes(LATENCY).await;
        now(self.0.store.holder())
    }

    async fn force_unlock(&self, id: &str) -> Result<(), BackendError> {
        self.0.takes(LATENCY).await;
        now(self.0.store.force_unlock(id)).inspect(|()| self.0.freed_lock())
    }

    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        now(self.0.store.history())
    }

    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        now(self.0.store.read_version(id))
    }
}
