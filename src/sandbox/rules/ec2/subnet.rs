//! Subnets.

use ipnet::Ipv4Net;
use terrane_core::value::Map;

use super::zones;
use crate::draft::Draft;
use crate::rules::{CloudView, Rule, Verdict, holds, not_yet, refuse, text};

pub(super) const RULES: &[Rule] = &[Rule::new("aws_subnet", "EC2 Subnet")
    .creates(create)
    .deletes(delete)
    .takes(11.0, 10.0, 1.0)];

fn create(subnet: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let vpc = subnet.text("vpc_id").to_owned();
    super::vpc::must_exist(&vpc, view)?;
    if subnet.is_set("cidr_block") {
        place(subnet, &vpc, view)?;
    }
    let (zone, zone_id) = zone(subnet, view)?;
    let id = view.id("subnet");
    subnet.put("availability_zone", zone);
    subnet.put("availability_zone_id", zone_id);
    subnet.put("arn", view.arn("ec2", &format!("subnet/{id}")));
    subnet.put("id", id);
    subnet.fill("private_dns_hostname_type_on_launch", "ip-name");
    Ok(())
}

/// Checks the block: inside the VPC's, and free.
fn place(subnet: &mut Draft, vpc: &str, view: &CloudView<'_>) -> Verdict {
    let written = subnet.text("cidr_block").to_owned();
    let invalid = || {
        refuse(
            "InvalidSubnet.Range",
            format!("The CIDR '{written}' is invalid."),
        )
    };
    let Ok(block) = written.parse::<Ipv4Net>() else {
        return refuse(
            "InvalidParameterValue",
            format!(
                "Value ({written}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
            ),
        );
    };
    let around = view
        .find("aws_vpc", vpc)
        .map(|vpc| text(vpc, "cidr_block").parse::<Ipv4Net>());
    let more = view.with("aws_vpc_ipv4_cidr_block_association", "vpc_id", vpc);
    let more = more.filter_map(|(_, more)| text(more, "cidr_block").parse().ok());
    let mut blocks = around.into_iter().flatten().chain(more);
    if !(16..=28).contains(&block.prefix_len()) || !blocks.any(|around| around.contains(&block)) {
        return invalid();
    }
    let taken = view.with("aws_subnet", "vpc_id", vpc);
    let mut taken =
        taken.filter_map(|(_, other)| text(other, "cidr_block").parse::<Ipv4Net>().ok());
    if taken.any(|other| other.contains(&block) || block.contains(&other)) {
        return refuse(
            "InvalidSubnet.Conflict",
            format!("The CIDR '{written}' conflicts with another subnet"),
        );
    }
    subnet.put("cidr_block", block.trunc().to_string());
    Ok(())
}

/// The zone that was asked for by name or id, else the first.
fn zone(subnet: &Draft, view: &CloudView<'_>) -> Result<(String, String), crate::rules::Refusal> {
    let (name, id) = (
        subnet.text("availability_zone"),
        subnet.text("availability_zone_id"),
    );
    let found = zones(view.region).find(|zone| match (name, id) {
        ("", "") => true,
        ("", id) => zone.1 == id,
        (name, _) => zone.0 == name,
    });
    found.ok_or_else(|| {
        let asked = if name.is_empty() { id } else { name };
        let all: Vec<_> = zones(view.region).map(|zone| zone.0).collect();
        crate::rules::Refusal {
            code: "InvalidParameterValue",
            message: format!(
                "Value ({asked}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {}.",
                all.join(", ")
            ),
            passing: false,
        }
    })
}

fn delete(subnet: &Map, view: &CloudView<'_>) -> Verdict {
    let id = text(subnet, "id");
    let in_block = |object: &Map, block: &str| {
        let block = object
            .get(block)
            .and_then(|blocks| blocks.elements()?.first()?.members());
        block.is_some_and(|block| holds(block, "subnet_ids", id))
    };
    let used = view.has("aws_nat_gateway", "subnet_id", id)
        || view.has("aws_instance", "subnet_id", id)
        || view.has("aws_network_interface", "subnet_id", id)
        || view
            .all("aws_eks_cluster")
            .any(|(_, cluster)| in_block(cluster, "vpc_config"))
        || view
            .all("aws_eks_node_group")
            .any(|(_, group)| holds(group, "subnet_ids", id));
    if used {
        return not_yet(
            "DependencyViolation",
            format!("The subnet '{id}' has dependencies and cannot be deleted."),
        );
    }
    Ok(())
}

/// Whether there is that subnet.
pub(crate) fn must_exist(id: &str, view: &CloudView<'_>) -> Verdict {
    match view.find("aws_subnet", id) {
        Some(_) => Ok(()),
        None => refuse(
            "InvalidSubnetID.NotFound",
            format!("The subnet ID '{id}' does not exist"),
        ),
    }
}
