//! Ephemeral resources: opened for a run, renewed while it lasts, closed however it ends, and stored nowhere.

use insta::assert_snapshot;
use terrane_core::addr::ProviderSource;
use terrane_core::{Ephemeral, EphemeralResource, IntoEphemeralExpr, ProviderDeclaration, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn secret(stack: &mut Stack, name: &str) -> Ephemeral<String> {
    let secret = EphemeralResource::dynamic("test_secret", name).set("name", name);
    secret.declare(stack).attribute("value")
}

fn with_password(stack: &mut Stack) {
    let password = secret(stack, "s").map(|secret| format!("<{secret}>"));
    new_thing("a")
        .set_write_only("password", password)
        .declare(stack);
}

#[test]
fn it_is_opened_for_planning_and_again_for_applying_and_closed_each_time() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(with_password).succeeds();
    assert_snapshot!(run.plan(), @"+ test_thing.a");
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    open s
    close s
    open s
    create a
    close s
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=a");
    world.preview(with_password).changes_nothing();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    open s
    close s
    ");
}

#[test]
fn nothing_of_it_is_in_state_plan_journal_or_events() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(with_password).succeeds();
    let plan = format!("{:?}", run.made_plan());
    let journal = format!("{:?}", run.records);
    let events = format!("{:?}", run.events);
    let state = terrane_state::file::write(&world.state, terrane_state::file::Layout::Compact);
    let state = String::from_utf8_lossy(&state);
    for (what, text) in [
        ("plan", &*plan),
        ("journal", &*journal),
        ("events", &*events),
        ("state", &*state),
    ] {
        assert!(
            !text.contains("s-secret-"),
            "the {what} holds the value: {text}"
        );
    }
    assert!(world.dependencies("test_thing.a").is_empty());
}

#[test]
fn it_waits_for_what_it_is_made_from_and_that_is_what_the_state_remembers() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        let id: terrane_core::Output<String> = a.attribute("id");
        let secret = EphemeralResource::dynamic("test_secret", "s").set("name", id);
        let value: Ephemeral<String> = secret.declare(stack).attribute("value");
        new_thing("b")
            .set_write_only("password", value)
            .declare(stack);
    };
    world.up(program).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    create a
    open a-1
    create b
    close a-1
    ");
    assert_eq!(world.dependencies("test_thing.b"), ["test_thing.a"]);
    world.preview(program).changes_nothing();
}

#[test]
fn it_is_closed_after_a_failure_too_and_renewed_when_that_is_due() {
    let mut world = World::new(FakeProvider::new());
    world.provider.on_create("a", |_| {
        Err(terrane_provider::CallError::Failed {
            rpc: "ApplyResourceChange",
            message: "no room".to_owned(),
        })
    });
    let program = |stack: &mut Stack| {
        let secret = EphemeralResource::dynamic("test_secret", "s")
            .set("name", "s")
            .set("renew", true);
        let value: Ephemeral<String> = secret.declare(stack).attribute("value");
        new_thing("a")
            .set_write_only("password", value)
            .declare(stack);
    };
    world.up(program).fails();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    open s
    renew s
    close s (renewed)
    open s
    renew s
    close s (renewed)
    ");
}

#[test]
fn one_that_cannot_be_opened_fails_the_plan_at_its_line() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let secret = EphemeralResource::dynamic("test_secret", "s")
            .set("name", "s")
            .set("fails", "the vault is sealed");
        let value: Ephemeral<String> = secret.declare(stack).attribute("value");
        new_thing("a")
            .set_write_only("password", value)
            .declare(stack);
    };
    let run = world.up(program).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: the vault is sealed
      resource   ephemeral.test_secret.s
    ");
}

#[test]
fn a_provider_is_configured_with_it_and_a_destroy_opens_it_as_well() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let aws: ProviderSource = "hashicorp/aws".parse().expect("a source");
        let region = secret(stack, "s").map(|_| "north".to_owned());
        let aws = stack.provider(ProviderDeclaration::dynamic(aws).set("region", region));
        new_thing("a").provider(&aws).declare(stack);
    };
    world.up(program).succeeds();
    assert_snapshot!(world.state(), @"test_thing.a  name=a");
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region=null
    open s
    configure region="north"
    close s
    open s
    create a
    close s
    "#);
    world.destroy(program).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region=null
    open s
    configure region="north"
    close s
    open s
    delete a
    close s
    "#);
}

#[test]
fn an_argument_that_is_stored_refuses_it_even_when_the_types_are_got_round() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let leak = secret(stack, "s").into_ephemeral_expr();
        new_thing("a").set("note", leak).declare(stack);
    };
    let run = world.preview(program).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: `note` is given an ephemeral value, and is stored
      resource   test_thing.a
      attribute  note
    hint: give it to a write-only argument (their names often end in `_wo`)
    ");
    let exported = |stack: &mut Stack| {
        let leak = secret(stack, "s").into_ephemeral_expr();
        stack.export("leak", leak);
    };
    let run = world.preview(exported).fails();
    assert_snapshot!(run.diagnostics(), @"error: `leak` exports an ephemeral value: exported values are stored in the state, and ephemeral ones never are");
    let by_address = |stack: &mut Stack| {
        secret(stack, "s");
        let refused = stack.resource("ephemeral.test_secret.s");
        assert!(refused.is_err());
    };
    world.preview(by_address).succeeds();
}
