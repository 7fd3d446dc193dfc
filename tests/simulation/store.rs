//! The store as one process reaches it: requests take time, may fail, may be lost on the way there or back.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use terrane_state::backend::{
    Answered, Expected, Found, Holder, Position, Restart, Segment, Snapshot, StoredVersion,
    Written, write_checked,
};
use terrane_state::{Backend, BackendError, LockError, LockInfo, Timestamp};

use crate::schedule::Fault;
use crate::simulation::Simulation;

/// The most that half a request takes, in milliseconds.
const LATENCY: usize = 30;

/// A connection to the simulation's store.
pub(crate) struct Store(pub(crate) Arc<Simulation>);

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

/// How a request was answered that changes something.
enum Reply<T> {
    Done(T),
    /// It was said to be done, and was not, by that fault.
    Said(Fault),
}

impl<T> From<Reply<T>> for Answered<T> {
    fn from(reply: Reply<T>) -> Self {
        match reply {
            Reply::Done(done) => Self::Proof(done),
            Reply::Said(_) => Self::Unproved,
        }
    }
}

impl Store {
    /// One request that changes something: on its way there, done, on its way back.
    async fn request<T, E: From<BackendError>>(
        &self,
        [asked, done]: [&'static str; 2],
        action: &'static str,
        work: impl Fn() -> Result<T, E>,
    ) -> Result<Reply<T>, E> {
        self.0.takes(LATENCY).await;
        match self.0.place(asked).await {
            None => {}
            Some(fault @ (Fault::Dropped | Fault::Halved)) => {
                self.0.takes(LATENCY).await;
                return Ok(Reply::Said(fault));
            }
            Some(_) => return Err(broken(action).into()),
        }
        let mut answer = work();
        match self.0.place(done).await {
            Some(Fault::Fails) => return Err(broken(action).into()),
            Some(Fault::Repeated) => answer = work(),
            _ => {}
        }
        self.0.takes(LATENCY).await;
        answer.map(Reply::Done)
    }

    /// One that is believed as a store of objects is: with proof, or after a look.
    async fn checked<T, E: From<BackendError>>(
        &self,
        places: [&'static str; 2],
        action: &'static str,
        work: impl Fn() -> Result<T, E>,
        look: impl Fn() -> Result<Found<T>, E>,
    ) -> Result<T, E> {
        let write = || async { Ok(self.request(places, action, &work).await?.into()) };
        let look = || async {
            self.0.takes(LATENCY).await;
            look()
        };
        write_checked(&*self.0.time, "memory", write, look).await
    }

    fn conflict<T>(&self) -> Result<T, BackendError> {
        Err(BackendError::Conflict {
            place: Backend::place(self),
        })
    }

    fn lock_of(&self) -> Result<Option<String>, BackendError> {
        Ok(now(self.0.store.holder())?.map(|holder| holder.lock_id()))
    }

    fn segment(&self, at: Position) -> Option<Bytes> {
        let segments = now(self.0.store.read_journal()).expect("readable");
        let there = segments.into_iter().find(|segment| segment.at == at);
        there.map(|segment| segment.bytes)
    }
}

/// The answer of the memory, which is immediate.
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

    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        self.0.takes(LATENCY).await;
        now(self.0.store.read())
    }

    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        let work = || now(self.0.store.write(bytes.clone(), over));
        let look = || match (now(self.0.store.read())?, over) {
            (Some(there), _) if there.bytes == bytes => Ok(Found::Ours(Written {
                token: there.token,
                version: there.version,
            })),
            (None, Expected::Absent) => Ok(Found::Unchanged),
            (Some(there), Expected::Token(token)) if there.token == *token => Ok(Found::Unchanged),
            _ => self.conflict(),
        };
        let places = ["store.write.asked", "store.write.done"];
        self.checked(places, "write", work, look).await
    }

    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        self.0.takes(LATENCY).await;
        now(self.0.store.read_journal())
    }

    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        let work = || {
            let is_new = self.segment(at).is_none();
            now(self.0.store.append_journal(at, bytes.clone()))?;
            // A record that was there already is not the second writer's.
            if is_new {
                self.0.appended();
            }
            Ok(())
        };
        let look = || match self.segment(at) {
            None => Ok(Found::Unchanged),
            Some(there) if there == bytes => Ok(Found::Ours(())),
            Some(_) => self.conflict(),
        };
        let places = ["store.append.asked", "store.append.done"];
        self.checked(places, "append to", work, look).await
    }

    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        let places = ["store.trim.asked", "store.trim.done"];
        let trim = || now(self.0.store.trim_journal(before));
        match self.request(places, "trim", trim).await? {
            Reply::Done(()) | Reply::Said(Fault::Dropped) => {}
            Reply::Said(_) => self.0.halve_before(before),
        }
        Ok(())
    }

    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError> {
        self.0.takes(LATENCY).await;
        now(self.0.store.restart_journal(restart))
    }

    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        let work = || now(self.0.store.lock(info)).inspect(|()| self.0.took_lock());
        let look = || match self.lock_of()? {
            None => Ok(Found::Unchanged),
            Some(id) if id == info.id => Ok(Found::Ours(())),
            // Its holder is named by the next try.
            Some(_) => Ok(Found::Unchanged),
        };
        let places = ["store.lock.asked", "store.lock.done"];
        self.checked(places, "lock", work, look).await
    }

    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        let work = || now(self.0.store.unlock(id)).inspect(|()| self.0.freed_lock());
        let look = || match self.lock_of()? {
            Some(there) if there == id => Ok(Found::Unchanged),
            _ => Ok(Found::Ours(())),
        };
        let places = ["store.unlock.asked", "store.unlock.done"];
        self.checked(places, "unlock", work, look).await
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
