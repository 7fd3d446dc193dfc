//! Replacements whose new object comes before the old one goes.

use insta::assert_snapshot;
use terrane_core::{Lifecycle, Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn first() -> Lifecycle {
    Lifecycle::new().create_before_destroy()
}

fn alone(name: &'static str) -> impl FnOnce(&mut Stack) {
    move |stack| {
        drop(
            new_thing("a")
                .set("name", name)
                .lifecycle(first())
                .declare(stack),
        )
    }
}

fn with_child(name: &'static str) -> impl FnOnce(&mut Stack) {
    move |stack| {
        let a = new_thing("a")
            .set("name", name)
            .lifecycle(first())
            .declare(stack);
        let parent: Output<String> = a.attribute("id");
        new_thing("b").set("parent", parent).declare(stack);
    }
}

#[test]
fn the_new_object_comes_before_the_old_one_goes() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone("one")).succeeds();
    let run = world.up(alone("two")).succeeds();
    assert_snapshot!(run.plan(), @"+/- test_thing.a forced by name");
    assert_snapshot!(run.steps(), @"
    create test_thing.a: done
    delete test_thing.a: done
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=two");
}

#[test]
fn dependents_move_over_before_the_old_object_goes() {
    let mut world = World::new(FakeProvider::new());
    world.up(with_child("one")).succeeds();
    let run = world.up(with_child("two")).succeeds();
    assert_snapshot!(run.plan(), @"
    +/- test_thing.a forced by name
    ~ test_thing.b endpoint: endpoint-1-of-b-3 -> ? parent: one-1 -> ?
    ");
    assert_snapshot!(run.steps(), @"
    create test_thing.a: done
    update test_thing.b: done
    delete test_thing.a: done
    ");
}

#[test]
fn a_failed_delete_leaves_the_old_object_deposed_for_the_next_run() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone("one")).succeeds();
    world
        .provider
        .on_delete("one", |call| call.refuse("still in use"));
    let run = world.up(alone("two")).fails();
    assert_snapshot!(run.steps(), @"
    create test_thing.a: done
    delete test_thing.a: failed: still in use
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=two  (deposed name=one)");
    let run = world.up(alone("two")).fails();
    assert_snapshot!(run.plan(), @"- test_thing.a (deposed)");
    world.provider.reset();
    let run = world.up(alone("two")).succeeds();
    assert_snapshot!(run.steps(), @"delete test_thing.a (deposed): done");
    assert_snapshot!(world.state(), @"test_thing.a  name=two");
    world.preview(alone("two")).changes_nothing();
}

#[test]
fn several_deposed_objects_are_all_cleaned_up() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone("one")).succeeds();
    world
        .provider
        .on_delete("*", |call| call.refuse("still in use"));
    world.up(alone("two")).fails();
    world.up(alone("three")).fails();
    assert_snapshot!(world.state(), @"test_thing.a  name=three  (deposed name=one)  (deposed name=two)");
    world.provider.reset();
    world.up(alone("three")).succeeds();
    assert_eq!(world.provider.cloud.names(), ["three"]);
}

#[test]
fn a_deposed_object_that_is_gone_is_forgotten() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone("one")).succeeds();
    world
        .provider
        .on_delete("one", |call| call.refuse("still in use"));
    world.up(alone("two")).fails();
    world.provider.cloud.remove("one");
    world.up(alone("two")).succeeds();
    assert_snapshot!(world.state(), @"test_thing.a  name=two");
}

#[test]
fn a_failed_creation_restores_the_old_object() {
    let mut world = World::new(FakeProvider::new());
    world.up(with_child("one")).succeeds();
    world
        .provider
        .on_create("two", |call| call.refuse("quota exceeded"));
    let run = world.up(with_child("two")).fails();
    assert_snapshot!(run.steps(), @"
    create test_thing.a: failed: quota exceeded
    update test_thing.b: skipped
    delete test_thing.a: skipped
    ");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=one
    test_thing.b  name=b parent=one-1
    ");
    world.preview(with_child("one")).changes_nothing();
}

#[test]
fn a_creation_that_fails_halfway_keeps_both_and_the_next_run_replaces_the_new_one() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone("one")).succeeds();
    world
        .provider
        .on_create("two", |call| call.proceed_then_refuse("timed out"));
    world.up(alone("two")).fails();
    assert_snapshot!(world.state(), @"test_thing.a  tainted name=two  (deposed name=one)");
    world.provider.reset();
    let run = world.up(alone("two")).succeeds();
    assert_snapshot!(run.plan(), @"
    +/- test_thing.a [ReplaceBecauseTainted]
    - test_thing.a (deposed)
    ");
    assert_snapshot!(run.steps(), @"
    create test_thing.a: done
    delete test_thing.a (deposed): done
    delete test_thing.a: done
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=two");
}

#[test]
fn it_spreads_to_everything_that_is_depended_on_and_is_remembered() {
    let mut world = World::new(FakeProvider::new());
    let program = |a: &'static str, b: &'static str| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("name", a).declare(stack);
            let parent: Output<String> = a.attribute("id");
            new_thing("b")
                .set("name", b)
                .set("parent", parent)
                .lifecycle(first())
                .declare(stack);
        }
    };
    world.up(program("a1", "b1")).succeeds();
    assert!(
        world
            .instance("test_thing.a")
            .current
            .as_ref()
            .expect("a")
            .create_before_destroy
    );
    let run = world.up(program("a2", "b2")).succeeds();
    assert_snapshot!(run.plan(), @"
    +/- test_thing.a forced by name
    +/- test_thing.b forced by name
    ");
    assert_snapshot!(run.steps(), @"
    create test_thing.a: done
    create test_thing.b: done
    delete test_thing.b: done
    delete test_thing.a: done
    ");
}

#[test]
fn a_deposed_object_does_not_stop_its_dependencies_from_being_replaced() {
    // b's old object is left over; a, which it stands on, is then replaced destroy-first because b no longer asks for more.
    let mut world = World::new(FakeProvider::new());
    let program = |a: &'static str, b: &'static str, lifecycle: Lifecycle| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("name", a).declare(stack);
            let parent: Output<String> = a.attribute("id");
            let b = new_thing("b").set("name", b).set("note", parent);
            b.lifecycle(lifecycle).declare(stack);
        }
    };
    world.up(program("a1", "b1", first())).succeeds();
    world
        .provider
        .on_delete("b1", |call| call.refuse("still in use"));
    world.up(program("a1", "b2", first())).fails();
    world.provider.reset();
    let run = world.up(program("a2", "b2", Lifecycle::new())).succeeds();
    assert_snapshot!(run.plan(), @"
    -/+ test_thing.a forced by name
    ~ test_thing.b endpoint: endpoint-1-of-b2-5 -> ? note: a1-1 -> ?
    - test_thing.b (deposed)
    ");
    assert_snapshot!(run.steps(), @"
    delete test_thing.b (deposed): done
    delete test_thing.a: done
    create test_thing.a: done
    update test_thing.b: done
    ");
}

#[test]
fn what_the_old_object_refers_to_is_recreated_once_that_object_is_gone() {
    let fields = terrane_tests::thing().attribute(
        "links",
        terrane_core::Type::set(terrane_core::Type::String),
        "optional reference force_new",
    );
    let mut world = World::new(FakeProvider::new().resource("test_thing", fields));
    world
        .up(|stack| {
            let b = new_thing("b").set("name", "b1").declare(stack);
            let id: Output<String> = b.attribute("id");
            new_thing("a").set("links", vec![id]).declare(stack);
        })
        .succeeds();
    // a refers to c instead, and b, to which its old object refers till it goes, is recreated.
    let run = world
        .up(|stack| {
            new_thing("b").set("name", "b2").declare(stack);
            let c = new_thing("c").declare(stack);
            let id: Output<String> = c.attribute("id");
            new_thing("a")
                .set("links", vec![id])
                .lifecycle(Lifecycle::new().create_before_destroy())
                .declare(stack);
        })
        .succeeds();
    run.ordered(&[
        "create test_thing.a",
        "delete test_thing.a",
        "delete test_thing.b",
        "create test_thing.b",
    ]);
}

#[test]
fn an_old_object_goes_before_the_recreation_that_dependents_of_its_successor_wait_for() {
    // b's old object stands on a, which is recreated; c refers to both new ones, and cannot come before b's old object goes.
    for updated in [false, true] {
        let links = terrane_core::Type::set(terrane_core::Type::String);
        let fields = terrane_tests::thing()
            .attribute("links", links.clone(), "optional reference force_new")
            .attribute("notes", links, "optional");
        let mut world = World::new(FakeProvider::new().resource("test_thing", fields));
        world
            .up(|stack| {
                let a = new_thing("a").set("name", "a1").declare(stack);
                let a: Output<String> = a.attribute("id");
                let b = new_thing("b").set("links", vec![a]).declare(stack);
                let b: Output<String> = b.attribute("id");
                if updated {
                    new_thing("c").set("notes", vec![b]).declare(stack);
                }
            })
            .succeeds();
        let run = world
            .up(|stack| {
                let a = new_thing("a").set("name", "a2").declare(stack);
                let b = new_thing("b").lifecycle(first()).declare(stack);
                let ids: Vec<Output<String>> = vec![a.attribute("id"), b.attribute("id")];
                new_thing("c").set("notes", ids).declare(stack);
            })
            .succeeds();
        run.ordered(&[
            "create test_thing.b",
            "delete test_thing.b",
            "delete test_thing.a",
            "create test_thing.a",
            match updated {
                true => "update test_thing.c",
                false => "create test_thing.c",
            },
        ]);
    }
}
