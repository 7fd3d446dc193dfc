//! States, journals and plans that only the holders of a key can read.
//!
//! ```
//! # use terrane_state::{BackendConfig, EncryptedWith, Encryption, LocalBackend};
//! # use std::path::PathBuf;
//! # fn f(key: impl terrane_vault::KeyService + 'static, old: impl terrane_vault::KeyService + 'static) -> BackendConfig {
//! // A new key: what the old one encrypted is still read, and the next write is encrypted with the new one.
//! PathBuf::from("prod.tfstate").encrypted_with(Encryption::with(key).also_reads(old))
//! # }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `settings` | [`Encryption`]: which keys, and whether content in clear is accepted |
//! | `envelope` | bytes encrypted with a data key that a key service encrypts |
//! | `cipher` | the data key of this process, and those of what was read |
//! | `snapshot` | an encrypted state as a file of version 4 |
//! | `segment` | encrypted records of the journal |
//! | `store` | a backend over another one, which only ever sees ciphertext |
//!
//! **Decisions.** Encryption is a store over a store, so that every store has it, also those of other authors, and nothing above knows:
//! runs, recovery and repair see the bytes that they wrote. A frame of the journal is encrypted whole and put into a frame of its own, so that
//! stores still find a torn record. A ciphertext is bound to its place (which state and serial, which record, which kind of file), so
//! that it cannot be moved; a state in clear is refused unless the program says otherwise, so that nobody can put one in its place. The nonce
//! is an HMAC of place and content: the same bytes at the same place are the same ciphertext again, which repeated writes rely on, and
//! AES-GCM never sees a nonce twice for two contents.

mod cipher;
mod envelope;
mod segment;
mod settings;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;

use crate::backend::{Backend, BackendError, Segment};

pub use settings::{EncryptedWith, Encryption};
pub(crate) use store::EncryptedBackend;
pub use store::is_sealed;

/// The error for a state that is encrypted, where the program names no key; `None` for one in clear.
pub(crate) fn sealed_state(backend: &dyn Backend, bytes: &[u8]) -> Option<BackendError> {
    let (envelope, _) = snapshot::envelope(bytes)?;
    Some(no_key("the state", backend, &envelope))
}

/// The same for a journal.
pub(crate) fn sealed_journal(backend: &dyn Backend, segments: &[Segment]) -> Option<BackendError> {
    let envelope = segments
        .iter()
        .find_map(|segment| segment::first_envelope(&segment.bytes))?;
    Some(no_key("the journal", backend, &envelope))
}

fn no_key(what: &str, backend: &dyn Backend, envelope: &envelope::Envelope) -> BackendError {
    let key = &envelope.key;
    BackendError::Encrypted {
        place: format!("{what} at {}", backend.place()),
        reason: format!(
            "it is encrypted with `{key}`, and the program names no key: its backend needs `.encrypted_with(…)`"
        ),
    }
}
