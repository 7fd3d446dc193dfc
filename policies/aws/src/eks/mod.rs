//! Clusters: versions, logs, endpoints, secrets.

pub mod calendar;
mod versions;

use terrane_aws::eks;
use terrane_core::Policy;

pub use versions::{supported_kubernetes, supported_kubernetes_on, upgrades_go_by_one_minor};

/// Everything that a control plane can log.
const LOG_TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];

/// The control plane of each cluster logs everything that it can.
#[track_caller]
pub fn control_plane_logs() -> Policy {
    Policy::new("control planes log", |plan| {
        for cluster in plan.of::<eks::Cluster>() {
            let types = cluster.enabled_cluster_log_types();
            cluster.require(&types, "it does not log everything", |types| {
                let types = types.unwrap_or_default();
                LOG_TYPES.iter().all(|wanted| types.iter().any(|one| one == wanted))
            });
        }
    })
    .hint("set `enabled_cluster_log_types` to api, audit, authenticator, controllerManager and scheduler")
}

/// The API server of each cluster is not open to the whole internet.
#[track_caller]
pub fn endpoint_is_limited() -> Policy {
    const OPEN: &str = "the whole internet reaches its API server";
    Policy::new("API servers are not open to everybody", |plan| {
        for cluster in plan.of::<eks::Cluster>() {
            let config = cluster.vpc_config().index(0);
            if cluster.get(&config.endpoint_public_access()).is(&false) {
                continue;
            }
            let networks = config.public_access_cidrs();
            let left_to_aws = cluster.get(&networks).is_unknown();
            if left_to_aws {
                // Without a list it is everybody.
                cluster.violates_in(&networks, OPEN);
                continue;
            }
            cluster.require(&networks, OPEN, |networks: Option<Vec<String>>| {
                networks.is_some_and(|networks| {
                    !networks.is_empty() && !networks.iter().any(|one| one == "0.0.0.0/0")
                })
            });
        }
    })
    .hint("set `endpoint_public_access` to `false`, or list the networks in `public_access_cidrs`")
}

/// The secrets of each cluster are encrypted with a key of one's own.
#[track_caller]
pub fn secrets_are_encrypted() -> Policy {
    Policy::new("cluster secrets are encrypted", |plan| {
        for cluster in plan.of::<eks::Cluster>() {
            let config = cluster.encryption_config().all();
            cluster.require(
                &config,
                "its secrets are encrypted by nothing of yours",
                |all| all.is_some_and(|all| !all.is_empty()),
            );
        }
    })
    .hint("set `encryption_config` with the ARN of a KMS key")
}
