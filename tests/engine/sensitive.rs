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
fn values_that_the_program_marks_are_in_no_message() {
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
fn values_that_the_program_marks_are_in_no_message_about_results() {
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
fn values_that_the_schema_marks_are_in_no_message() {
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
    let file = terrane_state::file::write(&world.state, terrane_state::file::Layout::Compact);
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

/// Everything that a run could have kept: the state file, the records, the events, its messages.
fn kept(world: &World, run: &terrane_tests::Run) -> String {
    let file = terrane_state::file::write(&world.state, terrane_state::file::Layout::Compact);
    let file = String::from_utf8_lossy(&file);
    format!(
        "{file} {:?} {:?} {}",
        run.records,
        run.events,
        run.diagnostics()
    )
}

#[test]
fn a_write_only_value_in_an_answer_is_kept_nowhere() {
    let password =
        |stack: &mut Stack| drop(new_thing("a").set("password", "hunter2").declare(stack));
    for legacy in [false, true] {
        let provider = FakeProvider::new();
        let provider = if legacy {
            provider.legacy("test_thing")
        } else {
            provider
        };
        let mut world = World::new(provider);
        let planning = |call: terrane_tests::PlanCall<'_>| call.planning("password", "hunter3");
        world.provider.on_plan("a", planning);
        let run = world.up(password).fails();
        assert!(!kept(&world, &run).contains("hunter"), "{legacy}");
        assert!(world.state.resources.is_empty(), "{legacy}");
        world.provider.reset();

        let answering = |call: terrane_tests::ApplyCall<'_>| {
            let mut response = call.answering("password", "hunter3")?;
            response.private = "hunter3".into();
            Ok(response)
        };
        world.provider.on_create("a", answering);
        let run = world.up(password).fails();
        assert!(!kept(&world, &run).contains("hunter"), "{legacy}");
        let said = run.diagnostics();
        let whole =
            "hashicorp/test returned a value for the write-only attribute `password` from an apply";
        assert!(said.contains(whole), "{said}");
        let state = world.state().to_string();
        assert_eq!(state.trim_end(), "test_thing.a  tainted name=a", "{legacy}");
    }
}

#[test]
fn an_update_that_hands_a_write_only_value_back_keeps_the_private_bytes_of_before() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| drop(new_thing("a").declare(stack)))
        .succeeds();
    let private = |world: &World| {
        let instance = world.instance("test_thing.a");
        instance
            .current
            .as_ref()
            .expect("an object")
            .private
            .clone()
    };
    let before = private(&world);
    world.provider.on_update("a", |call| {
        let mut response = call.answering("password", "hunter3")?;
        response.private = "hunter3".into();
        Ok(response)
    });
    let program = |stack: &mut Stack| {
        let thing = new_thing("a").set("password", "hunter2");
        thing.set("note", "n").declare(stack);
    };
    let run = world.up(program).fails();
    assert!(!kept(&world, &run).contains("hunter"));
    assert_eq!(private(&world), before);
}

#[test]
fn a_stored_value_that_has_become_write_only_is_stored_no_longer() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    world.up(program).succeeds();
    // As an older version of the provider had left it, for which it was an attribute like any other.
    let file = terrane_state::file::write(&world.state, terrane_state::file::Layout::Compact);
    let file =
        String::from_utf8_lossy(&file).replace(r#""password":null"#, r#""password":"hunter2""#);
    assert!(file.contains("hunter2"));
    world.state = terrane_state::file::read(file.as_bytes()).expect("a state");
    let run = world.up(program).succeeds();
    assert!(!kept(&world, &run).contains("hunter2"));
}
