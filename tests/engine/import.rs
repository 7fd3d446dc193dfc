//! Objects that exist are taken over by the word of a person.

use insta::assert_snapshot;
use terrane_core::{Resource, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn program(stack: &mut Stack) {
    new_thing("a").set("size", 1).declare(stack);
}

/// A world in which somebody else made `a`.
fn with_object() -> World {
    let mut other = World::new(FakeProvider::new());
    other.up(program).succeeds();
    other.provider.cloud.disown("a");
    World::new(other.provider.clone())
}

#[test]
fn an_object_is_recorded_at_its_declared_address_and_not_changed() {
    let mut world = with_object();
    world.provider.cloud.edit("a", "size", 7);
    world.provider.cloud.ledger();
    let id = world
        .import("test_thing.a", "a", program)
        .expect("imported");
    assert_eq!(id, "a-1");
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    import a
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=7");
    assert!(world.open_intents.is_empty());
    // A difference is an update like any other.
    assert_snapshot!(world.preview(program).succeeds().plan(), @"~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 7 -> 1");
}

#[test]
fn an_import_that_is_refused_says_why() {
    let mut world = with_object();
    let mut refused = |address: &str, id: &str| {
        let refused = world.import(address, id, program).expect_err("refused");
        assert!(world.state.is_empty());
        refused
    };
    assert_snapshot!(refused("test_thing.b", "a"), @"
    error: test_thing.b is not declared in the program
      resource   test_thing.b
    hint: declare it first, as it should be; then import it, and `preview` shows what differs
    ");
    assert_snapshot!(refused("data.test_lookup.b", "a"), @"
    error: data.test_lookup.b is a data source
      resource   data.test_lookup.b
    hint: it is read whenever the program runs; there is nothing to import
    ");
    assert_snapshot!(refused("test_thing.a", "nothing"), @r#"
    error: there is no test_thing `nothing`: nothing was changed
      resource   test_thing.a
      declared   tests/engine/import.rs:8
    hint: what an id looks like is in the provider's documentation of the type, under "Import"
    "#);
    world.provider.on_import("*", |call| {
        call.refuse("resource test_thing doesn't support import")
    });
    let refused = world
        .import("test_thing.a", "a", program)
        .expect_err("refused");
    assert_snapshot!(refused, @"
    error: resource test_thing doesn't support import
      resource   test_thing.a
      declared   tests/engine/import.rs:8
    ");
    world.provider.reset();
    world
        .import("test_thing.a", "a", program)
        .expect("imported");
    let refused = world
        .import("test_thing.a", "a", program)
        .expect_err("refused");
    assert_snapshot!(refused, @"
    error: test_thing.a is in the state already
      resource   test_thing.a
    hint: `state show 'test_thing.a'` prints it; `state rm 'test_thing.a'` forgets it
    ");
}

#[test]
fn an_import_of_several_objects_takes_the_one_of_its_type() {
    let mut world = with_object();
    let both = |stack: &mut Stack| {
        program(stack);
        Resource::dynamic("test_item", "c")
            .set("name", "c")
            .declare(stack);
    };
    world.provider.on_import("a", |call| {
        let mut response = call.proceed()?;
        let mut other = response.imported_resources[0].clone();
        other.type_name = "test_item".to_owned();
        response.imported_resources.insert(0, other);
        Ok(response)
    });
    world.import("test_thing.a", "a", both).expect("imported");
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=1");
}
