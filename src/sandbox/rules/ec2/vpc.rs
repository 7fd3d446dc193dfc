//! VPCs.

use ipnet::Ipv4Net;
use terrane_core::value::Map;

use crate::draft::Draft;
use crate::rules::{CloudView, Rule, Verdict, not_yet, refuse, text};

pub(super) const RULES: &[Rule] = &[Rule::new("aws_vpc", "EC2 VPC")
    .creates(create)
    .deletes(delete)
    .takes(3.0, 1.0, 1.0)];

fn create(vpc: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let block = vpc.text("cidr_block").to_owned();
    match block.parse::<Ipv4Net>() {
        Ok(cidr) if (16..=28).contains(&cidr.prefix_len()) => {
            vpc.put("cidr_block", cidr.trunc().to_string());
        }
        _ => {
            return refuse(
                "InvalidVpc.Range",
                format!("The CIDR '{block}' is invalid."),
            );
        }
    }
    let id = view.id("vpc");
    let route_table = view.id("rtb");
    vpc.put("arn", view.arn("ec2", &format!("vpc/{id}")));
    vpc.put("id", id);
    vpc.fill("default_network_acl_id", view.id("acl"));
    vpc.fill("default_route_table_id", route_table.as_str());
    vpc.fill("main_route_table_id", route_table);
    vpc.fill("default_security_group_id", view.id("sg"));
    // One set of options serves all VPCs of a region.
    vpc.fill("dhcp_options_id", "dopt-0f1a2b3c4d5e6f789");
    vpc.fill("enable_dns_hostnames", false);
    vpc.fill("enable_network_address_usage_metrics", false);
    Ok(())
}

fn delete(vpc: &Map, view: &CloudView<'_>) -> Verdict {
    const INSIDE: [&str; 5] = [
        "aws_subnet",
        "aws_internet_gateway",
        "aws_security_group",
        "aws_route_table",
        "aws_vpc_endpoint",
    ];
    let id = text(vpc, "id");
    if INSIDE.iter().any(|inside| view.has(inside, "vpc_id", id)) {
        return not_yet(
            "DependencyViolation",
            format!("The vpc '{id}' has dependencies and cannot be deleted."),
        );
    }
    Ok(())
}

/// Whether there is that VPC.
pub(super) fn must_exist(id: &str, view: &CloudView<'_>) -> Verdict {
    match view.find("aws_vpc", id) {
        Some(_) => Ok(()),
        None => refuse(
            "InvalidVpcID.NotFound",
            format!("The vpc ID '{id}' does not exist"),
        ),
    }
}
