//! Objects that go: all at the end, or some because nothing declares them any more.

use insta::assert_snapshot;
use terrane_core::{
    ContentsLookup, Holding, LookupRules, Output, ProviderBinding, ProviderDeclaration, Stack,
    Value,
};
use terrane_tests::{FakeProvider, World, new_thing};

fn chain(stack: &mut Stack) {
    let a = new_thing("a").declare(stack);
    let b = new_thing("b")
        .set("parent", a.attribute::<String>("id"))
        .declare(stack);
    new_thing("c")
        .set("parent", b.attribute::<String>("id"))
        .declare(stack);
    stack.export("id", a.attribute::<String>("id"));
}

#[test]
fn dependents_go_first_and_nothing_is_left() {
    let mut world = World::new(FakeProvider::new());
    world.up(chain).succeeds();
    let run = world.destroy(chain).succeeds();
    assert_snapshot!(run.plan(), @"
    - test_thing.a
    - test_thing.b
    - test_thing.c
    output id: a-1 -> none
    ");
    assert_snapshot!(run.steps(), @"
    delete test_thing.c: done
    delete test_thing.b: done
    delete test_thing.a: done
    ");
    assert!(world.state.is_empty(), "{}", world.state());
    assert!(world.provider.cloud.objects().is_empty());
}

#[test]
fn an_object_whose_delete_fails_stays_in_the_state_with_its_dependencies() {
    let mut world = World::new(FakeProvider::new());
    world.up(chain).succeeds();
    world
        .provider
        .on_delete("b", |call| call.refuse("still in use"));
    let run = world.destroy(chain).fails();
    assert_snapshot!(run.steps(), @"
    delete test_thing.c: done
    delete test_thing.b: failed: still in use
    delete test_thing.a: skipped
    ");
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a
    test_thing.b  name=b parent=a-1
    output id = "a-1"
    "#);
    world.provider.reset();
    world.destroy(chain).succeeds();
    assert!(world.state.is_empty());
}

#[test]
fn without_a_program_the_stored_dependencies_give_the_order() {
    let mut world = World::new(FakeProvider::new());
    world.up(chain).succeeds();
    let nothing = |stack: &mut Stack| drop(new_thing("other").declare(stack));
    let run = world.up(nothing).succeeds();
    assert_snapshot!(run.plan(), @"
    + test_thing.other
    - test_thing.a [DeleteBecauseNoResourceConfig]
    - test_thing.b [DeleteBecauseNoResourceConfig]
    - test_thing.c [DeleteBecauseNoResourceConfig]
    output id: a-1 -> none
    ");
    assert_snapshot!(run.steps(), @"
    delete test_thing.c: done
    create test_thing.other: done
    delete test_thing.b: done
    delete test_thing.a: done
    ");
}

#[test]
fn an_undeclared_object_is_deleted_after_objects_that_stop_referring_to_it() {
    let mut world = World::new(FakeProvider::new());
    let before = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        new_thing("b")
            .set("parent", a.attribute::<String>("id"))
            .declare(stack);
    };
    let after = |stack: &mut Stack| drop(new_thing("b").declare(stack));
    world.up(before).succeeds();
    let run = world.up(after).succeeds();
    assert_snapshot!(run.plan(), @"
    ~ test_thing.b endpoint: endpoint-1-of-b-3 -> ? parent: a-1 -> null
    - test_thing.a [DeleteBecauseNoResourceConfig]
    ");
    assert_snapshot!(run.steps(), @"
    update test_thing.b: done
    delete test_thing.a: done
    ");
    world.preview(after).changes_nothing();
}

#[test]
fn the_order_survives_a_failed_update() {
    let mut world = World::new(FakeProvider::new());
    let before = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        new_thing("b")
            .set("parent", a.attribute::<String>("id"))
            .declare(stack);
    };
    let after = |stack: &mut Stack| drop(new_thing("b").declare(stack));
    world.up(before).succeeds();
    world.provider.on_update("b", |call| call.refuse("not now"));
    let run = world.up(after).fails();
    assert_snapshot!(run.steps(), @"
    update test_thing.b: failed: not now
    delete test_thing.a: skipped
    ");
    world.provider.reset();
    // Again in the right order, though the first attempt to update failed.
    let run = world.up(after).succeeds();
    assert_snapshot!(run.steps(), @"
    update test_thing.b: done
    delete test_thing.a: done
    ");
}

#[test]
fn the_order_reaches_through_what_does_not_change() {
    let mut world = World::new(FakeProvider::new());
    let before = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        let b = new_thing("b")
            .set("note", a.attribute::<String>("id"))
            .declare(stack);
        new_thing("c")
            .set("note", b.attribute::<String>("id"))
            .declare(stack);
    };
    world.up(before).succeeds();
    // b stays declared; a and c go: c first, though only a's id in a note says so.
    let after = |stack: &mut Stack| drop(new_thing("b").set("note", "a-1").declare(stack));
    let run = world
        .up(after)
        .succeeds()
        .ordered(&["delete test_thing.c", "delete test_thing.a"]);
    assert_snapshot!(run.plan(), @"
    - test_thing.a [DeleteBecauseNoResourceConfig]
    - test_thing.c [DeleteBecauseNoResourceConfig]
    ");
}

#[test]
fn a_file_with_direct_dependencies_only_still_gives_the_order() {
    let mut world = World::new(FakeProvider::new());
    let before = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        let b = new_thing("b")
            .set("note", a.attribute::<String>("name"))
            .declare(stack);
        new_thing("c")
            .set("note", b.attribute::<String>("id"))
            .declare(stack);
    };
    world.up(before).succeeds();
    let c = "test_thing.c".parse().expect("an address");
    let mut instance = world.instance("test_thing.c").as_ref().clone();
    let mut object = instance.current.as_deref().expect("an object").clone();
    object.dependencies = object.dependencies[1..].to_vec().into();
    instance.current = Some(object.into());
    world.state.set_instance(&c, Some(instance.into()));
    assert_eq!(world.dependencies("test_thing.c"), ["test_thing.b"]);
    let after = |stack: &mut Stack| drop(new_thing("b").set("note", "a").declare(stack));
    world.parallelism = 1;
    world
        .up(after)
        .succeeds()
        .ordered(&["delete test_thing.c", "delete test_thing.a"]);
}

#[test]
fn the_reason_for_a_delete_is_shown() {
    let mut world = World::new(FakeProvider::new());
    let before = |stack: &mut Stack| {
        let thing = |name: &str, label: &str| new_thing(name).set("name", label);
        thing("plain", "1").declare(stack);
        thing("counted", "2").instance_key(0_usize).declare(stack);
        thing("counted", "3").instance_key(1_usize).declare(stack);
        thing("keyed", "4").instance_key("x").declare(stack);
        thing("keyed", "5").instance_key("y").declare(stack);
        thing("shape", "6").declare(stack);
        stack.module("m", |stack| drop(thing("inner", "7").declare(stack)));
    };
    let after = |stack: &mut Stack| {
        let thing = |name: &str, label: &str| new_thing(name).set("name", label);
        thing("counted", "2").instance_key(0_usize).declare(stack);
        thing("keyed", "4").instance_key("x").declare(stack);
        thing("shape", "8").instance_key("x").declare(stack);
    };
    world.up(before).succeeds();
    let run = world.up(after).succeeds();
    assert_snapshot!(run.plan(), @r#"
    + test_thing.shape["x"]
    - test_thing.counted[1] [DeleteBecauseCountIndex]
    - test_thing.keyed["y"] [DeleteBecauseEachKey]
    - test_thing.plain [DeleteBecauseNoResourceConfig]
    - test_thing.shape [DeleteBecauseWrongRepetition]
    - module.m.test_thing.inner [DeleteBecauseNoModule]
    "#);
}

#[test]
fn destroying_twice_is_nothing() {
    let mut world = World::new(FakeProvider::new());
    world.up(chain).succeeds();
    world.destroy(chain).succeeds();
    world.destroy(chain).changes_nothing();
}

#[test]
fn an_object_that_is_gone_needs_no_delete() {
    let mut world = World::new(FakeProvider::new());
    world.up(chain).succeeds();
    world.provider.cloud.remove("c");
    let run = world.destroy(chain).succeeds();
    assert_snapshot!(run.steps(), @"
    delete test_thing.b: done
    delete test_thing.a: done
    ");
    assert!(world.state.is_empty());
}

#[test]
fn a_provider_that_does_not_plan_destroys_is_not_asked_to() {
    let mut world = World::new(FakeProvider::new().without_plan_destroy());
    world.up(chain).succeeds();
    world.destroy(chain).succeeds();
    assert!(world.state.is_empty());
}

#[test]
fn an_output_that_refers_to_a_destroyed_object_goes_too() {
    let mut world = World::new(FakeProvider::new());
    world.up(chain).succeeds();
    let after = |stack: &mut Stack| {
        let a: Output<String> = new_thing("a").declare(stack).attribute("name");
        stack.export("other", a);
    };
    let run = world.up(after).succeeds();
    assert_snapshot!(run.plan(), @"
    - test_thing.b [DeleteBecauseNoResourceConfig]
    - test_thing.c [DeleteBecauseNoResourceConfig]
    output id: a-1 -> none
    output other: none -> a
    ");
    assert_snapshot!(world.state(), @r#"
    test_thing.a  name=a
    output other = "a"
    "#);
}

/// What is in a thing, as a later version of its provider lists it.
const PARTS: ContentsLookup = ContentsLookup {
    type_name: PARTS_OF,
    words: ("part", "parts"),
    holds: INSIDE,
    data_source: "test_parts",
    config: by_name,
    names: |_| Vec::new(),
    described_by: None,
    otherwise: Some(&NEWEST_PART),
};

/// The same as any version tells it.
const NEWEST_PART: ContentsLookup = ContentsLookup {
    words: ("part or more", "parts or more"),
    data_source: "test_lookup",
    names: |found| {
        let found = found.get("found").and_then(Value::as_str);
        found.map(str::to_owned).into_iter().collect()
    },
    type_name: PARTS_OF,
    holds: INSIDE,
    config: by_name,
    described_by: None,
    otherwise: None,
};

const PARTS_OF: &str = "test_thing";
const INSIDE: Holding = Holding::Inside {
    emptied_by: "emptied",
    may_hide: |_| false,
};

fn by_name(thing: &Value) -> Option<Value> {
    Some(Value::map([("name", thing.get("name")?.clone())]))
}

static HOLDING: ProviderBinding = ProviderBinding {
    source: "hashicorp/test",
    version: "2.0.0",
    versions: ">= 1.0",
    facts: &[],
    redirect: None,
    lookup: LookupRules {
        contents: &[PARTS],
        ..LookupRules::NONE
    },
    stateful: &[],
};

#[test]
fn a_provider_without_the_newer_data_source_is_asked_by_the_older_one() {
    fn program(stack: &mut Stack) {
        stack.provider(ProviderDeclaration::new(&HOLDING));
        new_thing("full").declare(stack);
        new_thing("odd").declare(stack);
    }
    let provider = FakeProvider::new();
    provider.on_read_data("full", |call| call.answering("found", "part-1"));
    provider.on_read_data("odd", |call| call.refuse("no route to host"));
    let mut world = World::new(provider);
    world.up(program).succeeds();
    assert_eq!(
        world.contents(program),
        [
            "test_thing.full parts or more: part-1",
            "test_thing.odd parts or more: unknown"
        ]
    );
}
