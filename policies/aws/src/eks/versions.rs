//! Versions of clusters: supported by AWS's calendar, and upgraded one after the other.

use terrane_aws::eks;
use terrane_core::policy::Fact;
use terrane_core::{Action, Policy};
use time::OffsetDateTime;

use super::calendar::{EXTENDED_SUPPORT_HOURLY, EXTENDED_SUPPORT_MONTHLY, Support, minor};

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
            let policy = cluster.upgrade_policy().index(0).support_type();
            let is_moved_on = cluster.get(&policy).is("STANDARD");
            match cluster.get(&version) {
                Fact::Known(known) => {
                    if let Some(fault) = fault(&known, &today(), is_moved_on, cluster.action()) {
                        cluster.violates_in(&version, fault);
                    }
                }
                Fact::Unknown => cluster.undecided_in(&version, "EKS may not support it"),
                Fact::Absent => {}
            }
        }
    })
    .hint(
        "set `version` to a supported one; a cluster that exists goes up a minor version at a time",
    )
}

/// What is wrong with a version on that day, if anything is.
fn fault(version: &str, today: &str, is_moved_on: bool, action: Action) -> Option<String> {
    let mut text = match Support::of(version, today) {
        Support::Standard => return None,
        Support::NoVersion => return Some(format!("EKS has no Kubernetes `{version}`")),
        Support::Extended { .. } if is_moved_on => format!(
            "Kubernetes {version} is out of standard support, and this cluster takes no other: EKS upgrades it by itself"
        ),
        Support::Extended { until } => format!(
            "Kubernetes {version} is in extended support until {until}, which costs {EXTENDED_SUPPORT_HOURLY} USD an hour more ({EXTENDED_SUPPORT_MONTHLY} USD a month)"
        ),
        Support::Ended { on } => {
            let since = on.map(|day| format!(" since {day}")).unwrap_or_default();
            format!(
                "EKS does not offer Kubernetes {version}{since}: it refuses a new cluster, and upgrades an existing one by itself"
            )
        }
    };
    // A new cluster starts wherever it likes.
    if action != Action::Create
        && let Some(minor) = minor(version)
    {
        text = format!("{text}; the next version is 1.{}", minor + 1);
    }
    Some(text)
}

/// No plan takes a cluster further than to the next minor version, or back.
#[track_caller]
pub fn upgrades_go_by_one_minor() -> Policy {
    Policy::new("Kubernetes goes up one minor version at a time", |plan| {
        for cluster in plan.of::<eks::Cluster>() {
            let version = cluster.version();
            let known = |fact: Fact<String>| minor(&fact.known()?);
            let (before, after) = (
                known(cluster.before(&version)),
                known(cluster.get(&version)),
            );
            let (Some(before), Some(after)) = (before, after) else {
                continue;
            };
            if after > before + 1 {
                cluster.violates_in(
                    &version,
                    format!(
                        "EKS does not go from 1.{before} to 1.{after} at once; 1.{} comes first",
                        before + 1
                    ),
                );
            } else if after < before {
                cluster.violates_in(
                    &version,
                    format!("the cluster would go back from 1.{before} to 1.{after}"),
                );
            }
        }
    })
    .hint("set `version` to the next one, run `up`, and go on from there")
}
