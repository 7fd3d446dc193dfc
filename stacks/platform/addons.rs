//! EKS's own add-ons, kept at the version that fits the control plane's.

use terrane::{Output, Stack};
use terrane_aws::eks;

use crate::Config;

/// Those that nodes need to come up: the network of pods, and the addresses of services.
const BELOW_NODES: [&str; 2] = ["vpc-cni", "kube-proxy"];
/// Those that are pods on nodes, without which they never become active: the names in the cluster, and the load that autoscalers go by.
const ON_NODES: [&str; 2] = ["coredns", "metrics-server"];

/// The add-ons below nodes. An upgrade goes from the control plane to them, and on to the nodes.
pub(crate) fn below_nodes(
    stack: &mut Stack,
    config: &Config,
    cluster: &eks::Cluster,
) -> Vec<eks::Addon> {
    let addons = BELOW_NODES.iter();
    addons
        .map(|name| addon(stack, config, name, cluster.name()))
        .collect()
}

/// The add-ons that run on nodes.
pub(crate) fn on_nodes(
    stack: &mut Stack,
    config: &Config,
    nodes: &eks::NodeGroup,
) -> Vec<eks::Addon> {
    let addons = ON_NODES.iter();
    addons
        .map(|name| addon(stack, config, name, nodes.cluster_name()))
        .collect()
}

fn addon(stack: &mut Stack, config: &Config, name: &str, cluster: Output<String>) -> eks::Addon {
    let version = eks::data::AddonVersion::builder("main")
        .instance_key(name)
        .addon_name(name)
        .kubernetes_version(&config.eks_cluster_version)
        .declare(stack);
    // EKS installs most of them by itself, as objects that nobody manages: these take their place.
    eks::Addon::builder("main")
        .instance_key(name)
        .cluster_name(cluster)
        .addon_name(name)
        .addon_version(version.version())
        .resolve_conflicts_on_create("OVERWRITE")
        .resolve_conflicts_on_update("OVERWRITE")
        .declare(stack)
}
