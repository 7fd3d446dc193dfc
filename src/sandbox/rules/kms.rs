//! KMS.

use super::view::uuid;
use super::{ACCOUNT, CloudView, Rule, Verdict, refuse, text};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_kms_key", "KMS Key")
        .creates(create_key)
        .takes(10.0, 5.0, 1.0),
    Rule::new("aws_kms_alias", "KMS Alias").creates(create_alias),
];

fn create_key(key: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let id = uuid();
    key.put("arn", view.arn("kms", &format!("key/{id}")));
    key.put("key_id", id.as_str());
    key.put("id", id);
    key.fill("multi_region", false);
    key.fill("description", "");
    key.fill(
        "policy",
        format!(
            r#"{{"Id":"key-default-1","Statement":[{{"Action":"kms:*","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Resource":"*","Sid":"Enable IAM User Permissions"}}],"Version":"2012-10-17"}}"#
        ),
    );
    Ok(())
}

fn create_alias(alias: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let prefix = alias.text("name_prefix").to_owned();
    let prefix = if prefix.is_empty() { "alias/" } else { &prefix };
    alias.fill("name", view.unique_name(prefix));
    alias.fill("name_prefix", "");
    let name = alias.text("name").to_owned();
    let target = alias.text("target_key_id");
    let id = target.rsplit('/').next().unwrap_or(target).to_owned();
    let Some(key) = view.find("aws_kms_key", &id) else {
        return refuse(
            "NotFoundException",
            format!("Key '{target}' does not exist"),
        );
    };
    if view.find("aws_kms_alias", &name).is_some() {
        let arn = view.arn("kms", &name);
        return refuse(
            "AlreadyExistsException",
            format!("An alias with the name {arn} already exists"),
        );
    }
    alias.put("arn", view.arn("kms", &name));
    alias.put("target_key_arn", text(key, "arn"));
    alias.put("id", name);
    Ok(())
}
