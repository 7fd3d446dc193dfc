//! The messages of a run are true: questions, names, files, reads and writes.

use std::io::Write as _;

use insta::assert_snapshot;
use terrane_tests::TestEnvironment;

use crate::stage::network;
use crate::terminal::{on_a_terminal, read_until};

/// The scene that needs no provider.
fn builtin() -> TestEnvironment {
    let mut stack = network();
    stack.set("TERRANE_VAR_SCENE", "builtin");
    stack
}

#[test]
fn any_other_answer_than_yes_or_no_is_asked_again() {
    let stack = builtin();
    for (answers, code) in [(["maybe", "", "YES"], 0), (["sure", "j", "no"], 1)] {
        let (child, mut terminal) = on_a_terminal(&stack, &["up"]);
        read_until(&mut terminal, "[yes/no/details/graph]");
        for answer in answers {
            writeln!(terminal, "{answer}").expect("a reader");
            if !["YES", "no"].contains(&answer) {
                read_until(
                    &mut terminal,
                    "answer `yes`, `no`, `details`, `details ADDRESS` or `graph`",
                );
            }
        }
        let rest = std::thread::spawn(move || read_until(&mut terminal, "\0"));
        stack.finish(child).exits(code);
        rest.join().expect("no panic");
        stack.run(&["destroy", "--yes"]).exits(0);
    }
}

#[test]
fn an_export_that_is_null_is_null_and_not_missing() {
    let stack = builtin();
    let early = stack.run(&["output", "nothing"]).exits(1);
    assert!(
        early.stderr.contains("run `test-stack up` first"),
        "{early}"
    );
    stack.paste(&early.hinted(" up"), "--yes").exits(0);
    assert_eq!(stack.run(&["output", "nothing"]).exits(0).stdout, "null\n");
    assert_eq!(
        stack.run(&["output", "nothing", "--json"]).exits(0).stdout,
        "null\n"
    );
    assert_snapshot!(stack.run(&["output", "nothing", "--raw"]), @"
    exit: 1
    --- stderr ---
    error: the output `nothing` is null: there is nothing to print
    ");
    assert!(
        stack
            .run(&["output", "unknown"])
            .exits(1)
            .stderr
            .contains("it has output")
    );
}

#[test]
fn a_plan_of_another_stack_is_called_that() {
    let stack = builtin();
    stack.run(&["preview", "--out", "a.plan"]).exits(0);
    let plan = stack.path().join("a.plan");
    let other = TestEnvironment::new(env!("CARGO_BIN_EXE_sandbox-stack"), &[]);
    let refused = other.run(&["up", plan.to_str().expect("text")]).exits(7);
    assert!(
        refused
            .stderr
            .starts_with("error: the plan is for another stack: it is for test, this is "),
        "{refused}"
    );
}

#[test]
fn a_cli_configuration_that_does_not_exist_is_a_warning() {
    let mut stack = builtin();
    stack.set("TF_CLI_CONFIG_FILE", "/nowhere/cli.tfrc");
    let planned = stack.run(&["preview"]).exits(0);
    assert_eq!(
        planned.stderr,
        "warning: the CLI configuration does not exist: TF_CLI_CONFIG_FILE names /nowhere/cli.tfrc\n"
    );
}

#[test]
fn a_destroy_that_shall_not_read_does_not_read() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let folder = stack.objects().join("conformance_sdk_thing");
    std::fs::remove_dir_all(&folder).expect("removable");
    std::fs::create_dir(&folder).expect("a folder");
    let unread = stack.run(&["destroy", "--refresh", "false", "--yes"]);
    assert!(unread.stdout.contains("3 to destroy"), "{unread}");
    assert!(!unread.stdout.contains("it is gone"), "{unread}");
}

#[test]
fn unattempted_operations_are_named_once() {
    let stack = network();
    let knobs = "knobs={\"base\":{\"fail_delete\":\"always\"}}";
    stack.run(&["up", "--yes", "--var", knobs]).exits(0);
    let failed = stack
        .run(&["up", "--yes", "--var", knobs, "--var", "base=two"])
        .exits(1);
    let names = failed
        .stderr
        .split("Not attempted:\n")
        .nth(1)
        .expect("some")
        .lines();
    let names: Vec<&str> = names.take_while(|line| line.starts_with("  ")).collect();
    assert!(!names.is_empty(), "{failed}");
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{failed}");
}
