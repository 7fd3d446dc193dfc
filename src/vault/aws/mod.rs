//! Secrets Manager, the Parameter Store and KMS, through the runtime of the AWS SDK.

mod client;
mod endpoint;
mod kms;

use serde_json::{Value as Json, json};

use crate::encrypted::member;
use crate::vault::SecretFault;
use client::{AwsFailure, Service};

pub(crate) use client::Aws;
pub use kms::AwsKms;

const SECRETS_MANAGER: Service = Service {
    name: "Secrets Manager",
    host: "secretsmanager",
    variable: "Secrets Manager",
    targets: "secretsmanager",
};

const PARAMETER_STORE: Service = Service {
    name: "the Parameter Store",
    host: "ssm",
    variable: "SSM",
    targets: "AmazonSSM",
};

impl Aws {
    /// A secret of Secrets Manager, or a member of one that is a JSON object.
    pub(crate) async fn secret(&self, id: &str, key: Option<&str>) -> Result<String, SecretFault> {
        let request = json!({ "SecretId": id });
        let answer = self
            .call(SECRETS_MANAGER, "GetSecretValue", &request, region_of(id))
            .await;
        let answer = answer
            .map_err(|failure| fault(failure, SECRETS_MANAGER, "secretsmanager:GetSecretValue"))?;
        let Some(text) = answer.get("SecretString").and_then(Json::as_str) else {
            return Err(SecretFault::new(
                "the secret is binary, and only text can be used",
            ));
        };
        match key {
            None => Ok(text.to_owned()),
            Some(key) => {
                let json = serde_json::from_str(text);
                let json = json.map_err(|_| {
                    SecretFault::new(format!(
                        "the secret is no JSON object, so it has no key `{key}`"
                    ))
                })?;
                member(&json, key)
            }
        }
    }

    /// A parameter, decrypted.
    pub(crate) async fn parameter(&self, name: &str) -> Result<String, SecretFault> {
        let request = json!({ "Name": name, "WithDecryption": true });
        let answer = self
            .call(PARAMETER_STORE, "GetParameter", &request, region_of(name))
            .await;
        let answer =
            answer.map_err(|failure| fault(failure, PARAMETER_STORE, "ssm:GetParameter"))?;
        let text = answer.pointer("/Parameter/Value").and_then(Json::as_str);
        text.map(ToOwned::to_owned)
            .ok_or_else(|| SecretFault::new("the parameter has no value"))
    }
}

/// The region in an ARN, which says more than the environment.
fn region_of(id: &str) -> Option<&str> {
    let mut parts = id.split(':');
    (parts.next()? == "arn").then_some(())?;
    parts.nth(2).filter(|region| !region.is_empty())
}

fn fault(failure: AwsFailure, service: Service, action: &str) -> SecretFault {
    match failure {
        AwsFailure::NoRegion => SecretFault::new("no AWS region is named")
            .hint("set `AWS_REGION`, or write the ARN, which names its region"),
        AwsFailure::Unreachable(reason) => {
            SecretFault::new(format!("cannot ask {}: {reason}", service.name))
        }
        AwsFailure::Refused { code, message } => {
            let fault = SecretFault::new(match message.is_empty() {
                true => code.clone(),
                false => format!("{message} ({code})"),
            });
            match &*code {
                "AccessDeniedException" => fault.hint(format!("the credentials need `{action}`, and `kms:Decrypt` for a key of one's own")),
                "ResourceNotFoundException" | "ParameterNotFound" => fault.hint("check name, region and account: `aws sts get-caller-identity` says whose credentials these are"),
                _ => fault,
            }
        }
    }
}
