//! Recovery under a program that has changed since: other arguments, another address, or no declaration any more.

use insta::assert_snapshot;
use terrane_core::{Lifecycle, Resource, Stack, Value};
use terrane_tests::{FakeProvider, World, new_thing};

use crate::interrupted::{bare, base_alone, intent, interrupted, owned, owned_with, standing};

#[test]
fn a_changed_program_adopts_nothing_without_a_tag() {
    let sized = |size: i64| owned_with("test_part", move |a| a.set("size", size));
    let mut world = interrupted(true, sized(1));
    world.provider.cloud.edit("a", "tags", Value::Null);
    let run = world.up(sized(2)).succeeds();
    assert_snapshot!(run.recovery(), @"test_part.a: create unresolved: an object of its name exists (`a`), and its declaration has changed since the request");
    // The program of the creation adopts it.
    assert_snapshot!(world.up(sized(1)).succeeds().recovery(), @r#"test_part.a: create: Adopted { id: "a-1" } (it was not there before this creation)"#);
}

#[test]
fn an_untagged_object_that_would_need_a_replacement_is_not_adopted() {
    let program = owned("test_part");
    let mut world = interrupted(true, program);
    world.provider.cloud.edit("a", "tags", Value::Null);
    world
        .provider
        .on_plan("a", |call| call.requiring(&["note"]));
    world.provider.cloud.edit("a", "note", "changed");
    let run = world.up(program);
    assert_snapshot!(run.recovery(), @"test_part.a: create unresolved: it exists (`a`), and differs from its declaration");
}

#[test]
fn an_object_with_its_tag_is_adopted_however_the_program_has_changed() {
    // The name cannot change in place.
    let named = |name: &'static str| owned_with("test_thing", move |a| a.set("name", name));
    let mut world = interrupted(true, named("a"));
    let asked = intent(&world).owner_tag;
    let run = world.up(named("b")).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_thing.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
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

#[test]
fn a_destroy_deletes_an_adopted_object_before_its_dependencies() {
    let mut world = interrupted(true, standing);
    let run = world.destroy(standing).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_thing.a: create: Adopted { id: "a-3" } (it has the owner tag of this creation)"#);
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    delete test_thing.base: done
    ");
    assert!(world.provider.cloud.names().is_empty());
    assert!(world.open_intents.is_empty() && world.state.is_empty());
}

#[test]
fn an_object_that_is_no_longer_declared_is_adopted_and_deleted() {
    for destroy in [false, true] {
        let mut world = interrupted(true, standing);
        let run = match destroy {
            false => world.up(base_alone),
            true => world.destroy(base_alone),
        };
        let run = run.succeeds();
        assert!(run.recovery().contains("Adopted"), "{}", run.recovery());
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
fn dependencies_of_an_undeclared_object_are_deleted_after_it() {
    let mut world = interrupted(true, standing);
    let run = world.up(bare).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.a: done
    delete test_thing.base: done
    ");
    assert!(world.state.is_empty() && world.open_intents.is_empty());
}

#[test]
fn without_recorded_sensitive_paths_every_attribute_is_sensitive() {
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
fn an_object_is_adopted_at_the_address_that_it_was_created_for() {
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
        assert!(run.recovery().contains("test_thing.a: create: Adopted"));
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
fn a_creation_that_did_not_happen_and_is_no_longer_declared_is_dropped() {
    let mut world = interrupted(false, standing);
    let run = world.up(base_alone).succeeds();
    assert_snapshot!(run.recovery(), @"test_thing.a: create: Absent (nothing has its owner tag)");
    assert_eq!(run.steps(), "");
    assert!(world.open_intents.is_empty());
}

#[test]
fn a_replacement_that_is_no_longer_declared_is_deleted_with_the_old_object() {
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
fn a_creation_that_the_program_takes_back_is_replaced_again() {
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
fn an_updated_object_that_is_no_longer_declared_is_read_and_deleted() {
    let sized = |size: i64| owned_with("test_thing", move |a| a.set("size", size));
    let mut world = World::new(FakeProvider::new());
    world.up(sized(1)).succeeds();
    world.provider.on_update("a", |call| call.crash_after());
    world.up(sized(2)).fails();
    world.provider.reset();
    let run = world.up(bare).succeeds();
    assert_snapshot!(run.recovery(), @"test_thing.a: update: Refreshed (it was read)");
    assert_snapshot!(run.steps(), @"delete test_thing.a: done");
    assert!(world.state.is_empty());
}

#[test]
fn only_a_part_is_adopted_without_a_tag_and_a_declaration() {
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
        assert_eq!(!world.open_intents.is_empty(), asks, "{}", run.recovery());
        assert_eq!(
            !world.provider.cloud.names().is_empty(),
            asks,
            "{type_name}"
        );
    }
}
