//! Providers other than AWS in the sandbox, beside it: one cloud, whose objects stand on each other.

use serde_json::Value as Json;

use super::SandboxFolder;

const NOTHING: &str = "No changes. Your infrastructure matches the configuration.\n";

fn clouds() -> SandboxFolder {
    SandboxFolder::of("clouds", env!("CARGO_BIN_EXE_clouds-stack"))
}

#[test]
fn a_program_on_five_providers_goes_up_changes_and_comes_down() {
    let folder = clouds();
    folder.succeeds(&["up", "--yes"]);
    assert!(folder.succeeds(&["preview"]).ends_with(NOTHING));
    let raw = |name: &str| folder.succeeds(&["output", "--raw", name]);
    assert!(
        raw("bucket").starts_with("models-team-"),
        "{}",
        raw("bucket")
    );
    assert_eq!(raw("password").len(), 20);
    assert!(!raw("gateway").is_empty() && !raw("chart").is_empty());
    let objects = folder.objects();
    let gateway = objects["acme_net_gateway"]
        .as_object()
        .and_then(|all| all.values().next());
    let gateway = gateway.expect("one");
    // The address that Kubernetes made up reached the provider without rules, and a write-only argument is stored nowhere.
    assert!(
        gateway["name"]
            .as_str()
            .is_some_and(|name| name.ends_with(".elb.amazonaws.com"))
    );
    assert_eq!(gateway["token"], Json::Null);
    assert!(!folder.ledger_text().contains("t0ken"));

    let changed = folder.succeeds(&["up", "--yes", "--var", "replicas=3"]);
    assert!(
        changed.contains("0 added, 1 changed, 0 destroyed"),
        "{changed}"
    );
    let preview = folder.succeeds(&["preview", "--var", "replicas=3"]);
    assert!(preview.ends_with(NOTHING), "{preview}");

    folder.succeeds(&["destroy", "--yes", "--var", "replicas=3"]);
    assert!(folder.objects().is_empty());
}

#[test]
fn an_object_that_a_person_changed_in_any_cloud_is_drift() {
    let folder = clouds();
    folder.succeeds(&["up", "--yes"]);
    let path = folder.folder().join("cloud.json");
    let bytes = std::fs::read(&path).expect("the cloud");
    let mut cloud: Json = serde_json::from_slice(&bytes).expect("JSON");
    let kind = cloud["objects"]["acme_net_gateway"].as_object_mut();
    let gateway = kind.and_then(|kind| kind.values_mut().next());
    gateway.expect("one")["name"] = "by-hand".into();
    std::fs::write(&path, cloud.to_string()).expect("writable");
    let shown = folder.succeeds(&["preview"]);
    assert!(
        shown.contains("\n\nChanged outside of this program:"),
        "{shown}"
    );
    assert!(shown.contains("by-hand"), "{shown}");
}

#[test]
fn a_namespace_that_exists_is_imported_by_its_name() {
    let folder = clouds();
    folder.succeeds(&["up", "--yes"]);
    let before = folder.succeeds(&["state", "list"]);
    for (address, id) in [
        ("kubernetes_config_map_v1.settings", "settings"),
        ("kubernetes_service_v1.api", "api"),
    ] {
        let shown = folder.succeeds(&["state", "show", address, "--json"]);
        let space = shown
            .split("\"namespace\":")
            .nth(1)
            .and_then(|rest| rest.split('"').nth(1));
        let id = format!("{}/{id}", space.expect("a namespace"));
        folder.succeeds(&["state", "rm", address, "--yes"]);
        folder.succeeds(&["import", address, &id, "--yes"]);
    }
    assert_eq!(folder.succeeds(&["state", "list"]), before);
    assert!(folder.succeeds(&["preview"]).ends_with(NOTHING));
}
