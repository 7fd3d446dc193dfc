//! `--record` and `--replay`: a run without its provider, and a file without secrets.

use std::fs;

use insta::assert_snapshot;
use terrane_tests::TestEnvironment;

use crate::secrets::{silent, vault};
use crate::stage::fake;

/// A stack that was made with everything on record.
fn recorded(stack: &TestEnvironment) {
    stack.run(&["up", "--yes", "--record", "up.jsonl"]).exits(0);
}

/// Takes the provider away.
fn without_provider(stack: &TestEnvironment) {
    fs::write(stack.path().join("cli.tfrc"), "").expect("writable");
}

#[test]
fn a_recorded_run_is_replayed_without_its_provider_and_ends_alike() {
    let stack = fake(&[]);
    recorded(&stack);
    let preview = stack
        .run(&["preview", "--record", "preview.jsonl"])
        .exits(0);
    without_provider(&stack);
    let state = |folder: &str| {
        let path = stack.path().join(folder).join("test/terraform.tfstate");
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(path).expect("a state")).expect("JSON");
        (
            json["resources"][0]["instances"][0]["attributes"].clone(),
            json["outputs"].clone(),
        )
    };
    let up = stack.run(&["up", "--yes", "--replay", "up.jsonl"]).exits(0);
    assert!(up.stdout.contains("Apply complete!"), "{up}");
    assert_eq!(state(".terrane/replay"), state(".terrane"));
    // The real state is untouched, and a copy of it can be looked at.
    let again = [
        "preview",
        "--replay",
        "preview.jsonl",
        "--backend",
        ".terrane/test/terraform.tfstate",
    ];
    assert_eq!(stack.run(&again).exits(0).stdout, preview.stdout);
}

#[test]
fn a_replay_names_the_first_request_that_differs() {
    let stack = vault("");
    recorded(&stack);
    without_provider(&stack);
    let other = ["preview", "--replay", "up.jsonl", "--var", "name=other"];
    assert_snapshot!(stack.run(&other).exits(1).stderr, @r#"
    error: ValidateResourceConfig failed: the recording has another ValidateResourceConfig of fake_vault: `config.name` is "one" on its line 11, and "other" now
      resource   fake_vault.v
      declared   tests/cli/vault.rs:<line>
    "#);
}

#[test]
fn no_recording_holds_a_secret_and_a_replay_has_them_all() {
    let mut stack = vault("apply:log");
    recorded(&stack);
    stack
        .run(&["preview", "--record", "preview.jsonl"])
        .exits(0);
    for name in ["up.jsonl", "preview.jsonl"] {
        let text = fs::read_to_string(stack.path().join(name)).expect("a recording");
        assert!(text.contains("PlanResourceChange"), "{text}");
        silent(&text);
    }
    without_provider(&stack);
    let asked = ["output", "--raw", "password"];
    let real = stack.run(&asked).exits(0).stdout;
    stack.run(&["up", "--yes", "--replay", "up.jsonl"]).exits(0);
    let replayed = [&asked[..], &["--replay", "up.jsonl"]].concat();
    assert_eq!(stack.run(&replayed).exits(0).stdout, real);
    // Another secret in the same place is answered alike.
    let secrets = r#"{"password":"another","provider":"p","lookup":"l","dynamic":"d","element":"e","nested":"n","tag":"t"}"#;
    stack.set("TERRANE_VAR_SECRETS", secrets);
    let fresh = [
        "up",
        "--yes",
        "--replay",
        "up.jsonl",
        "--backend",
        "fresh.tfstate",
    ];
    stack.run(&fresh).exits(0);
}

#[test]
fn what_is_no_recording_and_what_is_no_file_is_refused() {
    let stack = fake(&[]);
    fs::write(stack.path().join("other.jsonl"), "{}\n").expect("writable");
    assert_snapshot!(stack.run(&["preview", "--replay", "other.jsonl"]).exits(64).stderr, @"
    error: cannot use the recording other.jsonl: line 1 of the recording does not say that it is one
    hint: name a file that `--record FILE` wrote
    ");
    assert_snapshot!(stack.run(&["preview", "--replay", "none.jsonl"]).exits(1).stderr, @"error: cannot read the recording none.jsonl: No such file or directory (os error 2)");
    let empty = "{\"terrane_recording\":1}\n";
    fs::write(stack.path().join("empty.jsonl"), empty).expect("writable");
    let on_s3 = [
        "preview",
        "--replay",
        "empty.jsonl",
        "--backend",
        "s3://bucket/key?region=eu-west-1",
    ];
    let refused = stack.run(&on_s3).exits(64);
    let said = "works on a state in a file alone";
    assert!(refused.stderr.contains(said), "{refused}");
    let copy = refused.hinted("state pull --out copy.tfstate");
    assert!(copy.contains("--backend 's3://bucket/key"), "{copy}");
}
