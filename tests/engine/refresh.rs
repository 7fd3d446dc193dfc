//! Differences between the objects and the state.

use insta::assert_snapshot;
use terrane_core::Stack;
use terrane_engine::Event;
use terrane_tests::{FakeProvider, Run, World, new_thing};

fn pair(stack: &mut Stack) {
    let a = new_thing("a").set("size", 1).declare(stack);
    new_thing("b")
        .set("parent", a.attribute::<String>("id"))
        .declare(stack);
    stack.export("zone", a.attribute::<String>("zone"));
}

#[test]
fn drift_is_shown_and_put_right() {
    let mut world = World::new(FakeProvider::new());
    world.up(pair).succeeds();
    world.provider.cloud.edit("a", "size", 7);
    let run = world.up(pair).succeeds();
    assert_snapshot!(run.plan(), @"
    drift test_thing.a size: 1 -> 7
    ~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 7 -> 1
    ");
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a size=1
    test_thing.b  name=b parent=a-1
    output zone = "zone-3-of-a-1"
    "#);
    world.preview(pair).changes_nothing();
}

#[test]
fn drift_of_unset_arguments_is_only_noted() {
    let mut world = World::new(FakeProvider::new());
    world.up(pair).succeeds();
    world.provider.cloud.edit("a", "zone", "elsewhere");
    let run = world.up(pair).succeeds();
    assert_snapshot!(run.plan(), @"
    drift test_thing.a zone: zone-3-of-a-1 -> elsewhere
    output zone: zone-3-of-a-1 -> elsewhere
    ");
    assert_snapshot!(run.steps(), @"");
    assert_eq!(world.preview(pair).changes_nothing().plan(), "");
}

#[test]
fn an_object_that_is_gone_is_created_again() {
    let mut world = World::new(FakeProvider::new());
    world.up(pair).succeeds();
    world.provider.cloud.remove("b");
    let run = world.up(pair).succeeds();
    assert_snapshot!(run.plan(), @"
    drift test_thing.b gone
    + test_thing.b
    ");
    assert_snapshot!(run.steps(), @"create test_thing.b: done");
}

#[test]
fn refreshing_only_records_and_changes_nothing() {
    let mut world = World::new(FakeProvider::new());
    world.up(pair).succeeds();
    world.provider.cloud.edit("a", "size", 7);
    world.provider.cloud.edit("a", "zone", "elsewhere");
    world.provider.cloud.remove("b");
    world.provider.cloud.ledger();
    let run = world.refresh(pair).succeeds();
    assert_snapshot!(run.plan(), @"
    drift test_thing.a size: 1 -> 7 zone: zone-3-of-a-1 -> elsewhere
    drift test_thing.b gone
    output zone: zone-3-of-a-1 -> elsewhere
    ");
    assert_snapshot!(run.steps(), @"");
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a size=7
    output zone = "elsewhere"
    "#);
    assert_snapshot!(world.provider.cloud.ledger(), @"configure region=null");
}

#[test]
fn what_another_version_of_the_provider_stored_is_read_once_even_without_refresh() {
    let mut world = World::new(FakeProvider::new());
    world.up(pair).succeeds();
    let fields = terrane_tests::thing().string("place", "optional computed");
    world.provider = world.provider.clone().resource("test_thing", fields);
    for name in ["a", "b"] {
        world.provider.cloud.edit(name, "place", "here");
    }
    let reads = |run: &Run| {
        let reads = run.events.iter();
        reads
            .filter(|event| matches!(event, Event::RefreshDone { .. }))
            .count()
    };
    let run = world.without_refresh().up(pair).succeeds();
    assert_eq!((run.steps(), reads(&run)), (String::new(), 2));
    let run = world.without_refresh().up(pair).succeeds();
    assert_eq!((run.steps(), reads(&run)), (String::new(), 0));
}

#[test]
fn without_refresh_the_state_is_trusted() {
    let mut world = World::new(FakeProvider::new());
    world.up(pair).succeeds();
    world.provider.cloud.edit("a", "size", 7);
    world.without_refresh().preview(pair).changes_nothing();
}

#[test]
fn a_read_that_fails_stops_the_plan_and_says_where() {
    let mut world = World::new(FakeProvider::new());
    world.up(pair).succeeds();
    world
        .provider
        .on_read("a", |call| call.refuse("access denied"));
    let run = world.up(pair).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: access denied
      resource   test_thing.a
    ");
    assert_eq!(run.steps(), "");
}

#[test]
fn the_drift_of_secrets_is_not_shown() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| drop(new_thing("a").set("secret", "hunter2").declare(stack));
    world.up(program).succeeds();
    world.provider.cloud.edit("a", "secret", "hunter3");
    let run = world.up(program).succeeds();
    assert_snapshot!(run.plan(), @"
    drift test_thing.a secret: (sensitive)
    ~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? secret: (sensitive)
    ");
}
