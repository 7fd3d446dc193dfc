//! The steps that a state in S3 still needs before it can be kept there.

mod bucket;
mod policy;
mod table;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use self::policy::with_tls_only;
use super::store::S3Store;
use crate::backend::{BackendError, BootstrapStep};

/// One thing to do.
#[derive(Debug)]
enum Action {
    CreateBucket,
    /// Keep earlier versions of the state.
    EnableVersioning,
    Encrypt,
    BlockPublicAccess,
    /// Holds the whole new policy, with the statements that are there.
    RequireTls {
        policy: String,
    },
    CreateTable {
        table: String,
    },
    /// Keep the lock table's past.
    EnableRecovery {
        table: String,
    },
}

/// The same on its store.
struct Step {
    store: Arc<S3Store>,
    action: Action,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let S3Store {
            options, clients, ..
        } = &*self.store;
        match &self.action {
            Action::CreateBucket => {
                let (bucket, region) = (&options.bucket, &clients.region);
                write!(f, "create bucket {bucket} in {region}")
            }
            Action::EnableVersioning => f.write_str("enable versioning of the bucket"),
            Action::Encrypt => match &options.kms_key_id {
                None => f.write_str("encrypt the bucket with AES256"),
                Some(key) => write!(f, "encrypt the bucket with KMS key {key}"),
            },
            Action::BlockPublicAccess => f.write_str("block public access to the bucket"),
            Action::RequireTls { .. } => f.write_str("refuse requests to the bucket without TLS"),
            Action::CreateTable { table } => {
                write!(
                    f,
                    "create lock table {table} (key LockID, billed per request)"
                )
            }
            Action::EnableRecovery { table } => {
                write!(f, "enable point-in-time recovery of lock table {table}")
            }
        }
    }
}

#[async_trait]
impl BootstrapStep for Step {
    async fn run(&self) -> Result<(), BackendError> {
        let store = &self.store;
        match &self.action {
            Action::CreateBucket => store.create_bucket().await,
            Action::EnableVersioning => store.enable_versioning().await,
            Action::Encrypt => store.encrypt().await,
            Action::BlockPublicAccess => store.block_public_access().await,
            Action::RequireTls { policy } => store.put_policy(policy).await,
            Action::CreateTable { table } => store.create_table(table).await,
            Action::EnableRecovery { table } => store.enable_recovery(table).await,
        }
    }
}

/// Finds out which steps are missing; changes nothing.
pub(super) async fn steps(
    store: &Arc<S3Store>,
) -> Result<Vec<Box<dyn BootstrapStep>>, BackendError> {
    let mut actions = Vec::new();
    let exists = store.has_bucket().await?;
    if !exists {
        actions.push(Action::CreateBucket);
    }
    if !exists || !store.is_versioned().await? {
        actions.push(Action::EnableVersioning);
    }
    if !exists || !store.is_encrypted().await? {
        actions.push(Action::Encrypt);
    }
    if !exists || !store.is_public_access_blocked().await? {
        actions.push(Action::BlockPublicAccess);
    }
    // Where requests come without TLS, as to an emulator, this would lock out ourselves.
    let policy = if exists { store.policy().await? } else { None };
    if !store.clients.without_tls
        && let Some(policy) = with_tls_only(&store.options.bucket, policy.as_deref())
    {
        actions.push(Action::RequireTls { policy });
    }
    if let Some(table) = store.options.dynamodb_table.clone() {
        let exists = store.has_table(&table).await?;
        if !exists {
            let table = table.clone();
            actions.push(Action::CreateTable { table });
        }
        if !exists || !store.is_recoverable(&table).await? {
            actions.push(Action::EnableRecovery { table });
        }
    }
    let steps = actions.into_iter().map(|action| {
        let store = Arc::clone(store);
        Box::new(Step { store, action }) as Box<dyn BootstrapStep>
    });
    Ok(steps.collect())
}
