//! What a program says about the encryption of its state.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use terrane_vault::KeyService;

use super::EncryptedBackend;
use crate::backend::{Backend, BackendAddress, BackendConfig, BackendError, BootstrapStep};
use crate::clock::Clock;

/// The keys of a state, its journal and its saved plans.
#[derive(Debug, Clone)]
pub struct Encryption {
    pub(super) services: Vec<Arc<dyn KeyService>>,
    pub(super) accepts_clear: bool,
    pub(super) writes_clear: bool,
    pub(super) sensitive_only: bool,
    pub(super) environment: BTreeMap<String, String>,
}

impl Encryption {
    /// Everything is encrypted with that key, and nothing in clear is accepted.
    pub fn with(key: impl KeyService + 'static) -> Self {
        Self {
            services: vec![Arc::new(key)],
            accepts_clear: false,
            writes_clear: false,
            sensitive_only: false,
            environment: BTreeMap::new(),
        }
    }

    /// Encrypts only the sensitive values of the state, so that other tools still read its addresses, ids and other attributes. The
    /// journal and saved plans are encrypted whole all the same.
    #[must_use]
    pub fn sensitive_values_only(mut self) -> Self {
        self.sensitive_only = true;
        self
    }

    /// Reads what an earlier key encrypted, too. The next write is encrypted with the present one.
    #[must_use]
    pub fn also_reads(mut self, earlier: impl KeyService + 'static) -> Self {
        self.services.push(Arc::new(earlier));
        self
    }

    /// Accepts a state in clear and encrypts it at the next write: for a state that exists already. Leave it out afterwards: with it,
    /// whoever can write the store can put another state in place of the encrypted one.
    #[must_use]
    pub fn accepting_clear(mut self) -> Self {
        self.accepts_clear = true;
        self
    }

    /// Reads what is encrypted and writes everything in clear: for turning encryption off.
    #[must_use]
    pub fn ending(mut self) -> Self {
        (self.accepts_clear, self.writes_clear) = (true, true);
        self
    }

    /// The environment that names the identities of age.
    #[must_use]
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }
}

impl<K: KeyService + 'static> From<K> for Encryption {
    fn from(key: K) -> Self {
        Self::with(key)
    }
}

/// An address of a state that can be kept encrypted: every one.
pub trait EncryptedWith {
    /// The same place, with its content encrypted.
    fn encrypted_with(self, encryption: impl Into<Encryption>) -> BackendConfig;
}

impl<A: Into<BackendConfig>> EncryptedWith for A {
    fn encrypted_with(self, encryption: impl Into<Encryption>) -> BackendConfig {
        BackendConfig::from(EncryptedAddress {
            inner: self.into(),
            encryption: encryption.into(),
        })
    }
}

/// An address whose store sees only ciphertext.
#[derive(Debug, Clone)]
pub(crate) struct EncryptedAddress {
    pub(crate) inner: BackendConfig,
    pub(crate) encryption: Encryption,
}

impl fmt::Display for EncryptedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl BackendAddress for EncryptedAddress {
    fn absolute(&self) -> String {
        self.inner.address().absolute()
    }

    fn identity(&self) -> String {
        self.inner.address().identity()
    }

    fn lock_outlives_process(&self) -> bool {
        self.inner.address().lock_outlives_process()
    }

    async fn connect(&self, clock: Arc<dyn Clock>) -> Result<Arc<dyn Backend>, BackendError> {
        let inner = self.inner.address().connect(clock).await?;
        Ok(Arc::new(EncryptedBackend::new(
            inner,
            self.encryption.clone(),
        )))
    }

    async fn named_alike(
        &self,
        name: &str,
        stem: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<BTreeSet<String>>, BackendError> {
        self.inner.address().named_alike(name, stem, clock).await
    }

    async fn plan_bootstrap(
        &self,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Vec<Box<dyn BootstrapStep>>>, BackendError> {
        self.inner.address().plan_bootstrap(clock).await
    }

    fn encryption(&self) -> Option<&Encryption> {
        Some(&self.encryption)
    }

    fn in_environment(&self, environment: &BTreeMap<String, String>) -> Option<BackendConfig> {
        let encryption = self.encryption.clone();
        Some(BackendConfig::from(Self {
            inner: self.inner.clone(),
            encryption: encryption.with_environment(environment.clone()),
        }))
    }
}

/// A file of a stack beside its state, which is encrypted where the state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackFile {
    /// A saved plan.
    Plan,
    /// The results of a run that no store took.
    Rescue,
    /// One that a store keeps beside the state.
    Beside,
}

impl StackFile {
    /// What it is called in its encrypted form.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Rescue => "rescue",
            Self::Beside => "beside",
        }
    }
}
