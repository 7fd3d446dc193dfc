//! Secrets Manager.

use super::view::text_set;
use super::{CloudView, Rule, Verdict, random_hex, refuse, uuid};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_secretsmanager_secret", "Secrets Manager Secret").creates(create_secret),
    Rule::new(
        "aws_secretsmanager_secret_version",
        "Secrets Manager Secret Version",
    )
    .creates(create_version),
    Rule::new(
        "aws_secretsmanager_secret_policy",
        "Secrets Manager Secret Policy",
    )
    .creates(create_policy),
];

fn create_secret(secret: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = view.named(secret, "name");
    if view.has("aws_secretsmanager_secret", "name", &name) {
        return refuse(
            "ResourceExistsException",
            format!("The operation failed because the secret {name} already exists."),
        );
    }
    let arn = view.arn(
        "secretsmanager",
        &format!("secret:{name}-{}", &random_hex()[..6]),
    );
    secret.put("arn", arn.as_str());
    secret.put("id", arn);
    Ok(())
}

fn must_exist(secret: &str, view: &CloudView<'_>) -> Verdict {
    let type_name = "aws_secretsmanager_secret";
    match view.find(type_name, secret).is_some() || view.has(type_name, "name", secret) {
        true => Ok(()),
        false => refuse(
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret.",
        ),
    }
}

fn create_version(version: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let secret = version.text("secret_id").to_owned();
    must_exist(&secret, view)?;
    let write_only = version.is_set("secret_string_wo_version");
    let id = uuid();
    version.put("id", format!("{secret}|{id}"));
    version.put("version_id", id);
    version.fill("arn", secret.as_str());
    version.fill("secret_arn", secret);
    version.fill("has_secret_string_wo", write_only);
    version.fill("version_stages", text_set(["AWSCURRENT"]));
    Ok(())
}

fn create_policy(policy: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let secret = policy.text("secret_arn").to_owned();
    must_exist(&secret, view)?;
    policy.put("id", secret);
    Ok(())
}
