//! Failures: independent work goes on, no object is lost, and an operation that may have happened is not called failed.

use insta::assert_snapshot;
use terrane_core::{
    LookupRules, Output, ProviderBinding, ProviderDeclaration, Resource, Stack, Value,
};
use terrane_state::{Record, RecordError};
use terrane_tests::{FakeProvider, World, new_thing};

fn two_chains(stack: &mut Stack) {
    for (first, second) in [("a", "b"), ("c", "d")] {
        let first = new_thing(first).declare(stack);
        let id: Output<String> = first.attribute("id");
        new_thing(second).set("parent", id).declare(stack);
    }
}

fn alone(size: i64) -> impl FnOnce(&mut Stack) {
    move |stack| drop(new_thing("a").set("size", size).declare(stack))
}

#[test]
fn independent_work_goes_on() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.refuse("quota exceeded"));
    let run = world.up(two_chains).fails();
    assert_snapshot!(run.steps(), @"
    create test_thing.c: done
    create test_thing.a: failed: quota exceeded
    create test_thing.b: skipped
    create test_thing.d: done
    ");
    let applied = run.applied.expect("it was applied");
    assert_eq!(
        (applied.succeeded, applied.failed, applied.skipped),
        (2, 1, 1)
    );
}

#[test]
fn a_crash_during_a_creation_is_unknown_and_its_intent_stays_open() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_create("a", |call| call.crash_after());
    let run = world.up(alone(1)).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: the provider process ended during ApplyResourceChange: panic: something went wrong
      resource   test_thing.a
    hint: this is a bug in the provider or a kill from outside; its last words are above
    hint: the object may or may not have been created
    ");
    assert_eq!(run.applied.expect("applied").unknown.len(), 1);
    assert_eq!(world.open_intents.len(), 1);
    assert_eq!(world.state(), "");
}

#[test]
fn a_crash_during_an_update_keeps_the_known_values() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone(1)).succeeds();
    world.provider.on_update("a", |call| call.crash_after());
    let before = world.state.clone();
    world.up(alone(2)).fails();
    assert_eq!(world.state, before);
    assert_eq!(world.open_intents.len(), 1);
}

#[test]
fn a_crash_during_a_destroy_keeps_the_object() {
    let mut world = World::new(FakeProvider::new());
    world.up(alone(1)).succeeds();
    world.provider.on_delete("a", |call| call.crash_after());
    world.destroy(alone(1)).fails();
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=1");
    world.provider.reset();
    world.destroy(alone(1)).succeeds();
    assert!(world.state.is_empty());
}

#[test]
fn an_answer_that_cannot_be_read_is_kept_with_its_bytes() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_create("a", |call| call.garble());
    let run = world.up(alone(1)).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: the provider returned an object that cannot be read: not MessagePack
      resource   test_thing.a
    hint: this is a bug in the provider; its answer is kept in the journal
    hint: the object may or may not have been created
    ");
    let undecoded = run.records.iter().find_map(|record| match record {
        Record::Result(result) => result.undecoded.clone(),
        _ => None,
    });
    assert_eq!(undecoded.as_deref(), Some(&b"\xc1garbage"[..]));
}

#[test]
fn every_operation_has_its_intent_on_record_before_and_its_result_after() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(two_chains).succeeds();
    let mut open = std::collections::BTreeSet::new();
    let mut operations = 0;
    for record in &run.records {
        match record {
            Record::Intent(intent) => assert!(open.insert(intent.op), "an intent twice"),
            Record::Result(result) => {
                operations += 1;
                assert!(open.remove(&result.op), "a result without its intent");
            }
            _ => {}
        }
    }
    assert_eq!((operations, open.len()), (4, 0));
}

#[test]
fn an_operation_that_cannot_be_recorded_does_not_begin() {
    let mut world = World::new(FakeProvider::new());
    world.recording_fails = Some(RecordError::Closed);
    let run = world.up(two_chains).fails();
    assert!(run.applied.expect("applied").record_error.is_some());
    assert_snapshot!(world.provider.cloud.ledger(), @"configure region=null");
}

#[test]
fn an_interrupt_finishes_running_operations_and_starts_no_others() {
    let mut world = World::new(FakeProvider::new());
    world.parallelism = 1;
    world.stop_at(|event| matches!(event, terrane_engine::Event::StepStarted(_)));
    let run = world.up(two_chains);
    assert_snapshot!(run.steps(), @"
    create test_thing.a: done
    create test_thing.c: skipped
    create test_thing.d: skipped
    create test_thing.b: skipped
    ");
    assert!(run.applied.expect("applied").interrupted);
    assert_snapshot!(world.state(), @"test_thing.a  name=a");
    world.up(two_chains).succeeds();
    world.preview(two_chains).changes_nothing();
}

#[test]
fn an_interrupted_plan_changes_nothing() {
    let mut world = World::new(FakeProvider::new());
    world.stop_at(|event| matches!(event, terrane_engine::Event::InstancePlanned { .. }));
    let run = world.up(two_chains).fails();
    assert_snapshot!(run.diagnostics(), @"error: interrupted while planning; nothing was changed");
    assert!(world.provider.cloud.objects().is_empty());
}

#[test]
fn a_plan_that_breaks_the_rules_is_refused() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_plan("a", |call| call.planning("size", 99));
    assert_snapshot!(world.up(alone(1)).fails().diagnostics(), @"
    error: the provider produced an invalid plan: planned value 99 does not match configured value 1
      resource   test_thing.a
      attribute  size
    hint: this is a bug in the provider; report it to its developers
    ");
    // SDK v2 may.
    let mut world = World::new(FakeProvider::new().legacy("test_thing"));
    world
        .provider
        .on_plan("a", |call| call.planning("size", 99));
    world.up(alone(1)).succeeds();
}

#[test]
fn a_result_that_breaks_its_promise_is_kept_and_tainted() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.answering("size", 99));
    assert_snapshot!(world.up(alone(1)).fails().diagnostics(), @"
    error: the provider produced an inconsistent result after apply: was 1, but now 99
      resource   test_thing.a
      attribute  size
    hint: this is a bug in the provider; report it to its developers
    ");
    assert_snapshot!(world.state(), @"test_thing.a  tainted name=a size=99");
    let mut world = World::new(FakeProvider::new().legacy("test_thing"));
    world
        .provider
        .on_create("a", |call| call.answering("size", 99));
    world.up(alone(1)).succeeds();
}

#[test]
fn an_unknown_in_a_result_is_an_error_and_the_rest_is_kept() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.answering("zone", Value::UNKNOWN));
    assert_snapshot!(world.up(alone(1)).fails().diagnostics(), @"
    error: the provider returned an unknown value after apply
      resource   test_thing.a
      attribute  zone
    hint: this is a bug in the provider; everything else of the object is in the state
    ");
    assert_snapshot!(world.state(), @"test_thing.a  tainted name=a size=1");
}

#[test]
fn a_final_plan_that_differs_from_the_shown_one_is_refused_even_of_legacy_providers() {
    for provider in [
        FakeProvider::new(),
        FakeProvider::new().legacy("test_thing"),
    ] {
        let mut world = World::new(provider);
        // Its plan for b's zone depends on a value that is known only at apply.
        world.provider.on_plan("b", |call| {
            let known = call
                .request
                .config
                .get("note")
                .is_some_and(Value::is_wholly_known);
            call.planning("zone", if known { "north" } else { "south" })
        });
        let run = world.up(|stack| {
            let a: Output<String> = new_thing("a").declare(stack).attribute("id");
            new_thing("b").set("note", a).declare(stack);
        });
        insta::allow_duplicates! {
            assert_snapshot!(run.fails().diagnostics(), @r#"
        error: the provider produced an inconsistent final plan: was "south", but now "north"
          resource   test_thing.b
          attribute  zone
        hint: this is a bug in the provider; report it to its developers
        "#);
        }
        assert_eq!(world.provider.cloud.names(), ["a"]);
    }
}

#[test]
fn an_update_that_turns_into_a_replacement_at_apply_is_refused() {
    let mut world = World::new(FakeProvider::new());
    let program = |size: i64| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("size", size).declare(stack);
            let endpoint: Output<String> = a.attribute("endpoint");
            new_thing("b").set("note", endpoint).declare(stack);
        }
    };
    world.up(program(1)).succeeds();
    world.provider.on_plan("b", |call| {
        let known = call
            .request
            .config
            .get("note")
            .is_some_and(Value::is_wholly_known);
        if known && !call.request.prior_state.is_null() {
            call.requiring(&["note"])
        } else {
            call.proceed()
        }
    });
    world.preview(program(1)).changes_nothing();
    let run = world.up(program(2)).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: the provider planned an update and now plans a replacement: nothing was changed
      resource   test_thing.b
    hint: a value known only at apply led the provider to another plan; run again to review it
    ");
}

#[test]
fn validation_comes_before_anything_else() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_validate("a", |_| {
        terrane_core::Diagnostic::error("size must be even")
            .attribute("size".parse().expect("a path"))
            .into()
    });
    let run = world.up(two_chains).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: size must be even
      resource   test_thing.a
      attribute  size
    ");
    assert!(world.provider.cloud.objects().is_empty());
}

#[test]
fn warnings_are_printed_once() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_validate("a", |_| {
        terrane_core::Diagnostic::warning("size is deprecated").into()
    });
    let run = world.up(alone(1)).succeeds();
    assert_snapshot!(run.diagnostics(), @"
    warning: size is deprecated
      resource   test_thing.a
    ");
}

#[test]
fn cycles_and_strangers_are_refused_before_any_call() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(|stack| {
        let b: Output<String> = stack
            .resource("test_thing.b")
            .expect("an address")
            .attribute("id");
        let a = new_thing("a").set("parent", b).declare(stack);
        new_thing("b")
            .set("parent", a.attribute::<String>("id"))
            .declare(stack);
    });
    let text = run.fails().diagnostics();
    assert!(text.contains("depend on each other in a cycle"), "{text}");
    let run = world.up(|stack| drop(new_thing("a").set("colour", "red").declare(stack)));
    assert_snapshot!(run.fails().diagnostics(), @"
    error: there is no argument `colour`
      resource   test_thing.a
      attribute  colour
    ");
    assert!(world.provider.cloud.objects().is_empty());
}

/// Bindings that were made from a later version of the fake provider than the one that runs.
static NEWER: ProviderBinding = ProviderBinding {
    source: "hashicorp/test",
    version: "2.1.0",
    versions: ">= 1.0, < 3.0",
    facts: &[
        "provider test 0 {region:o string,speed:o string}",
        "resource test_thing 0 {id:c string,name:o string,shade:o string,size:o number}",
        "resource test_next 0 {}",
    ],
    redirect: None,
    lookup: LookupRules::NONE,
    stateful: &[],
};

#[test]
fn what_the_running_provider_lacks_names_the_version_that_has_it() {
    let mut world = World::new(FakeProvider::new());
    let mut refused = |declare: fn(&mut Stack)| {
        let run = world.up(|stack| {
            stack.provider(ProviderDeclaration::new(&NEWER));
            declare(stack);
        });
        run.fails().diagnostics()
    };
    let newer = "2.1.0 of hashicorp/test has it";
    let argument = refused(|stack| drop(new_thing("a").set("shade", "red").declare(stack)));
    assert!(
        argument.contains("there is no argument `shade`"),
        "{argument}"
    );
    assert!(argument.contains(newer), "{argument}");
    let kind = refused(|stack| drop(Resource::dynamic("test_next", "a").declare(stack)));
    assert!(kind.contains("no resource type `test_next`"), "{kind}");
    assert!(kind.contains(newer), "{kind}");
    let typo = refused(|stack| drop(new_thing("a").set("colour", "red").declare(stack)));
    assert!(!typo.contains(newer), "{typo}");
    let configured = world.up(|stack| {
        stack.provider(ProviderDeclaration::new(&NEWER).set("speed", "high"));
        new_thing("a").declare(stack);
    });
    let configured = configured.fails().diagnostics();
    assert!(configured.contains(newer), "{configured}");
    assert!(world.provider.cloud.objects().is_empty());
}
