//! What the roles of the workflows may do in AWS.

use terrane::Stack;
use terrane_aws::iam;
use terrane_aws::iam::{PolicyDocument, Statement};

use super::role_name;
use crate::{Config, Storage};

/// Everything that roles and policies of the platform need, and no users, groups or keys.
const IDENTITIES: [&str; 31] = [
    "iam:AttachRolePolicy",
    "iam:CreateOpenIDConnectProvider",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:CreateServiceLinkedRole",
    "iam:DeleteOpenIDConnectProvider",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:GetOpenIDConnectProvider",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListPolicyVersions",
    "iam:ListRolePolicies",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:TagOpenIDConnectProvider",
    "iam:TagPolicy",
    "iam:TagRole",
    "iam:UntagPolicy",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateOpenIDConnectProviderThumbprint",
    "iam:UpdateRole",
];

/// What changes a role.
const CHANGES_OF_ROLES: [&str; 8] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
];

/// Previews read every setting and none of the data.
pub(super) fn of_previews(stack: &mut Stack, role: &iam::Role, storage: &Storage) {
    iam::RolePolicyAttachment::builder("preview")
        .role(role.name())
        .policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess")
        .declare(stack);
    let objects = storage.arns().map(|arn| arn.map(|arn| format!("{arn}/*")));
    iam::RolePolicy::builder("preview")
        .name("no-data")
        .role(role.name())
        .policy(
            PolicyDocument::new().statement(
                Statement::deny(["s3:GetObject", "s3:GetObjectVersion"]).resources(objects),
            ),
        )
        .declare(stack);
}

/// Deployments make everything but users and keys, identities only by the platform's names, and never a change of these roles.
pub(super) fn of_deployments(stack: &mut Stack, config: &Config, role: &iam::Role) {
    iam::RolePolicyAttachment::builder("deploy")
        .role(role.name())
        .policy_arn("arn:aws:iam::aws:policy/PowerUserAccess")
        .declare(stack);
    let named = |kind: &str| format!("arn:aws:iam::*:{kind}/{}", config.name("*"));
    let identities = [
        named("role"),
        named("policy"),
        "arn:aws:iam::*:oidc-provider/*".to_owned(),
        "arn:aws:iam::*:role/aws-service-role/*".to_owned(),
    ];
    let own = ["preview", "deploy"]
        .map(|name| format!("arn:aws:iam::*:role/{}", role_name(config, name)));
    iam::RolePolicy::builder("deploy")
        .name("identities")
        .role(role.name())
        .policy(
            PolicyDocument::new()
                .statement(Statement::allow(IDENTITIES).resources(identities))
                .statement(Statement::deny(CHANGES_OF_ROLES).resources(own)),
        )
        .declare(stack);
}
