//! A backend over another one, which only ever sees ciphertext.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use terrane_vault::SecretFault;

use super::cipher::{Cipher, CipherFault};
use super::envelope::{Envelope, WrappedKey};
use super::sealed::SealedState;
use super::{Encryption, StackFile, leaves, segment, whole};
use crate::backend::{
    Backend, BackendError, Expected, Holder, LockError, Position, Restart, Segment, Snapshot,
    StoredVersion, Written,
};
use crate::clock::Timestamp;
use crate::digest::Sha256;
use crate::file::Layout;
use crate::journal::frame;
use crate::lock_info::LockInfo;

/// What a state is called where it is encrypted.
const STATE: &str = "state";

/// A store that encrypts what it keeps in another.
#[derive(Debug)]
pub(crate) struct EncryptedBackend {
    inner: Arc<dyn Backend>,
    cipher: Cipher,
    seen: Mutex<Seen>,
}

/// What this store knows of the other one.
#[derive(Debug, Default)]
struct Seen {
    /// The snapshot as it was read last.
    stored: Option<Snapshot>,
    /// The hashes of frames as they are stored, by those of the frames in them.
    frames: HashMap<Sha256, Sha256>,
}

/// A file of another kind than a state, encrypted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedFile {
    terrane_file: String,
    /// What everybody may know of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    about: String,
    terrane_encryption: Envelope,
}

impl SealedFile {
    fn place(kind: &str, about: &str) -> String {
        format!("terrane {kind}\n{about}")
    }
}

/// What a file that [`Backend::seal`] encrypted says to everybody.
pub(crate) fn about(bytes: &[u8]) -> Option<String> {
    let sealed: SealedFile = serde_json::from_slice(bytes).ok()?;
    Some(sealed.about)
}

/// Whether bytes begin as a file of that kind that [`Backend::seal`] encrypted.
pub fn is_sealed(bytes: &[u8], file: StackFile) -> bool {
    let kind = file.kind();
    bytes.starts_with(format!("{{\"terrane_file\":\"{kind}\",").as_bytes())
}

impl EncryptedBackend {
    pub(crate) fn new(inner: Arc<dyn Backend>, settings: Encryption) -> Self {
        Self {
            inner,
            cipher: Cipher::new(settings),
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unencrypted(&self, fault: &SecretFault) -> BackendError {
        let key = self.cipher.settings.services[0].name();
        BackendError::Unusable {
            place: self.place(),
            reason: format!("`{key}` does not encrypt: {fault}"),
        }
    }

    /// What is in the store, for messages.
    fn at_place(&self, what: &str) -> String {
        format!("{what} at {}", self.place())
    }

    /// Refuses content in clear, unless the program accepts it.
    fn accept_clear(&self, place: String) -> Result<(), BackendError> {
        match self.cipher.settings.accepts_clear {
            true => Ok(()),
            false => Err(BackendError::Encrypted {
                place,
                reason: "it is in clear, and the program says that it is encrypted; if it never was, let the program say `.accepting_clear()` \
                         once, else somebody has replaced it"
                    .to_owned(),
            }),
        }
    }

    /// The state in a stored file.
    async fn opened(&self, file: &Bytes) -> Result<Bytes, BackendError> {
        let Some(sealed) = SealedState::find(file) else {
            // Nothing and garbage are damage, which is told from a state above.
            let is_state = serde_json::from_slice::<serde_json::Map<_, _>>(file);
            if is_state.is_ok() {
                self.accept_clear(self.at_place("the state"))?;
            }
            // Ciphertexts must never pass for values.
            return match leaves::has_encrypted_values(file) {
                true => Err(undecrypted(
                    self.at_place("the state"),
                    &CipherFault::Forged,
                )),
                false => Ok(file.clone()),
            };
        };
        let opened = self.cipher.open_state(&sealed, &[STATE]).await;
        opened
            .map(Bytes::from)
            .map_err(|fault| undecrypted(self.at_place("the state"), &fault))
    }

    /// A state as a file of that kind; `None` where the whole of it must be encrypted.
    fn sealed_leaves(&self, key: &WrappedKey, kind: &str, state: &[u8]) -> Option<Vec<u8>> {
        let only = self.cipher.settings.sensitive_only;
        only.then(|| leaves::seal(key, kind, state)).flatten()
    }

    async fn sealed_segment(&self, bytes: &Bytes) -> Result<Bytes, BackendError> {
        if self.cipher.settings.writes_clear {
            return Ok(bytes.clone());
        }
        let key = self
            .cipher
            .own()
            .await
            .map_err(|fault| self.unencrypted(&fault))?;
        let (frames, end) = frame::decode(bytes);
        assert_eq!(
            end.offset,
            bytes.len(),
            "invariant: a writer appends whole frames"
        );
        let (mut sealed, mut offset) = (Vec::new(), 0);
        for frame in &frames {
            let length = frame.encoded_length();
            let plain = &bytes[offset..offset + length];
            offset += length;
            let mut seen = self.seen();
            let previous = seen.frames.get(&frame.previous).copied();
            let stored = segment::seal(
                key,
                frame,
                plain,
                previous.unwrap_or(frame.previous),
                &mut sealed,
            );
            seen.frames.insert(frame.hash, stored);
        }
        Ok(sealed.into())
    }

    async fn opened_segment(&self, stored: &Bytes) -> Result<Bytes, BackendError> {
        let (frames, end) = frame::decode(stored);
        let mut opened = Vec::new();
        for frame in &frames {
            let Some((envelope, place)) = segment::envelope(frame) else {
                self.accept_clear(self.at_place("a record of the journal"))?;
                self.seen().frames.insert(frame.hash, frame.hash);
                frame::encode(
                    frame.at,
                    frame.number,
                    frame.previous,
                    &frame.payload,
                    &mut opened,
                );
                continue;
            };
            let plain = self.cipher.open(&envelope, &place).await;
            let plain = plain
                .map_err(|fault| undecrypted(self.at_place("a record of the journal"), &fault))?;
            self.seen().frames.insert(Sha256::of(&plain), frame.hash);
            opened.extend_from_slice(&plain);
        }
        // What is no frame stays what it is: damage, which is told from records above.
        opened.extend_from_slice(&stored[end.offset..]);
        Ok(opened.into())
    }

    /// The stored form of a snapshot that [`read`](Backend::read) gave.
    fn stored(&self, snapshot: &Snapshot) -> Snapshot {
        let seen = self.seen();
        let stored = seen
            .stored
            .clone()
            .filter(|stored| stored.token == snapshot.token);
        stored.unwrap_or_else(|| snapshot.clone())
    }

    /// Whether the store has those bytes at that place, in whatever ciphertext.
    async fn has(&self, at: Position, bytes: &Bytes) -> Result<bool, BackendError> {
        let segments = self.read_journal().await?;
        let frames = segments
            .iter()
            .flat_map(|segment| frame::decode(&segment.bytes).0);
        let there: Vec<_> = frames
            .filter(|frame| frame.at == at)
            .map(|frame| frame.hash)
            .collect();
        let here: Vec<_> = frame::decode(bytes)
            .0
            .iter()
            .map(|frame| frame.hash)
            .collect();
        Ok(there == here)
    }
}

#[async_trait]
impl Backend for EncryptedBackend {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn lock_path(&self) -> String {
        self.inner.lock_path()
    }

    fn layout(&self) -> Layout {
        self.inner.layout()
    }

    fn beneath(&self) -> Option<&dyn Backend> {
        Some(&*self.inner)
    }

    async fn seal(
        &self,
        file: StackFile,
        about: &str,
        bytes: Bytes,
    ) -> Result<Bytes, BackendError> {
        let kind = file.kind();
        if self.cipher.settings.writes_clear {
            return Ok(bytes);
        }
        let key = self
            .cipher
            .own()
            .await
            .map_err(|fault| self.unencrypted(&fault))?;
        if let Some(sealed) = self.sealed_leaves(key, kind, &bytes) {
            return Ok(sealed.into());
        }
        let sealed = SealedFile {
            terrane_file: kind.to_owned(),
            about: about.to_owned(),
            terrane_encryption: Envelope::seal(key, &SealedFile::place(kind, about), &bytes),
        };
        let sealed = serde_json::to_vec(&sealed).expect("invariant: a file is serialisable");
        Ok(sealed.into())
    }

    async fn unseal(
        &self,
        file: StackFile,
        name: &str,
        bytes: Bytes,
    ) -> Result<Bytes, BackendError> {
        let kind = file.kind();
        let opened = match serde_json::from_slice::<SealedFile>(&bytes) {
            Ok(sealed) => {
                let place = SealedFile::place(kind, &sealed.about);
                self.cipher.open(&sealed.terrane_encryption, &place).await
            }
            Err(_) => match SealedState::find(&bytes) {
                Some(sealed) => self.cipher.open_state(&sealed, &[kind, STATE]).await,
                None => {
                    // A person may well push a state in clear, but this program makes no plan in clear.
                    if file == StackFile::Plan && !self.cipher.settings.accepts_clear {
                        return Err(BackendError::Encrypted {
                            place: name.to_owned(),
                            reason: "it is in clear, and this program encrypts its plans; make a new one with `preview --out FILE`".to_owned(),
                        });
                    }
                    Ok(bytes.to_vec())
                }
            },
        };
        opened
            .map(Bytes::from)
            .map_err(|fault| undecrypted(name.to_owned(), &fault))
    }

    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        let Some(stored) = self.inner.read().await? else {
            self.seen().stored = None;
            return Ok(None);
        };
        let bytes = self.opened(&stored.bytes).await?;
        let opened = Snapshot {
            sha256: Sha256::of(&bytes),
            bytes,
            ..stored.clone()
        };
        self.seen().stored = Some(stored);
        Ok(Some(opened))
    }

    async fn read_beside(&self, name: &str) -> Result<Option<Bytes>, BackendError> {
        let stored = self.inner.read_beside(name).await?;
        // It may be lost, so one in clear is none: the program says that nothing is.
        let is_expected = |bytes: &Bytes| {
            is_sealed(bytes, StackFile::Beside)
                || self.cipher.settings.accepts_clear
                || self.cipher.settings.writes_clear
        };
        match stored.filter(is_expected) {
            Some(stored) => self.unseal(StackFile::Beside, name, stored).await.map(Some),
            None => Ok(None),
        }
    }

    async fn write_beside(&self, name: &str, bytes: Bytes) -> Result<(), BackendError> {
        let sealed = self.seal(StackFile::Beside, name, bytes).await?;
        self.inner.write_beside(name, sealed).await
    }

    async fn vouch(&self, snapshot: &Snapshot) -> Result<(), BackendError> {
        self.inner.vouch(&self.stored(snapshot)).await
    }

    async fn set_aside(&self, snapshot: &Snapshot) -> Result<Option<String>, BackendError> {
        self.inner.set_aside(&self.stored(snapshot)).await
    }

    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        if self.cipher.settings.writes_clear {
            return self.inner.write(bytes, over).await;
        }
        let key = self
            .cipher
            .own()
            .await
            .map_err(|fault| self.unencrypted(&fault))?;
        let sealed = self.sealed_leaves(key, STATE, &bytes);
        let sealed = sealed.unwrap_or_else(|| whole::seal(key, &bytes));
        self.inner.write(sealed.into(), over).await
    }

    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        let mut segments = self.inner.read_journal().await?;
        for segment in &mut segments {
            segment.bytes = self.opened_segment(&segment.bytes).await?;
        }
        Ok(segments)
    }

    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        let sealed = self.sealed_segment(&bytes).await?;
        match self.inner.append_journal(at, sealed).await {
            // The same bytes again, by another handle, are another ciphertext.
            Err(conflict @ BackendError::Conflict { .. }) => match self.has(at, &bytes).await? {
                true => Ok(()),
                false => Err(conflict),
            },
            done => done,
        }
    }

    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        self.inner.trim_journal(before).await
    }

    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError> {
        let bytes = self.sealed_segment(&restart.bytes).await?;
        self.inner
            .restart_journal(Restart { bytes, ..restart })
            .await
    }

    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        // Without a key nothing could be recorded: no operation begins then.
        if !self.cipher.settings.writes_clear {
            let key = self.cipher.own().await;
            key.map_err(|fault| self.unencrypted(&fault))?;
        }
        self.inner.lock(info).await
    }

    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        self.inner.unlock(id).await
    }

    async fn heartbeat(&self, id: &str, now: Timestamp) -> Result<(), BackendError> {
        self.inner.heartbeat(id, now).await
    }

    async fn holder(&self) -> Result<Option<Holder>, BackendError> {
        self.inner.holder().await
    }

    async fn force_unlock(&self, id: &str) -> Result<(), BackendError> {
        self.inner.force_unlock(id).await
    }

    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        self.inner.history().await
    }

    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        let stored = self.inner.read_version(id).await?;
        // A version from before it was encrypted is read on request, and nothing follows from it.
        match SealedState::find(&stored) {
            Some(_) => self.opened(&stored).await,
            None => Ok(stored),
        }
    }
}

fn undecrypted(place: String, fault: &CipherFault) -> BackendError {
    BackendError::Encrypted {
        place,
        reason: fault.to_string(),
    }
}
