//! The security checklist: each policy holds for the platform, and is broken by a program that breaks it.

use std::collections::BTreeSet;

use serde_json::json;
use terrane::{BlockArguments, ConfigValues, PlannedStack, PolicyOutcome, Resource, Stack};
use terrane_aws::{ec2, eks};
use terrane_testkit::TestStack;

use crate::tests::{PARTS, on, platform};
use crate::{Config, Platform};

#[test]
fn the_checklist_holds_for_every_environment() {
    for flags in [
        &["environment=prod"][..],
        &["environment=dev", "single_nat_gateway=false"],
        &PARTS.map(on).each_ref().map(String::as_str),
    ] {
        for report in platform(flags).plan().policies() {
            assert!(!report.refuses(), "{report:?}");
            let expected = match &*report.name {
                // The default version has grown old, which is a notice.
                "Kubernetes is supported" => PolicyOutcome::Failed,
                // The document has the ARN of a provider that is still to be made.
                "GitHub's roles are for one branch of one repository" => PolicyOutcome::Undecided,
                _ => PolicyOutcome::Passed,
            };
            assert_eq!(report.outcome(), expected, "{report:?}");
        }
        // A plan defers what is in the cluster until there is one; here it is looked at as well.
        let program = platform(flags).program().expect("a program");
        for report in PlannedStack::creating(&program).review() {
            assert!(!report.refuses(), "{report:?}");
        }
    }
}

/// Nodes in public subnets.
fn open_nodes(stack: &mut Stack, platform: &Platform) {
    eks::NodeGroup::builder("open")
        .cluster_name(platform.cluster.cluster.name())
        .node_role_arn("arn:aws:iam::123456789012:role/r")
        .subnet_ids(platform.network.public_subnet_ids())
        .scaling_config(
            eks::node_group::ScalingConfig::builder()
                .desired_size(1)
                .min_size(1)
                .max_size(1),
        )
        .declare(stack);
}

/// Something against each policy of the checklist, beside the platform.
fn breaks_everything(stack: &mut Stack, platform: &Platform) {
    open_nodes(stack, platform);
    ec2::SecurityGroup::builder("open")
        .ingress(
            ec2::security_group::Ingress::builder()
                .protocol("tcp")
                .from_port(22)
                .to_port(22)
                .cidr_blocks(["0.0.0.0/0"]),
        )
        .declare(stack);
    for bare in [
        "aws_s3_bucket",
        "aws_ecr_repository",
        "aws_iam_access_key",
        "aws_eks_cluster",
        "aws_cloudwatch_log_group",
        "aws_vpc",
        "aws_kms_key",
    ] {
        Resource::dynamic(bare, "bare").declare(stack);
    }
    Resource::dynamic("aws_s3_bucket_acl", "open")
        .set("acl", "public-read")
        .declare(stack);
    let issuer = "token.actions.githubusercontent.com";
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{issuer}")},
    }]});
    Resource::dynamic("aws_iam_role", "open")
        .set("assume_role_policy", trust.to_string())
        .declare(stack);
    let spec = json!([{"template": [{"spec": [{"container": [{"name": "root"}]}]}]}]);
    Resource::dynamic("kubernetes_deployment_v1", "root")
        .set("spec", spec)
        .declare(stack);
}

#[test]
fn every_policy_of_the_whole_checklist_refuses_a_program_that_breaks_it() {
    // The policies of secrets, monitoring and MLflow are broken in tests of their own.
    let others = [
        "secrets_manager",
        "monitoring",
        "monitoring_in_cluster",
        "mlflow",
    ];
    let parts = PARTS.into_iter().filter(|part| !others.contains(part));
    let flags: Vec<String> = parts.map(on).collect();
    let mut values = ConfigValues::new();
    for flag in &flags {
        values.add_flag(flag).expect("a flag");
    }
    let config: Config = values.deserialize().expect("a configuration");
    let stack = TestStack::new(move |stack: &mut Stack| {
        let platform = Platform::declare(stack, &config)?;
        breaks_everything(stack, &platform);
        Ok(())
    });
    let program = stack.program().expect("a program");
    let reports = PlannedStack::creating(&program).review();
    let refusing = reports.iter().filter(|report| report.refuses());
    let found: BTreeSet<String> = refusing.map(|report| report.name.to_string()).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let program = platform(&flags).program().expect("a program");
    // One is a notice, and two are about changes of what exists: tests of their own.
    let others = [
        "Kubernetes is supported",
        "Kubernetes goes up one minor version at a time",
        "keys outlive their data",
    ];
    let all: BTreeSet<String> = program
        .policies()
        .iter()
        .map(|policy| policy.name().to_string())
        .filter(|name| !others.contains(&&**name))
        .collect();
    assert_eq!(found, all);
}

#[test]
fn the_checklist_finds_containers_that_run_as_root() {
    let config = Config {
        deploy_application: Some(true),
        ..Config::default()
    };
    let stack = TestStack::new(move |stack: &mut Stack| {
        Platform::declare(stack, &config)?;
        let container = json!([{"name": "root", "security_context": [{"run_as_non_root": false}]}]);
        let spec = json!([{"template": [{"spec": [{"container": container}]}]}]);
        Resource::dynamic("kubernetes_deployment_v1", "root")
            .set("spec", spec)
            .declare(stack);
        Ok(())
    });
    // A real plan defers what is in the cluster until there is one.
    let program = stack.program().expect("a program");
    let reports = PlannedStack::creating(&program).review();
    let refusing = reports.iter().filter(|report| report.refuses());
    let found: Vec<_> = refusing.map(|report| &*report.name).collect();
    assert_eq!(found, ["containers are confined"]);
}

#[test]
fn the_checklist_finds_stored_secrets_silent_alarms_and_open_databases() {
    let config = Config {
        secrets_manager: true,
        monitoring: true,
        mlflow: Some(true),
        backups: true,
        ..Config::default()
    };
    let mut found = broken_with(config, |stack, _| {
        Resource::dynamic("aws_secretsmanager_secret_version", "stored")
            .set("secret_id", "s")
            .set("secret_string", "open sesame")
            .declare(stack);
        Resource::dynamic("aws_cloudwatch_metric_alarm", "silent")
            .set("alarm_name", "silent")
            .declare(stack);
        Resource::dynamic("aws_db_instance", "open")
            .set("instance_class", "db.t4g.micro")
            .set("publicly_accessible", true)
            .declare(stack);
    });
    found.sort();
    assert_eq!(
        found,
        [
            "alarms tell someone",
            "buckets and databases are in a backup",
            "databases are backed up",
            "databases are encrypted",
            "databases are private",
            "secrets are write-only",
        ]
    );
}

#[test]
fn prices_know_the_calendar_that_the_notice_goes_by() {
    use terrane_cost::{PriceTable, Usage, estimate};
    use terrane_policies::eks::calendar::{
        CALENDAR_OF, EXTENDED_SUPPORT_HOURLY, EXTENDED_SUPPORT_MONTHLY, KUBERNETES_VERSIONS,
        Support,
    };

    for version in KUBERNETES_VERSIONS {
        let version = format!("1.{}", version.minor);
        let stack = platform(&[&format!("eks_cluster_version={version}")]);
        let program = stack.program().expect("a program");
        let plan = PlannedStack::creating(&program);
        let region = Some("us-east-1");
        let cost = estimate(&plan, region, &PriceTable::built_in(), &Usage::default());
        let cluster = cost.resources.iter();
        let mut cluster =
            cluster.filter(|one| one.address.to_string() == "module.cluster.aws_eks_cluster.main");
        let parts = &cluster.next().expect("the cluster costs something").parts;
        let extended = parts.iter().find(|part| part.name == "extended support");
        let refused = cost.not_priced.iter();
        let mut refused = refused.filter(|one| one.part.as_deref() == Some("extended support"));
        match Support::of(&version, CALENDAR_OF) {
            Support::Extended { .. } => {
                let extended = extended.expect("a surcharge");
                let amount = extended.after.as_ref().expect("an amount");
                let monthly = amount.cents.to_string();
                assert_eq!(monthly, format!("{EXTENDED_SUPPORT_MONTHLY}.00"));
            }
            Support::Ended { .. } => {
                assert!(refused.next().is_some() && extended.is_none(), "{version}");
            }
            _ => assert!(refused.next().is_none() && extended.is_none(), "{version}"),
        }
    }
    let hourly: f64 = EXTENDED_SUPPORT_HOURLY.parse().expect("a number");
    let monthly: f64 = EXTENDED_SUPPORT_MONTHLY.parse().expect("a number");
    assert!((hourly * 730.0 - monthly).abs() < f64::EPSILON);
}

/// The names of the policies that the platform breaks with this beside it.
fn broken(declare: impl Fn(&mut Stack, &Platform) + Send + Sync + 'static) -> Vec<String> {
    broken_with(Config::default(), declare)
}

/// The same with that configuration.
fn broken_with(
    config: Config,
    declare: impl Fn(&mut Stack, &Platform) + Send + Sync + 'static,
) -> Vec<String> {
    let stack = TestStack::new(move |stack: &mut Stack| {
        let platform = Platform::declare(stack, &config)?;
        declare(stack, &platform);
        Ok(())
    });
    stack.plan().broken_policies()
}

#[test]
fn the_checklist_finds_nodes_in_public_subnets_and_without_a_way_out() {
    let found = broken(|stack, platform| {
        open_nodes(stack, platform);
    });
    assert_eq!(
        found,
        ["nodes are private", "private subnets go out by NAT"]
    );
}

#[test]
fn the_checklist_finds_open_ports_bare_buckets_and_keys() {
    let found = broken(|stack, platform| {
        ec2::SecurityGroupRule::builder("ssh")
            .r#type("ingress")
            .security_group_id(platform.cluster.cluster.name())
            .protocol("tcp")
            .from_port(22)
            .to_port(22)
            .cidr_blocks(["0.0.0.0/0"])
            .declare(stack);
        Resource::dynamic("aws_s3_bucket", "bare").declare(stack);
        Resource::dynamic("aws_ecr_repository", "blind")
            .set("name", "blind")
            .declare(stack);
        Resource::dynamic("aws_iam_access_key", "pod")
            .set("user", "pod")
            .declare(stack);
        Resource::dynamic("aws_eks_cluster", "silent")
            .set("name", "silent")
            .set("role_arn", "arn:aws:iam::123456789012:role/r")
            .push_block(
                "vpc_config",
                BlockArguments::new().set("subnet_ids", platform.network.public_subnet_ids()),
            )
            .declare(stack);
        Resource::dynamic("aws_cloudwatch_log_group", "endless").declare(stack);
    });
    assert_eq!(
        found,
        [
            "clusters have security groups",
            "no ingress from everywhere",
            "buckets block public access",
            "buckets are encrypted with AES256",
            "images are scanned",
            "pods have roles",
            "control planes log",
            "logs expire",
        ]
    );
}
