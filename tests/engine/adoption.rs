//! Objects under the name of an unresolved creation: which are adopted, and which are somebody else's.

use insta::assert_snapshot;
use terrane_core::Value;
use terrane_tests::{FakeProvider, World};

use crate::interrupted::{intent, interrupted, known, owned};

#[test]
fn a_named_object_is_found_by_its_name_and_known_by_its_tag() {
    let program = owned("test_bucket");
    let mut world = interrupted(true, program);
    let intent = intent(&world);
    assert_eq!(intent.planned_id.as_deref(), Some("a"));
    assert!(intent.absent_proof.is_some_and(|at| at < intent.started_at));
    world.provider.cloud.ledger();
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_bucket.a: create: Adopted { id: "a-1" } (it has the owner tag of this creation)"#);
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    import a
    ");
    world.preview(program).changes_nothing();
}

#[test]
fn an_existing_object_of_the_name_is_an_error_and_not_adopted() {
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
fn a_matching_name_alone_never_adopts_an_object() {
    // Without owner tags the name was not looked up before, so there is no proof.
    let program = known("test_bucket", |a| a);
    let mut world = interrupted(true, program);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @"test_bucket.a: create unresolved: an object of its name exists (`a`), and nothing proves that this operation created it");
    assert_snapshot!(run.steps(), @"");
}

#[test]
fn an_object_with_the_owner_tag_of_another_stack_is_never_adopted() {
    let program = owned("test_bucket");
    let mut world = interrupted(true, program);
    let tags = Value::map([("terrane/owner", Value::from("somebody"))]);
    world.provider.cloud.edit("a", "tags", tags);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @"test_bucket.a: create unresolved: an object of its name exists (`a`), created by another owner");
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
    assert_snapshot!(run.recovery(), @r#"test_part.a: create: Adopted { id: "a-1" } (it was not there before this creation)"#);
}

#[test]
fn an_existing_part_is_left_to_the_provider_to_refuse() {
    let mut world = World::new(FakeProvider::new());
    world.up(known("test_part", |a| a)).succeeds();
    world.provider.cloud.disown("a");
    let mut other = World::new(world.provider.clone());
    other.up(owned("test_part")).succeeds();
}

#[test]
fn a_setting_of_another_object_needs_no_look_up_and_no_proof() {
    let mut world = World::new(FakeProvider::new());
    world.up(known("test_setting", |a| a)).succeeds();
    world.provider.cloud.disown("a");
    let mut other = World::new(world.provider.clone());
    other.up(owned("test_setting")).succeeds();

    let program = known("test_setting", |a| a);
    let mut world = interrupted(true, program);
    let run = world.up(program).succeeds();
    assert_snapshot!(run.recovery(), @r#"test_setting.a: create: Adopted { id: "a-1" } (it is a setting of another object)"#);
}
