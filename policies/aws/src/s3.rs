//! Buckets: who can reach them, and how their objects are kept.

use terrane_aws::s3;
use terrane_core::policy::{Planned, ReviewedPlan};
use terrane_core::{Policy, Value};

use crate::document::each_allow;

/// The names by which the settings of a bucket may name it.
fn names(bucket: &s3::Bucket) -> [terrane_core::Output<String>; 2] {
    [bucket.id(), bucket.bucket()]
}

/// Calls `check` for each bucket with the settings of type `T` that name it; a bucket without any is a violation.
fn each_setting<T: terrane_core::ResourceType>(
    plan: &ReviewedPlan<'_>,
    missing: &str,
    check: impl Fn(&Planned<'_, T>),
) {
    let settings = plan.attached::<T>("bucket");
    for bucket in plan.of::<s3::Bucket>() {
        let mut found = settings.to(&bucket, &names(&bucket)).peekable();
        match found.peek() {
            None if settings.is_open() => bucket.undecided(missing),
            None => bucket.violates(missing),
            Some(_) => found.for_each(&check),
        }
    }
}

/// Each bucket has an `aws_s3_bucket_public_access_block` with all four switches on.
#[track_caller]
pub fn buckets_block_public_access() -> Policy {
    const MISSING: &str = "nothing blocks public access to it";
    Policy::new("buckets block public access", |plan| {
        each_setting::<s3::BucketPublicAccessBlock>(plan, MISSING, |block| {
            let switches = [
                block.block_public_acls(),
                block.block_public_policy(),
                block.ignore_public_acls(),
                block.restrict_public_buckets(),
            ];
            for switch in switches {
                block.require(&switch, "it lets the public in", |on| on == Some(true));
            }
        });
    })
    .hint("declare a `BucketPublicAccessBlock` for the bucket with all four arguments `true`")
}

/// No ACL opens a bucket to everybody or to everybody with an account.
#[track_caller]
pub fn no_public_acls() -> Policy {
    const PUBLIC: [&str; 3] = ["public-read", "public-read-write", "authenticated-read"];
    Policy::new("no public bucket ACLs", |plan| {
        for type_name in ["aws_s3_bucket_acl", "aws_s3_bucket", "aws_s3_object"] {
            for one in plan.of_type(type_name) {
                let acl = one.attribute::<String>("acl");
                // Where the program sets none, AWS chooses `private`.
                if one.get(&acl).is_unknown() && !one.sets("acl") {
                    continue;
                }
                one.require(&acl, "its ACL lets everybody read it", |acl| {
                    acl.is_none_or(|acl| !PUBLIC.contains(&&*acl))
                });
            }
        }
    })
    .hint("leave `acl` out, or set it to `private`")
}

/// No bucket policy allows anything to everybody without a condition.
#[track_caller]
pub fn no_public_policies() -> Policy {
    Policy::new("no public bucket policies", |plan| {
        for policy in plan.of::<s3::BucketPolicy>() {
            const OPEN: &str = "it allows everybody something";
            each_allow(&policy, "policy", OPEN, |document, allow| {
                if allow.everybody && !allow.is_conditional {
                    policy.violates_in(document, OPEN);
                }
            });
        }
    })
    .hint("name the principals, or add a condition such as `aws:SourceVpce`")
}

/// Each bucket says by which key its objects are encrypted: `AES256` or `aws:kms`.
#[track_caller]
pub fn buckets_are_encrypted() -> Policy {
    encrypted(
        "buckets are encrypted",
        &["AES256", "aws:kms", "aws:kms:dsse"],
    )
}

/// Each bucket encrypts its objects with S3's own keys (`AES256`).
#[track_caller]
pub fn buckets_are_encrypted_with_aes256() -> Policy {
    encrypted("buckets are encrypted with AES256", &["AES256"])
}

#[track_caller]
fn encrypted(name: &'static str, algorithms: &'static [&'static str]) -> Policy {
    const MISSING: &str = "the program does not say how its objects are encrypted";
    Policy::new(name, move |plan| {
        each_setting::<s3::BucketServerSideEncryptionConfiguration>(plan, MISSING, |setting| {
            let of_rule = |rule: &Value| {
                let by_default = rule.get("apply_server_side_encryption_by_default")?;
                let algorithm = by_default.elements()?.first()?.get("sse_algorithm")?;
                algorithm.as_str().map(str::to_owned)
            };
            setting.require(&setting.rule(), "another algorithm is in use", |rules| {
                let mut rules = rules.iter().flatten();
                rules.any(|rule| of_rule(rule).is_some_and(|one| algorithms.contains(&&*one)))
            });
        });
    })
    .hint("declare a `BucketServerSideEncryptionConfiguration` for the bucket")
}

/// Each bucket keeps the versions of its objects.
#[track_caller]
pub fn buckets_are_versioned() -> Policy {
    const MISSING: &str = "a deleted or overwritten object is lost";
    Policy::new("buckets are versioned", |plan| {
        each_setting::<s3::BucketVersioning>(plan, MISSING, |versioning| {
            let status = versioning.versioning_configuration().index(0).status();
            versioning.require(&status, MISSING, |status| {
                status.as_deref() == Some("Enabled")
            });
        });
    })
    .hint("declare a `BucketVersioning` for the bucket with the status `Enabled`")
}
