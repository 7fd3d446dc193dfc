//! The platform's security checklist, as policies that every plan of it is checked by.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::Config;
use crate::application::containers_are_confined;
use crate::monitoring::alarms_tell_someone;
use terrane::{Fact, InstanceAddr, Policy, ReviewedPlan, Value};
use terrane_aws::{backup, config, ec2, eks, iam, rds as databases, s3 as s3_types};
use terrane_policies::eks::calendar::newest;
use terrane_policies::{ec2 as network, ecr, eks as cluster, iam as permissions, rds, s3, stores};

/// The checklist. All of it is mandatory but the notice of an old Kubernetes. What the configuration switches on is on it, too.
#[track_caller]
pub fn checklist(config: &Config) -> Vec<Policy> {
    let mut all = vec![
        nodes_are_private(),
        private_subnets_go_out_by_nat(),
        clusters_have_security_groups(),
        network::no_open_ingress(&[]),
        s3::buckets_block_public_access(),
        s3::no_public_acls(),
        match config.kms {
            true => s3::buckets_are_encrypted(),
            false => s3::buckets_are_encrypted_with_aes256(),
        },
        ecr::images_are_scanned(),
        pods_have_roles(),
        cluster::control_plane_logs(),
        supported_kubernetes(),
        upgrades_go_by_one_minor(),
        stores::logs_expire(),
    ];
    // Whoever lets buckets be deleted with everything in them may lose it with its key as well.
    if !config.force_destroy {
        all.push(stores::keys_outlive_their_data().hint(
            "leave `kms` on; `force_destroy` allows it, and loses what is in buckets, databases and backups",
        ));
    }
    if config.flow_logs {
        all.push(network::networks_have_flow_logs());
    }
    if config.kms {
        all.extend([cluster::secrets_are_encrypted(), stores::keys_rotate()]);
    }
    if !config.github_repository.is_empty() {
        all.push(permissions::github_trust_is_limited());
    }
    if config.deploy_application == Some(true) || config.mlflow == Some(true) {
        all.push(containers_are_confined());
    }
    if config.secrets_manager || config.mlflow == Some(true) {
        all.push(stores::secrets_are_write_only());
    }
    if config.monitoring {
        all.push(alarms_tell_someone());
    }
    if config.mlflow == Some(true) {
        all.extend([
            rds::databases_are_encrypted(),
            rds::databases_are_private(),
            rds::databases_are_backed_up(),
        ]);
    }
    if config.backups {
        all.push(data_is_backed_up());
    }
    all
}

/// A notice of a version that costs a surcharge, or of which EKS makes no cluster any more.
#[track_caller]
fn supported_kubernetes() -> Policy {
    let newest = newest().minor;
    cluster::supported_kubernetes().advisory().hint(format!(
        "pass `--var eks_cluster_version=1.{newest}`, or set it in the stack's file; a cluster that exists goes up one minor version at a time"
    ))
}

/// Refuses to skip a version.
#[track_caller]
fn upgrades_go_by_one_minor() -> Policy {
    cluster::upgrades_go_by_one_minor().hint(
        "set `eks_cluster_version` to the version that comes first, run `up`, and go on from there",
    )
}

/// The subnets that each node group names.
fn node_subnets(plan: &ReviewedPlan<'_>) -> HashSet<Arc<InstanceAddr>> {
    let groups = plan.of::<eks::NodeGroup>();
    groups
        .flat_map(|group| group.references("subnet_ids"))
        .collect()
}

/// The route tables of each subnet, as associations join them.
fn tables_of_subnets(
    plan: &ReviewedPlan<'_>,
) -> HashMap<Arc<InstanceAddr>, Vec<Arc<InstanceAddr>>> {
    let mut tables: HashMap<_, Vec<_>> = HashMap::new();
    for association in plan.declared::<ec2::RouteTableAssociation>() {
        for subnet in association.references("subnet_id") {
            let table = association.references("route_table_id");
            tables.entry(subnet).or_default().extend(table);
        }
    }
    tables
}

/// Where each route table sends what is for the internet: whether by an internet gateway, and whether by a NAT gateway.
fn ways_out(plan: &ReviewedPlan<'_>) -> HashMap<Arc<InstanceAddr>, (bool, bool)> {
    let is_type = |address: &InstanceAddr, name: &str| *address.resource.type_name == *name;
    let tables = plan.declared::<ec2::RouteTable>().map(|table| {
        let routes = table.references("route");
        let by = |name: &str| routes.iter().any(|one| is_type(one, name));
        let ways = (by("aws_internet_gateway"), by("aws_nat_gateway"));
        (table.address().clone(), ways)
    });
    tables.collect()
}

/// Nodes are in subnets without public addresses and without a way in from the internet.
#[track_caller]
fn nodes_are_private() -> Policy {
    Policy::new("nodes are private", |plan| {
        let (nodes, tables, ways) = (node_subnets(plan), tables_of_subnets(plan), ways_out(plan));
        for subnet in plan.of::<ec2::Subnet>() {
            if !nodes.contains(subnet.address()) {
                continue;
            }
            let public = subnet.map_public_ip_on_launch();
            subnet.require(&public, "nodes in it get public addresses", |on| {
                on != Some(true)
            });
            let tables = tables.get(subnet.address()).into_iter().flatten();
            if tables
                .filter_map(|table| ways.get(table))
                .any(|(internet, _)| *internet)
            {
                subnet.violates("it has nodes and a route to an internet gateway");
            }
        }
    })
    .hint("give node groups the private subnets of the network")
}

/// What is in private subnets reaches the internet through a NAT gateway.
#[track_caller]
fn private_subnets_go_out_by_nat() -> Policy {
    Policy::new("private subnets go out by NAT", |plan| {
        let (nodes, tables, ways) = (node_subnets(plan), tables_of_subnets(plan), ways_out(plan));
        for subnet in plan.of::<ec2::Subnet>() {
            let mut tables = tables.get(subnet.address()).into_iter().flatten();
            let by_nat = tables.any(|table| ways.get(table).is_some_and(|(_, nat)| *nat));
            if nodes.contains(subnet.address()) && !by_nat {
                subnet.violates("it has nodes and no route to a NAT gateway");
            }
        }
    })
    .hint("associate it with a route table whose default route is a NAT gateway")
}

/// The control plane has a security group of its own.
#[track_caller]
fn clusters_have_security_groups() -> Policy {
    Policy::new("clusters have security groups", |plan| {
        for cluster in plan.of::<eks::Cluster>() {
            let groups = cluster.vpc_config().index(0).security_group_ids();
            // Their ids are known later; that there are some is known now.
            let named = cluster.references("vpc_config");
            let by_reference =
                |one: &Arc<InstanceAddr>| *one.resource.type_name == *"aws_security_group";
            let known = matches!(cluster.get(&groups), Fact::Known(groups) if !groups.is_empty());
            if !known && !named.iter().any(by_reference) {
                cluster.violates_in(&groups, "only the group that EKS makes protects it");
            }
        }
    })
    .hint("set `security_group_ids` in `vpc_config`")
}

const NOT_SELECTED: &str = "no selection of a backup plan names it";

/// Each bucket and each database is in the selection of a backup, but for the bucket that AWS Config writes.
#[track_caller]
fn data_is_backed_up() -> Policy {
    Policy::new("buckets and databases are in a backup", |plan| {
        let selections = plan.declared::<backup::Selection>();
        let chosen: HashSet<_> = selections
            .flat_map(|selection| selection.references("resources"))
            .collect();
        let channels = plan.declared::<config::DeliveryChannel>();
        let written: HashSet<_> = channels
            .flat_map(|channel| channel.references("s3_bucket_name"))
            .collect();
        for bucket in plan.of::<s3_types::Bucket>() {
            if !chosen.contains(bucket.address()) && !written.contains(bucket.address()) {
                bucket.violates(NOT_SELECTED);
            }
        }
        for database in plan.of::<databases::DbInstance>() {
            if !chosen.contains(database.address()) {
                database.violates(NOT_SELECTED);
            }
        }
    })
    .hint("add its ARN to the `resources` of a `backup::Selection`")
}

/// Pods get AWS permissions by their service account (IRSA): the issuer of each cluster is known to IAM, a role trusts it, and there are
/// no access keys.
#[track_caller]
fn pods_have_roles() -> Policy {
    Policy::new("pods have roles", |plan| {
        let mut trusted: HashSet<Arc<InstanceAddr>> = HashSet::new();
        for role in plan.declared::<iam::Role>() {
            trusted.extend(role.references("assume_role_policy"));
        }
        let mut issuers: HashSet<Arc<InstanceAddr>> = HashSet::new();
        for provider in plan.declared::<iam::OpenIdConnectProvider>() {
            if trusted.contains(provider.address()) {
                issuers.extend(provider.references("url"));
            }
        }
        for cluster in plan.of::<eks::Cluster>() {
            if !issuers.contains(cluster.address()) {
                cluster.violates("no role trusts its service accounts");
            }
        }
        for key in plan.of_type("aws_iam_access_key") {
            let user = key.attribute::<Value>("user");
            key.violates_in(&user, "pods could get a role instead of a key");
        }
    })
    .hint("declare an `OpenIdConnectProvider` with the cluster's issuer, and a role that it may assume")
}
