//! Roles, policies and identity providers.

use super::{Draft, ids};

/// Completes an IAM object; `false` for a type that is none.
pub(super) fn complete(type_name: &str, draft: &mut Draft<'_>) -> bool {
    let account = draft.account;
    let path = match draft.text("path") {
        path if path.is_empty() => "/".to_owned(),
        path => path,
    };
    match type_name {
        "aws_iam_role" => {
            draft.put(
                "name",
                format!("terraform-{}", ids::from_alphabet("0123456789", 26)),
            );
            let name = draft.text("name");
            draft.put(
                "arn",
                account.global_arn("iam", &format!("role{path}{name}")),
            );
            draft.put("id", name);
            draft.put("create_date", ids::timestamp());
            draft.put("unique_id", ids::iam_id("AROA"));
        }
        "aws_iam_policy" => {
            draft.put(
                "name",
                format!("terraform-{}", ids::from_alphabet("0123456789", 26)),
            );
            let arn = account.global_arn("iam", &format!("policy{path}{}", draft.text("name")));
            draft.put("arn", arn.clone());
            draft.put("id", arn);
            draft.put("policy_id", ids::iam_id("ANPA"));
        }
        "aws_iam_role_policy" => {
            draft.put(
                "name",
                format!("terraform-{}", ids::from_alphabet("0123456789", 26)),
            );
            let id = format!("{}:{}", draft.text("role"), draft.text("name"));
            draft.put("id", id);
        }
        "aws_iam_role_policy_attachment" => {
            let id = format!(
                "{}-{}",
                draft.text("role"),
                ids::from_alphabet("0123456789", 26)
            );
            draft.put("id", id);
        }
        "aws_iam_openid_connect_provider" => {
            let url = draft.text("url");
            let host = url.trim_start_matches("https://");
            let arn = account.global_arn("iam", &format!("oidc-provider/{host}"));
            draft.put("arn", arn.clone());
            draft.put("id", arn);
        }
        _ => return false,
    }
    true
}
