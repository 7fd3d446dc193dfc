//! Delivery by GitHub Actions: two roles that workflows of one repository assume, without any key that could leak.
//!
//! The role of previews only reads. The role that deploys is for one branch, or for one environment of GitHub, whose rules guard it.

mod permissions;

use terrane::{Output, Stack};
use terrane_aws::eks::{AccessEntry, AccessPolicyAssociation, access_policy_association};
use terrane_aws::iam;
use terrane_aws::iam::{PolicyDocument, Statement};

use crate::{Cluster, Config, Storage};

/// Who vouches for the workflows of GitHub.
const ISSUER: &str = "token.actions.githubusercontent.com";
/// The thumbprint of the authority that signed it. AWS no longer looks at it, but some versions of the provider ask for one.
const THUMBPRINT: &str = "6938fd4d98bab03faadb97b34396831e3780aea1";

/// The roles of the workflows.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Reads, for previews and checks for drift.
    pub preview: iam::Role,
    /// Deploys.
    pub deploy: iam::Role,
}

impl Delivery {
    /// Declares both roles, and their access to the cluster where the platform puts something into it.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        cluster: &Cluster,
        storage: &Storage,
    ) -> Self {
        stack.module("delivery", |stack| {
            let issuer = issuer(stack, config);
            let repository = &config.github_repository;
            let branch = format!("repo:{repository}:ref:refs/heads/{}", config.github_branch);
            let previews = [format!("repo:{repository}:pull_request"), branch.clone()];
            let deploys = match &*config.github_environment {
                "" => branch,
                environment => format!("repo:{repository}:environment:{environment}"),
            };
            let preview = role(stack, config, "preview", &issuer, previews.to_vec());
            let deploy = role(stack, config, "deploy", &issuer, vec![deploys]);
            permissions::of_previews(stack, &preview, storage);
            permissions::of_deployments(stack, config, &deploy);
            if config.reaches_cluster_by_access_entries() {
                let cluster = cluster.cluster.name();
                let access = |stack: &mut Stack, name: &str, role: &iam::Role, policy: &str| {
                    access(stack, &cluster, name, role, policy);
                };
                access(stack, "preview", &preview, "AmazonEKSViewPolicy");
                access(stack, "deploy", &deploy, "AmazonEKSClusterAdminPolicy");
            }
            Self { preview, deploy }
        })
    }
}

/// The ARN of GitHub's OpenID Connect provider, of which an account has one.
fn issuer(stack: &mut Stack, config: &Config) -> Output<String> {
    match config.github_oidc_provider {
        true => iam::OpenIdConnectProvider::builder("github")
            .url(format!("https://{ISSUER}"))
            .client_id_list(["sts.amazonaws.com"])
            .thumbprint_list([THUMBPRINT])
            .declare(stack)
            .arn(),
        false => iam::data::OpenIdConnectProvider::builder("github")
            .url(format!("https://{ISSUER}"))
            .declare(stack)
            .arn(),
    }
}

/// A role that workflows with one of these subjects may assume.
fn role(
    stack: &mut Stack,
    config: &Config,
    name: &str,
    issuer: &Output<String>,
    subjects: Vec<String>,
) -> iam::Role {
    let trust = Statement::allow(["sts:AssumeRoleWithWebIdentity"])
        .federated([issuer])
        .condition(
            "StringEquals",
            format!("{ISSUER}:aud"),
            ["sts.amazonaws.com"],
        )
        .condition("StringEquals", format!("{ISSUER}:sub"), subjects);
    iam::Role::builder(name)
        .name(role_name(config, name))
        .assume_role_policy(PolicyDocument::new().statement(trust))
        .declare(stack)
}

fn role_name(config: &Config, name: &str) -> String {
    config.name(&format!("github-{name}"))
}

/// What a role may do in the cluster.
fn access(stack: &mut Stack, cluster: &Output<String>, name: &str, role: &iam::Role, policy: &str) {
    let entry = AccessEntry::builder(name)
        .cluster_name(cluster)
        .principal_arn(role.arn())
        .declare(stack);
    AccessPolicyAssociation::builder(name)
        .cluster_name(cluster)
        .principal_arn(entry.principal_arn())
        .policy_arn(format!("arn:aws:eks::aws:cluster-access-policy/{policy}"))
        .access_scope(access_policy_association::AccessScope::builder().r#type("cluster"))
        .declare(stack);
}
