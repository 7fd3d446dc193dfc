//! The data key of this process, and those of what was read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use terrane_vault::{DataKey, SecretFault};
use tokio::sync::OnceCell;

use super::Encryption;
use super::envelope::{Envelope, Forged, WrappedKey};
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

    async fn key_of(&self, envelope: &Envelope) -> Result<DataKey, CipherFault> {
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(key) = known.get(&envelope.data_key) {
                return Ok(key.clone());
            }
        }
        let mut faults = Vec::new();
        // First the service that the envelope names; another one may hold the same key under another name.
        let services = &self.settings.services;
        let named = services
            .iter()
            .filter(|service| service.name() == envelope.key);
        let others = services
            .iter()
            .filter(|service| service.name() != envelope.key);
        for service in named.chain(others) {
            match service
                .unwrap(&envelope.data_key, &self.settings.environment)
                .await
            {
                Ok(key) => {
                    self.learn(&envelope.data_key, &key);
                    return Ok(key);
                }
                Err(fault) => faults.push((service.name(), fault)),
            }
        }
        Err(CipherFault::NoKey {
            key: envelope.key.clone(),
            faults,
        })
    }

    /// Decrypts an envelope of that place.
    pub(super) async fn open(
        &self,
        envelope: &Envelope,
        place: &str,
    ) -> Result<Vec<u8>, CipherFault> {
        if !envelope.is_known() {
            return Err(CipherFault::Unknown(envelope.version));
        }
        let key = self.key_of(envelope).await?;
        envelope
            .open(&key, place)
            .map_err(|Forged| CipherFault::Forged)
    }
}
