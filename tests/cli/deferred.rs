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
