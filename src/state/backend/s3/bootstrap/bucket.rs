//! The bucket and its settings: whether each is as a state needs it, and how it becomes so.

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};

use crate::backend::BackendError;
use crate::backend::s3::error::{failure, is_missing, status};
use crate::backend::s3::store::S3Store;

impl S3Store {
    pub(super) async fn has_bucket(&self) -> Result<bool, BackendError> {
        let bucket = &self.options.bucket;
        match self.clients.s3.head_bucket().bucket(bucket).send().await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(404) => Ok(false),
            Err(error) => Err(failure("look for bucket", bucket, &error)),
        }
    }

    pub(super) async fn create_bucket(&self) -> Result<(), BackendError> {
        let (bucket, region) = (&self.options.bucket, &*self.clients.region);
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

    pub(super) async fn is_versioned(&self) -> Result<bool, BackendError> {
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

    pub(super) async fn enable_versioning(&self) -> Result<(), BackendError> {
        let bucket = &self.options.bucket;
        let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
        let put = self.clients.s3.put_bucket_versioning().bucket(bucket);
        let put = put
            .versioning_configuration(versioning.build())
            .send()
            .await;
        put.map(drop)
            .map_err(|error| failure("enable versioning of", bucket, &error))
    }

    pub(super) async fn is_encrypted(&self) -> Result<bool, BackendError> {
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

    pub(super) async fn encrypt(&self) -> Result<(), BackendError> {
        let (bucket, kms_key_id) = (&self.options.bucket, &self.options.kms_key_id);
        let algorithm = match kms_key_id {
            Some(_) => ServerSideEncryption::AwsKms,
            None => ServerSideEncryption::Aes256,
        };
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(algorithm)
            .set_kms_master_key_id(kms_key_id.clone())
            .build()
            .expect("invariant: the algorithm is set");
        let rule =
            ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
        let configuration = ServerSideEncryptionConfiguration::builder()
            .rules(rule.bucket_key_enabled(kms_key_id.is_some()).build())
            .build()
            .expect("invariant: there is a rule");
        let put = self.clients.s3.put_bucket_encryption().bucket(bucket);
        let put = put
            .server_side_encryption_configuration(configuration)
            .send()
            .await;
        put.map(drop)
            .map_err(|error| failure("encrypt", bucket, &error))
    }

    pub(super) async fn is_public_access_blocked(&self) -> Result<bool, BackendError> {
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

    pub(super) async fn block_public_access(&self) -> Result<(), BackendError> {
        let bucket = &self.options.bucket;
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
            .build();
        let put = self.clients.s3.put_public_access_block().bucket(bucket);
        let put = put.public_access_block_configuration(block).send().await;
        put.map(drop)
            .map_err(|error| failure("block public access to", bucket, &error))
    }

    pub(super) async fn policy(&self) -> Result<Option<String>, BackendError> {
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

    pub(super) async fn put_policy(&self, policy: &str) -> Result<(), BackendError> {
        let bucket = &self.options.bucket;
        let put = self.clients.s3.put_bucket_policy().bucket(bucket);
        let put = put.policy(policy).send().await;
        put.map(drop)
            .map_err(|error| failure("write the policy of", bucket, &error))
    }
}
