//! RDS: database instances, and the subnets that they are in.

use terrane_core::Value;
use terrane_core::value::Map;

use super::view::principal;
use super::{CloudView, Rule, Verdict, refuse, text};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_db_instance", "RDS DB Instance")
        .creates(create_instance)
        .deletes(delete_instance)
        .takes(300.0, 60.0, 240.0),
    Rule::new("aws_db_subnet_group", "RDS DB Subnet Group")
        .creates(create_subnet_group)
        .deletes(delete_subnet_group),
];

fn create_instance(instance: &mut Draft, view: &CloudView<'_>) -> Verdict {
    instance.fill("identifier", view.unique_name("terraform-"));
    let name = instance.text("identifier").to_owned();
    if view.has("aws_db_instance", "identifier", &name) {
        return refuse("DBInstanceAlreadyExists", "DB instance already exists");
    }
    let group = instance.text("db_subnet_group_name").to_owned();
    if !group.is_empty() && view.find("aws_db_subnet_group", &group).is_none() {
        return refuse(
            "DBSubnetGroupNotFoundFault",
            format!("DB subnet group '{group}' not found."),
        );
    }
    for group in instance.texts("vpc_security_group_ids") {
        if view.find("aws_security_group", group).is_none() {
            return refuse(
                "InvalidParameterValue",
                format!("The security group '{group}' does not exist"),
            );
        }
    }
    let port = match instance.text("engine") {
        "postgres" | "aurora-postgresql" => 5432_i64,
        "mysql" | "mariadb" => 3306,
        _ => 1433,
    };
    instance.fill("port", port);
    let port = match instance.get("port") {
        Value::Number(port) => port.as_i64().unwrap_or_default(),
        _ => port,
    };
    let address = format!(
        "{name}.c{}.{}.rds.amazonaws.com",
        "9akciq32rz1t", view.region
    );
    instance.put("endpoint", format!("{address}:{port}"));
    instance.put("address", address);
    instance.put("arn", view.arn("rds", &format!("db:{name}")));
    let id = principal("db-");
    instance.put("resource_id", id.as_str());
    instance.put("id", id);
    instance.put("status", "available");
    let version = instance.text("engine_version").to_owned();
    instance.put(
        "engine_version_actual",
        match version.contains('.') {
            true => version,
            false => format!("{version}.3"),
        },
    );
    instance.fill("storage_type", "gp2");
    instance.fill("ca_cert_identifier", "rds-ca-rsa2048-g1");
    instance.fill("license_model", "postgresql-license");
    instance.fill("availability_zone", format!("{}a", view.region));
    instance.fill("backup_window", "05:00-05:30");
    instance.fill("maintenance_window", "sun:06:00-sun:06:30");
    Ok(())
}

fn delete_instance(instance: &Map, _: &CloudView<'_>) -> Verdict {
    let is = |name: &str| instance.get(name).and_then(Value::as_bool) == Some(true);
    if is("deletion_protection") {
        return refuse(
            "InvalidParameterCombination",
            "Cannot delete protected DB Instance, please disable deletion protection and try again.",
        );
    }
    if !is("skip_final_snapshot") && text(instance, "final_snapshot_identifier").is_empty() {
        return refuse(
            "",
            "final_snapshot_identifier is required when skip_final_snapshot is false",
        );
    }
    Ok(())
}

fn create_subnet_group(group: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = view.named(group, "name");
    if view.find("aws_db_subnet_group", &name).is_some() {
        return refuse(
            "DBSubnetGroupAlreadyExists",
            format!("The DB subnet group '{name}' already exists."),
        );
    }
    let mut zones: Vec<&str> = Vec::new();
    let mut network = String::new();
    for id in group.texts("subnet_ids") {
        let Some(subnet) = view.find("aws_subnet", id) else {
            return refuse("InvalidSubnet", format!("Subnet {id} does not exist"));
        };
        zones.push(text(subnet, "availability_zone"));
        text(subnet, "vpc_id").clone_into(&mut network);
    }
    zones.sort_unstable();
    zones.dedup();
    if zones.len() < 2 {
        return refuse(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Add subnets to cover at least 2 AZs.",
        );
    }
    group.put("vpc_id", network);
    group.put("supported_network_types", super::view::text_set(["IPV4"]));
    group.put("arn", view.arn("rds", &format!("subgrp:{name}")));
    group.put("id", name);
    Ok(())
}

fn delete_subnet_group(group: &Map, view: &CloudView<'_>) -> Verdict {
    let name = text(group, "name");
    match view.has("aws_db_instance", "db_subnet_group_name", name) {
        true => refuse(
            "InvalidDBSubnetGroupStateFault",
            format!(
                "Cannot delete the subnet group '{name}' because at least one database instance is still using it."
            ),
        ),
        false => Ok(()),
    }
}
