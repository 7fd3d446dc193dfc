use std::sync::Arc;

use insta::assert_snapshot;
use terrane_core::{Marked, Value};
use terrane_engine::{Action, OutputChange, Reason, ResourceChange};

use super::*;
use crate::view::outline::Details;
use crate::view::outline::samples::{change, object, outline, place, replaced};

fn shown(changes: &[ResourceChange], outputs: &[OutputChange]) -> String {
    shown_with(changes, outputs, Details::Folded)
}

fn shown_with(changes: &[ResourceChange], outputs: &[OutputChange], details: Details) -> String {
    shown_on(None, &outline(changes, outputs, details))
}

fn shown_on(columns: Option<usize>, outline: &Outline) -> String {
    let view = PlanText {
        outline,
        place: &place(),
        policies: &[],
        cost: None,
        painter: Painter::PLAIN,
        columns,
    };
    view.text()
}

#[test]
fn the_cause_of_a_replacement_is_followed_to_where_it_began() {
    let vpc = replaced(
        "t_vpc.main",
        "cidr",
        Value::from("10.0.0.0/16"),
        Value::from("10.1.0.0/16"),
    );
    let subnet = replaced("t_subnet.s", "vpc", Value::from("vpc-1"), Value::UNKNOWN);
    let node = replaced(
        "module.cluster.t_node.n[\"x\"]",
        "subnet",
        Value::from("subnet-1"),
        Value::UNKNOWN,
    );
    let output = OutputChange {
        name: "vpc".into(),
        before: Some(Marked::plain(Value::from("vpc-1"))),
        after: Some(Marked::plain(Value::UNKNOWN)),
        location: None,
    };
    assert_snapshot!(shown(&[vpc, subnet, node], &[output]), @r#"
    prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json

    -/+ t_vpc.main  [id=old-id]  stacks/prod/main.rs:7
          ~ cidr = "10.0.0.0/16" -> "10.1.0.0/16"  forces replacement
    -/+ t_subnet.s  [id=old-id]  stacks/prod/main.rs:7
          ~ vpc = "vpc-1" -> (known after apply: t_vpc.main.id)  forces replacement ← t_vpc.main is replaced ← cidr changes
    module.cluster
      -/+ t_node.n["x"]  [id=old-id]  stacks/prod/main.rs:7
            ~ subnet = "subnet-1" -> (known after apply: t_subnet.s.id)  forces replacement ← t_subnet.s is replaced ← t_vpc.main is replaced ← cidr changes

    Outputs:
      ~ vpc = "vpc-1" -> (known after apply: t_vpc.main.id)

    3 existing objects are destroyed:
      -/+ t_vpc.main  [id=old-id]  (cidr = "10.0.0.0/16" -> "10.1.0.0/16")
      -/+ t_subnet.s  [id=old-id]  (vpc ← t_vpc.main is replaced ← cidr changes)
      -/+ module.cluster.t_node.n["x"]  [id=old-id]  (subnet ← t_subnet.s is replaced ← t_vpc.main is replaced ← cidr changes)

    Plan: 3 to add, 0 to change, 3 to destroy.
    3 replaced (counted as added and destroyed)
    "#);
}

#[test]
fn every_action_has_its_sign_and_its_reason() {
    let there = || object(&[("id", Value::from("i-1")), ("name", Value::from("a"))]);
    let gone = || Arc::new(Marked::plain(Value::Null));
    let renamed = || {
        object(&[
            ("id", Value::from("i-1")),
            ("name", Value::from("b\u{1b}[2J")),
        ])
    };
    let because = |reason, change| ResourceChange {
        reason: Some(reason),
        ..change
    };
    let changes = [
        change("t_vpc.same", Action::NoOp, there(), there()),
        change("t_vpc.made", Action::Create, gone(), there()),
        change("t_vpc.changed", Action::Update, there(), renamed()),
        because(
            Reason::DeleteBecauseEachKey,
            change("t_vpc.key[\"k\"]", Action::Delete, there(), gone()),
        ),
        because(
            Reason::ReplaceBecauseTainted,
            change("t_vpc.tainted", Action::CreateThenDelete, there(), there()),
        ),
        because(
            Reason::ReadBecauseDependencyPending,
            change("data.t_vpc.read", Action::Read, gone(), there()),
        ),
        change("t_vpc.left", Action::Forget, there(), gone()),
        ResourceChange {
            deposed: Some("00fe12ab".parse().expect("a key")),
            ..change("t_vpc.old", Action::Delete, there(), gone())
        },
    ];
    assert_snapshot!(shown(&changes, &[]), @r#"
    prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json

      + t_vpc.made  name = "a", id = "i-1"  stacks/prod/main.rs:7
      ~ t_vpc.changed  [id=i-1]  stacks/prod/main.rs:7
          ~ name = "a" -> "b\u{1b}[2J"
      - t_vpc.key["k"]  [id=i-1]  (this key is no longer declared)  stacks/prod/main.rs:7
    +/- t_vpc.tainted  [id=i-1]  (tainted: an earlier creation failed half-way)  stacks/prod/main.rs:7
     <= data.t_vpc.read  name = "a", id = "i-1"  (read during apply, after its dependencies)  stacks/prod/main.rs:7
      . t_vpc.left  [id=i-1]  stacks/prod/main.rs:7
      - t_vpc.old (deposed 00fe12ab)  [id=i-1]  (left over from a replacement)  stacks/prod/main.rs:7

    3 existing objects are destroyed:
        - t_vpc.key["k"]  [id=i-1]  (this key is no longer declared)
      +/- t_vpc.tainted  [id=i-1]  (tainted: an earlier creation failed half-way)
        - t_vpc.old (deposed 00fe12ab)  [id=i-1]  (left over from a replacement)

    Plan: 2 to add, 1 to change, 3 to destroy, 1 to forget.
    1 replaced (counted as added and destroyed), 1 data source read during apply, 1 unchanged
    "#);
}

#[test]
fn a_plan_without_changes_says_so() {
    let there = object(&[("id", Value::from("i-1"))]);
    let same = change("t_vpc.same", Action::NoOp, there.clone(), there);
    assert_snapshot!(shown(&[same], &[]), @r"
    prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json

    No changes. Your infrastructure matches the configuration.
    ");
}

#[test]
fn a_creation_folds_to_its_telling_arguments_and_unfolds_on_request() {
    let gone = || Arc::new(Marked::plain(Value::Null));
    let tags = Value::map([
        ("terrane/owner", Value::from("abc")),
        ("team", Value::from("x")),
    ]);
    let subnet = object(&[
        ("assign_ip", Value::from(true)),
        ("availability_zone", Value::from("eu-west-1a")),
        ("cidr_block", Value::from("10.0.0.0/24")),
        ("name", Value::from("private")),
        ("tags", tags),
        ("vpc", Value::UNKNOWN),
    ]);
    let changes = [change("t_subnet.s", Action::Create, gone(), subnet)];
    assert_snapshot!(shown_with(&changes, &[], Details::Folded), @r"
    prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json

      + t_subnet.s  vpc ← t_vpc.main.id, … (5 more)  stacks/prod/main.rs:7

    Plan: 1 to add, 0 to change, 0 to destroy.
    Not shown: arguments of 1 resource and the owner tags of 1 object (`--details` shows all)
    ");
    assert_snapshot!(shown_with(&changes, &[], Details::All), @r#"
    prod · account 123456789012, eu-west-1 · aws 5.100.0 · state state.json

      + t_subnet.s  stacks/prod/main.rs:7
          + assign_ip = true
          + availability_zone = "eu-west-1a"
          + cidr_block = "10.0.0.0/24"
          + name = "private"
          + tags.team = "x"
          + tags["terrane/owner"] = "abc"
          + vpc = (known after apply: t_vpc.main.id)

    Plan: 1 to add, 0 to change, 0 to destroy.
    "#);
}

#[test]
fn a_folded_creation_stays_on_one_line_of_a_terminal_as_narrow_as_it_is() {
    let arguments = [
        ("name", Value::from("platform-prod-artifacts")),
        ("cidr", Value::from("10.0.0.0/16")),
        ("type", Value::from("a-rather-long-kind-of-thing")),
        ("other", Value::from(1)),
    ];
    let created = change(
        "module.a.t_vpc.main",
        Action::Create,
        Marked::default().into(),
        object(&arguments),
    );
    let outline = outline(&[created], &[], Details::Folded);
    let line = |columns| {
        let text = shown_on(Some(columns), &outline);
        let line = text.lines().find(|line| line.contains("t_vpc.main"));
        line.expect("a line").to_owned()
    };
    let lines: Vec<String> = [200, 110, 80, 60, 40, 20].map(line).into();
    assert_snapshot!(lines.join("\n"), @r#"
    + t_vpc.main  name = "platform-prod-artifacts", cidr = "10.0.0.0/16", type = "a-rather-long-kind-of-thing", … (1 more)  stacks/prod/main.rs:7
    + t_vpc.main  name = "platform-prod-artifacts", cidr = "10.0.0.0/16", … (2 more)  stacks/prod/main.rs:7
    + t_vpc.main  name = "platform-prod-artifacts", … (3 more)
    + t_vpc.main  … (4 arguments)
    + t_vpc.main  … (4 arguments)
    + t_vpc.main  … (4 arguments)
    "#);
}
