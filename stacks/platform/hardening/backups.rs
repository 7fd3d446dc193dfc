//! Backups: restore points of the buckets and of MLflow's database, and every moment of the last weeks to go back to.

use terrane::Stack;
use terrane_aws::iam::PolicyDocument;
use terrane_aws::{backup, iam, rds};

use super::Keys;
use crate::{Config, Storage};

/// When the daily restore point is made: at night in UTC.
const SCHEDULE: &str = "cron(0 3 * * ? *)";

/// What AWS Backup may do to buckets.
const OF_BUCKETS: [&str; 2] = [
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
];

/// What it may do to databases.
const OF_DATABASES: [&str; 2] = [
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
];

/// The backups of what holds data.
#[derive(Debug, Clone)]
pub struct Backups {
    /// Where restore points are.
    pub vault: backup::Vault,
    /// When they are made and how long they are kept.
    pub plan: backup::Plan,
}

impl Backups {
    /// Declares vault, plan and what they are for: the buckets, which keep versions, without which S3 cannot be backed up, and the
    /// database if there is one.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        storage: &Storage,
        database: Option<&rds::DbInstance>,
        keys: Option<&Keys>,
    ) -> Self {
        stack.module("backups", |stack| {
            let vault = backup::Vault::builder("main")
                .name(config.name("backups"))
                .force_destroy(config.force_destroy);
            let vault = match keys {
                Some(keys) => vault.kms_key_arn(keys.storage_arn()),
                None => vault,
            };
            let vault = vault.declare(stack);
            let plan = backup::Plan::builder("main")
                .name(config.name("backups"))
                .rule(
                    backup::plan::Rule::builder()
                        .rule_name("daily")
                        .target_vault_name(vault.name())
                        .schedule(SCHEDULE)
                        .enable_continuous_backup(true)
                        .lifecycle(
                            backup::plan::RuleLifecycle::builder()
                                .delete_after(config.backup_retention_days),
                        ),
                )
                .declare(stack);
            let role = iam::Role::builder("main")
                .name(config.name("backup-role"))
                .assume_role_policy(PolicyDocument::assumed_by("backup.amazonaws.com"))
                .declare(stack);
            let mut resources = storage.arns().to_vec();
            let mut policies = OF_BUCKETS.to_vec();
            if let Some(database) = database {
                resources.push(database.arn());
                policies.extend(OF_DATABASES);
            }
            let mut selection = backup::Selection::builder("main")
                .name("data")
                .plan_id(plan.id())
                .iam_role_arn(role.arn())
                .resources(resources);
            for policy in policies {
                let name = policy.rsplit('/').next().unwrap_or(policy);
                let attachment = iam::RolePolicyAttachment::builder("main")
                    .instance_key(name)
                    .role(role.name())
                    .policy_arn(format!("arn:aws:iam::aws:policy/{policy}"))
                    .declare(stack);
                selection = selection.depends_on(&attachment);
            }
            selection.declare(stack);
            Self { vault, plan }
        })
    }
}
