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
    ### `test`

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
    error: network/dev is in use: used by cluster/dev
    hint: destroy them as well: `guarded-stack destroy --only network/dev --only cluster/dev`
    ");
    fleet.paste(&used.hinted("destroy"), "--yes").exits(0);
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
    hint: the keys are size, refused, pr, home
    ");
    let early = fleet
        .run(&["up", "--yes", "--only", "cluster/prod"])
        .exits(1);
    assert_snapshot!(early.stderr, @"
    cluster/prod
    error: network/prod is not applied yet: its exports are used here
      declared   tests/cli/fleet_program.rs:<line>
    hint: apply it first or in the same run: `guarded-stack up --only network/prod`
    ");
    assert!(!fleet.path().join(".terrane/cluster").exists());
}

#[test]
fn a_command_of_one_stack_is_about_exactly_one_of_a_fleet() {
    let fleet = fleet();
    fleet.run(&["up", "--yes", "--only", "*/dev"]).exits(0);
    assert_snapshot!(fleet.run(&["state", "list", "--only", "*/dev"]), @"
    exit: 64
    --- stderr ---
    error: `state list` is about one stack, and 2 are chosen
    hint: say which: `--only network/dev`, `--only cluster/dev`
    ");
    let of_one = ["state", "list", "--only", "network/dev"];
    assert_snapshot!(fleet.run(&of_one).exits(0).stdout, @"terraform_data.main");
    assert_snapshot!(fleet.run(&["state", "list", "--only", "network/de"]), @"
    exit: 64
    --- stderr ---
    error: `--only network/de` matches no stack
    hint: did you mean `--only network/dev`?
    ");
    // Its hints are about that stack, and can be pasted.
    let slip = [
        "state",
        "show",
        "terraform_data.mian",
        "--only",
        "cluster/dev",
    ];
    assert_snapshot!(fleet.run(&slip), @"
    exit: 1
    --- stderr ---
    error: terraform_data.mian is not in the state
    hint: did you mean `terraform_data.main`?
    ");
    let rename = |from, to| {
        let rename = ["state", "mv", from, to, "--yes", "--only", "cluster/dev"];
        fleet.run(&rename).exits(0);
    };
    rename("terraform_data.main", "terraform_data.other");
    rename("terraform_data.other", "terraform_data.main");
    let quiet = ["preview", "--detailed-exitcode", "--only", "*/dev"];
    fleet.run(&quiet).exits(0);
    // What a program of that stack alone can do.
    let saved = [
        "preview",
        "--only",
        "network/dev",
        "--var",
        "size=2",
        "--out",
        "a.plan",
    ];
    let saved = fleet.run(&saved).exits(0);
    let command = "guarded-stack up a.plan --only network/dev --var size=2";
    assert!(saved.stderr.contains(&format!("`{command}`")), "{saved}");
    fleet.paste(command, "").exits(0);
    let used = [
        "preview",
        "--only",
        "network/dev",
        "--destroy",
        "--out",
        "b.plan",
    ];
    assert!(
        fleet
            .run(&used)
            .exits(7)
            .stderr
            .contains("network/dev is in use")
    );
    let both = [
        "preview", "--only", "*/dev", "--out", "b.plan", "--html", "b.html",
    ];
    assert_snapshot!(fleet.run(&both), @"
    exit: 64
    --- stderr ---
    error: `--html` is about one stack, and 2 are chosen
    hint: say which: `--only network/dev`, `--only cluster/dev`
    ");
    let lock = ["force-unlock", "1234", "--yes", "--only", "network/dev"];
    assert_snapshot!(fleet.run(&lock), @"
    exit: 1
    --- stderr ---
    error: the state at .terrane/network/dev/terraform.tfstate is not locked
    ");
    fleet.run(&["history", "--only", "network/dev"]).exits(0);
    fleet
        .run(&["output", "id", "--raw", "--only", "network/dev"])
        .exits(0);
    fleet.run(&["validate"]).exits(0);
    let names = fleet.run(&["completions", "zsh", "--", "fleet", "up", "--only", ""]);
    assert!(names.stdout.contains("cluster/dev"), "{names}");
}

#[test]
fn a_fleet_is_refreshed_denied_and_kept_elsewhere_as_a_stack_is() {
    let fleet = fleet();
    let elsewhere = ["--backend", "kept"];
    let up = [&["up", "--yes", "--only", "*/dev"][..], &elsewhere].concat();
    fleet.run(&up).exits(0);
    let state = fleet.path().join("kept/network/dev/terraform.tfstate");
    assert!(state.is_file(), "below the place of `--backend`");
    let denied = ["preview", "--deny", "create", "--only", "network/dev"];
    let denied = fleet.run(&denied).exits(9);
    assert_snapshot!(denied.stderr, @"
    network/dev
    error: the plan is refused by `--deny`: terraform_data.main (create)
    hint: nothing was changed
    ");
    let destroyed = [
        "up",
        "--yes",
        "--deny",
        "update,replace",
        "--only",
        "*/dev",
        "--var",
        "size=2",
    ];
    let destroyed = fleet.run(&[&destroyed[..], &elsewhere].concat()).exits(9);
    assert!(
        destroyed.stdout.contains("refused by `--deny`"),
        "{destroyed}"
    );
    let refresh = [&["refresh", "--yes", "--only", "*/dev"][..], &elsewhere].concat();
    fleet.run(&refresh).exits(0);
    assert_snapshot!(fleet.run(&["bootstrap", "--only", "network/dev"]), @"
    exit: 1
    --- stderr ---
    error: the state at .terrane/network/dev/terraform.tfstate needs no `bootstrap`: its store has nothing to create
    hint: name another state with `--backend`, or in the program
    ");
}

#[test]
fn a_command_line_of_terraform_is_understood_by_a_fleet() {
    let fleet = fleet();
    let run = fleet.run(&[
        "apply",
        "-auto-approve",
        "-var",
        "size=1",
        "--only",
        "network/dev",
    ]);
    let tips = run.stderr.lines().filter(|line| line.starts_with("tip"));
    assert_snapshot!(tips.collect::<Vec<_>>().join("\n"), @"
    tip: `-auto-approve` is `--yes` here
    tip: flags have two dashes here: `--var`
    tip: `apply` is `up` here
    ");
    run.exits(0);
    assert_snapshot!(fleet.run(&["workspace", "list"]), @"
    exit: 64
    --- stderr ---
    error: there is no command `workspace`
    hint: each environment is a stack of this program: `--only NAME` picks it, and `matrix` lists them
    ");
    let version = fleet.run(&["--version"]).exits(0).stdout;
    let expected = concat!(
        "guarded-stack (fleet test, terrane ",
        env!("CARGO_PKG_VERSION"),
        ")\n"
    );
    assert_eq!(version, expected);
}

#[test]
fn an_expired_environment_is_found_by_its_state_though_nobody_names_it() {
    let fleet = fleet();
    fleet
        .run(&["up", "--yes", "--var", "pr=[7,12]", "--only", "pr-*"])
        .exits(0);
    // Of another program's family, and of a folder that is nobody's.
    for other in ["pr-broken", "print"] {
        let folder = fleet.path().join(".terrane").join(other);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("terraform.tfstate"), "{}").expect("a file");
    }
    let state = fleet.run(&["state", "list", "--only", "pr-7"]).exits(0);
    assert_snapshot!(state.stdout, @"terraform_data.main");
    assert_snapshot!(fleet.run(&["destroy", "--expired"]).stderr, @"
    warning: pr-broken has a state, and the program makes no stack of that name: there is no such pull request
      declared   tests/cli/fleet_program.rs:<line>
    error: confirmation required: there is no terminal to ask on
    hint: pass `--yes`
    ");
    let destroyed = fleet.run(&["destroy", "--expired", "--yes"]).exits(0);
    let (_, table) = destroyed.stdout.rsplit_once("Stack ").expect("a table");
    assert!(
        table.contains("pr-7 ") && table.contains("pr-12 "),
        "{table}"
    );
    assert!(table.contains("2 stacks: 2 done."), "{table}");
    let again = fleet.run(&["destroy", "--expired", "--yes"]).exits(0);
    assert!(again.stderr.contains("No stack has expired."), "{again}");
}

#[test]
fn a_declaration_that_went_to_another_stack_takes_its_object_along_with_a_proof() {
    let fleet = fleet();
    let at = |home: &str| ["--var".to_owned(), format!("home={home}")];
    let run = |home: &str, words: &[&str]| {
        let words = words.iter().map(ToString::to_string);
        fleet.run(&words.chain(at(home)).collect::<Vec<_>>())
    };
    run("network", &["up", "--yes", "--only", "*/dev"]).exits(0);
    // The program has changed; as it is, the object would be destroyed and made anew.
    let offered = run("cluster", &["preview", "--only", "*/dev"]).exits(0);
    assert_snapshot!(offered.stderr, @"
    warning: 1 object of network/dev would be made anew in cluster/dev: the declarations look like they were moved from one program to the other
    hint: to keep them, run `guarded-stack state mv --to cluster/dev terraform_data.guest --only network/dev`
    ");
    let command = offered.hinted("state mv");
    // Before the declaration is moved it is refused, and so is a slip.
    assert_snapshot!(fleet.paste(&command, "--yes --var home=network"), @"
    exit: 1
    --- stderr ---
    error: the program of this stack still declares terraform_data.guest: the next `up` would make it again
      resource   terraform_data.guest
      declared   tests/cli/fleet_program.rs:<line>
    hint: move the declaration to the program of the other stack first
    ");
    let slip = command.replace("cluster/dev", "clustr/dev");
    assert_snapshot!(fleet.paste(&slip, "--yes --var home=cluster"), @"
    exit: 64
    --- stderr ---
    error: there is no stack `clustr/dev`
    hint: did you mean `--to cluster/dev`?
    ");
    // An object that the other program does not want would be destroyed there.
    assert_snapshot!(fleet.paste(&command, "--yes"), @"
    exit: 1
    --- stdout ---
      ~ terraform_data.guest  [id=<uuid>]

    1 instance moves to the state at .terrane/cluster/dev/terraform.tfstate.
    --- stderr ---
    error: after the move cluster/dev would delete terraform_data.guest
      resource   terraform_data.guest
    hint: nothing was moved; make the declarations equal to the objects, or move them all the same with `--unproven`
    ");
    let moved = fleet.paste(&command, "--yes --var home=cluster").exits(0);
    assert_snapshot!(moved, @"
    exit: 0
    --- stdout ---
      ~ terraform_data.guest  [id=<uuid>]

    1 instance moves to the state at .terrane/cluster/dev/terraform.tfstate.
    --- stderr ---
    proved: both programs plan nothing after the move

    State serial 2 written to .terrane/network/dev/terraform.tfstate; lock released. Took <n>s.
    ");
    let both = ["preview", "--only", "*/dev", "--detailed-exitcode"];
    run("cluster", &both).exits(0);
}
