//! EKS.

use base64::Engine as _;
use ipnet::Ipv4Net;
use terrane_core::Value;
use terrane_core::value::Map;

use super::view::{one_block, random_hex, text_set, uuid};
use super::{CloudView, Rule, Verdict, refuse, text};
use crate::draft::{Draft, texts};

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_eks_cluster", "EKS Cluster")
        .creates(create_cluster)
        .updates(|cluster, before, _| upgrade(cluster, before))
        .deletes(delete_cluster)
        .takes(540.0, 240.0, 180.0),
    Rule::new("aws_eks_node_group", "EKS Node Group")
        .creates(create_node_group)
        .updates(update_node_group)
        .takes(150.0, 60.0, 240.0),
    Rule::new("aws_eks_addon", "EKS Add-On")
        .creates(create_addon)
        .takes(30.0, 30.0, 15.0),
    Rule::new(
        "aws_eks_pod_identity_association",
        "EKS Pod Identity Association",
    )
    .creates(create_pod_identity),
];

/// The version of a cluster that asks for none.
const NEWEST: &str = "1.28";
/// The versions there are, when the newest is that.
const VERSIONS: std::ops::RangeInclusive<u32> = 23..=35;

fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("1.")?.parse().ok()
}

fn subnets_must_exist<'a>(
    ids: &[&str],
    view: &CloudView<'a>,
) -> Result<Vec<&'a Map>, super::Refusal> {
    let find = |id: &&str| {
        view.find("aws_subnet", id).ok_or_else(|| super::Refusal {
            code: "InvalidParameterException",
            message: format!("The subnet ID '{id}' does not exist"),
            passing: false,
        })
    };
    ids.iter().map(find).collect()
}

/// IAM takes a while to tell others of a new role, but a role that is not there is not there.
fn role_must_exist(arn: &str, view: &CloudView<'_>) -> Verdict {
    if view.has("aws_iam_role", "arn", arn) {
        return Ok(());
    }
    refuse(
        "InvalidParameterException",
        format!(
            "Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
        ),
    )
}

fn create_cluster(cluster: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = cluster.text("name").to_owned();
    if view.find("aws_eks_cluster", &name).is_some() {
        return refuse(
            "ResourceInUseException",
            format!("Cluster already exists with name: {name}"),
        );
    }
    role_must_exist(cluster.text("role_arn"), view)?;
    cluster.fill("version", NEWEST);
    let version = cluster.text("version").to_owned();
    if !minor(&version).is_some_and(|minor| VERSIONS.contains(&minor)) {
        return refuse(
            "InvalidParameterException",
            format!("unsupported Kubernetes version {version}"),
        );
    }
    let vpc_id = cluster_network(cluster, view)?;
    let hex = random_hex().to_uppercase();
    let region = view.region;
    cluster.put("arn", view.arn("eks", &format!("cluster/{name}")));
    cluster.put("id", name);
    cluster.put("created_at", view.now.go());
    cluster.put(
        "certificate_authority",
        one_block([("data", certificate().into())]),
    );
    cluster.put(
        "endpoint",
        format!("https://{hex}.gr7.{region}.eks.amazonaws.com"),
    );
    let issuer = format!("https://oidc.eks.{region}.amazonaws.com/id/{hex}");
    cluster.put(
        "identity",
        one_block([("oidc", one_block([("issuer", issuer.into())]))]),
    );
    cluster.put("platform_version", "eks.4");
    cluster.put("status", "ACTIVE");
    kubernetes_network(cluster, &vpc_id, view);
    cluster.fill_in("vpc_config", "vpc_id", vpc_id);
    cluster.fill_in("vpc_config", "cluster_security_group_id", view.id("sg"));
    cluster.fill_in("vpc_config", "public_access_cidrs", text_set(["0.0.0.0/0"]));
    Ok(())
}

/// Checks the subnets, which lie in at least two zones of one VPC; that VPC.
fn cluster_network(cluster: &Draft, view: &CloudView<'_>) -> Result<String, super::Refusal> {
    let config = cluster.block("vpc_config");
    let ids = config
        .and_then(|config| config.get("subnet_ids"))
        .map(texts)
        .unwrap_or_default();
    let subnets = subnets_must_exist(&ids, view)?;
    let mut zones: Vec<&str> = subnets
        .iter()
        .map(|subnet| text(subnet, "availability_zone"))
        .collect();
    zones.sort_unstable();
    zones.dedup();
    if zones.len() < 2 {
        refuse(
            "InvalidParameterException",
            "Subnets specified must be in at least two different AZs",
        )?;
    }
    Ok(subnets
        .first()
        .map(|subnet| text(subnet, "vpc_id"))
        .unwrap_or_default()
        .to_owned())
}

fn kubernetes_network(cluster: &mut Draft, vpc_id: &str, view: &CloudView<'_>) {
    // EKS takes the one of its two blocks that the VPC does not use.
    let vpc = view
        .find("aws_vpc", vpc_id)
        .and_then(|vpc| text(vpc, "cidr_block").parse::<Ipv4Net>().ok());
    let mut blocks = ["172.20.0.0/16", "10.100.0.0/16"].into_iter();
    let free = |block: &&str| match (vpc, block.parse::<Ipv4Net>()) {
        (Some(vpc), Ok(block)) => !vpc.contains(&block) && !block.contains(&vpc),
        _ => true,
    };
    let service = blocks.find(free).unwrap_or("172.20.0.0/16");
    cluster.fill(
        "kubernetes_network_config",
        one_block([
            ("ip_family", "ipv4".into()),
            ("service_ipv4_cidr", service.into()),
            ("service_ipv6_cidr", "".into()),
        ]),
    );
    cluster.fill_in("kubernetes_network_config", "ip_family", "ipv4");
    cluster.fill_in("kubernetes_network_config", "service_ipv4_cidr", service);
    cluster.fill_in("kubernetes_network_config", "service_ipv6_cidr", "");
}

/// A certificate in form only: nothing listens behind the endpoint.
fn certificate() -> String {
    let base64 = &base64::engine::general_purpose::STANDARD;
    let body: Vec<String> = (0..12).map(|_| random_hex() + &random_hex()).collect();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        body.iter()
            .map(|line| base64.encode(&line[..48]))
            .collect::<Vec<_>>()
            .join("\n")
    );
    base64.encode(pem)
}

fn upgrade(cluster: &Draft, before: &Map) -> Verdict {
    let (old, new) = (text(before, "version"), cluster.text("version"));
    match (minor(old), minor(new)) {
        (Some(old), Some(new)) if new == old || new == old + 1 => Ok(()),
        _ if old == new => Ok(()),
        _ => refuse(
            "InvalidParameterException",
            format!("Unsupported Kubernetes minor version update from {old} to {new}"),
        ),
    }
}

fn delete_cluster(cluster: &Map, view: &CloudView<'_>) -> Verdict {
    let name = text(cluster, "name");
    if view.has("aws_eks_node_group", "cluster_name", name) {
        return refuse("ResourceInUseException", "Cluster has nodegroups attached");
    }
    if view.has("aws_eks_fargate_profile", "cluster_name", name) {
        return refuse(
            "ResourceInUseException",
            "Cluster has fargate profiles attached",
        );
    }
    Ok(())
}

fn cluster_must_exist<'a>(name: &str, view: &CloudView<'a>) -> Result<&'a Map, super::Refusal> {
    view.find("aws_eks_cluster", name)
        .ok_or_else(|| super::Refusal {
            code: "ResourceNotFoundException",
            message: format!("No cluster found for name: {name}."),
            passing: false,
        })
}

fn sizes(group: &Draft) -> Verdict {
    let number = |name| match group
        .block("scaling_config")
        .and_then(|sizes| sizes.get(name))
    {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        _ => 0,
    };
    let (min, desired, max) = (
        number("min_size"),
        number("desired_size"),
        number("max_size"),
    );
    let complaint = if max < 1 {
        "Maximum capacity should be greater than or equal to 1".to_owned()
    } else if min > max {
        format!("Minimum capacity {min} can't be greater than maximum size {max}")
    } else if desired < min {
        format!("desired capacity {desired} can't be less than min size {min}")
    } else if desired > max {
        format!("desired capacity {desired} can't be greater than max size {max}")
    } else {
        return Ok(());
    };
    refuse("InvalidParameterException", complaint)
}

/// Nodes follow the control plane and never pass it.
fn update_node_group(group: &mut Draft, before: &Map, view: &CloudView<'_>) -> Verdict {
    sizes(group)?;
    let (old, new) = (text(before, "version"), group.text("version").to_owned());
    if old == new {
        return Ok(());
    }
    let cluster = cluster_must_exist(group.text("cluster_name"), view)?;
    if minor(&new) > minor(text(cluster, "version")) {
        return refuse(
            "InvalidParameterException",
            format!("Requested Nodegroup Kubernetes version {new} is higher than the cluster's"),
        );
    }
    group.put("release_version", format!("{new}.5-20231230"));
    Ok(())
}

fn create_node_group(group: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let cluster_name = group.text("cluster_name").to_owned();
    let cluster = cluster_must_exist(&cluster_name, view)?;
    let name = view.named(group, "node_group_name");
    let id = format!("{cluster_name}:{name}");
    if view.find("aws_eks_node_group", &id).is_some() {
        return refuse(
            "ResourceInUseException",
            format!("NodeGroup already exists with name {name} and cluster name {cluster_name}"),
        );
    }
    role_must_exist(group.text("node_role_arn"), view)?;
    sizes(group)?;
    subnets_must_exist(&group.texts("subnet_ids"), view)?;
    let uuid = uuid();
    group.put(
        "arn",
        view.arn("eks", &format!("nodegroup/{cluster_name}/{name}/{uuid}")),
    );
    group.put("id", id);
    group.fill("ami_type", "AL2_x86_64");
    group.fill("capacity_type", "ON_DEMAND");
    group.fill("disk_size", 20);
    group.fill("instance_types", Value::list(vec!["t3.medium".into()]));
    group.fill("version", text(cluster, "version"));
    let release = format!("{}.5-20231230", group.text("version"));
    group.fill("release_version", release);
    group.put("status", "ACTIVE");
    let autoscaling = one_block([("name", format!("eks-{name}-{uuid}").into())]);
    group.put(
        "resources",
        one_block([
            ("autoscaling_groups", autoscaling),
            ("remote_access_security_group_id", "".into()),
        ]),
    );
    group.fill(
        "update_config",
        one_block([
            ("max_unavailable", 1.into()),
            ("max_unavailable_percentage", 0.into()),
        ]),
    );
    Ok(())
}

fn create_addon(addon: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let (cluster, name) = (
        addon.text("cluster_name").to_owned(),
        addon.text("addon_name").to_owned(),
    );
    cluster_must_exist(&cluster, view)?;
    let id = format!("{cluster}:{name}");
    if view.find("aws_eks_addon", &id).is_some() {
        return refuse("ResourceInUseException", "Addon already exists.");
    }
    addon.put(
        "arn",
        view.arn("eks", &format!("addon/{cluster}/{name}/{}", uuid())),
    );
    addon.put("id", id);
    addon.fill("addon_version", "v1.0.0-eksbuild.1");
    Ok(())
}

fn create_pod_identity(association: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let cluster = association.text("cluster_name").to_owned();
    cluster_must_exist(&cluster, view)?;
    let id = format!("a-{}", &random_hex()[..17]);
    association.put(
        "association_arn",
        view.arn("eks", &format!("podidentityassociation/{cluster}/{id}")),
    );
    association.put("association_id", id.as_str());
    association.put("id", id);
    Ok(())
}
