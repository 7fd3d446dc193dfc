//! Elastic IP addresses.

use std::net::Ipv4Addr;

use terrane_core::value::Map;

use crate::draft::Draft;
use crate::rules::view::checksum;
use crate::rules::{CloudView, Rule, Verdict, refuse, text};

pub(super) const RULES: &[Rule] = &[Rule::new("aws_eip", "EC2 EIP")
    .creates(create)
    .deletes(delete)
    .reads(read)
    .takes(1.0, 1.0, 1.0)];

/// The first address that is given out. The block is set aside for benchmarks (RFC 2544): it has no owner and is never routed.
const FIRST: u32 = u32::from_be_bytes([198, 18, 0, 1]);
/// How many there are.
const COUNT: u32 = (1 << 17) - 2;

fn create(address: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let id = view.id("eipalloc");
    let start = checksum(&id) % COUNT;
    let free = (0..COUNT)
        .map(|step| Ipv4Addr::from(FIRST + (start + step) % COUNT).to_string())
        .find(|ip| !view.has("aws_eip", "public_ip", ip));
    let Some(ip) = free else {
        return refuse(
            "AddressLimitExceeded",
            "The maximum number of addresses has been reached.",
        );
    };
    address.put("public_dns", host_name(&ip, view.region));
    address.put("public_ip", ip);
    address.put("allocation_id", id.as_str());
    address.put("id", id);
    address.fill("domain", "vpc");
    address.put("vpc", address.text("domain") == "vpc");
    address.fill("network_border_group", view.region);
    address.fill("public_ipv4_pool", "amazon");
    Ok(())
}

fn host_name(ip: &str, region: &str) -> String {
    let domain = match region {
        "us-east-1" => "compute-1".to_owned(),
        region => format!("{region}.compute"),
    };
    format!("ec2-{}.{domain}.amazonaws.com", ip.replace('.', "-"))
}

fn delete(address: &Map, view: &CloudView<'_>) -> Verdict {
    let id = text(address, "id");
    if view.has("aws_nat_gateway", "allocation_id", id)
        || view.has("aws_eip_association", "allocation_id", id)
    {
        return refuse(
            "InvalidIPAddress.InUse",
            format!("Address {} is in use.", text(address, "public_ip")),
        );
    }
    Ok(())
}

/// Who holds the address knows of it first.
fn read(address: &mut Draft, view: &CloudView<'_>) {
    let id = address.text("id").to_owned();
    let Some((_, nat)) = view.with("aws_nat_gateway", "allocation_id", &id).next() else {
        return;
    };
    let private_ip = text(nat, "private_ip");
    let domain = match view.region {
        "us-east-1" => "ec2.internal".to_owned(),
        region => format!("{region}.compute.internal"),
    };
    address.put(
        "private_dns",
        format!("ip-{}.{domain}", private_ip.replace('.', "-")),
    );
    address.put("private_ip", private_ip);
    address.put("association_id", text(nat, "association_id"));
    address.put("network_interface", text(nat, "network_interface_id"));
}
