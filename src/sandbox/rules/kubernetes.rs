//! Kubernetes, and the charts that Helm installs in it: objects that are named in a namespace of a cluster.
//!
//! A cluster whose address is one of EKS exists as long as the sandbox's EKS has it; any other one is there.

use terrane_core::value::Map;
use terrane_core::{Type, Value};

use super::view::uuid;
use super::{CloudView, Refusal, Rule, Verdict, random_hex, refuse};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("kubernetes_*", "")
        .reached(cluster_must_exist)
        .creates(create)
        .updates(update)
        .takes(1.0, 1.0, 2.0),
    Rule::new("kubernetes_service_v1", "")
        .reached(cluster_must_exist)
        .creates(create_service)
        .updates(update)
        .takes(2.0, 1.0, 2.0),
    Rule::new("kubernetes_deployment_v1", "")
        .reached(cluster_must_exist)
        .creates(create)
        .updates(update)
        .takes(20.0, 20.0, 10.0),
    Rule::new("helm_release", "")
        .reached(cluster_must_exist)
        .creates(install)
        .takes(40.0, 30.0, 15.0),
];

/// Those that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

fn cluster_must_exist(view: &CloudView<'_>) -> Verdict {
    let host = view.cluster.trim_start_matches("https://");
    let of_eks = host
        .split(':')
        .next()
        .is_some_and(|name| name.ends_with(".eks.amazonaws.com"));
    if !of_eks || view.has("aws_eks_cluster", "endpoint", view.cluster) {
        return Ok(());
    }
    refuse(
        "",
        format!(
            "Get \"{}/api\": dial tcp: lookup {host}: no such host",
            view.cluster
        ),
    )
}

fn create(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let metadata = draft.block("metadata").cloned().unwrap_or_default();
    let text = |name: &str| super::text(&metadata, name);
    let generated = || format!("{}{}", text("generate_name"), &random_hex()[..5]);
    let name = match text("name") {
        "" => generated(),
        name => name.to_owned(),
    };
    let id = match text("namespace") {
        "" => name.clone(),
        namespace => {
            namespace_must_exist(namespace, view)?;
            format!("{namespace}/{name}")
        }
    };
    must_be_new(draft, &id, &name, view)?;
    draft.fill_in("metadata", "name", name);
    draft.fill_in("metadata", "generation", Value::from(1_i64));
    draft.fill_in("metadata", "resource_version", "1000");
    draft.fill_in("metadata", "uid", uuid());
    draft.put("id", id);
    Ok(())
}

fn create_service(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    create(draft, view)?;
    let spec = draft.block("spec").cloned().unwrap_or_default();
    let address = format!("172.20.{}.{}", byte(), byte());
    let is_headless = super::text(&spec, "cluster_ip") == "None";
    if super::text(&spec, "type") != "ExternalName" && !is_headless {
        draft.fill_in("spec", "cluster_ip", address.as_str());
        let addresses = Value::list(vec![address.into()]);
        draft.fill_in("spec", "cluster_ips", addresses);
        draft.fill_in("spec", "ip_family_policy", "SingleStack");
        draft.fill_in("spec", "ip_families", Value::list(vec!["IPv4".into()]));
    }
    if super::text(&spec, "type") == "LoadBalancer" {
        let host = format!("{}.{}.elb.amazonaws.com", random_hex(), view.region);
        let ingress = Value::map([
            ("hostname", host.into()),
            ("ip", "".into()),
            ("ip_mode", "".into()),
        ]);
        let balancer = Value::map([("ingress", Value::list(vec![ingress]))]);
        let status = Value::map([("load_balancer", Value::list(vec![balancer]))]);
        draft.put("status", Value::list(vec![status]));
    }
    Ok(())
}

fn byte() -> u8 {
    u8::from_str_radix(&random_hex()[..2], 16).unwrap_or(1)
}

/// Every change makes another version of the object.
fn update(draft: &mut Draft, before: &Map, _: &CloudView<'_>) -> Verdict {
    let was = before.get("metadata").and_then(Value::elements);
    let was = was.and_then(|blocks| blocks.first());
    let number = |name: &str| match was.and_then(|was| was.get(name)?.convert(&Type::Number).ok()) {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(1),
        _ => 1,
    };
    draft.put_in(
        "metadata",
        "generation",
        Value::from(number("generation") + 1),
    );
    let version = number("resource_version") + 1;
    draft.put_in("metadata", "resource_version", version.to_string());
    Ok(())
}

fn install(draft: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = draft.text("name").to_owned();
    let namespace = match draft.text("namespace") {
        "" => "default",
        namespace => namespace,
    };
    let makes_it = draft.get("create_namespace").as_bool() == Some(true);
    if !makes_it {
        namespace_must_exist(namespace, view)?;
    }
    let namespace = namespace.to_owned();
    if view.find("helm_release", &view.key(&name)).is_some() {
        return refuse("", "cannot re-use a name that is still in use");
    }
    draft.put("namespace", namespace);
    draft.fill("status", "deployed");
    draft.put("id", name);
    Ok(())
}

fn namespace_must_exist(name: &str, view: &CloudView<'_>) -> Verdict {
    let exists = NAMESPACES.contains(&name)
        || ["kubernetes_namespace_v1", "kubernetes_namespace"]
            .iter()
            .any(|type_name| view.find(type_name, &view.key(name)).is_some());
    match exists {
        true => Ok(()),
        false => refuse("", format!("namespaces \"{name}\" not found")),
    }
}

fn must_be_new(draft: &Draft, id: &str, name: &str, view: &CloudView<'_>) -> Verdict {
    let type_name = draft.type_name();
    let is_namespace = type_name.starts_with("kubernetes_namespace");
    let taken =
        view.find(type_name, &view.key(id)).is_some() || is_namespace && NAMESPACES.contains(&name);
    match taken {
        true => Err(Refusal {
            code: "",
            message: format!("{} \"{name}\" already exists", plural(type_name)),
            passing: false,
        }),
        false => Ok(()),
    }
}

/// The resource of the API behind a type: `configmaps` for `kubernetes_config_map_v1`.
fn plural(type_name: &str) -> String {
    let words = type_name.trim_start_matches("kubernetes_");
    let words = match words.rsplit_once("_v") {
        Some((words, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => words,
        _ => words,
    };
    let word = words.replace('_', "");
    match word.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if word.ends_with('s') => format!("{word}es"),
        None => format!("{word}s"),
    }
}
