//! Moves in the program: an object keeps its life under another address, also as another type.

use insta::assert_snapshot;
use terrane_core::{Resource, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn two(stack: &mut Stack) {
    let a = new_thing("a").declare(stack);
    new_thing("b")
        .set("parent", a.attribute::<String>("id"))
        .declare(stack);
}

#[test]
fn a_moved_object_stays_and_dependents_follow() {
    let mut world = World::new(FakeProvider::new());
    world.up(two).succeeds();
    let _ = world.provider.cloud.ledger();
    let renamed = |stack: &mut Stack| {
        let a = Resource::dynamic("test_thing", "main")
            .set("name", "a")
            .declare(stack);
        new_thing("b")
            .set("parent", a.attribute::<String>("id"))
            .declare(stack);
        stack.moved("test_thing.a", "test_thing.main");
    };
    let run = world.up(renamed).succeeds();
    let moves: Vec<String> = run
        .made_plan()
        .moves
        .iter()
        .map(|moved| format!("{} from {}", moved.to, moved.from))
        .collect();
    assert_eq!(moves, ["test_thing.main from test_thing.a"]);
    assert!(!run.made_plan().is_empty());
    assert_snapshot!(world.provider.cloud.ledger(), @"configure region=null");
    assert_snapshot!(world.state(), @"
    test_thing.b  name=b parent=a-1
    test_thing.main  name=a
    ");
    assert_eq!(world.dependencies("test_thing.b"), ["test_thing.main"]);
    // The line stays in the program, and does nothing any more.
    let run = world.preview(renamed).changes_nothing();
    assert!(run.made_plan().is_empty());
}

#[test]
fn a_chain_of_moves_a_whole_resource_and_a_module_arrive_where_they_should() {
    let mut world = World::new(FakeProvider::new());
    world
        .up(|stack| {
            new_thing("a").declare(stack);
            for key in ["x", "y"] {
                let many = Resource::dynamic("test_thing", "many").instance_key(key);
                many.set("name", key).declare(stack);
            }
            stack.module("old", |stack| new_thing("m").declare(stack));
        })
        .succeeds();
    let _ = world.provider.cloud.ledger();
    let now = |stack: &mut Stack| {
        Resource::dynamic("test_thing", "c")
            .set("name", "a")
            .declare(stack);
        for key in ["x", "y"] {
            let some = Resource::dynamic("test_thing", "some").instance_key(key);
            some.set("name", key).declare(stack);
        }
        stack.module("new", |stack| new_thing("m").declare(stack));
        stack.moved("test_thing.b", "test_thing.c");
        stack.moved("test_thing.a", "test_thing.b");
        stack.moved("test_thing.many", "test_thing.some");
        stack.moved("module.old", "module.new");
    };
    let run = world.up(now).succeeds();
    assert_snapshot!(run.plan(), @"");
    assert_snapshot!(world.provider.cloud.ledger(), @"configure region=null");
    assert_snapshot!(world.state(), @r#"
    test_thing.c  name=a
    test_thing.some["x"]  name=x
    test_thing.some["y"]  name=y
    module.new.test_thing.m  name=m
    "#);
    world.preview(now).changes_nothing();
}

#[test]
fn a_move_to_where_something_is_is_left_out_with_a_warning() {
    let mut world = World::new(FakeProvider::new());
    world.up(two).succeeds();
    let run = world.preview(|stack| {
        new_thing("b").declare(stack);
        stack.moved("test_thing.a", "test_thing.b");
    });
    let said = run.diagnostics();
    assert!(
        said.contains("warning: test_thing.a was not moved"),
        "{said}"
    );
    assert!(said.contains("test_thing.b is there already"), "{said}");
}

#[test]
fn an_object_becomes_one_of_another_type_by_its_provider() {
    let mut world = World::new(FakeProvider::new().with_identity("test_part"));
    world
        .up(|stack| drop(new_thing("a").set("size", 3).declare(stack)))
        .succeeds();
    let _ = world.provider.cloud.ledger();
    let retyped = |stack: &mut Stack| {
        let part = Resource::dynamic("test_part", "a")
            .set("name", "a")
            .set("size", 4);
        part.declare(stack);
        stack.moved("test_thing.a", "test_part.a");
    };
    let run = world.up(retyped).succeeds();
    assert_snapshot!(run.plan(), @"~ test_part.a endpoint: endpoint-1-of-a-1 -> ? size: 3 -> 4");
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    move test_thing to test_part
    update a
    ");
    assert_snapshot!(world.state(), @"test_part.a  name=a size=4");
    assert!(
        world
            .instance("test_part.a")
            .current
            .as_ref()
            .is_some_and(|it| it.identity.is_some())
    );
    world.preview(retyped).changes_nothing();
}

#[test]
fn faults_of_moves_are_reported_at_their_lines() {
    let mut world = World::new(FakeProvider::new());
    let run = world.preview(|stack| {
        new_thing("a").declare(stack);
        stack.moved("test_thing.a", "test_thing.b");
        stack.moved("test_thing.c", "module.m");
        stack.moved("not an address", "test_thing.d");
        stack.moved("test_thing.e", "test_thing.b");
    });
    assert_snapshot!(run.fails().diagnostics(), @r#"
    error: `not an address` is not the address of a resource or a module
    hint: write it as `aws_vpc.main`, `aws_subnet.private["a"]` or `module.network`

    error: test_thing.a is moved away and declared
    hint: take one of the two away

    error: test_thing.c cannot become module.m
    hint: a module becomes a module, a resource a resource

    error: two objects are moved to test_thing.b: first at tests/engine/moves.rs:141
    "#);
}
