//! Keys of one's own in KMS, for the secrets of the cluster and for everything that is stored.

use terrane::{Output, Stack};
use terrane_aws::kms;

use crate::Config;

/// How long a deleted key can be brought back, in days: with it goes everything that it encrypted.
const DELETION_WINDOW: u32 = 30;

/// The platform's keys. Each is rotated once a year.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Encrypts the secrets of the cluster.
    pub cluster: kms::Key,
    /// Encrypts buckets and backups.
    pub storage: kms::Key,
}

impl Keys {
    /// Declares the keys, each with an alias by its name.
    pub fn declare(stack: &mut Stack, config: &Config) -> Self {
        stack.module("keys", |stack| Self {
            cluster: key(stack, config, "cluster", "secrets of the cluster"),
            storage: key(stack, config, "storage", "buckets and backups"),
        })
    }

    /// The ARN of the key of what is stored.
    pub fn storage_arn(&self) -> Output<String> {
        self.storage.arn()
    }
}

fn key(stack: &mut Stack, config: &Config, name: &str, purpose: &str) -> kms::Key {
    let key = kms::Key::builder(name)
        .description(format!("{}: {purpose}", config.name(name)))
        .enable_key_rotation(true)
        .deletion_window_in_days(DELETION_WINDOW)
        .declare(stack);
    kms::Alias::builder(name)
        .name(format!("alias/{}", config.name(name)))
        .target_key_id(key.key_id())
        .declare(stack);
    key
}
