//! Objects that go to another address or to the state of another stack: the hints that offer it, and deaths on the way.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use terrane_tests::{Output, TestEnvironment};

use crate::stage::network;

/// A program that declares nothing.
const NOTHING: [&str; 2] = ["--var", "scene=nothing"];
/// One that declares two objects of the built-in provider.
const BUILTIN: [&str; 2] = ["--var", "scene=builtin"];

/// Two stacks: one with two objects, whose program has let them go, and one with nothing.
fn two_stacks() -> TestEnvironment {
    let stack = TestEnvironment::new(env!("CARGO_BIN_EXE_test-stack"), &[]);
    run(&stack, "one", BUILTIN, &["up", "--yes"]).exits(0);
    stack
}

fn arguments(state: &str, program: [&str; 2], words: &[&str]) -> Vec<String> {
    let state = format!("{state}.tfstate");
    let all = words.iter().copied().chain(["--backend", &state]);
    all.chain(program).map(str::to_owned).collect()
}

fn run(stack: &TestEnvironment, state: &str, program: [&str; 2], words: &[&str]) -> Output {
    stack.run(&arguments(state, program, words))
}

const MOVE: [&str; 6] = [
    "state",
    "mv",
    "--to",
    "two.tfstate",
    "terraform_data.first",
    "terraform_data.second",
];

fn move_them(stack: &TestEnvironment) -> Output {
    let words: Vec<&str> = MOVE.into_iter().chain(["--yes"]).collect();
    run(stack, "one", NOTHING, &words)
}

fn listed(stack: &TestEnvironment, state: &str) -> BTreeSet<String> {
    let listed = run(stack, state, NOTHING, &["state", "list"]).exits(0);
    listed.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn objects_move_to_the_state_of_another_stack_and_neither_plans_an_operation() {
    let stack = two_stacks();
    assert_snapshot!(move_them(&stack), @"
    exit: 0
    --- stdout ---
      ~ terraform_data.first  [id=<uuid>]
      ~ terraform_data.second  [id=<uuid>]

    2 instances move to the state at two.tfstate.
    --- stderr ---
    proved: this program plans nothing after the move

    State serial 2 written to one.tfstate; lock released. Took <n>s.
    the other stack has them now; its `preview` shows whether it would change anything, at two.tfstate
    ");
    assert!(listed(&stack, "one").is_empty());
    assert_eq!(listed(&stack, "two").len(), 2);
    let here = run(&stack, "one", NOTHING, &["up", "--yes", "--json"]).exits(0);
    assert!(!here.stdout.contains("apply_start"), "{}", here.stdout);
    let there = run(&stack, "two", BUILTIN, &["up", "--yes", "--json"]).exits(0);
    assert!(!there.stdout.contains("apply_start"), "{}", there.stdout);
    run(&stack, "two", BUILTIN, &["preview", "--detailed-exitcode"]).exits(0);
    // Back again, from the other program.
    let back = [
        "state",
        "mv",
        "--to",
        "one.tfstate",
        "terraform_data.first",
        "--yes",
        "--json",
    ];
    assert_snapshot!(run(&stack, "two", NOTHING, &back), @r#"
    exit: 0
    --- stdout ---
    {"moved":["terraform_data.first"],"to":"one.tfstate","dependents":["terraform_data.second"],"serial":3}
    --- stderr ---
    proved: after the move this program plans nothing but 1 change that it planned before
    the other stack has them now; its `preview` shows whether it would change anything, at one.tfstate
    "#);
}

#[test]
fn a_move_that_would_make_something_twice_or_over_something_else_is_refused() {
    let stack = two_stacks();
    let words: Vec<&str> = MOVE.into_iter().chain(["--yes"]).collect();
    assert_snapshot!(run(&stack, "one", BUILTIN, &words), @"
    exit: 1
    --- stderr ---
    error: the program of this stack still declares terraform_data.first: the next `up` would make it again
      resource   terraform_data.first
      declared   tests/cli/stack.rs:<line>
    hint: move the declaration to the program of the other stack first

    error: the program of this stack still declares terraform_data.second: the next `up` would make it again
      resource   terraform_data.second
      declared   tests/cli/stack.rs:<line>
    hint: move the declaration to the program of the other stack first
    ");
    run(&stack, "two", BUILTIN, &["up", "--yes"]).exits(0);
    assert_snapshot!(move_them(&stack), @"
    exit: 1
    --- stderr ---
    error: cannot move them to two.tfstate: terraform_data.first is in the other state already
    hint: give that one another address in the other state, or take it out there; nothing was changed
    ");
    let itself = [
        "state",
        "mv",
        "--to",
        "./one.tfstate",
        "terraform_data.first",
        "--yes",
    ];
    assert_snapshot!(run(&stack, "one", NOTHING, &itself), @"
    exit: 64
    --- stderr ---
    error: both states are the same
    hint: to move within a state, leave `--to` out: `test-stack state mv FROM TO --backend 'one.tfstate'`
    ");
    let nothing = [
        "state",
        "mv",
        "--to",
        "two.tfstate",
        "terraform_data.frist",
        "--yes",
    ];
    assert_snapshot!(run(&stack, "one", NOTHING, &nothing), @"
    exit: 1
    --- stderr ---
    error: terraform_data.frist is not in the state
    hint: did you mean `terraform_data.first`?
    ");
    let one = ["state", "mv", "terraform_data.first", "--yes"];
    assert_snapshot!(run(&stack, "one", NOTHING, &one), @"
    exit: 64
    --- stderr ---
    error: `state mv` takes the present address and the new one
    hint: `test-stack state mv FROM TO --backend 'one.tfstate'`; to another stack: `test-stack state mv --to BACKEND ADDR… --backend 'one.tfstate'`
    ");
    assert_eq!(listed(&stack, "one").len(), 2);
}

#[test]
fn a_command_that_dies_on_the_way_is_finished_by_the_next_one() {
    let mut ends = BTreeSet::new();
    for place in ["segment.stored", "checkpoint.stored"] {
        for nth in 1..6 {
            let stack = two_stacks();
            let words: Vec<&str> = MOVE.into_iter().chain(["--yes"]).collect();
            let mut command = stack.command(&arguments("one", NOTHING, &words));
            command.env("TERRANE_CRASH_AT", format!("{place}:{nth}:kill"));
            let died = stack.finish(command.spawn().expect("a stack program"));
            if died.code == 0 {
                break;
            }
            // The first command of the stack that they leave.
            let next = run(
                &stack,
                "one",
                NOTHING,
                &["state", "rm", "module.nothing", "--yes"],
            );
            for end in ["finished an interrupted move", "never arrived there"] {
                if next.stderr.contains(end) {
                    ends.insert(end);
                }
            }
            let (here, there) = (listed(&stack, "one"), listed(&stack, "two"));
            assert_eq!(
                here.len() + there.len(),
                2,
                "{place}:{nth}: {here:?} {there:?}"
            );
            assert!(here.is_empty() || there.is_empty(), "{place}:{nth}");
            if there.is_empty() {
                move_them(&stack).exits(0);
            }
            assert_eq!(listed(&stack, "two").len(), 2, "{place}:{nth}");
        }
    }
    assert_eq!(ends.len(), 2, "{ends:?}");
}

#[test]
fn a_move_that_was_interrupted_is_told_by_a_preview_with_the_command_that_finishes_it() {
    let words: Vec<&str> = MOVE.into_iter().chain(["--yes"]).collect();
    let died = |nth: usize| {
        let stack = two_stacks();
        let mut command = stack.command(&arguments("one", NOTHING, &words));
        command.env("TERRANE_CRASH_AT", format!("segment.stored:{nth}:kill"));
        stack.finish(command.spawn().expect("a stack program"));
        stack
    };
    // They have arrived in the other state, and are still in this one.
    let are_in_both = |stack: &TestEnvironment| {
        listed(stack, "one").len() == 2 && listed(stack, "two").len() == 2
    };
    let stack = (1..6).map(died).find(are_in_both).expect("a death between");
    let there = run(&stack, "two", BUILTIN, &["preview"]).exits(0);
    assert_snapshot!(told(&there), @"
    warning: a move of 2 instances from <dir>/one.tfstate was interrupted: begun at <time> by tester@<host>; they are here, and in that state, too, until it is finished
    hint: the program of that stack finishes it: its preview does with `--lock`
    ");
    let here = run(&stack, "one", NOTHING, &["preview"]).exits(0);
    assert_snapshot!(told(&here), @"
    warning: a move of 2 instances to <dir>/two.tfstate was interrupted: begun at <time> by tester@<host>: terraform_data.first, terraform_data.second; until it is finished they are in both states, or in this one alone
    hint: finish it with `test-stack preview --lock --backend 'one.tfstate'`, as every command does that takes the lock
    ");
    let finished = stack.paste(&here.hinted("preview --lock"), "--var scene=nothing");
    assert!(
        finished.stderr.contains("finished an interrupted move"),
        "{finished}"
    );
    for (state, program) in [("one", NOTHING), ("two", BUILTIN)] {
        let preview = run(&stack, state, program, &["preview"]);
        assert_eq!(told(&preview.exits(0)), "");
    }
}

/// What was said of interrupted moves.
fn told(run: &Output) -> String {
    let lines = run
        .stderr
        .lines()
        .skip_while(|line| !line.contains("a move of"));
    let of_it = |line: &&str| line.starts_with("warning: ") || line.starts_with("hint: ");
    lines.take_while(of_it).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_command_that_a_detected_rename_offers_leaves_nothing_to_do() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    // As if the program had been changed: the state has the old name.
    stack
        .run(&["state", "mv", "module.network", "module.old", "--yes"])
        .exits(0);
    let preview = stack.run(&["preview"]).exits(0);
    assert_snapshot!(preview.hinted("state mv"), @"test-stack state mv module.old module.network");
    let hint = preview.hinted("state mv");
    stack.paste(&hint, "--yes").exits(0);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
}
