//! Operations whose end nobody saw: what the next run finds out by itself, and what it leaves to a person.

use insta::assert_snapshot;
use terrane_core::{Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn alone(size: i64) -> impl FnOnce(&mut Stack) {
    move |stack| drop(new_thing("a").set("size", size).declare(stack))
}

/// `a`, `b` that stands on it, and `c` that stands alone.
fn three(stack: &mut Stack) {
    let a = new_thing("a").declare(stack);
    let id: Output<String> = a.attribute("id");
    new_thing("b").set("parent", id).declare(stack);
    new_thing("c").declare(stack);
}

#[test]
fn a_creation_in_doubt_blocks_its_address_and_what_stands_on_it() {
    let mut world = World::new(FakeProvider::new());
    world.parallelism = 1;
    world.provider.on_create("a", |call| call.crash_after());
    world.up(three).fails();
    world.provider.reset();
    let run = world.up(three).succeeds();
    assert_snapshot!(run.settled(), @"test_thing.a: create in doubt: nothing is known by which the object could be found");
    assert_snapshot!(run.steps(), @"create test_thing.c: done");
    assert_eq!(world.open_intents.len(), 1);
    assert_eq!(world.provider.cloud.names(), ["a", "c"]);
}

#[test]
fn a_destroy_leaves_what_a_creation_in_doubt_stands_on() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_create("b", |call| call.crash_after());
    world.up(three).fails();
    world.provider.reset();
    let run = world.destroy(three).succeeds();
    assert_snapshot!(run.steps(), @"delete test_thing.c: done");
    assert_snapshot!(world.state(), @"test_thing.a  name=a");
}

#[test]
fn an_update_in_doubt_is_settled_by_reading() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone(1)).succeeds();
    world.provider.on_update("a", |call| call.crash_after());
    world.up(alone(2)).fails();
    world.provider.reset();
    let run = world.up(alone(2)).succeeds();
    assert_snapshot!(run.settled(), @"test_thing.a: update: Refreshed (it was read)");
    assert_snapshot!(run.steps(), @"");
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=2");
    assert!(world.open_intents.is_empty());
}

#[test]
fn a_delete_in_doubt_is_settled_by_reading() {
    for happened in [true, false] {
        let mut world = World::new(FakeProvider::new());
        world.up(alone(1)).succeeds();
        world.provider.on_delete("a", move |call| match happened {
            true => call.crash_after(),
            false => call.crash_before(),
        });
        world.destroy(alone(1)).fails();
        world.provider.reset();
        let run = world.destroy(alone(1)).succeeds();
        let how = if happened { "Deleted" } else { "Refreshed" };
        assert_eq!(
            run.settled(),
            format!("test_thing.a: delete: {how} (it was read)")
        );
        assert!(world.state.is_empty() && world.provider.cloud.names().is_empty());
        assert!(world.open_intents.is_empty());
    }
}

#[test]
fn what_can_not_be_read_blocks_its_address_only() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone(1)).succeeds();
    world.provider.on_update("a", |call| call.crash_after());
    world.up(alone(2)).fails();
    world.provider.reset();
    world
        .provider
        .on_read("a", |call| call.refuse("no network"));
    let with_another = |stack: &mut Stack| {
        alone(2)(stack);
        new_thing("c").declare(stack);
    };
    let run = world.up(with_another).succeeds();
    assert_snapshot!(run.settled(), @"test_thing.a: update in doubt: it could not be looked up: no network");
    assert_snapshot!(run.steps(), @"create test_thing.c: done");
    assert_eq!(world.open_intents.len(), 1);
}
