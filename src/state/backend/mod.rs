//! Where a state is kept: one trait, and the stores behind it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::digest::Sha256;
use crate::encryption::StackFile;
use crate::file::{Layout, Pieces};
use crate::lock_info::LockInfo;

mod alike;
mod checked;
pub mod conformance;
mod factory;
mod local;
mod memory;
mod s3;
mod url;

pub use checked::{Answered, Found, write_checked};
pub use factory::{
    BackendAddress, BackendConfig, BackendFactory, Backends, BootstrapStep, ParseBackendError,
};
pub use local::{LocalBackend, PrivateFile};
pub use memory::MemoryBackend;
pub use s3::{AssumeRole, Endpoints, InvalidOption, S3Backend};
pub use url::{address_url, url_decode, url_encode, url_options};

/// A store for one state: its snapshot, its journal, its lock, its earlier versions.
///
/// Every write is conditional on the content that the writer read last: a writer that was overtaken gets an error and changes nothing.
/// All methods may be called again after a failure or a dropped future: writing the same bytes at the same place twice is one write.
#[async_trait]
pub trait Backend: Send + Sync + fmt::Debug {
    /// The place, as messages name it: a path or an `s3://` address.
    fn place(&self) -> String;

    /// The `Path` in the description of a lock on this state.
    fn lock_path(&self) -> String;

    /// How snapshots are laid out here: as Terraform lays them out in the same kind of place.
    fn layout(&self) -> Layout {
        Layout::Indented
    }

    /// The store that this one keeps its content in, in another form: that of an encrypted one has ciphertext.
    fn beneath(&self) -> Option<&dyn Backend> {
        None
    }

    /// Encrypts another file of the stack, if this store encrypts. Everybody may know what it is about.
    ///
    /// # Errors
    /// When the key cannot be used.
    async fn seal(
        &self,
        file: StackFile,
        about: &str,
        bytes: Bytes,
    ) -> Result<Bytes, BackendError> {
        let _ = (file, about);
        Ok(bytes)
    }

    /// Decrypts a file that [`seal`](Self::seal) encrypted, or a copy of an encrypted state. Messages call it by that name.
    ///
    /// # Errors
    /// When the key cannot be used, the file was changed, or it is a plan in clear.
    async fn unseal(
        &self,
        file: StackFile,
        name: &str,
        bytes: Bytes,
    ) -> Result<Bytes, BackendError> {
        let _ = (file, name);
        Ok(bytes)
    }

    /// The snapshot, or `None` when there is none. Empty bytes are returned as they are: they are damage, not absence.
    ///
    /// # Errors
    /// When the store cannot be read, or its content fails its own checks.
    async fn read(&self) -> Result<Option<Snapshot>, BackendError>;

    /// Makes the digest that the store keeps apart agree with a snapshot that is known to be good.
    ///
    /// # Errors
    /// When the store cannot be changed.
    async fn vouch(&self, snapshot: &Snapshot) -> Result<(), BackendError> {
        let _ = snapshot;
        Ok(())
    }

    /// Keeps a snapshot that cannot be used beside the state, so that the next write leaves neither it nor an earlier version behind;
    /// returns where. A store that keeps versions has it anyway.
    ///
    /// # Errors
    /// When it could not be kept.
    async fn set_aside(&self, snapshot: &Snapshot) -> Result<Option<String>, BackendError> {
        let _ = snapshot;
        Ok(None)
    }

    /// A file that is kept beside the state and may be lost at any time; `None` where there is none, or the store keeps none such.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn read_beside(&self, name: &str) -> Result<Option<Bytes>, BackendError> {
        let _ = name;
        Ok(None)
    }

    /// Keeps such a file, whoever holds the lock; the last writer wins. A store that keeps none forgets it.
    ///
    /// # Errors
    /// When the store cannot be changed.
    async fn write_beside(&self, name: &str, bytes: Bytes) -> Result<(), BackendError> {
        let _ = (name, bytes);
        Ok(())
    }

    /// Puts a snapshot in the place of the one that was seen; durable on return.
    ///
    /// # Errors
    /// [`BackendError::Conflict`] when something else is there; nothing is changed then.
    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError>;

    /// The same with a snapshot in pieces: for stores that need not hold it in one.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    async fn write_pieces(&self, pieces: Pieces, over: &Expected) -> Result<Written, BackendError> {
        self.write(pieces.to_vec().into(), over).await
    }

    /// Every segment of the journal that was not trimmed, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError>;

    /// Adds a segment at that position; durable on return. The same bytes at the same position again are no error.
    ///
    /// # Errors
    /// [`BackendError::Conflict`] when other bytes are there, or positions before it are missing.
    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError>;

    /// Forgets segments before that position. The last segment stays: it keeps the place from being used twice.
    ///
    /// # Errors
    /// When the store cannot be changed; what was forgotten so far stays forgotten.
    async fn trim_journal(&self, before: Position) -> Result<(), BackendError>;

    /// Puts a new journal of one segment in the place of one that is damaged, behind every place of it that is taken. A copy of the old
    /// one is kept; returns where.
    ///
    /// # Errors
    /// [`BackendError::Conflict`] when another run goes on writing the old one; nothing of it is changed then.
    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError>;

    /// Takes the lock.
    ///
    /// # Errors
    /// [`LockError::Held`] with the holder when another has it.
    async fn lock(&self, info: &LockInfo) -> Result<(), LockError>;

    /// Gives the lock back, if it is still the one with that id.
    ///
    /// # Errors
    /// [`BackendError::NotHeld`] when it is not: another's lock is never freed.
    async fn unlock(&self, id: &str) -> Result<(), BackendError>;

    /// Says that the holder is alive, and learns whether the lock is still its own.
    ///
    /// # Errors
    /// [`BackendError::NotHeld`] when it is not.
    async fn heartbeat(&self, id: &str, now: Timestamp) -> Result<(), BackendError>;

    /// The holder of the lock, if it is held.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn holder(&self) -> Result<Option<Holder>, BackendError>;

    /// Frees a lock that is another's, if it still has that id.
    ///
    /// # Errors
    /// [`BackendError::NotHeld`] when the id is not the holder's, [`BackendError::HolderAlive`] when the store can tell that it lives.
    async fn force_unlock(&self, id: &str) -> Result<(), BackendError>;

    /// The versions of the snapshot that the store still has, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError>;

    /// The bytes of one version.
    ///
    /// # Errors
    /// When there is no such version or the store cannot be read.
    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError>;

    /// The first bytes of one version, at most that many, where the rest need not be fetched for it.
    ///
    /// # Errors
    /// When there is no such version or the store cannot be read.
    async fn read_version_start(&self, id: &str, length: usize) -> Result<Bytes, BackendError> {
        let bytes = self.read_version(id).await?;
        Ok(bytes.slice(..length.min(bytes.len())))
    }
}

/// The bytes of a stored state, and what to name when replacing them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The file.
    pub bytes: Bytes,
    /// Names exactly this content to [`Backend::write`].
    pub token: Token,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
    /// The store's name of the version, where it keeps versions.
    pub version: Option<String>,
    /// Why the store itself doubts that this is the last state (a digest kept apart says otherwise); only a journal that knows
    /// these bytes can overrule it, by [`Backend::vouch`].
    pub doubt: Option<String>,
}

/// The store's name for the content of a snapshot (an ETag, a digest).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Token(pub Arc<str>);

/// The content that a writer expects to replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// The snapshot with that token.
    Token(Token),
}

/// A snapshot was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Names it from now on.
    pub token: Token,
    /// The store's name of the version, where it keeps versions.
    pub version: Option<String>,
}

/// A place in the journal. Segments of an epoch have numbers from 0, without gaps; each run has an epoch of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The run's epoch.
    pub epoch: u64,
    /// The segment in it.
    pub segment: u64,
}

impl Position {
    /// Whether a segment may be put there when `last` is the last place that is taken.
    pub fn follows(self, last: Option<Self>) -> bool {
        match last {
            Some(last) if last.epoch == self.epoch => {
                last.segment.checked_add(1) == Some(self.segment)
            }
            Some(last) => last.epoch < self.epoch && self.segment == 0,
            None => self.segment == 0,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:08}", self.epoch, self.segment)
    }
}

/// Some records of the journal. A store that keeps one file gives all of it, at the position that was appended last, without the rest of an
/// interrupted write. Without bytes it only keeps its place from being used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where it lies.
    pub at: Position,
    /// The framed records.
    pub bytes: Bytes,
}

/// A new journal, for [`Backend::restart_journal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// The name of the old journal's copy: letters, digits and `-`.
    pub copy: String,
    /// Where the only segment lies: at the beginning of an epoch.
    pub at: Position,
    /// Its records. They say that nothing before them is needed.
    pub bytes: Bytes,
}

/// The holder of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its description, where that can be read.
    pub info: Option<LockInfo>,
    /// The description as it is stored.
    pub raw: String,
    /// Its last sign of life, where the store keeps one.
    pub last_seen: Option<Timestamp>,
}

/// An earlier (or the current) snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredVersion {
    /// Names it to [`Backend::read_version`].
    pub id: String,
    /// When it was written.
    pub written_at: Option<Timestamp>,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it is the one in use.
    pub current: bool,
}

/// A store refused or failed.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum BackendError {
    /// Something else is stored than the writer saw.
    #[error("{place} was changed by another writer")]
    Conflict {
        /// The changed part of the store.
        place: String,
    },
    /// The lock is not the caller's (any more).
    #[error("the lock on {place} is not held under the id {id}")]
    NotHeld {
        /// The locked state.
        place: String,
        /// The id that was given.
        id: String,
    },
    /// The holder of the lock lives, so it must not be broken.
    #[error("the lock on {place} is held by a living process ({who})")]
    HolderAlive {
        /// The locked state.
        place: String,
        /// The holder.
        who: String,
    },
    /// The stored bytes fail the store's own check.
    #[error("{place} is damaged: {reason}")]
    Damaged {
        /// Which part of the store.
        place: String,
        /// The mismatch.
        reason: String,
    },
    /// It is encrypted and cannot be decrypted, or it is not encrypted and should be.
    #[error("{place} cannot be used: {reason}")]
    Encrypted {
        /// Which part of the store.
        place: String,
        /// Why.
        reason: String,
    },
    /// The store said that it took a write, and does not have it.
    #[error("{place} was not stored, although the store acknowledged it again and again")]
    NotStored {
        /// Which part of the store.
        place: String,
    },
    /// There is nothing, and the store knows of something.
    #[error("the state at {place} is missing: {reason}")]
    Missing {
        /// The state.
        place: String,
        /// What shows that there was one.
        reason: String,
    },
    /// The stored state may not be the last one.
    #[error("the state at {place} is not the one that was stored last: {reason}")]
    Doubtful {
        /// The state.
        place: String,
        /// The mismatch.
        reason: String,
    },
    /// The store itself does not exist yet: `bootstrap` creates it.
    #[error("{what} does not exist{}", looked_in.as_ref().map_or(String::new(), |place| format!(" in {place}")))]
    NotMade {
        /// Which part of it, with its name.
        what: String,
        /// Where it was looked for, if it can be elsewhere.
        looked_in: Option<String>,
        /// What else may be the reason.
        hint: Option<String>,
    },
    /// The place is unusable as it is: not a regular file, not ours, no such bucket.
    #[error("{place} cannot be used: {reason}")]
    Unusable {
        /// Which part of the store.
        place: String,
        /// Why.
        reason: String,
    },
    /// There is no version with that name.
    #[error("{place} has no version {id}")]
    NoSuchVersion {
        /// The state.
        place: String,
        /// The version.
        id: String,
    },
    /// The store failed.
    #[error("cannot {action} {place}")]
    Store {
        /// The request, for example `read`.
        action: &'static str,
        /// Which part of the store.
        place: String,
        /// Its error.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

/// A lock was not taken.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another has it.
    #[error("the state is locked by another run")]
    Held(Box<Holder>),
    /// It could not be found out.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl Holder {
    /// What [`Backend::force_unlock`] takes: the id in the description, or one made from its bytes where it cannot be read.
    pub fn lock_id(&self) -> String {
        match &self.info {
            Some(info) => info.id.clone(),
            None => Self::unreadable_id(&self.raw),
        }
    }

    /// The name of a lock whose description is these bytes and names none.
    pub fn unreadable_id(raw: &str) -> String {
        format!("unreadable-{:.12}", Sha256::of(raw.as_bytes()).to_string())
    }
}

impl BackendError {
    /// A failure of the store itself, with its cause.
    pub fn store(
        action: &'static str,
        place: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Store {
            action,
            place: place.into(),
            source: Arc::new(source),
        }
    }
}
