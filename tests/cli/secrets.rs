//! Secrets stay inside: in nothing that is printed, streamed, logged or written beside the state, unless they are asked for by name.

use std::fmt;

use serde_json::{Value, json};
use terrane_core::secrets::forms_of;
use terrane_tests::TestEnvironment;

use crate::stage::{self, fake};

/// One for every place; the first is in no text as it is, for every writer escapes something of it.
const CANARIES: [(&str, &str); 7] = [
    ("password", "canary-1 \"<&>'\\ é"),
    ("provider", "canary-2-provider"),
    ("lookup", "canary-3-lookup"),
    ("dynamic", "canary-4-dynamic"),
    ("element", "canary-5-element"),
    ("nested", "canary-6-nested"),
    ("tag", "canary-7-tag"),
];

/// A stack that puts all of them into a vault, whose provider does that.
pub(crate) fn vault(fault: &str) -> TestEnvironment {
    let secrets: serde_json::Map<String, Value> = CANARIES
        .into_iter()
        .map(|(place, secret)| (place.to_owned(), secret.into()))
        .collect();
    stage::vault(&[
        ("FAKE_PROTOCOL", "6"),
        ("FAKE_FAULT", fault),
        ("TERRANE_VAR_SECRETS", &Value::from(secrets).to_string()),
    ])
}

/// Fails where the output has any form of a canary.
#[track_caller]
pub(crate) fn silent(said: &impl fmt::Display) {
    let text = said.to_string();
    let mut forms = CANARIES.iter().flat_map(|(_, secret)| forms_of(secret));
    let found = forms.find(|form| text.contains(form));
    assert!(
        found.is_none() && !text.contains("canary"),
        "{found:?} in {text}"
    );
}

#[test]
fn no_command_shows_a_secret_that_it_was_not_asked_for() {
    let stack = vault("apply:log");
    let quiet = |arguments: &[&str]| {
        let output = stack.run(arguments).exits(0);
        silent(&output);
        output
    };
    let file = |name: &str| {
        let text = std::fs::read_to_string(stack.path().join(name)).expect("a file");
        silent(&text);
        text
    };

    quiet(&["preview"]);
    let shown = quiet(&["preview", "--details"]);
    insta::assert_snapshot!(shown.stdout, @r#"
    vault · terrane/fake · state .terrane/vault/terraform.tfstate

      + fake_vault.v  tests/cli/vault.rs:<line>
          + anything["a list"][0] = "visible"
          + anything["a list"][1] = (sensitive)
          + anything.spec.open = "visible"
          + anything.spec.token = (sensitive)
          + encoded = (sensitive)
          + name = "one"
          + nested[0].open = "visible"
          + nested[0].token = (sensitive)
          + password = (sensitive)
          + tags["a key"] = (sensitive)
          + tags["team"] = "visible"
          + url = (sensitive)

    Outputs:
      + copy = (sensitive)
      + found = (sensitive)
      + name = "one"
      + password = (sensitive)

    Plan: 1 to add, 0 to change, 0 to destroy.
    "#);
    quiet(&[
        "preview",
        "--json-file",
        "plan.json",
        "--out",
        "saved.plan",
        "--markdown",
        "comment.md",
        "--html",
        "plan.html",
    ]);
    file("comment.md");
    file("plan.html");
    // Others read a page than those who may read secrets.
    stack
        .run(&["preview", "--show-secrets", "--html", "plan.html"])
        .exits(0);
    file("plan.html");
    let plan: Value = serde_json::from_str(&file("plan.json")).expect("JSON");
    let change = &plan["resource_changes"][0]["change"];
    assert_eq!(
        change["after"]["anything"],
        json!({ "spec": { "open": "visible", "token": null }, "a list": ["visible", null] })
    );
    assert_eq!(change["after"]["tags_all"]["team"], "visible");
    assert_eq!(
        change["after_sensitive"],
        json!({
            "anything": { "spec": { "token": true }, "a list": [false, true] },
            "encoded": true,
            "nested": [{ "token": true }],
            "password": true,
            "pin": true,
            "tags": { "a key": true },
            "tags_all": { "a key": true },
            "url": true,
        })
    );
    assert_eq!(plan["output_changes"]["copy"]["after_sensitive"], true);
    assert_eq!(plan["output_changes"]["found"]["after_sensitive"], true);
    assert_eq!(plan["output_changes"]["name"]["after"], "one");
    assert_eq!(
        plan["variables"],
        json!({ "name": { "value": "one" }, "team": { "value": "visible" }, "secrets": {} })
    );
    quiet(&["show", "saved.plan"]);
    quiet(&["show", "saved.plan", "--json"]);
    quiet(&["graph"]);

    let up = quiet(&["up", "--yes", "--log", "trace", "--json-file", "up.json"]);
    assert!(up.stderr.contains("sending (sensitive)"), "{up}");
    file("up.json");
    let state = quiet(&["show", "--json"]).json();
    let vault = state["values"]["root_module"]["resources"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["address"] == "fake_vault.v"))
        .expect("a vault");
    assert_eq!(vault["values"]["anything"]["spec"]["open"], "visible");
    assert_eq!(
        vault["sensitive_values"]["anything"],
        json!({ "spec": { "token": true }, "a list": [false, true] })
    );
    assert_eq!(vault["sensitive_values"]["pin"], true);
    assert_eq!(
        vault["sensitive_values"]["tags_all"],
        json!({ "a key": true })
    );
    for arguments in [
        &["show"][..],
        &["state", "show", "fake_vault.v"],
        &["state", "show", "fake_vault.v", "--json"],
        &["state", "list"],
        &["state", "history"],
        &["output"],
        &["output", "--json"],
        &["output", "copy"],
        &["output", "password", "--json"],
        &["preview", "--var", "name=other"],
        &["preview", "--var", "name=other", "--json"],
        &["preview", "--target", "data.fake_lookup.l", "--json"],
        &["preview", "--destroy", "--json"],
        &["preview", "--refresh-only", "--json"],
        &["refresh", "--yes", "--json"],
    ] {
        quiet(arguments);
    }

    // Asked for by name, they are there.
    let (_, password) = CANARIES[0];
    assert_eq!(
        stack.run(&["output", "password", "--raw"]).exits(0).stdout,
        password
    );
    for arguments in [
        &["show", "--show-secrets"][..],
        &["state", "show", "fake_vault.v", "--show-secrets"],
        &["preview", "--json", "--show-secrets"],
        &["output", "--show-secrets"],
    ] {
        let shown = stack.run(arguments).exits(0);
        assert!(shown.stdout.contains("canary-7-tag"), "{shown}");
    }
    quiet(&["destroy", "--yes", "--json", "--log", "trace"]);
}

#[test]
fn a_secret_in_a_providers_message_is_masked() {
    let mut stack = vault("apply:log");
    stack.run(&["up", "--yes"]).exits(0);
    let ways = [
        ("tell", "refused: ", None),
        ("tell", "refused: ", Some("--json")),
        ("cry", "panic: ", None),
    ];
    for call in ["configure", "validate", "plan", "read", "apply"] {
        for (how, said, json) in ways {
            stack.set("FAKE_FAULT", &format!("{call}:{how}"));
            // Each time another update.
            let team = format!("team={call}-{how}-{json:?}");
            let mut arguments = vec!["up", "--yes", "--log", "trace", "--var", &team];
            arguments.extend(json);
            let output = stack.run(&arguments);
            assert_ne!(output.code, 0, "{call}:{how} {output}");
            let whole = output.to_string();
            let masked = whole.contains(said) && whole.contains("(sensitive)");
            assert!(masked, "{call}:{how} {whole}");
            silent(&output);
        }
    }
    stack.set("FAKE_FAULT", "");
    for way in ["team=panic", "team=fail"] {
        let failed = stack.run(&["preview", "--var", way]).exits(1);
        assert!(failed.stderr.contains("cannot use (sensitive)"), "{failed}");
        silent(&failed);
    }
    stack.set("FAKE_FAULT", "validate:tell");
    silent(&stack.run(&["validate", "--json"]).exits(1));
}

/// A sensitive path inside a dynamic value, as older tools left it; `jq -S` sorts its members.
const STATE: &str = r#"{
  "version": 4, "terraform_version": "1.12.0", "serial": 3, "lineage": "c2b5e0a6-0d5f-4a0c-8f4e-2f1f4a8b8c11",
  "outputs": {},
  "resources": [{
    "mode": "managed", "type": "x_thing", "name": "e", "provider": "provider[\"registry.terraform.io/terrane/x\"]",
    "instances": [{
      "schema_version": 2,
      "identity_schema_version": 1,
      "identity": { "account": "1", "name": "e" },
      "attributes": {
        "id": "e",
        "plain": { "value": [1, 2.50], "type": ["tuple", ["number", "number"]] },
        "sorted": {
          "type": ["object", { "list": ["list", "string"], "token": "string" }],
          "value": { "list": [], "token": "canary-deep" }
        },
        "written": { "value": { "a b": "canary-deep", "c": "visible" }, "type": ["object", { "a b": "string", "c": "string" }] },
        "looks": { "type": "string", "value": "visible" },
        "null_secret": null
      },
      "sensitive_attributes": [
        [{ "type": "get_attr", "value": "sorted" }, { "type": "get_attr", "value": "token" }],
        [{ "type": "get_attr", "value": "written" }, { "type": "get_attr", "value": "a b" }],
        [{ "type": "get_attr", "value": "null_secret" }]
      ]
    }]
  }],
  "check_results": [{
    "object_kind": "resource", "config_addr": "module.m.x_thing.e", "status": "fail",
    "objects": [
      { "object_addr": "module.m[\"k\"].x_thing.e[0]", "status": "fail", "failure_messages": ["too small", "too late"] },
      { "object_addr": "module.m[\"k\"].x_thing.e[1]", "status": "pass", "failure_messages": null }
    ]
  }, {
    "object_kind": "output", "config_addr": "output.o", "status": "unknown", "objects": null
  }]
}"#;

#[test]
fn a_sensitive_path_inside_a_dynamic_value_is_hidden_and_the_value_shown_without_its_type() {
    let stack = fake(&[]);
    std::fs::write(stack.path().join("old.tfstate"), STATE).expect("a writable folder");
    let run = |arguments: &[&str]| {
        let output = stack
            .run(&[arguments, &["--backend", "old.tfstate"]].concat())
            .exits(0);
        silent(&output);
        output
    };
    insta::assert_snapshot!(run(&["state", "show", "x_thing.e"]).stdout, @r#"
    x_thing.e
      id = "e"
      looks.type = "string"
      looks.value = "visible"
      plain = [1, 2.5]
      sorted.token = (sensitive)
      written["a b"] = (sensitive)
      written.c = "visible"
    "#);
    run(&["show"]);
    let shown = run(&["show", "--json"]).json();
    assert_eq!(
        run(&["state", "show", "x_thing.e", "--json"]).json()[0],
        shown["values"]["root_module"]["resources"][0]
    );
    // As `terraform show -json` prints it, but for the secrets.
    let object = json!({
        "address": "x_thing.e",
        "mode": "managed",
        "type": "x_thing",
        "name": "e",
        "provider_name": "registry.terraform.io/terrane/x",
        "schema_version": 2,
        "values": {
            "id": "e",
            "looks": { "type": "string", "value": "visible" },
            "null_secret": null,
            "plain": [1, 2.5],
            "sorted": { "list": [], "token": null },
            "written": { "a b": null, "c": "visible" },
        },
        "sensitive_values": {
            "looks": {},
            "null_secret": true,
            "plain": [false, false],
            "sorted": { "list": [], "token": true },
            "written": { "a b": true },
        },
        "identity": { "account": "1", "name": "e" },
        "identity_schema_version": 1,
    });
    let instance = |key: u64| {
        let to_display = format!("module.m[\"k\"].x_thing.e[{key}]");
        json!({ "to_display": to_display, "module": "module.m[\"k\"]", "instance_key": key })
    };
    let checks = json!([
        {
            "address": {
                "to_display": "module.m.x_thing.e",
                "kind": "resource",
                "mode": "managed",
                "type": "x_thing",
                "name": "e",
                "module": "module.m",
            },
            "status": "fail",
            "instances": [
                {
                    "address": instance(0),
                    "status": "fail",
                    "problems": [{ "message": "too late" }, { "message": "too small" }],
                },
                { "address": instance(1), "status": "pass" },
            ],
        },
        {
            "address": { "to_display": "output.o", "kind": "output_value", "name": "o" },
            "status": "unknown",
        },
    ]);
    assert_eq!(
        shown,
        json!({
            "format_version": "1.0",
            "terraform_version": "1.12.0",
            "values": { "root_module": { "resources": [object] } },
            "checks": checks,
        })
    );
}
