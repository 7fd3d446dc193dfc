//! What the platform costs, and its security checklist, as people see them in the sandbox.

use insta::assert_snapshot;

use crate::SandboxFolder;

/// The section of a preview under that heading.
fn section(preview: &str, heading: &str) -> String {
    let start = preview
        .find(heading)
        .unwrap_or_else(|| panic!("no {heading}: {preview}"));
    let text = &preview[start..];
    text.split("\n\n").next().unwrap_or(text).to_owned()
}

/// All policies pass but the notice that the default version of Kubernetes has grown old.
#[track_caller]
fn keeps_the_checklist(shown: &str, passed: usize) {
    let policies = section(shown, "Policies:");
    let mut lines = policies.lines();
    let totals = lines.next().expect("totals");
    assert_eq!(
        totals,
        format!("Policies: 1 advisory failed, {passed} passed")
    );
    let notice = lines.next().expect("a notice");
    assert!(
        notice.starts_with("  advice    Kubernetes is supported"),
        "{policies}"
    );
}

fn preview(environment: &str, more: &[&str]) -> String {
    let folder = SandboxFolder::new();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../stacks");
    let file = format!("{root}/{environment}/{environment}.toml");
    let arguments = [&["preview", "--cost", "--var-file", &file], more].concat();
    folder.succeeds(&arguments)
}

#[test]
fn production_costs_about_two_hundred_a_month_and_keeps_the_checklist() {
    let shown = preview("prod", &[]);
    assert_snapshot!(section(&shown, "Cost a month"), @r"
    Cost a month in USD, estimated with prices of 2026-11-28:
           +3.65  module.network.aws_eip.nat[0]
                  public IPv4 address: 730 hours × 0.005 = 3.65
          +32.85  module.network.aws_nat_gateway.main[0]
                  gateway: 730 hours × 0.045 = 32.85
          +73.00  module.cluster.aws_eks_cluster.main
                  control plane: 730 hours × 0.10 = 73.00
          +95.90  module.cluster.aws_eks_node_group.main
                  instances: 2190 hours × 0.0416 = 91.10
                  volumes: 60 GB × 0.08 = 4.80
      205.40 in all
      Not in it:
        module.cluster.aws_cloudwatch_log_group.cluster, logs ingested: the usage file has no `ingested_gb`
        module.cluster.aws_cloudwatch_log_group.cluster, logs stored: the usage file has no `stored_gb`
        module.registry.aws_ecr_repository.api, storage: the usage file has no `stored_gb`
        module.cluster.aws_eks_cluster.main, extended support: EKS offers Kubernetes 1.28 no more: it refuses a new cluster, and upgrades an old one to a version whose extended support costs a surcharge
        module.network.aws_nat_gateway.main[0], data processed: the usage file has no `processed_gb`
        3 × aws_s3_bucket, reads: the usage file has no `gets_thousand`
        3 × aws_s3_bucket, storage: the usage file has no `stored_gb`
        3 × aws_s3_bucket, writes and lists: the usage file has no `puts_thousand`
    ");
    keeps_the_checklist(&shown, 13);
}

/// All that a key switches on, in production.
const EVERYTHING: &str = r#"
eks_addons = true
waf = true
flow_logs = true
guardduty = true
aws_config = true
backups = true
kms = true
deploy_application = true
github_repository = "acme/infra"
secrets_manager = true
monitoring = true
monitoring_in_cluster = true
mlflow = true
"#;

#[test]
fn everything_that_production_can_have_is_one_sum_and_keeps_the_whole_checklist() {
    let folder = SandboxFolder::new();
    let file = folder.folder.path().join("everything.toml");
    std::fs::write(&file, EVERYTHING).expect("writable");
    let file = file.display().to_string();
    let shown = folder.succeeds(&["preview", "--cost", "--var-file", &file]);
    assert_snapshot!(section(&shown, "Cost a month"), @r#"
    Cost a month in USD, estimated with prices of 2026-11-28:
           +1.00  module.keys.aws_kms_key.cluster
                  key: 1 keys × 1.00 = 1.00
           +1.00  module.keys.aws_kms_key.storage
                  key: 1 keys × 1.00 = 1.00
           +3.65  module.network.aws_eip.nat[0]
                  public IPv4 address: 730 hours × 0.005 = 3.65
          +32.85  module.network.aws_nat_gateway.main[0]
                  gateway: 730 hours × 0.045 = 32.85
          +73.00  module.cluster.aws_eks_cluster.main
                  control plane: 730 hours × 0.10 = 73.00
          +95.90  module.cluster.aws_eks_node_group.main
                  instances: 2190 hours × 0.0416 = 91.10
                  volumes: 60 GB × 0.08 = 4.80
           +0.40  module.mlflow.aws_secretsmanager_secret.mlflow-database
                  secret: 1 secrets × 0.40 = 0.40
          +13.98  module.mlflow.aws_db_instance.main
                  instance: 730 hours × 0.016 = 11.68
                  storage: 20 GB × 0.115 = 2.30
           +9.00  module.waf.aws_wafv2_web_acl.main
                  web ACL: 1 ACLs × 5.00 = 5.00
                  rule: 1 rules × 1.00 = 1.00
                  rule: 1 rules × 1.00 = 1.00
                  rule: 1 rules × 1.00 = 1.00
                  rule: 1 rules × 1.00 = 1.00
           +0.40  module.secret.aws_secretsmanager_secret.application
                  secret: 1 secrets × 0.40 = 0.40
           +0.10  module.monitoring.aws_cloudwatch_metric_alarm.nodes
                  alarm: 1 alarms × 0.10 = 0.10
           +0.10  module.monitoring.aws_cloudwatch_metric_alarm.control_plane
                  alarm: 1 alarms × 0.10 = 0.10
           +0.10  module.monitoring.aws_cloudwatch_metric_alarm.nat_errors[0]
                  alarm: 1 alarms × 0.10 = 0.10
           +0.10  module.monitoring.aws_cloudwatch_metric_alarm.bucket_refusals["models"]
                  alarm: 1 alarms × 0.10 = 0.10
           +0.10  module.monitoring.aws_cloudwatch_metric_alarm.bucket_refusals["data"]
                  alarm: 1 alarms × 0.10 = 0.10
           +0.10  module.monitoring.aws_cloudwatch_metric_alarm.bucket_refusals["artifacts"]
                  alarm: 1 alarms × 0.10 = 0.10
           +3.00  module.monitoring.aws_cloudwatch_dashboard.main
                  dashboard: 1 dashboards × 3.00 = 3.00
      234.78 in all
      Not in it:
        module.backups.aws_backup_vault.main, restore points: the usage file has no `stored_gb`
        module.backups.aws_backup_vault.main, restore points of databases: the usage file has no `databases_gb`
        3 × aws_cloudwatch_log_group, logs ingested: the usage file has no `ingested_gb`
        3 × aws_cloudwatch_log_group, logs stored: the usage file has no `stored_gb`
        8 × aws_config_config_rule, evaluations: the usage file has no `evaluations`
        module.recorder.aws_config_configuration_recorder.main, items recorded: the usage file has no `items`
        module.registry.aws_ecr_repository.api, storage: the usage file has no `stored_gb`
        module.cluster.aws_eks_cluster.main, extended support: EKS offers Kubernetes 1.28 no more: it refuses a new cluster, and upgrades an old one to a version whose extended support costs a surcharge
        module.flow_logs.aws_flow_log.main, logs ingested: the usage file has no `ingested_gb`
        module.guard.aws_guardduty_detector.main, events analysed: the usage file has no `events_million`
        module.guard.aws_guardduty_detector.main, logs analysed: the usage file has no `logs_gb`
        2 × aws_kms_key, requests: the usage file has no `requests_10000`
        module.network.aws_nat_gateway.main[0], data processed: the usage file has no `processed_gb`
        4 × aws_s3_bucket, reads: the usage file has no `gets_thousand`
        4 × aws_s3_bucket, storage: the usage file has no `stored_gb`
        4 × aws_s3_bucket, writes and lists: the usage file has no `puts_thousand`
        3 × aws_s3_bucket_metric, metrics of requests: the usage file has no `metrics`
        module.monitoring.aws_sns_topic.alarms, requests: the usage file has no `requests_million`
        module.waf.aws_wafv2_web_acl.main, requests: the usage file has no `requests_million`
        module.prometheus.helm_release.main: the plan leaves it out, or defers it
        2 × kubernetes_service_v1: the plan leaves it out, or defers it
    "#);
    // The documents of GitHub's roles have the ARNs of what is still to be made.
    let policies = section(&shown, "Policies:");
    let totals = "Policies: 1 advisory failed, 1 undecided, 23 passed\n";
    assert!(policies.starts_with(totals), "{policies}");
}

#[test]
fn a_second_nat_gateway_costs_as_much_as_the_first() {
    let shown = preview("prod", &["--var", "single_nat_gateway=false"]);
    let cost = section(&shown, "Cost a month");
    let gateways = cost
        .lines()
        .filter(|line| line.contains("aws_nat_gateway.main["));
    let amounts: Vec<&str> = gateways
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(amounts, ["+32.85", "+32.85"], "{cost}");
}

#[test]
fn staging_costs_less_and_keeps_the_checklist() {
    let shown = preview("staging", &[]);
    assert_snapshot!(section(&shown, "Cost a month"), @"
    Cost a month in USD, estimated with prices of 2026-11-28:
           +3.65  module.network.aws_eip.nat[0]
                  public IPv4 address: 730 hours × 0.005 = 3.65
          +32.85  module.network.aws_nat_gateway.main[0]
                  gateway: 730 hours × 0.045 = 32.85
          +73.00  module.cluster.aws_eks_cluster.main
                  control plane: 730 hours × 0.10 = 73.00
           +3.20  module.cluster.aws_eks_node_group.main
                  volumes: 40 GB × 0.08 = 3.20
      112.70 in all
      Not in it:
        module.backups.aws_backup_vault.main, restore points: the usage file has no `stored_gb`
        module.backups.aws_backup_vault.main, restore points of databases: the usage file has no `databases_gb`
        module.cluster.aws_cloudwatch_log_group.cluster, logs ingested: the usage file has no `ingested_gb`
        module.cluster.aws_cloudwatch_log_group.cluster, logs stored: the usage file has no `stored_gb`
        module.registry.aws_ecr_repository.api, storage: the usage file has no `stored_gb`
        module.cluster.aws_eks_cluster.main, extended support: EKS offers Kubernetes 1.28 no more: it refuses a new cluster, and upgrades an old one to a version whose extended support costs a surcharge
        module.cluster.aws_eks_node_group.main, instances: the price of spot capacity changes by the hour; a table of one's own says it as `ec2.t3.medium.spot`
        module.network.aws_nat_gateway.main[0], data processed: the usage file has no `processed_gb`
        3 × aws_s3_bucket, reads: the usage file has no `gets_thousand`
        3 × aws_s3_bucket, storage: the usage file has no `stored_gb`
        3 × aws_s3_bucket, writes and lists: the usage file has no `puts_thousand`
    ");
    // Backups have a policy of their own.
    keeps_the_checklist(&shown, 14);
}

#[test]
fn development_costs_least_and_keeps_the_checklist() {
    let shown = preview("dev", &[]);
    assert_snapshot!(section(&shown, "Cost a month"), @"
    Cost a month in USD, estimated with prices of 2026-11-28:
           +3.65  module.network.aws_eip.nat[0]
                  public IPv4 address: 730 hours × 0.005 = 3.65
          +32.85  module.network.aws_nat_gateway.main[0]
                  gateway: 730 hours × 0.045 = 32.85
          +73.00  module.cluster.aws_eks_cluster.main
                  control plane: 730 hours × 0.10 = 73.00
           +1.60  module.cluster.aws_eks_node_group.main
                  volumes: 20 GB × 0.08 = 1.60
      111.10 in all
      Not in it:
        module.cluster.aws_cloudwatch_log_group.cluster, logs ingested: the usage file has no `ingested_gb`
        module.cluster.aws_cloudwatch_log_group.cluster, logs stored: the usage file has no `stored_gb`
        module.registry.aws_ecr_repository.api, storage: the usage file has no `stored_gb`
        module.cluster.aws_eks_cluster.main, extended support: EKS offers Kubernetes 1.28 no more: it refuses a new cluster, and upgrades an old one to a version whose extended support costs a surcharge
        module.cluster.aws_eks_node_group.main, instances: the price of spot capacity changes by the hour; a table of one's own says it as `ec2.t3.small.spot`
        module.network.aws_nat_gateway.main[0], data processed: the usage file has no `processed_gb`
        3 × aws_s3_bucket, reads: the usage file has no `gets_thousand`
        3 × aws_s3_bucket, storage: the usage file has no `stored_gb`
        3 × aws_s3_bucket, writes and lists: the usage file has no `puts_thousand`
    ");
    // What is in buckets may be lost here, so their key may as well.
    keeps_the_checklist(&shown, 12);
}

#[test]
fn figures_of_a_usage_file_and_prices_of_ones_own_are_in_the_sum() {
    let folder = SandboxFolder::new();
    let file = |name: &str, text: &str| {
        let path = folder.folder.path().join(name);
        std::fs::write(&path, text).expect("writable");
        path.display().to_string()
    };
    let usage = file("usage.toml", "[aws_nat_gateway]\nprocessed_gb = 100\n");
    let prices = file(
        "prices.toml",
        "date = \"2027-02-01\"\n[regions.us-east-1.prices]\n\"eks.hour\" = 1.0\n",
    );
    let arguments = ["preview", "--cost", "--usage", &usage, "--prices", &prices];
    let cost = section(&folder.succeeds(&arguments), "Cost a month");
    assert!(cost.contains("with prices of 2027-02-01"), "{cost}");
    assert!(
        cost.contains("data processed: 100 GB × 0.045 = 4.50"),
        "{cost}"
    );
    assert!(
        cost.contains("control plane: 730 hours × 1.00 = 730.00"),
        "{cost}"
    );

    folder.succeeds(&["up", "--yes"]);
    let json = folder.succeeds(&[
        "preview",
        "--cost",
        "--json",
        "--var",
        "eks_node_desired_size=4",
    ]);
    let plan: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let cost = &plan["cost"];
    assert_eq!(cost["currency"], "USD");
    // One node more: 730 × 0.0416 for it and 20 × 0.08 for its volume.
    assert_eq!(cost["monthly_change"], 31.97, "{cost}");
    // A part of the stack is no sum of all of it.
    let part = folder.succeeds(&["preview", "--cost", "--target", "module.storage"]);
    let part = section(&part, "Cost a month");
    assert!(
        part.contains("aws_nat_gateway.main[0]: the plan leaves it out"),
        "{part}"
    );

    let wrong = file("wrong.toml", "[aws_nat_gateway]\nprocesed_gb = 1\n");
    let ran = folder.run(&["preview", "--cost", "--usage", &wrong]);
    assert_eq!(ran.code, 64, "{}", ran.err);
    assert!(
        ran.err.contains("did you mean `processed_gb`?"),
        "{}",
        ran.err
    );
}

#[test]
fn a_saved_plan_and_its_run_show_the_costs_of_the_preview() {
    let folder = SandboxFolder::new();
    let cost = |arguments: &[&str]| section(&folder.succeeds(arguments), "Cost a month");
    let previewed = cost(&["preview", "--cost", "--out", "plan"]);
    assert!(previewed.contains("in all"), "{previewed}");
    assert_eq!(cost(&["show", "plan", "--cost"]), previewed);
    assert_eq!(cost(&["up", "plan", "--cost"]), previewed);
    // Another run of the same program keeps what it costs.
    let kept = cost(&["up", "--yes", "--cost"]);
    assert!(!kept.contains('+'), "{kept}");
}

#[test]
fn a_part_of_the_platform_keeps_the_checklist_as_far_as_it_goes() {
    let folder = SandboxFolder::new();
    for target in [
        "module.cluster.aws_eks_node_group.main",
        "module.storage.aws_s3_bucket.main",
    ] {
        let shown = folder.succeeds(&["preview", "--target", target]);
        let policies = section(&shown, "Policies:");
        // A line that begins so is a mandatory policy.
        assert!(!policies.contains("\n  failed"), "{policies}");
    }
}

#[test]
fn advice_about_the_platform_names_what_is_unprotected() {
    let folder = SandboxFolder::new();
    let quiet = folder.run(&["validate"]);
    let advised = folder.run(&["validate", "--lint"]);
    assert_eq!((quiet.code, advised.code), (0, 0), "{}", advised.err);
    let advice = format!("{}{}", advised.out, advised.err);
    let of = |text: &str| advice.matches(text).count();
    assert_eq!(
        of("a change of the program can delete the data in it"),
        4,
        "{advice}"
    );
    assert_eq!(of("is redundant"), 0, "{advice}");
    assert!(!format!("{}{}", quiet.out, quiet.err).contains("can delete the data"));
}
