//! AWS Config: every change of a resource is recorded, and a starter set of rules judges them.

use terrane::Stack;
use terrane_aws::iam::{PolicyDocument, Statement};
use terrane_aws::{config as recording, iam, s3};

use super::Keys;
use crate::Config;
use crate::storage::closed_bucket;

/// AWS's managed rules that are switched on: a name, and the identifier that AWS gave the rule.
const RULES: [(&str, &str); 8] = [
    ("buckets-not-readable", "S3_BUCKET_PUBLIC_READ_PROHIBITED"),
    ("buckets-not-writable", "S3_BUCKET_PUBLIC_WRITE_PROHIBITED"),
    (
        "buckets-encrypted",
        "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED",
    ),
    ("volumes-encrypted", "ENCRYPTED_VOLUMES"),
    ("no-open-ssh", "INCOMING_SSH_DISABLED"),
    ("no-root-keys", "IAM_ROOT_ACCESS_KEY_CHECK"),
    (
        "no-administrators",
        "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS",
    ),
    ("networks-logged", "VPC_FLOW_LOGS_ENABLED"),
];

/// The recorder and where it delivers. An account has at most one in a region.
#[derive(Debug, Clone)]
pub struct Recorder {
    /// Where snapshots and histories go.
    pub bucket: s3::Bucket,
    /// The recorder.
    pub recorder: recording::ConfigurationRecorder,
}

impl Recorder {
    /// Declares the recorder, its bucket and role, and the rules.
    pub fn declare(stack: &mut Stack, config: &Config, keys: Option<&Keys>) -> Self {
        stack.module("recorder", |stack| {
            let bucket = closed_bucket(stack, config, keys, "config");
            let delivery = deliverable(stack, &bucket);
            let role = iam::Role::builder("main")
                .name(config.name("config-role"))
                .assume_role_policy(PolicyDocument::assumed_by("config.amazonaws.com"))
                .declare(stack);
            let reads = iam::RolePolicyAttachment::builder("main")
                .role(role.name())
                .policy_arn("arn:aws:iam::aws:policy/service-role/AWS_ConfigRole")
                .declare(stack);
            let recorder = recording::ConfigurationRecorder::builder("main")
                .name(config.name("recorder"))
                .role_arn(role.arn())
                .recording_group(
                    recording::configuration_recorder::RecordingGroup::builder()
                        .all_supported(true)
                        .include_global_resource_types(true),
                )
                .depends_on(&reads)
                .declare(stack);
            let channel = recording::DeliveryChannel::builder("main")
                .name(config.name("delivery"))
                .s3_bucket_name(bucket.bucket())
                .depends_on(&recorder)
                .depends_on(&delivery)
                .declare(stack);
            let started = recording::ConfigurationRecorderStatus::builder("main")
                .name(recorder.name())
                .is_enabled(true)
                .depends_on(&channel)
                .declare(stack);
            for (name, identifier) in RULES {
                recording::ConfigRule::builder("main")
                    .instance_key(name)
                    .name(config.name(name))
                    .source(
                        recording::config_rule::Source::builder()
                            .owner("AWS")
                            .source_identifier(identifier),
                    )
                    .depends_on(&started)
                    .declare(stack);
            }
            Self { bucket, recorder }
        })
    }
}

/// Lets the service write into the bucket, as its documentation asks.
fn deliverable(stack: &mut Stack, bucket: &s3::Bucket) -> s3::BucketPolicy {
    let objects = bucket.arn().map(|arn| format!("{arn}/AWSLogs/*"));
    let service = || ["config.amazonaws.com"];
    s3::BucketPolicy::builder("main")
        .bucket(bucket.id())
        .policy(
            PolicyDocument::new()
                .statement(
                    Statement::allow(["s3:GetBucketAcl", "s3:ListBucket"])
                        .services(service())
                        .resources([bucket.arn()]),
                )
                .statement(
                    Statement::allow(["s3:PutObject"])
                        .services(service())
                        .resources([objects])
                        .condition(
                            "StringEquals",
                            "s3:x-amz-acl",
                            ["bucket-owner-full-control"],
                        ),
                ),
        )
        .declare(stack)
}
