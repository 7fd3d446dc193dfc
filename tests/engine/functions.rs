//! Functions of providers: called while planning where their arguments are known, while applying otherwise.

use insta::assert_snapshot;
use terrane_core::addr::ProviderSource;
use terrane_core::{Output, ProviderDeclaration, ProviderHandle, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn provider(stack: &mut Stack) -> ProviderHandle {
    let source: ProviderSource = "hashicorp/test".parse().expect("a source");
    stack.provider(ProviderDeclaration::dynamic(source))
}

#[test]
fn a_function_is_called_while_planning_and_once_for_the_same_arguments() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let test = provider(stack);
        let name: Output<String> = test.function("join", ("-", "a", "b"));
        new_thing("one").set("note", &name).declare(stack);
        new_thing("two")
            .set("note", name.map(|name| name + "!"))
            .declare(stack);
    };
    let run = world.up(program).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.one
    + test_thing.two
    ");
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region=null
    call join["-", "a", "b"]
    create two
    create one
    "#);
    assert_snapshot!(world.state(), @"
    test_thing.one  name=one note=a-b
    test_thing.two  name=two note=a-b!
    ");
    world.preview(program).changes_nothing();
}

#[test]
fn a_function_of_something_unknown_is_called_while_applying() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let test = provider(stack);
        let a = new_thing("a").declare(stack);
        let id: Output<String> = a.attribute("id");
        let loud: Output<String> = test.function("shout", (id,));
        new_thing("b").set("note", &loud).declare(stack);
        stack.export("loud", loud);
    };
    world.up(program).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @r#"
    configure region=null
    create a
    call shout["a-1"]
    create b
    "#);
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a
    test_thing.b  name=b note=A-1
    output loud = "A-1"
    "#);
    world.preview(program).changes_nothing();
}

#[test]
fn the_result_of_something_sensitive_is_sensitive() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let test = provider(stack);
        let secret = Output::known("hunter2".to_owned()).sensitive();
        let loud: Output<String> = test.function("shout", (secret,));
        stack.export("loud", loud);
    };
    world.up(program).succeeds();
    let stored = world.state.outputs.get("loud").expect("an output");
    assert!(stored.sensitive);
}

#[test]
fn calls_that_cannot_be_made_name_the_argument_and_the_line() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let test = provider(stack);
        let calls: [Output<String>; 6] = [
            test.function("shuot", ("a",)),
            test.function("shout", ()),
            test.function("shout", ("",)),
            test.function("join", ("-", "a", None::<String>)),
            test.function("join", (vec!["a"],)),
            test.function("default", (None::<String>, "fallback")),
        ];
        for (place, call) in calls.into_iter().enumerate() {
            stack.export(&format!("call_{place}"), call);
        }
    };
    let run = world.preview(program).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: test::shuot failed: registry.opentofu.org/hashicorp/test has no function of that name; did you mean `shout`?: needed by the export at tests/engine/functions.rs:96

    error: test::shout failed: it takes 1 argument, not 0: needed by the export at tests/engine/functions.rs:96

    error: test::shout failed: argument 1 (`text`): there is nothing to shout: needed by the export at tests/engine/functions.rs:96

    error: test::join failed: argument 3 (`parts`) is null: needed by the export at tests/engine/functions.rs:96

    error: test::join failed: argument 1 (`separator`): expected a string, found a list: needed by the export at tests/engine/functions.rs:96
    ");
}

#[test]
fn a_program_may_call_functions_of_a_provider_that_it_declares_nothing_of() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(|stack| {
        let loud: Output<String> = terrane_tests::TEST.function("shout", ("a",));
        stack.export("loud", loud);
    });
    run.succeeds();
    assert_snapshot!(world.state(), @r#"output loud = "A""#);
}
