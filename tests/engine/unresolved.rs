//! What unresolved operations block, and which of them a read resolves.

use insta::assert_snapshot;
use terrane_core::{Expr, Lifecycle, Output, ProviderDeclaration, Stack, Value};
use terrane_state::RecordError;
use terrane_tests::{FakeProvider, TEST, World, new_thing};

use crate::interrupted::{
    alone, base_alone, intent, interrupted, owned, owned_with, standing, three,
};

#[test]
fn an_unresolved_creation_blocks_its_address_and_its_dependents() {
    let mut world = World::new(FakeProvider::new());
    world.parallelism = 1;
    world.provider.on_create("a", |call| call.crash_after());
    world.up(three).fails();
    world.provider.reset();
    let run = world.up(three).succeeds();
    assert_snapshot!(run.recovery(), @"test_thing.a: create unresolved: no attribute is known by which the object could be found");
    assert_snapshot!(run.steps(), @"create test_thing.c: done");
    assert_eq!(world.open_intents.len(), 1);
    assert_eq!(world.provider.cloud.names(), ["a", "c"]);
}

#[test]
fn a_destroy_keeps_the_dependencies_of_an_unresolved_creation() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_create("b", |call| call.crash_after());
    world.up(three).fails();
    world.provider.reset();
    let run = world.destroy(three).succeeds();
    assert_snapshot!(run.steps(), @"delete test_thing.c: done");
    assert_snapshot!(world.state(), @"test_thing.a  name=a");
}

#[test]
fn an_unresolved_update_is_recovered_by_a_read() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone(1)).succeeds();
    world.provider.on_update("a", |call| call.crash_after());
    world.up(alone(2)).fails();
    world.provider.reset();
    let run = world.up(alone(2)).succeeds();
    assert_snapshot!(run.recovery(), @"test_thing.a: update: Refreshed (it was read)");
    assert_snapshot!(run.steps(), @"");
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=2");
    assert!(world.open_intents.is_empty());
}

#[test]
fn the_state_has_the_dependencies_that_an_unresolved_update_may_have_added() {
    let program = |refers: bool| {
        move |stack: &mut Stack| {
            let b = new_thing("b").declare(stack);
            let id: Output<String> = b.attribute("id");
            let a = new_thing("a");
            let a = if refers { a.set("parent", id) } else { a };
            a.declare(stack);
        }
    };
    let mut world = World::new(FakeProvider::new());
    world.up(program(false)).succeeds();
    world.provider.on_update("a", |call| call.crash_after());
    world.up(program(true)).fails();
    world.provider.reset();
    // The program declares neither any more: only the state tells which goes first.
    let run = world
        .up(|stack| drop(new_thing("c").declare(stack)))
        .succeeds();
    run.ordered(&["delete test_thing.a", "delete test_thing.b"]);
}

#[test]
fn an_unresolved_delete_is_recovered_by_a_read() {
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
            run.recovery(),
            format!("test_thing.a: delete: {how} (it was read)")
        );
        assert!(world.state.is_empty() && world.provider.cloud.names().is_empty());
        assert!(world.open_intents.is_empty());
    }
}

#[test]
fn an_object_that_cannot_be_read_blocks_its_address_only() {
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
    assert_snapshot!(run.recovery(), @"test_thing.a: update unresolved: it could not be looked up: no network");
    assert_snapshot!(run.steps(), @"create test_thing.c: done");
    assert_eq!(world.open_intents.len(), 1);
}

#[test]
fn a_preview_looks_up_unresolved_operations_and_records_nothing() {
    let mut world = interrupted(true, standing);
    let before = (world.state(), world.open_intents.clone());
    let run = world.preview(base_alone).succeeds();
    assert!(run.recovery().contains("Adopted"), "{}", run.recovery());
    assert_snapshot!(run.plan(), @"- test_thing.a [DeleteBecauseNoResourceConfig]");
    assert_eq!(before, (world.state(), world.open_intents.clone()));
    // A preview does not wait for late operations.
    let mut world = interrupted(false, standing);
    let run = world.preview(standing).succeeds();
    assert!(
        run.recovery().contains("one may still appear"),
        "{}",
        run.recovery()
    );
}

#[test]
fn an_unresolved_replacement_still_deletes_the_old_object() {
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
    assert_snapshot!(run.recovery(), @r#"test_thing.a: create: Adopted { id: "a-3" } (it has the owner tag of this creation)"#);
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
    assert!(run.recovered.record_error.is_some());
    assert_eq!((world.open_intents.len(), world.state().as_str()), (1, ""));
    world.recording_fails = None;
    world.up(program).succeeds();
    assert!(world.open_intents.is_empty());
    world.preview(program).changes_nothing();
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
