//! Objects that change in place.

use insta::assert_snapshot;
use terrane_core::{Output, Stack};
use terrane_tests::{FakeProvider, World, new_thing};

fn sized(size: i64) -> impl FnOnce(&mut Stack) {
    move |stack| {
        let a = new_thing("a").set("size", size).declare(stack);
        let parent: Output<String> = a.attribute("id");
        new_thing("b").set("parent", parent).declare(stack);
    }
}

#[test]
fn only_what_differs_is_changed() {
    let mut world = World::new(FakeProvider::new());
    world.up(sized(1)).succeeds();
    let run = world.up(sized(2)).succeeds();
    assert_snapshot!(run.plan(), @"~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 1 -> 2");
    assert_snapshot!(run.steps(), @"update test_thing.a: done");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a size=2
    test_thing.b  name=b parent=a-1
    ");
    world.preview(sized(2)).changes_nothing();
}

#[test]
fn a_failed_update_keeps_the_object_and_is_tried_again() {
    let mut world = World::new(FakeProvider::new());
    world.up(sized(1)).succeeds();
    world.provider.on_update("a", |call| call.refuse("not now"));
    let run = world.up(sized(2)).fails();
    assert_snapshot!(run.steps(), @"update test_thing.a: failed: not now");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a size=1
    test_thing.b  name=b parent=a-1
    ");
    world.provider.reset();
    assert_snapshot!(world.up(sized(2)).succeeds().steps(), @"update test_thing.a: done");
}

#[test]
fn an_update_that_fails_halfway_is_recorded_as_far_as_it_came_and_taints_nothing() {
    let mut world = World::new(FakeProvider::new());
    world.up(sized(1)).succeeds();
    world
        .provider
        .on_update("a", |call| call.proceed_then_refuse("timed out waiting"));
    world.up(sized(2)).fails();
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a size=2
    test_thing.b  name=b parent=a-1
    ");
    world.provider.reset();
    world.preview(sized(2)).changes_nothing();
}

#[test]
fn unknown_values_flow_into_dependents() {
    let mut world = World::new(FakeProvider::new());
    let program = |size: i64| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("size", size).declare(stack);
            let endpoint: Output<String> = a.attribute("endpoint");
            new_thing("b")
                .set("note", endpoint.map(|e| format!("see {e}")))
                .declare(stack);
        }
    };
    world.up(program(1)).succeeds();
    let run = world.up(program(2)).succeeds();
    assert_snapshot!(run.plan(), @"
    ~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 1 -> 2
    ~ test_thing.b endpoint: endpoint-1-of-b-3 -> ? note: see endpoint-1-of-a-1 -> ?
    ");
    assert_snapshot!(run.steps(), @"
    update test_thing.a: done
    update test_thing.b: done
    ");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a size=2
    test_thing.b  name=b note=see endpoint-1-of-a-1.5
    ");
}

#[test]
fn an_update_that_turns_out_to_be_none_asks_for_nothing() {
    // `zone` of a is planned as unknown and comes out the same, so b has nothing to change after all.
    let mut world = World::new(FakeProvider::new());
    let program = |size: i64| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("size", size).declare(stack);
            let zone: Output<String> = a.attribute("zone");
            new_thing("b").set("note", zone).declare(stack);
        }
    };
    world.up(program(1)).succeeds();
    world.provider.on_plan("a", |call| {
        if call.request.prior_state.get("size") == call.request.config.get("size") {
            call.proceed()
        } else {
            call.planning("zone", terrane_core::Value::UNKNOWN)
        }
    });
    world.provider.on_update("a", |call| {
        call.answering(
            "zone",
            call.request.prior_state.get("zone").expect("zone").clone(),
        )
    });
    world.provider.cloud.ledger();
    let run = world.up(program(2)).succeeds();
    assert_snapshot!(run.plan(), @"
    ~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? size: 1 -> 2 zone: zone-3-of-a-1 -> ?
    ~ test_thing.b endpoint: endpoint-1-of-b-3 -> ? note: zone-3-of-a-1 -> ?
    ");
    assert_snapshot!(run.steps(), @"
    update test_thing.a: done
    update test_thing.b: done
    ");
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    update a
    ");
}
