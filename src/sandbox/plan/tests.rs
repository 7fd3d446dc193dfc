//! Plans beside those of the real provider for the same configuration.

use serde_json::json;
use terrane_core::{Type, Value};

use crate::samples::{Sample, text};

/// The planned object as JSON, with `"?"` where it is unknown; nulls and empty lists left out.
fn shown(value: &Value) -> serde_json::Value {
    match value {
        Value::Unknown(_) => "?".into(),
        Value::Map(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.to_string(), shown(value)));
            members
                .filter(|(_, value)| !value.is_null() && *value != json!([]))
                .collect()
        }
        Value::List(elements) | Value::Set(elements) => elements.iter().map(shown).collect(),
        value => {
            let json = value.to_json(&value.implied_type()).expect("JSON");
            serde_json::from_str(&json).expect("JSON")
        }
    }
}

/// The creation that the provider 5.31 planned for such a configuration, as `tofu show -json` printed it; version 6 plans the
/// region as well, and leaves more of an encryption rule to AWS.
#[test]
fn a_creation_is_planned_as_the_real_provider_plans_it() {
    let sample = Sample::new();
    let check = |type_name: &str, config, mut expected: serde_json::Value| {
        expected["region"] = "us-east-1".into();
        let planned = shown(&sample.plan(type_name, &Value::Null, &config).object);
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(planned[name], *value, "{type_name}.{name}");
        }
    };
    check(
        "aws_vpc",
        json!({"cidr_block": "10.0.0.0/16", "enable_dns_hostnames": true, "tags": {"Name": "v"}}),
        json!({
            "arn": "?", "cidr_block": "10.0.0.0/16", "default_network_acl_id": "?", "default_route_table_id": "?",
            "default_security_group_id": "?", "dhcp_options_id": "?", "enable_dns_hostnames": true,
            "enable_dns_support": true, "enable_network_address_usage_metrics": "?", "id": "?",
            "instance_tenancy": "default", "ipv6_association_id": "?", "ipv6_cidr_block": "?",
            "ipv6_cidr_block_network_border_group": "?", "main_route_table_id": "?", "owner_id": "?",
            "tags": {"Name": "v"}, "tags_all": {"Name": "v"},
        }),
    );
    check(
        "aws_s3_bucket",
        json!({"bucket": "b", "force_destroy": true}),
        json!({
            "acceleration_status": "?", "acl": "?", "arn": "?", "bucket": "b", "bucket_domain_name": "?",
            "bucket_prefix": "?", "bucket_regional_domain_name": "?", "cors_rule": "?", "force_destroy": true,
            "grant": "?", "hosted_zone_id": "?", "id": "?", "lifecycle_rule": "?", "logging": "?",
            "object_lock_configuration": "?", "object_lock_enabled": "?", "policy": "?",
            "replication_configuration": "?", "request_payer": "?", "server_side_encryption_configuration": "?",
            "tags_all": "?", "versioning": "?", "website": "?", "website_domain": "?", "website_endpoint": "?",
        }),
    );
    check(
        "aws_route_table",
        json!({"vpc_id": "vpc-1", "route": [{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}]}),
        json!({
            "arn": "?", "id": "?", "owner_id": "?", "propagating_vgws": "?", "tags_all": "?", "vpc_id": "vpc-1",
            "route": [{
                "carrier_gateway_id": "", "cidr_block": "0.0.0.0/0", "core_network_arn": "",
                "destination_prefix_list_id": "", "egress_only_gateway_id": "", "gateway_id": "igw-1",
                "ipv6_cidr_block": "", "local_gateway_id": "", "nat_gateway_id": "", "network_interface_id": "",
                "odb_network_arn": "",
                "transit_gateway_id": "", "vpc_endpoint_id": "", "vpc_peering_connection_id": "",
            }],
        }),
    );
    check(
        "aws_s3_bucket_server_side_encryption_configuration",
        json!({
            "bucket": "b",
            "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "AES256"}]}],
        }),
        json!({
            "bucket": "b", "id": "?",
            "rule": [{
                "apply_server_side_encryption_by_default": [{"kms_master_key_id": "?", "sse_algorithm": "AES256"}],
                "blocked_encryption_types": "?", "bucket_key_enabled": "?",
            }],
        }),
    );
}

#[test]
fn the_same_configuration_again_plans_the_prior_object_to_the_letter() {
    let sample = Sample::new();
    let bucket = json!({"bucket": "mlops-models"});
    let lifecycle = json!({"bucket": "mlops-models", "rule": [{
        "id": "tier", "status": "Enabled", "filter": [{}],
        "transition": [{"days": 30, "storage_class": "STANDARD_IA"}, {"days": 90, "storage_class": "GLACIER"}],
    }]});
    let role =
        json!({"name": "r", "assume_role_policy": r#"{"Version":"2012-10-17","Statement":[]}"#});
    let repository =
        json!({"name": "api", "image_scanning_configuration": [{"scan_on_push": true}]});
    for (type_name, config) in [
        ("aws_s3_bucket", bucket),
        ("aws_s3_bucket_lifecycle_configuration", lifecycle),
        ("aws_iam_role", role),
        ("aws_ecr_repository", repository),
        ("aws_vpc", json!({"cidr_block": "10.0.0.0/16"})),
        ("aws_eip", json!({"domain": "vpc"})),
        (
            "aws_cloudwatch_log_group",
            json!({"name": "/l", "retention_in_days": 30}),
        ),
    ] {
        let prior = sample.create(type_name, &config);
        let again = sample.plan(type_name, &prior, &config);
        assert_eq!(again.object, prior, "{type_name}");
        assert_eq!(sample.read(type_name, &prior), Some(prior), "{type_name}");
    }
}

#[test]
fn a_policy_that_means_the_same_is_no_change() {
    let sample = Sample::new();
    let config = |policy: &str| json!({"name": "p", "policy": policy});
    let one = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"*"}]}"#;
    let prior = sample.create("aws_iam_policy", &config(one));
    let other = r#"{ "Statement": {"Resource": ["*"], "Action": "s3:GetObject", "Effect": "Allow"}, "Version": "2012-10-17"}"#;
    assert_eq!(
        sample.plan("aws_iam_policy", &prior, &config(other)).object,
        prior
    );
    let wider = other.replace("s3:GetObject", "s3:*");
    assert_ne!(
        sample
            .plan("aws_iam_policy", &prior, &config(&wider))
            .object,
        prior
    );
}

#[test]
fn what_cannot_change_in_place_replaces() {
    let sample = Sample::new();
    let prior = sample.create("aws_vpc", &json!({"cidr_block": "10.0.0.0/16"}));
    let paths = |config| {
        let planned = sample.plan("aws_vpc", &prior, &config);
        planned
            .requires_replace
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(json!({"cidr_block": "10.1.0.0/16"})), ["cidr_block"]);
    assert!(paths(json!({"cidr_block": "10.0.0.0/16", "enable_dns_support": false})).is_empty());
    let repository = sample.create("aws_ecr_repository", &json!({"name": "api"}));
    let planned = sample.plan(
        "aws_ecr_repository",
        &repository,
        &json!({"name": "api", "encryption_configuration": [{"encryption_type": "KMS"}]}),
    );
    assert_eq!(
        planned.requires_replace[0].to_string(),
        "encryption_configuration[0].encryption_type"
    );
}

#[test]
fn tags_of_the_provider_configuration_join_those_of_the_resource() {
    let mut sample = Sample::new();
    sample.settings.default_tags = [("team".into(), Value::from("mlops"))].into();
    let config = json!({"cidr_block": "10.0.0.0/16", "tags": {"Name": "v"}});
    let vpc = sample.create("aws_vpc", &config);
    let all = Value::map([("Name", Value::from("v")), ("team", "mlops".into())]);
    assert_eq!(vpc.get("tags_all"), Some(&all));
    assert_eq!(sample.plan("aws_vpc", &vpc, &config).object, vpc);
    sample.settings.default_tags.clear();
    let fewer = sample.plan("aws_vpc", &vpc, &config).object;
    assert_eq!(
        fewer.get("tags_all"),
        Some(&Value::map([("Name", Value::from("v"))]))
    );
    assert_eq!(text(&fewer, "arn"), text(&vpc, "arn"));
}

#[test]
fn an_unknown_tag_makes_all_tags_unknown() {
    let sample = Sample::new();
    let kind = sample.kind("aws_vpc");
    let mut config = crate::samples::object(kind, &json!({"cidr_block": "10.0.0.0/16"}));
    if let Value::Map(members) = &mut config {
        let tags = Value::map([("Name", Value::UNKNOWN)]);
        std::sync::Arc::make_mut(members).insert("tags".into(), tags);
    }
    let planned = super::plan(
        kind,
        &Value::Null,
        &config,
        &sample.settings.default_tags,
        &sample.settings.region,
    );
    assert_eq!(planned.object.get("tags_all"), Some(&Value::UNKNOWN));
    assert_eq!(super::empty(&Type::String), Value::from(""));
}

#[test]
fn an_object_is_in_its_own_region_or_in_the_provider_s() {
    let sample = Sample::new();
    let config = json!({"cidr_block": "10.0.0.0/16"});
    let vpc = sample.create("aws_vpc", &config);
    assert_eq!(vpc.get("region"), Some(&"us-east-1".into()));
    let elsewhere = json!({"cidr_block": "10.0.0.0/16", "region": "us-west-2"});
    let moved = sample.plan("aws_vpc", &vpc, &elsewhere);
    assert!(
        moved
            .requires_replace
            .iter()
            .any(|path| path.to_string() == "region"),
        "{:?}",
        moved.requires_replace
    );
    let other = sample.create("aws_vpc", &elsewhere);
    let arn = other.get("arn").and_then(Value::as_str).expect("an ARN");
    assert!(arn.starts_with("arn:aws:ec2:us-west-2:"), "{arn}");
}
