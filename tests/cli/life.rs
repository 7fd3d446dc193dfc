//! A stack from nothing to nothing: the output of each command, and the files it leaves.

use insta::assert_snapshot;

use terrane_tests::Output;

use crate::stage::network;

/// The output with the lines of each step together. While the result of one is made durable the next one begins, so that they come
/// in more than one order.
fn by_step(mut output: Output) -> Output {
    let mut groups: Vec<(&str, String)> = Vec::new();
    for line in output.stderr.split_inclusive('\n') {
        let address = line.split_once(": ").map_or("", |(address, _)| address);
        match groups.iter_mut().find(|(known, _)| *known == address) {
            Some((_, lines)) => lines.push_str(line),
            None => groups.push((address, line.to_owned())),
        }
    }
    output.stderr = groups.into_iter().map(|(_, lines)| lines).collect();
    output
}

#[test]
fn a_stack_goes_up_changes_and_goes_away() {
    let stack = network();
    assert_snapshot!(stack.run(&["preview"]), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      + conformance_sdk_thing.base  name = "one", size = 1, secret = (sensitive), … (2 more)  tests/cli/stack.rs:<line>
    module.network
        + conformance_sdk_thing.child["a"]  name = "child-a", kind ← conformance_sdk_thing.base.id, … (2 more)  tests/cli/stack.rs:<line>
        + conformance_sdk_thing.child["b"]  name = "child-b", kind ← conformance_sdk_thing.base.id, … (2 more)  tests/cli/stack.rs:<line>

    Outputs:
      + base_id = (known after apply: conformance_sdk_thing.base.id)
      + secret = (sensitive)
      + zones = ["a", "b"]

    Plan: 3 to add, 0 to change, 0 to destroy.
    Not shown: arguments of 3 resources (`--details` shows all)
    "#);
    assert_snapshot!(by_step(stack.run(&["up", "--yes", "--parallelism", "1"])), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      + conformance_sdk_thing.base  name = "one", size = 1, secret = (sensitive), … (2 more)  tests/cli/stack.rs:<line>
    module.network
        + conformance_sdk_thing.child["a"]  name = "child-a", kind ← conformance_sdk_thing.base.id, … (2 more)  tests/cli/stack.rs:<line>
        + conformance_sdk_thing.child["b"]  name = "child-b", kind ← conformance_sdk_thing.base.id, … (2 more)  tests/cli/stack.rs:<line>

    Outputs:
      + base_id = (known after apply: conformance_sdk_thing.base.id)
      + secret = (sensitive)
      + zones = ["a", "b"]

    Plan: 3 to add, 0 to change, 0 to destroy.
    Not shown: arguments of 3 resources (`--details` shows all)

    Apply complete! Resources: 3 added, 0 changed, 0 destroyed.

    Outputs:
      base_id  "one-<id>"
      secret   (sensitive)
      zones    ["a", "b"]
    --- stderr ---
    conformance_sdk_thing.base: creating…
    conformance_sdk_thing.base: created in <n>s [id=one-<id>]
    module.network.conformance_sdk_thing.child["a"]: creating…
    module.network.conformance_sdk_thing.child["a"]: created in <n>s [id=child-a-<id>]
    module.network.conformance_sdk_thing.child["b"]: creating…
    module.network.conformance_sdk_thing.child["b"]: created in <n>s [id=child-b-<id>]

    State serial 1 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    assert_snapshot!(stack.run(&["preview", "--detailed-exitcode"]), @r"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

    No changes. Your infrastructure matches the configuration.
    ");
    assert_snapshot!(stack.run(&["up", "--yes"]), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

    No changes. Your infrastructure matches the configuration.

    Outputs:
      base_id  "one-<id>"
      secret   (sensitive)
      zones    ["a", "b"]
    --- stderr ---

    State serial 2 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    let change = [
        "--var",
        "size=3",
        "--var",
        "action=put",
        "--var",
        "cidr=10.1.0.0/16",
        "--var",
        "zones=[\"b\"]",
    ];
    assert_snapshot!(stack.run(&[&["preview", "--detailed-exitcode"][..], &change].concat()), @r#"
    exit: 2
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      ~ conformance_sdk_thing.base  [id=one-<id>]  tests/cli/stack.rs:<line>
          ~ policy (json)
              ~ Statement[0].Action
                  - "get"
                  + "put"
          ~ size = 1 -> 3
    module.network
        ~ conformance_sdk_thing.child["b"]  [id=child-b-<id>]  tests/cli/stack.rs:<line>
            ~ rule
                ~ {port = 443}
                    ~ cidr = "10.0.0.0/8" -> "10.1.0.0/16"
                    ~ rule_id = "rule-<id>" -> (known after apply)
        - conformance_sdk_thing.child["a"]  [id=child-a-<id>]  (this key is no longer declared)

    Outputs:
      ~ zones = ["a", "b"] -> ["b"]

    1 existing object is destroyed:
        - module.network.conformance_sdk_thing.child["a"]  [id=child-a-<id>]  (this key is no longer declared)

    Plan: 0 to add, 2 to change, 1 to destroy.
    "#);
    assert_snapshot!(stack.run(&["preview", "--var", "base=two"]), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

    -/+ conformance_sdk_thing.base  [id=one-<id>]  tests/cli/stack.rs:<line>
          ~ name = "one" -> "two"  forces replacement
    module.network
      -/+ conformance_sdk_thing.child["a"]  [id=child-a-<id>]  tests/cli/stack.rs:<line>
            ~ kind = "one-<id>" -> (known after apply: conformance_sdk_thing.base.id)  forces replacement ← conformance_sdk_thing.base is replaced ← name changes
      -/+ conformance_sdk_thing.child["b"]  [id=child-b-<id>]  tests/cli/stack.rs:<line>
            ~ kind = "one-<id>" -> (known after apply: conformance_sdk_thing.base.id)  forces replacement ← conformance_sdk_thing.base is replaced ← name changes

    Outputs:
      ~ base_id = "one-<id>" -> (known after apply: conformance_sdk_thing.base.id)

    3 existing objects are destroyed:
      -/+ conformance_sdk_thing.base  [id=one-<id>]  (name = "one" -> "two")
      -/+ module.network.conformance_sdk_thing.child["a"]  [id=child-a-<id>]  (kind ← conformance_sdk_thing.base is replaced ← name changes)
      -/+ module.network.conformance_sdk_thing.child["b"]  [id=child-b-<id>]  (kind ← conformance_sdk_thing.base is replaced ← name changes)

    Plan: 3 to add, 0 to change, 3 to destroy.
    3 replaced (counted as added and destroyed)
    "#);
    assert_snapshot!(by_step(stack.run(&["destroy", "--yes", "--parallelism", "1"])), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      - conformance_sdk_thing.base  [id=one-<id>]  tests/cli/stack.rs:<line>
    module.network
        - conformance_sdk_thing.child["a"]  [id=child-a-<id>]  tests/cli/stack.rs:<line>
        - conformance_sdk_thing.child["b"]  [id=child-b-<id>]  tests/cli/stack.rs:<line>

    Outputs:
      - base_id = "one-<id>"
      - secret = (sensitive)
      - zones = ["a", "b"]

    Plan: 0 to add, 0 to change, 3 to destroy.

    Destroy complete! Resources: 3 destroyed.
    --- stderr ---
    module.network.conformance_sdk_thing.child["a"]: destroying…
    module.network.conformance_sdk_thing.child["a"]: destroyed in <n>s
    module.network.conformance_sdk_thing.child["b"]: destroying…
    module.network.conformance_sdk_thing.child["b"]: destroyed in <n>s
    conformance_sdk_thing.base: destroying…
    conformance_sdk_thing.base: destroyed in <n>s

    State serial 3 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    assert_eq!(objects(&stack), 0);
    assert_snapshot!(stack.run(&["show"]), @r"
    exit: 0
    --- stdout ---
    The state is empty.
    ");
}

fn objects(stack: &terrane_tests::TestEnvironment) -> usize {
    let folder = stack.objects().join("conformance_sdk_thing");
    std::fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn outputs_are_a_table_a_document_or_a_bare_value() {
    let stack = network();
    assert_snapshot!(stack.run(&["output"]), @r"
    exit: 0
    --- stderr ---
    The state has no outputs.
    ");
    stack.run(&["up", "--yes"]).exits(0);
    assert_snapshot!(stack.run(&["output"]), @r#"
    exit: 0
    --- stdout ---
    base_id  "one-<id>"
    secret   (sensitive)
    zones    ["a", "b"]
    "#);
    assert_snapshot!(stack.run(&["output", "--show-secrets"]), @r#"
    exit: 0
    --- stdout ---
    base_id  "one-<id>"
    secret   "hunter2"
    zones    ["a", "b"]
    "#);
    assert_snapshot!(stack.run(&["output", "--json"]), @r#"
    exit: 0
    --- stdout ---
    {"base_id":{"sensitive":false,"type":"string","value":"one-<id>"},"secret":{"sensitive":true,"type":"string","value":null},"zones":{"sensitive":false,"type":["tuple",["string","string"]],"value":["a","b"]}}
    "#);
    assert_snapshot!(stack.run(&["output", "zones", "--json"]), @r#"
    exit: 0
    --- stdout ---
    ["a","b"]
    "#);
    assert_eq!(
        stack.run(&["output", "--raw", "secret"]).exits(0).stdout,
        "hunter2"
    );
    assert_snapshot!(stack.run(&["output", "--raw", "nothing"]), @r"
    exit: 1
    --- stderr ---
    error: the state has no output `nothing`
    hint: it has base_id, secret, zones
    ");
}

#[test]
fn the_state_is_listed_and_shown_without_secrets() {
    let stack = network();
    stack
        .run(&["up", "--yes", "--var", "zones=[\"a\"]"])
        .exits(0);
    assert_snapshot!(stack.run(&["state", "list"]), @r#"
    exit: 0
    --- stdout ---
    conformance_sdk_thing.base
    module.network.conformance_sdk_thing.child["a"]
    "#);
    assert_snapshot!(stack.run(&["state", "list", "module.*"]), @r#"
    exit: 0
    --- stdout ---
    module.network.conformance_sdk_thing.child["a"]
    "#);
    assert_snapshot!(stack.run(&["state", "show", "conformance_sdk_thing.base"]), @r#"
    exit: 0
    --- stdout ---
    conformance_sdk_thing.base
      arn                 = "arn:conformance:one-<id>"
      code                = ""
      crash               = ""
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
    "#);
    for command in [
        &["show"][..],
        &["show", "--json"],
        &["state", "show", "conformance_sdk_thing.base", "--json"],
    ] {
        let shown = stack.run(command).exits(0);
        assert!(!shown.stdout.contains("hunter2"), "{shown}");
    }
    let shown = stack.run(&["show", "--json", "--show-secrets"]).exits(0);
    assert!(shown.stdout.contains("hunter2"), "{shown}");
}

#[test]
fn changes_from_outside_are_shown_and_recorded() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let folder = stack.objects().join("conformance_sdk_thing");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("an object");
        let mut object: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        if object["name"] == "one" {
            object["attributes"]["size"] = 7.into();
            std::fs::write(&path, object.to_string()).expect("writable");
        } else if object["name"] == "child-b" {
            std::fs::remove_file(&path).expect("removable");
        }
    }
    assert_snapshot!(stack.run(&["preview"]), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

    Changed outside of this program:
      ~ conformance_sdk_thing.base  [id=one-<id>]  tests/cli/stack.rs:<line>
          ~ size = 1 -> 7
    module.network
        - conformance_sdk_thing.child["b"]  [id=child-b-<id>]  (it is gone)  tests/cli/stack.rs:<line>

    Changes by this plan:
      ~ conformance_sdk_thing.base  [id=one-<id>]  tests/cli/stack.rs:<line>
          ~ size = 7 -> 1
    module.network
        + conformance_sdk_thing.child["b"]  name = "child-b", kind = "one-<id>", … (2 more)  tests/cli/stack.rs:<line>

    Plan: 1 to add, 1 to change, 0 to destroy.
    1 unchanged
    Not shown: arguments of 1 resource (`--details` shows all)
    "#);
    assert_snapshot!(stack.run(&["preview", "--refresh", "false", "--detailed-exitcode"]), @r"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

    No changes. Your infrastructure matches the configuration.
    ");
    assert_snapshot!(stack.run(&["refresh", "--yes"]), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

    Changed outside of this program:
      ~ conformance_sdk_thing.base  [id=one-<id>]  tests/cli/stack.rs:<line>
          ~ size = 1 -> 7
    module.network
        - conformance_sdk_thing.child["b"]  [id=child-b-<id>]  (it is gone)  tests/cli/stack.rs:<line>

    Refresh: 2 changes to record in the state.

    Refresh complete! 2 changes recorded.

    Outputs:
      base_id  "one-<id>"
      secret   (sensitive)
      zones    ["a", "b"]
    --- stderr ---

    State serial 2 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    assert_snapshot!(stack.run(&["preview", "--refresh-only", "--detailed-exitcode"]), @r"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

    No changes. The state matches the real objects.
    ");
}

#[test]
fn parts_are_chosen_by_address() {
    let stack = network();
    assert_snapshot!(stack.run(&["up", "--yes", "--target", "conformance_sdk_thing.base"]), @r#"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      + conformance_sdk_thing.base  name = "one", size = 1, secret = (sensitive), … (2 more)  tests/cli/stack.rs:<line>

    Outputs:
      + secret = (sensitive)
      + zones = ["a", "b"]

    Plan: 1 to add, 0 to change, 0 to destroy.
    Not shown: arguments of 1 resource (`--details` shows all)

    Apply complete! Resources: 1 added, 0 changed, 0 destroyed.

    Outputs:
      base_id  "one-<id>"
      secret   (sensitive)
      zones    ["a", "b"]
    --- stderr ---
    warning: the plan covers only a part of the stack: `--target` or `--exclude` left the rest out; exported values may be out of date
    hint: run without them afterwards
    conformance_sdk_thing.base: creating…
    conformance_sdk_thing.base: created in <n>s [id=one-<id>]

    State serial 1 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    let excluded = stack
        .run(&["preview", "--exclude", "*child[\"a\"]"])
        .exits(0);
    assert!(
        excluded
            .stdout
            .contains("Plan: 1 to add, 0 to change, 0 to destroy."),
        "{excluded}"
    );
    let replaced = stack
        .run(&["preview", "--replace", "conformance_sdk_thing.base"])
        .exits(0);
    assert!(
        replaced.stdout.contains("(replaced by request)"),
        "{replaced}"
    );
}

#[test]
fn a_denied_plan_changes_nothing() {
    let stack = network();
    stack.run(&["up", "--yes"]).exits(0);
    let denied = stack.run(&[
        "up",
        "--yes",
        "--deny",
        "replace,delete",
        "--var",
        "base=two",
    ]);
    assert_snapshot!(denied.exits(9).stderr, @r#"
    error: the plan is refused by `--deny`: conformance_sdk_thing.base (replace), module.network.conformance_sdk_thing.child["a"] (replace), module.network.conformance_sdk_thing.child["b"] (replace)
    hint: nothing was changed
    "#);
    stack
        .run(&["up", "--yes", "--deny", "replace,delete", "--var", "size=2"])
        .exits(0);
}

#[test]
fn a_program_is_validated_and_drawn_without_state_or_credentials() {
    let stack = network();
    assert_snapshot!(stack.run(&["validate"]), @r"
    exit: 0
    --- stdout ---
    The program is valid.
    ");
    assert_snapshot!(stack.run(&["graph", "--format", "mermaid"]), @r#"
    exit: 0
    --- stdout ---
    graph LR
      n0["conformance_sdk_thing.base"]
      subgraph m1["module.network"]
        n1["conformance_sdk_thing.child[#34;a#34;]"]
        n2["conformance_sdk_thing.child[#34;b#34;]"]
      end
      n0 --> n1
      n0 --> n2
    "#);
    let svg = stack.run(&["graph", "--format", "svg"]).exits(0).stdout;
    assert!(
        svg.starts_with("<svg ") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    assert!(!stack.path().join(".terrane").exists());
}
