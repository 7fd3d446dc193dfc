//! Buckets, image repositories, log groups, tables and keys.

use terrane_core::Value;

use super::{Draft, ids};

/// Completes an object of these services; `false` for a type that is none.
pub(super) fn complete(type_name: &str, draft: &mut Draft<'_>) -> bool {
    let account = draft.account;
    match type_name {
        "aws_s3_bucket" => bucket(draft),
        name if name.starts_with("aws_s3_bucket_") => {
            let bucket = draft.text("bucket");
            draft.put("id", bucket);
        }
        "aws_ecr_repository" => {
            let name = draft.text("name");
            draft.put("id", name.clone());
            draft.put("arn", account.arn("ecr", &format!("repository/{name}")));
            draft.put("registry_id", account.id.clone());
            let host = format!("{}.dkr.ecr.{}.amazonaws.com", account.id, account.region);
            draft.put("repository_url", format!("{host}/{name}"));
        }
        "aws_ecr_lifecycle_policy" | "aws_ecr_repository_policy" => {
            let repository = draft.text("repository");
            draft.put("id", repository);
            draft.put("registry_id", account.id.clone());
        }
        "aws_cloudwatch_log_group" => {
            draft.put(
                "name",
                format!("terraform-{}", ids::from_alphabet("0123456789", 26)),
            );
            let name = draft.text("name");
            draft.put("arn", account.arn("logs", &format!("log-group:{name}")));
            draft.put("id", name);
        }
        "aws_dynamodb_table" => {
            let name = draft.text("name");
            draft.put("arn", account.arn("dynamodb", &format!("table/{name}")));
            draft.put("id", name);
        }
        "aws_kms_key" => {
            let id = ids::uuid();
            draft.put("arn", account.arn("kms", &format!("key/{id}")));
            draft.put("key_id", id.clone());
            draft.put("id", id);
        }
        _ => return false,
    }
    true
}

fn bucket(draft: &mut Draft<'_>) {
    let region = draft.account.region.clone();
    draft.put(
        "bucket",
        format!("terraform-{}", ids::from_alphabet("0123456789", 26)),
    );
    let name = draft.text("bucket");
    draft.put("id", name.clone());
    draft.put("arn", format!("arn:aws:s3:::{name}"));
    draft.put("bucket_domain_name", format!("{name}.s3.amazonaws.com"));
    draft.put(
        "bucket_regional_domain_name",
        format!("{name}.s3.{region}.amazonaws.com"),
    );
    draft.put("hosted_zone_id", "Z3AQBSTGFYJSTF");
    draft.put("region", region);
    draft.put("request_payer", "BucketOwner");
    let versioning = Value::map([
        ("enabled", Value::from(false)),
        ("mfa_delete", Value::from(false)),
    ]);
    draft.put("versioning", Value::list(vec![versioning]));
}
