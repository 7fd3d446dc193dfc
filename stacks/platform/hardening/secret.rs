//! Secrets in Secrets Manager whose values are in no state, plan or output: they are write-only, given or made up there.

use terrane::{Ephemeral, Stack};
use terrane_aws::iam::{PolicyDocument, Statement};
use terrane_aws::{iam, secretsmanager};

use super::Keys;
use crate::{Config, Identity};

/// How many characters a value has that is made up.
const LENGTH: u32 = 40;
/// For how many days a deleted secret can be brought back.
const RECOVERY_WINDOW: u32 = 7;

/// The secret of the application.
#[derive(Debug, Clone)]
pub struct ApplicationSecret {
    /// The secret; its ARN is what the application needs to read it.
    pub secret: secretsmanager::Secret,
}

/// A secret with a value, to be declared in the module of its user.
#[derive(Debug, Clone)]
pub(crate) struct Vault {
    pub(crate) secret: secretsmanager::Secret,
    pub(crate) version: secretsmanager::SecretVersion,
}

impl ApplicationSecret {
    /// Declares the secret, and lets the service account read it.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        identity: &Identity,
        keys: Option<&Keys>,
    ) -> Self {
        stack.module("secret", |stack| {
            let value = match &config.application_secret {
                Some(secret) => secret.ephemeral(),
                None => made_up(stack, "application"),
            };
            let version = config.application_secret_version;
            let vault = Vault::declare(stack, config, keys, "application", &value, version);
            iam::RolePolicy::builder("read")
                .name("secret")
                .role(identity.role.name())
                .policy(vault.readable(keys))
                .declare(stack);
            Self {
                secret: vault.secret,
            }
        })
    }
}

impl Vault {
    /// Declares a secret with that value, which is sent again when `version` changes.
    pub(crate) fn declare(
        stack: &mut Stack,
        config: &Config,
        keys: Option<&Keys>,
        name: &str,
        value: &Ephemeral<String>,
        version: u32,
    ) -> Self {
        // The name of a deleted secret stays taken until the end of its recovery window, so it gets a suffix of its own.
        let mut secret = secretsmanager::Secret::builder(name)
            .name_prefix(config.name(&format!("{name}-")))
            .recovery_window_in_days(if config.force_destroy {
                0
            } else {
                RECOVERY_WINDOW
            });
        if let Some(keys) = keys {
            secret = secret.kms_key_id(keys.storage_arn());
        }
        let secret = secret.declare(stack);
        let version = secretsmanager::SecretVersion::builder(name)
            .secret_id(secret.id())
            .secret_string_wo(value)
            .secret_string_wo_version(version)
            .declare(stack);
        Self { secret, version }
    }

    /// What a role needs in order to read it.
    pub(crate) fn readable(&self, keys: Option<&Keys>) -> PolicyDocument {
        let read = [
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
        ];
        let policy =
            PolicyDocument::new().statement(Statement::allow(read).resources([self.secret.arn()]));
        match keys {
            Some(keys) => {
                policy.statement(Statement::allow(["kms:Decrypt"]).resources([keys.storage_arn()]))
            }
            None => policy,
        }
    }
}

/// A value that Secrets Manager makes up, of letters and digits alone: it fits into every address and configuration.
pub(crate) fn made_up(stack: &mut Stack, name: &str) -> Ephemeral<String> {
    secretsmanager::ephemeral::RandomPassword::builder(name)
        .password_length(LENGTH)
        .exclude_punctuation(true)
        .declare(stack)
        .random_password()
}
