//! Security groups and their rules.

use terrane_core::Value;
use terrane_core::value::Map;

use super::vpc;
use crate::draft::{Draft, texts};
use crate::rules::view::checksum;
use crate::rules::{CloudView, Rule, Verdict, holds, not_yet, refuse, text};

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_security_group", "Security Group")
        .creates(create_group)
        .deletes(delete_group)
        .takes(3.0, 2.0, 1.0),
    Rule::new("aws_security_group_rule", "Security Group Rule")
        .creates(create_rule)
        .imports(imports_rule)
        .takes(1.0, 1.0, 1.0),
    Rule::new(
        "aws_vpc_security_group_ingress_rule",
        "VPC Security Group Ingress Rule",
    )
    .creates(|rule, view| create_single_rule(rule, "aws_vpc_security_group_ingress_rule", view))
    .takes(1.0, 1.0, 1.0),
    Rule::new(
        "aws_vpc_security_group_egress_rule",
        "VPC Security Group Egress Rule",
    )
    .creates(|rule, view| create_single_rule(rule, "aws_vpc_security_group_egress_rule", view))
    .takes(1.0, 1.0, 1.0),
];

fn create_group(group: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let vpc_id = group.text("vpc_id").to_owned();
    if !vpc_id.is_empty() {
        vpc::must_exist(&vpc_id, view)?;
    }
    let name = view.named(group, "name");
    let mut others = view.with("aws_security_group", "vpc_id", &vpc_id);
    if others.any(|(_, other)| text(other, "name") == name) {
        return refuse(
            "InvalidGroup.Duplicate",
            format!("The security group '{name}' already exists for VPC '{vpc_id}'"),
        );
    }
    let id = view.id("sg");
    group.put("arn", view.arn("ec2", &format!("security-group/{id}")));
    group.put("id", id);
    // The account of the sandbox has no default VPC.
    group.fill("vpc_id", "");
    Ok(())
}

fn delete_group(group: &Map, view: &CloudView<'_>) -> Verdict {
    let id = text(group, "id");
    let names = |object: &Map, block: &str, attribute: &str| {
        let block = object
            .get(block)
            .and_then(|blocks| blocks.elements()?.first()?.members());
        block.is_some_and(|block| holds(block, attribute, id))
    };
    let in_rules = |group: &Map, direction: &str| {
        let rules = group
            .get(direction)
            .and_then(Value::elements)
            .unwrap_or(&[]);
        rules
            .iter()
            .filter_map(Value::members)
            .any(|rule| holds(rule, "security_groups", id))
    };
    let others = || {
        view.all("aws_security_group")
            .filter(|(other, _)| *other != id)
    };
    let single = [
        "aws_vpc_security_group_ingress_rule",
        "aws_vpc_security_group_egress_rule",
    ];
    let elsewhere = |mut rules: Box<dyn Iterator<Item = (&str, &Map)> + '_>| {
        rules.any(|(_, rule)| text(rule, "security_group_id") != id)
    };
    let used = others().any(|(_, other)| in_rules(other, "ingress") || in_rules(other, "egress"))
        || elsewhere(Box::new(view.with(
            "aws_security_group_rule",
            "source_security_group_id",
            id,
        )))
        || single.into_iter().any(|type_name| {
            elsewhere(Box::new(view.with(
                type_name,
                "referenced_security_group_id",
                id,
            )))
        })
        || view
            .all("aws_eks_cluster")
            .any(|(_, cluster)| names(cluster, "vpc_config", "security_group_ids"))
        || view
            .all("aws_instance")
            .any(|(_, instance)| holds(instance, "vpc_security_group_ids", id));
    if used {
        return not_yet(
            "DependencyViolation",
            format!("resource {id} has a dependent object"),
        );
    }
    Ok(())
}

fn group_must_exist(id: &str, view: &CloudView<'_>) -> Verdict {
    let known = view.find("aws_security_group", id).is_some()
        || view.has("aws_vpc", "default_security_group_id", id)
        || view.all("aws_eks_cluster").any(|(_, cluster)| {
            let config = cluster
                .get("vpc_config")
                .and_then(|blocks| blocks.elements()?.first()?.members());
            config.is_some_and(|config| text(config, "cluster_security_group_id") == id)
        });
    if known {
        return Ok(());
    }
    refuse(
        "InvalidGroup.NotFound",
        format!("The security group '{id}' does not exist"),
    )
}

/// The parts from which the SDK makes the id of a rule: everything that tells it from others, in order.
fn rule_key(rule: &Draft) -> String {
    let mut parts = vec![rule.text("security_group_id").to_owned()];
    for port in ["from_port", "to_port"] {
        if let Value::Number(number) = rule.get(port)
            && number.as_i64().is_some_and(|number| number > 0)
        {
            parts.push(number.to_string());
        }
    }
    parts.extend(["protocol", "type"].map(|name| rule.text(name).to_owned()));
    for list in ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"] {
        let mut texts = rule.texts(list);
        texts.sort_unstable();
        parts.extend(texts.into_iter().map(str::to_owned));
    }
    let source = match rule.get("self").as_bool() {
        Some(true) => rule.text("security_group_id"),
        _ => rule.text("source_security_group_id"),
    };
    if !source.is_empty() {
        // The second part is the name of a group outside of VPCs, which there is none of.
        parts.extend([source.to_owned(), String::new()]);
    }
    // Each part ends with a hyphen, the last one too.
    parts.push(String::new());
    parts.join("-")
}

/// `sg-1_ingress_tcp_80_80_10.0.0.0/16`; several sources are joined by more of `_`.
fn imports_rule(id: &str, rule: &Map) -> bool {
    let parts: Vec<&str> = id.split('_').collect();
    let [group, direction, protocol, from, to, sources @ ..] = parts.as_slice() else {
        return false;
    };
    let number = |name: &str| match rule.get(name) {
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let own = rule.get("self").and_then(Value::as_bool) == Some(true);
    text(rule, "security_group_id") == *group
        && text(rule, "type") == *direction
        && text(rule, "protocol") == *protocol
        && (number("from_port") == *from && number("to_port") == *to)
        && sources.iter().all(|source| {
            let ranges = ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"];
            (own && *source == "self")
                || text(rule, "source_security_group_id") == *source
                || ranges.iter().any(|ranges| holds(rule, ranges, source))
        })
}

fn create_rule(rule: &mut Draft, view: &CloudView<'_>) -> Verdict {
    group_must_exist(rule.text("security_group_id"), view)?;
    let source = rule.text("source_security_group_id").to_owned();
    if !source.is_empty() {
        group_must_exist(&source, view)?;
    }
    let id = format!("sgrule-{}", checksum(&rule_key(rule)));
    if view.find("aws_security_group_rule", &id).is_some() {
        let mut peers = texts(rule.get("cidr_blocks"));
        peers.push(&source);
        let peer = peers.first().copied().unwrap_or_default();
        return refuse(
            "InvalidPermission.Duplicate",
            format!(
                "the specified rule \"peer: {peer}, {}, from port: {:?}, to port: {:?}, ALLOW\" already exists",
                rule.text("protocol").to_uppercase(),
                rule.get("from_port"),
                rule.get("to_port"),
            ),
        );
    }
    rule.put("id", id);
    rule.put("security_group_rule_id", view.id("sgr"));
    Ok(())
}

fn create_single_rule(rule: &mut Draft, type_name: &str, view: &CloudView<'_>) -> Verdict {
    const WHAT: [&str; 7] = [
        "cidr_ipv4",
        "cidr_ipv6",
        "from_port",
        "ip_protocol",
        "prefix_list_id",
        "referenced_security_group_id",
        "to_port",
    ];
    let group = rule.text("security_group_id").to_owned();
    group_must_exist(&group, view)?;
    if rule.is_set("referenced_security_group_id") {
        group_must_exist(rule.text("referenced_security_group_id"), view)?;
    }
    let mut others = view.with(type_name, "security_group_id", &group);
    let same = |other: &Map| {
        WHAT.iter()
            .all(|name| other.get(*name) == rule.members().get(*name))
    };
    if others.any(|(_, other)| same(other)) {
        return refuse(
            "InvalidPermission.Duplicate",
            format!(
                "the specified rule \"peer: {}{}, {}, ALLOW\" already exists",
                rule.text("cidr_ipv4"),
                rule.text("referenced_security_group_id"),
                rule.text("ip_protocol").to_uppercase(),
            ),
        );
    }
    let id = view.id("sgr");
    rule.put("arn", view.arn("ec2", &format!("security-group-rule/{id}")));
    rule.put("security_group_rule_id", id.as_str());
    rule.put("id", id);
    Ok(())
}
