//! Output for programs: plan JSON, event lines, validation.

use serde_json::{Value, json};

use crate::stage::network;

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON lines"))
        .collect()
}

#[test]
fn a_preview_is_terraforms_plan_json() {
    let stack = network();
    let plan = stack.run(&["preview", "--json"]).exits(0).json();
    assert_eq!(plan["format_version"], "1.2");
    assert_eq!(plan["errored"], false);
    let base = &plan["resource_changes"][0];
    assert_eq!(base["address"], "conformance_sdk_thing.base");
    assert_eq!(base["mode"], "managed");
    assert_eq!(
        base["provider_name"],
        "registry.opentofu.org/terrane/conformance"
    );
    assert_eq!(base["change"]["actions"], json!(["create"]));
    assert_eq!(base["change"]["before"], Value::Null);
    assert_eq!(base["change"]["after"]["size"], 1);
    assert_eq!(base["change"]["after_unknown"]["id"], true);
    assert_eq!(base["change"]["after_sensitive"]["secret"], true);
    // A secret is in it only when asked for.
    assert_eq!(base["change"]["after"]["secret"], Value::Null);
    let child = &plan["resource_changes"][1];
    assert_eq!(child["module_address"], "module.network");
    assert_eq!(child["index"], "a");
    assert_eq!(
        plan["planned_values"]["root_module"]["child_modules"][0]["address"],
        "module.network"
    );
    assert_eq!(plan["output_changes"]["base_id"]["after_unknown"], true);
    // A module refers to what is outside of it by a variable, as Terraform's do.
    let call = &plan["configuration"]["root_module"]["module_calls"]["network"];
    assert_eq!(call["source"], "./network");
    let kind = &call["module"]["resources"][0]["expressions"]["kind"]["references"];
    assert_eq!(*kind, json!(["var.conformance_sdk_thing_base_id"]));
    assert_eq!(
        call["expressions"]["conformance_sdk_thing_base_id"]["references"],
        json!([
            "conformance_sdk_thing.base.id",
            "conformance_sdk_thing.base"
        ])
    );
    let id = json!({ "resource": "conformance_sdk_thing.base", "attribute": ["id"] });
    let relevant = plan["relevant_attributes"].as_array().expect("a list");
    assert!(relevant.contains(&id), "{relevant:?}");

    let shown = stack
        .run(&["preview", "--json", "--show-secrets"])
        .exits(0)
        .json();
    assert_eq!(
        shown["resource_changes"][0]["change"]["after"]["secret"],
        "hunter2"
    );
}

#[test]
fn a_replacement_has_its_paths_and_its_prior_state() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let file = stack.path().join("plan.json");
    let arguments = [
        "preview",
        "--var",
        "base=two",
        "--json-file",
        "plan.json",
        "--detailed-exitcode",
    ];
    let shown = stack.run(&arguments).exits(2);
    assert!(shown.stdout.contains("Plan: 3 to add"), "{shown}");
    let text = std::fs::read_to_string(file).expect("a file");
    let plan: Value = serde_json::from_str(&text).expect("JSON");
    let base = &plan["resource_changes"][0];
    assert_eq!(base["change"]["actions"], json!(["delete", "create"]));
    assert_eq!(base["change"]["replace_paths"], json!([["name"]]));
    assert_eq!(base["action_reason"], "replace_because_cannot_update");
    let prior = &plan["prior_state"]["values"]["root_module"]["resources"][0];
    assert_eq!(prior["values"]["name"], "one");
    assert_eq!(prior["sensitive_values"]["secret"], true);
    assert!(!text.contains("hunter2"));
}

#[test]
fn an_apply_is_a_stream_of_terraforms_events() {
    let stack = network();
    let events = lines(&stack.run(&["up", "--yes", "--json"]).exits(0).stdout);
    let types: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(types[0], "version");
    let count = |name: &str| types.iter().filter(|kind| **kind == name).count();
    assert_eq!(
        (
            count("planned_change"),
            count("apply_start"),
            count("apply_complete")
        ),
        (3, 3, 3)
    );
    let summaries: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "change_summary")
        .collect();
    assert_eq!(
        summaries[0]["@message"],
        "Plan: 3 to add, 0 to change, 0 to destroy."
    );
    assert_eq!(
        summaries[1]["@message"],
        "Apply complete! Resources: 3 added, 0 changed, 0 destroyed."
    );
    assert_eq!(summaries[1]["changes"]["operation"], "apply");
    let last = events.last().expect("events");
    assert_eq!(last["type"], "outputs");
    assert_eq!(last["outputs"]["zones"]["value"], json!(["a", "b"]));
    assert_eq!(
        last["outputs"]["secret"],
        json!({ "sensitive": true, "type": "string" })
    );

    let events = lines(&stack.run(&["destroy", "--yes", "--json"]).exits(0).stdout);
    let summary = events
        .iter()
        .rfind(|event| event["type"] == "change_summary");
    assert_eq!(
        summary.expect("a summary")["@message"],
        "Destroy complete! Resources: 3 destroyed."
    );
}

#[test]
fn failures_are_events_too() {
    let stack = network();
    let knobs = "knobs={\"base\":{\"fail_create\":\"before\"}}";
    let output = stack
        .run(&["up", "--yes", "--json", "--var", knobs])
        .exits(1);
    let events = lines(&output.stdout);
    let errored = events.iter().find(|event| event["type"] == "apply_errored");
    assert_eq!(
        errored.expect("an event")["hook"]["resource"]["addr"],
        "conformance_sdk_thing.base"
    );
    let diagnostic = events
        .iter()
        .find(|event| event["type"] == "diagnostic")
        .expect("an event");
    assert_eq!(diagnostic["diagnostic"]["severity"], "error");
    assert_eq!(
        diagnostic["diagnostic"]["address"],
        "conformance_sdk_thing.base"
    );
    assert_eq!(
        diagnostic["diagnostic"]["range"]["filename"],
        "tests/cli/stack.rs"
    );

    let wrong = stack
        .run(&["up", "--yes", "--json", "--var", "nope=1"])
        .exits(64);
    assert_eq!(lines(&wrong.stdout)[0]["type"], "diagnostic");
}

#[test]
fn validation_is_one_document() {
    let stack = network();
    let valid = stack.run(&["validate", "--json"]).exits(0).json();
    assert_eq!(valid["valid"], true);
    let knobs = "knobs={\"base\":{\"no_such_knob\":\"x\"}}";
    let invalid = stack
        .run(&["validate", "--json", "--var", knobs])
        .exits(1)
        .json();
    assert_eq!(
        (invalid["valid"].clone(), invalid["error_count"].clone()),
        (json!(false), json!(1))
    );
}

#[test]
fn a_run_that_fails_says_why_in_the_file_beside_the_text() {
    let stack = network();
    let file = stack.path().join("events.json");
    let reasons = |options: &[&str], code| {
        let mut up = vec!["up", "--json-file", "events.json"];
        up.extend(options);
        let up = stack.run(&up).exits(code);
        let events = lines(&std::fs::read_to_string(&file).expect("the file"));
        let errors = events.iter().filter(|event| event["@level"] == "error");
        let errors: Vec<_> = errors
            .map(|event| {
                event["diagnostic"]["summary"]
                    .as_str()
                    .expect("text")
                    .to_owned()
            })
            .collect();
        for error in &errors {
            assert!(up.stderr.contains(&format!("error: {error}")), "{up}");
        }
        errors
    };
    assert_eq!(reasons(&[], 1), ["confirmation required"]);
    assert_eq!(
        reasons(&["--yes", "--deny", "create"], 9),
        ["the plan is refused by `--deny`"]
    );
    assert!(reasons(&["--yes"], 0).is_empty());
}
