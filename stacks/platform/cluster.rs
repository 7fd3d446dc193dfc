//! The Kubernetes cluster: control plane, nodes, and the roles of both.

use terrane::{Lifecycle, Stack};
use terrane_aws::eks::{cluster, node_group};
use terrane_aws::{ec2, eks, iam, logs};

use crate::hardening::Keys;
use crate::{Config, Network, addons};

/// Everything the control plane can log.
const LOG_TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];

/// Policies that nodes need to join the cluster, give pods addresses and pull images.
const NODE_POLICIES: [&str; 3] = [
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryReadOnly",
];

/// The thumbprint of the authority that signed the issuers of EKS. AWS no longer looks at it, but asks for one.
const ISSUER_THUMBPRINT: &str = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280";

/// The cluster and its nodes.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The control plane.
    pub cluster: eks::Cluster,
    /// The nodes.
    pub nodes: eks::NodeGroup,
    /// EKS's own add-ons.
    pub addons: Vec<eks::Addon>,
    /// Vouches for the cluster's service accounts.
    pub oidc_provider: iam::OpenIdConnectProvider,
    /// Where the control plane's logs go.
    pub log_group: logs::LogGroup,
}

impl Cluster {
    /// Declares the cluster in that network, its secrets encrypted with the platform's key if it has one.
    pub fn declare(
        stack: &mut Stack,
        config: &Config,
        network: &Network,
        keys: Option<&Keys>,
    ) -> Self {
        stack.module("cluster", |stack| {
            let name = config.name("cluster");
            // EKS would make the group itself, and keep its log for ever.
            let log_group = logs::LogGroup::builder("cluster")
                .name(format!("/aws/eks/{name}/cluster"))
                .retention_in_days(config.log_retention_days)
                .declare(stack);
            let cluster_group = security_group(stack, config, network, "cluster", "EKS cluster");
            let node_group = security_group(stack, config, network, "node", "EKS nodes");
            security_group_rules(stack, &cluster_group, &node_group);

            let cluster_role = role(stack, config, "cluster", "eks.amazonaws.com");
            let cluster_policy = iam::RolePolicyAttachment::builder("cluster")
                .role(cluster_role.name())
                .policy_arn("arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
                .declare(stack);
            let mut subnet_ids = network.public_subnet_ids();
            subnet_ids.extend(network.private_subnet_ids());
            let mut cluster = eks::Cluster::builder("main")
                .name(&name)
                .version(&config.eks_cluster_version)
                .role_arn(cluster_role.arn())
                .enabled_cluster_log_types(LOG_TYPES)
                .vpc_config(
                    cluster::VpcConfig::builder()
                        .subnet_ids(subnet_ids)
                        .security_group_ids([cluster_group.id()])
                        .endpoint_private_access(true)
                        .endpoint_public_access(true),
                )
                .depends_on(&cluster_policy)
                .depends_on(&log_group);
            if let Some(keys) = keys {
                let provider = cluster::EncryptionConfigProvider::builder();
                cluster = cluster.encryption_config(
                    cluster::EncryptionConfig::builder()
                        .provider(provider.key_arn(keys.cluster.arn()))
                        .resources(["secrets"]),
                );
            }
            if config.reaches_cluster_by_access_entries() {
                cluster = cluster.access_config(
                    cluster::AccessConfig::builder().authentication_mode("API_AND_CONFIG_MAP"),
                );
            }
            let cluster = cluster.declare(stack);
            let mut own = match config.eks_addons {
                true => addons::below_nodes(stack, config, &cluster),
                false => Vec::new(),
            };
            let nodes = nodes(stack, config, network, &cluster, &own);
            if config.eks_addons {
                own.extend(addons::on_nodes(stack, config, &nodes));
            }
            let oidc_provider = iam::OpenIdConnectProvider::builder("cluster")
                .url(cluster.identity().index(0).oidc().index(0).issuer())
                .client_id_list(["sts.amazonaws.com"])
                .thumbprint_list([ISSUER_THUMBPRINT])
                .declare(stack);
            Self {
                cluster,
                nodes,
                addons: own,
                oidc_provider,
                log_group,
            }
        })
    }
}

fn nodes(
    stack: &mut Stack,
    config: &Config,
    network: &Network,
    cluster: &eks::Cluster,
    addons: &[eks::Addon],
) -> eks::NodeGroup {
    let role = role(stack, config, "node", "ec2.amazonaws.com");
    // Nodes follow the control plane, and not before the add-ons below them. EKS tags the group for the cluster autoscaler.
    let mut nodes = eks::NodeGroup::builder("main")
        .cluster_name(cluster.name())
        .version(cluster.version())
        .node_group_name(config.name("nodes"))
        .node_role_arn(role.arn())
        .subnet_ids(network.private_subnet_ids())
        .instance_types(&config.eks_node_instance_types)
        .capacity_type(match config.eks_node_spot {
            true => "SPOT",
            false => "ON_DEMAND",
        })
        .scaling_config(
            node_group::ScalingConfig::builder()
                .desired_size(config.eks_node_desired_size)
                .min_size(config.eks_node_min_size)
                .max_size(config.eks_node_max_size),
        )
        // No one logs in to nodes here. If AWS or an emulator of it reports a key all the same, that is no reason to replace them.
        .lifecycle(Lifecycle::new().ignore_changes(["remote_access"]));
    for policy in NODE_POLICIES {
        let attachment = iam::RolePolicyAttachment::builder("node")
            .instance_key(policy)
            .role(role.name())
            .policy_arn(format!("arn:aws:iam::aws:policy/{policy}"))
            .declare(stack);
        nodes = nodes.depends_on(&attachment);
    }
    for addon in addons {
        nodes = nodes.depends_on(addon);
    }
    nodes.declare(stack)
}

fn role(stack: &mut Stack, config: &Config, name: &str, service: &str) -> iam::Role {
    iam::Role::builder(name)
        .name(config.name(&format!("{name}-role")))
        .assume_role_policy(iam::PolicyDocument::assumed_by(service))
        .declare(stack)
}

fn security_group(
    stack: &mut Stack,
    config: &Config,
    network: &Network,
    name: &str,
    description: &str,
) -> ec2::SecurityGroup {
    ec2::SecurityGroup::builder(name)
        .name(config.name(&format!("{name}-sg")))
        .description(description)
        .vpc_id(network.vpc.id())
        .egress(
            ec2::security_group::Egress::builder()
                .protocol("-1")
                .from_port(0)
                .to_port(0)
                .cidr_blocks(["0.0.0.0/0"]),
        )
        .tags([("Name", config.name(&format!("{name}-sg")))])
        .declare(stack)
}

/// Who may talk to whom: nodes to the API server, the control plane to kubelets and webhooks, nodes to each other.
fn security_group_rules(
    stack: &mut Stack,
    cluster: &ec2::SecurityGroup,
    nodes: &ec2::SecurityGroup,
) {
    ec2::SecurityGroupRule::builder("node_to_cluster")
        .r#type("ingress")
        .security_group_id(cluster.id())
        .source_security_group_id(nodes.id())
        .protocol("tcp")
        .from_port(443)
        .to_port(443)
        .declare(stack);
    ec2::SecurityGroupRule::builder("cluster_to_node")
        .r#type("ingress")
        .security_group_id(nodes.id())
        .source_security_group_id(cluster.id())
        .protocol("tcp")
        .from_port(1025)
        .to_port(65535)
        .declare(stack);
    ec2::SecurityGroupRule::builder("node_to_node")
        .r#type("ingress")
        .security_group_id(nodes.id())
        .self_(true)
        .protocol("-1")
        .from_port(0)
        .to_port(0)
        .declare(stack);
}
