//! What an error of a provider means for the object: not there, there in part, or unknown.

use insta::assert_snapshot;
use terrane_state::{OperationOutcome, Record};
use terrane_tests::{FakeProvider, Run, World};

use crate::interrupted::{alone, owned};

#[test]
fn an_error_with_a_look_up_that_finds_nothing_is_proved() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.refuse("quota exceeded"));
    let run = world.up(owned("test_bucket")).fails();
    assert_eq!(outcomes(&run), [OperationOutcome::FailedProved]);
    let run = world.up(owned("test_thing")).fails();
    assert_eq!(outcomes(&run), [OperationOutcome::FailedAssumed]);
}

#[test]
fn an_error_that_left_an_object_behind_taints_it_in_the_state() {
    for type_name in ["test_bucket", "test_thing"] {
        let program = owned(type_name);
        let mut world = World::new(FakeProvider::new());
        world.provider.on_create("a", |call| {
            drop(call.proceed()?);
            call.refuse("it broke")
        });
        let run = world.up(program).fails();
        assert_eq!(outcomes(&run), [OperationOutcome::Partial]);
        assert!(world.state().contains("tainted"), "{}", world.state());
        world.provider.reset();
        world.up(program).succeeds();
        world.preview(program).changes_nothing();
        assert_eq!(world.provider.cloud.names(), ["a"]);
    }
}

#[test]
fn an_error_of_a_provider_that_gave_up_waiting_is_an_unknown_outcome() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.refuse("timeout while waiting for state"));
    let run = world.up(alone(1)).fails();
    assert_eq!(outcomes(&run), [OperationOutcome::Unknown]);
    assert_snapshot!(run.diagnostics(), @"
    error: timeout while waiting for state
      resource   test_thing.a
    hint: the object may or may not have been created
    ");
    assert_eq!(world.open_intents.len(), 1);
}

/// How the operations of a run ended, by its records.
fn outcomes(run: &Run) -> Vec<OperationOutcome> {
    let results = run.records.iter().filter_map(|record| match record {
        Record::Result(result) => Some(result.outcome),
        _ => None,
    });
    results.collect()
}
