//! What a comparison finds in two plans, and what it takes for the same.

use serde_json::{Value as Json, json};

use super::{Comparison, PlanDocument, compare};

/// A plan with these resource changes.
fn plan(changes: &[Json]) -> Json {
    json!({ "format_version": "1.2", "resource_changes": changes })
}

/// A change that creates `aws_vpc.main` with these values.
fn creates(after: &Json, unknown: &Json, sensitive: &Json) -> Json {
    json!({
        "address": "aws_vpc.main",
        "mode": "managed",
        "change": {
            "actions": ["create"],
            "before": null,
            "after": after,
            "after_unknown": unknown,
            "before_sensitive": false,
            "after_sensitive": sensitive,
        },
    })
}

fn compared(ours: &Json, theirs: &Json) -> Comparison {
    let [ours, theirs] = [ours, theirs].map(|plan| {
        PlanDocument::parse(plan.to_string().as_bytes()).expect("the test's plan is one")
    });
    compare(&ours, &theirs)
}

/// What is said of two plans that create the same object with other values.
fn said(ours: [Json; 3], theirs: [Json; 3]) -> String {
    let [ours, theirs] = [ours, theirs]
        .map(|[after, unknown, sensitive]| plan(&[creates(&after, &unknown, &sensitive)]));
    compared(&ours, &theirs).to_string()
}

#[test]
fn the_same_plan_has_no_differences() {
    let after = || {
        [
            json!({ "cidr": "10.0.0.0/16", "n": 1 }),
            json!({ "id": true }),
            json!({}),
        ]
    };
    insta::assert_snapshot!(said(after(), after()), @"The plans are the same: 1 objects and outputs.");
}

#[test]
fn an_absent_attribute_is_null_and_a_number_is_its_value() {
    let ours = [
        json!({ "n": 1.0, "x": null }),
        json!({}),
        json!({ "x": false }),
    ];
    let theirs = [json!({ "n": 1 }), json!({ "x": false }), json!({})];
    insta::assert_snapshot!(said(ours, theirs), @"The plans are the same: 1 objects and outputs.");
}

#[test]
fn differing_values_are_told_leaf_by_leaf() {
    let ours = [
        json!({ "tags": { "Name": "a", "my key": "x" }, "list": [{ "port": 80 }, { "port": 81 }] }),
        json!({}),
        json!({}),
    ];
    let theirs = [
        json!({ "tags": { "Name": "b" }, "list": [{ "port": 80 }, { "port": 82 }] }),
        json!({}),
        json!({}),
    ];
    insta::assert_snapshot!(said(ours, theirs), @r#"
    aws_vpc.main
      list[1].port (after): terrane 81, Terraform 82
      tags.Name (after): terrane "a", Terraform "b"
      tags["my key"] (after): terrane "x", Terraform null
    The plans differ: 1 of 1 objects and outputs.
    "#);
}

#[test]
fn lists_of_other_lengths_are_told_as_a_whole() {
    let ours = [json!({ "zones": ["a"] }), json!({}), json!({})];
    let theirs = [json!({ "zones": ["a", "b"] }), json!({}), json!({})];
    insta::assert_snapshot!(said(ours, theirs), @r#"
    aws_vpc.main
      zones (after): terrane ["a"], Terraform ["a","b"]
    The plans differ: 1 of 1 objects and outputs.
    "#);
}

#[test]
fn a_value_that_only_one_knows_is_a_difference() {
    let ours = [
        json!({ "tags": {} }),
        json!({ "tags": { "Id": true } }),
        json!({}),
    ];
    let theirs = [
        json!({ "tags": { "Id": "x" } }),
        json!({ "arn": true }),
        json!({}),
    ];
    insta::assert_snapshot!(said(ours, theirs), @r#"
    aws_vpc.main
      arn (after): terrane null, Terraform (known after apply)
      tags.Id (after): terrane (known after apply), Terraform "x"
    The plans differ: 1 of 1 objects and outputs.
    "#);
}

#[test]
fn a_secret_is_compared_and_never_shown() {
    let ours = [
        json!({ "password": "hunter2", "keys": ["k1"] }),
        json!({}),
        json!({ "password": true, "keys": [true] }),
    ];
    let theirs = [
        json!({ "password": "hunter3", "keys": ["k1"] }),
        json!({}),
        json!({ "keys": [] }),
    ];
    let said = said(ours, theirs);
    assert!(!said.contains("hunter"));
    insta::assert_snapshot!(said, @"
    aws_vpc.main
      password (after): terrane (sensitive), Terraform (sensitive)
      keys[0] (after): sensitive only in terrane
      password (after): sensitive only in terrane
    The plans differ: 1 of 1 objects and outputs.
    ");
}

#[test]
fn objects_of_one_plan_actions_and_outputs_are_compared() {
    let object = |address: &str, actions: &[&str], more: Json| {
        let mut change =
            json!({ "address": address, "mode": "managed", "change": { "actions": actions } });
        let members = change.as_object_mut().expect("it is one");
        members.extend(more.as_object().expect("it is one").clone());
        change
    };
    let mut ours = plan(&[
        object("a.x", &["create"], json!({})),
        object(
            "a.moved",
            &["no-op"],
            json!({ "previous_address": "a.old" }),
        ),
        object(
            "a.y",
            &["delete", "create"],
            json!({ "action_reason": "replace_because_tainted" }),
        ),
        object("a.gone", &["delete"], json!({ "deposed": "00000001" })),
    ]);
    let mut theirs = plan(&[
        object("a.z", &["create"], json!({})),
        object("a.moved", &["no-op"], json!({})),
        object("a.y", &["update"], json!({})),
    ]);
    ours["output_changes"] = json!({ "name": { "actions": ["create"], "after": "a" } });
    theirs["output_changes"] = json!({ "name": { "actions": ["create"], "after": "b" } });
    let data = |value: &str| {
        let read =
            json!({ "address": "module.m.data.a.d", "mode": "data", "values": { "v": value } });
        json!({ "values": { "root_module": { "child_modules": [{ "resources": [read] }] } } })
    };
    ours["prior_state"] = data("1");
    theirs["prior_state"] = data("2");
    insta::assert_snapshot!(compared(&ours, &theirs), @r#"
    a.gone (deposed object 00000001)
      only terrane plans it: delete
    a.moved
      previous address: terrane a.old, Terraform none
    a.x
      only terrane plans it: create
    a.y
      reason: terrane replace_because_tainted, Terraform none
      actions: terrane delete, create, Terraform update
    a.z
      only Terraform plans it: create
    output.name
      after: terrane "a", Terraform "b"
    module.m.data.a.d
      v (read): terrane "1", Terraform "2"
    The plans differ: 7 of 7 objects and outputs.
    "#);
}

#[test]
fn a_document_that_is_no_plan_is_refused_with_the_command_that_writes_one() {
    let refused = |text: &str| {
        PlanDocument::parse(text.as_bytes())
            .expect_err("it is none")
            .to_string()
    };
    insta::assert_snapshot!(refused("{\"version\": 4}"), @"
    not a plan in JSON: missing field `format_version` at line 1 column 14
    hint: `terraform show -json PLAN > plan.json` writes one
    ");
    insta::assert_snapshot!(refused("PK\u{3}"), @"
    not a plan in JSON: expected value at line 1 column 1
    hint: `terraform show -json PLAN > plan.json` writes one
    ");
}
