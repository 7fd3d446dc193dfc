//! Internet and NAT gateways.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use terrane_core::value::Map;

use super::{subnet, vpc};
use crate::draft::Draft;
use crate::rules::view::checksum;
use crate::rules::{CloudView, Rule, Verdict, not_yet, refuse, text};

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_internet_gateway", "EC2 Internet Gateway")
        .creates(create_internet_gateway)
        .updates(|gateway, before, view| {
            if gateway.text("vpc_id") == text(before, "vpc_id") {
                return Ok(());
            }
            attach(gateway.text("vpc_id"), view)
        })
        .deletes(delete_internet_gateway)
        .takes(1.0, 1.0, 1.0),
    Rule::new("aws_nat_gateway", "EC2 NAT Gateway")
        .creates(create_nat_gateway)
        .takes(95.0, 2.0, 45.0),
];

fn create_internet_gateway(gateway: &mut Draft, view: &CloudView<'_>) -> Verdict {
    attach(gateway.text("vpc_id"), view)?;
    let id = view.id("igw");
    gateway.fill("vpc_id", "");
    gateway.put("arn", view.arn("ec2", &format!("internet-gateway/{id}")));
    gateway.put("id", id);
    Ok(())
}

fn attach(vpc_id: &str, view: &CloudView<'_>) -> Verdict {
    if vpc_id.is_empty() {
        return Ok(());
    }
    vpc::must_exist(vpc_id, view)?;
    if view.has("aws_internet_gateway", "vpc_id", vpc_id) {
        return refuse(
            "InvalidParameterValue",
            format!("Network {vpc_id} already has an internet gateway attached"),
        );
    }
    Ok(())
}

fn delete_internet_gateway(gateway: &Map, view: &CloudView<'_>) -> Verdict {
    let vpc_id = text(gateway, "vpc_id");
    let mut public = view.with("aws_nat_gateway", "connectivity_type", "public");
    let mapped = public.any(|(_, nat)| {
        let subnet = view.find("aws_subnet", text(nat, "subnet_id"));
        subnet.is_some_and(|subnet| text(subnet, "vpc_id") == vpc_id)
    });
    if mapped && !vpc_id.is_empty() {
        return not_yet(
            "DependencyViolation",
            format!(
                "Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
            ),
        );
    }
    Ok(())
}

fn create_nat_gateway(nat: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let subnet_id = nat.text("subnet_id").to_owned();
    subnet::must_exist(&subnet_id, view)?;
    let mut address = None;
    if nat.text("connectivity_type") == "public" {
        let allocation = nat.text("allocation_id");
        address = view.find("aws_eip", allocation);
        if address.is_none() {
            return refuse(
                "InvalidAllocationID.NotFound",
                format!("The allocation ID '{allocation}' does not exist"),
            );
        }
        if view.has("aws_nat_gateway", "allocation_id", allocation) {
            return refuse(
                "Resource.AlreadyAssociated",
                format!("Elastic IP address [{allocation}] is already associated"),
            );
        }
        nat.fill("association_id", view.id("eipassoc"));
    }
    let id = view.id("nat");
    // AWS keeps the first four addresses of a subnet for itself.
    let block = view.find("aws_subnet", &subnet_id);
    let block = block.and_then(|subnet| text(subnet, "cidr_block").parse::<Ipv4Net>().ok());
    let number = 4 + checksum(&id) % 10;
    nat.fill(
        "private_ip",
        block.map_or_else(String::new, |block| {
            Ipv4Addr::from(u32::from(block.network()) + number).to_string()
        }),
    );
    nat.fill(
        "public_ip",
        address.map_or("", |address| text(address, "public_ip")),
    );
    nat.fill("network_interface_id", view.id("eni"));
    nat.put("id", id);
    Ok(())
}
