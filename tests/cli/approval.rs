//! Plans that are approved by their digest, and the summary for scripts that approve.

use insta::assert_snapshot;
use serde_json::{Value, json};
use terrane_tests::TestEnvironment;

use crate::stage::network;

fn guarded() -> TestEnvironment {
    TestEnvironment::new(env!("CARGO_BIN_EXE_guarded-stack"), &[])
}

fn read(stack: &TestEnvironment, name: &str) -> String {
    std::fs::read_to_string(stack.path().join(name)).expect("a file")
}

fn document(stack: &TestEnvironment, name: &str) -> Value {
    serde_json::from_str(&read(stack, name)).expect("JSON")
}

fn digest(document: &Value) -> String {
    let digest = document["plan_digest"]["sha256"].as_str();
    digest.expect("a digest").to_owned()
}

#[test]
fn every_document_of_a_plan_has_the_digest_that_applies_it_without_a_question() {
    let stack = network();
    let preview = stack.run(&[
        "preview",
        "--json",
        "--json-file",
        "plan.json",
        "--summary-json",
        "summary.json",
        "--markdown",
        "comment.md",
        "--out",
        "up.plan",
    ]);
    let digest = digest(&preview.exits(0).json());
    assert_eq!(digest.len(), 64);
    assert_eq!(self::digest(&document(&stack, "plan.json")), digest);
    assert_eq!(self::digest(&document(&stack, "summary.json")), digest);
    let comment = read(&stack, "comment.md");
    assert!(
        comment.contains(&format!("Digest of the plan: `{digest}`\n")),
        "{comment}"
    );
    let shown = stack.run(&["show", "up.plan", "--json"]).exits(0).json();
    assert_eq!(self::digest(&shown), digest);
    // Source lines, times and the saved file have no part in it.
    stack
        .run(&["preview", "--summary-json", "again.json"])
        .exits(0);
    let again = document(&stack, "again.json");
    assert_eq!(self::digest(&again), digest);
    // Neither a terminal nor `--yes` is needed: the digest says which changes.
    let command = again["apply_command"].as_str().expect("a command");
    assert_eq!(command, format!("test-stack up --plan-digest {digest}"));
    let applied = stack.paste(command, "").exits(0);
    assert!(applied.stdout.contains("Apply complete!"), "{applied}");
    let after = stack.run(&["preview", "--json"]).exits(0).json();
    assert_ne!(self::digest(&after), digest);
}

#[test]
fn another_plan_than_the_approved_one_is_refused_with_what_differs() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let approved = [
        "preview",
        "--var",
        "size=2",
        "--json-file",
        "plan.json",
        "--summary-json",
        "summary.json",
    ];
    stack.run(&approved).exits(0);
    let digest = digest(&document(&stack, "plan.json"));
    // Values of `--var` may be secret, so no command repeats them.
    assert_eq!(document(&stack, "summary.json").get("apply_command"), None);
    let state = read(&stack, ".terrane/test/terraform.tfstate");
    let other = ["--var", "size=3", "--var", "zones=[\"a\"]"];
    let up = |approved: &str, code| {
        let arguments = [&["up", "--plan-digest", approved][..], &other].concat();
        stack.run(&arguments).exits(code).stderr
    };
    let by_digest = up(&digest, 7);
    assert!(
        by_digest.contains(&format!(", and {digest} was approved\n")),
        "{by_digest}"
    );
    assert!(
        by_digest.contains("hint: pass the file of `test-stack preview --json-file FILE` instead"),
        "{by_digest}"
    );
    let by_file = up("plan.json", 7);
    let (first, rest) = by_file.split_once("its digest is ").expect("digests");
    let (_, rest) = rest.split_once(" was approved").expect("both of them");
    assert_snapshot!(format!("{first}…{rest}"), @r#"
    error: this plan is not the one that was approved
      | …
      | conformance_sdk_thing.base: planned with other values
      | module.network.conformance_sdk_thing.child["b"]: not in the approved plan
      | output.zones: not in the approved plan
    hint: nothing was changed; review the plan with `test-stack preview` again, and approve its digest
    "#);
    assert_eq!(read(&stack, ".terrane/test/terraform.tfstate"), state);
    // The remedy: review again, approve again.
    let review = [&["preview", "--json-file", "plan.json"][..], &other].concat();
    stack.run(&review).exits(0);
    up("plan.json", 0);
    // Nothing is left of it, and so it is another plan.
    up("plan.json", 7);
    let wrong = up("no.json", 64);
    assert_snapshot!(wrong, @"
    error: `--plan-digest no.json` names no digest: No such file or directory (os error 2)
    hint: pass the 64 digits of the digest, or a file that `test-stack preview --json-file FILE` wrote
    ");
}

#[test]
fn a_destroy_is_approved_like_an_up_and_a_saved_plan_too() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let arguments = ["preview", "--destroy", "--summary-json", "summary.json"];
    stack.run(&arguments).exits(0);
    let summary = document(&stack, "summary.json");
    let command = summary["apply_command"].as_str().expect("a command");
    assert!(
        command.starts_with("test-stack destroy --plan-digest "),
        "{command}"
    );
    stack.paste(command, "").exits(0);
    stack
        .run(&["preview", "--out", "up.plan", "--json-file", "plan.json"])
        .exits(0);
    let other = stack.run(&["up", "up.plan", "--plan-digest", &"0".repeat(64)]);
    other.exits(7);
    // A refused plan is not used up.
    stack
        .run(&["up", "up.plan", "--plan-digest", "plan.json"])
        .exits(0);
}

#[test]
fn a_summary_names_losses_failed_policies_and_the_end_of_a_run() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let base = ["--var", "base=two", "--summary-json", "summary.json"];
    stack
        .run(
            &[
                &["preview", "--target", "conformance_sdk_thing.base"][..],
                &base,
            ]
            .concat(),
        )
        .exits(0);
    let summary = document(&stack, "summary.json");
    assert_eq!(
        summary["totals"],
        json!({
            "create": 0, "update": 0, "replace": 1, "delete": 0, "read": 0, "forget": 0, "deferred": 0,
            "unchanged": 0, "outputs": 0, "drifted": 0, "moved": 0, "imported": 0,
        })
    );
    assert_eq!(summary["destroyed_or_replaced"]["more"], 0);
    let [loss] = summary["destroyed_or_replaced"]["items"]
        .as_array()
        .expect("a list")
        .as_slice()
    else {
        panic!("{summary}")
    };
    assert_eq!(loss["address"], "conformance_sdk_thing.base");
    assert_eq!(loss["actions"], json!(["delete", "create"]));
    assert_eq!(loss["why"], "name = \"one\" -> \"two\"");
    let source = loss["source"].as_str().expect("a place");
    assert!(source.starts_with("tests/cli/stack.rs:"), "{source}");

    let stack = guarded();
    let refused = ["preview", "--var", "size=3", "--summary-json", "s.json"];
    stack.run(&refused).exits(9);
    let summary = document(&stack, "s.json");
    assert_eq!(summary["policies"]["failed"], 1);
    let failing = &summary["policies"]["failing"]["items"][0];
    assert_eq!(failing["name"], "small");
    assert_eq!(
        failing["examples"],
        json!(["terraform_data.one.input: more than 2"])
    );
    let errors = summary["errors"]["items"].as_array().expect("a list");
    assert_eq!(errors.len(), 1, "{summary}");
    stack
        .run(&["up", "--yes", "--summary-json", "s.json"])
        .exits(0);
    let summary = document(&stack, "s.json");
    assert_eq!(summary["run"]["complete"], true);
    let result = summary["run"]["result"]["items"][0].as_str();
    assert_eq!(
        result,
        Some("Apply complete! Resources: 2 added, 0 changed, 0 destroyed.")
    );
    stack
        .run(&["preview", "--var", "size=x", "--summary-json", "s.json"])
        .exits(64);
    let summary = document(&stack, "s.json");
    assert_eq!(summary.get("totals"), None, "{summary}");
    assert_eq!(summary["stack"], "guarded");
    assert_eq!(summary["errors"]["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_mandatory_policy_that_fails_stops_an_approved_plan_too() {
    let mut stack = guarded();
    stack.run(&["preview", "--json-file", "plan.json"]).exits(0);
    stack.set("TEST_FORBID", "1");
    let refused = stack.run(&["up", "--plan-digest", "plan.json"]).exits(9);
    assert!(
        refused.stderr.contains("refused by the policy `fresh`"),
        "{refused}"
    );
    assert_eq!(stack.run(&["state", "list"]).exits(0).stdout, "");
}

#[test]
fn a_saved_plan_is_shown_in_every_format_that_a_preview_has() {
    let stack = network();
    let files = |name: &str| {
        ["--markdown", "--json-file", "--summary-json"]
            .iter()
            .flat_map(|flag| [(*flag).to_owned(), format!("{name}{flag}")])
            .collect::<Vec<_>>()
    };
    let run = |command: &[&str], name: &str| {
        let command = command.iter().map(ToString::to_string);
        let arguments: Vec<String> = command.chain(files(name)).collect();
        stack.run(&arguments).exits(0).stdout
    };
    let preview = run(&["preview", "--out", "a plan"], "preview");
    assert_eq!(run(&["show", "a plan"], "show"), preview);
    for flag in ["--markdown", "--json-file", "--summary-json"] {
        assert_eq!(
            read(&stack, &format!("show{flag}")),
            read(&stack, &format!("preview{flag}")),
        );
    }
    let comment = read(&stack, "show--markdown");
    let (_, after) = comment.split_once("```sh\n").expect("a command");
    let (command, _) = after.split_once("\n```").expect("its end");
    stack.paste(command, "").exits(0);
    let state = stack.run(&["show", "--markdown", "comment.md"]).exits(64);
    assert_snapshot!(state.stderr, @"
    error: `--markdown` needs a saved plan: without one the state is shown, on stdout alone
    hint: name the file of a plan: `test-stack show PLAN`
    ");
}

/// Every subset of these flags.
fn subsets<'a>(flags: &[&'a [&'a str]]) -> Vec<Vec<&'a str>> {
    flags.iter().fold(vec![vec![]], |sets, flag| {
        let with = sets.iter().map(|set| [set.as_slice(), flag].concat());
        let with: Vec<_> = with.collect();
        sets.into_iter().chain(with).collect()
    })
}

#[test]
fn stdout_holds_the_document_and_nothing_else_whatever_the_flags() {
    let mut stack = guarded();
    let summary = stack.path().join("job.md");
    stack.set("GITHUB_ACTIONS", "true");
    stack.set("GITHUB_STEP_SUMMARY", &summary.display().to_string());
    let beside: [&[&str]; 4] = [
        &["--out", "a.plan"],
        &["--markdown", "comment.md"],
        &["--json-file", "plan.json"],
        &["--summary-json", "summary.json"],
    ];
    let text = stack.run(&["preview"]).exits(0).stdout;
    let json = stack.run(&["preview", "--json"]).exits(0).json();
    let json_of = |text: &str| {
        let mut json: Value = serde_json::from_str(text).expect("one document");
        json["timestamp"] = "2026-11-28T15:00:00Z".into();
        json
    };
    let json = json_of(&json.to_string());
    for flags in subsets(&beside) {
        let shown = stack.run(&[&["preview"][..], &flags].concat()).exits(0);
        assert_eq!(shown.stdout, text, "{flags:?}");
        let shown = stack.run(&[&["preview", "--json"][..], &flags].concat());
        assert_eq!(json_of(&shown.exits(0).stdout), json, "{flags:?}");
    }
    // A failure leaves stdout to the document as well.
    let failed = ["preview", "--json", "--var", "size=3", "--deny", "create"];
    let shown = stack
        .run(&[&failed[..], &beside.concat()].concat())
        .exits(9);
    let plan = json_of(&shown.stdout);
    assert_eq!(plan["policies"][0]["outcome"], "failed");
}
