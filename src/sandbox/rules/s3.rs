//! S3.

use terrane_core::value::Map;
use terrane_core::{Type, Value};

use super::view::{one_block, text_set};
use super::{CloudView, Rule, Verdict, refuse, text};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_s3_bucket", "S3 Bucket")
        .creates(create_bucket)
        .deletes(delete_bucket)
        .reads(read_bucket)
        .takes(2.0, 1.0, 1.0),
    Rule::new("aws_s3_bucket_versioning", "S3 Bucket Versioning")
        .creates(|part, view| {
            part.fill_in("versioning_configuration", "mfa_delete", "");
            part_of_bucket(part, view)
        })
        .updates(|part, _, _| {
            part.fill_in("versioning_configuration", "mfa_delete", "");
            Ok(())
        })
        .takes(2.0, 1.0, 1.0),
    // The provider reads it several times until it is the same each time.
    Rule::new(
        "aws_s3_bucket_lifecycle_configuration",
        "S3 Bucket Lifecycle Configuration",
    )
    .creates(part_of_bucket)
    .takes(31.0, 31.0, 1.0),
    Rule::new(
        "aws_s3_bucket_server_side_encryption_configuration",
        "S3 Bucket Server-side Encryption Configuration",
    )
    .creates(part_of_bucket),
    Rule::new(
        "aws_s3_bucket_public_access_block",
        "S3 Bucket Public Access Block",
    )
    .creates(part_of_bucket),
    Rule::new(
        "aws_s3_bucket_ownership_controls",
        "S3 Bucket Ownership Controls",
    )
    .creates(part_of_bucket),
    Rule::new("aws_s3_bucket_policy", "S3 Bucket Policy").creates(part_of_bucket),
    Rule::new("aws_s3_bucket_acl", "S3 Bucket ACL").creates(part_of_bucket),
    Rule::new(
        "aws_s3_bucket_cors_configuration",
        "S3 Bucket CORS Configuration",
    )
    .creates(part_of_bucket),
    Rule::new("aws_s3_bucket_logging", "S3 Bucket Logging").creates(part_of_bucket),
    Rule::new("aws_s3_bucket_notification", "S3 Bucket Notification").creates(part_of_bucket),
    Rule::new("aws_s3_object", "S3 Object").creates(create_object),
];

/// The account as S3 names it.
pub(crate) const CANONICAL_USER: &str =
    "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";

fn create_bucket(bucket: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = view.named(bucket, "bucket");
    if !is_bucket_name(&name) {
        return refuse("InvalidBucketName", "The specified bucket is not valid.");
    }
    if view.find("aws_s3_bucket", &name).is_some() {
        return refuse(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        );
    }
    let region = view.region;
    bucket.put("arn", format!("arn:aws:s3:::{name}"));
    bucket.put("bucket_domain_name", format!("{name}.s3.amazonaws.com"));
    bucket.put(
        "bucket_regional_domain_name",
        format!("{name}.s3.{region}.amazonaws.com"),
    );
    bucket.put("hosted_zone_id", hosted_zone(region));
    bucket.put("region", region);
    bucket.put("id", name);
    bucket.fill("acl", Value::Null);
    bucket.fill("request_payer", "BucketOwner");
    bucket.fill("object_lock_enabled", false);
    bucket.fill(
        "grant",
        Value::set(
            vec![Value::map([
                ("id", CANONICAL_USER.into()),
                ("permissions", text_set(["FULL_CONTROL"])),
                ("type", "CanonicalUser".into()),
                ("uri", Value::from("")),
            ])],
            &grant_type(),
        ),
    );
    bucket.fill("versioning", versioning(false));
    bucket.fill(
        "server_side_encryption_configuration",
        encryption("AES256", ""),
    );
    Ok(())
}

fn grant_type() -> Type {
    Type::object([
        ("id", Type::String),
        ("permissions", Type::set(Type::String)),
        ("type", Type::String),
        ("uri", Type::String),
    ])
}

fn versioning(enabled: bool) -> Value {
    one_block([("enabled", enabled.into()), ("mfa_delete", false.into())])
}

fn encryption(algorithm: &str, key: &str) -> Value {
    let default = one_block([
        ("kms_master_key_id", key.into()),
        ("sse_algorithm", algorithm.into()),
    ]);
    let rule = one_block([
        ("apply_server_side_encryption_by_default", default),
        ("bucket_key_enabled", false.into()),
    ]);
    one_block([("rule", rule)])
}

/// Lower-case letters, digits, dots and hyphens, 3 to 63, with a letter or digit at both ends.
fn is_bucket_name(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| inside(*byte) || matches!(byte, b'.' | b'-'))
        && bytes.first().copied().is_some_and(inside)
        && bytes.last().copied().is_some_and(inside)
        && !name.contains("..")
}

/// The Route 53 zone of a region's website endpoints (AWS General Reference).
fn hosted_zone(region: &str) -> &'static str {
    match region {
        "us-east-1" => "Z3AQBSTGFYJSTF",
        "us-east-2" => "Z2O1EMRO9K5GLX",
        "us-west-1" => "Z2F56UZL2M1ACD",
        "us-west-2" => "Z3BJ6K6RIION7M",
        "eu-west-1" => "Z1BKCTXD74EZPE",
        "eu-west-2" => "Z3GKZC51ZF0DB4",
        "eu-central-1" => "Z21DNDUVLTQW6Q",
        "ap-northeast-1" => "Z2M4EHUR26P7ZW",
        "ap-southeast-1" => "Z3O0J2DXBE1FTB",
        "ap-southeast-2" => "Z1WCIGYICN2BYD",
        _ => "",
    }
}

fn delete_bucket(bucket: &Map, view: &CloudView<'_>) -> Verdict {
    let forced = bucket.get("force_destroy").and_then(Value::as_bool) == Some(true);
    if !forced && view.has("aws_s3_object", "bucket", text(bucket, "id")) {
        return refuse(
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty",
        );
    }
    Ok(())
}

fn bucket_must_exist(name: &str, view: &CloudView<'_>) -> Verdict {
    match view.find("aws_s3_bucket", name) {
        Some(_) => Ok(()),
        None => refuse("NoSuchBucket", "The specified bucket does not exist"),
    }
}

/// A part of a bucket's settings, of which a bucket has one.
fn part_of_bucket(part: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let bucket = part.text("bucket").to_owned();
    bucket_must_exist(&bucket, view)?;
    let id = match part.text("expected_bucket_owner") {
        "" => bucket,
        owner => format!("{bucket},{owner}"),
    };
    part.put("id", id);
    Ok(())
}

fn create_object(object: &mut Draft, view: &CloudView<'_>) -> Verdict {
    bucket_must_exist(object.text("bucket"), view)?;
    let key = object.text("key").to_owned();
    object.put("id", key);
    Ok(())
}

/// Settings that are resources of their own show up in the bucket.
fn read_bucket(bucket: &mut Draft, view: &CloudView<'_>) {
    let name = bucket.text("bucket").to_owned();
    let block = |type_name, attribute: &str| {
        let (_, part) = view.with(type_name, "bucket", &name).next()?;
        part.get(attribute)?.elements()?.first()?.members()
    };
    if let Some(config) = block("aws_s3_bucket_versioning", "versioning_configuration") {
        bucket.put(
            "versioning",
            versioning(text(config, "status") == "Enabled"),
        );
    }
    if let Some(rule) = block("aws_s3_bucket_server_side_encryption_configuration", "rule") {
        let default = rule.get("apply_server_side_encryption_by_default");
        let default = default.and_then(|blocks| blocks.elements()?.first()?.members());
        if let Some(default) = default {
            let value = encryption(
                text(default, "sse_algorithm"),
                text(default, "kms_master_key_id"),
            );
            bucket.put("server_side_encryption_configuration", value);
        }
    }
    if let Some((_, policy)) = view.with("aws_s3_bucket_policy", "bucket", &name).next() {
        bucket.put("policy", text(policy, "policy"));
    }
}
