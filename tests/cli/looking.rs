//! The commands that only look: `history`, `console`, `--trace`.

use insta::assert_snapshot;
use terrane_tests::TestEnvironment;

use crate::stage::network;

fn shown(stack: &TestEnvironment, arguments: &[&str]) -> String {
    stack.run(arguments).exits(0).to_string()
}

/// A table whose columns are as wide as names of this machine, without its padding.
fn in_columns(text: &str) -> String {
    let line = |line: &str| {
        let cells = line
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        cells.collect::<Vec<_>>().join(" | ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn history_tells_who_ran_what_and_when() {
    let mut stack = network();
    assert_snapshot!(shown(&stack, &["history"]), @"
    exit: 0
    --- stderr ---
    Nobody has changed the state at .terrane/test/terraform.tfstate yet.
    ");
    stack.run(&["up", "--yes"]).exits(0);
    // Nothing to do is no news.
    stack.run(&["up", "--yes"]).exits(0);
    stack.set("CI_JOB_URL", "https://ci.example/job/7");
    stack.run(&["up", "--yes", "--var", "size=2"]).exits(0);
    stack
        .run(&[
            "state",
            "rm",
            "--yes",
            "module.network.conformance_sdk_thing.child[\"b\"]",
        ])
        .exits(0);
    assert_snapshot!(in_columns(&shown(&stack, &["history"])), @"
    exit: 0
    --- stdout ---
    WHEN | WHO | WHAT | DONE | SERIAL | VERSION | JOB
    <time> | tester@<host> | change of the state | 4 | current | https://ci.example/job/7
    <time> | tester@<host> | apply | 1 updated | 3 | backup | https://ci.example/job/7
    <time> | tester@<host> | apply | 2
    <time> | tester@<host> | apply | 3 created | 1
    ");
    let json = stack.run(&["history", "--json", "--limit", "2"]).exits(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let runs = json.as_array().expect("a list");
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["operation"], "state");
    assert_eq!(runs[1]["updated"], 1);
    assert_eq!(runs[1]["ci_url"], "https://ci.example/job/7");
    assert_eq!(runs[1]["status"], "ended");
}

/// What the console says to these lines.
fn console(stack: &TestEnvironment, arguments: &[&str], lines: &str) -> String {
    let arguments = [&["console"], arguments].concat();
    stack.run_with_input(&arguments, lines).to_string()
}

#[test]
fn the_console_looks_up_objects_attributes_and_exports() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let lines = "zones\nzones[1]\nconformance_sdk_thing.base.size\nconformance_sdk_thing.base.secret\n\
                 module.network.conformance_sdk_thing.child[\"a\"].rule[0].port\nlist module.*\nsecret\n";
    assert_snapshot!(console(&stack, &[], lines), @r#"
    exit: 0
    --- stdout ---
    ["a", "b"]
    "b"
    1
    (sensitive)
    22
    module.network.conformance_sdk_thing.child["a"]
    module.network.conformance_sdk_thing.child["b"]
    (sensitive)
    "#);
    assert_snapshot!(console(&stack, &["--show-secrets"], "conformance_sdk_thing.base.secret\n"), @r#"
    exit: 0
    --- stdout ---
    "hunter2"
    "#);
    assert_snapshot!(console(&stack, &["--json"], "zones\nconformance_sdk_thing.base.size\n"), @r#"
    exit: 0
    --- stdout ---
    ["a","b"]
    1
    "#);
    // A script is told that it asked in vain.
    assert_snapshot!(console(&stack, &[], "conformance_sdk_thing.bsae\nzones[9]\n"), @"
    exit: 1
    --- stderr ---
    error: conformance_sdk_thing.bsae is not in the state
    hint: did you mean `conformance_sdk_thing.base`?
    error: zones has no `[9]`
    hint: `zones` shows what it has
    ");
}

#[test]
fn a_trace_says_where_the_time_went_and_holds_no_value() {
    let stack = network();
    stack
        .run(&["up", "--yes", "--trace", "trace.json"])
        .exits(0);
    let text = std::fs::read_to_string(stack.path().join("trace.json")).expect("a file");
    assert!(!text.contains("hunter2"), "{text}");
    let trace: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    let rows: Vec<(u64, u64, &str)> = (events.iter())
        .filter(|event| event["name"] == "thread_name")
        .filter_map(|event| {
            let name = event["args"]["name"].as_str()?;
            Some((event["pid"].as_u64()?, event["tid"].as_u64()?, name))
        })
        .collect();
    let on_row = |row: &str, name: &str| {
        events.iter().any(|event| {
            let place = (event["pid"].as_u64(), event["tid"].as_u64());
            let is_there = |(pid, tid, known): &(u64, u64, &str)| {
                *known == row && place == (Some(*pid), Some(*tid))
            };
            event["ph"] == "X" && event["name"] == name && rows.iter().any(is_there)
        })
    };
    assert!(
        on_row("phases", "plan") && on_row("phases", "apply"),
        "{text}"
    );
    for name in ["create", "PlanResourceChange", "ApplyResourceChange"] {
        assert!(on_row("conformance_sdk_thing.base", name), "{name}: {text}");
    }
    for event in events.iter().filter(|event| event["ph"] == "X") {
        assert!(event["ts"].is_u64() && event["dur"].is_u64(), "{event}");
    }
    let unwritable = stack.run(&["output", "--trace", "nowhere/trace.json"]);
    assert_snapshot!(unwritable.exits(64).to_string(), @"
    exit: 64
    --- stderr ---
    error: cannot write the trace nowhere/trace.json: No such file or directory (os error 2)
    ");
}
