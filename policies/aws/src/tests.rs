//! Each policy on a plan that breaks it and on one that keeps it.

use serde_json::{Value as Json, json};
use terrane_core::policy::{PlannedStack, PolicyOutcome, PolicyReport};
use terrane_core::{Lifecycle, NoConfig, Policy, Program, Resource, Stack};

use crate::*;

/// Declares a resource with these arguments; `{"$ref": "TYPE.NAME"}` stands for the id of another.
fn declare(stack: &mut Stack, type_name: &str, name: &str, arguments: &Json) -> Resource {
    let mut resource = Resource::dynamic(type_name, name);
    for (argument, value) in arguments.as_object().expect("an object") {
        if let Some(address) = value["$ref"].as_str() {
            let other = stack.resource(address).expect("an address");
            resource = resource.set(argument, other.attribute::<String>("id"));
        } else if argument == "$protected" {
            resource = resource.lifecycle(Lifecycle::new().prevent_destroy());
        } else {
            resource = resource.set(argument, value.clone());
        }
    }
    resource.declare(stack)
}

fn report(policy: &Policy, resources: &Json) -> PolicyReport {
    let program = Program::from_fn(
        |stack| {
            for (name, arguments) in resources.as_object().expect("an object") {
                let (type_name, name) = name.split_once('.').expect("TYPE.NAME");
                declare(stack, type_name, name, arguments);
            }
            Ok(())
        },
        NoConfig,
    );
    let program = program.expect("a program");
    PlannedStack::creating(&program).review_by(policy)
}

/// A document that allows that.
fn document(statement: Json) -> Json {
    let mut statement = statement;
    statement["Effect"] = "Allow".into();
    json!({"Version": "2012-10-17", "Statement": [statement]})
        .to_string()
        .into()
}

/// A policy, a plan that breaks it, and one that keeps it.
type Case = (Policy, Json, Json);

fn buckets() -> Vec<Case> {
    let block = |on: bool| {
        json!({
            "aws_s3_bucket.b": {"bucket": "b"},
            "aws_s3_bucket_public_access_block.b": {
                "bucket": {"$ref": "aws_s3_bucket.b"},
                "block_public_acls": true, "block_public_policy": true,
                "ignore_public_acls": true, "restrict_public_buckets": on,
            },
        })
    };
    let setting = |type_name: &str, argument: &str, value: Json| {
        let name = format!("{type_name}.b");
        json!({"aws_s3_bucket.b": {"bucket": "b"}, name: {"bucket": "b", argument: value}})
    };
    let algorithm = |name: &str| {
        let by_default = json!([{"sse_algorithm": name}]);
        let rule = json!([{"apply_server_side_encryption_by_default": by_default}]);
        setting(
            "aws_s3_bucket_server_side_encryption_configuration",
            "rule",
            rule,
        )
    };
    let versions = |status: &str| {
        let value = json!([{"status": status}]);
        setting(
            "aws_s3_bucket_versioning",
            "versioning_configuration",
            value,
        )
    };
    let policy = |principal: Json| {
        let allowed =
            document(json!({"Principal": principal, "Action": "s3:GetObject", "Resource": "*"}));
        json!({"aws_s3_bucket_policy.b": {"bucket": "b", "policy": allowed}})
    };
    let acl = |acl: &str| json!({"aws_s3_bucket_acl.b": {"bucket": "b", "acl": acl}});
    let bare = json!({"aws_s3_bucket.b": {"bucket": "b"}});
    vec![
        (s3::buckets_block_public_access(), block(false), block(true)),
        (s3::buckets_block_public_access(), bare.clone(), block(true)),
        (s3::no_public_acls(), acl("public-read"), acl("private")),
        (
            s3::no_public_policies(),
            policy(json!("*")),
            policy(json!({"AWS": "arn:aws:iam::1:root"})),
        ),
        (
            s3::no_public_policies(),
            policy(json!({"AWS": ["*"]})),
            json!({}),
        ),
        (
            s3::buckets_are_encrypted(),
            bare.clone(),
            algorithm("aws:kms"),
        ),
        (
            s3::buckets_are_encrypted_with_aes256(),
            algorithm("aws:kms"),
            algorithm("AES256"),
        ),
        (
            s3::buckets_are_versioned(),
            versions("Suspended"),
            versions("Enabled"),
        ),
        (s3::buckets_are_versioned(), bare, json!({})),
    ]
}

fn networks() -> Vec<Case> {
    let rule = |kind: &str, from: u16, source: &str| {
        json!({"aws_security_group_rule.r": {
            "type": kind, "from_port": from, "to_port": from, "protocol": "tcp", "cidr_blocks": [source],
        }})
    };
    let group = |source: &str| {
        json!({"aws_security_group.g": {"description": "web", "ingress": [{
            "from_port": 22, "to_port": 22, "protocol": "tcp", "ipv6_cidr_blocks": [source],
        }]}})
    };
    let single = |source: &str| json!({"aws_vpc_security_group_ingress_rule.r": {"ip_protocol": "-1", "cidr_ipv4": source}});
    let open = || ec2::no_open_ingress(&[443]);
    let volume = |on: bool| json!({"aws_ebs_volume.v": {"size": 1, "encrypted": on}});
    let root = |on: bool| json!({"aws_instance.i": {"root_block_device": [{"encrypted": on}]}});
    let tokens = |tokens: &str| json!({"aws_launch_template.t": {"metadata_options": [{"http_tokens": tokens}]}});
    let logged = json!({
        "aws_vpc.v": {"cidr_block": "10.0.0.0/16"},
        "aws_flow_log.v": {"vpc_id": {"$ref": "aws_vpc.v"}},
    });
    let vpc = json!({"aws_vpc.v": {"cidr_block": "10.0.0.0/16"}});
    let public = |on: bool| json!({"aws_subnet.s": {"map_public_ip_on_launch": on}});
    let described = |text: &str| json!({"aws_security_group.g": {"description": text}});
    vec![
        (
            open(),
            rule("ingress", 22, "0.0.0.0/0"),
            rule("ingress", 22, "10.0.0.0/8"),
        ),
        (
            open(),
            rule("ingress", 22, "0.0.0.0/0"),
            rule("ingress", 443, "0.0.0.0/0"),
        ),
        (
            open(),
            rule("ingress", 22, "0.0.0.0/0"),
            rule("egress", 22, "0.0.0.0/0"),
        ),
        (open(), group("::/0"), group("fd00::/8")),
        (open(), single("0.0.0.0/0"), single("10.0.0.0/8")),
        (ec2::volumes_are_encrypted(), volume(false), volume(true)),
        (ec2::volumes_are_encrypted(), root(false), root(true)),
        (
            ec2::instances_require_tokens(),
            tokens("optional"),
            tokens("required"),
        ),
        (ec2::networks_have_flow_logs(), vpc, logged),
        (ec2::no_public_addresses(), public(true), public(false)),
        (
            ec2::security_groups_are_described(),
            described("Managed by Terraform"),
            described("web"),
        ),
    ]
}

fn identities() -> Vec<Case> {
    let permits = |action: &str, resource: &str| {
        let document = document(json!({"Action": action, "Resource": resource}));
        json!({"aws_iam_role_policy.p": {"role": "r", "policy": document}})
    };
    let but = document(json!({"NotAction": "iam:*", "Resource": "*"}));
    let but = json!({"aws_iam_policy.p": {"policy": but}});
    let trust = |principal: Json| {
        let document = document(json!({"Principal": principal, "Action": "sts:AssumeRole"}));
        json!({"aws_iam_role.r": {"assume_role_policy": document}})
    };
    let service = json!({"Service": "eks.amazonaws.com"});
    let queue =
        |statement: Json| json!({"aws_sqs_queue_policy.q": {"policy": document(statement)}});
    let closed = json!({
        "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:::t"}},
    });
    let open = json!({"Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"});
    let lambda = |who: &str| json!({"aws_lambda_permission.p": {"principal": who}});
    let attached = |name: &str| {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        json!({"aws_iam_role_policy_attachment.a": {"role": "r", "policy_arn": arn}})
    };
    let github = |subject: &str| {
        let issuer = "token.actions.githubusercontent.com";
        let arn = format!("arn:aws:iam::123456789012:oidc-provider/{issuer}");
        let document = document(json!({
            "Principal": {"Federated": arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {format!("{issuer}:aud"): "sts.amazonaws.com"},
                "StringLike": {format!("{issuer}:sub"): subject},
            },
        }));
        json!({"aws_iam_role.r": {"assume_role_policy": document}})
    };
    let user = json!({"aws_iam_user_policy.p": {"user": "u"}});
    let key = json!({"aws_iam_access_key.k": {"user": "u"}});
    vec![
        (
            iam::no_wildcard_permissions(),
            permits("*", "*"),
            permits("s3:Get*", "*"),
        ),
        (
            iam::no_wildcard_permissions(),
            permits("s3:*", "*"),
            permits("s3:*", "arn:aws:s3:::b"),
        ),
        (iam::no_wildcard_permissions(), but, json!({})),
        (iam::no_open_trust(), trust(json!("*")), trust(service)),
        (iam::no_open_resource_policies(), queue(open), queue(closed)),
        (
            iam::no_open_resource_policies(),
            lambda("*"),
            lambda("events.amazonaws.com"),
        ),
        (
            iam::no_administrators(),
            attached("AdministratorAccess"),
            attached("ReadOnlyAccess"),
        ),
        (
            iam::github_trust_is_limited(),
            github("repo:acme/*"),
            github("repo:acme/infra:ref:refs/heads/main"),
        ),
        (iam::no_access_keys(), key, json!({})),
        (iam::no_policies_of_users(), user, json!({})),
    ]
}

fn clusters() -> Vec<Case> {
    let cluster = |name: &str, value: Json| json!({"aws_eks_cluster.c": {name: value}});
    let all = json!([
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler"
    ]);
    let endpoint = |networks: Json| {
        cluster(
            "vpc_config",
            json!([{"endpoint_public_access": true, "public_access_cidrs": networks}]),
        )
    };
    let private = cluster("vpc_config", json!([{"endpoint_public_access": false}]));
    let scan = |on: bool| json!({"aws_ecr_repository.r": {"image_scanning_configuration": [{"scan_on_push": on}]}});
    let tags = |tags: &str| json!({"aws_ecr_repository.r": {"image_tag_mutability": tags}});
    let secrets = cluster("encryption_config", json!([{"resources": ["secrets"]}]));
    let none = cluster("name", json!("c"));
    vec![
        (
            eks::supported_kubernetes_on("2026-11-28"),
            cluster("version", json!("1.28")),
            cluster("version", json!("1.34")),
        ),
        (
            eks::control_plane_logs(),
            cluster("enabled_cluster_log_types", json!(["api"])),
            cluster("enabled_cluster_log_types", all),
        ),
        (
            eks::endpoint_is_limited(),
            endpoint(json!(["0.0.0.0/0"])),
            endpoint(json!(["192.0.2.0/24"])),
        ),
        (eks::endpoint_is_limited(), none.clone(), private),
        (eks::secrets_are_encrypted(), none, secrets),
        (ecr::images_are_scanned(), scan(false), scan(true)),
        (
            ecr::tags_are_immutable(),
            tags("MUTABLE"),
            tags("IMMUTABLE"),
        ),
    ]
}

fn data() -> Vec<Case> {
    let database = |name: &str, value: Json| json!({"aws_db_instance.d": {name: value}});
    let parameter = |value: &str| {
        let parameter = json!([{"name": "rds.force_ssl", "value": value}]);
        json!({"aws_db_parameter_group.g": {"parameter": parameter}})
    };
    let switch = |type_name: &str, name: &str, on: bool| {
        let address = format!("{type_name}.x");
        json!({address: {name: on}})
    };
    let restored =
        |on: bool| json!({"aws_dynamodb_table.t": {"point_in_time_recovery": [{"enabled": on}]}});
    let cache = |on: bool| {
        json!({"aws_elasticache_replication_group.c": {
            "at_rest_encryption_enabled": true, "transit_encryption_enabled": on,
        }})
    };
    let topic = json!({"aws_sns_topic.t": {"kms_master_key_id": "alias/aws/sns"}});
    let logs = |days: u32| json!({"aws_cloudwatch_log_group.l": {"retention_in_days": days}});
    let listener = |protocol: &str, action: &str| json!({"aws_lb_listener.l": {"protocol": protocol, "default_action": [{"type": action}]}});
    let table = json!({"aws_dynamodb_table.t": {"name": "t"}});
    let kept = json!({"aws_dynamodb_table.t": {"name": "t", "$protected": true}});
    let switched = json!({"aws_dynamodb_table.t": {"deletion_protection_enabled": true}});
    let tagged = |tags: Json| json!({"aws_vpc.v": {"tags_all": tags}});
    vec![
        (
            rds::databases_are_encrypted(),
            database("engine", json!("postgres")),
            database("storage_encrypted", json!(true)),
        ),
        (
            rds::databases_are_private(),
            database("publicly_accessible", json!(true)),
            database("engine", json!("postgres")),
        ),
        (
            rds::databases_are_private(),
            json!({"aws_redshift_cluster.r": {}}),
            switch("aws_redshift_cluster", "publicly_accessible", false),
        ),
        (
            rds::databases_are_backed_up(),
            database("backup_retention_period", json!(1)),
            database("backup_retention_period", json!(7)),
        ),
        (
            rds::connections_are_encrypted(),
            parameter("0"),
            parameter("1"),
        ),
        (
            stores::tables_can_be_restored(),
            restored(false),
            restored(true),
        ),
        (
            stores::file_systems_are_encrypted(),
            json!({"aws_efs_file_system.f": {}}),
            switch("aws_efs_file_system", "encrypted", true),
        ),
        (stores::caches_are_encrypted(), cache(false), cache(true)),
        (
            stores::queues_are_encrypted(),
            switch("aws_sqs_queue", "sqs_managed_sse_enabled", false),
            json!({"aws_sqs_queue.q": {}}),
        ),
        (
            stores::queues_are_encrypted(),
            json!({"aws_sns_topic.t": {}}),
            topic,
        ),
        (
            stores::keys_rotate(),
            json!({"aws_kms_key.k": {}}),
            switch("aws_kms_key", "enable_key_rotation", true),
        ),
        (
            stores::keys_rotate(),
            json!({"aws_kms_key.k": {}}),
            json!({"aws_kms_key.k": {"customer_master_key_spec": "RSA_2048"}}),
        ),
        (
            stores::logs_expire(),
            json!({"aws_cloudwatch_log_group.l": {}}),
            logs(30),
        ),
        (
            stores::secrets_are_write_only(),
            json!({"aws_secretsmanager_secret_version.v": {"secret_string": "open sesame"}}),
            json!({"aws_secretsmanager_secret_version.v": {"secret_string_wo_version": 1}}),
        ),
        (
            stores::secrets_are_write_only(),
            database("password", json!("open sesame")),
            database("password_wo_version", json!(1)),
        ),
        (
            stores::secrets_are_write_only(),
            json!({"aws_ssm_parameter.p": {"type": "SecureString", "value": "open sesame"}}),
            json!({"aws_ssm_parameter.p": {"type": "String", "value": "blue"}}),
        ),
        (
            elb::listeners_use_tls(),
            listener("HTTP", "forward"),
            listener("HTTPS", "forward"),
        ),
        (
            elb::listeners_use_tls(),
            listener("HTTP", "forward"),
            listener("HTTP", "redirect"),
        ),
        (stateful::protected(), table.clone(), kept),
        (stateful::protected(), table, switched),
        (
            tags::required(&["team"]),
            tagged(json!({"name": "v"})),
            tagged(json!({"team": "ml"})),
        ),
    ]
}

fn cases() -> Vec<Case> {
    [buckets(), networks(), identities(), clusters(), data()].concat()
}

#[test]
fn each_policy_is_broken_by_one_plan_and_kept_by_another() {
    for (policy, breaks, keeps) in cases() {
        let broken = report(&policy, &breaks);
        assert_eq!(broken.fault, None, "{} on {breaks}", policy.name());
        assert!(
            !broken.violations.is_empty(),
            "{} passes {breaks}",
            policy.name()
        );
        let kept = report(&policy, &keeps);
        assert_eq!(kept.outcome(), PolicyOutcome::Passed, "{kept:?} on {keeps}");
    }
}

#[test]
fn every_recommended_policy_has_a_case_and_there_are_many() {
    let tested: Vec<_> = cases()
        .iter()
        .map(|(policy, ..)| policy.name().clone())
        .collect();
    let recommended = recommended();
    assert!(recommended.len() >= 25, "{}", recommended.len());
    // They are about a change, so they have tests of their own.
    let changes = [
        eks::upgrades_go_by_one_minor(),
        stores::keys_outlive_their_data(),
    ];
    for policy in &recommended {
        let name = policy.name();
        if changes.iter().any(|change| change.name() == name) {
            continue;
        }
        // The day is part of the test, not of the name.
        assert!(tested.contains(name), "{name} is not tested");
    }
}

#[test]
fn a_document_that_is_unknown_is_undecided_and_one_that_is_none_is_a_violation() {
    let unknown = json!({
        "aws_kms_key.k": {},
        "aws_iam_policy.p": {"policy": {"$ref": "aws_kms_key.k"}},
    });
    let undecided = report(&iam::no_wildcard_permissions(), &unknown);
    assert_eq!(undecided.outcome(), PolicyOutcome::Undecided);
    let wrong = json!({"aws_iam_policy.p": {"policy": "{"}});
    let broken = report(&iam::no_wildcard_permissions(), &wrong);
    assert_eq!(broken.violations[0].message, "it is not JSON");
}

#[test]
fn a_source_that_is_known_after_the_apply_is_undecided() {
    let unknown = json!({
        "aws_vpc.v": {},
        "aws_vpc_security_group_ingress_rule.r": {"cidr_ipv4": {"$ref": "aws_vpc.v"}},
    });
    let undecided = report(&ec2::no_open_ingress(&[]), &unknown);
    assert_eq!(undecided.outcome(), PolicyOutcome::Undecided);
}

#[test]
fn a_cluster_is_refused_to_skip_a_version_or_to_go_back() {
    use std::sync::Arc;

    use terrane_core::policy::PlannedObject;
    use terrane_core::{Action, Value};

    let program = Program::from_fn(
        |stack| {
            Resource::dynamic("aws_eks_cluster", "c").declare(stack);
            Ok(())
        },
        NoConfig,
    );
    let program = program.expect("a program");
    let upgrade = |from: &str, to: &str, action: Action| {
        let version = |version: &str| Arc::new(Value::map([("version", version.into())]).into());
        let cluster = PlannedObject {
            address: Arc::new("aws_eks_cluster.c".parse().expect("an address")),
            action,
            before: version(from),
            after: version(to),
            location: None,
        };
        let plan = PlannedStack::new(&program, vec![cluster]);
        let report = plan.review_by(&eks::upgrades_go_by_one_minor());
        let told = report.violations.into_iter().map(|one| one.message);
        told.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(upgrade("1.28", "1.29", Action::Update), "");
    assert_eq!(upgrade("1.28", "1.28", Action::NoOp), "");
    assert_eq!(
        upgrade("1.28", "1.31", Action::Update),
        "EKS does not go from 1.28 to 1.31 at once; 1.29 comes first"
    );
    assert_eq!(
        upgrade("1.30", "1.29", Action::Update),
        "the cluster would go back from 1.30 to 1.29"
    );
}

#[test]
fn a_key_is_not_deleted_while_something_stays_that_was_encrypted_with_it() {
    use std::sync::Arc;

    use terrane_core::policy::PlannedObject;
    use terrane_core::{Action, Marked, Value};

    let program = Program::from_fn(|_| Ok(()), NoConfig).expect("a program");
    let nothing = || Arc::<Marked>::default();
    let value = |value: Value| Arc::new(Marked::from(value));
    let object = |address: &str, action, before: Arc<Marked>, after: Arc<Marked>| PlannedObject {
        address: Arc::new(address.parse().expect("an address")),
        action,
        before,
        after,
        location: None,
    };
    let told = |user: PlannedObject| {
        let key = Value::map([("arn", Value::from("arn:key")), ("key_id", "1".into())]);
        let key = object("aws_kms_key.k", Action::Delete, value(key), nothing());
        let alias = Value::map([("target_key_arn", Value::from("arn:key"))]);
        let alias = object(
            "aws_kms_alias.a",
            Action::NoOp,
            value(alias.clone()),
            value(alias),
        );
        let plan = PlannedStack::new(&program, vec![key, alias, user]);
        let report = plan.review_by(&stores::keys_outlive_their_data());
        let told = report.violations.into_iter().map(|one| one.message);
        told.collect::<Vec<_>>().join("; ")
    };
    let bucket = || {
        let rule = Value::map([("kms_master_key_id", Value::from("arn:key"))]);
        value(Value::map([("rule", Value::list(vec![rule]))]))
    };
    let other = || value(Value::map([("rule", Value::list(Vec::new()))]));
    let message =
        "aws_s3_bucket.b was encrypted with it, and what is in there can never be read again";
    let user = |action, before, after| told(object("aws_s3_bucket.b", action, before, after));
    assert_eq!(user(Action::NoOp, bucket(), bucket()), message);
    // Other objects are encrypted with another key from now on, those of before are not.
    assert_eq!(user(Action::Update, bucket(), other()), message);
    assert_eq!(user(Action::Delete, bucket(), nothing()), "");
    assert_eq!(user(Action::DeleteThenCreate, bucket(), other()), "");
    assert_eq!(user(Action::NoOp, other(), other()), "");
}

#[test]
fn an_old_version_is_told_with_what_it_costs_and_where_it_goes() {
    let told = |version: &str, support: &str| {
        let cluster = json!({"aws_eks_cluster.c": {
            "version": version, "upgrade_policy": [{"support_type": support}],
        }});
        let report = report(&eks::supported_kubernetes_on("2026-11-28"), &cluster);
        report.violations[0].message.clone()
    };
    assert_eq!(
        told("1.28", "EXTENDED"),
        "EKS does not offer Kubernetes 1.28 since 2025-11-26: it refuses a new cluster, and upgrades an existing one by itself"
    );
    assert_eq!(
        told("1.32", "EXTENDED"),
        "Kubernetes 1.32 is in extended support until 2027-03-23, which costs 0.50 USD an hour more (365 USD a month)"
    );
    assert_eq!(
        told("1.32", "STANDARD"),
        "Kubernetes 1.32 is out of standard support, and this cluster takes no other: EKS upgrades it by itself"
    );
    assert_eq!(told("newest", "EXTENDED"), "EKS has no Kubernetes `newest`");
}

#[test]
fn a_deletion_of_data_breaks_the_policy_against_it() {
    use std::sync::Arc;

    use terrane_core::policy::PlannedObject;
    use terrane_core::{Action, Value};

    let program = Program::from_fn(|_| Ok(()), NoConfig).expect("a program");
    let gone = |address: &str| {
        let address: terrane_core::addr::InstanceAddr = address.parse().expect("an address");
        PlannedObject {
            address: Arc::new(address),
            action: Action::Delete,
            before: Arc::new(Value::map([("id", Value::from("b"))]).into()),
            after: Arc::default(),
            location: None,
        }
    };
    let objects = vec![gone("aws_s3_bucket.b"), gone("aws_subnet.s")];
    let plan = PlannedStack::new(&program, objects);
    let report = plan.review_by(&stateful::not_destroyed());
    assert_eq!(report.violations.len(), 1);
    assert_eq!(
        report.violations[0].message,
        "its data goes with a deletion"
    );
}
