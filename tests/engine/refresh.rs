//! Differences between the objects and the state.

use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use proptest::prelude::*;
use terrane_core::addr::ProviderSource;
use terrane_core::{Output, ProviderDeclaration, Stack};
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

/// Things in a row: each with a size, and if said so a reference to the one before it that is there.
fn row(things: Vec<Option<(i64, bool)>>) -> impl Fn(&mut Stack) {
    move |stack| {
        // An empty row still has to destroy what is left.
        let provider = ProviderSource::implied_by("test_thing");
        stack.provider(ProviderDeclaration::dynamic(provider));
        let mut last: Option<Output<String>> = None;
        for (place, thing) in things.iter().enumerate() {
            let Some((size, refers)) = thing else {
                continue;
            };
            let mut thing = new_thing(&format!("thing{place}")).set("size", *size);
            if let (Some(last), true) = (&last, refers) {
                thing = thing.set("parent", last.clone());
            }
            last = Some(thing.declare(stack).attribute("id"));
        }
    }
}

/// The names of the objects that are read from now on.
fn watch_reads(world: &World, names: &[&'static str]) -> Arc<Mutex<Vec<&'static str>>> {
    let reads: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    for &name in names {
        let reads = reads.clone();
        world.provider.on_read(name, move |call| {
            reads.lock().expect("no panic").push(name);
            call.proceed()
        });
    }
    reads
}

#[test]
fn only_what_a_plan_changes_and_what_refers_to_it_is_read() {
    let mut world = World::new(FakeProvider::new());
    let program = |size| row(vec![Some((size, false)), Some((1, true)), Some((1, false))]);
    world.up(program(1)).succeeds();
    let reads = watch_reads(&world, &["thing0", "thing1", "thing2"]);
    let unchanged = world.reading_changes().preview(program(1));
    assert_eq!(unchanged.plan(), "");
    assert!(reads.lock().expect("no panic").is_empty());
    // What somebody did to an object that the plan changes is seen, and nothing else is.
    world.provider.cloud.edit("thing0", "note", "by hand");
    world.provider.cloud.edit("thing2", "note", "by hand");
    let changed = world.reading_changes().preview(program(2));
    assert_snapshot!(changed.plan(), @"
    drift test_thing.thing0 note: null -> by hand
    ~ test_thing.thing0 endpoint: endpoint-1-of-thing0-3 -> ? note: by hand -> null size: 1 -> 2
    ");
    let mut read = std::mem::take(&mut *reads.lock().expect("no panic"));
    read.sort_unstable();
    assert_eq!(read, ["thing0", "thing1"]);
    // A refresh and a destroy are about every object.
    world.reading_changes().refresh(program(1)).succeeds();
    assert_eq!(reads.lock().expect("no panic").len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn where_nothing_changed_outside_a_plan_is_the_same_however_little_is_read(
        before in prop::collection::vec(prop::option::of((0..2_i64, any::<bool>())), 0..6),
        after in prop::collection::vec(prop::option::of((0..2_i64, any::<bool>())), 0..6),
    ) {
        let mut world = World::new(FakeProvider::new());
        world.up(row(before)).succeeds();
        let whole = world.preview(row(after.clone()));
        let part = world.reading_changes().preview(row(after));
        prop_assert_eq!(whole.plan(), part.plan());
        prop_assert_eq!(whole.made_plan().summary(), part.made_plan().summary());
    }
}
