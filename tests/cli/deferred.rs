//! A run of two plans: each is asked for, and an end between them loses nothing.

use std::io::Write as _;

use insta::assert_snapshot;
use terrane_tests::TestEnvironment;

use crate::stage::fake;
use crate::terminal::{on_a_terminal, read_until};

const QUESTION: &str = "[yes/no/details/graph]";

/// A thing, and another whose provider the first one configures.
fn within() -> TestEnvironment {
    let mut stack = fake(&[]);
    stack.set("TERRANE_VAR_SCENE", "nothing");
    stack.set("TERRANE_VAR_NAMED", "true");
    stack
}

#[test]
fn each_plan_of_a_run_is_asked_for() {
    let stack = within();
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up"]);
    for _ in 0..2 {
        read_until(&mut terminal, QUESTION);
        terminal.write_all(b"yes\n").expect("writable");
    }
    let rest = read_until(&mut terminal, "no such text");
    assert_eq!(child.wait().expect("an end").code(), Some(0), "{rest}");
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_no_to_the_second_plan_keeps_the_first_and_the_printed_command_continues() {
    let stack = within();
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up"]);
    read_until(&mut terminal, QUESTION);
    terminal.write_all(b"yes\n").expect("writable");
    read_until(&mut terminal, QUESTION);
    terminal.write_all(b"no\n").expect("writable");
    let rest = read_until(&mut terminal, "no such text");
    assert_eq!(child.wait().expect("an end").code(), Some(1), "{rest}");
    for text in [
        "1 deferred change is not planned yet",
        "not confirmed: the changes before are made and recorded",
        "`test-stack up` continues",
    ] {
        assert!(rest.contains(text), "{text:?} is not in {rest}");
    }
    assert_eq!(stack.run(&["state", "list"]).stdout, "fake_thing.outer\n");
    stack.run(&["up", "--yes"]).exits(0);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
}

#[test]
fn an_interrupt_at_the_second_question_keeps_the_first_plan() {
    let stack = within();
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up"]);
    read_until(&mut terminal, QUESTION);
    terminal.write_all(b"yes\n").expect("writable");
    read_until(&mut terminal, QUESTION);
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
    let rest = read_until(&mut terminal, "no such text");
    assert_eq!(child.wait().expect("an end").code(), Some(8), "{rest}");
    let told = "interrupted: the changes before are made and recorded";
    assert!(rest.contains(told), "{rest}");
    stack.run(&["up", "--yes"]).exits(0);
}

#[test]
fn a_run_that_fails_says_what_it_did_not_plan() {
    let mut stack = within();
    stack.set("FAKE_FAULT", "apply:garble");
    let up = stack.run(&["up", "--yes"]);
    assert_ne!(up.code, 0, "{}", up.stderr);
    let lines = up.stderr.lines();
    let told: Vec<&str> = lines.filter(|line| line.contains("deferred")).collect();
    assert_snapshot!(told.join("\n"), @"warning: 1 deferred change is not planned yet: the changes before are made and recorded");
}

/// A module that takes a list which the stack makes.
fn waves() -> TestEnvironment {
    let mut stack = fake(&[]);
    stack.set("TERRANE_VAR_SCENE", "waves");
    stack
}

/// One zone as the configuration has it, and another.
const OTHERS: [&str; 2] = ["--var", r#"zones=["b","c"]"#];

/// The part of a text that tells what is deferred, without lines of the program.
fn deferred_part(text: &str) -> String {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("Deferred"));
    let lines = lines.map(|line| line.split("  tests/").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_module_that_takes_a_value_is_shown_as_deferred_and_made_in_the_same_run() {
    let stack = waves();
    let preview = stack.run(&["preview"]).exits(0);
    assert_snapshot!(deferred_part(&preview.stdout), @"
    Deferred, to be planned when the other changes are made:
      it takes terraform_data.network.output, known after apply
        + module.subnets

    Plan: 1 to add, 0 to change, 0 to destroy, 1 deferred.
    ");
    let json = stack.run(&["preview", "--json"]).exits(0).json();
    assert_snapshot!(json["deferred_modules"], @r#"[{"actions":["create"],"address":"module.subnets","detail":"it takes terraform_data.network.output, known after apply","reason":"instance_count_unknown"}]"#);
    assert_eq!(json["complete"], false);
    stack.run(&["up", "--yes"]).exits(0);
    assert_eq!(stack.run(&["output", "subnets"]).exits(0).stdout, "\"2\"\n");
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    // The list changes in place: it is known again when it has changed.
    let preview = stack.run(&[&["preview"][..], &OTHERS].concat()).exits(0);
    assert_snapshot!(deferred_part(&preview.stdout), @r#"
    Deferred, to be planned when the other changes are made:
      it stays as it is until module.subnets is planned
        ~ module.subnets.terraform_data.subnet["a"]
        ~ module.subnets.terraform_data.subnet["b"]
      it takes terraform_data.network.output, known after apply
        ~ module.subnets

    Plan: 0 to add, 1 to change, 0 to destroy, 3 deferred.
    "#);
    stack
        .run(&[&["up", "--yes"][..], &OTHERS].concat())
        .exits(0);
    let preview = [&["preview", "--detailed-exitcode"][..], &OTHERS].concat();
    stack.run(&preview).exits(0);
    let list = stack.run(&["state", "list"]).exits(0);
    assert_snapshot!(list.stdout, @r#"
    terraform_data.network
    module.subnets.terraform_data.subnet["b"]
    module.subnets.terraform_data.subnet["c"]
    "#);
    stack.run(&["destroy", "--yes"]).exits(0);
    assert_eq!(stack.run(&["state", "list"]).stdout, "");
}

#[test]
fn a_saved_plan_with_a_deferred_module_names_the_command_that_continues() {
    let stack = waves();
    stack.run(&["preview", "--out", "first"]).exits(0);
    let up = stack.run(&["up", "first"]).exits(0);
    let mut told = up
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("warning"));
    assert_snapshot!(told.next().unwrap_or_default(), @"warning: 1 deferred module is not planned yet: the changes before are made and recorded");
    assert_snapshot!(told.next().unwrap_or_default(), @"hint: `test-stack up` continues, with the same configuration");
    // The second wave is a plan of its own, with the value that it was made with.
    let saved = stack.run(&["preview", "--out", "second"]).exits(0);
    assert!(saved.stdout.contains("2 to add"), "{}", saved.stdout);
    let shown = stack.run(&["show", "second"]).exits(0);
    assert!(shown.stdout.contains("module.subnets"), "{}", shown.stdout);
    stack.run(&["up", "second"]).exits(0);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_death_between_two_waves_loses_nothing_and_the_next_run_goes_on() {
    let stack = waves();
    let mut killed = stack.command(&["up", "--yes"]);
    killed.env("TERRANE_CRASH_AT", "plan.made:2:kill");
    let killed = killed.output().expect("the stack runs");
    assert!(!killed.status.success());
    let list = stack.run(&["state", "list"]);
    assert_eq!(list.stdout, "terraform_data.network\n", "{}", list.stderr);
    stack
        .run(&[&["up", "--yes"][..], &OTHERS].concat())
        .exits(0);
    let list = stack.run(&["state", "list"]).exits(0);
    assert_snapshot!(list.stdout, @r#"
    terraform_data.network
    module.subnets.terraform_data.subnet["b"]
    module.subnets.terraform_data.subnet["c"]
    "#);
}
