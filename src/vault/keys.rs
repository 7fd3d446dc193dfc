//! Key services: they keep the key that a data key is encrypted with, and never hand it out.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use crate::vault::SecretFault;

/// A key of 256 bits that content is encrypted with.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey(pub [u8; 32]);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey((sensitive))")
    }
}

/// A service that encrypts data keys: a key of AWS KMS, recipients of age, or one of your own.
#[async_trait]
pub trait KeyService: fmt::Debug + Send + Sync {
    /// Names key and service in files and messages: `aws-kms:alias/state`.
    fn name(&self) -> String;

    /// Encrypts a data key.
    ///
    /// # Errors
    /// When the service refuses it.
    async fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, SecretFault>;

    /// Decrypts a data key that [`wrap`](Self::wrap) encrypted, with the keys that this environment names.
    ///
    /// # Errors
    /// When the service refuses it, or it was encrypted for another key.
    async fn unwrap(
        &self,
        wrapped: &[u8],
        environment: &BTreeMap<String, String>,
    ) -> Result<DataKey, SecretFault>;
}

/// The data key in these bytes.
#[cfg(any(feature = "age", feature = "aws"))]
pub(crate) fn data_key(bytes: &[u8]) -> Result<DataKey, SecretFault> {
    let key = bytes.try_into();
    key.map(DataKey)
        .map_err(|_| SecretFault::new("what it encrypts is no data key"))
}
