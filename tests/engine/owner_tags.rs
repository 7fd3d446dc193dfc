//! Owner tags: which objects carry one, and how a creation is found by it.

use std::time::Duration;

use insta::assert_snapshot;
use terrane_core::schema::Nesting;
use terrane_core::{BlockArguments, Resource, Stack};
use terrane_engine::Event;
use terrane_state::Liveness;
use terrane_tests::{FakeProvider, Fields, World, new_thing};

use crate::interrupted::{intent, interrupted, known, owned, owned_with};

#[test]
fn every_taggable_object_gets_a_tag_of_its_own_and_the_next_preview_is_empty() {
    let program = |stack: &mut Stack| {
        stack.owner_tags(true);
        new_thing("a")
            .set("tags", std::collections::BTreeMap::from([("team", "data")]))
            .declare(stack);
        new_thing("b").declare(stack);
        Resource::dynamic("test_item", "c")
            .set("name", "c")
            .declare(stack);
    };
    let mut world = World::new(FakeProvider::new());
    world.up(program).succeeds();
    assert_snapshot!(world.state(), @"
    test_item.c  name=c
    test_thing.a  name=a tags={team=data terrane/owner=cg3xarad56axigdxmca2t6vzoaofscmd}
    test_thing.b  name=b tags={terrane/owner=htb56t4ptvd7qfwbv4ofnx34b46kdu6j}
    ");
    world.preview(program).changes_nothing();
    // The replacement is another object.
    let before = world.state();
    let run = world.replace("test_thing.a").up(program).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    create test_thing.a: done
    ");
    assert_ne!(world.state(), before);
    world.preview(program).changes_nothing();
}

#[test]
fn turning_owner_tags_on_and_off_is_an_update() {
    let mut world = World::new(FakeProvider::new());
    let without = known("test_thing", |a| a);
    world.up(without).succeeds();
    assert_snapshot!(world.up(owned("test_thing")).succeeds().steps(), @"update test_thing.a: done");
    world.preview(owned("test_thing")).changes_nothing();
    assert_snapshot!(world.up(without).succeeds().steps(), @"update test_thing.a: done");
}

#[test]
fn a_creation_is_found_by_its_owner_tag() {
    let program = owned("test_thing");
    let mut world = interrupted(true, program);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    assert_snapshot!(run.steps(), @"");
    assert!(world.open_intents.is_empty());
    world.preview(program).changes_nothing();
}

#[test]
fn a_creation_whose_tag_no_object_has_is_repeated_once_it_cannot_come_late() {
    let program = owned("test_thing");
    let mut world = interrupted(false, program);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @"test_thing.a: create: Absent (nothing has its owner tag)");
    assert_snapshot!(run.steps(), @"create test_thing.a: done");
    let waits = run.events.iter().filter_map(|event| match event {
        Event::RecoveryWaiting {
            addresses, time, ..
        } => Some(format!(
            "{}: {} minutes",
            addresses[0],
            time.as_secs().div_ceil(60)
        )),
        _ => None,
    });
    assert_eq!(waits.collect::<Vec<_>>(), ["test_thing.a: 2 minutes"]);
}

#[test]
fn a_tag_on_several_objects_is_left_to_a_person() {
    let program = owned("test_thing");
    let mut world = interrupted(true, program);
    world.provider.cloud.copy("a", "a-copy");
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @"test_thing.a: create unresolved: several objects have its owner tag (`a-1`, `a-copy`)");
    assert_eq!((world.open_intents.len(), run.steps().as_str()), (1, ""));
}

#[test]
fn a_creation_that_comes_late_is_found_by_the_second_look() {
    let program = owned("test_thing");
    let mut world = interrupted(true, program);
    let looks = std::sync::atomic::AtomicUsize::new(0);
    world.provider.on_read_data("test_finder", move |call| {
        match looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            // As the cloud was before the creation took effect.
            0 => call.finding_nothing(),
            _ => call.proceed(),
        }
    });
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    assert_snapshot!(run.steps(), @"");
}

#[test]
fn an_absence_counts_only_after_the_deadline_while_the_other_process_may_live() {
    for liveness in [Liveness::Alive, Liveness::Unknown] {
        let program = owned("test_thing");
        let mut world = interrupted(false, program);
        world.liveness = liveness;
        let run = world.up(program).succeeds();
        let recovery = run.recovery();
        assert!(
            recovery.contains("one may still appear until 2023-11-14T22:34:20"),
            "{recovery}"
        );
        assert_eq!(run.steps(), "");
        // The deadline of twenty minutes and a minute for the clocks.
        world.pass(Duration::from_secs(21 * 60));
        let run = world.up(program).succeeds();
        assert_eq!(run.steps(), "create test_thing.a: done");
    }
}

#[test]
fn the_timeout_of_the_configuration_is_the_deadline() {
    let program = owned_with("test_thing", |a| {
        a.set("timeouts", BlockArguments::new().set("create", "2h"))
    });
    let timeouts = Fields::new().string("create", "optional");
    let fields = terrane_tests::thing().blocks("timeouts", Nesting::Single, timeouts);
    let mut world = World::new(FakeProvider::new().resource("test_thing", fields));
    world.provider.on_create("a", |call| call.crash_before());
    world.up(program).fails();
    let intent = intent(&world);
    let timeout = intent
        .deadline
        .expect("a deadline")
        .since(intent.started_at);
    assert_eq!(timeout, Duration::from_secs(7200));
}
