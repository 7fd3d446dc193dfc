//! Data keys encrypted by a key of AWS KMS.

use std::collections::BTreeMap;

use async_trait::async_trait;
use data_encoding::BASE64;
use serde_json::{Value as Json, json};

use super::client::{Aws, Service};
use super::{fault, region_of};
use crate::keys::{DataKey, KeyService, data_key};
use crate::vault::SecretFault;

const KMS: Service = Service {
    name: "KMS",
    host: "kms",
    variable: "KMS",
    targets: "TrentService",
};

/// A key of AWS KMS, by its ARN, id or alias (`alias/state`).
#[derive(Debug)]
pub struct AwsKms {
    key: String,
    aws: Aws,
}

impl AwsKms {
    /// That key. An ARN names its region; else it is the environment's.
    pub fn key(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            aws: Aws::default(),
        }
    }

    async fn call(&self, operation: &'static str, mut request: Json) -> Result<Json, SecretFault> {
        request["KeyId"] = self.key.as_str().into();
        // Policies of the key can demand it, and KMS logs it.
        request["EncryptionContext"] = json!({ "terrane": "data key" });
        let answer = self
            .aws
            .call(KMS, operation, &request, region_of(&self.key))
            .await;
        answer.map_err(|failure| fault(failure, KMS, &format!("kms:{operation}")))
    }
}

fn bytes(answer: &Json, name: &str) -> Result<Vec<u8>, SecretFault> {
    let text = answer.get(name).and_then(Json::as_str);
    let decoded = text.and_then(|text| BASE64.decode(text.as_bytes()).ok());
    decoded.ok_or_else(|| SecretFault::new(format!("the answer of KMS has no {name}")))
}

#[async_trait]
impl KeyService for AwsKms {
    fn name(&self) -> String {
        format!("aws-kms:{}", self.key)
    }

    async fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, SecretFault> {
        let request = json!({ "Plaintext": BASE64.encode(&key.0) });
        bytes(&self.call("Encrypt", request).await?, "CiphertextBlob")
    }

    async fn unwrap(
        &self,
        wrapped: &[u8],
        _: &BTreeMap<String, String>,
    ) -> Result<DataKey, SecretFault> {
        let request = json!({ "CiphertextBlob": BASE64.encode(wrapped) });
        data_key(&bytes(&self.call("Decrypt", request).await?, "Plaintext")?)
    }
}
