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
    keeps_the_checklist(&shown, 12);
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
        module.cluster.aws_cloudwatch_log_group.cluster, logs ingested: the usage file has no `ingested_gb`
        module.cluster.aws_cloudwatch_log_group.cluster, logs stored: the usage file has no `stored_gb`
        module.registry.aws_ecr_repository.api, storage: the usage file has no `stored_gb`
        module.cluster.aws_eks_cluster.main, extended support: EKS offers Kubernetes 1.28 no more: it refuses a new cluster, and upgrades an old one to a version whose extended support costs a surcharge
        module.cluster.aws_eks_node_group.main, instances: the price of spot capacity changes by the hour
        module.network.aws_nat_gateway.main[0], data processed: the usage file has no `processed_gb`
        3 × aws_s3_bucket, reads: the usage file has no `gets_thousand`
        3 × aws_s3_bucket, storage: the usage file has no `stored_gb`
        3 × aws_s3_bucket, writes and lists: the usage file has no `puts_thousand`
    ");
    // Backups have a policy of their own.
    keeps_the_checklist(&shown, 13);
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
        module.cluster.aws_eks_node_group.main, instances: the price of spot capacity changes by the hour
        module.network.aws_nat_gateway.main[0], data processed: the usage file has no `processed_gb`
        3 × aws_s3_bucket, reads: the usage file has no `gets_thousand`
        3 × aws_s3_bucket, storage: the usage file has no `stored_gb`
        3 × aws_s3_bucket, writes and lists: the usage file has no `puts_thousand`
    ");
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
