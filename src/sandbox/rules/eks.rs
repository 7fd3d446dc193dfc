//! Kubernetes clusters and their nodes.

use base64::Engine as _;
use terrane_core::Value;

use super::{Draft, ids};

/// Completes an EKS object; `false` for a type that is none.
pub(super) fn complete(type_name: &str, draft: &mut Draft<'_>) -> bool {
    match type_name {
        "aws_eks_cluster" => cluster(draft),
        "aws_eks_node_group" => node_group(draft),
        _ => return false,
    }
    true
}

fn cluster(draft: &mut Draft<'_>) {
    let name = draft.text("name");
    draft.put("id", name.clone());
    let arn = draft.account.arn("eks", &format!("cluster/{name}"));
    draft.put("arn", arn);
    draft.put("created_at", ids::timestamp());
    draft.put("status", "ACTIVE");
    draft.put("platform_version", "eks.7");
    draft.put("version", "1.28");
    let region = draft.account.region.clone();
    let number = ids::from_alphabet("0123456789ABCDEF", 32);
    draft.put(
        "endpoint",
        format!("https://{number}.gr7.{region}.eks.amazonaws.com"),
    );
    let issuer = format!("https://oidc.eks.{region}.amazonaws.com/id/{number}");
    let oidc = Value::map([("issuer", Value::from(issuer))]);
    let identity = Value::map([("oidc", Value::list(vec![oidc]))]);
    draft.put("identity", Value::list(vec![identity]));
    let certificate =
        "-----BEGIN CERTIFICATE-----\nthe sandbox has no certificate\n-----END CERTIFICATE-----\n";
    let data = base64::engine::general_purpose::STANDARD.encode(certificate);
    let authority = Value::map([("data", Value::from(data))]);
    draft.put("certificate_authority", Value::list(vec![authority]));
    let network = Value::map([
        ("ip_family", Value::from("ipv4")),
        ("service_ipv4_cidr", Value::from("172.20.0.0/16")),
        ("service_ipv6_cidr", Value::from("")),
    ]);
    draft.put("kubernetes_network_config", Value::list(vec![network]));
    vpc_config(draft);
}

/// The network of the control plane, as far as the subnets decide it.
fn vpc_config(draft: &mut Draft<'_>) {
    let Some(Value::List(blocks)) = draft.object.get("vpc_config").cloned() else {
        return;
    };
    let Some(mut block) = blocks.first().and_then(Value::members).cloned() else {
        return;
    };
    let subnets = block
        .get("subnet_ids")
        .and_then(Value::elements)
        .unwrap_or_default();
    let subnet = subnets
        .iter()
        .find_map(|id| draft.cloud.get("aws_subnet", id.as_str()?));
    let vpc = subnet.and_then(|subnet| subnet.get("vpc_id")).cloned();
    let mut put = |name: &str, value: Value| {
        if let Some(slot @ Value::Unknown(_)) = block.get_mut(name) {
            *slot = value;
        }
    };
    put("vpc_id", vpc.unwrap_or_else(|| "".into()));
    put("cluster_security_group_id", ids::hex_id("sg").into());
    let anywhere = Value::set(vec!["0.0.0.0/0".into()], &terrane_core::Type::String);
    put("public_access_cidrs", anywhere);
    draft.object.insert(
        "vpc_config".into(),
        Value::list(vec![Value::Map(block.into())]),
    );
}

fn node_group(draft: &mut Draft<'_>) {
    let (cluster, name) = (draft.text("cluster_name"), draft.text("node_group_name"));
    draft.put("id", format!("{cluster}:{name}"));
    let arn = draft.account.arn(
        "eks",
        &format!("nodegroup/{cluster}/{name}/{}", ids::uuid()),
    );
    draft.put("arn", arn);
    draft.put("ami_type", "AL2_x86_64");
    draft.put("capacity_type", "ON_DEMAND");
    draft.put("disk_size", 20_i64);
    draft.put("status", "ACTIVE");
    let version = draft.cloud.get("aws_eks_cluster", &cluster);
    let version = version.and_then(|cluster| cluster.get("version")).cloned();
    draft.put("version", version.unwrap_or_else(|| "1.28".into()));
    let release = format!("{}.5-20240117", draft.text("version"));
    draft.put("release_version", release);
    draft.put("instance_types", Value::list(vec!["t3.medium".into()]));
    let group = Value::map([("name", Value::from(format!("eks-{name}-{}", ids::uuid())))]);
    let resources = Value::map([
        ("autoscaling_groups", Value::list(vec![group])),
        ("remote_access_security_group_id", Value::from("")),
    ]);
    draft.put("resources", Value::list(vec![resources]));
    let update = Value::map([
        ("max_unavailable", Value::from(1_i64)),
        ("max_unavailable_percentage", Value::from(0_i64)),
    ]);
    draft.put("update_config", Value::list(vec![update]));
}
