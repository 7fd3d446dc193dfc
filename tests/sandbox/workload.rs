//! A cluster and its workload in one `up`: preview, both plans, an empty second preview, and the way down.

use insta::assert_snapshot;
use serde_json::Value as Json;
use terrane_tests::filtered;

use super::{Ran, SandboxFolder};

const SHOP: [&str; 2] = ["--var", "program=shop"];

fn shop() -> SandboxFolder {
    SandboxFolder::of("clouds", env!("CARGO_BIN_EXE_clouds-stack"))
}

impl SandboxFolder {
    fn shop(&self, arguments: &[&str]) -> Ran {
        self.run(&[arguments, &SHOP].concat())
    }

    #[track_caller]
    fn shop_succeeds(&self, arguments: &[&str]) -> Ran {
        let ran = self.shop(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.out, ran.err);
        ran
    }

    /// Ends the run by SIGKILL where `place` says.
    #[track_caller]
    fn shop_dies(&self, arguments: &[&str], place: &str) {
        use std::os::unix::process::ExitStatusExt as _;
        let mut command = self.command(&[arguments, &SHOP].concat());
        let output = command.env("TERRANE_CRASH_AT", place).output();
        let status = output.expect("the stack runs").status;
        assert_eq!(status.signal(), Some(9), "{place}: {status}");
    }

    /// The operations on the cloud, in order.
    fn operations(&self) -> Vec<String> {
        let text = self.ledger_text();
        let lines = text.lines().map(|line| {
            let line: Json = serde_json::from_str(line).expect("a line of JSON");
            let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}", word("op"), word("type"))
        });
        lines.collect()
    }
}

/// The part of a text from the line that begins so.
#[track_caller]
fn from_line(text: &str, begin: &str) -> String {
    let lines = text.lines().skip_while(|line| !line.starts_with(begin));
    let part: Vec<&str> = lines.collect();
    assert!(!part.is_empty(), "no line begins with {begin:?}:\n{text}");
    filtered(&part.join("\n"), "/no/folder")
}

#[test]
fn a_cluster_and_the_workload_in_it_are_made_in_one_run() {
    let folder = shop();
    let preview = folder.shop_succeeds(&["preview"]);
    assert_snapshot!(from_line(&preview.out, "Deferred"), @"
    Deferred, to be planned when the other changes are made:
      provider kubernetes is configured by aws_eks_cluster.main.endpoint, known after apply
        + kubernetes_namespace_v1.shop  tests/sandbox/eks.rs:<line>
        + kubernetes_service_account_v1.api  tests/sandbox/eks.rs:<line>
        + kubernetes_deployment_v1.api  tests/sandbox/eks.rs:<line>

    Outputs:
      + endpoint = (known after apply: aws_eks_cluster.main.endpoint)

    Plan: 7 to add, 0 to change, 0 to destroy, 3 deferred.
    Not shown: arguments of 7 resources (`--details` shows all)
    ");

    let up = folder.shop_succeeds(&["up", "--yes"]);
    let said = from_line(&up.err, "The 3 deferred");
    let (said, _) = said.rsplit_once("\n\n").expect("a last line");
    // Without the times.
    let said = said
        .lines()
        .map(|line| line.split(" in ").next().unwrap_or_default());
    assert_snapshot!(said.collect::<Vec<_>>().join("\n"), @"
    The 3 deferred changes can be planned now.

    kubernetes_namespace_v1.shop: creating…
    kubernetes_namespace_v1.shop: created
    kubernetes_service_account_v1.api: creating…
    kubernetes_service_account_v1.api: created
    kubernetes_deployment_v1.api: creating…
    kubernetes_deployment_v1.api: created
    ");
    let (first, second) = up.out.split_once("3 deferred.\n").expect("a first plan");
    assert!(first.contains("+ aws_eks_cluster.main"), "{first}");
    assert!(
        second.contains("+ kubernetes_namespace_v1.shop"),
        "{second}"
    );
    assert!(
        second.contains("Apply complete! Resources: 10 added, 0 changed, 0 destroyed."),
        "{second}"
    );

    let objects = folder.objects();
    let only = |kind: &str| {
        objects[kind]
            .as_object()
            .and_then(|all| all.values().next())
            .expect("one")
            .clone()
    };
    let account = only("kubernetes_service_account_v1");
    let annotation = &account["metadata"][0]["annotations"]["eks.amazonaws.com/role-arn"];
    assert_eq!(annotation, "arn:aws:iam::123456789012:role/shop-api");
    let pod = &only("kubernetes_deployment_v1")["spec"][0]["template"][0]["spec"][0];
    assert_eq!(pod["service_account_name"], "api");

    let again = folder.shop_succeeds(&["preview", "--detailed-exitcode"]);
    assert!(
        again
            .out
            .ends_with("No changes. Your infrastructure matches the configuration.\n"),
        "{}",
        again.out
    );

    let seen = folder.lines();
    folder.shop_succeeds(&["destroy", "--yes"]);
    assert!(folder.objects().is_empty());
    let gone = folder.operations().split_off(seen);
    let place = |kind: &str| {
        gone.iter()
            .position(|op| op.ends_with(kind))
            .expect("a delete")
    };
    let order = [
        "kubernetes_deployment_v1",
        "kubernetes_service_account_v1",
        "kubernetes_namespace_v1",
        "aws_eks_cluster",
        "aws_vpc",
    ];
    let places = order.map(place);
    assert!(places.is_sorted(), "{gone:?}");
}

#[test]
fn machines_are_told_what_is_deferred_and_why() {
    let folder = shop();
    let shown = folder.shop(&[
        "preview",
        "--json",
        "--detailed-exitcode",
        "--markdown",
        "comment.md",
    ]);
    assert_eq!(shown.code, 2, "{}", shown.err);
    let plan: Json = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(plan["complete"], false);
    let deferred = plan["deferred_changes"].as_array().expect("a list");
    assert_snapshot!(serde_json::to_string_pretty(&deferred[0]).expect("JSON"), @r#"
    {
      "reason": "provider_config_unknown",
      "resource_change": {
        "address": "kubernetes_namespace_v1.shop",
        "change": {
          "actions": [
            "create"
          ],
          "after_sensitive": false,
          "after_unknown": true,
          "before": null,
          "before_sensitive": false
        },
        "mode": "managed",
        "name": "shop",
        "provider_name": "registry.opentofu.org/hashicorp/kubernetes",
        "source": {
          "filename": "tests/sandbox/eks.rs",
          "line": 88
        },
        "type": "kubernetes_namespace_v1"
      }
    }
    "#);
    let reasons: Vec<_> = deferred.iter().map(|one| one["reason"].as_str()).collect();
    assert_eq!(reasons, [Some("provider_config_unknown"); 3]);
    let comment = folder.folder.path().join("comment.md");
    let comment = std::fs::read_to_string(comment).expect("a comment");
    assert_snapshot!(comment.split_once("**Plan:").expect("totals").1.split_once("\n\n| |").expect("a table").0, @"
     7 to add, 0 to change, 0 to destroy, 3 deferred.**

    **Deferred, to be planned when the other changes are made:**

    `provider kubernetes is configured by aws_eks_cluster.main.endpoint, known after apply`:

    - `+` `kubernetes_namespace_v1.shop`
    - `+` `kubernetes_service_account_v1.api`
    - `+` `kubernetes_deployment_v1.api`
    ");

    let up = folder.shop_succeeds(&["up", "--yes", "--json"]);
    let lines = up
        .out
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    let told: Vec<String> = lines
        .filter(|line| {
            ["change_summary", "deferred_change"]
                .contains(&line["type"].as_str().unwrap_or_default())
        })
        .map(|line| line["@message"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_snapshot!(told.join("\n"), @"
    kubernetes_namespace_v1.shop: Deferred (provider kubernetes is configured by aws_eks_cluster.main.endpoint, known after apply)
    kubernetes_service_account_v1.api: Deferred (provider kubernetes is configured by aws_eks_cluster.main.endpoint, known after apply)
    kubernetes_deployment_v1.api: Deferred (provider kubernetes is configured by aws_eks_cluster.main.endpoint, known after apply)
    Plan: 7 to add, 0 to change, 0 to destroy, 3 deferred.
    Plan: 3 to add, 0 to change, 0 to destroy.
    Apply complete! Resources: 10 added, 0 changed, 0 destroyed.
    ");
}

#[test]
fn a_saved_plan_is_applied_as_far_as_it_goes_and_the_printed_command_continues() {
    let folder = shop();
    folder.shop_succeeds(&["preview", "--out", "plan"]);
    let up = folder.run(&["up", "plan"]);
    let said = from_line(&up.err, "warning");
    assert_snapshot!(said.split("\n\n").next().unwrap_or_default(), @"
    warning: 3 deferred changes are not planned yet: the changes before are made and recorded
    hint: `clouds-stack up --sandbox` continues, with the same configuration
    ");
    assert!(!folder.objects().contains_key("kubernetes_namespace_v1"));
    folder.shop_succeeds(&["up", "--yes"]);
    folder.shop_succeeds(&["preview", "--detailed-exitcode"]);
}

#[test]
fn a_run_that_is_killed_while_it_makes_the_workload_is_recovered() {
    // The answer about the namespace, the account, or the deployment is lost; or the second plan.
    for place in [
        "reply.received:8:kill",
        "reply.received:10:kill",
        "plan.made:2:kill",
    ] {
        let folder = shop();
        folder.shop_dies(&["up", "--yes"], place);
        let next = folder.shop(&["up", "--yes"]);
        if place.starts_with("reply") {
            // A namespace or a deployment says not who made it: a person does, by the printed command.
            assert_eq!(next.code, 3, "{place}\n{}", next.err);
            let hint = from_line(&next.err, "hint: if it exists");
            let words = hint
                .split('`')
                .nth(1)
                .expect("a command")
                .split(' ')
                .skip(1);
            let words = words.map(|word| word.trim_matches('\''));
            let resolve: Vec<&str> = words.filter(|word| *word != "--sandbox").collect();
            folder.shop_succeeds(&resolve);
            folder.shop_succeeds(&["up", "--yes"]);
        } else {
            assert_eq!(next.code, 0, "{place}\n{}", next.err);
        }
        let made = folder.operations();
        for kind in [
            "kubernetes_namespace_v1",
            "kubernetes_deployment_v1",
            "aws_eks_cluster",
        ] {
            let count = made
                .iter()
                .filter(|op| op.starts_with("create") && op.ends_with(kind))
                .count();
            assert_eq!(count, 1, "{place}: {kind}");
        }
        folder.shop_succeeds(&["preview", "--detailed-exitcode"]);
        folder.shop_succeeds(&["destroy", "--yes"]);
        assert!(folder.objects().is_empty());
    }
}

#[test]
fn twenty_regions_from_a_loop_are_served_by_a_few_processes() {
    let folder = shop();
    let regions = |arguments: &[&str]| {
        let arguments = [arguments, &["--var", "program=regions"]].concat();
        let mut command = folder.command(&arguments);
        let output = command.env("TERRANE_PROVIDER_PROCESSES", "8").output();
        let output = output.expect("the stack runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.success(), "{arguments:?}\n{said}");
        String::from_utf8(output.stdout).expect("text")
    };
    let up = regions(&["up", "--yes"]);
    assert!(up.contains("Resources: 21 added"), "{up}");
    assert_eq!(
        folder.objects()["aws_vpc"].as_object().map(|all| all.len()),
        Some(21)
    );
}

#[test]
fn a_number_of_processes_that_is_none_is_refused() {
    let folder = shop();
    let mut command = folder.command(&["preview", "--var", "program=shop"]);
    let output = command.env("TERRANE_PROVIDER_PROCESSES", "none").output();
    let output = output.expect("the stack runs");
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8(output.stderr).expect("text");
    assert_snapshot!(said, @"
    error: `TERRANE_PROVIDER_PROCESSES` is not a number of processes: `none`: invalid digit found in string
    hint: unset it, or say `TERRANE_PROVIDER_PROCESSES=8`
    ");
}
