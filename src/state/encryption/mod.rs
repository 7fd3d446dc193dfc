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
//! | `whole` | a state that is encrypted whole, as a file of version 4 |
//! | `leaves` | a state whose sensitive values alone are encrypted |
//! | `sealed` | an encrypted state in either form |
//! | `segment` | encrypted records of the journal |
//! | `store` | a backend over another one, which only ever sees ciphertext |
//!
//! **Decisions.** Encryption is a store over a store, so that every store has it, also those of other authors, and nothing above knows:
//! runs, recovery and repair see the bytes that they wrote. A frame of the journal is encrypted whole and put into a frame of its own, so that
//! stores still find a torn record. A ciphertext is bound to its place (which state and serial, which record, which kind of file), so
//! that it cannot be moved; a state in clear is refused unless the program says otherwise, so that nobody can put one in its place. The nonce
//! is an HMAC of place and content: the same bytes at the same place are the same ciphertext again, which repeated writes rely on, and
//! AES-GCM never sees a nonce twice for two contents.
//!
//! Where only what is sensitive is encrypted, the rest of the file is authenticated with it: a value in clear in the place of an encrypted one
//! would be a downgrade like any other. What encryption puts into the text is taken out of it again, so that a state comes back byte for
//! byte. Journal and plans are no files for other tools, and always encrypted whole.

mod cipher;
mod envelope;
mod leaves;
mod sealed;
mod segment;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod whole;

use crate::backend::{Backend, BackendError, Segment};

pub use settings::{EncryptedWith, Encryption, StackFile};
pub use store::is_sealed;
pub(crate) use store::{EncryptedBackend, about};

/// The error for a state that is encrypted, where the program names no key; `None` for one in clear.
pub(crate) fn sealed_state(backend: &dyn Backend, bytes: &[u8]) -> Option<BackendError> {
    let sealed = sealed::SealedState::find(bytes)?;
    Some(no_key("the state", backend, sealed.key()))
}

/// The same for a journal.
pub(crate) fn sealed_journal(backend: &dyn Backend, segments: &[Segment]) -> Option<BackendError> {
    let envelope = segments
        .iter()
        .find_map(|segment| segment::first_envelope(&segment.bytes))?;
    Some(no_key("the journal", backend, &envelope.key))
}

fn no_key(what: &str, backend: &dyn Backend, key: &str) -> BackendError {
    BackendError::Encrypted {
        place: format!("{what} at {}", backend.place()),
        reason: format!(
            "it is encrypted with `{key}`, and the program names no key: its backend needs `.encrypted_with(…)`"
        ),
    }
}
