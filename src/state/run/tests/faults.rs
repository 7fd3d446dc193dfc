//! A store that counts calls, and dies at one of them.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;

use super::*;
use crate::LockInfo;
use crate::backend::{
    BackendError, Expected, Holder, LockError, Position, Restart, Segment, Snapshot, StoredVersion,
    Written,
};

/// What happens to the call at which everything ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// It never arrives.
    Before,
    /// It is done, and its answer is lost.
    After,
}

/// Another store, watched.
#[derive(Debug)]
pub(super) struct Observed<B = MemoryBackend> {
    inner: B,
    calls: Mutex<Calls>,
    slow: bool,
    /// A segment that the next reading of the journal misses.
    hidden: Mutex<Option<Position>>,
    /// The next segment arrives, and its answer never comes.
    unanswered: Mutex<bool>,
}

#[derive(Debug, Default)]
struct Calls {
    names: BTreeMap<&'static str, usize>,
    bytes: usize,
    changes: usize,
    death: Option<(usize, Death)>,
    dead: bool,
}

impl<B: Backend> Observed<B> {
    pub(super) fn new(inner: B) -> Self {
        Self {
            inner,
            calls: Mutex::default(),
            slow: false,
            hidden: Mutex::default(),
            unanswered: Mutex::default(),
        }
    }

    /// Lets the next segment arrive and never answers it.
    pub(super) fn answer_no_append(&self) {
        *self.unanswered.lock().expect("not poisoned") = true;
    }

    /// Lets the next reading of the journal miss a segment, as one does that is trimmed meanwhile.
    pub(super) fn hide_once(&self, at: Position) {
        *self.hidden.lock().expect("not poisoned") = Some(at);
    }

    /// The store itself.
    pub(super) fn inner(&self) -> &B {
        &self.inner
    }

    /// Gives others a turn in every call.
    pub(super) fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.calls
            .lock()
            .expect("not poisoned")
            .names
            .get(name)
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn bytes(&self) -> usize {
        self.calls.lock().expect("not poisoned").bytes
    }

    /// How many calls changed something.
    pub(super) fn changes(&self) -> usize {
        self.calls.lock().expect("not poisoned").changes
    }

    /// The process dies at the nth changing call from now.
    pub(super) fn die_at(&self, nth: usize, death: Death) {
        let mut calls = self.calls.lock().expect("not poisoned");
        calls.death = Some((calls.changes + nth, death));
    }

    /// Another process: it sees the same store and lives.
    pub(super) fn revive(&self) {
        let mut calls = self.calls.lock().expect("not poisoned");
        calls.death = None;
        calls.dead = false;
    }

    pub(super) fn is_dead(&self) -> bool {
        self.calls.lock().expect("not poisoned").dead
    }

    /// Counts a call; whether it arrives, and whether its answer does.
    async fn call(&self, name: &'static str, changes: bool, bytes: usize) -> (bool, bool) {
        if self.slow {
            tokio::task::yield_now().await;
        }
        let mut calls = self.calls.lock().expect("not poisoned");
        if calls.dead {
            return (false, false);
        }
        *calls.names.entry(name).or_default() += 1;
        calls.bytes += bytes;
        let nth = calls.changes;
        calls.changes += usize::from(changes);
        match calls.death {
            Some((at, death)) if changes && at == nth => {
                calls.dead = true;
                (death == Death::After, false)
            }
            _ => (true, true),
        }
    }

    fn dead(&self) -> BackendError {
        BackendError::store(
            "reach",
            "the store",
            io::Error::other("the process is dead"),
        )
    }
}

macro_rules! watched {
    ($self:ident, $name:literal, $changes:expr, $bytes:expr, $call:expr) => {{
        let (arrives, answers) = $self.call($name, $changes, $bytes).await;
        if !arrives {
            return Err($self.dead().into());
        }
        let done = $call.await;
        if answers {
            done
        } else {
            Err($self.dead().into())
        }
    }};
}

#[async_trait]
impl<B: Backend> Backend for Observed<B> {
    fn place(&self) -> String {
        self.inner.place()
    }
    fn lock_path(&self) -> String {
        self.inner.lock_path()
    }
    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        watched!(self, "read", false, 0, self.inner.read())
    }
    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        watched!(
            self,
            "write",
            true,
            bytes.len(),
            self.inner.write(bytes, over)
        )
    }
    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        let hidden = self.hidden.lock().expect("not poisoned").take();
        let read = watched!(self, "read_journal", false, 0, self.inner.read_journal());
        read.map(|mut segments| {
            segments.retain(|segment| Some(segment.at) != hidden);
            segments
        })
    }
    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        let done = watched!(
            self,
            "append_journal",
            true,
            bytes.len(),
            self.inner.append_journal(at, bytes)
        );
        let unanswered = std::mem::take(&mut *self.unanswered.lock().expect("not poisoned"));
        match unanswered {
            true => std::future::pending().await,
            false => done,
        }
    }
    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        watched!(
            self,
            "trim_journal",
            true,
            0,
            self.inner.trim_journal(before)
        )
    }
    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError> {
        watched!(
            self,
            "restart_journal",
            true,
            restart.bytes.len(),
            self.inner.restart_journal(restart)
        )
    }
    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        watched!(self, "lock", true, 0, self.inner.lock(info))
    }
    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        watched!(self, "unlock", true, 0, self.inner.unlock(id))
    }
    async fn heartbeat(&self, id: &str, now: Timestamp) -> Result<(), BackendError> {
        watched!(self, "heartbeat", false, 0, self.inner.heartbeat(id, now))
    }
    async fn holder(&self) -> Result<Option<Holder>, BackendError> {
        watched!(self, "holder", false, 0, self.inner.holder())
    }
    async fn force_unlock(&self, id: &str) -> Result<(), BackendError> {
        watched!(self, "force_unlock", false, 0, self.inner.force_unlock(id))
    }
    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        watched!(self, "history", false, 0, self.inner.history())
    }
    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        watched!(self, "read_version", false, 0, self.inner.read_version(id))
    }
}
