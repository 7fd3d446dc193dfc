//! What every environment shares: the bucket of released models, in the account of the tools.

use terrane::{Exports, Output, Result, Stack};
use terrane_aws::{Provider, s3};

/// Where released models are.
#[derive(Exports)]
pub(crate) struct Releases {
    /// The bucket's ARN.
    pub(crate) bucket_arn: Output<String>,
}

/// Declares the bucket. Only its newest versions are read, and none is ever overwritten.
pub(crate) fn declare(stack: &mut Stack) -> Result<Releases> {
    stack.owner_tags(true);
    stack.provider(
        Provider::builder()
            .region("us-east-1")
            .default_tags([("Project", "mlops-platform")]),
    );
    let bucket = s3::Bucket::builder("releases")
        .bucket("mlops-platform-releases")
        .declare(stack);
    s3::BucketVersioning::builder("releases")
        .bucket(bucket.id())
        .versioning_configuration(
            s3::bucket_versioning::VersioningConfiguration::builder().status("Enabled"),
        )
        .declare(stack);
    s3::BucketPublicAccessBlock::builder("releases")
        .bucket(bucket.id())
        .block_public_acls(true)
        .block_public_policy(true)
        .ignore_public_acls(true)
        .restrict_public_buckets(true)
        .declare(stack);
    Ok(Releases {
        bucket_arn: bucket.arn(),
    })
}
