//! Policies from outside: shown in every format, and a plan that breaks a mandatory one is refused with exit code 9.

use insta::assert_snapshot;
use serde_json::{Value, json};
use terrane_tests::TestEnvironment;

fn guarded() -> TestEnvironment {
    TestEnvironment::new(env!("CARGO_BIN_EXE_guarded-stack"), &[])
}

const BIG: [&str; 2] = ["--var", "size=3"];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

#[test]
fn a_plan_that_breaks_a_mandatory_policy_is_shown_and_refused() {
    let stack = guarded();
    assert_snapshot!(stack.run(&with(&["preview", "--out", "up.plan"], &BIG)), @r"
    exit: 9
    --- stdout ---
    guarded · state .terrane/guarded/terraform.tfstate

      + terraform_data.one  input = 3, triggers_replace = (sensitive)  tests/cli/guarded.rs:<line>
      + terraform_data.big  input = 100  tests/cli/guarded.rs:<line>

    Outputs:
      + big = (known after apply: terraform_data.big.output)
      + one = (known after apply: terraform_data.one.output)

    Policies: 1 failed, 1 undecided, 2 passed
      failed    small  tests/cli/guarded.rs:<line>
          terraform_data.one.input: more than 2  tests/cli/guarded.rs:<line>
          excepted: terraform_data.big.input: more than 2 (it was here before the policy)  tests/cli/guarded.rs:<line>
          hint: pass `--var size=2`
      undecided named  tests/cli/guarded.rs:<line>
          known after apply: terraform_data.one.id: it has no id  tests/cli/guarded.rs:<line>
          known after apply: terraform_data.big.id: it has no id  tests/cli/guarded.rs:<line>

    Plan: 2 to add, 0 to change, 0 to destroy.
    --- stderr ---
    error: the plan is refused by the policy `small`: terraform_data.one.input: more than 2
      declared   tests/cli/guarded.rs:<line>
    hint: pass `--var size=2`
    hint: nothing was changed
    ");
    assert!(!stack.path().join("up.plan").exists());
    let up = stack.run(&with(&["up", "--yes"], &BIG)).exits(9);
    assert_snapshot!(up.stderr, @r"
    error: the plan is refused by the policy `small`: terraform_data.one.input: more than 2
      declared   tests/cli/guarded.rs:<line>
    hint: pass `--var size=2`
    hint: nothing was changed
    ");
    assert_eq!(stack.run(&["state", "list"]).exits(0).stdout, "");
    // The remedy of the hint.
    let hint = up.hinted("--var");
    assert_eq!(hint, "--var size=2");
    stack.run(&["up", "--yes", "--var", "size=2"]).exits(0);
}

#[test]
fn a_broken_advisory_policy_is_shown_and_the_plan_is_applied() {
    let stack = guarded();
    let up = stack.run(&with(&["up", "--yes", "--var", "advisory=true"], &BIG));
    let up = up.exits(0);
    let policies = up.stdout.split("Policies: ").nth(1).expect("policies");
    let policies = policies.split("\n\n").next().expect("a section");
    assert_snapshot!(policies, @r"
    1 advisory failed, 1 undecided, 2 passed
      advice    small  tests/cli/guarded.rs:<line>
          terraform_data.one.input: more than 2  tests/cli/guarded.rs:<line>
          excepted: terraform_data.big.input: more than 2 (it was here before the policy)  tests/cli/guarded.rs:<line>
          hint: pass `--var size=2`
      undecided named  tests/cli/guarded.rs:<line>
          known after apply: terraform_data.one.id: it has no id  tests/cli/guarded.rs:<line>
          known after apply: terraform_data.big.id: it has no id  tests/cli/guarded.rs:<line>
    ");
}

#[test]
fn programs_read_the_results_in_the_plan_and_in_the_lines_of_a_run() {
    let stack = guarded();
    let plan = stack
        .run(&with(&["preview", "--json"], &BIG))
        .exits(9)
        .json();
    let small = &plan["policies"][0];
    assert_eq!(small["name"], "small");
    assert_eq!(small["enforcement"], "mandatory");
    assert_eq!(small["outcome"], "failed");
    assert_eq!(small["hint"], "pass `--var size=2`");
    let [violation] = small["violations"].as_array().expect("a list").as_slice() else {
        panic!("{small}")
    };
    assert_eq!(violation["address"], "terraform_data.one");
    assert_eq!(violation["attribute"], "input");
    assert_eq!(violation["message"], "more than 2");
    assert_eq!(violation["source"]["filename"], "tests/cli/guarded.rs");
    let excepted = &small["excepted"][0];
    assert_eq!(excepted["address"], "terraform_data.big");
    assert_eq!(excepted["reason"], "it was here before the policy");
    // Ids are known after the apply only.
    assert_eq!(plan["policies"][1]["outcome"], "undecided");

    let up = stack.run(&with(&["up", "--yes", "--json"], &BIG)).exits(9);
    let lines = up.stdout.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).expect("JSON lines"))
        .collect();
    let results = lines.iter().filter(|line| line["type"] == "policy_result");
    let results: Vec<_> = results
        .map(|line| {
            (
                &line["@level"],
                &line["policy"]["name"],
                &line["policy"]["outcome"],
            )
        })
        .collect();
    assert_eq!(
        json!(results),
        json!([
            ["error", "small", "failed"],
            ["info", "named", "undecided"],
            ["info", "fresh", "passed"],
            ["info", "kept", "passed"],
        ])
    );
    let error = lines.iter().find(|line| line["type"] == "diagnostic");
    let error = error.expect("a diagnostic");
    assert_eq!(
        error["@message"],
        "Error: the plan is refused by the policy `small`"
    );
}

#[test]
fn a_saved_plan_is_reviewed_again_and_no_message_holds_a_secret() {
    let mut stack = guarded();
    let preview = stack.run(&["preview", "--out", "up.plan"]).exits(0);
    let shown = stack.run(&["show", "up.plan"]).exits(0);
    assert_eq!(shown.stdout, preview.stdout);
    stack.set("TEST_FORBID", "1");
    let refused = stack.run(&["up", "up.plan"]).exits(9);
    assert!(!refused.stderr.contains("hunter2"), "{refused}");
    assert_snapshot!(refused.stderr, @r#"
    error: the plan is refused by the policy `fresh`: terraform_data.one.triggers_replace: dynamic(string: "(sensitive)") is too old
      declared   tests/cli/guarded.rs:<line>
    hint: nothing was changed
    "#);
    // A refused plan is not used up.
    stack.set("TEST_FORBID", "");
    let mut command = stack.command(&["up", "up.plan"]);
    command.env_remove("TEST_FORBID");
    stack
        .finish(command.spawn().expect("a stack program"))
        .exits(0);
}

#[test]
fn a_policy_sees_deletions_and_the_known_values_of_what_stays() {
    let stack = guarded();
    stack.run(&["up", "--yes"]).exits(0);
    // Kept policies of a plan that does nothing are no news.
    let preview = stack.run(&["preview"]).exits(0);
    assert_eq!(
        preview.stdout,
        "guarded · state .terrane/guarded/terraform.tfstate\n\nNo changes. Your infrastructure matches the configuration.\n"
    );
    let more = stack.run(&["preview", "--var", "size=2"]).exits(0);
    assert!(more.stdout.contains("Policies: 4 passed"), "{more}");
    let destroy = stack.run(&["destroy", "--yes"]).exits(9);
    assert!(
        destroy.stderr.contains("terraform_data.big: it holds data"),
        "{destroy}"
    );
    stack.run(&["refresh", "--yes"]).exits(0);
}
