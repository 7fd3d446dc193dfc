//! Snapshot, journal and lock in numbered files: whoever creates the next number decides what comes next.

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use terrane_state::backend::{
    Expected, Holder, Position, Restart, Segment, Snapshot, StoredVersion, Token, Written,
};
use terrane_state::{Backend, BackendError, LockError, LockInfo, Sha256, Timestamp};

use crate::folder::{Folder, numbered};

/// How many versions of the snapshot are kept.
const VERSIONS: u64 = 20;

/// A state in a shared folder. Its methods block: a file is small, and who calls them has nothing else to do.
#[derive(Debug)]
pub(crate) struct ShareStore {
    root: PathBuf,
    place: String,
    /// A version a number; the highest is the state.
    snapshots: Folder,
    /// `<epoch>-<segment>`.
    journal: Folder,
    /// A lock a number; the highest is held until `<number>.freed` is there. `<number>.seen` is the holder's last sign of life.
    locks: Folder,
}

impl ShareStore {
    pub(crate) fn new(root: PathBuf, place: String) -> Self {
        Self {
            snapshots: Folder(root.join("snapshots")),
            journal: Folder(root.join("journal")),
            locks: Folder(root.join("locks")),
            root,
            place,
        }
    }

    fn conflict(&self) -> BackendError {
        BackendError::Conflict {
            place: self.place.clone(),
        }
    }

    fn not_held(&self, id: &str) -> BackendError {
        BackendError::NotHeld {
            place: self.place.clone(),
            id: id.to_owned(),
        }
    }

    /// Does something with files. Without the folder there is no state, rather than an empty one.
    fn with<T>(
        &self,
        action: &'static str,
        work: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, BackendError> {
        if !self.root.is_dir() {
            return Err(BackendError::NotMade {
                what: format!("the folder {}", self.root.display()),
                looked_in: None,
                hint: Some("if it is on another machine, mount it first".to_owned()),
            });
        }
        work().map_err(|error| BackendError::store(action, self.place.clone(), error))
    }

    /// A version with its token.
    fn version(&self, number: u64) -> Result<Option<(Bytes, Token)>, BackendError> {
        let bytes = self.with("read", || self.snapshots.read(&numbered(number)))?;
        Ok(bytes.map(|bytes| {
            let token = token(number, &bytes);
            (bytes, token)
        }))
    }

    fn positions(&self) -> Result<Vec<Position>, BackendError> {
        let names = self.with("list", || self.journal.names())?;
        let mut positions: Vec<Position> = names.iter().filter_map(|name| position(name)).collect();
        positions.sort();
        Ok(positions)
    }

    /// The lock that is held, with its number.
    fn held(&self) -> Result<Option<(u64, Holder)>, BackendError> {
        let locks = &self.locks;
        self.with("read the lock of", || {
            let Some(number) = locks.last()? else {
                return Ok(None);
            };
            let name = numbered(number);
            let Some(raw) = locks.read(&name)? else {
                return Ok(None);
            };
            if locks.read(&format!("{name}.freed"))?.is_some() {
                return Ok(None);
            }
            let seen = locks.read(&format!("{name}.seen"))?;
            let seen = seen.and_then(|seen| String::from_utf8(seen.to_vec()).ok()?.parse().ok());
            Ok(Some((
                number,
                Holder {
                    info: LockInfo::parse(&raw).ok(),
                    raw: String::from_utf8_lossy(&raw).into_owned(),
                    last_seen: seen,
                },
            )))
        })
    }

    /// The number of the lock with that id, if it is held.
    fn held_as(&self, id: &str) -> Result<u64, BackendError> {
        match self.held()? {
            Some((number, holder)) if holder.lock_id() == id => Ok(number),
            _ => Err(self.not_held(id)),
        }
    }
}

fn token(number: u64, bytes: &[u8]) -> Token {
    Token(format!("{number}-{}", Sha256::of(bytes)).into())
}

fn segment_name(at: Position) -> String {
    format!("{}-{}", numbered(at.epoch), numbered(at.segment))
}

fn position(name: &str) -> Option<Position> {
    let (epoch, segment) = name.split_once('-')?;
    Some(Position {
        epoch: epoch.parse().ok()?,
        segment: segment.parse().ok()?,
    })
}

#[async_trait]
impl Backend for ShareStore {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn lock_path(&self) -> String {
        self.root.display().to_string()
    }

    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        loop {
            let Some(number) = self.with("read", || self.snapshots.last())? else {
                return Ok(None);
            };
            // A version that is gone was overtaken by many others.
            if let Some((bytes, token)) = self.version(number)? {
                return Ok(Some(Snapshot {
                    sha256: Sha256::of(&bytes),
                    version: Some(number.to_string()),
                    token,
                    bytes,
                    doubt: None,
                }));
            }
        }
    }

    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        let last = self.with("read", || self.snapshots.last())?.unwrap_or(0);
        let expected = |number| -> Result<Expected, BackendError> {
            let there = self.version(number)?;
            Ok(there.map_or(Expected::Absent, |(_, token)| Expected::Token(token)))
        };
        let written = |number| Written {
            token: token(number, &bytes),
            version: Some(number.to_string()),
        };
        if expected(last)? != *over {
            // Perhaps this very write, whose end the caller did not see.
            let ours = self.version(last)?.is_some_and(|(there, _)| there == bytes);
            return match ours && expected(last - 1)? == *over {
                true => Ok(written(last)),
                false => Err(self.conflict()),
            };
        }
        let number = last + 1;
        let created = self.with("write", || self.snapshots.create(&numbered(number), &bytes))?;
        if !created {
            return Err(self.conflict());
        }
        // Who slept since the first look may have taken a number that others have used and removed.
        if self.with("read", || self.snapshots.last())? != Some(number) {
            self.with("write", || self.snapshots.remove(&numbered(number)))?;
            return Err(self.conflict());
        }
        if let Some(old) = number.checked_sub(VERSIONS) {
            let _ = self.snapshots.remove(&numbered(old));
        }
        Ok(written(number))
    }

    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        let mut segments = Vec::new();
        for at in self.positions()? {
            // Its run may have trimmed it since it was listed.
            if let Some(bytes) = self.with("read", || self.journal.read(&segment_name(at)))? {
                segments.push(Segment { at, bytes });
            }
        }
        Ok(segments)
    }

    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        let name = segment_name(at);
        let there = self.with("read", || self.journal.read(&name))?;
        if let Some(there) = there {
            return match there == bytes {
                true => Ok(()),
                false => Err(self.conflict()),
            };
        }
        if !at.follows(self.positions()?.last().copied()) {
            return Err(self.conflict());
        }
        if !self.with("write", || self.journal.create(&name, &bytes))? {
            return Err(self.conflict());
        }
        // Who slept since the first look may have taken a place that others have used and trimmed.
        if self.positions()?.last() != Some(&at) {
            self.with("write", || self.journal.remove(&name))?;
            return Err(self.conflict());
        }
        Ok(())
    }

    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        let positions = self.positions()?;
        let last = positions.last().copied();
        for at in positions {
            if at < before && Some(at) != last {
                self.with("trim", || self.journal.remove(&segment_name(at)))?;
            }
        }
        Ok(())
    }

    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError> {
        let old = self.read_journal().await?;
        let copies = Folder(self.root.join(format!("journal-damaged-{}", restart.copy)));
        for segment in &old {
            let name = segment_name(segment.at);
            self.with("copy", || copies.create(&name, &segment.bytes))?;
        }
        // Places that no counting leads to would stay the last ones for ever.
        for segment in old.iter().filter(|segment| segment.at >= restart.at) {
            let name = segment_name(segment.at);
            self.with("trim", || self.journal.remove(&name))?;
        }
        self.append_journal(restart.at, restart.bytes).await?;
        let is_new = |at: &Position| *at < restart.at && !old.iter().any(|old| old.at == *at);
        if self.positions()?.iter().any(is_new) {
            let name = segment_name(restart.at);
            self.with("write", || self.journal.remove(&name))?;
            return Err(self.conflict());
        }
        self.trim_journal(restart.at).await?;
        Ok(copies.0.display().to_string())
    }

    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        loop {
            match self.held()? {
                Some((_, holder)) if holder.lock_id() == info.id => return Ok(()),
                Some((_, holder)) => return Err(LockError::Held(Box::new(holder))),
                None => {}
            }
            let locks = &self.locks;
            let number = self.with("lock", || locks.last())?.unwrap_or(0) + 1;
            let text = info.to_json();
            let created = self.with("lock", || locks.create(&numbered(number), text.as_bytes()))?;
            if !created {
                continue;
            }
            // Who slept since the first look may have taken a number that others have used and removed.
            if self.with("lock", || locks.last())? != Some(number) {
                self.with("lock", || locks.remove(&numbered(number)))?;
                continue;
            }
            let name = numbered(number);
            for old in self.with("lock", || locks.names())? {
                if *old < *name {
                    let _ = locks.remove(&old);
                }
            }
            return Ok(());
        }
    }

    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        let freed = format!("{}.freed", numbered(self.held_as(id)?));
        match self.with("unlock", || self.locks.create(&freed, b""))? {
            true => Ok(()),
            false => Err(self.not_held(id)),
        }
    }

    async fn heartbeat(&self, id: &str, now: Timestamp) -> Result<(), BackendError> {
        let seen = format!("{}.seen", numbered(self.held_as(id)?));
        let now = now.to_string();
        self.with("write to", || self.locks.replace(&seen, now.as_bytes()))
    }

    async fn holder(&self) -> Result<Option<Holder>, BackendError> {
        Ok(self.held()?.map(|(_, holder)| holder))
    }

    async fn force_unlock(&self, id: &str) -> Result<(), BackendError> {
        self.unlock(id).await
    }

    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        let names = self.with("list", || self.snapshots.names())?;
        let versions = names.iter().rev().enumerate().filter_map(|(place, name)| {
            let metadata = self.snapshots.0.join(name).metadata().ok()?;
            Some(StoredVersion {
                id: name.parse::<u64>().ok()?.to_string(),
                written_at: metadata.modified().ok().map(Timestamp::from),
                size: metadata.len(),
                current: place == 0,
            })
        });
        Ok(versions.collect())
    }

    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        let found = match id.parse() {
            Ok(number) => self.version(number)?,
            Err(_) => None,
        };
        match found {
            Some((bytes, _)) => Ok(bytes),
            None => Err(BackendError::NoSuchVersion {
                place: self.place.clone(),
                id: id.to_owned(),
            }),
        }
    }
}
