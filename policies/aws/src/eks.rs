//! Clusters: versions, logs, endpoints, secrets.

use terrane_aws::eks;
use terrane_core::Policy;
use time::OffsetDateTime;

/// The last day of standard support of each version of Kubernetes on EKS, by AWS's calendar. A later version counts as supported.
const STANDARD_SUPPORT: [(u32, &str); 13] = [
    (23, "2023-10-11"),
    (24, "2024-01-31"),
    (25, "2024-05-01"),
    (26, "2024-06-11"),
    (27, "2024-07-24"),
    (28, "2024-11-26"),
    (29, "2025-03-23"),
    (30, "2025-07-23"),
    (31, "2025-11-26"),
    (32, "2026-03-23"),
    (33, "2026-07-29"),
    (34, "2026-12-02"),
    (35, "2027-03-27"),
];

/// Everything that a control plane can log.
const LOG_TYPES: [&str; 5] = [
    "api",
    "audit",
    "authenticator",
    "controllerManager",
    "scheduler",
];

/// Each cluster runs a version of Kubernetes that AWS supports without a surcharge today.
#[track_caller]
pub fn supported_kubernetes() -> Policy {
    supported(|| OffsetDateTime::now_utc().date().to_string())
}

/// The same on a day (`2026-11-28`).
#[track_caller]
pub fn supported_kubernetes_on(day: &str) -> Policy {
    let day = day.to_owned();
    supported(move || day.clone())
}

#[track_caller]
fn supported(today: impl Fn() -> String + Send + Sync + 'static) -> Policy {
    Policy::new("Kubernetes is supported", move |plan| {
        for cluster in plan.of::<eks::Cluster>() {
            let version = cluster.version();
            // Left to EKS, it is the newest.
            if cluster.get(&version).is_unknown() && !cluster.sets("version") {
                continue;
            }
            let today = today();
            cluster.require(&version, "its version is out of standard support", |version| {
                version.is_none_or(|version| is_supported(&version, &today))
            });
        }
    })
    .hint("upgrade a minor version at a time; extended support costs six times as much and ends after a year")
}

/// Whether the version is in standard support on that day. Dates of this form compare as texts.
fn is_supported(version: &str, today: &str) -> bool {
    let minor = version
        .strip_prefix("1.")
        .and_then(|minor| minor.parse::<u32>().ok());
    let Some(minor) = minor else {
        return false;
    };
    match STANDARD_SUPPORT.iter().find(|(known, _)| *known == minor) {
        Some((_, end)) => today <= *end,
        None => minor > STANDARD_SUPPORT[STANDARD_SUPPORT.len() - 1].0,
    }
}

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

#[cfg(test)]
mod tests {
    use super::is_supported;

    #[test]
    fn a_version_is_supported_until_its_last_day_and_unknown_ones_by_their_place() {
        let table = [
            ("1.28", "2024-11-26", true),
            ("1.28", "2024-11-27", false),
            ("1.35", "2026-11-28", true),
            // Younger than this table, and older.
            ("1.99", "2026-11-28", true),
            ("1.9", "2026-11-28", false),
            ("latest", "2026-11-28", false),
        ];
        for (version, today, supported) in table {
            assert_eq!(
                is_supported(version, today),
                supported,
                "{version} on {today}"
            );
        }
    }
}
