//! The lifecycle rules of a program.

use insta::assert_snapshot;
use terrane_core::{Lifecycle, Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn with(size: i64, lifecycle: Lifecycle) -> impl FnOnce(&mut Stack) {
    move |stack| {
        drop(
            new_thing("a")
                .set("size", size)
                .lifecycle(lifecycle)
                .declare(stack),
        )
    }
}

#[test]
fn ignored_differences_are_no_changes() {
    let mut world = World::new(FakeProvider::new());
    let ignoring = || Lifecycle::new().ignore_changes(["size"]);
    world.up(with(1, ignoring())).succeeds();
    world.preview(with(2, ignoring())).changes_nothing();
    world.provider.cloud.edit("a", "size", 7);
    let run = world.preview(with(2, ignoring())).succeeds();
    assert_snapshot!(run.plan(), @"drift test_thing.a size: 1 -> 7");
}

#[test]
fn an_ignored_difference_survives_the_update_of_something_else() {
    let mut world = World::new(FakeProvider::new());
    let program = |note: &'static str| {
        move |stack: &mut Stack| {
            let lifecycle = Lifecycle::new().ignore_changes(["size"]);
            new_thing("a")
                .set("size", 1)
                .set("note", note)
                .lifecycle(lifecycle)
                .declare(stack);
        }
    };
    world.up(program("x")).succeeds();
    world.provider.cloud.edit("a", "size", 7);
    world.up(program("y")).succeeds();
    assert_snapshot!(world.state(), @"test_thing.a  name=a note=y size=7");
}

#[test]
fn ignoring_everything_never_updates() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(with(1, Lifecycle::new().ignore_all_changes()))
        .succeeds();
    world
        .preview(with(2, Lifecycle::new().ignore_all_changes()))
        .changes_nothing();
}

#[test]
fn a_replacement_is_made_as_configured_whatever_is_ignored() {
    let mut world = World::new(FakeProvider::new());
    let ignoring = || Lifecycle::new().ignore_changes(["size"]);
    world.up(with(1, ignoring())).succeeds();
    world
        .replace("test_thing.a")
        .up(with(2, ignoring()))
        .succeeds();
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=2");
}

#[test]
fn ignored_differences_of_a_legacy_provider_are_taken_from_its_plan_too() {
    let mut world = World::new(FakeProvider::new().legacy("test_thing"));
    let ignoring = || Lifecycle::new().ignore_changes(["size"]);
    world.up(with(1, ignoring())).succeeds();
    // Its plan does not start from the proposal.
    world.provider.on_plan("a", |call| call.planning("size", 2));
    world.preview(with(2, ignoring())).changes_nothing();
}

#[test]
fn a_protected_object_is_neither_replaced_nor_destroyed() {
    let mut world = World::new(FakeProvider::new());
    let program = |name: &'static str| {
        move |stack: &mut Stack| {
            let lifecycle = Lifecycle::new().prevent_destroy();
            new_thing("a")
                .set("name", name)
                .lifecycle(lifecycle)
                .declare(stack);
        }
    };
    world.up(program("one")).succeeds();
    assert_snapshot!(world.up(program("two")).fails().diagnostics(), @"
    error: the plan would destroy an object that `prevent_destroy` protects
      resource   test_thing.a
    hint: take `prevent_destroy()` out of its lifecycle, or leave it out of the run with `--exclude`
    ");
    world.destroy(program("one")).fails();
    assert_eq!(world.provider.cloud.names(), ["one"]);
    // Without the declaration nothing says that it is protected.
    world
        .up(|stack| drop(new_thing("other").declare(stack)))
        .succeeds();
    assert_eq!(world.provider.cloud.names(), ["other"]);
}

#[test]
fn a_protected_instance_is_not_dropped_by_its_key() {
    let mut world = World::new(FakeProvider::new());
    let program = |count: usize| {
        move |stack: &mut Stack| {
            for index in 0..count {
                let thing = new_thing("a")
                    .set("name", format!("a{index}"))
                    .instance_key(index);
                thing
                    .lifecycle(Lifecycle::new().prevent_destroy())
                    .declare(stack);
            }
        }
    };
    world.up(program(2)).succeeds();
    world.up(program(1)).fails();
    assert_eq!(world.provider.cloud.names(), ["a0", "a1"]);
}

#[test]
fn a_change_elsewhere_can_trigger_a_replacement() {
    let mut world = World::new(FakeProvider::new());
    let program = |size: i64, note: &'static str| {
        move |stack: &mut Stack| {
            let a = new_thing("a")
                .set("size", size)
                .set("note", note)
                .declare(stack);
            let whole = Lifecycle::new().replace_triggered_by(&a);
            new_thing("b").lifecycle(whole).declare(stack);
            let size: Output<i64> = a.attribute("size");
            let part = Lifecycle::new().replace_triggered_by_attribute(&size);
            new_thing("c").lifecycle(part).declare(stack);
        }
    };
    world.up(program(1, "x")).succeeds();
    assert_snapshot!(world.preview(program(1, "y")).succeeds().plan(), @"
    ~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? note: x -> y
    -/+ test_thing.b [ReplaceByTriggers]
    ");
    let run = world.up(program(2, "x")).succeeds();
    assert_snapshot!(run.plan(), @"
    ~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 1 -> 2
    -/+ test_thing.b [ReplaceByTriggers]
    -/+ test_thing.c [ReplaceByTriggers]
    ");
    assert_snapshot!(run.steps(), @"
    delete test_thing.c: done
    delete test_thing.b: done
    update test_thing.a: done
    create test_thing.c: done
    create test_thing.b: done
    ");
    world.preview(program(2, "x")).changes_nothing();
}

#[test]
fn depends_on_orders_what_refers_to_nothing() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let late = new_thing("late");
        let early = new_thing("early").declare(stack);
        late.depends_on(&early).declare(stack);
    };
    world.parallelism = 1;
    world
        .up(program)
        .succeeds()
        .ordered(&["create test_thing.early", "create test_thing.late"]);
    assert_eq!(world.dependencies("test_thing.late"), ["test_thing.early"]);
    world
        .destroy(program)
        .succeeds()
        .ordered(&["delete test_thing.late", "delete test_thing.early"]);
}
