//! Data sources: read while planning where that is possible, while applying otherwise.

use insta::assert_snapshot;
use terrane_core::{Declaration, Output, Resource, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn look_up(name: &str) -> Declaration {
    Resource::dynamic_data("test_lookup", name).set("name", name)
}

fn existing(world: &mut World) -> impl FnOnce(&mut Stack) + Clone + use<> {
    let program = |stack: &mut Stack| drop(new_thing("a").set("size", 3).declare(stack));
    world.up(program).succeeds();
    program
}

#[test]
fn a_data_source_with_known_arguments_is_read_at_plan() {
    let mut world = World::new(FakeProvider::new());
    let base = existing(&mut world);
    let program = |stack: &mut Stack| {
        base(stack);
        let found: Output<String> = look_up("a").declare(stack).attribute("found");
        new_thing("b").set("parent", found).declare(stack);
    };
    let run = world.up(program.clone()).succeeds();
    assert_snapshot!(run.plan(), @"+ test_thing.b");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a size=3
    test_thing.b  name=b parent=a-1
    data.test_lookup.a  found=a-1 name=a size=3
    ");
    world.preview(program).changes_nothing();
}

#[test]
fn a_data_source_with_unknown_arguments_is_read_at_apply() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        // The name of a is known, but its endpoint is not.
        let name = terrane_core::all((a.attribute::<String>("name"), a.attribute::<String>("id")));
        let lookup =
            Resource::dynamic_data("test_lookup", "l").set("name", name.map(|(name, _)| name));
        // Both hold, and as in Terraform the arguments are the reason.
        let lookup = lookup.depends_on(&a);
        let found: Output<String> = lookup.declare(stack).attribute("found");
        new_thing("b").set("parent", found).declare(stack);
    };
    let run = world.up(program).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.a
    <= data.test_lookup.l [ReadBecauseConfigUnknown]
    + test_thing.b
    ");
    assert_snapshot!(run.steps(), @"
    create test_thing.a: done
    read data.test_lookup.l: done
    create test_thing.b: done
    ");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a
    test_thing.b  name=b parent=a-1
    data.test_lookup.l  found=a-1 name=a
    ");
    world.preview(program).changes_nothing();
}

#[test]
fn pending_changes_of_dependencies_defer_the_read() {
    let mut world = World::new(FakeProvider::new());
    let program = |size: i64| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("size", size).declare(stack);
            let lookup = look_up("a").depends_on(&a).declare(stack);
            new_thing("b")
                .set("size", lookup.attribute::<i64>("size"))
                .declare(stack);
        }
    };
    world.up(program(1)).succeeds();
    let run = world.up(program(2)).succeeds();
    assert_snapshot!(run.plan(), @"
    ~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 1 -> 2
    <= data.test_lookup.a [ReadBecauseDependencyPending]
    ~ test_thing.b endpoint: endpoint-1-of-b-3 -> ? size: 1 -> ?
    ");
    assert_snapshot!(run.steps(), @"
    update test_thing.a: done
    read data.test_lookup.a: done
    update test_thing.b: done
    ");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a size=2
    test_thing.b  name=b size=2
    data.test_lookup.a  found=a-1 name=a size=2
    ");
    world.preview(program(2)).changes_nothing();
}

#[test]
fn a_read_that_fails_stops_the_plan() {
    let mut world = World::new(FakeProvider::new());
    let run = world
        .up(|stack| drop(look_up("nobody").declare(stack)))
        .fails();
    assert_snapshot!(run.diagnostics(), @"
    error: there is no `nobody`
      resource   data.test_lookup.nobody
    ");
}

#[test]
fn an_answer_that_is_not_wholly_known_is_refused() {
    let mut world = World::new(FakeProvider::new());
    let base = existing(&mut world);
    world.provider.on_read_data("a", |call| {
        call.answering("found", terrane_core::Value::UNKNOWN)
    });
    let run = world.up(|stack| {
        base(stack);
        look_up("a").declare(stack);
    });
    assert_snapshot!(run.fails().diagnostics(), @"
    error: the provider returned no complete object for the data source
      resource   data.test_lookup.a
    hint: this is a bug in the provider; report it to its developers
    ");
}

#[test]
fn an_undeclared_data_source_leaves_the_state_without_a_step() {
    let mut world = World::new(FakeProvider::new());
    let base = existing(&mut world);
    let with = base.clone();
    world
        .up(|stack| {
            with(stack);
            look_up("a").declare(stack);
        })
        .succeeds();
    let run = world.up(base).succeeds();
    assert_eq!(run.steps(), "");
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=3");
}

#[test]
fn a_destroy_reads_nothing_that_configures_no_provider_and_leaves_nothing() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        look_up("a").depends_on(&a).declare(stack);
    };
    world.up(program).succeeds();
    world.provider.cloud.ledger();
    world.destroy(program).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    delete a
    ");
    assert!(world.state.is_empty(), "{}", world.state());
}

#[test]
fn a_secret_that_was_read_stays_a_secret() {
    let mut world = World::new(FakeProvider::new());
    let base = |stack: &mut Stack| drop(new_thing("a").set("secret", "hunter2").declare(stack));
    world.up(base).succeeds();
    let run = world.up(|stack| {
        base(stack);
        let secret: Output<String> = look_up("a").declare(stack).attribute("secret");
        new_thing("b").set("note", secret.clone()).declare(stack);
        stack.export("secret", secret);
    });
    let run = run.succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.b
    output secret: none -> (sensitive)
    ");
    assert!(
        run.change("test_thing.b")
            .after
            .sensitive
            .contains(&"note".parse().expect("a path"))
    );
}
