//! Objects that are made.

use insta::assert_snapshot;
use terrane_core::{Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn parent_and_child(stack: &mut Stack) {
    let a = new_thing("a").set("size", 1).declare(stack);
    let parent: Output<String> = a.attribute("id");
    new_thing("b").set("parent", parent).declare(stack);
}

#[test]
fn resources_are_created_after_their_dependencies() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(parent_and_child).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.a
    + test_thing.b
    ");
    assert_snapshot!(run.steps(), @"
    create test_thing.a: done
    create test_thing.b: done
    ");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a size=1
    test_thing.b  name=b parent=a-1
    ");
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    create a
    create b
    ");
}

#[test]
fn a_second_plan_is_empty() {
    let mut world = World::new(FakeProvider::new());
    world.up(parent_and_child).succeeds();
    world.preview(parent_and_child).changes_nothing();
    let serial = world.state.clone();
    world.up(parent_and_child).changes_nothing();
    assert_eq!(world.state, serial);
}

#[test]
fn blocks_sets_and_maps_reach_the_cloud_and_come_back() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let block = terrane_core::BlockArguments::new;
        new_thing("a")
            .push_block("disk", block().set("size", 10))
            .push_block("disk", block().set("size", 20))
            .push_block("rule", block().set("port", 443).set("note", "https"))
            .push_block("rule", block().set("port", 80))
            .set("tags", std::collections::BTreeMap::from([("team", "ml")]))
            .declare(stack);
    };
    world.up(program).succeeds();
    assert_snapshot!(world.state(), @"test_thing.a  disk=[{serial=serial-1-of-a-1 size=10}, {serial=serial-2-of-a-1 size=20}] name=a rule=[{note=https port=443 rule_id=rule_id-4-of-a-1}, {port=80 rule_id=rule_id-5-of-a-1}] tags={team=ml}");
    world.preview(program).changes_nothing();
}

#[test]
fn a_failed_creation_leaves_nothing_and_skips_what_needs_it() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.refuse("quota exceeded"));
    let run = world.up(parent_and_child).fails();
    assert_snapshot!(run.steps(), @"
    create test_thing.a: failed: quota exceeded
    create test_thing.b: skipped
    ");
    assert_snapshot!(run.diagnostics(), @"
    error: quota exceeded
      resource   test_thing.a
    ");
    assert_snapshot!(world.state(), @"");
    world.provider.reset();
    world.up(parent_and_child).succeeds();
    assert_eq!(world.provider.cloud.names(), ["a", "b"]);
}

#[test]
fn private_bytes_and_identity_come_back_unchanged_at_every_hop() {
    // The fake provider refuses any other private bytes or identity than those it gave out last.
    let mut world = World::new(FakeProvider::new().with_identity("test_thing"));
    let program =
        |size: i64| move |stack: &mut Stack| drop(new_thing("a").set("size", size).declare(stack));
    world.up(program(1)).succeeds();
    world.up(program(2)).succeeds();
    world.preview(program(2)).changes_nothing();
    let instance = world.instance("test_thing.a");
    let object = instance.current.as_ref().expect("an object");
    assert_snapshot!(String::from_utf8_lossy(&object.private), @r#"{"applied":4}"#);
    assert_snapshot!(object.identity.as_ref().expect("an identity").json, @r#"{"id":"a-1"}"#);
    world.destroy(program(2)).succeeds();
}

#[test]
fn dependencies_are_stored_transitively() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        let b = new_thing("b")
            .set("parent", a.attribute::<String>("id"))
            .declare(stack);
        new_thing("c")
            .set("parent", b.attribute::<String>("id"))
            .declare(stack);
    };
    world.up(program).succeeds();
    assert_eq!(
        world.dependencies("test_thing.c"),
        ["test_thing.a", "test_thing.b"]
    );
}

#[test]
fn dependencies_are_stored_in_the_order_of_their_texts_and_another_order_is_left_alone() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let root = new_thing("x").declare(stack);
        let inner = stack.module("a", |stack| new_thing("x").declare(stack));
        new_thing("z")
            .set("parent", inner.attribute::<String>("id"))
            .set("note", root.attribute::<String>("id"))
            .declare(stack);
    };
    world.up(program).succeeds();
    let by_text = ["module.a.test_thing.x", "test_thing.x"];
    assert_eq!(world.dependencies("test_thing.z"), by_text);

    let z = "test_thing.z".parse().expect("an address");
    let turn_round = |world: &mut World| {
        let mut instance = world.instance("test_thing.z").as_ref().clone();
        let mut object = instance.current.as_deref().expect("an object").clone();
        object.dependencies = object.dependencies.iter().rev().cloned().collect();
        instance.current = Some(object.into());
        world.state.set_instance(&z, Some(instance.into()));
    };
    turn_round(&mut world);
    let as_it_was = world.state.clone();
    world.up(program).succeeds();
    assert_eq!(world.state, as_it_was);
}
