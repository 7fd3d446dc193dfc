//! A program that ends at a value which only a plan knows: every command says what it does about it.

use insta::assert_snapshot;
use terrane_tests::TestEnvironment;

use crate::stage::fake;

/// Subnets in as many zones as an attribute has.
fn counted() -> TestEnvironment {
    let mut stack = fake(&[]);
    stack.set("TERRANE_VAR_SCENE", "counted");
    stack
}

const OTHERS: [&str; 2] = ["--var", r#"zones=["b","c"]"#];

/// A text without the lines of the program in it.
fn without_places(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.map(|line| match line.split_once("tests/cli/stack.rs:") {
        Some((before, _)) => format!("{before}tests/cli/stack.rs"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plan_has_all_that_the_value_decides() {
    let stack = counted();
    let preview = stack.run(&["preview"]).exits(0);
    assert!(preview.stdout.contains("3 to add"), "{}", preview.stdout);
    stack.run(&["up", "--yes"]).exits(0);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    let preview = stack.run(&[&["preview"][..], &OTHERS].concat()).exits(0);
    let totals = preview
        .stdout
        .lines()
        .find(|line| line.starts_with("Plan:"));
    assert_snapshot!(totals.unwrap_or_default(), @"Plan: 1 to add, 1 to change, 1 to destroy.");
    stack.run(&["refresh", "--yes"]).exits(0);
    stack.run(&["destroy", "--yes"]).exits(0);
    assert_eq!(stack.run(&["state", "list"]).stdout, "");
    // The state is empty now, and a second time there is nothing to do.
    stack.run(&["destroy", "--yes"]).exits(0);
}

#[test]
fn a_saved_plan_is_applied_with_the_values_that_it_was_made_with() {
    let stack = counted();
    let zones = ["--out", "plan"];
    let saved = [&["preview"][..], &OTHERS, &zones].concat();
    stack.run(&saved).exits(0);
    let shown = stack.run(&["show", "plan"]).exits(0);
    assert!(
        shown.stdout.contains(r#"terraform_data.subnet["c"]"#),
        "{}",
        shown.stdout
    );
    stack.run(&["graph", "plan"]).exits(0);
    stack.run(&["up", "plan"]).exits(0);
    let again = [&["preview", "--detailed-exitcode"][..], &OTHERS].concat();
    stack.run(&again).exits(0);
}

#[test]
fn what_makes_no_plan_says_that_it_knows_a_part() {
    let stack = counted();
    let validated = stack.run(&["validate"]).exits(0);
    assert_snapshot!(without_places(&validated.stderr), @"
    warning: only a part of the program was checked: what comes after this line needs terraform_data.network.input, which only a plan knows
      declared   tests/cli/stack.rs
    hint: `test-stack preview` checks all of it
    ");
    let drawn = stack.run(&["graph"]);
    assert_ne!(drawn.code, 0);
    assert_snapshot!(without_places(&drawn.stderr), @"
    error: only a plan knows the whole program: what comes after this line needs terraform_data.network.input
      declared   tests/cli/stack.rs
    hint: `test-stack preview --out FILE` makes a plan
    ");
}

#[test]
fn an_object_is_imported_under_an_address_that_a_value_decides() {
    let stack = counted();
    let import = [
        "import",
        r#"terraform_data.subnet["a"]"#,
        "some-id",
        "--yes",
    ];
    stack.run(&import).exits(0);
    let listed = stack.run(&["state", "list"]).exits(0);
    assert_eq!(listed.stdout, "terraform_data.subnet[\"a\"]\n");
}
