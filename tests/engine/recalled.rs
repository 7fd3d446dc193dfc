//! Plans that read and ask only what has to be read and asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use terrane_core::addr::ProviderSource;
use terrane_core::{Output, ProviderDeclaration, Resource, Stack};
use terrane_engine::{Event, PlanCache, RefreshPolicy, Unread};
use terrane_tests::{FakeProvider, Run, World, new_thing};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Two things, the second of which refers to the first, and one by itself.
fn three(size: i64) -> impl Fn(&mut Stack) {
    move |stack| {
        let a = new_thing("a").set("size", size).declare(stack);
        new_thing("b")
            .set("parent", a.attribute::<String>("id"))
            .declare(stack);
        new_thing("c").declare(stack);
        stack.export("zone", a.attribute::<String>("zone"));
    }
}

/// A world in which three things were made, and a preview has seen that nothing is left to do.
fn quiet_world() -> World {
    let mut world = World::new(FakeProvider::new());
    world.up(three(1)).succeeds();
    world.reading_changes().preview(three(1)).changes_nothing();
    world.provider.started();
    world
}

/// The addresses that a run has read.
fn read(run: &Run) -> Vec<String> {
    let mut read: Vec<String> = run
        .events
        .iter()
        .filter_map(|event| match event {
            Event::RefreshStarted { address } => Some(address.to_string()),
            _ => None,
        })
        .collect();
    read.sort_unstable();
    read
}

fn unread(run: &Run) -> Option<usize> {
    run.made_plan().unread.map(|Unread { objects, .. }| objects)
}

#[test]
fn a_preview_of_an_unchanged_stack_starts_no_provider() {
    let mut world = quiet_world();
    let whole = world.preview(three(1));
    assert_eq!(world.provider.started(), 1);
    let quiet = world.reading_changes().preview(three(1));
    assert_eq!(world.provider.started(), 0);
    assert_eq!(quiet.plan(), whole.plan());
    let changes = |run: &Run| {
        let changes = run.made_plan().changes.clone();
        changes
            .into_iter()
            .map(|change| (change.address, change.action, change.before, change.after))
            .collect::<Vec<_>>()
    };
    assert_eq!(changes(&quiet), changes(&whole));
    assert_eq!(quiet.made_plan().outputs, whole.made_plan().outputs);
    assert_eq!((unread(&whole), unread(&quiet)), (None, Some(3)));
    let since = |run: &Run| run.made_plan().unread.and_then(|unread| unread.since);
    assert_eq!(
        since(&quiet).map(|at| at.to_string()).as_deref(),
        Some("2023-11-14T22:13:20Z")
    );
    // Not even to apply nothing.
    let applied = world.reading_changes().up(three(1)).succeeds();
    assert_eq!(
        (applied.steps(), world.provider.started()),
        (String::new(), 0)
    );
    let starts = applied.events.iter();
    let starts = starts.filter(|event| matches!(event, Event::ProviderStarting { .. }));
    assert_eq!(starts.count(), 0);
}

#[test]
fn a_change_asks_the_provider_about_itself_and_what_refers_to_it() {
    let mut world = quiet_world();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    for name in ["a", "b", "c"] {
        let asked = asked.clone();
        world.provider.on_plan(name, move |call| {
            asked.lock().expect("no panic").push(name.to_owned());
            call.proceed()
        });
    }
    let changed = world.reading_changes().preview(three(2));
    assert_snapshot!(changed.plan(), @"~ test_thing.a endpoint: endpoint-1-of-a-3 -> ? size: 1 -> 2");
    assert_eq!(read(&changed), ["test_thing.a", "test_thing.b"]);
    let mut asked = std::mem::take(&mut *asked.lock().expect("no panic"));
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked, ["a", "b"]);
    assert_eq!((world.provider.started(), unread(&changed)), (1, Some(1)));
    // The change is made, and the plan after it still asks nothing about `c`.
    world.reading_changes().up(three(2)).succeeds();
    world.reading_changes().preview(three(2)).changes_nothing();
    world.provider.started();
    world.reading_changes().preview(three(2)).changes_nothing();
    assert_eq!(world.provider.started(), 0);
}

#[test]
fn another_version_of_the_provider_reads_everything_once() {
    let mut world = quiet_world();
    world.provider.upgrade();
    let all = ["test_thing.a", "test_thing.b", "test_thing.c"];
    let first = world.reading_changes().preview(three(1));
    assert_eq!(
        (read(&first), unread(&first)),
        (all.map(String::from).into(), None)
    );
    world.provider.started();
    let second = world.reading_changes().preview(three(1));
    assert_eq!((read(&second).len(), world.provider.started()), (0, 0));
}

#[test]
fn what_was_removed_outside_is_seen_once_its_reading_is_too_old() {
    let mut world = quiet_world();
    world.provider.cloud.remove("c");
    // Nobody looks.
    world
        .reading_older_than(DAY)
        .preview(three(1))
        .changes_nothing();
    world.pass(DAY + Duration::from_secs(60));
    world.reading_changes().preview(three(1)).changes_nothing();
    let seen = world.reading_older_than(DAY).preview(three(1));
    assert_snapshot!(seen.plan(), @"
    drift test_thing.c gone
    + test_thing.c
    ");
    assert_eq!(read(&seen).len(), 3);
    // It is still gone for whoever looks next: a preview has not recorded it.
    let again = world.reading_older_than(DAY).up(three(1)).succeeds();
    assert_eq!(read(&again), ["test_thing.c"]);
    assert_snapshot!(again.steps(), @"create test_thing.c: done");
    world
        .reading_older_than(DAY)
        .preview(three(1))
        .changes_nothing();
}

#[test]
fn drift_that_a_preview_has_seen_is_seen_again_until_it_is_recorded() {
    let mut world = quiet_world();
    world.provider.cloud.edit("c", "zone", "elsewhere");
    world.pass(DAY * 2);
    let seen = world.reading_older_than(DAY).preview(three(1));
    assert_snapshot!(seen.plan(), @"drift test_thing.c zone: zone-3-of-c-1 -> elsewhere");
    let again = world.reading_older_than(DAY).preview(three(1));
    assert_eq!(again.plan(), seen.plan());
    assert_eq!(read(&again), ["test_thing.c"]);
    world.reading_older_than(DAY).up(three(1)).succeeds();
    let recorded = world.reading_older_than(DAY).preview(three(1));
    assert_eq!(recorded.plan(), "");
}

#[test]
fn what_is_tainted_replaced_or_left_over_is_asked_about() {
    let mut world = quiet_world();
    let mut instance = (*world.instance("test_thing.c")).clone();
    let object = instance.current.as_mut().expect("an object");
    Arc::make_mut(object).status = terrane_state::ObjectStatus::Tainted;
    let address = "test_thing.c".parse().expect("an address");
    world.state.set_instance(&address, Some(Arc::new(instance)));
    let tainted = world.reading_changes().preview(three(1));
    assert_snapshot!(tainted.plan(), @"-/+ test_thing.c [ReplaceBecauseTainted]");
    assert_eq!(read(&tainted), ["test_thing.c"]);

    let mut world = quiet_world();
    let replaced = world
        .reading_changes()
        .replace("test_thing.c")
        .preview(three(1));
    assert_snapshot!(replaced.plan(), @"-/+ test_thing.c [ReplaceByRequest]");
    let without = |stack: &mut Stack| {
        let a = new_thing("a").set("size", 1).declare(stack);
        stack.export("zone", a.attribute::<String>("zone"));
    };
    let less = world.reading_changes().preview(without);
    assert_snapshot!(less.plan(), @"
    - test_thing.b [DeleteBecauseNoResourceConfig]
    - test_thing.c [DeleteBecauseNoResourceConfig]
    ");
}

#[test]
fn another_configuration_of_the_provider_is_another_question() {
    let mut world = World::new(FakeProvider::new());
    let in_region = |region: &'static str| {
        move |stack: &mut Stack| {
            let provider = ProviderSource::implied_by("test_thing");
            let provider = ProviderDeclaration::dynamic(provider).set("region", region);
            stack.provider(provider);
            new_thing("a").declare(stack);
        }
    };
    world.up(in_region("here")).succeeds();
    world
        .reading_changes()
        .preview(in_region("here"))
        .changes_nothing();
    world.provider.started();
    world
        .reading_changes()
        .preview(in_region("here"))
        .changes_nothing();
    assert_eq!(world.provider.started(), 0);
    world
        .reading_changes()
        .preview(in_region("there"))
        .changes_nothing();
    assert_eq!(world.provider.started(), 1);
}

#[test]
fn a_damaged_or_lost_cache_only_costs_readings() {
    let good = quiet_world().plan_cache;
    let mut cut = good.clone();
    cut.truncate(good.len() - 5);
    let mut flipped = good.clone();
    *flipped.last_mut().expect("bytes") ^= 1;
    for damaged in [Vec::new(), b"nothing of ours".to_vec(), cut, flipped] {
        assert!(PlanCache::read(&damaged).is_empty());
        let mut world = quiet_world();
        world.plan_cache = damaged;
        let run = world.reading_changes().preview(three(1)).changes_nothing();
        assert_eq!((read(&run).len(), world.provider.started()), (3, 1));
        world.reading_changes().preview(three(1)).changes_nothing();
        assert_eq!(world.provider.started(), 0);
    }
}

#[test]
fn a_provider_that_has_something_to_say_says_it_again() {
    let mut world = quiet_world();
    world.plan_cache.clear();
    world.provider.on_validate("c", |_| {
        terrane_core::Diagnostic::warning("`c` is a letter").into()
    });
    let said = world.reading_changes().preview(three(1)).diagnostics();
    assert_snapshot!(said, @"
    warning: `c` is a letter
      resource   test_thing.c
    ");
    assert_eq!(world.provider.started(), 1);
    let again = world.reading_changes().preview(three(1)).diagnostics();
    assert_eq!((again, world.provider.started()), (said, 1));
}

#[test]
fn a_data_source_is_read_again_once_anything_was_applied() {
    let program = |size: i64| {
        move |stack: &mut Stack| {
            let found = Resource::dynamic_data("test_lookup", "l").set("name", "a");
            let found = found.declare(stack);
            new_thing("a").set("size", size).declare(stack);
            stack.export("size", found.attribute::<i64>("size"));
        }
    };
    let mut world = World::new(FakeProvider::new());
    let reads: Arc<Mutex<usize>> = Arc::default();
    let counted = reads.clone();
    world.provider.on_read_data("a", move |call| {
        *counted.lock().expect("no panic") += 1;
        call.proceed()
    });
    let reads = || std::mem::take(&mut *reads.lock().expect("no panic"));
    let base = |stack: &mut Stack| drop(new_thing("a").set("size", 1).declare(stack));
    world.up(base).succeeds();
    world.reading_changes().up(program(1)).succeeds();
    assert_eq!(reads(), 1, "nobody has read it");
    world
        .reading_changes()
        .preview(program(1))
        .changes_nothing();
    reads();
    world.provider.started();
    world
        .reading_changes()
        .preview(program(1))
        .changes_nothing();
    assert_eq!((reads(), world.provider.started()), (0, 0));
    world.reading_changes().up(program(2)).succeeds();
    reads();
    // It finds the object that was changed, though the program does not say that it refers to it.
    let after = world.reading_changes().preview(program(2));
    assert_snapshot!(after.plan(), @"output size: 1 -> 2");
    assert_eq!(reads(), 1, "an object was changed since");
}

/// Things in a row: each with a size, and if said so a reference to the one before it that is there.
fn row(things: &[Option<(i64, bool)>]) -> impl Fn(&mut Stack) {
    let things = things.to_vec();
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

/// Something that happens between two plans; nothing of it changes an object behind the back of the state.
#[derive(Debug, Clone)]
enum Happens {
    Applied(Vec<Option<(i64, bool)>>),
    Previewed(Vec<Option<(i64, bool)>>, RefreshPolicy),
    Upgraded,
    Lost,
    Waited,
}

fn programs() -> impl Strategy<Value = Vec<Option<(i64, bool)>>> {
    prop::collection::vec(prop::option::of((0..2_i64, any::<bool>())), 0..5)
}

fn happenings() -> impl Strategy<Value = Happens> {
    let policies = prop_oneof![
        Just(RefreshPolicy::All),
        Just(RefreshPolicy::Changed),
        Just(RefreshPolicy::Nothing)
    ];
    prop_oneof![
        3 => programs().prop_map(Happens::Applied),
        3 => (programs(), policies).prop_map(|(program, policy)| Happens::Previewed(program, policy)),
        1 => Just(Happens::Upgraded),
        1 => Just(Happens::Lost),
        1 => Just(Happens::Waited),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn where_nothing_changed_outside_what_is_remembered_changes_no_plan(
        history in prop::collection::vec(happenings(), 0..6),
        last in programs(),
    ) {
        let mut world = World::new(FakeProvider::new());
        for happens in history {
            match happens {
                Happens::Applied(program) => drop(world.reading_changes().up(row(&program)).succeeds()),
                Happens::Previewed(program, policy) => {
                    world.options.refresh = policy;
                    world.preview(row(&program));
                }
                Happens::Upgraded => world.provider.upgrade(),
                Happens::Lost => world.plan_cache.clear(),
                Happens::Waited => world.pass(DAY),
            }
            let cache = world.plan_cache.clone();
            let part = world.reading_older_than(DAY / 2).preview(row(&last));
            let whole = world.preview(row(&last));
            prop_assert_eq!(whole.plan(), part.plan());
            prop_assert_eq!(whole.made_plan().summary(), part.made_plan().summary());
            world.plan_cache = cache;
        }
    }
}
