//! Permissions: who may do what, and who may become whom.

use terrane_aws::iam;
use terrane_core::Policy;

use crate::document::each_allow;

/// The types whose argument `policy` gives permissions.
const PERMISSIONS: [&str; 4] = [
    "aws_iam_policy",
    "aws_iam_role_policy",
    "aws_iam_group_policy",
    "aws_iam_user_policy",
];

/// The types whose argument `policy` opens a resource to others.
const RESOURCE_POLICIES: [&str; 9] = [
    "aws_ecr_repository_policy",
    "aws_efs_file_system_policy",
    "aws_kms_key",
    "aws_secretsmanager_secret_policy",
    "aws_sns_topic",
    "aws_sns_topic_policy",
    "aws_sqs_queue",
    "aws_sqs_queue_policy",
    "aws_glacier_vault",
];

/// Attaching one of these is giving everything away.
const ADMINISTRATORS: [&str; 3] = ["AdministratorAccess", "IAMFullAccess", "PowerUserAccess"];

/// No document allows every action, or every action of a service on everything, or everything but some actions.
#[track_caller]
pub fn no_wildcard_permissions() -> Policy {
    const WIDE: &str = "it allows more than anybody can list";
    Policy::new("no wildcard permissions", |plan| {
        for type_name in PERMISSIONS {
            for policy in plan.of_type(type_name) {
                each_allow(&policy, "policy", WIDE, |document, allow| {
                    let everything = allow.actions.iter().any(|action| action == "*");
                    let of_service = allow.actions.iter().any(|action| action.ends_with(":*"));
                    let anywhere = allow.resources.iter().any(|resource| resource == "*");
                    if everything {
                        policy.violates_in(document, "it allows every action");
                    } else if allow.all_but {
                        policy.violates_in(document, "it allows everything but some actions");
                    } else if of_service && anywhere {
                        let message = "it allows every action of a service on every resource";
                        policy.violates_in(document, message);
                    }
                });
            }
        }
    })
    .hint("list the actions, and the ARNs that they are for")
}

/// Nobody without a name can become a role.
#[track_caller]
pub fn no_open_trust() -> Policy {
    const OPEN: &str = "everybody can assume it";
    Policy::new("no open trust", |plan| {
        for role in plan.of::<iam::Role>() {
            each_allow(&role, "assume_role_policy", OPEN, |document, allow| {
                if allow.everybody && !allow.is_conditional {
                    role.violates_in(document, OPEN);
                }
            });
        }
    })
    .hint("name the account, role or service that may assume it")
}

/// A role that workflows of GitHub assume is for one repository and for named branches, environments or pull requests of it.
#[track_caller]
pub fn github_trust_is_limited() -> Policy {
    const ISSUER: &str = "token.actions.githubusercontent.com";
    const OPEN: &str = "workflows of other repositories or branches can assume it";
    Policy::new(
        "GitHub's roles are for one branch of one repository",
        |plan| {
            for role in plan.of::<iam::Role>() {
                each_allow(&role, "assume_role_policy", OPEN, |document, allow| {
                    if !allow.federated.iter().any(|arn| arn.ends_with(ISSUER)) {
                        return;
                    }
                    let limited = |claim: &str| {
                        let key = format!("{ISSUER}:{claim}");
                        allow.conditions.iter().any(|(operator, of, values)| {
                            let is_exact = match &**operator {
                                "StringEquals" => true,
                                "StringLike" => !values.iter().any(|one| one.contains(['*', '?'])),
                                _ => false,
                            };
                            is_exact && *of == key && !values.is_empty()
                        })
                    };
                    if !limited("sub") || !limited("aud") {
                        role.violates_in(document, OPEN);
                    }
                });
            }
        },
    )
    .hint("add conditions with `StringEquals` on its claims `sub` and `aud`")
}

/// No queue, topic, key, secret, repository or file system is open to everybody.
#[track_caller]
pub fn no_open_resource_policies() -> Policy {
    const OPEN: &str = "its policy allows everybody something";
    Policy::new("no open resource policies", |plan| {
        for type_name in RESOURCE_POLICIES {
            for resource in plan.of_type(type_name) {
                // What AWS writes itself names the account.
                if !resource.sets("policy") {
                    continue;
                }
                each_allow(&resource, "policy", OPEN, |document, allow| {
                    if allow.everybody && !allow.is_conditional {
                        resource.violates_in(document, OPEN);
                    }
                });
            }
        }
        for permission in plan.of_type("aws_lambda_permission") {
            let principal = permission.attribute::<String>("principal");
            permission.require(&principal, "everybody can call the function", |who| {
                who.as_deref() != Some("*")
            });
        }
    })
    .hint("name the principals, or add a condition such as `aws:SourceArn`")
}

/// No managed policy that gives everything away is attached.
#[track_caller]
pub fn no_administrators() -> Policy {
    const TYPES: [&str; 4] = [
        "aws_iam_role_policy_attachment",
        "aws_iam_user_policy_attachment",
        "aws_iam_group_policy_attachment",
        "aws_iam_policy_attachment",
    ];
    Policy::new("no administrators", |plan| {
        for type_name in TYPES {
            for attachment in plan.of_type(type_name) {
                let arn = attachment.attribute::<String>("policy_arn");
                // The ARN of a policy of this stack is known later, and is none of these.
                if attachment.get(&arn).is_unknown() {
                    continue;
                }
                attachment.require(&arn, "it makes an administrator", |arn| {
                    let name = arn.as_deref().and_then(|arn| arn.rsplit('/').next());
                    name.is_none_or(|name| !ADMINISTRATORS.contains(&name))
                });
            }
        }
    })
    .hint("attach a policy with the actions that are needed")
}

/// No long-lived access keys: programs have roles.
#[track_caller]
pub fn no_access_keys() -> Policy {
    Policy::new("no access keys", |plan| {
        for key in plan.of_type("aws_iam_access_key") {
            key.violates("it does not expire, and its secret is in the state");
        }
    })
    .hint("give the program a role: of its instance, its service account or its pipeline")
}

/// Users get their permissions through groups.
#[track_caller]
pub fn no_policies_of_users() -> Policy {
    Policy::new("no policies of single users", |plan| {
        for type_name in ["aws_iam_user_policy", "aws_iam_user_policy_attachment"] {
            for policy in plan.of_type(type_name) {
                policy.violates("nobody finds it who reviews groups and roles");
            }
        }
    })
    .hint("attach it to a group or a role")
}
