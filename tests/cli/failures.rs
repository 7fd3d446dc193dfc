//! Applies that fail: the message, and the next run.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use terrane_tests::TestEnvironment;

use crate::stage::{fake, network};

#[test]
fn a_failed_apply_lists_finished_and_unattempted_operations() {
    let stack = network();
    let failing = [
        "--parallelism",
        "1",
        "--var",
        "knobs={\"base\":{\"fail_create\":\"before\"}}",
    ];
    assert_snapshot!(stack.run(&[&["up", "--yes"][..], &failing].concat()), @r#"
    exit: 1
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      + conformance_sdk_thing.base  name = "one", size = 1, fail_create = "before", … (3 more)  tests/cli/stack.rs:<line>
    module.network
        + conformance_sdk_thing.child["a"]  name = "child-a", kind ← conformance_sdk_thing.base.id, … (2 more)  tests/cli/stack.rs:<line>
        + conformance_sdk_thing.child["b"]  name = "child-b", kind ← conformance_sdk_thing.base.id, … (2 more)  tests/cli/stack.rs:<line>

    Outputs:
      + base_id = (known after apply: conformance_sdk_thing.base.id)
      + secret = (sensitive)
      + zones = ["a", "b"]

    Plan: 3 to add, 0 to change, 0 to destroy.
    Not shown: arguments of 3 resources (`--details` shows all)
    --- stderr ---
    conformance_sdk_thing.base: creating…
    conformance_sdk_thing.base: creating failed after <n>s: creating conformance_sdk_thing: failed before the change, as asked
    error: creating conformance_sdk_thing: failed before the change, as asked
      resource   conformance_sdk_thing.base
      declared   tests/cli/stack.rs:<line>

    0 of 3 steps done, 1 failed, 2 not attempted.
    Not attempted:
      module.network.conformance_sdk_thing.child["a"]
      module.network.conformance_sdk_thing.child["b"]
    State serial 1 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    stack.run(&["up", "--yes"]).exits(0);
    let half = [
        "up",
        "--yes",
        "--var",
        "size=4",
        "--var",
        "knobs={\"base\":{\"fail_update\":\"before\"}}",
    ];
    let failed = stack.run(&half).exits(1);
    assert!(failed.stderr.contains("State"), "{failed}");
}

#[test]
fn a_crash_during_apply_leaves_a_doubt_that_a_person_answers() {
    let mut stack = fake(&[("FAKE_FAULT", "apply:panic")]);
    assert_snapshot!(stack.run(&["up", "--yes"]), @r#"
    exit: 3
    --- stdout ---
    test · terrane/fake · state .terrane/test/terraform.tfstate

      + fake_thing.one  name = "one"  tests/cli/stack.rs:<line>

    Plan: 1 to add, 0 to change, 0 to destroy.
    --- stderr ---
    fake_thing.one: creating…
    fake_thing.one: creating failed after <n>s: the provider process ended during ApplyResourceChange
    error: the provider process ended during ApplyResourceChange
      resource   fake_thing.one
      declared   tests/cli/stack.rs:<line>
      | the process ended with exit status: 2
      | panic: assignment to entry in nil map
      |
      | goroutine 42 [running]:
      | main.apply()
    hint: this is a bug in the provider or a kill from outside; its last words are above
    hint: the object may or may not have been created

    0 of 1 step done, 1 failed.
    No response was recorded; the next `up`, `destroy` or `refresh` recovers the operation, or says how to resolve it:
      fake_thing.one
    There is no state at .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    stack.set("FAKE_FAULT", "");
    assert_snapshot!(stack.run(&["preview"]), @r#"
    exit: 0
    --- stderr ---
    warning: fake_thing.one has an unresolved operation: creation requested at <time> by tester@<host>; no response was recorded; no attribute is known by which the object could be found
      resource   fake_thing.one
    hint: if it exists, record its id: `test-stack state resolve 'fake_thing.one' --id 'ID'`
    hint: if it does not exist: `test-stack state resolve 'fake_thing.one' --absent`; the next run creates it
    warning: the plan covers only a part of the stack: unresolved operations left the rest out; exported values may be out of date
    hint: run again when every operation is resolved
    "#);
    assert_snapshot!(stack.run(&["up", "--yes"]), @r"
    exit: 3
    --- stderr ---
    error: fake_thing.one has an unresolved operation: creation requested at <time> by tester@<host>; no response was recorded; no attribute is known by which the object could be found
      resource   fake_thing.one
    hint: if it exists, record its id: `test-stack state resolve 'fake_thing.one' --id 'ID'`
    hint: if it does not exist: `test-stack state resolve 'fake_thing.one' --absent`; the next run creates it
    warning: the plan covers only a part of the stack: unresolved operations left the rest out; exported values may be out of date
    hint: run again when every operation is resolved

    There is no state at .terrane/test/terraform.tfstate; lock released. Took <n>s.
    ");
    assert_snapshot!(stack.run(&["state", "resolve", "fake_thing.one", "--absent"]), @r"
    exit: 0
    --- stderr ---
    fake_thing.one is resolved

    There is no state at .terrane/test/terraform.tfstate; lock released. Took <n>s.
    ");
    assert_snapshot!(stack.run(&["state", "resolve", "fake_thing.one", "--absent"]), @r"
    exit: 1
    --- stderr ---
    error: fake_thing.one has no unresolved operation
    ");
    stack.run(&["up", "--yes"]).exits(0);
}

#[test]
fn garbage_from_a_provider_is_its_bug_and_kept() {
    let stack = fake(&[("FAKE_FAULT", "apply:garble")]);
    assert_snapshot!(stack.run(&["up", "--yes"]), @r#"
    exit: 3
    --- stdout ---
    test · terrane/fake · state .terrane/test/terraform.tfstate

      + fake_thing.one  name = "one"  tests/cli/stack.rs:<line>

    Plan: 1 to add, 0 to change, 0 to destroy.
    --- stderr ---
    fake_thing.one: creating…
    fake_thing.one: creating failed after <n>s: the provider returned an object that cannot be read: expected an object of 4 attributes, found 2
    error: the provider returned an object that cannot be read: expected an object of 4 attributes, found 2
      resource   fake_thing.one
      declared   tests/cli/stack.rs:<line>
    hint: this is a bug in the provider; its answer is kept in the journal
    hint: the object may or may not have been created

    0 of 1 step done, 1 failed.
    No response was recorded; the next `up`, `destroy` or `refresh` recovers the operation, or says how to resolve it:
      fake_thing.one
    There is no state at .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
}

/// Starts an apply, and waits until its first operation is running.
pub(crate) fn until_creating(mut command: Command) -> (Child, BufReader<ChildStderr>) {
    let mut child = command.spawn().expect("a stack program");
    let mut errors = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("creating") {
        line.clear();
        assert!(
            errors.read_line(&mut line).expect("readable") > 0,
            "it ended early"
        );
    }
    (child, errors)
}

/// An apply whose first operation takes its time.
pub(crate) const SLOW: [&str; 4] = [
    "up",
    "--yes",
    "--var",
    "knobs={\"base\":{\"delay\":\"1500ms\"}}",
];

/// Such an apply, begun.
pub(crate) fn slow(stack: &TestEnvironment) -> (Child, BufReader<ChildStderr>) {
    until_creating(stack.command(&SLOW))
}

/// The content of the journal beside the state.
fn journal(stack: &TestEnvironment) -> String {
    let files = std::fs::read_dir(stack.path().join(".terrane/test")).expect("a folder");
    let paths = files.map(|file| file.expect("an entry").path());
    let journals = paths.filter(|path| path.extension().is_some_and(|end| end == "journal"));
    let texts = journals.map(|path| std::fs::read(path).expect("a journal"));
    texts
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn one_interrupt_ends_a_run_in_order() {
    for name in ["INT", "TERM", "HUP"] {
        let stack = network();
        let (mut child, mut errors) = slow(&stack);
        signal(&child, name);
        let mut rest = String::new();
        errors.read_to_string(&mut rest).expect("text");
        assert_eq!(
            child.wait().expect("an end").code(),
            Some(8),
            "{name}: {rest}"
        );
        // The provider gives up its delay when it is asked to stop, unless it was asked before the delay began.
        assert!(rest.contains("2 not attempted"), "{rest}");
        assert!(rest.contains("lock released"), "{rest}");
        // An operation that the provider gave up may have happened all the same.
        let next = stack.run(&["up", "--yes"]);
        let in_doubt = next
            .stderr
            .contains("has an unresolved operation: creation");
        next.exits(if in_doubt { 3 } else { 0 });
    }
}

#[test]
fn a_second_interrupt_leaves_at_once_and_the_next_run_knows() {
    let mut stack = fake(&[("FAKE_FAULT", "apply:hang")]);
    let (mut child, mut errors) = until_creating(stack.command(&["up", "--yes"]));
    // An operation does not begin before its intent is durable, so none is unresolved.
    let started = Instant::now();
    while !journal(&stack).contains("\"intent\"") {
        assert!(started.elapsed() < Duration::from_secs(20), "no intent");
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "INT");
    let mut line = String::new();
    while !line.contains("stopping") {
        line.clear();
        assert!(
            errors.read_line(&mut line).expect("readable") > 0,
            "it ended early"
        );
    }
    signal(&child, "INT");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    stack.set("FAKE_FAULT", "");
    let next = stack.run(&["up", "--yes"]).exits(3);
    assert!(
        next.stderr
            .contains("fake_thing.one has an unresolved operation"),
        "{next}"
    );
}

#[test]
fn a_stack_that_is_being_changed_is_locked() {
    let stack = network();
    let (mut child, mut errors) = slow(&stack);
    let refused = stack.run(&["up", "--yes"]).exits(4);
    assert!(refused.stderr.contains("tester@"), "{refused}");
    // Looking takes no lock.
    stack.run(&["output"]).exits(0);
    errors.read_to_string(&mut String::new()).expect("text");
    assert!(child.wait().expect("an end").success());
}
