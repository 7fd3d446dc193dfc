//! Makes bucket and lock table as a state needs them; says first what it will do, and is safe to run twice.

use std::fmt;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, ContinuousBackupsStatus, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, ScalarAttributeType, TableStatus,
};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};
use serde_json::{Value, json};

use super::error::{failure, is_missing, status};
use super::store::S3Store;
use crate::backend::BackendError;

/// What is missing for a state to be kept safely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// In the order they are done; empty when everything is as it should be.
    pub steps: Vec<BootstrapStep>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootstrapStep {
    /// Make the bucket.
    CreateBucket {
        /// Its name.
        bucket: String,
        /// Where.
        region: String,
    },
    /// Keep earlier versions of the state.
    EnableVersioning,
    /// Encrypt what is stored.
    EnableEncryption {
        /// With that KMS key; `None` means S3's own.
        kms_key_id: Option<String>,
    },
    /// Let nothing become public.
    BlockPublicAccess,
    /// Refuse requests without TLS. Holds the whole new policy, with the statements that are there.
    RequireTls {
        /// The policy as JSON.
        policy: String,
    },
    /// Make the lock table.
    CreateTable {
        /// Its name.
        table: String,
    },
    /// Keep the lock table's past.
    EnablePointInTimeRecovery {
        /// Its name.
        table: String,
    },
}

impl fmt::Display for BootstrapStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateBucket { bucket, region } => {
                write!(f, "create bucket {bucket} in {region}")
            }
            Self::EnableVersioning => f.write_str("enable versioning of the bucket"),
            Self::EnableEncryption { kms_key_id: None } => {
                f.write_str("encrypt the bucket with AES256")
            }
            Self::EnableEncryption {
                kms_key_id: Some(key),
            } => write!(f, "encrypt the bucket with KMS key {key}"),
            Self::BlockPublicAccess => f.write_str("block public access to the bucket"),
            Self::RequireTls { .. } => f.write_str("refuse requests to the bucket without TLS"),
            Self::CreateTable { table } => {
                write!(
                    f,
                    "create lock table {table} (key LockID, billed per request)"
                )
            }
            Self::EnablePointInTimeRecovery { table } => {
                write!(f, "enable point-in-time recovery of lock table {table}")
            }
        }
    }
}

impl S3Store {
    /// Finds out what is missing; changes nothing.
    ///
    /// # Errors
    /// When a setting can not be read.
    pub async fn plan_bootstrap(&self) -> Result<Bootstrap, BackendError> {
        let mut steps = Vec::new();
        let bucket = &self.options.bucket;
        let exists = match self.clients.s3.head_bucket().bucket(bucket).send().await {
            Ok(_) => true,
            Err(error) if status(&error) == Some(404) => false,
            Err(error) => return Err(failure("look for bucket", bucket, &error)),
        };
        if !exists {
            steps.push(BootstrapStep::CreateBucket {
                bucket: bucket.clone(),
                region: self.clients.region.clone(),
            });
        }
        if !exists || !self.is_versioned().await? {
            steps.push(BootstrapStep::EnableVersioning);
        }
        if !exists || !self.is_encrypted().await? {
            steps.push(BootstrapStep::EnableEncryption {
                kms_key_id: self.options.kms_key_id.clone(),
            });
        }
        if !exists || !self.is_public_access_blocked().await? {
            steps.push(BootstrapStep::BlockPublicAccess);
        }
        // Where requests come without TLS, as to an emulator, this would lock out ourselves.
        let policy = if exists { self.policy().await? } else { None };
        if !self.clients.without_tls
            && let Some(policy) = with_tls_only(bucket, policy.as_deref())
        {
            steps.push(BootstrapStep::RequireTls { policy });
        }
        if let Some(table) = &self.options.dynamodb_table {
            self.plan_table(table, &mut steps).await?;
        }
        Ok(Bootstrap { steps })
    }

    /// Does one step. Doing it twice is no error.
    ///
    /// # Errors
    /// When AWS refuses it.
    pub async fn bootstrap(&self, step: &BootstrapStep) -> Result<(), BackendError> {
        let (s3, bucket) = (&self.clients.s3, &self.options.bucket);
        match step {
            BootstrapStep::CreateBucket { bucket, region } => {
                self.create_bucket(bucket, region).await
            }
            BootstrapStep::EnableVersioning => {
                let versioning =
                    VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
                let put = s3.put_bucket_versioning().bucket(bucket);
                let put = put
                    .versioning_configuration(versioning.build())
                    .send()
                    .await;
                put.map(drop)
                    .map_err(|error| failure("enable versioning of", bucket, &error))
            }
            BootstrapStep::EnableEncryption { kms_key_id } => {
                let algorithm = match kms_key_id {
                    Some(_) => ServerSideEncryption::AwsKms,
                    None => ServerSideEncryption::Aes256,
                };
                let default = ServerSideEncryptionByDefault::builder()
                    .sse_algorithm(algorithm)
                    .set_kms_master_key_id(kms_key_id.clone())
                    .build()
                    .expect("invariant: the algorithm is set");
                let rule = ServerSideEncryptionRule::builder()
                    .apply_server_side_encryption_by_default(default);
                let configuration = ServerSideEncryptionConfiguration::builder()
                    .rules(rule.bucket_key_enabled(kms_key_id.is_some()).build())
                    .build()
                    .expect("invariant: there is a rule");
                let put = s3.put_bucket_encryption().bucket(bucket);
                let put = put
                    .server_side_encryption_configuration(configuration)
                    .send()
                    .await;
                put.map(drop)
                    .map_err(|error| failure("encrypt", bucket, &error))
            }
            BootstrapStep::BlockPublicAccess => {
                let block = PublicAccessBlockConfiguration::builder()
                    .block_public_acls(true)
                    .block_public_policy(true)
                    .ignore_public_acls(true)
                    .restrict_public_buckets(true)
                    .build();
                let put = s3.put_public_access_block().bucket(bucket);
                let put = put.public_access_block_configuration(block).send().await;
                put.map(drop)
                    .map_err(|error| failure("block public access to", bucket, &error))
            }
            BootstrapStep::RequireTls { policy } => {
                let put = s3
                    .put_bucket_policy()
                    .bucket(bucket)
                    .policy(policy)
                    .send()
                    .await;
                put.map(drop)
                    .map_err(|error| failure("write the policy of", bucket, &error))
            }
            BootstrapStep::CreateTable { table } => self.create_table(table).await,
            BootstrapStep::EnablePointInTimeRecovery { table } => {
                let specification = PointInTimeRecoverySpecification::builder()
                    .point_in_time_recovery_enabled(true)
                    .build()
                    .expect("invariant: the flag is set");
                let update = self
                    .clients
                    .dynamodb
                    .update_continuous_backups()
                    .table_name(table);
                let update = update
                    .point_in_time_recovery_specification(specification)
                    .send()
                    .await;
                update
                    .map(drop)
                    .map_err(|error| failure("enable recovery of", table, &error))
            }
        }
    }

    async fn create_bucket(&self, bucket: &str, region: &str) -> Result<(), BackendError> {
        let mut create = self.clients.s3.create_bucket().bucket(bucket);
        // The oldest region must not be named.
        if region != "us-east-1" {
            let location = BucketLocationConstraint::from(region);
            let configuration = CreateBucketConfiguration::builder().location_constraint(location);
            create = create.create_bucket_configuration(configuration.build());
        }
        match create.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_bucket_already_owned_by_you()) =>
            {
                Ok(())
            }
            Err(error) => Err(failure("create bucket", bucket, &error)),
        }
    }

    async fn is_versioned(&self) -> Result<bool, BackendError> {
        let bucket = &self.options.bucket;
        let versioning = self.clients.s3.get_bucket_versioning().bucket(bucket);
        match versioning.send().await {
            Ok(versioning) => Ok(versioning.status() == Some(&BucketVersioningStatus::Enabled)),
            // Some stores name the answer differently than S3 does, which the SDK does not read.
            Err(error) => match error.raw_response().filter(|_| status(&error) == Some(200)) {
                Some(response) => {
                    let body = response.body().bytes().unwrap_or_default();
                    Ok(String::from_utf8_lossy(body).contains("<Status>Enabled</Status>"))
                }
                None => Err(failure("read the versioning of", bucket, &error)),
            },
        }
    }

    async fn is_encrypted(&self) -> Result<bool, BackendError> {
        let bucket = &self.options.bucket;
        let wanted = self.options.kms_key_id.as_deref();
        match self
            .clients
            .s3
            .get_bucket_encryption()
            .bucket(bucket)
            .send()
            .await
        {
            Ok(found) => {
                let rules = found.server_side_encryption_configuration();
                let default = rules
                    .and_then(|rules| rules.rules().first())
                    .and_then(|rule| rule.apply_server_side_encryption_by_default());
                Ok(default.is_some_and(|default| {
                    wanted.is_none() || default.kms_master_key_id() == wanted
                }))
            }
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(failure("read the encryption of", bucket, &error)),
        }
    }

    async fn is_public_access_blocked(&self) -> Result<bool, BackendError> {
        let bucket = &self.options.bucket;
        match self
            .clients
            .s3
            .get_public_access_block()
            .bucket(bucket)
            .send()
            .await
        {
            Ok(found) => {
                let flags = found.public_access_block_configuration();
                Ok(flags.is_some_and(|flags| {
                    [
                        flags.block_public_acls(),
                        flags.block_public_policy(),
                        flags.ignore_public_acls(),
                        flags.restrict_public_buckets(),
                    ]
                    .iter()
                    .all(|flag| flag.unwrap_or_default())
                }))
            }
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(failure("read the public access to", bucket, &error)),
        }
    }

    async fn policy(&self) -> Result<Option<String>, BackendError> {
        let bucket = &self.options.bucket;
        match self
            .clients
            .s3
            .get_bucket_policy()
            .bucket(bucket)
            .send()
            .await
        {
            Ok(found) => Ok(found.policy),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failure("read the policy of", bucket, &error)),
        }
    }

    async fn plan_table(
        &self,
        table: &str,
        steps: &mut Vec<BootstrapStep>,
    ) -> Result<(), BackendError> {
        let dynamodb = &self.clients.dynamodb;
        let recovery = BootstrapStep::EnablePointInTimeRecovery {
            table: table.to_owned(),
        };
        match dynamodb.describe_table().table_name(table).send().await {
            Ok(found) => {
                let keys = found
                    .table()
                    .map(|table| table.key_schema())
                    .unwrap_or_default();
                let fits = matches!(keys, [key] if key.attribute_name() == "LockID" && key.key_type() == &KeyType::Hash);
                if !fits {
                    return Err(BackendError::Unusable {
                        place: table.to_owned(),
                        reason: "a table of that name exists, and its key is not `LockID` alone"
                            .into(),
                    });
                }
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                steps.push(BootstrapStep::CreateTable {
                    table: table.to_owned(),
                });
                steps.push(recovery);
                return Ok(());
            }
            Err(error) => return Err(failure("look for lock table", table, &error)),
        }
        let backups = dynamodb
            .describe_continuous_backups()
            .table_name(table)
            .send()
            .await;
        let backups = backups.map_err(|error| failure("read the backups of", table, &error))?;
        let enabled = backups
            .continuous_backups_description()
            .is_some_and(|backups| {
                let recovery = backups.point_in_time_recovery_description();
                backups.continuous_backups_status() == &ContinuousBackupsStatus::Enabled
                    && recovery.and_then(|recovery| recovery.point_in_time_recovery_status())
                        == Some(&PointInTimeRecoveryStatus::Enabled)
            });
        if !enabled {
            steps.push(recovery);
        }
        Ok(())
    }

    async fn create_table(&self, table: &str) -> Result<(), BackendError> {
        let attribute = AttributeDefinition::builder()
            .attribute_name("LockID")
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("invariant: name and type are set");
        let key = KeySchemaElement::builder()
            .attribute_name("LockID")
            .key_type(KeyType::Hash)
            .build()
            .expect("invariant: name and type are set");
        let create = self
            .clients
            .dynamodb
            .create_table()
            .table_name(table)
            .attribute_definitions(attribute)
            .key_schema(key)
            .billing_mode(BillingMode::PayPerRequest);
        match create.send().await {
            Ok(_) => {}
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_in_use_exception()) => {}
            Err(error) => return Err(failure("create lock table", table, &error)),
        }
        // A new table takes some seconds before it can be used.
        for _ in 0..60 {
            let described = self
                .clients
                .dynamodb
                .describe_table()
                .table_name(table)
                .send()
                .await;
            let described =
                described.map_err(|error| failure("look for lock table", table, &error))?;
            if described.table().and_then(|table| table.table_status())
                == Some(&TableStatus::Active)
            {
                return Ok(());
            }
            self.clock.sleep(std::time::Duration::from_secs(2)).await;
        }
        Err(BackendError::Unusable {
            place: table.to_owned(),
            reason: "the new table does not become active".into(),
        })
    }
}

/// The policy with a statement that refuses requests without TLS; `None` when it has one.
fn with_tls_only(bucket: &str, policy: Option<&str>) -> Option<String> {
    let mut policy: Value = policy
        .and_then(|policy| serde_json::from_str(policy).ok())
        .unwrap_or_else(|| json!({ "Version": "2012-10-17", "Statement": [] }));
    let arn = format!("arn:aws:s3:::{bucket}");
    let statement = json!({
        "Sid": "RequireTLS",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    let statements = policy
        .as_object_mut()?
        .entry("Statement")
        .or_insert(json!([]));
    if !statements.is_array() {
        *statements = json!([statements.take()]);
    }
    let statements = statements.as_array_mut()?;
    let refuses = |statement: &Value| {
        statement["Effect"] == "Deny"
            && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
    };
    if statements.iter().any(refuses) {
        return None;
    }
    statements.push(statement);
    Some(policy.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_keeps_what_is_there_and_is_written_once() {
        let other = r#"{"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Allow"}}"#;
        let policy = with_tls_only("b", Some(other)).expect("a change");
        assert!(policy.contains("\"Mine\"") && policy.contains("arn:aws:s3:::b/*"));
        assert_eq!(with_tls_only("b", Some(&policy)), None);
        assert!(with_tls_only("b", None).is_some());
    }
}
