//! Which provider serves an object: the built-in one, one of an old state, one that lacks something, one that others could replace.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use serde_json::{Value, json};
use terrane_tests::{TestEnvironment, go_program};

use crate::stage::{hinted, network};

/// The test stack, with nothing installed.
fn alone() -> TestEnvironment {
    let mut stack = network();
    stack.set("TERRANE_VAR_SCENE", "builtin");
    stack
}

/// Puts a state there as Terraform writes it, with one object.
fn stored(stack: &TestEnvironment, type_name: &str, provider: &str, attributes: Value) {
    let state = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 3,
        "lineage": "c2b5e0a6-0d5f-4a0c-8f4e-2f1f4a8b8c11", "outputs": {}, "check_results": null,
        "resources": [{
            "mode": "managed", "type": type_name, "name": "w", "provider": provider,
            "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
        }],
    });
    let folder = stack.path().join(".terrane/test");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("terraform.tfstate"), state.to_string()).expect("a file");
}

#[test]
fn terraform_data_is_made_changed_and_removed_without_any_provider() {
    for sandbox in [&[][..], &["--sandbox"]] {
        let stack = alone();
        let run = |arguments: &[&str]| stack.run(&[arguments, sandbox].concat());
        run(&["up", "--yes"]).exits(0);
        run(&["preview", "--detailed-exitcode"]).exits(0);
        assert_eq!(
            run(&["output", "--json"]).exits(0).json()["output"]["value"],
            json!(["one", 1])
        );
        let grown = run(&["up", "--yes", "--var", "size=2"]).exits(0);
        assert!(
            grown
                .stdout
                .contains("triggers_replace = 1 -> 2  forces replacement"),
            "{grown}"
        );
        let gone = run(&["up", "--yes", "--var", "scene=nothing"]).exits(0);
        assert!(gone.stdout.contains("2 destroyed"), "{gone}");
    }
}

#[test]
fn terraform_data_of_a_killed_run_needs_no_answer() {
    let stack = alone();
    let mut killed = stack.command(&["up", "--yes"]);
    killed.env("TERRANE_CRASH_AT", "reply.received:1:kill");
    let killed = stack.finish(killed.spawn().expect("a stack program"));
    assert_eq!(killed.code, 137, "{killed}");
    stack.run(&["up", "--yes"]).exits(0);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
}

#[test]
fn terraform_data_of_a_state_of_terraform_is_known() {
    let stack = alone();
    let attributes = json!({"id": "1", "input": null, "output": null, "triggers_replace": null});
    let builtin = r#"provider["terraform.io/builtin/terraform"]"#;
    stored(&stack, "terraform_data", builtin, attributes);
    let plan = stack.run(&["preview", "--var", "scene=nothing"]).exits(0);
    assert!(
        plan.stdout.contains("0 to add, 0 to change, 1 to destroy"),
        "{plan}"
    );
    stack.run(&["destroy", "--yes"]).exits(0);
}

#[test]
fn a_provider_that_is_named_as_in_old_states_leads_to_commands_that_work() {
    let stack = network();
    stored(
        &stack,
        "conformance_sdk_thing",
        r#"provider["registry.terraform.io/-/conformance"]"#,
        json!({"id": "w-1", "name": "w"}),
    );
    let refused = stack.run(&["preview"]).exits(1);
    assert_snapshot!(refused, @r#"
    exit: 1
    --- stderr ---
    error: conformance_sdk_thing.w is in the state, but the program does not use provider["registry.terraform.io/-/conformance"]
      resource   conformance_sdk_thing.w
    hint: Terraform 0.13 took it over from 0.12, which did not know who publishes a provider: `test-stack state replace-provider 'registry.terraform.io/-/conformance' 'hashicorp/conformance'` gives it the name that it has today, if it is one of HashiCorp's
    hint: `test-stack state rm 'conformance_sdk_thing.w'` forgets the object, which stays where it is
    "#);
    let [replace, remove] = hinted(&refused).try_into().expect("two commands");
    assert_eq!(replace[1], "replace-provider");
    let mut replace = replace.clone();
    // It is not HashiCorp's.
    replace[3] = "terrane/conformance".to_owned();
    replace.push("--yes".to_owned());
    stack.run(&replace).exits(0);
    let known = stack.run(&["preview"]).exits(0);
    assert!(
        !known
            .stderr
            .contains("conformance_sdk_thing.w is in the state"),
        "{known}"
    );
    stack
        .run(&[remove, vec!["--yes".to_owned()]].concat())
        .exits(0);
}

#[test]
fn a_type_that_the_provider_no_longer_has_can_be_forgotten() {
    let stack = network();
    let provider = r#"provider["registry.terraform.io/terrane/conformance"]"#;
    stored(
        &stack,
        "conformance_retired",
        provider,
        json!({"id": "w-1"}),
    );
    let refused = stack.run(&["preview"]).exits(1);
    assert_snapshot!(refused, @"
    exit: 1
    --- stderr ---
    error: registry.terraform.io/terrane/conformance has no resource type `conformance_retired`
      resource   conformance_retired.w
    hint: install a version of the provider that still has the type; it can then be planned, and destroyed
    hint: `test-stack state rm 'conformance_retired.w'` forgets the object, which stays where it is
    ");
    let [remove] = hinted(&refused).try_into().expect("one command");
    stack
        .run(&[remove, vec!["--yes".to_owned()]].concat())
        .exits(0);
    stack.run(&["preview"]).exits(0);
}

#[test]
fn a_variable_that_a_provider_does_not_get_is_named_and_can_be_passed() {
    let provider = go_program("terraform-provider-conformance6");
    let folder = provider.parent().expect("a folder");
    let mut stack = TestEnvironment::new(
        env!("CARGO_BIN_EXE_test-stack"),
        &[("terrane/conformance6", folder)],
    );
    stack.set("TERRANE_VAR_SCENE", "withheld");
    assert_snapshot!(stack.run(&["preview"]), @r#"
    exit: 1
    --- stderr ---
    error: set directory, or CONFORMANCE_DIRECTORY, to the folder that holds the objects
    hint: `CONFORMANCE_DIRECTORY` is set, but registry.opentofu.org/terrane/conformance6 does not get it: set `TERRANE_PROVIDER_ENV=CONFORMANCE_DIRECTORY`, or add `.pass_env(["CONFORMANCE_DIRECTORY"])` to the provider in the program
    "#);
    // As the hint says: in the program, or by a variable.
    stack.run(&["preview", "--var", "size=2"]).exits(0);
    stack.set("TERRANE_PROVIDER_ENV", "CONFORMANCE_DIRECTORY");
    stack.run(&["preview"]).exits(0);
}

#[test]
fn a_provider_that_every_user_could_replace_is_not_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = folder.path().join("terraform-provider-conformance");
    std::fs::copy(go_program("terraform-provider-conformance"), &binary).expect("a copy");
    let set = |mode| {
        std::fs::set_permissions(&binary, Permissions::from_mode(mode)).expect("ours");
    };
    set(0o777);
    let stack = TestEnvironment::new(
        env!("CARGO_BIN_EXE_test-stack"),
        &[("terrane/conformance", folder.path())],
    );
    let refused = stack.run(&["preview"]).exits(1);
    assert!(
        refused.stderr.starts_with(
            "error: provider registry.opentofu.org/terrane/conformance is not started: others can replace it"
        ),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("hint: then: `chmod o-w '"),
        "{refused}"
    );
    set(0o755);
    stack.run(&["preview"]).exits(0);
}

/// The object of somebody else that names the folder of the thing, and that folder.
fn base(stack: &TestEnvironment, id: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    let file = stack.objects().join("conformance_thing").join(id);
    (file.with_extension("json"), stack.path().join(id))
}

#[test]
fn a_destroy_goes_where_the_object_is_now() {
    let mut stack = network();
    stack.set("TERRANE_VAR_SCENE", "elsewhere");
    let (file, folder) = base(&stack, "base-old");
    let written =
        |id: &str| json!({"type": "conformance_thing", "id": id, "name": "base", "attributes": {}});
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(&file, written("base-old").to_string()).expect("written");
    stack.run(&["up", "--yes"]).exits(0);
    let things = |folder: &std::path::Path| {
        let things = folder.join("conformance_thing").read_dir();
        things.map_or(0, Iterator::count)
    };
    assert_eq!(things(&folder), 1);
    // Another object has the name now, and the folder has its name.
    let (newer, moved) = base(&stack, "base-new");
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(&newer, written("base-new").to_string()).expect("written");
    std::fs::rename(&folder, &moved).expect("moved");
    // An object that cannot be read now does not count as gone.
    std::fs::rename(&newer, &file).expect("moved");
    std::fs::write(&file, "garbage").expect("written");
    let refused = stack.run(&["destroy", "--yes"]).exits(1);
    assert!(
        refused.stderr.contains("goes on with a stored answer"),
        "{refused}"
    );
    assert!(refused.stderr.contains("cannot be told"), "{refused}");
    assert_eq!(things(&moved), 1);
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(&newer, written("base-new").to_string()).expect("written");
    stack.run(&["destroy", "--yes"]).exits(0);
    assert_eq!(things(&moved), 0);
}

#[test]
fn schemas_are_kept_where_the_environment_says_and_only_if_they_may_be() {
    let kept = |stack: &TestEnvironment, folder: &str| {
        let schemas = std::fs::read_dir(stack.path().join(folder).join("schemas"));
        schemas.map_or(0, Iterator::count)
    };
    let mut stack = network();
    let shown = |stack: &TestEnvironment, arguments: &[&str]| {
        let out = stack.run(&[&["preview", "--json"][..], arguments].concat());
        let mut plan = out.exits(0).json();
        plan.as_object_mut().expect("a plan").remove("timestamp");
        plan
    };
    let asked = shown(&stack, &["--no-cache"]);
    assert_eq!(kept(&stack, ".cache/terrane"), 0);
    assert_eq!(shown(&stack, &[]), asked);
    assert_eq!(kept(&stack, ".cache/terrane"), 1);
    assert_eq!(shown(&stack, &[]), asked);

    let caches = stack.path().join("caches").display().to_string();
    stack.set("XDG_CACHE_HOME", &caches);
    stack.run(&["validate"]).exits(0);
    assert_eq!(kept(&stack, "caches/terrane"), 1);
    stack.set("TERRANE_CACHE_DIR", "own");
    stack.run(&["validate"]).exits(0);
    assert_eq!(kept(&stack, "own"), 1);
    // A run does not depend on it.
    stack.set("TERRANE_CACHE_DIR", "/dev/null");
    assert_eq!(shown(&stack, &[]), asked);
}
