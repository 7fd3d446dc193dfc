//! The stored dependencies of objects that a run does not touch.
//!
//! The world checks after every run that no two objects of the state stand on each other.

use terrane_core::{Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

/// `a` refers to `b`; `c` refers to `a`, or `b` to `c`.
fn turned(turned: bool) -> impl Fn(&mut Stack) {
    move |stack| {
        let c = stack.resource("test_thing.c").expect("an address");
        let a = stack.resource("test_thing.a").expect("an address");
        let (c_id, a_id): (Output<String>, Output<String>) = (c.attribute("id"), a.attribute("id"));
        let b = new_thing("b");
        let b = match turned {
            true => b.set("parent", c_id),
            false => b,
        };
        let b = b.declare(stack);
        let a = new_thing("a").set("parent", b.attribute::<String>("id"));
        a.declare(stack);
        let c = new_thing("c");
        let c = match turned {
            true => c.set("size", 2),
            false => c.set("parent", a_id),
        };
        c.declare(stack);
    }
}

#[test]
fn an_untouched_object_keeps_its_dependencies_until_what_the_new_ones_name_is_applied() {
    for fails in ["c", "b", "none"] {
        let mut world = World::new(FakeProvider::new());
        world.up(turned(false)).succeeds();
        assert_eq!(world.dependencies("test_thing.a"), ["test_thing.b"]);
        world.provider.on_update(fails, |call| call.refuse("no"));
        let run = world.up(turned(true));
        let expected: &[&str] = match fails {
            "none" => &["test_thing.b", "test_thing.c"],
            _ => {
                run.fails();
                &["test_thing.b"]
            }
        };
        assert_eq!(world.dependencies("test_thing.a"), expected, "{fails}");
        world.provider.reset();
        world.up(turned(true)).succeeds();
        let expected = ["test_thing.b", "test_thing.c"];
        assert_eq!(world.dependencies("test_thing.a"), expected);
    }
}

#[test]
fn an_untouched_object_loses_old_dependencies_before_what_they_name_refers_to_it() {
    // `x` is changed to refer to `a`, and `a`, which no longer refers to `x`, is not touched; it waits for `y`.
    let program = |turned: bool| {
        move |stack: &mut Stack| {
            let a = stack.resource("test_thing.a").expect("an address");
            let a_id: Output<String> = a.attribute("id");
            let x = new_thing("x");
            let x = match turned {
                true => x.set("parent", a_id),
                false => x,
            };
            let x = x.declare(stack);
            let y = new_thing("y").set("size", if turned { 2 } else { 1 });
            let y = y.declare(stack);
            let a = new_thing("a");
            match turned {
                true => a.depends_on(&y),
                false => a.depends_on(&x),
            }
            .declare(stack);
        }
    };
    for fails in ["x", "y", "none"] {
        let mut world = World::new(FakeProvider::new());
        world.up(program(false)).succeeds();
        world.provider.on_update(fails, |call| call.refuse("no"));
        world.up(program(true));
        let expected = match fails {
            "y" => "test_thing.x",
            _ => "test_thing.y",
        };
        assert_eq!(world.dependencies("test_thing.a"), [expected], "{fails}");
    }
}

#[test]
fn a_run_without_operations_records_new_dependencies() {
    let program = |refers: bool| {
        move |stack: &mut Stack| {
            let b = new_thing("b").declare(stack);
            let a = new_thing("a");
            let a = if refers { a.depends_on(&b) } else { a };
            a.declare(stack);
        }
    };
    let mut world = World::new(FakeProvider::new());
    world.up(program(false)).succeeds();
    let run = world.up(program(true)).changes_nothing();
    assert!(
        !run.made_plan()
            .refreshed()
            .same_content(&run.made_plan().prior)
    );
    assert_eq!(world.dependencies("test_thing.a"), ["test_thing.b"]);
}
