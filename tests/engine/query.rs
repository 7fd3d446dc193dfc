//! Listing what exists and is in no state.

use insta::assert_snapshot;
use terrane_core::{Stack, Value};
use terrane_engine::Inventory;
use terrane_tests::{FakeProvider, World, new_thing};

fn names(inventory: &Inventory) -> Vec<&str> {
    inventory.found.iter().map(|found| &*found.name).collect()
}

fn three(stack: &mut Stack) {
    for name in ["a", "b-1", "b-2"] {
        new_thing(name).declare(stack);
    }
}

fn prefix(prefix: &str) -> Value {
    Value::map([("prefix", prefix)].map(|(name, text)| (name, Value::from(text))))
}

/// A world with two objects that its state has forgotten.
fn world(provider: FakeProvider) -> World {
    let mut world = World::new(provider);
    world.up(three).succeeds();
    world.provider.cloud.disown("b-1");
    world.provider.cloud.disown("b-2");
    let forget = |stack: &mut Stack| {
        new_thing("a").declare(stack);
        stack.removed("test_thing.b-1");
        stack.removed("test_thing.b-2");
    };
    world.up(forget).succeeds();
    world
}

#[test]
fn what_exists_and_is_in_no_state_is_named_by_its_identity() {
    let world = world(FakeProvider::new().with_identity("test_thing"));
    let declared = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    let nothing = Value::map::<&str>([]);
    let all = world
        .query("test_thing", &nothing, 10, declared)
        .expect("a list");
    assert_eq!(
        (names(&all), all.known, all.is_cut),
        (vec!["b-1", "b-2"], 1, false)
    );
    let identity = &all.found[0].identity;
    assert_eq!(identity.len(), 1);
    assert_eq!(identity[0].0, "id");
    let few = world
        .query("test_thing", &prefix("b-"), 1, declared)
        .expect("a list");
    assert_eq!((names(&few), few.known, few.is_cut), (vec!["b-1"], 0, true));
}

#[test]
fn a_state_without_identities_is_compared_by_ids() {
    let world = world(FakeProvider::new());
    let declared = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    let nothing = Value::map::<&str>([]);
    let all = world
        .query("test_thing", &nothing, 10, declared)
        .expect("a list");
    assert_eq!((names(&all), all.known), (vec!["b-1", "b-2"], 1));
}

#[test]
fn a_type_that_nobody_lists_and_an_argument_that_does_not_exist_are_errors() {
    let world = World::new(FakeProvider::new());
    let declared = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    let nothing = Value::map::<&str>([]);
    let error = world
        .query("test_thnig", &nothing, 10, declared)
        .expect_err("refused");
    assert_snapshot!(error, @"
    error: no provider of the program lists `test_thnig`: they list one type
    hint: did you mean `test_thing`?
    ");
    let wrong = Value::map([("suffix", Value::from("x"))]);
    let error = world
        .query("test_thing", &wrong, 10, declared)
        .expect_err("refused");
    assert_snapshot!(error, @"
    error: there is no argument `suffix`
      resource   test_thing
      attribute  suffix
    ");
}
