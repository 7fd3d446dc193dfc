//! Runs about a part of the stack.

use insta::assert_snapshot;
use terrane_core::{Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn two_chains(stack: &mut Stack) {
    for (first, second) in [("a", "b"), ("c", "d")] {
        let first = new_thing(first).declare(stack);
        let id: Output<String> = first.attribute("id");
        new_thing(second).set("parent", id.clone()).declare(stack);
        stack.export(second, id);
    }
}

#[test]
fn a_target_includes_its_dependencies() {
    let mut world = World::new(FakeProvider::new());
    let run = world.target("test_thing.b").up(two_chains).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.a
    + test_thing.b
    ");
    assert_snapshot!(run.diagnostics(), @"
    warning: the plan covers only a part of the stack: `--target` or `--exclude` left the rest out; exported values may be out of date
    hint: run without them afterwards
    ");
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a
    test_thing.b  name=b parent=a-1
    output b = "a-1"
    "#);
    world.up(two_chains).succeeds();
    world.preview(two_chains).changes_nothing();
}

#[test]
fn an_exclusion_takes_along_what_needs_it() {
    let mut world = World::new(FakeProvider::new());
    let run = world.exclude("test_thing.a").up(two_chains).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.c
    + test_thing.d
    ");
}

#[test]
fn a_targeted_destroy_takes_along_what_needs_the_target() {
    let mut world = World::new(FakeProvider::new());
    world.up(two_chains).succeeds();
    let run = world.target("test_thing.a").destroy(two_chains).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.b: done
    delete test_thing.a: done
    ");
    assert_snapshot!(world.state(), @r#"
    test_thing.c  name=c
    test_thing.d  name=d parent=c-1
    output b = "a-3"
    output d = "c-1"
    "#);
}

#[test]
fn untargeted_objects_are_not_even_read() {
    let mut world = World::new(FakeProvider::new());
    world.up(two_chains).succeeds();
    world
        .provider
        .on_read("c", |call| call.refuse("access denied"));
    world
        .provider
        .on_read("d", |call| call.refuse("access denied"));
    world.target("test_thing.b").preview(two_chains).succeeds();
}

#[test]
fn an_undeclared_object_can_be_targeted() {
    let mut world = World::new(FakeProvider::new());
    world.up(two_chains).succeeds();
    let after = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    let run = world.target("test_thing.d").up(after).succeeds();
    assert_snapshot!(run.steps(), @"delete test_thing.d: done");
    assert_eq!(world.provider.cloud.names(), ["a", "b", "c"]);
}

#[test]
fn a_target_that_matches_no_resource_is_refused() {
    let mut world = World::new(FakeProvider::new());
    let run = world.target("test_thing.z").up(two_chains).fails();
    assert_snapshot!(run.diagnostics(), @r#"
error: `--target` test_thing.z matches no resource: none of the 4 declared instances and none in the state has that address
hint: did you mean `test_thing.a`?
hint: `state list` and `graph` show the addresses; quote keys for the shell: 'aws_x.y["key"]'
"#);
}

#[test]
fn a_replacement_that_matches_no_resource_is_refused() {
    let mut world = World::new(FakeProvider::new());
    world.up(two_chains).succeeds();
    let run = world.replace("test_thing.z").preview(two_chains).fails();
    assert_snapshot!(run.diagnostics(), @r#"
    error: `--replace` test_thing.z matches no resource: none of the 4 declared instances and none in the state has that address
    hint: did you mean `test_thing.a`?
    hint: `state list` and `graph` show the addresses; quote keys for the shell: 'aws_x.y["key"]'
    "#);
}

#[test]
fn a_target_includes_the_resources_that_configure_its_provider() {
    let mut world = World::new(FakeProvider::new());
    let source = terrane_core::addr::ProviderSource::implied_by("test_thing");
    let program = |stack: &mut Stack| {
        let a: Output<String> = new_thing("a").declare(stack).attribute("id");
        let inner = terrane_core::ProviderDeclaration::dynamic(source).alias("inner");
        let inner = stack.provider(inner.set("region", a));
        new_thing("b").provider(&inner).declare(stack);
        new_thing("c").declare(stack);
    };
    world.target("test_thing.b").up(program).succeeds();
    assert_eq!(world.provider.cloud.names(), ["a", "b"]);
}

#[test]
fn dependents_of_a_targeted_orphan_are_deleted_with_it() {
    let mut world = World::new(FakeProvider::new());
    world.up(two_chains).succeeds();
    let after = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    world.target("test_thing.c").up(after).succeeds();
    assert_eq!(world.provider.cloud.names(), ["a", "b"]);
}
