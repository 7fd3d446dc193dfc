//! The lock table: whether it is as Terraform's locks need it, and how it becomes so.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, ContinuousBackupsStatus, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, ScalarAttributeType, TableStatus,
};

use crate::backend::BackendError;
use crate::backend::s3::error::failure;
use crate::backend::s3::store::S3Store;

/// How often a new table is looked at, and after which time: it takes some seconds before it can be used.
const LOOKS: usize = 60;
const PAUSE: Duration = Duration::from_secs(2);

impl S3Store {
    /// Whether there is the table; an error where one of that name is of no use.
    pub(super) async fn has_table(&self, table: &str) -> Result<bool, BackendError> {
        let dynamodb = &self.clients.dynamodb;
        let found = match dynamodb.describe_table().table_name(table).send().await {
            Ok(found) => found,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(failure("look for lock table", table, &error)),
        };
        let keys = found
            .table()
            .map(|table| table.key_schema())
            .unwrap_or_default();
        match keys {
            [key] if key.attribute_name() == "LockID" && key.key_type() == &KeyType::Hash => {
                Ok(true)
            }
            _ => Err(BackendError::Unusable {
                place: table.to_owned(),
                reason: "a table of that name exists, and its key is not `LockID` alone".into(),
            }),
        }
    }

    /// Whether the table can be had as it was at an earlier time.
    pub(super) async fn is_recoverable(&self, table: &str) -> Result<bool, BackendError> {
        let dynamodb = &self.clients.dynamodb;
        let backups = dynamodb.describe_continuous_backups().table_name(table);
        let backups = backups.send().await;
        let backups = backups.map_err(|error| failure("read the backups of", table, &error))?;
        let backups = backups.continuous_backups_description();
        Ok(backups.is_some_and(|backups| {
            let recovery = backups.point_in_time_recovery_description();
            backups.continuous_backups_status() == &ContinuousBackupsStatus::Enabled
                && recovery.and_then(|recovery| recovery.point_in_time_recovery_status())
                    == Some(&PointInTimeRecoveryStatus::Enabled)
        }))
    }

    pub(super) async fn enable_recovery(&self, table: &str) -> Result<(), BackendError> {
        let specification = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(true)
            .build()
            .expect("invariant: the flag is set");
        let dynamodb = &self.clients.dynamodb;
        let update = dynamodb.update_continuous_backups().table_name(table);
        let update = update.point_in_time_recovery_specification(specification);
        let updated = update.send().await;
        updated
            .map(drop)
            .map_err(|error| failure("enable recovery of", table, &error))
    }

    pub(super) async fn create_table(&self, table: &str) -> Result<(), BackendError> {
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
        for _ in 0..LOOKS {
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
            self.clock.sleep(PAUSE).await;
        }
        Err(BackendError::Unusable {
            place: table.to_owned(),
            reason: "the new table does not become active".into(),
        })
    }
}
