//! Unresolved operations: the exit code of a run, the answers of a person, and the wait for late operations.

use std::io::{BufRead as _, BufReader, Read};
use std::process::Child;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use terrane_tests::{TestEnvironment, filtered};

use crate::failures::signal;
use crate::stage::{network, only_object};
use crate::terminal::{on_a_terminal, read_until};

pub(crate) const BASE: &str = "conformance_sdk_thing.base";

/// A stack whose provider died while it made the base: before that was there, or after.
pub(crate) fn crashed(when: &str, named: bool) -> TestEnvironment {
    let mut stack = network();
    stack.set("TERRANE_VAR_ZONES", "[]");
    stack.set("TERRANE_VAR_NAMED", if named { "true" } else { "false" });
    let knobs = format!("knobs={{\"base\":{{\"crash\":\"{when}\"}}}}");
    let crashed = stack.run(&["up", "--yes", "--var", &knobs]).exits(3);
    let (_, said) = (crashed.stderr)
        .split_once("No response was recorded; the next `up`")
        .unwrap_or_else(|| panic!("{crashed}"));
    let named = said.lines().nth(1);
    assert_eq!(named.map(str::trim), Some(BASE), "{crashed}");
    stack
}

#[test]
fn a_run_with_an_unknown_outcome_ends_with_exit_3_in_json_too() {
    let stack = network();
    let knobs = "knobs={\"base\":{\"crash\":\"create\"}}";
    let crashed = stack.run(&["up", "--yes", "--json", "--var", knobs]);
    let crashed = crashed.exits(3);
    assert!(crashed.stdout.contains("apply_errored"), "{crashed}");
    stack.run(&["destroy", "--yes"]).exits(3);
}

#[test]
fn an_object_that_was_made_is_named_by_its_id_and_goes_into_the_state() {
    let stack = crashed("after_create", false);
    let (id, _) = only_object(&stack);
    assert_snapshot!(stack.run(&["state", "resolve", BASE, "--id", "one-00000000"]), @r#"
    exit: 1
    --- stderr ---
    error: there is no conformance_sdk_thing `one-<id>`: nothing was changed
      resource   conformance_sdk_thing.base
      declared   tests/cli/stack.rs:<line>
    hint: what an id looks like is in the provider's documentation of the type, under "Import"
    "#);
    stack.run(&["up", "--yes"]).exits(3);
    assert_snapshot!(stack.run(&["state", "resolve", BASE, "--id", &id]), @r#"
    exit: 0
    --- stdout ---
    conformance_sdk_thing.base
      arn                 = ""
      code                = ""
      crash               = "after_create"
      delay               = ""
      enabled             = true
      fail_create         = ""
      fail_delete         = ""
      fail_update         = ""
      id                  = "one-<id>"
      kind                = ""
      label               = "label of one"
      name                = "one"
      password_digest     = ""
      password_wo_version = 0
      placement[0].zone   = "zone-a"
      policy (json)
        Statement[0].Action = ["get", "list"]
        Statement[0].Effect = "Allow"
      ratio               = 0
      revision            = 1
      secret              = (sensitive)
      size                = 1
    --- stderr ---
    conformance_sdk_thing.base is resolved

    State serial 2 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    assert_snapshot!(stack.run(&["up", "--yes"]), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      ~ conformance_sdk_thing.base  [id=one-<id>]  tests/cli/stack.rs:<line>
          - crash = "after_create"

    Outputs:
      + base_id = "one-<id>"
      + secret = (sensitive)

    Plan: 0 to add, 1 to change, 0 to destroy.

    Apply complete! Resources: 0 added, 1 changed, 0 destroyed.

    Outputs:
      base_id  "one-<id>"
      secret   (sensitive)
      zones    []
    --- stderr ---
    conformance_sdk_thing.base: updating…
    conformance_sdk_thing.base: updated in <n>s [id=one-<id>]

    State serial 3 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    assert_eq!(only_object(&stack).0, id);
}

#[test]
fn the_printed_answers_can_be_pasted() {
    for (crash, words) in [("create", "--absent"), ("after_create", "--id")] {
        let mut stack = network();
        stack.set("TERRANE_VAR_ZONES", "[]");
        let knobs = format!("knobs={{\"base\":{{\"crash\":\"{crash}\"}}}}");
        let there = ["--backend", "some where/state.tfstate"];
        let up = ["up", "--yes", "--var", &knobs];
        stack.run(&[&up[..], &there].concat()).exits(3);
        // Looking says the same as going on, and neither forgets where.
        stack.run(&[&["preview"][..], &there].concat()).exits(0);
        let asked = stack.run(&[&["up", "--yes"][..], &there].concat()).exits(3);
        let mut answer = asked.hinted(words);
        if crash == "after_create" {
            answer = answer.replace("'ID'", &only_object(&stack).0);
        }
        stack.paste(&answer, "").exits(0);
        stack.run(&[&["up", "--yes"][..], &there].concat()).exits(0);
        only_object(&stack);
    }
}

#[test]
fn answers_are_documents_with_json() {
    let stack = crashed("after_create", false);
    let (id, _) = only_object(&stack);
    let resolve = ["state", "resolve", BASE, "--json"];
    let resolved = stack.run(&[&resolve[..], &["--id", &id]].concat());
    assert_eq!(
        resolved.exits(0).json(),
        json!({ "address": BASE, "id": "one-<id>", "serial": 2 })
    );

    let stack = crashed("create", false);
    let resolved = stack.run(&[&resolve[..], &["--absent"]].concat());
    assert_eq!(
        resolved.exits(0).json(),
        json!({ "address": BASE, "id": null, "serial": 1 })
    );
    stack.run(&["up", "--yes"]).exits(0);
    only_object(&stack);
}

#[test]
fn one_answer_is_due_and_not_two() {
    let stack = network();
    stack.run(&["state", "resolve", BASE]).exits(64);
    let both = ["state", "resolve", BASE, "--absent", "--id", "x"];
    stack.run(&both).exits(64);
    stack.run(&["state", "resolve", BASE, "--id", "x"]).exits(1);
}

/// The output of the program there, interrupted at those words.
fn interrupted_at(
    words: &str,
    stack: &TestEnvironment,
    child: &mut Child,
    stream: impl Read,
) -> String {
    let mut stream = BufReader::new(stream);
    let mut said = String::new();
    while !said.contains(words) {
        let read = stream.read_line(&mut said).expect("readable");
        assert!(read > 0, "it ended early: {said}");
    }
    signal(child, "INT");
    stream.read_to_string(&mut said).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(8), "{said}");
    filtered(&said, &stack.path().display().to_string())
}

#[test]
fn a_wait_for_a_late_operation_is_announced() {
    let stack = crashed("create", true);
    let mut child = stack.command(&["up", "--yes"]).spawn().expect("a program");
    let stderr = child.stderr.take().expect("piped");
    assert_snapshot!(interrupted_at("still take effect", &stack, &mut child, stderr), @"
    conformance_sdk_thing.base: an operation of an earlier run may still take effect; waiting until <time>, at most <n>s

    stopping: waiting for running operations to finish; press Ctrl-C again to exit at once
    error: interrupted: nothing was changed
    ");
}

#[test]
fn a_wait_is_a_line_of_json() {
    let stack = crashed("create", true);
    let mut child = stack
        .command(&["up", "--yes", "--json"])
        .spawn()
        .expect("a program");
    let stdout = child.stdout.take().expect("piped");
    let said = interrupted_at("still take effect", &stack, &mut child, stdout);
    let line = said.lines().find(|line| line.contains("settle_wait"));
    let mut line: Json = serde_json::from_str(line.expect("a line")).expect("JSON");
    let most = line["wait"]["at_most_seconds"].take();
    assert!(
        (60..=120).contains(&most.as_u64().expect("a number")),
        "{most}"
    );
    assert_snapshot!(format!("{line:#}"), @r#"
    {
      "@level": "info",
      "@message": "conformance_sdk_thing.base: an operation of an earlier run may still take effect; waiting until <time>, at most <n>s",
      "@module": "terrane.ui",
      "@timestamp": "<time>",
      "type": "settle_wait",
      "wait": {
        "at_most_seconds": null,
        "resources": [
          {
            "addr": "conformance_sdk_thing.base",
            "implied_provider": "conformance",
            "module": "",
            "resource": "conformance_sdk_thing.base",
            "resource_key": null,
            "resource_name": "base",
            "resource_type": "conformance_sdk_thing"
          }
        ],
        "until": "<time>"
      }
    }
    "#);
}

#[test]
fn a_wait_is_a_row_with_the_time_that_is_left() {
    let stack = crashed("create", true);
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up", "--yes"]);
    let row = format!("s  {BASE}: an operation of an earlier run may still take effect");
    let drawn = read_until(&mut terminal, &row);
    assert!(drawn.contains(&row), "{drawn:?}");
    let head = "recovering 1 operation of earlier runs";
    assert!(drawn.contains(head), "{drawn:?}");
    signal(&child, "INT");
    let rest = read_until(&mut terminal, "no such text");
    assert_eq!(child.wait().expect("an end").code(), Some(8), "{rest}");
}
