//! Secrets: their marks go along with the values and stay in the state; no message holds them.

use insta::assert_snapshot;
use terrane_core::{Expr, Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn secret(text: &str) -> Output<String> {
    Output::<String>::new(Expr::Literal(text.into())).sensitive()
}

fn marked(world: &World, address: &str) -> Vec<String> {
    let instance = world.instance(address);
    let object = instance.current.as_ref().expect("an object");
    let paths = object.sensitive_attributes.paths.iter();
    paths.map(ToString::to_string).collect()
}

#[test]
fn marks_of_schema_and_program_are_stored() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let a = new_thing("a").set("secret", "hunter2").declare(stack);
        let token: Output<String> = a.attribute("token");
        new_thing("b").set("note", token).declare(stack);
    };
    world.up(program).succeeds();
    assert_eq!(marked(&world, "test_thing.a"), ["secret", "token"]);
    // A secret attribute without a value is flagged, too, as Terraform flags it.
    assert_eq!(marked(&world, "test_thing.b"), ["note", "secret", "token"]);
    world.preview(program).changes_nothing();
}

#[test]
fn a_mark_alone_is_recorded_without_asking_the_provider() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| drop(new_thing("a").set("note", "n").declare(stack)))
        .succeeds();
    world.provider.cloud.ledger();
    let program = |stack: &mut Stack| drop(new_thing("a").set("note", secret("n")).declare(stack));
    let run = world.up(program).succeeds();
    assert_snapshot!(run.plan(), @"~ test_thing.a (sensitivity)");
    assert_snapshot!(run.steps(), @"update test_thing.a: done");
    assert_snapshot!(world.provider.cloud.ledger(), @"configure region=null");
    assert_eq!(marked(&world, "test_thing.a"), ["note", "secret", "token"]);
    world.preview(program).changes_nothing();
}

#[test]
fn a_failed_update_does_not_unmark_the_secret_that_is_still_there() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| drop(new_thing("a").set("note", secret("n")).declare(stack)))
        .succeeds();
    world.provider.on_update("a", |call| call.refuse("not now"));
    world
        .up(|stack| drop(new_thing("a").set("note", "public").declare(stack)))
        .fails();
    assert_eq!(marked(&world, "test_thing.a"), ["note", "secret", "token"]);
}

#[test]
fn what_the_program_marks_is_in_no_message() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_plan("a", |call| call.planning("note", "hunter3"));
    let run = world.up(|stack| drop(new_thing("a").set("note", secret("hunter2")).declare(stack)));
    let text = run.fails().diagnostics();
    assert!(!text.contains("hunter"), "{text}");
    assert_snapshot!(text, @"
    error: the provider produced an invalid plan: inconsistent values for something sensitive
      resource   test_thing.a
      attribute  note
    hint: this is a bug in the provider; report it to its developers
    ");
}

#[test]
fn what_the_program_marks_is_in_no_message_about_results() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.answering("note", "hunter3"));
    let run = world.up(|stack| drop(new_thing("a").set("note", secret("hunter2")).declare(stack)));
    let text = run.fails().diagnostics();
    assert!(!text.contains("hunter"), "{text}");
    assert_snapshot!(text, @"
    error: the provider produced an inconsistent result after apply: inconsistent values for something sensitive
      resource   test_thing.a
      attribute  note
    hint: this is a bug in the provider; report it to its developers
    ");
}

#[test]
fn what_the_schema_marks_is_in_no_message() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.answering("secret", "hunter3"));
    let run = world.up(|stack| drop(new_thing("a").set("secret", "hunter2").declare(stack)));
    assert_snapshot!(run.fails().diagnostics(), @"
    error: the provider produced an inconsistent result after apply: was (sensitive), but now (sensitive)
      resource   test_thing.a
      attribute  secret
    hint: this is a bug in the provider; report it to its developers
    ");
}

#[test]
fn write_only_values_reach_the_provider_and_are_stored_nowhere() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_create("a", |call| {
        let password = call.request.config.get("password").and_then(|p| p.as_str());
        assert_eq!(password, Some("hunter2"));
        call.proceed()
    });
    let program =
        |stack: &mut Stack| drop(new_thing("a").set("password", "hunter2").declare(stack));
    world.up(program).succeeds();
    let file = terrane_state::file::write(&world.state, terrane_state::file::Style::Compact);
    assert!(!String::from_utf8_lossy(&file).contains("hunter2"));
    world.preview(program).changes_nothing();
}

#[test]
fn nothing_that_is_recorded_as_an_intent_holds_a_secret() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| drop(new_thing("a").set("secret", "hunter2").declare(stack));
    let run = world.up(program).succeeds();
    for record in &run.records {
        if let terrane_state::Record::Intent(intent) = record {
            assert!(!format!("{intent:?}").contains("hunter2"));
        }
    }
}
