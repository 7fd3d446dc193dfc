//! Objects that cannot change in place: the old one goes first.

use insta::assert_snapshot;
use terrane_core::{Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn named(name: &'static str) -> impl FnOnce(&mut Stack) {
    move |stack| {
        let a = new_thing("a")
            .set("name", name)
            .set("size", 1)
            .declare(stack);
        let parent: Output<String> = a.attribute("id");
        new_thing("b").set("parent", parent).declare(stack);
    }
}

fn alone(name: &'static str) -> impl FnOnce(&mut Stack) {
    move |stack| drop(new_thing("a").set("name", name).declare(stack))
}

#[test]
fn the_old_object_goes_before_the_new_one_comes() {
    let mut world = World::new(FakeProvider::new().unique_names("test_thing"));
    world.up(alone("one")).succeeds();
    let run = world.up(alone("two")).succeeds();
    assert_snapshot!(run.plan(), @"-/+ test_thing.a forced by name");
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    create test_thing.a: done
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=two");
    world.preview(alone("two")).changes_nothing();
}

#[test]
fn a_replacement_that_cannot_be_made_leaves_nothing_and_is_made_by_the_next_run() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone("one")).succeeds();
    world
        .provider
        .on_create("two", |call| call.refuse("quota exceeded"));
    let run = world.up(alone("two")).fails();
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    create test_thing.a: failed: quota exceeded
    ");
    assert_snapshot!(world.state(), @"");
    world.provider.reset();
    assert_snapshot!(world.up(alone("two")).succeeds().plan(), @"+ test_thing.a");
}

#[test]
fn a_delete_that_fails_keeps_the_old_object_and_makes_no_new_one() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone("one")).succeeds();
    world
        .provider
        .on_delete("one", |call| call.refuse("still in use"));
    let run = world.up(alone("two")).fails();
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: failed: still in use
    create test_thing.a: skipped
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=one");
    world.provider.reset();
    world.up(alone("two")).succeeds();
    assert_eq!(world.provider.cloud.names(), ["two"]);
}

#[test]
fn a_dependent_that_only_changes_keeps_the_old_object_in_use() {
    // The default order of every Terraform engine: the old parent goes while the child still refers to it.
    let mut world = World::new(FakeProvider::new());
    world.up(named("one")).succeeds();
    let run = world.up(named("two")).fails();
    assert_snapshot!(run.plan(), @"
    -/+ test_thing.a forced by name
    ~ test_thing.b endpoint: endpoint-1-of-b-3 -> ? parent: one-1 -> ?
    ");
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: failed: one-1 is in use by b-3
    create test_thing.a: skipped
    update test_thing.b: skipped
    ");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=one size=1
    test_thing.b  name=b parent=one-1
    ");
}

#[test]
fn dependents_that_are_replaced_too_go_first_and_come_last() {
    let provider = FakeProvider::new();
    provider.on_plan("b", |call| {
        if call.request.prior_state.is_null() {
            call.proceed()
        } else {
            call.requiring(&["parent"])
        }
    });
    let mut world = World::new(provider);
    world.up(named("one")).succeeds();
    let run = world.up(named("two")).succeeds();
    assert_snapshot!(run.plan(), @"
    -/+ test_thing.a forced by name
    -/+ test_thing.b forced by parent
    ");
    assert_snapshot!(run.steps(), @"
    delete test_thing.b: done
    delete test_thing.a: done
    create test_thing.a: done
    create test_thing.b: done
    ");
}

#[test]
fn a_path_that_does_not_change_forces_nothing() {
    // SDK v2 names `id` and unchanged attributes among those that require replacement.
    let provider = FakeProvider::new();
    provider.on_plan("*", |call| call.requiring(&["id", "name"]));
    let mut world = World::new(provider);
    let program =
        |size: i64| move |stack: &mut Stack| drop(new_thing("a").set("size", size).declare(stack));
    world.up(program(1)).succeeds();
    assert_snapshot!(world.up(program(2)).succeeds().plan(), @"~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 1 -> 2");
}

#[test]
fn the_command_line_can_ask_for_a_replacement() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone("one")).succeeds();
    let run = world.replace("test_thing.a").up(alone("one")).succeeds();
    assert_snapshot!(run.plan(), @"-/+ test_thing.a [ReplaceByRequest]");
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    create test_thing.a: done
    ");
}

#[test]
fn a_tainted_object_is_replaced() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("one", |call| call.proceed_then_refuse("timed out"));
    world.up(alone("one")).fails();
    assert_snapshot!(world.state(), @"test_thing.a  tainted name=one");
    world.provider.reset();
    let run = world.up(alone("one")).succeeds();
    assert_snapshot!(run.plan(), @"-/+ test_thing.a [ReplaceBecauseTainted]");
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    create test_thing.a: done
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=one");
}

#[test]
fn a_tainted_object_that_is_gone_is_simply_made() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("one", |call| call.proceed_then_refuse("timed out"));
    world.up(alone("one")).fails();
    world.provider.reset();
    world.provider.cloud.remove("one");
    assert_snapshot!(world.up(alone("one")).succeeds().plan(), @"
    drift test_thing.a gone
    + test_thing.a
    ");
}
