//! Creations that are planned once, and those that are planned again when they are applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;
use terrane_core::{Diagnostics, Output, Stack};
use terrane_engine::FinalPlans;
use terrane_tests::{FakeProvider, World, new_thing};

/// How often objects of a name were checked and planned.
#[derive(Clone, Default)]
struct Asked {
    checks: Arc<AtomicUsize>,
    plans: Arc<AtomicUsize>,
}

impl Asked {
    fn about(world: &World, name: &str) -> Self {
        let asked = Self::default();
        let (checks, plans) = (asked.checks.clone(), asked.plans.clone());
        world.provider.on_validate(name, move |_| {
            checks.fetch_add(1, Ordering::SeqCst);
            Diagnostics::new()
        });
        world.provider.on_plan(name, move |call| {
            plans.fetch_add(1, Ordering::SeqCst);
            call.proceed()
        });
        asked
    }

    /// Both counts, from now on anew.
    fn take(&self) -> (usize, usize) {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        (take(&self.checks), take(&self.plans))
    }
}

fn alone(stack: &mut Stack) {
    new_thing("a").set("size", 1).declare(stack);
}

#[test]
fn a_creation_that_is_known_from_the_start_is_planned_once() {
    let mut world = World::new(FakeProvider::new());
    let asked = Asked::about(&world, "a");
    world.up(alone).succeeds();
    assert_eq!(asked.take(), (1, 1));
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=1");
    world.up(alone).changes_nothing();
}

#[test]
fn the_old_way_plans_it_again() {
    let mut world = World::new(FakeProvider::new());
    world.final_plans = FinalPlans::Always;
    let asked = Asked::about(&world, "a");
    world.up(alone).succeeds();
    assert_eq!(asked.take(), (2, 2));
}

#[test]
fn a_creation_of_which_something_became_known_is_planned_again() {
    let mut world = World::new(FakeProvider::new());
    let (first, second) = (Asked::about(&world, "a"), Asked::about(&world, "b"));
    world
        .up(|stack| {
            let a = new_thing("a").declare(stack);
            let id: Output<String> = a.attribute("id");
            new_thing("b").set("parent", id).declare(stack);
        })
        .succeeds();
    assert_eq!(first.take(), (1, 1));
    assert_eq!(second.take(), (2, 2));
}

#[test]
fn a_creation_after_something_that_changes_is_planned_again() {
    let mut world = World::new(FakeProvider::new());
    let asked = Asked::about(&world, "b");
    let program = |size: i64| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("size", size).declare(stack);
            new_thing("b").depends_on(&a).declare(stack);
        }
    };
    world.up(program(1)).succeeds();
    assert_eq!(asked.take(), (2, 2));
    world
        .up(|stack| drop(new_thing("a").set("size", 1).declare(stack)))
        .succeeds();
    world.up(program(1)).succeeds();
    assert_eq!(asked.take(), (1, 1), "nothing that it depends on changes");
}

#[test]
fn updates_and_replacements_are_planned_again() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone).succeeds();
    let asked = Asked::about(&world, "a");
    world
        .up(|stack| drop(new_thing("a").set("size", 2).declare(stack)))
        .succeeds();
    assert_eq!(asked.take(), (2, 2));
    world
        .replace("test_thing.a")
        .up(|stack| drop(new_thing("a").set("size", 2).declare(stack)))
        .succeeds();
    // The replacement's first plan is two: that of the change, and that of the new object.
    assert_eq!(asked.take(), (2, 3));
}

#[test]
fn a_process_that_has_ended_is_asked_for_a_plan_before_anything_is_recorded() {
    let mut world = World::new(FakeProvider::new());
    world.parallelism = 1;
    world.provider.on_create("a", |call| call.crash_after());
    let run = world.up(|stack| {
        new_thing("a").declare(stack);
        new_thing("b").declare(stack);
    });
    let unknown = &run.fails().applied.expect("it was applied").unknown;
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert_eq!(world.open_intents.len(), 1);
}
