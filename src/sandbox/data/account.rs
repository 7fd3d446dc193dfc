//! Data sources that say where the sandbox is and who is asking.

use terrane_core::value::Map;
use terrane_core::{Diagnostic, Diagnostics, Value};

use super::{put, text};
use crate::draft::texts;
use crate::operations::Settings;
use crate::rules::view::text_set;
use crate::rules::{ACCOUNT, CANONICAL_USER, zones};

/// The regions there are.
pub(crate) const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Fills the state; whether it is such a data source.
pub(super) fn read(
    type_name: &str,
    state: &mut Map,
    settings: &Settings,
) -> Result<bool, Diagnostics> {
    let region = &settings.region;
    match type_name {
        "aws_availability_zones" => availability_zones(state, region),
        "aws_availability_zone" => availability_zone(state, region)?,
        "aws_caller_identity" => {
            put(state, "account_id", ACCOUNT);
            put(state, "arn", format!("arn:aws:iam::{ACCOUNT}:user/sandbox"));
            put(state, "id", ACCOUNT);
            put(state, "user_id", "AIDASANDBOXSANDBOXSAN");
        }
        "aws_partition" => {
            put(state, "id", "aws");
            put(state, "partition", "aws");
            put(state, "dns_suffix", "amazonaws.com");
            put(state, "reverse_dns_prefix", "com.amazonaws");
        }
        "aws_region" => {
            let name = match text(state, "name") {
                "" => region.clone(),
                name => name.to_owned(),
            };
            put(state, "description", format!("Sandbox ({name})"));
            put(state, "endpoint", format!("ec2.{name}.amazonaws.com"));
            put(state, "id", name.as_str());
            put(state, "name", name);
        }
        "aws_regions" => {
            put(state, "id", "aws");
            put(state, "names", text_set(REGIONS.iter().copied()));
        }
        "aws_default_tags" => {
            put(state, "id", "aws");
            put(
                state,
                "tags",
                Value::Map(settings.default_tags.clone().into()),
            );
        }
        "aws_canonical_user_id" => {
            put(state, "id", CANONICAL_USER);
            put(state, "display_name", "sandbox");
        }
        "aws_eks_cluster_auth" => {
            let name = text(state, "name").to_owned();
            put(state, "token", "k8s-aws-v1.sandbox");
            put(state, "id", name);
        }
        "aws_eks_addon_version" => {
            let id = text(state, "addon_name").to_owned();
            let version = format!("v{}.0-eksbuild.1", text(state, "kubernetes_version"));
            put(state, "version", version);
            put(state, "id", id);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn availability_zones(state: &mut Map, region: &str) {
    let excluded = |list: &str| state.get(list).map(texts).unwrap_or_default();
    let (names, ids) = (excluded("exclude_names"), excluded("exclude_zone_ids"));
    // Filters of the API: only those that say something of a zone of this sandbox leave any out.
    let filters = state.get("filter").and_then(Value::elements).unwrap_or(&[]);
    let passes = |(name, id): &(String, String)| {
        filters.iter().all(|filter| {
            let values = filter.get("values").map(texts).unwrap_or_default();
            let fact = match filter.get("name").and_then(Value::as_str) {
                Some("zone-name") => name,
                Some("zone-id") => id,
                Some("zone-type") => "availability-zone",
                Some("opt-in-status") => "opt-in-not-required",
                Some("region-name" | "group-name") => region,
                Some("state") => "available",
                _ => return true,
            };
            values.contains(&fact)
        })
    };
    let known = matches!(text(state, "state"), "" | "available");
    let found: Vec<_> = zones(region)
        .filter(|zone| known && passes(zone))
        .filter(|(name, id)| !names.contains(&name.as_str()) && !ids.contains(&id.as_str()))
        .collect();
    let list = |texts: Vec<&str>| Value::list(texts.into_iter().map(Value::from).collect());
    put(
        state,
        "names",
        list(found.iter().map(|zone| zone.0.as_str()).collect()),
    );
    put(
        state,
        "zone_ids",
        list(found.iter().map(|zone| zone.1.as_str()).collect()),
    );
    put(state, "group_names", text_set([region]));
    put(state, "id", region);
}

fn availability_zone(state: &mut Map, region: &str) -> Result<(), Diagnostics> {
    let (name, id) = (text(state, "name"), text(state, "zone_id"));
    let found = zones(region).find(|zone| match (name, id) {
        ("", id) => zone.1 == id,
        (name, _) => zone.0 == name,
    });
    let Some((name, id)) = found else {
        return Err(Diagnostic::error("no matching EC2 Availability Zone found").into());
    };
    put(state, "name_suffix", name.trim_start_matches(region));
    put(state, "id", name.as_str());
    put(state, "name", name);
    put(state, "zone_id", id);
    put(state, "group_name", region);
    put(state, "network_border_group", region);
    put(state, "region", region);
    put(state, "state", "available");
    put(state, "opt_in_status", "opt-in-not-required");
    put(state, "zone_type", "availability-zone");
    Ok(())
}
