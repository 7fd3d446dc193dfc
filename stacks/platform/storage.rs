//! Storage: a bucket each for models, data and artifacts.

use terrane::{Output, Stack};
use terrane_aws::s3;
use terrane_aws::s3::{
    bucket_lifecycle_configuration as lifecycle,
    bucket_server_side_encryption_configuration as encryption, bucket_versioning,
};

use crate::Config;
use crate::hardening::Keys;

/// After how many days objects move to which cheaper class.
const TRANSITIONS: [(u32, &str); 2] = [(30, "STANDARD_IA"), (90, "GLACIER")];

/// The platform's buckets.
#[derive(Debug, Clone)]
pub struct Storage {
    /// Trained models, every version of them.
    pub models: s3::Bucket,
    /// Training data.
    pub data: s3::Bucket,
    /// Results of training.
    pub artifacts: s3::Bucket,
}

impl Storage {
    /// Declares the buckets, encrypted with the platform's key if it has one.
    pub fn declare(stack: &mut Stack, config: &Config, keys: Option<&Keys>) -> Self {
        stack.module("storage", |stack| {
            let models = bucket(stack, config, keys, "models");
            keep_versions(stack, &models, "models");
            let data = bucket(stack, config, keys, "data");
            let artifacts = bucket(stack, config, keys, "artifacts");
            if config.backups {
                keep_versions(stack, &data, "data");
                keep_versions(stack, &artifacts, "artifacts");
            }
            Self {
                models,
                data,
                artifacts,
            }
        })
    }

    /// The ARNs of all buckets.
    pub fn arns(&self) -> [Output<String>; 3] {
        [&self.models, &self.data, &self.artifacts].map(s3::Bucket::arn)
    }
}

fn keep_versions(stack: &mut Stack, bucket: &s3::Bucket, name: &str) {
    s3::BucketVersioning::builder(name)
        .bucket(bucket.id())
        .versioning_configuration(
            bucket_versioning::VersioningConfiguration::builder().status("Enabled"),
        )
        .declare(stack);
}

/// A closed bucket that moves old objects to cheaper classes.
fn bucket(stack: &mut Stack, config: &Config, keys: Option<&Keys>, name: &str) -> s3::Bucket {
    let bucket = closed_bucket(stack, config, keys, name);
    let mut rule = lifecycle::Rule::builder()
        .id("tier")
        .status("Enabled")
        .filter(lifecycle::RuleFilter::builder());
    for (days, class) in TRANSITIONS {
        let transition = lifecycle::RuleTransition::builder();
        rule = rule.transition(transition.days(days).storage_class(class));
    }
    s3::BucketLifecycleConfiguration::builder("main")
        .instance_key(name)
        .bucket(bucket.id())
        .rule(rule)
        .declare(stack);
    bucket
}

/// A bucket that is encrypted and closed to the public.
pub(crate) fn closed_bucket(
    stack: &mut Stack,
    config: &Config,
    keys: Option<&Keys>,
    name: &str,
) -> s3::Bucket {
    let bucket = s3::Bucket::builder("main")
        .instance_key(name)
        .bucket(config.name(name))
        .force_destroy(config.force_destroy)
        .declare(stack);
    let by_default = encryption::RuleApplyServerSideEncryptionByDefault::builder();
    let rule = encryption::Rule::builder();
    let rule = match keys {
        // A key of the bucket's own below the platform's saves nearly all requests to KMS.
        Some(keys) => rule
            .bucket_key_enabled(true)
            .apply_server_side_encryption_by_default(
                by_default
                    .sse_algorithm("aws:kms")
                    .kms_master_key_id(keys.storage_arn()),
            ),
        None => rule.apply_server_side_encryption_by_default(by_default.sse_algorithm("AES256")),
    };
    s3::BucketServerSideEncryptionConfiguration::builder("main")
        .instance_key(name)
        .bucket(bucket.id())
        .rule(rule)
        .declare(stack);
    s3::BucketPublicAccessBlock::builder("main")
        .instance_key(name)
        .bucket(bucket.id())
        .block_public_acls(true)
        .block_public_policy(true)
        .ignore_public_acls(true)
        .restrict_public_buckets(true)
        .declare(stack);
    bucket
}
