use std::sync::Arc;

use insta::assert_snapshot;
use terrane_core::addr::{InstanceAddr, ProviderConfigAddr, ProviderSource};
use terrane_core::schema::{Block, Schema};
use terrane_core::{Location, NoConfig, Path, Resource, Value};
use terrane_engine::Reason;

use super::*;

fn program() -> Program {
    let declared = Program::from_fn(
        |stack| {
            let vpc = Resource::dynamic("t_vpc", "main")
                .set("cidr", "10.1.0.0/16")
                .declare(stack);
            let subnet = Resource::dynamic("t_subnet", "s")
                .set("vpc", vpc.attribute::<String>("id"))
                .declare(stack);
            stack.module("cluster", |stack| {
                Resource::dynamic("t_node", "n")
                    .instance_key("x")
                    .set("subnet", subnet.attribute::<String>("id"))
                    .declare(stack);
            });
            stack.export("vpc", vpc.attribute::<String>("id"));
            Ok(())
        },
        NoConfig,
    );
    declared.expect("a program")
}

fn object(members: &[(&str, Value)]) -> Arc<Marked> {
    Arc::new(Marked::plain(Value::map(members.iter().cloned())))
}

fn change(
    address: &str,
    action: Action,
    before: Arc<Marked>,
    after: Arc<Marked>,
) -> ResourceChange {
    let address: InstanceAddr = address.parse().expect("an address");
    ResourceChange {
        provider: ProviderConfigAddr::default_of(ProviderSource::implied_by("t_vpc")),
        address: Arc::new(address),
        deposed: None,
        action,
        reason: None,
        before,
        after,
        replace_paths: Vec::new(),
        schema: Arc::new(Schema::new(0, Block::default())),
        private: Default::default(),
        before_identity: None,
        planned_identity: None,
        create_before_destroy: false,
        location: Some(Location {
            file: "stacks/prod/main.rs",
            line: 7,
            column: 1,
        }),
    }
}

fn replaced(address: &str, attribute: &str, before: Value, after: Value) -> ResourceChange {
    let id = ("id", Value::from("old-id"));
    let before = object(&[id, (attribute, before)]);
    let after = object(&[("id", Value::UNKNOWN), (attribute, after)]);
    ResourceChange {
        reason: Some(Reason::ReplaceBecauseCannotUpdate),
        replace_paths: vec![Path::root().attribute(attribute)],
        ..change(address, Action::DeleteThenCreate, before, after)
    }
}

fn shown(changes: &[ResourceChange], outputs: &[OutputChange]) -> String {
    let program = program();
    let view = PlanText {
        policies: &[],
        moves: &[],
        adoptions: &[],
        cost: None,
        mode: PlanMode::Normal,
        changes,
        drift: &[],
        outputs,
        program: &program,
        secrets: Secrets::Hidden,
        painter: Painter::PLAIN,
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
    -/+ t_vpc.main  [id=old-id]  stacks/prod/main.rs:7
          ~ cidr = "10.0.0.0/16" -> "10.1.0.0/16"  forces replacement
    -/+ t_subnet.s  [id=old-id]  stacks/prod/main.rs:7
          ~ vpc = "vpc-1" -> (known after apply: t_vpc.main.id)  forces replacement, because t_vpc.main is replaced (cidr = "10.0.0.0/16" -> "10.1.0.0/16")
    module.cluster
      -/+ t_node.n["x"]  [id=old-id]  stacks/prod/main.rs:7
            ~ subnet = "subnet-1" -> (known after apply: t_subnet.s.id)  forces replacement, because t_subnet.s is replaced, because t_vpc.main is replaced (cidr = "10.0.0.0/16" -> "10.1.0.0/16")

    Outputs:
      ~ vpc = "vpc-1" -> (known after apply: t_vpc.main.id)

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
      + t_vpc.made  stacks/prod/main.rs:7
          + id = "i-1"
          + name = "a"
      ~ t_vpc.changed  [id=i-1]  stacks/prod/main.rs:7
          ~ name = "a" -> "b\u{1b}[2J"
      - t_vpc.key["k"]  [id=i-1]  (this key is no longer declared)  stacks/prod/main.rs:7
    +/- t_vpc.tainted  [id=i-1]  (tainted: an earlier creation failed half-way)  stacks/prod/main.rs:7
     <= data.t_vpc.read  (read during apply, after its dependencies)  stacks/prod/main.rs:7
          + id = "i-1"
          + name = "a"
      . t_vpc.left  [id=i-1]  stacks/prod/main.rs:7
      - t_vpc.old (deposed 00fe12ab)  [id=i-1]  (left over from a replacement)  stacks/prod/main.rs:7

    Plan: 2 to add, 1 to change, 3 to destroy, 1 to forget.
    1 replaced (counted as added and destroyed), 1 data source read during apply, 1 unchanged
    "#);
}

#[test]
fn a_plan_without_changes_says_so() {
    let there = object(&[("id", Value::from("i-1"))]);
    let same = change("t_vpc.same", Action::NoOp, there.clone(), there);
    assert_snapshot!(shown(&[same], &[]), @"No changes. Your infrastructure matches the configuration.");
}
