//! IAM.

use terrane_core::Value;
use terrane_core::value::Map;

use super::view::{principal, text_set};
use super::{ACCOUNT, CloudView, Rule, Verdict, holds, refuse, text};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_iam_role", "IAM Role")
        .creates(create_role)
        .deletes(delete_role)
        .reads(read_role),
    Rule::new("aws_iam_policy", "IAM Policy")
        .creates(create_policy)
        .deletes(delete_policy),
    Rule::new("aws_iam_role_policy", "IAM Role Policy").creates(create_role_policy),
    Rule::new(
        "aws_iam_role_policy_attachment",
        "IAM Role Policy Attachment",
    )
    .creates(attach)
    .imports(|id, attachment| {
        id.split_once('/').is_some_and(|(role, arn)| {
            text(attachment, "role") == role && text(attachment, "policy_arn") == arn
        })
    }),
    Rule::new("aws_iam_openid_connect_provider", "IAM OIDC Provider").creates(create_oidc_provider),
    Rule::new("aws_iam_instance_profile", "IAM Instance Profile").creates(create_instance_profile),
    Rule::new("aws_iam_user", "IAM User")
        .creates(|user, view| create_named(user, view, "aws_iam_user", "User", "user", "AIDA")),
    Rule::new("aws_iam_group", "IAM Group").creates(|group, view| {
        create_named(group, view, "aws_iam_group", "Group", "group", "AGPA")
    }),
];

/// The path and the name, as ARNs have them.
fn path_and_name(draft: &Draft, name: &str) -> String {
    let path = match draft.text("path") {
        "" => "/",
        path => path,
    };
    format!("{path}{name}")
}

fn must_be_json(text: &str) -> Verdict {
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok() {
        return Ok(());
    }
    refuse("MalformedPolicyDocument", "Syntax errors in policy.")
}

fn create_role(role: &mut Draft, view: &CloudView<'_>) -> Verdict {
    must_be_json(role.text("assume_role_policy"))?;
    let name = view.named(role, "name");
    if view.find("aws_iam_role", &name).is_some() {
        return refuse(
            "EntityAlreadyExists",
            format!("Role with name {name} already exists."),
        );
    }
    role.put(
        "arn",
        view.iam_arn(&format!("role{}", path_and_name(role, &name))),
    );
    role.put("id", name);
    role.put("unique_id", principal("AROA"));
    role.put("create_date", view.now.rfc3339());
    Ok(())
}

/// The ARNs of policies that other resources attach to a role.
fn attached<'a>(role: &'a str, view: &CloudView<'a>) -> impl Iterator<Item = &'a str> {
    let attachments = view.with("aws_iam_role_policy_attachment", "role", role);
    attachments.map(|(_, attachment)| text(attachment, "policy_arn"))
}

fn delete_role(role: &Map, view: &CloudView<'_>) -> Verdict {
    let name = text(role, "name");
    if role.get("force_detach_policies").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    if view.has("aws_iam_role_policy_attachment", "role", name) {
        return refuse(
            "DeleteConflict",
            "Cannot delete entity, must detach all policies first.",
        );
    }
    if view.has("aws_iam_role_policy", "role", name) {
        return refuse(
            "DeleteConflict",
            "Cannot delete entity, must delete policies first.",
        );
    }
    if view.has("aws_iam_instance_profile", "role", name) {
        return refuse(
            "DeleteConflict",
            "Cannot delete entity, must remove roles from instance profile first.",
        );
    }
    Ok(())
}

/// Attachments and inline policies that are resources of their own show up in the role.
fn read_role(role: &mut Draft, view: &CloudView<'_>) {
    let name = role.text("name").to_owned();
    let mut arns: Vec<&str> = attached(&name, view).collect();
    if role.get("managed_policy_arns").elements().is_some() {
        let own: Vec<String> = role
            .texts("managed_policy_arns")
            .into_iter()
            .map(str::to_owned)
            .collect();
        arns.extend(own.iter().map(String::as_str));
        role.put("managed_policy_arns", text_set(arns));
    }
    let inline = view.with("aws_iam_role_policy", "role", &name);
    let mut policies = role.get("inline_policy").elements().unwrap_or(&[]).to_vec();
    for (_, policy) in inline {
        if !policies
            .iter()
            .any(|known| known.get("name") == policy.get("name"))
        {
            let member = |name| Value::from(text(policy, name));
            policies.push(Value::map([
                ("name", member("name")),
                ("policy", member("policy")),
            ]));
        }
    }
    let ty = ["name", "policy"].map(|name| (name, terrane_core::Type::String));
    role.put(
        "inline_policy",
        Value::set(policies, &terrane_core::Type::object(ty)),
    );
}

fn create_policy(policy: &mut Draft, view: &CloudView<'_>) -> Verdict {
    must_be_json(policy.text("policy"))?;
    let name = view.named(policy, "name");
    let arn = view.iam_arn(&format!("policy{}", path_and_name(policy, &name)));
    if view.has("aws_iam_policy", "name", &name) {
        return refuse(
            "EntityAlreadyExists",
            format!("A policy called {name} already exists. Duplicate names are not allowed."),
        );
    }
    policy.put("arn", arn.as_str());
    policy.put("id", arn);
    policy.put("policy_id", principal("ANPA"));
    Ok(())
}

fn delete_policy(policy: &Map, view: &CloudView<'_>) -> Verdict {
    let arn = text(policy, "arn");
    let by = |type_name| view.has(type_name, "policy_arn", arn);
    let in_role = view
        .all("aws_iam_role")
        .any(|(_, role)| holds(role, "managed_policy_arns", arn));
    if by("aws_iam_role_policy_attachment")
        || by("aws_iam_user_policy_attachment")
        || by("aws_iam_group_policy_attachment")
        || in_role
    {
        return refuse(
            "DeleteConflict",
            "Cannot delete a policy attached to entities.",
        );
    }
    Ok(())
}

fn role_must_exist(name: &str, view: &CloudView<'_>) -> Verdict {
    match view.find("aws_iam_role", name) {
        Some(_) => Ok(()),
        None => refuse(
            "NoSuchEntity",
            format!("The role with name {name} cannot be found."),
        ),
    }
}

fn create_role_policy(policy: &mut Draft, view: &CloudView<'_>) -> Verdict {
    must_be_json(policy.text("policy"))?;
    let role = policy.text("role").to_owned();
    role_must_exist(&role, view)?;
    let name = view.named(policy, "name");
    policy.put("id", format!("{role}:{name}"));
    Ok(())
}

fn attach(attachment: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let role = attachment.text("role").to_owned();
    role_must_exist(&role, view)?;
    let arn = attachment.text("policy_arn");
    let ours = arn.starts_with(&format!("arn:aws:iam::{ACCOUNT}:"));
    if ours && view.find("aws_iam_policy", arn).is_none() || !arn.contains(":policy/") {
        return refuse(
            "NoSuchEntity",
            format!("Policy {arn} does not exist or is not attachable."),
        );
    }
    attachment.put("id", view.unique_name(&format!("{role}-")));
    Ok(())
}

fn create_oidc_provider(provider: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let url = provider.text("url");
    let host = url.strip_prefix("https://").unwrap_or(url).to_owned();
    let arn = view.iam_arn(&format!("oidc-provider/{host}"));
    if view.find("aws_iam_openid_connect_provider", &arn).is_some() {
        return refuse(
            "EntityAlreadyExists",
            format!("Provider with url {url} already exists."),
        );
    }
    provider.put("url", host);
    provider.put("arn", arn.as_str());
    provider.put("id", arn);
    Ok(())
}

fn create_instance_profile(profile: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let role = profile.text("role").to_owned();
    if !role.is_empty() {
        role_must_exist(&role, view)?;
    }
    create_named(
        profile,
        view,
        "aws_iam_instance_profile",
        "Instance Profile",
        "instance-profile",
        "AIPA",
    )
}

/// An entity with a name, an ARN with its path and a unique id.
fn create_named(
    draft: &mut Draft,
    view: &CloudView<'_>,
    type_name: &str,
    title: &str,
    kind: &str,
    prefix: &str,
) -> Verdict {
    let name = view.named(draft, "name");
    if view.find(type_name, &name).is_some() {
        return refuse(
            "EntityAlreadyExists",
            format!("{title} with name {name} already exists."),
        );
    }
    draft.put(
        "arn",
        view.iam_arn(&format!("{kind}{}", path_and_name(draft, &name))),
    );
    draft.put("id", name);
    draft.fill("unique_id", principal(prefix));
    draft.fill("create_date", view.now.rfc3339());
    Ok(())
}
