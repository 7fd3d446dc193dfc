//! The command line of a program with many stacks.

use insta::assert_snapshot;
use terrane_tests::TestEnvironment;

fn fleet() -> TestEnvironment {
    let mut fleet = TestEnvironment::new(env!("CARGO_BIN_EXE_guarded-stack"), &[]);
    fleet.set("TEST_FLEET", "1");
    fleet
}

#[test]
fn a_fleet_is_previewed_brought_up_changed_and_destroyed_in_order() {
    let fleet = fleet();
    assert_snapshot!(fleet.run(&["matrix"]).exits(0).stdout, @"
    Stack         Level  After
    network/prod      0
    network/dev       0
    cluster/prod      1  network/prod
    cluster/dev       1  network/dev
    ");
    assert_snapshot!(fleet.run(&["matrix", "--json", "--level", "1"]).exits(0).stdout, @r#"{"include":[{"stack":"cluster/prod","level":1,"after":["network/prod"]},{"stack":"cluster/dev","level":1,"after":["network/dev"]}]}"#);
    let arguments = ["preview", "--only", "*/prod", "--markdown", "comment.md"];
    let preview = [&arguments[..], &["--detailed-exitcode"]].concat();
    let preview = fleet.run(&preview).exits(2).stdout;
    // The table behind the plans has times.
    let (plans, table) = preview.split_once("Stack ").expect("a table");
    assert!(table.contains("2 stacks: 2 to apply."), "{table}");
    assert_snapshot!(plans.trim_end(), @"
    network/prod · state .terrane/network/prod/terraform.tfstate

      + terraform_data.main  input = 1  tests/cli/fleet_program.rs:<line>

    Outputs:
      + id = (known after apply: terraform_data.main.id)
      + size = (known after apply: terraform_data.main.output)

    Plan: 1 to add, 0 to change, 0 to destroy.

    cluster/prod · state .terrane/cluster/prod/terraform.tfstate

      + terraform_data.main  input = (known after network/prod is applied), … (1 more)  tests/cli/fleet_program.rs:<line>

    Plan: 1 to add, 0 to change, 0 to destroy.
    Not shown: arguments of 1 resource (`--details` shows all)
    ");
    let comment = std::fs::read_to_string(fleet.path().join("comment.md")).expect("a comment");
    assert_snapshot!(comment.lines().take(10).collect::<Vec<_>>().join("\n"), @"
    ### `Fleet`

    2 stacks: 2 to apply.

    | Stack | Add | Change | Replace | Destroy | Result |
    |---|--:|--:|--:|--:|---|
    | `network/prod` | 1 |  |  |  | `to apply` |
    | `cluster/prod` | 1 |  |  |  | `to apply` |

    <details><summary>network/prod (level 0): to apply</summary>
    ");

    fleet.run(&["up", "--yes"]).exits(0);
    for part in ["network/prod", "cluster/prod", "network/dev", "cluster/dev"] {
        let state = fleet
            .path()
            .join(".terrane")
            .join(part)
            .join("terraform.tfstate");
        assert!(state.is_file(), "{part} has a state of its own");
    }
    fleet.run(&["preview", "--detailed-exitcode"]).exits(0);
    // A change of an export names who uses it.
    let changed = fleet
        .run(&["preview", "--var", "size=2", "--only", "network/prod"])
        .exits(0);
    assert!(
        changed
            .stdout
            .contains("the export `size` of network/prod changes: cluster/prod use it"),
        "{}",
        changed.stdout
    );

    let used = fleet
        .run(&["destroy", "--yes", "--only", "network/dev"])
        .exits(7);
    assert_snapshot!(used.stderr, @"
    error: network/dev is in use: cluster/dev would stand on nothing
    hint: destroy them, too: `destroy --only network/dev --only cluster/dev`
    ");
    let hint = used.hinted("destroy").replace("destroy ", "");
    let mut arguments = vec!["destroy", "--yes"];
    arguments.extend(hint.split(' '));
    fleet.run(&arguments).exits(0);
    let left = fleet.run(&["output"]).exits(0);
    assert!(
        left.stdout.contains("network/prod") && !left.stdout.contains("network/dev"),
        "{}",
        left.stdout
    );
}

#[test]
fn the_exit_code_of_a_fleet_is_that_of_the_stack_that_went_worst() {
    let fleet = fleet();
    let run = fleet
        .run(&["up", "--yes", "--json", "--var", "refused=prod"])
        .exits(9);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("one document");
    let stacks = report["stacks"].as_array().expect("stacks").iter();
    let lines: Vec<_> = stacks
        .map(|it| format!("{} {}", it["stack"], it["outcome"]))
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    "network/prod" "failed"
    "network/dev" "done"
    "cluster/prod" "skipped: network/prod failed"
    "cluster/dev" "done"
    "#);
    fleet
        .run(&["preview", "--detailed-exitcode", "--only", "*/dev"])
        .exits(0);
}

#[test]
fn what_a_fleet_cannot_do_is_said_before_anything_is_done() {
    let fleet = fleet();
    assert_snapshot!(fleet.run(&["up"]).exits(1).stderr, @"
    error: confirmation required: there is no terminal to ask on
    hint: pass `--yes`
    ");
    assert_snapshot!(fleet.run(&["preview", "--only", "network/prd"]).exits(64).stderr, @"
    error: `--only network/prd` matches no stack
    hint: did you mean `--only network/prod`?
    ");
    assert_snapshot!(fleet.run(&["preview", "--shard", "5/4"]).exits(64).stderr.lines().next().unwrap_or_default(), @"error: invalid value '5/4' for '--shard <I/N>': write it as I/N, from 1/N to N/N, for example 3/16");
    assert_snapshot!(fleet.run(&["preview", "--var", "sise=2"]).exits(64).stderr, @"
    error: there is no configuration key `sise`: set in `--var`
    hint: did you mean `size`?
    hint: the keys are size, refused
    ");
    let early = fleet
        .run(&["up", "--yes", "--only", "cluster/prod"])
        .exits(1);
    assert_snapshot!(early.stderr, @"
    cluster/prod
    error: network/prod is not applied yet: its exports are used here
      declared   tests/cli/fleet_program.rs:<line>
    hint: apply it first or in the same run: `up --only network/prod`
    ");
    let hint = early.hinted("up --only");
    assert_eq!(hint, "up --only network/prod");
    assert!(!fleet.path().join(".terrane/cluster").exists());
}
