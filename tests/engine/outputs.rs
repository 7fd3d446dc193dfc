//! Exported values.

use insta::assert_snapshot;
use terrane_core::{Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn exporting(size: i64) -> impl FnOnce(&mut Stack) {
    move |stack| {
        let a = new_thing("a").set("size", size).declare(stack);
        stack.export("size", a.attribute::<i64>("size"));
        stack.export("endpoint", a.attribute::<String>("endpoint"));
        stack.export("token", a.attribute::<String>("token"));
        stack.export("fixed", "always");
    }
}

#[test]
fn they_are_stored_with_their_secrets_marked() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(exporting(1)).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.a
    output endpoint: none -> ?
    output fixed: none -> always
    output size: none -> 1
    output token: none -> (sensitive)
    ");
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a size=1
    output endpoint = "endpoint-1-of-a-1"
    output fixed = "always"
    output size = 1
    output token = (sensitive)
    "#);
    world.preview(exporting(1)).changes_nothing();
}

#[test]
fn one_that_rests_on_a_failed_update_keeps_its_old_value() {
    let mut world = World::new(FakeProvider::new());
    world.up(exporting(1)).succeeds();
    world.provider.on_update("a", |call| call.refuse("not now"));
    world.up(exporting(2)).fails();
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a size=1
    output endpoint = "endpoint-1-of-a-1"
    output fixed = "always"
    output size = 1
    output token = (sensitive)
    "#);
}

#[test]
fn an_output_of_an_object_that_was_not_created_is_absent() {
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_create("a", |call| call.refuse("quota exceeded"));
    world.up(exporting(1)).fails();
    assert_snapshot!(world.state(), @r#"output fixed = "always""#);
}

#[test]
fn a_change_of_nothing_but_exports_is_a_change() {
    let mut world = World::new(FakeProvider::new());
    let program = |name: &'static str| {
        move |stack: &mut Stack| {
            let a: Output<String> = new_thing("a").declare(stack).attribute("name");
            stack.export(name, a);
        }
    };
    world.up(program("before")).succeeds();
    let run = world.up(program("after")).succeeds();
    assert!(!run.made_plan().is_empty());
    assert_snapshot!(run.plan(), @"
    output after: none -> a
    output before: a -> none
    ");
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a
    output after = "a"
    "#);
}
