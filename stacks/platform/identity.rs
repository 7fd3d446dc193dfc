//! Identity: the role of the API's service account in AWS, without any key of its own.

use terrane::Stack;
use terrane_aws::iam;
use terrane_aws::iam::{PolicyDocument, Statement};

use crate::hardening::Keys;
use crate::{Cluster, Config, Storage};

/// The Kubernetes namespace that the API runs in.
pub(crate) const NAMESPACE: &str = "mlops-platform";
/// The API's service account there.
pub(crate) const SERVICE_ACCOUNT: &str = "api";

/// The service account's role.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The role that pods with the service account assume (IRSA).
    pub role: iam::Role,
}

impl Identity {
    /// Declares the role with its policies: read and write the buckets, with the key that encrypts them, and write logs.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        cluster: &Cluster,
        storage: &Storage,
        keys: Option<&Keys>,
    ) -> Self {
        stack.module("identity", |stack| {
            let issuer = cluster.cluster.identity().index(0).oidc().index(0).issuer();
            let role = iam::Role::builder("service_account")
                .name(config.name("sa-role"))
                .assume_role_policy(PolicyDocument::assumed_by_service_account(
                    cluster.oidc_provider.arn(),
                    &issuer,
                    NAMESPACE,
                    SERVICE_ACCOUNT,
                ))
                .declare(stack);
            let objects = storage.arns().map(|arn| arn.map(|arn| format!("{arn}/*")));
            let buckets = iam::Policy::builder("s3")
                .name(config.name("s3-access"))
                .policy(
                    PolicyDocument::new()
                        .statement(Statement::allow(["s3:ListBucket"]).resources(storage.arns()))
                        .statement(
                            Statement::allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
                                .resources(objects),
                        ),
                )
                .declare(stack);
            iam::RolePolicyAttachment::builder("s3")
                .role(role.name())
                .policy_arn(buckets.arn())
                .declare(stack);
            if let Some(keys) = keys {
                let use_key = ["kms:Decrypt", "kms:GenerateDataKey"];
                iam::RolePolicy::builder("keys")
                    .name("keys")
                    .role(role.name())
                    .policy(
                        PolicyDocument::new()
                            .statement(Statement::allow(use_key).resources([keys.storage_arn()])),
                    )
                    .declare(stack);
            }
            let streams = cluster.log_group.arn().map(|arn| format!("{arn}:*"));
            let write_logs = [
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ];
            iam::RolePolicy::builder("logs")
                .name("logs")
                .role(role.name())
                .policy(
                    PolicyDocument::new()
                        .statement(Statement::allow(write_logs).resources([streams])),
                )
                .declare(stack);
            Self { role }
        })
    }
}
