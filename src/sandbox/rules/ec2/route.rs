//! Route tables, their routes, and which subnets use them.

use terrane_core::Value;
use terrane_core::value::Map;

use super::{subnet, vpc};
use crate::draft::Draft;
use crate::rules::view::checksum;
use crate::rules::{CloudView, Rule, Verdict, not_yet, refuse, text};

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_route_table", "Route Table")
        .creates(create_table)
        .updates(|table, _, view| targets_must_exist(table, view))
        .deletes(delete_table)
        .reads(read_table)
        .takes(2.0, 1.0, 1.0),
    Rule::new("aws_route", "Route")
        .creates(create_route)
        .updates(|route, _, view| target_must_exist(route.members(), view))
        .imports(imports_route)
        .takes(1.0, 1.0, 1.0),
    Rule::new("aws_route_table_association", "Route Table Association")
        .creates(create_association)
        .updates(|association, _, view| table_must_exist(association.text("route_table_id"), view))
        .imports(imports_association)
        .takes(1.0, 1.0, 1.0),
];

/// Attributes that say where a route leads, the type behind each, and what EC2 says when it is not there.
const TARGETS: [(&str, &str, &str, &str); 4] = [
    (
        "nat_gateway_id",
        "aws_nat_gateway",
        "NatGatewayNotFound",
        "NAT Gateway",
    ),
    (
        "gateway_id",
        "aws_internet_gateway",
        "InvalidInternetGatewayID.NotFound",
        "internetGateway ID",
    ),
    (
        "network_interface_id",
        "aws_network_interface",
        "InvalidNetworkInterfaceID.NotFound",
        "networkInterface ID",
    ),
    (
        "vpc_peering_connection_id",
        "aws_vpc_peering_connection",
        "InvalidVpcPeeringConnectionID.NotFound",
        "vpcPeeringConnection ID",
    ),
];

/// `rtb-1_10.0.0.0/16`
fn imports_route(id: &str, route: &Map) -> bool {
    let destinations = [
        "destination_cidr_block",
        "destination_ipv6_cidr_block",
        "destination_prefix_list_id",
    ];
    id.split_once('_').is_some_and(|(table, to)| {
        text(route, "route_table_id") == table
            && destinations.iter().any(|name| text(route, name) == to)
    })
}

/// `subnet-1/rtb-1`
fn imports_association(id: &str, association: &Map) -> bool {
    id.split_once('/').is_some_and(|(end, table)| {
        text(association, "route_table_id") == table
            && ["subnet_id", "gateway_id"]
                .iter()
                .any(|name| text(association, name) == end)
    })
}

fn create_table(table: &mut Draft, view: &CloudView<'_>) -> Verdict {
    vpc::must_exist(table.text("vpc_id"), view)?;
    targets_must_exist(table, view)?;
    let id = view.id("rtb");
    table.put("arn", view.arn("ec2", &format!("route-table/{id}")));
    table.put("id", id);
    Ok(())
}

fn targets_must_exist(table: &Draft, view: &CloudView<'_>) -> Verdict {
    let routes = table.get("route").elements().unwrap_or(&[]);
    let mut routes = routes.iter().filter_map(Value::members);
    routes.try_for_each(|route| target_must_exist(route, view))
}

fn target_must_exist(route: &Map, view: &CloudView<'_>) -> Verdict {
    for (attribute, type_name, code, what) in TARGETS {
        let id = text(route, attribute);
        // Virtual private gateways and VPC endpoints are gateways too.
        let other = attribute == "gateway_id" && !id.starts_with("igw-");
        if !id.is_empty() && !other && view.find(type_name, id).is_none() {
            return refuse(code, format!("The {what} '{id}' does not exist"));
        }
    }
    Ok(())
}

fn table_must_exist(id: &str, view: &CloudView<'_>) -> Verdict {
    let main = view.has("aws_vpc", "main_route_table_id", id);
    if main || view.find("aws_route_table", id).is_some() {
        return Ok(());
    }
    refuse(
        "InvalidRouteTableID.NotFound",
        format!("The routeTable ID '{id}' does not exist"),
    )
}

fn delete_table(table: &Map, view: &CloudView<'_>) -> Verdict {
    let id = text(table, "id");
    if view.has("aws_route_table_association", "route_table_id", id) {
        return not_yet(
            "DependencyViolation",
            format!("The routeTable '{id}' has dependencies and cannot be deleted."),
        );
    }
    Ok(())
}

/// Routes that were made by themselves are in the table, too.
fn read_table(table: &mut Draft, view: &CloudView<'_>) {
    let Value::Set(routes) = table.get("route") else {
        return;
    };
    let mut routes = (**routes).clone();
    let before = routes.len();
    for (_, route) in view.with("aws_route", "route_table_id", table.text("id")) {
        let member = |name: &str| match name {
            "cidr_block" => text(route, "destination_cidr_block"),
            "ipv6_cidr_block" => text(route, "destination_ipv6_cidr_block"),
            name => text(route, name),
        };
        let value = Value::map(ROUTE.map(|name| (name, Value::from(member(name)))));
        if !routes.contains(&value) {
            routes.push(value);
        }
    }
    if routes.len() > before {
        let ty = terrane_core::Type::object(ROUTE.map(|name| (name, terrane_core::Type::String)));
        table.put("route", Value::set(routes, &ty));
    }
}

/// The members of a route in a table.
const ROUTE: [&str; 13] = [
    "carrier_gateway_id",
    "cidr_block",
    "core_network_arn",
    "destination_prefix_list_id",
    "egress_only_gateway_id",
    "gateway_id",
    "ipv6_cidr_block",
    "local_gateway_id",
    "nat_gateway_id",
    "network_interface_id",
    "transit_gateway_id",
    "vpc_endpoint_id",
    "vpc_peering_connection_id",
];

fn destination(route: &Draft) -> String {
    [
        "destination_cidr_block",
        "destination_ipv6_cidr_block",
        "destination_prefix_list_id",
    ]
    .into_iter()
    .map(|name| route.text(name))
    .find(|text| !text.is_empty())
    .unwrap_or_default()
    .to_owned()
}

fn create_route(route: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let table = route.text("route_table_id").to_owned();
    table_must_exist(&table, view)?;
    target_must_exist(route.members(), view)?;
    let destination = destination(route);
    let id = format!("r-{table}{}", checksum(&destination));
    let in_table = view.find("aws_route_table", &table).is_some_and(|table| {
        let routes = table.get("route").and_then(Value::elements).unwrap_or(&[]);
        let mut routes = routes.iter().filter_map(Value::members);
        routes.any(|route| text(route, "cidr_block") == destination)
    });
    if in_table || view.find("aws_route", &id).is_some() {
        return refuse(
            "RouteAlreadyExists",
            format!("The route identified by {destination} already exists."),
        );
    }
    route.put("id", id);
    route.put("origin", "CreateRoute");
    route.put("state", "active");
    Ok(())
}

fn create_association(association: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let table = association.text("route_table_id");
    table_must_exist(table, view)?;
    let subnet_id = association.text("subnet_id");
    if !subnet_id.is_empty() {
        subnet::must_exist(subnet_id, view)?;
        if view.has("aws_route_table_association", "subnet_id", subnet_id) {
            return refuse(
                "Resource.AlreadyAssociated",
                format!(
                    "the specified association for route table {table} conflicts with an existing association"
                ),
            );
        }
    }
    association.put("id", view.id("rtbassoc"));
    Ok(())
}
