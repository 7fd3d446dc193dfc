//! Actions of providers, by hand and around operations, and what a provider defers.

use insta::assert_snapshot;
use terrane_tests::{TestEnvironment, go_program};

fn stack() -> TestEnvironment {
    let provider = go_program("terraform-provider-conformance");
    let folder = provider.parent().expect("a folder");
    let providers = [("terrane/conformance", folder), ("terrane/latest", folder)];
    let mut stack = TestEnvironment::new(env!("CARGO_BIN_EXE_test-stack"), &providers);
    stack.set("TERRANE_VAR_SCENE", "waiting");
    stack
}

#[test]
fn what_a_provider_defers_is_named_and_left_and_made_once_it_can_be() {
    let stack = stack();
    let preview = stack.run(&["preview"]).exits(0);
    assert_snapshot!(preview.stdout, @r#"
    test · terrane/conformance · terrane/latest · state .terrane/test/terraform.tfstate

      + conformance_thing.a  name = "a", … (1 more)  tests/cli/stack.rs:<line>

    Actions:
      > action.conformance_note.after  after create of conformance_thing.a

    Deferred by their providers, to be planned when they can be:
      provider latest defers it: something that it needs does not exist yet
        + latest_thing.late  tests/cli/stack.rs:<line>
      it refers to latest_thing.late, which is deferred
        + latest_thing.later  tests/cli/stack.rs:<line>

    Plan: 1 to add, 0 to change, 0 to destroy, 2 deferred.
    Not shown: arguments of 1 resource (`--details` shows all)
    "#);
    let up = stack.run(&["up", "--yes"]).exits(0);
    assert_snapshot!(up.stderr, @"
    conformance_thing.a: creating…
    action.conformance_note.after: invoked
    action.conformance_note.after: made, step 1
    action.conformance_note.after: made, step 2
    action.conformance_note.after: done
    conformance_thing.a: created in <n>s [id=a-<id>]

    Planning the 2 deferred changes again.

    warning: 2 deferred changes are not planned yet: latest_thing.late: provider latest defers it: something that it needs does not exist yet
    hint: `test-stack up` continues, with the same configuration

    State serial 1 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    ");
    // Nothing is left but what the provider defers: no error.
    let again = stack.run(&["up", "--yes"]).exits(0);
    assert_snapshot!(again.stdout, @"
    test · terrane/conformance · terrane/latest · state .terrane/test/terraform.tfstate

    Deferred by their providers, to be planned when they can be:
      provider latest defers it: something that it needs does not exist yet
        + latest_thing.late  tests/cli/stack.rs:<line>
      it refers to latest_thing.late, which is deferred
        + latest_thing.later  tests/cli/stack.rs:<line>

    Plan: 0 to add, 0 to change, 0 to destroy, 2 deferred.
    1 unchanged

    Apply complete! Resources: 0 added, 0 changed, 0 destroyed.
    ");
    assert_snapshot!(again.stderr, @"
    warning: 2 deferred changes are not planned yet: latest_thing.late: provider latest defers it: something that it needs does not exist yet
    hint: `test-stack up` continues, with the same configuration

    State unchanged, serial 1 at .terrane/test/terraform.tfstate; lock released. Took <n>s.
    ");
    let plan = stack.run(&["preview", "--json"]).exits(0).json();
    assert_eq!(plan["complete"], false);
    let reasons = plan["deferred_changes"].as_array().expect("a list").iter();
    let reasons: Vec<_> = reasons.map(|one| one["reason"].as_str()).collect();
    assert_eq!(reasons, [Some("absent_prereq"), Some("deferred_prereq")]);
    std::fs::write(stack.path().join("ready"), "").expect("a writable folder");
    stack.run(&["up", "--yes"]).exits(0);
    assert_eq!(stack.run(&["preview", "--detailed-exitcode"]).code, 0);
}

#[test]
fn an_action_is_invoked_by_hand_under_the_lock_and_its_failure_is_told() {
    let stack = stack();
    let early = stack.run(&["invoke", "action.conformance_note.by_hand", "--yes"]);
    assert_eq!(early.code, 1);
    assert_snapshot!(early.stderr, @"
    error: an action can only be invoked with values that are known: not known now: `text`
      resource   action.conformance_note.by_hand
      declared   tests/cli/stack.rs:<line>
    hint: they refer to an object that does not exist yet; make it first with `test-stack up`
    ");
    stack.run(&["up", "--yes"]).exits(0);
    let asked = stack.run(&["invoke", "action.conformance_note.by_hand"]);
    assert_snapshot!(asked.stderr, @"
    error: confirmation required: there is no terminal to ask on
    hint: pass `--yes`
    ");
    let invoked = stack.run(&["invoke", "action.conformance_note.by_hand", "--yes"]);
    assert_snapshot!(invoked.exits(0).stderr, @"
    action.conformance_note.by_hand: invoked
    action.conformance_note.by_hand: a-<id>, step 1
    action.conformance_note.by_hand: a-<id>, step 2
    action.conformance_note.by_hand: done
    ");
    for name in ["fails", "crashes", "by_hnd"] {
        let action = format!("action.conformance_note.{name}");
        let failed = stack.run(&["invoke", &action, "--yes"]);
        assert_eq!(failed.code, 1, "{name}");
        match name {
            "fails" => assert_snapshot!(failed.stderr, @"
            action.conformance_note.fails: invoked
            action.conformance_note.fails: x, step 1
            action.conformance_note.fails: x, step 2
            action.conformance_note.fails: failed
            error: Noting: no ink
              resource   action.conformance_note.fails
              declared   tests/cli/stack.rs:<line>
            "),
            "crashes" => {
                let last_words = "| panic: crash in the middle of an action, as asked";
                assert!(
                    failed.stderr.contains("ended during InvokeAction"),
                    "{failed}"
                );
                assert!(failed.stderr.contains(last_words), "{failed}");
            }
            _ => assert_snapshot!(failed.stderr, @"
            error: the program declares no action `action.conformance_note.by_hnd`
            hint: did you mean `action.conformance_note.by_hand`?
            "),
        }
    }
    // The lock is free again.
    stack.run(&["up", "--yes"]).exits(0);
}
