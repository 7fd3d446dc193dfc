//! VPCs and what is in them.

use terrane_core::{Type, Value};

use super::{Draft, ids};

/// Completes a network object; `false` for a type that is none.
pub(super) fn complete(type_name: &str, draft: &mut Draft<'_>) -> bool {
    match type_name {
        "aws_vpc" => vpc(draft),
        "aws_subnet" => subnet(draft),
        "aws_internet_gateway" => draft.identify("igw", "internet-gateway"),
        "aws_eip" => address(draft),
        "aws_nat_gateway" => nat_gateway(draft),
        "aws_route_table" => draft.identify("rtb", "route-table"),
        "aws_route_table_association" => draft.put("id", ids::hex_id("rtbassoc")),
        "aws_route" => {
            let id = format!(
                "r-{}{}",
                draft.text("route_table_id"),
                ids::from_alphabet("0123456789", 10)
            );
            draft.put("id", id);
            draft.put("origin", "CreateRoute");
            draft.put("state", "active");
        }
        "aws_security_group" => {
            draft.identify("sg", "security-group");
            let name = format!("terraform-{}", ids::from_alphabet("0123456789", 26));
            draft.put("name", name);
        }
        "aws_security_group_rule" => {
            draft.put(
                "id",
                format!("sgrule-{}", ids::from_alphabet("123456789", 10)),
            );
            draft.put("security_group_rule_id", ids::hex_id("sgr"));
        }
        _ => return false,
    }
    true
}

fn vpc(draft: &mut Draft<'_>) {
    draft.identify("vpc", "vpc");
    let main = ids::hex_id("rtb");
    draft.put("default_route_table_id", main.clone());
    draft.put("main_route_table_id", main);
    draft.put("default_network_acl_id", ids::hex_id("acl"));
    draft.put("default_security_group_id", ids::hex_id("sg"));
    draft.put("dhcp_options_id", ids::hex_id("dopt"));
    draft.put("instance_tenancy", "default");
}

fn subnet(draft: &mut Draft<'_>) {
    draft.identify("subnet", "subnet");
    let region = &draft.account.region;
    let first = format!("{region}a");
    draft.put("availability_zone", first);
    let zone = draft.text("availability_zone");
    let number = ids::ZONES
        .iter()
        .find(|(letter, _)| zone.ends_with(*letter));
    let number = number.map_or(1, |(_, number)| *number);
    let short = ids::short_region(&draft.account.region);
    draft.put("availability_zone_id", format!("{short}-az{number}"));
    draft.put("private_dns_hostname_type_on_launch", "ip-name");
}

fn address(draft: &mut Draft<'_>) {
    draft.put("id", ids::hex_id("eipalloc"));
    draft.put("allocation_id", draft.id());
    draft.put("domain", "vpc");
    draft.put("vpc", Value::from(true));
    // 198.18.0.0/15 is set aside for tests: nobody is there.
    let octet = || ids::from_alphabet("123456789", 2);
    let ip = format!("198.18.{}.{}", octet(), octet());
    draft.put(
        "public_dns",
        format!("ec2-{}.compute-1.amazonaws.com", ip.replace('.', "-")),
    );
    draft.put("public_ip", ip);
    let region = draft.account.region.clone();
    draft.put("network_border_group", region);
    draft.put("public_ipv4_pool", "amazon");
}

fn nat_gateway(draft: &mut Draft<'_>) {
    draft.put("id", ids::hex_id("nat"));
    draft.put("network_interface_id", ids::hex_id("eni"));
    draft.put("association_id", ids::hex_id("eipassoc"));
    let address = draft.cloud.get("aws_eip", &draft.text("allocation_id"));
    let public = address
        .and_then(|address| address.get("public_ip"))
        .cloned();
    draft.put("public_ip", public.unwrap_or_else(|| "".into()));
    let subnet = draft.cloud.get("aws_subnet", &draft.text("subnet_id"));
    let block = subnet.and_then(|subnet| subnet.get("cidr_block")?.as_str()?.parse().ok());
    let private = block.and_then(|block: ipnet::Ipv4Net| block.hosts().nth(9));
    draft.put(
        "private_ip",
        private.map(|ip| ip.to_string()).unwrap_or_default(),
    );
    draft.put(
        "secondary_private_ip_addresses",
        Value::set(Vec::new(), &Type::String),
    );
}
