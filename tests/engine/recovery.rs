//! Operations whose end nobody saw: what the next run finds out by itself, and what it leaves to a person.

use std::time::Duration;

use insta::{allow_duplicates, assert_snapshot};
use terrane_core::schema::Nesting;
use terrane_core::{
    BlockArguments, Declaration, Expr, Lifecycle, Output, ProviderDeclaration, Resource, Stack,
    Value,
};
use terrane_engine::Event;
use terrane_state::{Intent, Liveness, Outcome, Record, RecordError};
use terrane_tests::{FakeProvider, Fields, Run, TEST, World, new_thing};

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

/// A stack with owner tags and a provider that bindings know, with one object of that type.
fn owned(type_name: &'static str) -> impl Fn(&mut Stack) + Copy {
    owned_with(type_name, |declaration| declaration)
}

fn owned_with(
    type_name: &'static str,
    with: impl Fn(Declaration) -> Declaration + Copy,
) -> impl Fn(&mut Stack) + Copy {
    move |stack| {
        stack.owner_tags(true);
        known(type_name, with)(stack);
    }
}

/// The same without owner tags.
fn known(
    type_name: &'static str,
    with: impl Fn(Declaration) -> Declaration + Copy,
) -> impl Fn(&mut Stack) + Copy {
    move |stack| {
        stack.provider(ProviderDeclaration::new(&TEST));
        with(Resource::dynamic(type_name, "a").set("name", "a")).declare(stack);
    }
}

/// A world in which the creation of `a` was asked for and the provider died: after it had made it, or before.
fn interrupted(made: bool, program: impl Fn(&mut Stack)) -> World {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_create("a", move |call| match made {
        true => call.crash_after(),
        false => call.crash_before(),
    });
    world.up(program).fails();
    assert_eq!(world.open_intents.len(), 1);
    world.provider.reset();
    world
}

fn intent(world: &World) -> Intent {
    world.open_intents[0].intent.clone()
}

#[test]
fn every_object_that_can_be_tagged_has_a_tag_of_its_own_and_the_second_preview_is_empty() {
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
    // The object that takes its place is another one.
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
    assert_snapshot!(run.settled(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    assert_snapshot!(run.steps(), @"");
    assert!(world.open_intents.is_empty());
    world.preview(program).changes_nothing();
}

#[test]
fn a_creation_whose_tag_nothing_has_is_made_again_once_it_can_not_come_late() {
    let program = owned("test_thing");
    let mut world = interrupted(false, program);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.settled(), @"test_thing.a: create: Absent (nothing has its owner tag)");
    assert_snapshot!(run.steps(), @"create test_thing.a: done");
    let waits = run.events.iter().filter_map(|event| match event {
        Event::SettleWaiting {
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
fn a_tag_that_several_objects_have_is_left_to_a_person() {
    let program = owned("test_thing");
    let mut world = interrupted(true, program);
    world.provider.cloud.copy("a", "a-copy");
    let run = world.up(program).succeeds();
    assert_snapshot!(run.settled(), @"test_thing.a: create in doubt: several objects have its owner tag (`a-1`, `a-copy`)");
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
    assert_snapshot!(run.settled(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    assert_snapshot!(run.steps(), @"");
}

#[test]
fn nothing_is_concluded_before_the_deadline_of_whoever_may_still_be_at_it() {
    for liveness in [Liveness::Alive, Liveness::Unknown] {
        let program = owned("test_thing");
        let mut world = interrupted(false, program);
        world.liveness = liveness;
        let run = world.up(program).succeeds();
        let settled = run.settled();
        assert!(
            settled.contains("may still come to be until 2023-11-14T22:34:20"),
            "{settled}"
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

#[test]
fn a_named_object_is_found_by_its_name_and_known_by_its_tag() {
    let program = owned("test_bucket");
    let mut world = interrupted(true, program);
    let intent = intent(&world);
    assert_eq!(intent.planned_id.as_deref(), Some("a"));
    assert!(intent.absent_proof.is_some_and(|at| at < intent.started_at));
    world.provider.cloud.ledger();
    let run = world.up(program).succeeds();
    assert_snapshot!(run.settled(), @r#"test_bucket.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    import a
    ");
    world.preview(program).changes_nothing();
}

#[test]
fn a_name_that_is_taken_is_not_taken_over() {
    let mut world = World::new(FakeProvider::new());
    world.up(known("test_bucket", |a| a)).succeeds();
    world.provider.cloud.disown("a");
    let mut other = World::new(world.provider.clone());
    let run = other.up(owned("test_bucket")).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: `a` exists already: it is not in the state, so nothing was made and nothing was changed
      resource   test_bucket.a
    hint: if it is yours, take it over with `import 'test_bucket.a' 'a'`; else choose another name
    ");
    assert!(other.open_intents.is_empty());
}

#[test]
fn an_object_of_that_name_alone_is_never_adopted() {
    // Without owner tags nothing was looked for before, so nothing shows whose it is.
    let program = known("test_bucket", |a| a);
    let mut world = interrupted(true, program);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.settled(), @"test_bucket.a: create in doubt: something of its name exists (`a`), and nothing shows that it is this one");
    assert_snapshot!(run.steps(), @"");
}

#[test]
fn a_decoy_with_another_owners_tag_is_never_adopted() {
    let program = owned("test_bucket");
    let mut world = interrupted(true, program);
    let tags = Value::map([("terrane/owner", Value::from("somebody"))]);
    world.provider.cloud.edit("a", "tags", tags);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.settled(), @"test_bucket.a: create in doubt: something of its name exists (`a`), made by somebody else");
}

#[test]
fn an_untagged_object_is_adopted_when_it_was_absent_before_and_made_since() {
    let program = owned("test_role");
    for (made, adopted) in [
        ("2023-11-14T22:13:21Z", true),
        ("2023-11-14T21:00:00Z", false),
    ] {
        let mut world = interrupted(true, program);
        world.provider.cloud.edit("a", "tags", Value::Null);
        world.provider.cloud.edit("a", "made", made);
        world.up(program).succeeds();
        assert_eq!(world.open_intents.is_empty(), adopted, "{made}");
    }
}

#[test]
fn a_part_of_another_object_is_adopted_when_it_was_absent_before() {
    let program = owned("test_part");
    let mut world = interrupted(true, program);
    world.provider.cloud.edit("a", "tags", Value::Null);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.settled(), @r#"test_part.a: create: Adopted { id: "a-1" } (it was not there before this creation)"#);
}

#[test]
fn a_part_that_is_there_is_the_providers_to_refuse() {
    let mut world = World::new(FakeProvider::new());
    world.up(known("test_part", |a| a)).succeeds();
    world.provider.cloud.disown("a");
    let mut other = World::new(world.provider.clone());
    other.up(owned("test_part")).succeeds();
}

#[test]
fn a_setting_that_every_object_has_is_set_without_a_question_and_found_again_without_proof() {
    let mut world = World::new(FakeProvider::new());
    world.up(known("test_setting", |a| a)).succeeds();
    world.provider.cloud.disown("a");
    let mut other = World::new(world.provider.clone());
    other.up(owned("test_setting")).succeeds();

    let program = known("test_setting", |a| a);
    let mut world = interrupted(true, program);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.settled(), @r#"test_setting.a: create: Adopted { id: "a-1" } (it is a setting of another object)"#);
}

#[test]
fn without_a_tag_a_program_that_changed_adopts_nothing() {
    let sized = |size: i64| owned_with("test_part", move |a| a.set("size", size));
    let mut world = interrupted(true, sized(1));
    world.provider.cloud.edit("a", "tags", Value::Null);
    let run = world.up(sized(2)).succeeds();
    assert_snapshot!(run.settled(), @"test_part.a: create in doubt: something of its name exists (`a`), and the program has changed since it was asked for");
    // As it was asked for it is the same.
    assert_snapshot!(world.up(sized(1)).succeeds().settled(), @r#"test_part.a: create: Adopted { id: "a-1" } (it was not there before this creation)"#);
}

#[test]
fn an_object_without_its_tag_that_would_have_to_be_replaced_is_not_the_one_that_was_asked_for() {
    let program = owned("test_part");
    let mut world = interrupted(true, program);
    world.provider.cloud.edit("a", "tags", Value::Null);
    world
        .provider
        .on_plan("a", |call| call.requiring(&["note"]));
    world.provider.cloud.edit("a", "note", "changed");
    let run = world.up(program);
    assert_snapshot!(run.settled(), @"test_part.a: create in doubt: it exists (`a`), and is not what the program asks for");
}

#[test]
fn an_object_with_its_tag_is_ours_however_the_program_has_changed() {
    // The name cannot change in place.
    let named = |name: &'static str| owned_with("test_thing", move |a| a.set("name", name));
    let mut world = interrupted(true, named("a"));
    let asked = intent(&world).owner_tag;
    let run = world.up(named("b")).succeeds();
    assert_snapshot!(run.settled(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    // Both were planned from one serial: nothing was written in between.
    let tags = run.change("test_thing.a").after.value.get("tags").cloned();
    let tag = tags
        .as_ref()
        .and_then(|tags| tags.get("terrane/owner")?.as_str());
    assert!(tag.is_some() && tag != asked.as_deref(), "{tag:?}");
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    create test_thing.a: done
    ");
    assert_eq!(world.provider.cloud.names(), ["b"]);
    world.preview(named("b")).changes_nothing();
}

/// `base`, and `a` on it with a secret note, which carry owner tags.
fn standing(stack: &mut Stack) {
    bare(stack);
    let base = new_thing("base").declare(stack);
    let note = Output::<String>::new(Expr::Literal("canary".into())).sensitive();
    new_thing("a")
        .set("parent", base.attribute::<String>("id"))
        .set("note", note)
        .declare(stack);
}

/// The same without `a`.
fn base_alone(stack: &mut Stack) {
    bare(stack);
    new_thing("base").declare(stack);
}

/// The same without anything.
fn bare(stack: &mut Stack) {
    stack.owner_tags(true);
    stack.provider(ProviderDeclaration::new(&TEST));
}

#[test]
fn a_creation_that_a_destroy_finds_goes_before_what_it_stands_on() {
    let mut world = interrupted(true, standing);
    let run = world.destroy(standing).succeeds();
    assert_snapshot!(run.settled(), @r#"test_thing.a: create: Adopted { id: "a-3" } (it has the owner tag of this creation)"#);
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    delete test_thing.base: done
    ");
    assert!(world.provider.cloud.names().is_empty());
    assert!(world.open_intents.is_empty() && world.state.is_empty());
}

#[test]
fn a_creation_that_is_no_longer_declared_is_taken_in_and_goes() {
    for destroy in [false, true] {
        let mut world = interrupted(true, standing);
        let run = match destroy {
            false => world.up(base_alone),
            true => world.destroy(base_alone),
        };
        let run = run.succeeds();
        assert!(run.settled().contains("Adopted"), "{}", run.settled());
        let a = run.change("test_thing.a");
        assert!(
            a.before
                .sensitive
                .contains(&"note".parse().expect("a path"))
        );
        assert_eq!(run.steps().contains("delete test_thing.base"), destroy);
        if !destroy {
            world.preview(base_alone).changes_nothing();
        }
        assert!(!world.provider.cloud.names().contains(&"a".to_owned()));
        assert!(world.open_intents.is_empty());
    }
}

#[test]
fn what_goes_with_a_creation_that_nothing_declares_goes_behind_it() {
    let mut world = interrupted(true, standing);
    let run = world.up(bare).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    delete test_thing.base: done
    ");
    assert!(world.state.is_empty() && world.open_intents.is_empty());
}

#[test]
fn what_an_intent_of_an_older_version_does_not_tell_is_all_secret() {
    let mut world = interrupted(true, standing);
    for open in &mut world.open_intents {
        open.intent.dependencies = None;
        open.intent.sensitive_paths = None;
        open.intent.provider_hmac = None;
    }
    let run = world.up(base_alone).succeeds();
    let a = run.change("test_thing.a");
    for name in ["note", "parent", "name"] {
        let path = name.parse().expect("a path");
        assert!(a.before.sensitive.contains(&path), "{name}");
    }
    assert_eq!(world.provider.cloud.names(), ["base"]);
}

#[test]
fn a_creation_under_another_address_is_taken_in_where_it_was_asked_for() {
    let renamed = |stack: &mut Stack| {
        bare(stack);
        new_thing("renamed").declare(stack);
    };
    let keyed = |stack: &mut Stack| {
        bare(stack);
        new_thing("a").instance_key("x").declare(stack);
    };
    let other_type = |stack: &mut Stack| {
        bare(stack);
        Resource::dynamic("test_bucket", "a")
            .set("name", "bucket")
            .declare(stack);
    };
    let programs: [&dyn Fn(&mut Stack); 3] = [&renamed, &keyed, &other_type];
    for program in programs {
        let mut world = interrupted(true, owned("test_thing"));
        let run = world.up(program).succeeds();
        assert!(run.settled().contains("test_thing.a: create: Adopted"));
        assert!(
            run.steps().contains("delete test_thing.a: done"),
            "{}",
            run.steps()
        );
        assert_eq!(world.provider.cloud.names().len(), 1);
        world.preview(program).changes_nothing();
    }
}

#[test]
fn a_creation_that_did_not_happen_and_is_no_longer_declared_is_nothing() {
    let mut world = interrupted(false, standing);
    let run = world.up(base_alone).succeeds();
    assert_snapshot!(run.settled(), @"test_thing.a: create: Absent (nothing has its owner tag)");
    assert_eq!(run.steps(), "");
    assert!(world.open_intents.is_empty());
}

#[test]
fn a_replacement_that_is_no_longer_declared_goes_with_what_it_replaced() {
    let sized = |stack: &mut Stack| {
        bare(stack);
        let lifecycle = Lifecycle::new().create_before_destroy();
        new_thing("a").lifecycle(lifecycle).declare(stack);
    };
    let mut world = World::new(FakeProvider::new());
    world.up(sized).succeeds();
    world.provider.on_create("a", |call| call.crash_after());
    world.replace("test_thing.a").up(sized).fails();
    world.provider.reset();
    let run = world.up(bare).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    delete test_thing.a (deposed): done
    ");
    assert!(world.provider.cloud.names().is_empty() && world.state.is_empty());
}

#[test]
fn a_creation_that_is_undone_is_replaced_by_what_the_program_says_again() {
    let named = |name: &'static str| {
        move |stack: &mut Stack| {
            bare(stack);
            new_thing("a").set("name", name).declare(stack);
        }
    };
    for made in [true, false] {
        let mut world = World::new(FakeProvider::new());
        world.up(named("one")).succeeds();
        world.provider.on_create("two", move |call| match made {
            true => call.crash_after(),
            false => call.crash_before(),
        });
        world.up(named("two")).fails();
        world.provider.reset();
        world.up(named("one")).succeeds();
        assert_eq!(world.provider.cloud.names(), ["one"]);
        world.preview(named("one")).changes_nothing();
    }
}

#[test]
fn an_update_that_is_no_longer_declared_is_read_and_goes() {
    let sized = |size: i64| owned_with("test_thing", move |a| a.set("size", size));
    let mut world = World::new(FakeProvider::new());
    world.up(sized(1)).succeeds();
    world.provider.on_update("a", |call| call.crash_after());
    world.up(sized(2)).fails();
    world.provider.reset();
    let run = world.up(bare).succeeds();
    assert_snapshot!(run.settled(), @"test_thing.a: update: Refreshed (it was read)");
    assert_snapshot!(run.steps(), @"delete test_thing.a: done");
    assert!(world.state.is_empty());
}

#[test]
fn a_part_that_is_no_longer_declared_is_ours_without_a_tag_and_nothing_else_is() {
    for (type_name, asks) in [
        ("test_part", false),
        ("test_role", true),
        ("test_setting", true),
    ] {
        let mut world = interrupted(true, owned(type_name));
        world.provider.cloud.edit("a", "tags", Value::Null);
        if type_name == "test_role" {
            world
                .provider
                .cloud
                .edit("a", "made", "2023-11-14T22:13:21Z");
        }
        let run = world.up(bare).succeeds();
        assert_eq!(!world.open_intents.is_empty(), asks, "{}", run.settled());
        assert_eq!(
            !world.provider.cloud.names().is_empty(),
            asks,
            "{type_name}"
        );
    }
}

/// `a` in a region, by a provider of that alias.
fn in_region(alias: Option<&'static str>, region: &'static str) -> impl Fn(&mut Stack) + Copy {
    move |stack| {
        stack.owner_tags(true);
        let mut provider = ProviderDeclaration::new(&TEST).set("region", region);
        if let Some(alias) = alias {
            provider = provider.alias(alias);
        }
        let provider = stack.provider(provider);
        new_thing("a").provider(&provider).declare(stack);
    }
}

fn interrupted_in_region(made: bool, program: impl Fn(&mut Stack)) -> World {
    let mut world = World::new(FakeProvider::new().regional());
    world.provider.on_create("a", move |call| match made {
        true => call.crash_after(),
        false => call.crash_before(),
    });
    world.up(program).fails();
    world.provider.reset();
    world
}

#[test]
fn a_creation_is_looked_for_by_the_provider_that_was_asked() {
    let mut world = interrupted_in_region(true, in_region(Some("west"), "west"));
    // The program has moved it to another alias, and still names the first.
    let run = world.up(|stack| {
        in_region(None, "home")(stack);
        stack.provider(
            ProviderDeclaration::new(&TEST)
                .alias("west")
                .set("region", "west"),
        );
    });
    assert_snapshot!(run.settled(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    // It is where it was made, so that it is not made a second time somewhere else.
    assert_snapshot!(run.fails().diagnostics(), @r#"
    error: it cannot be told whether the object still exists: provider["registry.terraform.io/hashicorp/test"] finds no such object, but the state names provider["registry.terraform.io/hashicorp/test"].west for it; nothing was changed
      resource   test_thing.a
    hint: declare it with that provider again; to move it, destroy it there first
    hint: if the object is gone, forget it with `state rm 'test_thing.a'`; `--exclude 'test_thing.a'` leaves it out
    "#);
    let without = |stack: &mut Stack| {
        bare(stack);
        let west = ProviderDeclaration::new(&TEST).alias("west");
        stack.provider(west.set("region", "west"));
    };
    world.up(without).succeeds();
    assert!(world.provider.cloud.names().is_empty());
}

#[test]
fn nothing_is_concluded_where_the_provider_that_was_asked_is_not_configured() {
    for made in [true, false] {
        let mut world = interrupted_in_region(made, in_region(Some("west"), "west"));
        let run = world.up(in_region(None, "home")).succeeds();
        allow_duplicates! {
            assert_snapshot!(run.settled(), @r#"test_thing.a: create in doubt: it is not there, but provider["registry.terraform.io/hashicorp/test"].west was asked, which the program no longer configures"#);
        }
        assert_eq!(run.steps(), "");
        let run = world.up(bare).succeeds();
        allow_duplicates! {
            assert_snapshot!(run.settled(), @r#"test_thing.a: create in doubt: the program no longer configures provider["registry.terraform.io/hashicorp/test"].west, which was asked"#);
        }
        // Once it is declared again, everything is found out.
        let again = |stack: &mut Stack| {
            bare(stack);
            let west = ProviderDeclaration::new(&TEST).alias("west");
            stack.provider(west.set("region", "west"));
        };
        world.up(again).succeeds();
        assert!(world.open_intents.is_empty());
        assert!(world.provider.cloud.names().is_empty() && world.state.is_empty());
    }
}

#[test]
fn nothing_is_concluded_where_the_provider_is_configured_differently_than_when_it_was_asked() {
    let west = in_region(None, "west");
    let mut world = interrupted_in_region(true, west);
    let run = world.up(in_region(None, "east")).succeeds();
    assert_snapshot!(run.settled(), @r#"test_thing.a: create in doubt: it is not there, but provider["registry.terraform.io/hashicorp/test"] is configured differently than when it was asked"#);
    assert_eq!(world.provider.cloud.names(), ["a"]);
    let run = world.up(west).succeeds();
    assert_snapshot!(run.settled(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
}

#[test]
fn recovery_asks_again_what_configures_the_provider_that_was_asked() {
    for readable in [true, false] {
        let program = |stack: &mut Stack| {
            stack.owner_tags(true);
            stack.provider(ProviderDeclaration::new(&TEST));
            new_thing("base").declare(stack);
            let lookup = Resource::dynamic_data("test_lookup", "where").set("name", "base");
            let found: Output<String> = lookup.declare(stack).attribute("found");
            let inner = ProviderDeclaration::new(&TEST).alias("inner");
            let inner = stack.provider(inner.set("region", found));
            new_thing("a").provider(&inner).declare(stack);
        };
        let mut world = World::new(FakeProvider::new().regional());
        world.up(base_alone).succeeds();
        let answer = |world: &World, region: &'static str| {
            world
                .provider
                .on_read_data("base", move |call| call.answering("found", region));
        };
        answer(&world, "old");
        world.provider.on_create("a", |call| call.crash_after());
        world.up(program).fails();
        world.provider.reset();
        world.provider.cloud.edit("a", "region", "new");
        if readable {
            answer(&world, "new");
            let run = world.up(program).succeeds();
            assert!(run.settled().contains("Adopted"), "{}", run.settled());
        } else {
            world
                .provider
                .on_read_data("base", |call| call.refuse("no route to host"));
            let run = world.destroy(program);
            assert_snapshot!(run.settled(), @r#"test_thing.a: create in doubt: it is not there, but provider["registry.terraform.io/hashicorp/test"].inner: it is configured with the stored answer of `data.test_lookup.where`"#);
        }
        assert!(world.provider.cloud.names().contains(&"a".to_owned()));
    }
}

#[test]
fn a_look_ahead_says_what_a_run_would_do_and_writes_nothing() {
    let mut world = interrupted(true, standing);
    let before = (world.state(), world.open_intents.clone());
    let run = world.preview(base_alone).succeeds();
    assert!(run.settled().contains("Adopted"), "{}", run.settled());
    assert_snapshot!(run.plan(), @"- test_thing.a [DeleteBecauseNoResourceConfig]");
    assert_eq!(before, (world.state(), world.open_intents.clone()));
    // What may still come is waited for by nobody who only looks.
    let mut world = interrupted(false, standing);
    let run = world.preview(standing).succeeds();
    assert!(
        run.settled().contains("may still come to be"),
        "{}",
        run.settled()
    );
}

#[test]
fn a_replacement_in_doubt_keeps_the_old_object_on_its_way_out() {
    let sized = |size: i64| {
        move |stack: &mut Stack| {
            stack.owner_tags(true);
            stack.provider(ProviderDeclaration::new(&TEST));
            let lifecycle = Lifecycle::new().create_before_destroy();
            new_thing("a")
                .set("size", size)
                .lifecycle(lifecycle)
                .declare(stack);
        }
    };
    let mut world = World::new(FakeProvider::new());
    world.up(sized(1)).succeeds();
    world.provider.on_create("a", |call| call.crash_after());
    world.replace("test_thing.a").up(sized(1)).fails();
    world.provider.reset();
    let run = world.up(sized(1)).succeeds();
    assert_snapshot!(run.settled(), @r#"test_thing.a: create: Adopted { id: "a-3" } (it has the owner tag of this creation)"#);
    assert_snapshot!(run.steps(), @"delete test_thing.a (deposed): done");
    assert_eq!(world.provider.cloud.names(), ["a"]);
    world.preview(sized(1)).changes_nothing();
}

#[test]
fn a_recovery_that_cannot_record_changes_nothing_and_can_be_repeated() {
    let program = owned("test_thing");
    let mut world = interrupted(true, program);
    world.recording_fails = Some(RecordError::Closed);
    let run = world.up(program);
    assert!(run.settled.record_error.is_some());
    assert_eq!((world.open_intents.len(), world.state().as_str()), (1, ""));
    world.recording_fails = None;
    world.up(program).succeeds();
    assert!(world.open_intents.is_empty());
    world.preview(program).changes_nothing();
}

#[test]
fn an_error_after_which_nothing_is_there_is_proved() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.refuse("quota exceeded"));
    let run = world.up(owned("test_bucket")).fails();
    assert_eq!(outcomes(&run), [Outcome::FailedProved]);
    let run = world.up(owned("test_thing")).fails();
    assert_eq!(outcomes(&run), [Outcome::FailedAssumed]);
}

#[test]
fn an_error_that_left_an_object_behind_leaves_it_in_the_state_tainted() {
    for type_name in ["test_bucket", "test_thing"] {
        let program = owned(type_name);
        let mut world = World::new(FakeProvider::new());
        world.provider.on_create("a", |call| {
            drop(call.proceed()?);
            call.refuse("it broke")
        });
        let run = world.up(program).fails();
        assert_eq!(outcomes(&run), [Outcome::Partial]);
        assert!(world.state().contains("tainted"), "{}", world.state());
        world.provider.reset();
        world.up(program).succeeds();
        world.preview(program).changes_nothing();
        assert_eq!(world.provider.cloud.names(), ["a"]);
    }
}

#[test]
fn an_error_of_one_who_gave_up_waiting_is_unknown() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.refuse("timeout while waiting for state"));
    let run = world.up(alone(1)).fails();
    assert_eq!(outcomes(&run), [Outcome::Unknown]);
    assert_snapshot!(run.diagnostics(), @"
    error: timeout while waiting for state
      resource   test_thing.a
    hint: the object may or may not have been created
    ");
    assert_eq!(world.open_intents.len(), 1);
}

#[test]
fn an_intent_holds_no_secret() {
    let program = owned_with("test_bucket", |a| {
        a.set("note", "plain")
            .set("secret", "canary")
            .set("token", Value::Null)
    });
    let world = interrupted(true, program);
    let text = format!("{:?}", intent(&world));
    assert!(
        !text.contains("canary") && !text.contains("plain"),
        "{text}"
    );
    let secret_name = owned_with("test_bucket", |a| {
        a.set(
            "name",
            Output::<String>::new(Expr::Literal("a".into())).sensitive(),
        )
    });
    assert_eq!(intent(&interrupted(true, secret_name)).planned_id, None);
}

/// How the operations of a run ended, by its records.
fn outcomes(run: &Run) -> Vec<Outcome> {
    let results = run.records.iter().filter_map(|record| match record {
        Record::Result(result) => Some(result.outcome),
        _ => None,
    });
    results.collect()
}
