//! The platform, declared without any cloud.

use std::collections::BTreeSet;

use terrane::{ConfigValues, Stack};
use terrane_aws::{backup, ec2};
use terrane_testkit::{TestCloud, TestStack};

use crate::{Config, Platform};

/// The platform with those values in place of its defaults.
pub(crate) fn platform(flags: &[&str]) -> TestStack {
    let stack = TestStack::new(|stack: &mut Stack| {
        let config: Config = stack.config()?;
        Platform::declare(stack, &config)?.export(stack);
        Ok(())
    });
    flags.iter().fold(stack, |stack, flag| stack.var(flag))
}

fn addresses(flags: &[&str]) -> BTreeSet<String> {
    platform(flags).plan().addresses()
}

#[test]
fn the_platform_is_made_of_these() {
    let found: Vec<String> = addresses(&[]).into_iter().collect();
    let expected = "\
module.cluster.aws_cloudwatch_log_group.cluster
module.cluster.aws_eks_cluster.main
module.cluster.aws_eks_node_group.main
module.cluster.aws_iam_openid_connect_provider.cluster
module.cluster.aws_iam_role.cluster
module.cluster.aws_iam_role.node
module.cluster.aws_iam_role_policy_attachment.cluster
module.cluster.aws_iam_role_policy_attachment.node[\"AmazonEC2ContainerRegistryReadOnly\"]
module.cluster.aws_iam_role_policy_attachment.node[\"AmazonEKSWorkerNodePolicy\"]
module.cluster.aws_iam_role_policy_attachment.node[\"AmazonEKS_CNI_Policy\"]
module.cluster.aws_security_group.cluster
module.cluster.aws_security_group.node
module.cluster.aws_security_group_rule.cluster_to_node
module.cluster.aws_security_group_rule.node_to_cluster
module.cluster.aws_security_group_rule.node_to_node
module.identity.aws_iam_policy.s3
module.identity.aws_iam_role.service_account
module.identity.aws_iam_role_policy.logs
module.identity.aws_iam_role_policy_attachment.s3
module.network.aws_eip.nat[0]
module.network.aws_internet_gateway.main
module.network.aws_nat_gateway.main[0]
module.network.aws_route_table.private[0]
module.network.aws_route_table.private[1]
module.network.aws_route_table.public
module.network.aws_route_table_association.private[0]
module.network.aws_route_table_association.private[1]
module.network.aws_route_table_association.public[0]
module.network.aws_route_table_association.public[1]
module.network.aws_subnet.private[0]
module.network.aws_subnet.private[1]
module.network.aws_subnet.public[0]
module.network.aws_subnet.public[1]
module.network.aws_vpc.main
module.network.data.aws_availability_zones.available
module.registry.aws_ecr_lifecycle_policy.api
module.registry.aws_ecr_repository.api
module.storage.aws_s3_bucket.main[\"artifacts\"]
module.storage.aws_s3_bucket.main[\"data\"]
module.storage.aws_s3_bucket.main[\"models\"]
module.storage.aws_s3_bucket_lifecycle_configuration.main[\"artifacts\"]
module.storage.aws_s3_bucket_lifecycle_configuration.main[\"data\"]
module.storage.aws_s3_bucket_lifecycle_configuration.main[\"models\"]
module.storage.aws_s3_bucket_public_access_block.main[\"artifacts\"]
module.storage.aws_s3_bucket_public_access_block.main[\"data\"]
module.storage.aws_s3_bucket_public_access_block.main[\"models\"]
module.storage.aws_s3_bucket_server_side_encryption_configuration.main[\"artifacts\"]
module.storage.aws_s3_bucket_server_side_encryption_configuration.main[\"data\"]
module.storage.aws_s3_bucket_server_side_encryption_configuration.main[\"models\"]
module.storage.aws_s3_bucket_versioning.models";
    assert_eq!(found.join("\n"), expected);
    let managed = found.iter().filter(|address| !address.contains("data.aws"));
    assert!(managed.count() >= 45);
}

#[test]
fn a_nat_gateway_a_zone_adds_the_second_gateway_and_its_address() {
    let one = addresses(&[]);
    let two = addresses(&["single_nat_gateway=false"]);
    let added: Vec<&str> = two.difference(&one).map(String::as_str).collect();
    assert_eq!(
        added,
        [
            "module.network.aws_eip.nat[1]",
            "module.network.aws_nat_gateway.main[1]"
        ]
    );
    assert!(one.is_subset(&two));
    // The second private table goes through the second gateway.
    let plan = platform(&["single_nat_gateway=false"]).plan();
    let table = plan.resource::<ec2::RouteTable>("module.network.aws_route_table.private[1]");
    assert_eq!(
        table.needs(),
        [
            "module.network.aws_vpc.main",
            "module.network.aws_nat_gateway.main[1]"
        ]
    );
}

/// The keys that switch a part on.
pub(crate) const PARTS: [&str; 13] = [
    "eks_addons",
    "waf",
    "flow_logs",
    "guardduty",
    "aws_config",
    "backups",
    "kms",
    "deploy_application",
    "github_repository=acme/infra",
    "secrets_manager",
    "monitoring",
    "monitoring_in_cluster",
    "mlflow",
];

/// The flag that switches a part on: a key that is `true`, or the whole flag.
pub(crate) fn on(key: &str) -> String {
    match key.contains('=') {
        true => key.to_owned(),
        false => format!("{key}=true"),
    }
}

#[test]
fn each_key_switches_on_its_own_part_and_nothing_else() {
    let bare = addresses(&[]);
    let added = |key: &str| {
        let with = addresses(&[&on(key)]);
        assert!(bare.is_subset(&with), "{key}");
        let added: Vec<String> = with.difference(&bare).cloned().collect();
        added.join("\n")
    };
    insta::assert_snapshot!(added("eks_addons"), @r#"
    module.cluster.aws_eks_addon.main["coredns"]
    module.cluster.aws_eks_addon.main["kube-proxy"]
    module.cluster.aws_eks_addon.main["metrics-server"]
    module.cluster.aws_eks_addon.main["vpc-cni"]
    module.cluster.data.aws_eks_addon_version.main["coredns"]
    module.cluster.data.aws_eks_addon_version.main["kube-proxy"]
    module.cluster.data.aws_eks_addon_version.main["metrics-server"]
    module.cluster.data.aws_eks_addon_version.main["vpc-cni"]
    "#);
    insta::assert_snapshot!(added("waf"), @"
    module.waf.aws_cloudwatch_log_group.main
    module.waf.aws_wafv2_web_acl.main
    module.waf.aws_wafv2_web_acl_logging_configuration.main
    ");
    insta::assert_snapshot!(added("flow_logs"), @"
    module.flow_logs.aws_cloudwatch_log_group.main
    module.flow_logs.aws_flow_log.main
    module.flow_logs.aws_iam_role.main
    module.flow_logs.aws_iam_role_policy.main
    ");
    insta::assert_snapshot!(added("guardduty"), @r#"
    module.guard.aws_guardduty_detector.main
    module.guard.aws_guardduty_detector_feature.main["EKS_AUDIT_LOGS"]
    module.guard.aws_guardduty_detector_feature.main["S3_DATA_EVENTS"]
    "#);
    insta::assert_snapshot!(added("aws_config"), @r#"
    module.recorder.aws_config_config_rule.main["buckets-encrypted"]
    module.recorder.aws_config_config_rule.main["buckets-not-readable"]
    module.recorder.aws_config_config_rule.main["buckets-not-writable"]
    module.recorder.aws_config_config_rule.main["networks-logged"]
    module.recorder.aws_config_config_rule.main["no-administrators"]
    module.recorder.aws_config_config_rule.main["no-open-ssh"]
    module.recorder.aws_config_config_rule.main["no-root-keys"]
    module.recorder.aws_config_config_rule.main["volumes-encrypted"]
    module.recorder.aws_config_configuration_recorder.main
    module.recorder.aws_config_configuration_recorder_status.main
    module.recorder.aws_config_delivery_channel.main
    module.recorder.aws_iam_role.main
    module.recorder.aws_iam_role_policy_attachment.main
    module.recorder.aws_s3_bucket.main["config"]
    module.recorder.aws_s3_bucket_policy.main
    module.recorder.aws_s3_bucket_public_access_block.main["config"]
    module.recorder.aws_s3_bucket_server_side_encryption_configuration.main["config"]
    "#);
    insta::assert_snapshot!(added("backups"), @r#"
    module.backups.aws_backup_plan.main
    module.backups.aws_backup_selection.main
    module.backups.aws_backup_vault.main
    module.backups.aws_iam_role.main
    module.backups.aws_iam_role_policy_attachment.main["AWSBackupServiceRolePolicyForS3Backup"]
    module.backups.aws_iam_role_policy_attachment.main["AWSBackupServiceRolePolicyForS3Restore"]
    module.storage.aws_s3_bucket_versioning.artifacts
    module.storage.aws_s3_bucket_versioning.data
    "#);
    insta::assert_snapshot!(added("secrets_manager"), @"
    module.secret.aws_iam_role_policy.read
    module.secret.aws_secretsmanager_secret.application
    module.secret.aws_secretsmanager_secret_version.application
    module.secret.ephemeral.aws_secretsmanager_random_password.application
    ");
    insta::assert_snapshot!(added("monitoring"), @r#"
    module.monitoring.aws_cloudwatch_dashboard.main
    module.monitoring.aws_cloudwatch_metric_alarm.bucket_refusals["artifacts"]
    module.monitoring.aws_cloudwatch_metric_alarm.bucket_refusals["data"]
    module.monitoring.aws_cloudwatch_metric_alarm.bucket_refusals["models"]
    module.monitoring.aws_cloudwatch_metric_alarm.control_plane
    module.monitoring.aws_cloudwatch_metric_alarm.nat_errors[0]
    module.monitoring.aws_cloudwatch_metric_alarm.nodes
    module.monitoring.aws_grafana_workspace.main
    module.monitoring.aws_iam_role.collector
    module.monitoring.aws_iam_role.grafana
    module.monitoring.aws_iam_role_policy.collector
    module.monitoring.aws_iam_role_policy.grafana
    module.monitoring.aws_prometheus_workspace.main
    module.monitoring.aws_s3_bucket_metric.requests["artifacts"]
    module.monitoring.aws_s3_bucket_metric.requests["data"]
    module.monitoring.aws_s3_bucket_metric.requests["models"]
    module.monitoring.aws_sns_topic.alarms
    "#);
    insta::assert_snapshot!(added("monitoring_in_cluster"), @"
    module.prometheus.ephemeral.aws_secretsmanager_random_password.grafana
    module.prometheus.helm_release.main
    module.prometheus.kubernetes_namespace_v1.main
    module.prometheus.kubernetes_secret_v1.grafana
    ");
    insta::assert_snapshot!(added("mlflow"), @"
    module.mlflow.aws_db_instance.main
    module.mlflow.aws_db_subnet_group.main
    module.mlflow.aws_iam_role.server
    module.mlflow.aws_iam_role_policy.server
    module.mlflow.aws_secretsmanager_secret.mlflow-database
    module.mlflow.aws_secretsmanager_secret_version.mlflow-database
    module.mlflow.aws_security_group.database
    module.mlflow.aws_security_group_rule.nodes_to_database
    module.mlflow.ephemeral.aws_secretsmanager_random_password.password
    module.mlflow.ephemeral.aws_secretsmanager_secret_version.password
    module.mlflow.kubernetes_deployment_v1.server
    module.mlflow.kubernetes_namespace_v1.main
    module.mlflow.kubernetes_secret_v1.database
    module.mlflow.kubernetes_service_account_v1.server
    module.mlflow.kubernetes_service_v1.server
    ");
    insta::assert_snapshot!(added("kms"), @"
    module.identity.aws_iam_role_policy.keys
    module.keys.aws_kms_alias.cluster
    module.keys.aws_kms_alias.storage
    module.keys.aws_kms_key.cluster
    module.keys.aws_kms_key.storage
    ");
    insta::assert_snapshot!(added("github_repository=acme/infra"), @"
    module.delivery.aws_iam_openid_connect_provider.github
    module.delivery.aws_iam_role.deploy
    module.delivery.aws_iam_role.preview
    module.delivery.aws_iam_role_policy.deploy
    module.delivery.aws_iam_role_policy.preview
    module.delivery.aws_iam_role_policy_attachment.deploy
    module.delivery.aws_iam_role_policy_attachment.preview
    ");
    insta::assert_snapshot!(added("deploy_application"), @"
    module.application.kubernetes_config_map_v1.api
    module.application.kubernetes_deployment_v1.api
    module.application.kubernetes_horizontal_pod_autoscaler_v2.api
    module.application.kubernetes_namespace_v1.main
    module.application.kubernetes_service_account_v1.api
    module.application.kubernetes_service_v1.api
    ");
}

#[test]
fn backups_take_in_mlflows_database() {
    let (backups, mlflow) = (addresses(&["backups=true"]), addresses(&["mlflow=true"]));
    let both = platform(&["backups=true", "mlflow=true"]).plan();
    let more: Vec<String> = both
        .addresses()
        .into_iter()
        .filter(|one| !backups.contains(one) && !mlflow.contains(one))
        .collect();
    insta::assert_snapshot!(more.join("\n"), @r#"
    module.backups.aws_iam_role_policy_attachment.main["AWSBackupServiceRolePolicyForBackup"]
    module.backups.aws_iam_role_policy_attachment.main["AWSBackupServiceRolePolicyForRestores"]
    "#);
    let selection = both.resource::<backup::Selection>("module.backups.aws_backup_selection.main");
    let needs = selection.needs();
    assert!(
        needs.contains(&"module.mlflow.aws_db_instance.main".to_owned()),
        "{needs:?}"
    );
}

#[path = "../lab/main.rs"]
#[expect(dead_code, reason = "its `main` is another program")]
mod lab;

#[test]
fn another_program_takes_the_network_and_the_buckets_and_leaves_the_rest() {
    let source = include_str!("../lab/main.rs");
    assert!(source.lines().count() < 30);
    let stack = TestStack::new(lab::lab).var("environment=lab");
    let program = stack.program().expect("a program");
    let modules: BTreeSet<String> = program
        .resources()
        .iter()
        .map(|resource| resource.address.resource.module.to_string())
        .collect();
    assert_eq!(
        modules.iter().map(String::as_str).collect::<Vec<_>>(),
        ["module.network", "module.storage"]
    );
}

#[test]
fn every_output_is_published_under_its_name() {
    let plan = platform(&[]).plan();
    let names: Vec<&str> = plan
        .program()
        .exports()
        .iter()
        .map(|export| &*export.name)
        .collect();
    assert_eq!(
        names,
        [
            "vpc_id",
            "private_subnet_ids",
            "public_subnet_ids",
            "eks_cluster_name",
            "eks_cluster_endpoint",
            "eks_oidc_provider_arn",
            "ecr_repository_url",
            "s3_models_bucket_name",
            "s3_data_bucket_name",
            "s3_artifacts_bucket_name",
            "service_account_role_arn",
            "kubeconfig",
        ]
    );
}

#[test]
fn the_embedded_configurations_are_complete_and_right() {
    for (name, text) in [
        ("prod.toml", include_str!("../prod/prod.toml")),
        ("staging.toml", include_str!("../staging/staging.toml")),
        ("dev.toml", include_str!("../dev/dev.toml")),
    ] {
        let mut values = ConfigValues::new();
        values.add_toml(name, text).expect("TOML");
        let config: Config = values.deserialize().expect("a configuration");
        config.check().expect("no contradiction");
        assert_eq!(format!("{}.toml", config.environment), name);
    }
}

#[test]
fn the_file_of_production_shows_every_key_with_its_default() {
    let text = include_str!("../prod/prod.toml");
    let mut values = ConfigValues::new();
    values.add_toml("prod.toml", text).expect("TOML");
    let config: Config = values.deserialize().expect("a configuration");
    let json = |config: &Config| serde_json::to_value(config).expect("JSON");
    assert_eq!(json(&config), json(&Config::default()));
    let keys = json(&config);
    for key in keys.as_object().expect("an object").keys() {
        assert!(text.contains(&format!("{key} = ")), "{key} is not shown");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused_before_anything_is_declared() {
    for (flag, message) in [
        (
            "eks_node_desired_size=9",
            "eks_node_desired_size 9 is not between",
        ),
        (
            "vpc_cidr=10.0.0.0/28",
            "vpc_cidr 10.0.0.0/28 must be from /16 to /20",
        ),
        (
            "environment=Prod",
            "environment `Prod` cannot be part of a bucket name",
        ),
        (
            "eks_node_instance_types=[]",
            "eks_node_instance_types is empty",
        ),
        ("waf_rate_limit=9", "waf_rate_limit 9 is not from 10"),
        (
            "backup_retention_days=36",
            "backup_retention_days 36 is not from 1 to 35",
        ),
        (
            "application_image=api:v1",
            "application_image `api:v1` is neither a tag nor a digest",
        ),
        (
            "application_min_replicas=11",
            "application_min_replicas 11 is not between 1 and application_max_replicas 10",
        ),
        (
            "github_repository=acme",
            "github_repository `acme` is no ORGANISATION/NAME",
        ),
        ("github_branch=*", "github_branch `*` does not name one"),
        ("alarm_email=me", "alarm_email `me` is no address"),
        (
            "application_secret=env:APPLICATION_SECRET",
            "application_secret is set, and secrets_manager is not",
        ),
        ("single_nat_gatway=false", "single_nat_gatway"),
    ] {
        let error = platform(&[flag]).refused();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn addresses_of_subnets_follow_the_vpcs() {
    let plan = platform(&["vpc_cidr=10.9.0.0/20"]).plan();
    let subnets = plan.of::<ec2::Subnet>().into_iter();
    let blocks: Vec<String> = subnets
        .map(|subnet| subnet.get(&subnet.cidr_block()).known())
        .collect();
    assert_eq!(
        blocks,
        [
            "10.9.0.0/28",
            "10.9.0.16/28",
            "10.9.0.160/28",
            "10.9.0.176/28"
        ]
    );
}

#[test]
fn the_whole_platform_comes_up_is_at_rest_and_goes() {
    let stack = platform(&PARTS.map(on).each_ref().map(String::as_str));
    let mut cloud = TestCloud::new();
    cloud.up(&stack).succeeds();
    cloud.preview(&stack).assert_empty();
    let larger = stack.clone().var("eks_node_max_size=9");
    assert_eq!(
        cloud.preview(&larger).changes(),
        ["update module.cluster.aws_eks_node_group.main"]
    );
    cloud.up(&larger).succeeds();
    cloud.destroy(&larger).succeeds();
    assert!(cloud.is_empty(), "{:?}", cloud.orphans());
}

#[test]
fn each_part_goes_when_its_key_is_off_again() {
    let mut cloud = TestCloud::new();
    let bare = platform(&[]);
    cloud.up(&bare).succeeds();
    let before = cloud.addresses();
    for key in PARTS {
        // Keys go with their data, or not at all: a test of its own.
        if key == "kms" {
            continue;
        }
        let with = platform(&[&on(key)]);
        cloud.up(&with).succeeds();
        cloud.preview(&with).assert_empty();
        assert_ne!(cloud.addresses(), before, "{key}");
        let off = match key {
            // What is in the cluster goes by its provider, which the key still names.
            "deploy_application" | "monitoring_in_cluster" | "mlflow" => {
                platform(&[&format!("{key}=false")])
            }
            _ => bare.clone(),
        };
        cloud.up(&off).succeeds();
        assert_eq!(cloud.addresses(), before, "{key}");
    }
}

#[test]
fn keys_go_only_with_what_they_encrypt() {
    let mut cloud = TestCloud::new();
    let with = platform(&["kms=true", "mlflow=true"]);
    cloud.up(&with).succeeds();
    cloud.preview(&with).assert_empty();
    // Buckets, database and secrets stay, and nobody could read them any more.
    let without = platform(&["kms=false", "mlflow=true"]);
    let plan = cloud.preview(&without);
    assert_eq!(plan.broken_policies(), ["keys outlive their data"]);
    assert!(
        plan.changes()
            .contains(&"replace module.cluster.aws_eks_cluster.main".to_owned())
    );
    let lost = without.var("force_destroy=true");
    assert!(cloud.preview(&lost).broken_policies().is_empty());
    // All of it at once is no loss of anything that stays.
    cloud.destroy(&with).succeeds();
    assert!(cloud.is_empty(), "{:?}", cloud.orphans());
}

#[test]
fn another_password_of_mlflow_reaches_all_who_need_it() {
    let stack = platform(&["mlflow=true", "force_destroy=true"]);
    let mut cloud = TestCloud::new();
    cloud.up(&stack).succeeds();
    let uri = cloud.export::<String>("mlflow_tracking_uri").known();
    assert_eq!(uri, "http://mlflow.mlflow.svc.cluster.local");
    let another = stack.var("mlflow_password_version=2");
    insta::assert_snapshot!(cloud.preview(&another).changes().join("\n"), @"
    replace module.mlflow.aws_secretsmanager_secret_version.mlflow-database
    update module.mlflow.aws_db_instance.main
    update module.mlflow.kubernetes_secret_v1.database
    update module.mlflow.kubernetes_deployment_v1.server
    ");
    cloud.up(&another).succeeds();
    cloud.preview(&another).assert_empty();
}
