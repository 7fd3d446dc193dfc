//! `--refresh changed` at the command line: what is not read, and which processes are not even started.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use terrane_tests::{TestEnvironment, go_program};

use crate::stage::network_of;

/// The test stack, whose provider writes a line for each of its processes.
fn counted() -> (TestEnvironment, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let provider = go_program("terraform-provider-conformance");
    let script = folder.path().join("terraform-provider-conformance");
    let provider = provider.display();
    let text = format!("#!/bin/sh\necho started >> \"$HOME/starts\"\nexec '{provider}' \"$@\"\n");
    std::fs::write(&script, text).expect("a writable folder");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&script, executable).expect("a file");
    (network_of(folder.path()), folder)
}

/// The same, made and recorded as it reads afterwards: this provider fills in empty lists only then.
fn made() -> (TestEnvironment, tempfile::TempDir) {
    let (stack, folder) = counted();
    for _ in 0..2 {
        assert_eq!(stack.run(&["up", "--yes"]).code, 0);
    }
    starts(&stack);
    (stack, folder)
}

/// How many processes of the provider were started since the last time.
fn starts(stack: &TestEnvironment) -> usize {
    let file = stack.path().join("starts");
    let lines = std::fs::read_to_string(&file).unwrap_or_default();
    let _ = std::fs::remove_file(file);
    lines.lines().count()
}

/// The last sentences of a preview that succeeds.
fn totals(stack: &TestEnvironment, more: &[&str]) -> String {
    let arguments = [&["preview", "--refresh", "changed"], more].concat();
    let output = stack.run(&arguments);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let blocks = output.stdout.trim_end().rsplit("\n\n");
    blocks.take(1).collect()
}

#[test]
fn a_preview_of_an_unchanged_stack_starts_no_provider() {
    let (stack, _folder) = made();
    // Nobody has noted what was read, so everything is read.
    assert_snapshot!(totals(&stack, &[]), @"No changes. Your infrastructure matches the configuration.");
    assert_eq!(starts(&stack), 1);
    assert_snapshot!(totals(&stack, &[]), @"
    No changes. Your infrastructure matches the configuration.
    3 not read since <time>
    ");
    assert_eq!(starts(&stack), 0);
    let json = stack
        .run(&["preview", "--refresh", "changed", "--json"])
        .stdout;
    assert!(
        json.contains(r#""unread":{"objects":3,"since":"<time>"}"#),
        "{json}"
    );
    // A change asks about itself and its dependents; what is too old is read.
    assert_snapshot!(totals(&stack, &["--var", "size=2"]), @"
    Plan: 0 to add, 1 to change, 0 to destroy.
    2 unchanged
    ");
    assert_eq!(starts(&stack), 1);
    assert_snapshot!(totals(&stack, &["--max-age", "1us"]), @"No changes. Your infrastructure matches the configuration.");
    assert_eq!(starts(&stack), 1);
    // An `up` without the flag keeps the cache that is there.
    for _ in 0..2 {
        assert_eq!(stack.run(&["up", "--yes", "--var", "size=2"]).code, 0);
    }
    starts(&stack);
    totals(&stack, &["--var", "size=2"]);
    let up = stack.run(&["up", "--yes", "--refresh", "changed", "--var", "size=2"]);
    assert_eq!((up.code, starts(&stack)), (0, 0), "{}", up.stderr);
}

#[test]
fn a_cache_that_is_damaged_or_elsewhere_costs_a_reading() {
    let (stack, _folder) = made();
    let state = stack.path().join(".terrane/test/terraform.tfstate");
    totals(&stack, &[]);
    starts(&stack);
    let cache = stack
        .path()
        .join(".terrane/test/terraform.tfstate.plan-cache");
    std::fs::write(&cache, "nothing of ours").expect("writable");
    assert_snapshot!(totals(&stack, &[]), @"No changes. Your infrastructure matches the configuration.");
    assert_eq!(starts(&stack), 1);
    totals(&stack, &[]);
    assert_eq!(starts(&stack), 0);
    // Another place has a cache of its own.
    std::fs::copy(state, stack.path().join("other.tfstate")).expect("copied");
    let elsewhere = ["--backend", "other.tfstate"];
    totals(&stack, &elsewhere);
    assert_eq!(starts(&stack), 1);
    totals(&stack, &elsewhere);
    assert_eq!(starts(&stack), 0);
    assert!(Path::new(&stack.path().join("other.tfstate.plan-cache")).exists());
}

#[test]
fn a_saved_plan_says_what_was_not_read() {
    let (stack, _folder) = made();
    totals(&stack, &[]);
    // Another zone changes nothing that exists.
    let zones = r#"zones=["a","b","c"]"#;
    assert_snapshot!(totals(&stack, &["--var", zones, "--out", "saved"]), @"
    Plan: 1 to add, 0 to change, 0 to destroy.
    3 unchanged, 3 not read since <time>
    Not shown: arguments of 1 resource (`--details` shows all)
    ");
    let shown = stack.run(&["show", "saved"]);
    assert!(
        shown.stdout.contains("not read since <time>"),
        "{}",
        shown.stdout
    );
    let applied = stack.run(&["up", "saved", "--yes"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    let nothing = stack.run(&["preview", "--var", zones, "--detailed-exitcode"]);
    assert_eq!(nothing.code, 0, "{}", nothing.stdout);
}

#[test]
fn an_age_without_the_flag_that_it_belongs_to_is_refused() {
    let (stack, _folder) = counted();
    assert_snapshot!(stack.run(&["preview", "--max-age", "1d"]), @"
    exit: 64
    --- stderr ---
    error: `--max-age` needs `--refresh changed`
    hint: `--refresh true` reads every object, whatever its age
    ");
}
