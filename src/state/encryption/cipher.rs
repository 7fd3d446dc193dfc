//! The data key of this process, and those of what was read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use terrane_vault::{DataKey, SecretFault};
use tokio::sync::OnceCell;

use super::Encryption;
use super::envelope::{Envelope, Forged, VERSION, WrappedKey};
use super::sealed::SealedState;
use crate::random::{Random as _, SystemRandom};

/// Encrypts and decrypts by the keys of a program. A key service is asked once for each data key.
#[derive(Debug)]
pub(super) struct Cipher {
    pub(super) settings: Encryption,
    own: OnceCell<WrappedKey>,
    known: Mutex<HashMap<Vec<u8>, DataKey>>,
}

/// Why something cannot be encrypted or decrypted.
#[derive(Debug, Clone)]
pub(super) enum CipherFault {
    /// No key service decrypts the data key.
    NoKey {
        /// What it is encrypted with.
        key: String,
        /// What each service of the program said.
        faults: Vec<(String, SecretFault)>,
    },
    /// A later version of terrane wrote it.
    Unknown(u32),
    /// The content was changed, or moved from another place.
    Forged,
}

impl std::fmt::Display for CipherFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoKey { key, faults } => {
                write!(
                    f,
                    "it is encrypted with `{key}`, and no key of the program decrypts it"
                )?;
                faults
                    .iter()
                    .try_for_each(|(service, fault)| write!(f, " (`{service}`: {fault})"))
            }
            Self::Unknown(version) => {
                write!(
                    f,
                    "it is encrypted in form {version}, which a later version of terrane reads"
                )
            }
            Self::Forged => f.write_str("its ciphertext was changed, or belongs to another place"),
        }
    }
}

impl Cipher {
    pub(super) fn new(settings: Encryption) -> Self {
        Self {
            settings,
            own: OnceCell::new(),
            known: Mutex::default(),
        }
    }

    /// The key for all that this process writes: new, and encrypted by the program's present key.
    pub(super) async fn own(&self) -> Result<&WrappedKey, SecretFault> {
        self.own
            .get_or_try_init(|| async {
                let service = &self.settings.services[0];
                let mut key = [0; 32];
                SystemRandom.fill(&mut key);
                let key = DataKey(key);
                let wrapped = service.wrap(&key).await?;
                self.learn(&wrapped, &key);
                Ok(WrappedKey {
                    key,
                    service: service.name(),
                    wrapped,
                })
            })
            .await
    }

    fn learn(&self, wrapped: &[u8], key: &DataKey) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(wrapped.to_vec(), key.clone());
    }

    /// The data key that the service of that name encrypted, of a file in that form.
    async fn key_of(
        &self,
        version: u32,
        name: &str,
        data_key: &[u8],
    ) -> Result<DataKey, CipherFault> {
        if version != VERSION {
            return Err(CipherFault::Unknown(version));
        }
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(key) = known.get(data_key) {
                return Ok(key.clone());
            }
        }
        let mut faults = Vec::new();
        // First the service that the file names; another one may hold the same key under another name.
        let services = &self.settings.services;
        let named = services.iter().filter(|service| service.name() == name);
        let others = services.iter().filter(|service| service.name() != name);
        for service in named.chain(others) {
            let unwrapped = service.unwrap(data_key, &self.settings.environment);
            match unwrapped.await {
                Ok(key) => {
                    self.learn(data_key, &key);
                    return Ok(key);
                }
                Err(fault) => faults.push((service.name(), fault)),
            }
        }
        Err(CipherFault::NoKey {
            key: name.to_owned(),
            faults,
        })
    }

    /// Decrypts an envelope of that place.
    pub(super) async fn open(
        &self,
        envelope: &Envelope,
        place: &str,
    ) -> Result<Vec<u8>, CipherFault> {
        let Envelope {
            version,
            key,
            data_key,
            ..
        } = envelope;
        let key = self.key_of(*version, key, data_key).await?;
        envelope
            .open(&key, place)
            .map_err(|Forged| CipherFault::Forged)
    }

    /// Decrypts a state, of a file of one of those kinds.
    pub(super) async fn open_state(
        &self,
        sealed: &SealedState<'_>,
        kinds: &[&str],
    ) -> Result<Vec<u8>, CipherFault> {
        let leaves = match sealed {
            SealedState::Whole(envelope, place) => return self.open(envelope, place).await,
            SealedState::Leaves(leaves) => leaves,
        };
        let header = &leaves.header;
        let key = self.key_of(header.version, &header.key, &header.data_key);
        let key = key.await?;
        let opened = kinds.iter().find_map(|kind| leaves.open(&key, kind).ok());
        opened.ok_or(CipherFault::Forged)
    }
}
