//! Saved plans: shown and applied as they were made, once, or refused with the difference.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use serde_json::json;
use terrane_tests::TestEnvironment;

use crate::stage::{fake, network};

/// One zone only, to keep texts short.
fn small() -> TestEnvironment {
    let mut stack = network();
    stack.set("TERRANE_VAR_ZONES", "[\"a\"]");
    stack
}

/// A refused command changes neither state nor objects.
#[track_caller]
fn refused(stack: &TestEnvironment, arguments: &[&str]) -> String {
    let before = world(stack);
    let output = stack.run(arguments).exits(7);
    assert_eq!(output.stdout, "");
    assert_eq!(world(stack), before);
    output.stderr
}

/// The state and the names of all objects.
fn world(stack: &TestEnvironment) -> (Option<String>, Vec<String>) {
    let state = stack.path().join(".terrane/test/terraform.tfstate");
    let folder = stack.objects().join("conformance_sdk_thing");
    let objects = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut objects: Vec<_> = objects
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    objects.sort();
    (std::fs::read_to_string(state).ok(), objects)
}

#[test]
fn a_plan_is_saved_shown_applied_and_then_refused() {
    let stack = small();
    let preview = stack.run(&["preview", "--out", "up.plan", "--detailed-exitcode"]);
    assert_snapshot!(preview.stderr, @r"

    The plan is saved in up.plan, with the secrets that are in it. Apply it with `test-stack up up.plan`.
    ");
    assert_eq!(preview.code, 2);
    let shown = stack.run(&["show", "up.plan"]).exits(0);
    assert_eq!(shown.stdout, preview.stdout);
    assert!(!shown.stdout.contains("hunter2"), "{shown}");
    assert_snapshot!(shown.stderr, @"Planned by tester@<host> at <time> for .terrane/test/terraform.tfstate, where there was no state (preview)");
    assert_snapshot!(stack.run(&["up", "up.plan", "--parallelism", "1"]), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      + conformance_sdk_thing.base  name = "one", size = 1, secret = (sensitive), … (2 more)  tests/cli/stack.rs:<line>
    module.network
        + conformance_sdk_thing.child["a"]  name = "child-a", kind ← conformance_sdk_thing.base.id, … (2 more)  tests/cli/stack.rs:<line>

    Outputs:
      + base_id = (known after apply: conformance_sdk_thing.base.id)
      + secret = (sensitive)
      + zones = ["a"]

    Plan: 2 to add, 0 to change, 0 to destroy.
    Not shown: arguments of 2 resources (`--details` shows all)

    Apply complete! Resources: 2 added, 0 changed, 0 destroyed.

    Outputs:
      base_id  "one-<id>"
      secret   (sensitive)
      zones    ["a"]
    --- stderr ---
    conformance_sdk_thing.base: creating…
    conformance_sdk_thing.base: created in <n>s [id=one-<id>]
    module.network.conformance_sdk_thing.child["a"]: creating…
    module.network.conformance_sdk_thing.child["a"]: created in <n>s [id=child-a-<id>]

    State serial 1 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    let again = refused(&stack, &["up", "up.plan"]);
    assert_snapshot!(again, @"
    error: the plan was applied already: by tester@<host> at <time>; a plan is applied once
    hint: nothing was changed; make a new plan with `test-stack preview --out FILE`
    ");
}

#[test]
fn a_plan_is_shown_as_the_same_json() {
    let stack = small();
    let preview = stack
        .run(&["preview", "--out", "up.plan", "--json"])
        .exits(0);
    let shown = stack.run(&["show", "up.plan", "--json"]).exits(0);
    assert_eq!(shown.json(), preview.json());
    assert!(!shown.stdout.contains("hunter2"));
    let open = stack.run(&["show", "up.plan", "--json", "--show-secrets"]);
    assert!(open.stdout.contains("hunter2"));
    let events = stack.run(&["up", "up.plan", "--json"]).exits(0).stdout;
    assert!(events.contains(r#""type":"apply_complete""#), "{events}");
    assert!(!events.contains("hunter2"), "{events}");
}

#[test]
fn plans_of_every_kind_are_applied() {
    let stack = small();
    let apply = |plan: &[&str]| {
        let saved = stack.run(&[&["preview", "--out", "a.plan"][..], plan].concat());
        assert_eq!(saved.code, 0, "{saved}");
        let applied = stack.run(&["up", "a.plan"]).exits(0).stdout;
        let done = applied.lines().find(|line| line.contains("complete!"));
        done.unwrap_or("nothing").to_owned()
    };
    assert_snapshot!(apply(&[]), @"Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
    assert_snapshot!(apply(&["--var", "size=7"]), @"Apply complete! Resources: 0 added, 1 changed, 0 destroyed.");
    let base = std::fs::read_dir(stack.objects().join("conformance_sdk_thing"))
        .expect("objects")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("one-"))
        .expect("the base");
    let text = std::fs::read_to_string(&base).expect("an object");
    std::fs::write(&base, text.replace("7", "8")).expect("written");
    assert_snapshot!(apply(&["--refresh-only", "--var", "size=7"]), @"Refresh complete! 1 change recorded.");
    let state = world(&stack).0.expect("a state");
    assert!(state.contains("\"size\": 8"), "{state}");
    assert_snapshot!(apply(&["--var", "base=two", "--target", "conformance_sdk_thing.base"]), @"Apply complete! Resources: 1 added, 0 changed, 1 destroyed.");
    assert_snapshot!(apply(&["--destroy"]), @"Destroy complete! Resources: 2 destroyed.");
    assert!(world(&stack).1.is_empty());
}

#[test]
fn a_plan_of_another_state_is_refused() {
    let stack = small();
    stack.run(&["preview", "--out", "first.plan"]).exits(0);
    stack.run(&["up", "--yes"]).exits(0);
    assert_snapshot!(refused(&stack, &["up", "first.plan"]), @"
    error: there was no state when the plan was made, and now there is one: it has serial 1
    hint: nothing was changed; make a new plan with `test-stack preview --out FILE`
    ");
    stack
        .run(&["preview", "--out", "second.plan", "--var", "size=2"])
        .exits(0);
    stack.run(&["up", "--yes", "--var", "size=3"]).exits(0);
    assert_snapshot!(refused(&stack, &["up", "second.plan"]), @"
    error: the state has changed since the plan was made: it had serial 1 and has 2
    hint: nothing was changed; make a new plan with `test-stack preview --out FILE`
    ");
    assert_snapshot!(refused(&stack, &["up", "second.plan", "--backend", "other.tfstate"]), @"
    error: the plan is for another state: it is for .terrane/test/terraform.tfstate, this is other.tfstate
    hint: nothing was changed; run it with the flags and the environment that the plan was made with, or make a new plan
    ");
    assert_snapshot!(refused(&stack, &["up", "second.plan", "--sandbox"]), @"
    error: the plan is for another cloud: it is for a real cloud, this is the sandbox
    hint: nothing was changed; run it with the flags and the environment that the plan was made with, or make a new plan
    ");
}

#[test]
fn a_plan_that_failed_is_used_all_the_same() {
    let stack = small();
    let failing = "knobs={\"base\":{\"fail_create\":\"before\"}}";
    stack
        .run(&["preview", "--out", "a.plan", "--var", failing])
        .exits(0);
    stack.run(&["up", "a.plan"]).exits(1);
    assert!(world(&stack).1.is_empty());
    let again = refused(&stack, &["up", "a.plan"]);
    assert!(
        again.contains("error: the plan was applied already"),
        "{again}"
    );
}

#[test]
fn the_plans_own_configuration_counts() {
    let mut stack = small();
    std::fs::write(stack.path().join("size.toml"), "size = 5\n").expect("written");
    let arguments = [
        "preview",
        "--out",
        "a.plan",
        "--var-file",
        "size.toml",
        "--var",
        "base=three",
    ];
    stack.run(&arguments).exits(0);
    stack.set("TERRANE_VAR_ZONES", "[\"x\", \"y\"]");
    std::fs::write(stack.path().join("size.toml"), "size = 6\n").expect("written");
    let applied = stack.run(&["up", "a.plan"]).exits(0);
    let warning = applied.stderr.split("\n\n").next().unwrap_or_default();
    assert_snapshot!(warning, @r#"
    warning: the configuration has changed since the plan was made: TERRANE_VAR_ZONES, size.toml; the plan is applied with the values that it was made with
    conformance_sdk_thing.base: creating…
    conformance_sdk_thing.base: created in <n>s [id=three-<id>]
    module.network.conformance_sdk_thing.child["a"]: creating…
    module.network.conformance_sdk_thing.child["a"]: created in <n>s [id=child-a-<id>]
    "#);
    let shown = stack.run(&["output", "--json"]).exits(0).json();
    assert_eq!(shown["zones"]["value"], json!(["a"]));
    let state = world(&stack).0.expect("a state");
    assert!(state.contains("\"size\": 5"), "{state}");
    assert!(state.contains("\"name\": \"three\""), "{state}");
}

#[test]
fn flags_that_would_make_another_plan_are_wrong_usage() {
    let stack = small();
    stack.run(&["preview", "--out", "a.plan"]).exits(0);
    for flag in [
        &["--target", "conformance_sdk_thing.base"][..],
        &["--replace", "conformance_sdk_thing.base"],
        &["--refresh", "false"],
        &["--refresh-only"],
        &["--var", "size=2"],
        &["--var-file", "size.toml"],
    ] {
        let output = stack.run(&[&["up", "a.plan"][..], flag].concat()).exits(64);
        assert!(output.stderr.contains(flag[0]), "{output}");
    }
    assert_snapshot!(stack.run(&["--var", "size=2", "up", "a.plan"]), @"
    exit: 64
    --- stderr ---
    error: `--var` has no effect on a saved plan: the plan holds the configuration that it was made with
    hint: make a new plan with `test-stack preview --out FILE` to change it
    ");
    assert_eq!(world(&stack), (None, vec![]));
    let denied = stack.run(&["up", "a.plan", "--deny", "create"]).exits(9);
    assert!(denied.stderr.contains("refused by `--deny`"), "{denied}");
    stack.run(&["up", "a.plan", "--deny", "delete"]).exits(0);
}

#[test]
fn a_denied_plan_is_not_saved() {
    let stack = small();
    stack
        .run(&["preview", "--out", "a.plan", "--deny", "create"])
        .exits(9);
    assert!(!stack.path().join("a.plan").exists());
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let stack = small();
    stack.run(&["preview", "--out", "a.plan"]).exits(0);
    let plan = std::fs::read(stack.path().join("a.plan")).expect("a plan");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(stack.path().join(name), bytes).expect("written");
    };
    write("cut.plan", &plan[..plan.len() / 2]);
    assert_snapshot!(refused(&stack, &["up", "cut.plan"]), @"
    error: the plan in cut.plan cannot be used: it is damaged: its content is not what its first line promises; it was cut off or changed
    hint: nothing was changed; make a new plan with `test-stack preview --out FILE`
    ");
    let mut flipped = plan.clone();
    flipped[plan.len() / 2] ^= 1;
    write("flipped.plan", &flipped);
    for command in ["up", "show"] {
        let said = refused(&stack, &[command, "flipped.plan"]);
        assert!(said.contains("was cut off or changed"), "{said}");
    }
    write("other", b"PK\x03\x04");
    assert_snapshot!(refused(&stack, &["show", "other"]), @"
    error: the plan in other cannot be used: it is no plan file
    hint: nothing was changed; make a new plan with `test-stack preview --out FILE`
    ");
    write("newer.plan", b"terrane-plan 2 x\n");
    assert_snapshot!(refused(&stack, &["up", "newer.plan"]), @"
    error: the plan in newer.plan cannot be used: it has format 2 of plan files, and this program knows only format 1
    hint: nothing was changed; make a new plan with `test-stack preview --out FILE`
    ");
    assert_snapshot!(stack.run(&["up", "nothing.plan"]), @"
    exit: 1
    --- stderr ---
    error: there is no file nothing.plan
    ");
}

#[test]
fn another_build_of_program_or_provider_is_refused() {
    let stack = small();
    stack.run(&["preview", "--out", "a.plan"]).exits(0);
    let build = |from: &std::path::Path, to: &std::path::Path| {
        let mut bytes = std::fs::read(from).expect("a program");
        // Bytes behind the end of an executable are not loaded.
        bytes.push(0);
        std::fs::write(to, bytes).expect("written");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(to, executable).expect("set");
    };
    let other = stack.path().join("test-stack");
    build(
        std::path::Path::new(env!("CARGO_BIN_EXE_test-stack")),
        &other,
    );
    let command = stack.command(&["up", "a.plan"]);
    let mut moved = std::process::Command::new(&other);
    moved
        .args(command.get_args())
        .current_dir(stack.path())
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let output = stack.finish(moved.spawn().expect("a program")).exits(7);
    assert!(
        output
            .stderr
            .contains("made by another build of this program"),
        "{output}"
    );

    let folder = stack.path().join("providers");
    std::fs::create_dir(&folder).expect("made");
    let name = "terraform-provider-conformance";
    build(&terrane_tests::go_program(name), &folder.join(name));
    let config = format!(
        "provider_installation {{ dev_overrides {{ \"terrane/conformance\" = {folder:?} }} }}"
    );
    std::fs::write(stack.path().join("cli.tfrc"), config).expect("written");
    let said = refused(&stack, &["up", "a.plan"]);
    let first = said.lines().next().unwrap_or_default();
    // Which bytes Go makes depends on its version and its sources.
    let is_digest = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = || first.split([' ', ';']).filter(is_digest);
    assert_ne!(words().next(), words().nth(1), "{first}");
    let told = words().fold(first.to_owned(), |told, word| {
        told.replace(word, "[digest]")
    });
    assert_snapshot!(told, @"error: the plan was made with another build of the provider registry.opentofu.org/terrane/conformance: it was of no known version, SHA-256 [digest]; it is of no known version, SHA-256 [digest]");
}

#[test]
fn a_plan_file_is_private_and_takes_no_other_files_place() {
    let stack = small();
    let out = stack.path().join("a.plan");
    for umask in ["000", "022", "077"] {
        let program = env!("CARGO_BIN_EXE_test-stack");
        let script = format!("umask {umask}; exec {program} preview --out a.plan");
        let command = stack.command(&["preview"]);
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(stack.path())
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .output()
            .expect("a shell");
        assert!(output.status.success());
        let mode = out.metadata().expect("a plan").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "umask {umask}");
    }
    std::fs::write(stack.path().join("notes.txt"), "mine").expect("written");
    assert_snapshot!(stack.run(&["preview", "--out", "notes.txt"]), @"
    exit: 1
    --- stderr ---
    error: <dir>/notes.txt cannot be used: another file is there, and is left as it is
    ");
    let notes = std::fs::read_to_string(stack.path().join("notes.txt")).expect("there");
    assert_eq!(notes, "mine");
    let left = std::fs::read_dir(stack.path()).expect("a folder").flatten();
    let names: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().ends_with(".tmp"))
    );
}

#[test]
fn a_plan_for_another_account_is_refused_before_anything_is_asked_for() {
    let stack = small();
    stack.run(&["preview", "--out", "a.plan"]).exits(0);
    let plan = std::fs::read_to_string(stack.path().join("a.plan")).expect("a plan");
    let (_, body) = plan.split_once('\n').expect("lines");
    // As if it had been made by a provider that can tell; sealed again, or it would only be damaged.
    let caller =
        r#""callers":[{"provider":"provider","account":"123456789012","region":"eu-west-1"}]"#;
    assert!(body.contains(r#""callers":[]"#));
    let body = body.replacen(r#""callers":[]"#, caller, 1);
    let seal = terrane_state::Sha256::of(body.as_bytes());
    let file = stack.path().join("elsewhere.plan");
    std::fs::write(file, format!("terrane-plan 1 {seal}\n{body}")).expect("written");
    let output = stack.run(&["up", "elsewhere.plan"]).exits(7);
    assert_snapshot!(output.stderr, @"
    error: the plan is for another account or region: provider led to 123456789012 in eu-west-1 and leads to an unknown one
    hint: nothing was changed; make a new plan with `test-stack preview --out FILE`
    ");
    assert_eq!(world(&stack), (None, vec![]));
    stack.run(&["up", "a.plan"]).exits(0);
}

#[test]
fn a_plan_waits_until_no_operation_is_unresolved() {
    let mut stack = fake(&[]);
    stack.run(&["preview", "--out", "a.plan"]).exits(0);
    stack.set("FAKE_FAULT", "apply:exit");
    stack.run(&["up", "--yes"]).exits(3);
    stack.set("FAKE_FAULT", "");
    assert_snapshot!(refused(&stack, &["up", "a.plan"]), @"
    error: fake_thing.one has an unresolved operation: creation requested at <time> by tester@<host>; no response was recorded
      resource   fake_thing.one
    hint: nothing was changed; run `test-stack up` without a plan, which recovers them or says how to, then make a new plan
    ");
    let resolve = ["state", "resolve", "fake_thing.one", "--absent"];
    stack.run(&resolve).exits(0);
    stack.run(&["up", "a.plan"]).exits(0);
}

#[test]
fn a_first_plan_made_under_the_lock_is_applied_like_any_other() {
    let stack = small();
    stack
        .run(&["preview", "--lock", "--out", "a.plan"])
        .exits(0);
    stack.run(&["up", "a.plan"]).exits(0);
}

/// Changes an object behind everybody's back.
fn edited(stack: &TestEnvironment, name: &str, edit: impl FnOnce(&mut serde_json::Value)) {
    let folder = stack.objects().join("conformance_sdk_thing");
    let files = folder.read_dir().expect("a folder");
    let mut files = files.map(|entry| entry.expect("an entry").path());
    let (path, mut object) = files
        .find_map(|path| {
            let text = std::fs::read_to_string(&path).expect("an object");
            let object: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            (object["name"] == name).then_some((path, object))
        })
        .expect("an object of that name");
    edit(&mut object);
    std::fs::write(path, object.to_string()).expect("writable");
}

#[test]
fn a_plan_for_objects_that_have_changed_since_is_refused_whole_with_the_paths() {
    let stack = small();
    stack.run(&["up", "--yes"]).exits(0);
    let preview = ["preview", "--out", "a.plan", "--var", "size=2"];
    stack.run(&preview).exits(0);
    edited(&stack, "one", |object| {
        object["attributes"]["size"] = 77.into();
        object["attributes"]["secret"] = "rotated".into();
    });
    let said = refused(&stack, &["up", "a.plan"]);
    assert_snapshot!(said, @"
    error: conformance_sdk_thing.base has changed since the plan was made: secret (sensitive), size was 1 and is 77
      resource   conformance_sdk_thing.base
      declared   tests/cli/stack.rs:<line>
    hint: nothing was changed; make a new plan with `test-stack preview --out FILE`, and with `--refresh false` if that changes at every read
    ");
    // Objects that the plan does not change may be anything.
    stack.run(&["up", "--yes"]).exits(0);
    stack.run(&preview).exits(0);
    edited(&stack, "child-a", |object| {
        object["attributes"]["size"] = 5.into();
    });
    stack.run(&["up", "a.plan"]).exits(0);

    stack
        .run(&["preview", "--destroy", "--out", "gone.plan"])
        .exits(0);
    let folder = stack.objects().join("conformance_sdk_thing");
    std::fs::remove_dir_all(&folder).expect("removable");
    std::fs::create_dir(&folder).expect("a folder");
    let said = refused(&stack, &["up", "gone.plan"]);
    assert!(
        said.contains("conformance_sdk_thing.base has changed since the plan was made: it is gone"),
        "{said}"
    );
    // A plan that was made without reading is applied without reading.
    let unread = [
        "preview",
        "--refresh",
        "false",
        "--var",
        "size=3",
        "--out",
        "unread.plan",
    ];
    stack.run(&unread).exits(0);
    let tried = stack.run(&["up", "unread.plan"]).exits(1);
    assert!(!tried.stderr.contains("has changed since"), "{tried}");
}
