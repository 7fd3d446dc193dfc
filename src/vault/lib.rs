//! Secrets of a stack's configuration, read from where they are, and keys that encrypt its state.
//!
//! | module | holds |
//! |---|---|
//! | `vault` | [`Vault`]: reads every secret of a program once |
//! | `local` | variables of the environment and files |
//! | `encrypted` | files of sops and age |
//! | `keys` | [`KeyService`]: encrypts data keys; `age_keys` and `aws::kms` are two |
//! | `aws` | Secrets Manager, the Parameter Store and KMS (feature `aws`) |
//!
//! **Decisions.** sops is run as a program: it knows every key service that a file may be encrypted for, and its users have it. AWS is
//! asked through the runtime of its SDK (credentials, signatures, retries, TLS, all of which the state backend brings), and not through the
//! generated crates of three services: those are 27 MB of source, more than S3 and DynamoDB together, for one request each.

#[cfg(feature = "age")]
mod age_keys;
#[cfg(feature = "aws")]
mod aws;
mod encrypted;
mod keys;
mod local;
mod vault;

#[cfg(feature = "age")]
pub use age_keys::Age;
#[cfg(feature = "aws")]
pub use aws::AwsKms;
pub use keys::{DataKey, KeyService};
pub use vault::{SecretFault, Vault};
