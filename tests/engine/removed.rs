//! Objects that a program gives up, and those that it takes in.

use insta::assert_snapshot;
use terrane_core::{ImportBy, Resource, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

#[test]
fn what_is_removed_leaves_the_state_and_stays_in_the_world() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| {
            new_thing("a").declare(stack);
            new_thing("b").declare(stack);
            stack.module("m", |stack| new_thing("c").declare(stack));
        })
        .succeeds();
    world.provider.cloud.disown("a");
    world.provider.cloud.disown("c");
    let _ = world.provider.cloud.ledger();
    let without = |stack: &mut Stack| {
        new_thing("b").declare(stack);
        stack.removed("test_thing.a");
        stack.removed("module.m");
    };
    let run = world.up(without).succeeds();
    assert_snapshot!(run.plan(), @"
    . test_thing.a
    . module.m.test_thing.c
    ");
    assert_snapshot!(world.provider.cloud.ledger(), @"configure region=null");
    assert_snapshot!(world.state(), @"test_thing.b  name=b");
    assert_eq!(world.provider.cloud.names(), ["a", "b", "c"]);
    world.preview(without).changes_nothing();
}

#[test]
fn what_is_removed_and_declared_is_an_error() {
    let mut world = World::new(FakeProvider::new());
    let run = world.preview(|stack| {
        new_thing("a").declare(stack);
        stack.removed("test_thing.a");
    });
    assert_snapshot!(run.fails().diagnostics(), @"
    error: test_thing.a is removed and declared: declared at tests/engine/removed.rs:40
    hint: take one of the two away
    ");
}

fn existing() -> World {
    let mut world = World::new(FakeProvider::new().with_identity("test_thing"));
    world
        .up(|stack| drop(new_thing("a").set("size", 3).declare(stack)))
        .succeeds();
    world.provider.cloud.disown("a");
    world.state = terrane_state::State::new(world.state.lineage.clone());
    let _ = world.provider.cloud.ledger();
    world
}

#[test]
fn an_object_is_imported_by_its_id_and_the_plan_shows_what_differs() {
    let mut world = existing();
    let program = |stack: &mut Stack| {
        let a = new_thing("a").set("size", 4).declare(stack);
        stack.import(&a, "a-1");
    };
    let run = world.up(program).succeeds();
    assert_snapshot!(run.plan(), @"~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 3 -> 4");
    assert_eq!(run.made_plan().adoptions[0].1, "id `a-1`");
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    import a-1
    update a
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=4");
    // The line stays in the program, and does nothing any more.
    let run = world.preview(program).changes_nothing();
    assert!(run.made_plan().is_empty());
}

#[test]
fn an_object_is_imported_by_its_identity_and_recorded_where_nothing_differs() {
    let mut world = existing();
    let program = |stack: &mut Stack| {
        let a = new_thing("a").set("size", 3).declare(stack);
        stack.import(&a, ImportBy::identity([("id", "a-1")]));
    };
    let run = world.preview(program).succeeds();
    assert!(!run.made_plan().is_empty());
    world.up(program).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    import a-1
    configure region=null
    import a-1
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=3");
    assert!(
        world
            .instance("test_thing.a")
            .current
            .as_ref()
            .is_some_and(|it| it.identity.is_some())
    );
}

#[test]
fn imports_that_cannot_be_made_say_why() {
    let mut world = existing();
    let run = world.preview(|stack| {
        let a = new_thing("a").declare(stack);
        stack.import(&a, "b-7");
        let b = new_thing("b").declare(stack);
        stack.import(&b, ImportBy::identity([("arn", "x")]));
        let part = Resource::dynamic("test_part", "p")
            .set("name", "p")
            .declare(stack);
        stack.import(&part, ImportBy::identity([("id", "x")]));
    });
    assert_snapshot!(run.fails().diagnostics(), @r#"
    error: the identity has no attribute `arn`
      resource   test_thing.b
    hint: it has id

    error: an import needs `id` of the identity
      resource   test_thing.b

    error: `test_part` has no identity
      resource   test_part.p
    hint: import it by its id

    error: there is no test_thing with that id `b-7`: nothing was changed
      resource   test_thing.a
    hint: what an id looks like is in the provider's documentation of the type, under "Import"
    "#);
}
