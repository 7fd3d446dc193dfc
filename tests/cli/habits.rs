//! Command lines as people write them who come from Terraform.

use insta::assert_snapshot;

use crate::stage::network;

#[test]
fn what_terraform_calls_otherwise_is_done_with_a_tip() {
    let stack = network();
    let run = stack.run(&["apply", "-auto-approve", "-input=false", "-var", "size=1"]);
    let tips: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("tip"))
        .collect();
    assert_snapshot!(tips.join("\n"), @"
    tip: `-auto-approve` is `--yes` here
    tip: `-input=false` is not needed here
    tip: flags have two dashes here: `--var`
    tip: `apply` is `up` here
    ");
    run.exits(0);
    let run = stack
        .run(&["plan", "-var=size=1", "-detailed-exitcode"])
        .exits(0);
    assert!(run.stderr.starts_with("tip: "), "{}", run.stderr);
    assert!(run.stdout.contains("No changes"), "{}", run.stdout);
}

#[test]
fn a_value_of_the_configuration_is_not_repeated_in_a_hint_however_it_was_written() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let refused = stack.run(&["apply", "-var", "base=hunter2"]);
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
}

#[test]
fn a_command_that_is_not_needed_here_is_answered_with_what_to_do() {
    let stack = network();
    assert_snapshot!(stack.run(&["init"]), @"
    exit: 64
    --- stderr ---
    error: there is no command `init`
    hint: there is nothing to initialise: each command installs the providers that it needs
    ");
    assert_snapshot!(stack.run(&["taint", "aws_vpc.main"]), @"
    exit: 64
    --- stderr ---
    error: there is no command `taint`
    hint: `up --replace ADDRESS` replaces an object
    ");
}

#[test]
fn the_version_names_the_stack_and_terrane() {
    let version = network().run(&["--version"]).exits(0).stdout;
    let expected = concat!(
        "test-stack (stack test, terrane ",
        env!("CARGO_PKG_VERSION"),
        ")\n"
    );
    assert_eq!(version, expected);
}
