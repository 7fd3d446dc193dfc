//! The JSON of the platform's plan, as tools see it that were written for Terraform's and OpenTofu's.
//!
//! `plan_shape.json` has the keys of their plans at each place: of Terraform 1.11 and OpenTofu 1.12, and of each type of the platform.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value as Json;
use terrane_tests::ci_program;

use super::SandboxFolder;

#[derive(Deserialize)]
struct Shape {
    places: BTreeMap<String, Keys>,
    types: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Keys {
    /// In every element of every plan.
    always: BTreeSet<String>,
    sometimes: BTreeSet<String>,
    /// Those that a Rust program has nothing for.
    #[serde(default)]
    not_ours: BTreeSet<String>,
    /// Those that only we have.
    #[serde(default)]
    ours: BTreeSet<String>,
}

fn shape() -> Shape {
    serde_json::from_str(include_str!("plan_shape.json")).expect("JSON")
}

/// All resources of a module and the modules in it.
fn resources<'a>(module: &'a Json, found: &mut Vec<&'a Json>) {
    found.extend(module["resources"].as_array().into_iter().flatten());
    for child in module["child_modules"].as_array().into_iter().flatten() {
        resources(child, found);
    }
    for call in module["module_calls"].as_object().into_iter().flatten() {
        resources(&call.1["module"], found);
    }
}

/// The elements of a plan at each place.
fn places(plan: &Json) -> BTreeMap<&'static str, Vec<&Json>> {
    let changes: Vec<&Json> = plan["resource_changes"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    let members = |of: &'static str| {
        plan[of]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, it)| it)
            .collect::<Vec<_>>()
    };
    let inside = |module: &'static str| {
        let mut found = Vec::new();
        resources(&plan[module]["root_module"], &mut found);
        found
    };
    let outputs = plan["planned_values"]["outputs"]
        .as_object()
        .expect("outputs");
    let providers = plan["configuration"]["provider_config"]
        .as_object()
        .expect("providers");
    BTreeMap::from([
        ("plan", vec![plan]),
        ("resource_changes", changes.clone()),
        (
            "change",
            changes.iter().map(|change| &change["change"]).collect(),
        ),
        ("output_changes", members("output_changes")),
        ("planned_values", vec![&plan["planned_values"]]),
        ("planned_values.outputs", outputs.values().collect()),
        ("planned_values.resources", inside("planned_values")),
        ("configuration", vec![&plan["configuration"]]),
        (
            "configuration.provider_config",
            providers.values().collect(),
        ),
        ("configuration.resources", inside("configuration")),
    ])
}

#[track_caller]
fn assert_shape(plan: &Json) {
    let shape = shape();
    let places = places(plan);
    assert_eq!(places.len(), shape.places.len());
    for (place, elements) in places {
        let Keys {
            always,
            sometimes,
            not_ours,
            ours,
        } = &shape.places[place];
        let known: BTreeSet<&String> = always.iter().chain(sometimes).chain(ours).collect();
        assert!(!elements.is_empty(), "{place}");
        for element in elements {
            let keys: BTreeSet<&String> = element.as_object().expect("an object").keys().collect();
            let missing: Vec<_> = always
                .difference(not_ours)
                .filter(|key| !keys.contains(key))
                .collect();
            assert!(missing.is_empty(), "{place} has no {missing:?}: {element}");
            let more: Vec<_> = keys.difference(&known).collect();
            assert!(more.is_empty(), "{place} has {more:?}, which nobody knows");
        }
    }
}

/// What tools find in a plan.
#[derive(Deserialize)]
struct Found {
    changes: Vec<String>,
    planned: Vec<String>,
    declared: Vec<String>,
    outputs: Vec<String>,
    violations: Vec<String>,
}

fn read_by_tools(plan: &str) -> Found {
    let mut reader = Command::new(ci_program("plan-reader"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut input = reader.stdin.take().expect("piped");
    input.write_all(plan.as_bytes()).expect("written");
    drop(input);
    let output = reader.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn the_platforms_plan_has_the_shape_of_terraforms_and_tools_read_it() {
    let folder = SandboxFolder::new();
    let text = folder.succeeds(&["preview", "--json", "--cost"]);
    let plan: Json = serde_json::from_str(&text).expect("JSON");
    assert_shape(&plan);

    // The same types with the same actions, and of each type every key that the provider's own plan has.
    let mut types: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for change in plan["resource_changes"].as_array().expect("a list") {
        if change["mode"] != "managed" {
            continue;
        }
        assert_eq!(change["change"]["actions"], serde_json::json!(["create"]));
        let name = change["type"].as_str().expect("a type").to_owned();
        let keys = types.entry(name).or_default();
        for side in ["after", "after_unknown"] {
            let members = change["change"][side].as_object().expect("an object");
            keys.extend(members.keys().cloned());
        }
    }
    let theirs = shape().types;
    assert_eq!(
        types.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    for (name, keys) in theirs {
        let missing: Vec<_> = keys.difference(&types[&name]).collect();
        // Version 6 of the provider has it no more.
        let expected: &[&str] = if name == "aws_eip" { &["vpc"] } else { &[] };
        assert_eq!(missing, expected, "{name}");
    }

    let found = read_by_tools(&text);
    assert_eq!(found.violations, [""; 0]);
    assert!(
        found
            .changes
            .contains(&"create module.network.aws_vpc.main".to_owned())
    );
    assert_eq!(
        found.planned.len(),
        found
            .changes
            .iter()
            .filter(|line| line.starts_with("create "))
            .count()
    );
    let subnet = "module.network.aws_subnet.public <- aws_vpc.main ";
    assert!(
        found.declared.iter().any(|line| line.starts_with(subnet)),
        "{:?}",
        found.declared
    );
    assert!(found.outputs.contains(&"eks_cluster_endpoint".to_owned()));

    folder.succeeds(&["up", "--yes"]);
    let replacing = [
        "preview",
        "--json",
        "--var",
        "eks_node_instance_types=[\"m5.large\"]",
    ];
    let text = folder.succeeds(&replacing);
    assert_shape(&serde_json::from_str(&text).expect("JSON"));
    let found = read_by_tools(&text);
    let group = "module.cluster.aws_eks_node_group.main";
    assert!(
        found
            .changes
            .iter()
            .any(|line| line.contains("delete") && line.ends_with(group)),
        "{:?}",
        found.changes
    );
    let expected = [
        "module.cluster.aws_eks_cluster.main is reached from everywhere".to_owned(),
        format!("{group} would be destroyed"),
    ];
    assert_eq!(found.violations, expected);
}
