//! Data keys encrypted for recipients of age.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use async_trait::async_trait;

use crate::encrypted::decrypt;
use crate::keys::{DataKey, KeyService, data_key};
use crate::vault::SecretFault;

/// Recipients of age: each of them can decrypt, with an identity that lies where sops looks for it.
#[derive(Debug, Clone)]
pub struct Age {
    recipients: Vec<String>,
}

impl Age {
    /// These recipients: `age1…`.
    pub fn recipients(recipients: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let recipients = recipients.into_iter().map(Into::into).collect();
        Self { recipients }
    }
}

#[async_trait]
impl KeyService for Age {
    fn name(&self) -> String {
        format!("age:{}", self.recipients.join(","))
    }

    async fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, SecretFault> {
        let mut recipients = Vec::new();
        for text in &self.recipients {
            let recipient: Result<age::x25519::Recipient, _> = text.parse();
            recipients.push(recipient.map_err(|error| {
                SecretFault::new(format!("`{text}` is no recipient of age: {error}"))
            })?);
        }
        let all = recipients
            .iter()
            .map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(all)
            .map_err(|error| SecretFault::new(error.to_string()))?;
        let mut wrapped = Vec::new();
        let written = encryptor.wrap_output(&mut wrapped).and_then(|mut writer| {
            writer.write_all(&key.0)?;
            writer.finish()
        });
        written.map_err(|error| SecretFault::new(error.to_string()))?;
        Ok(wrapped)
    }

    async fn unwrap(
        &self,
        wrapped: &[u8],
        environment: &BTreeMap<String, String>,
    ) -> Result<DataKey, SecretFault> {
        let mut key = Vec::new();
        let mut plain = decrypt(wrapped, environment)?;
        let read = plain.by_ref().take(64).read_to_end(&mut key);
        read.map_err(|error| SecretFault::new(error.to_string()))?;
        data_key(&key)
    }
}
