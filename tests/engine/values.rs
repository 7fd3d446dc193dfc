//! Values of every shape between program, provider and state.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use terrane_core::schema::Nesting;
use terrane_core::{BlockArguments, Expr, IntoExpr as _, Output, Resource, Stack, Type, Value};
use terrane_tests::{FakeProvider, Fields, World, new_thing, with_member};

fn rule(port: i64) -> BlockArguments {
    BlockArguments::new().set("port", port)
}

fn rules(ports: &'static [(i64, &'static str)]) -> impl FnOnce(&mut Stack) {
    move |stack| {
        let add = |thing: terrane_core::Declaration, (port, note): &(i64, &'static str)| {
            let rule = if note.is_empty() {
                rule(*port)
            } else {
                rule(*port).set("note", *note)
            };
            thing.push_block("rule", rule)
        };
        ports.iter().fold(new_thing("a"), add).declare(stack);
    }
}

#[test]
fn elements_of_a_set_of_blocks_keep_their_computed_values() {
    let mut world = World::new(FakeProvider::new());
    world.up(rules(&[(80, ""), (443, "https")])).succeeds();
    world
        .preview(rules(&[(443, "https"), (80, "")]))
        .changes_nothing();
    // One changes, one comes, one stays: only the last keeps its id.
    let run = world
        .up(rules(&[(443, "TLS"), (80, ""), (22, "")]))
        .succeeds();
    assert_snapshot!(run.plan(), @"~ test_thing.a endpoint: endpoint-1-of-a-1 -> ? rule: [{note=https port=443 rule_id=rule_id-2-of-a-1}, {port=80 rule_id=rule_id-3-of-a-1}] -> [{note=TLS port=443 rule_id=?}, {port=22 rule_id=?}, {port=80 rule_id=rule_id-3-of-a-1}]");
    assert_snapshot!(world.state(), @"test_thing.a  name=a rule=[{note=TLS port=443 rule_id=rule_id-2-of-a-1.3}, {port=22 rule_id=rule_id-3-of-a-1.3}, {port=80 rule_id=rule_id-3-of-a-1}]");
}

#[test]
fn elements_of_a_list_of_blocks_are_paired_by_place() {
    let mut world = World::new(FakeProvider::new());
    let disks = |sizes: &'static [i64]| {
        move |stack: &mut Stack| {
            let add = |thing: terrane_core::Declaration, size: &i64| {
                thing.push_block("disk", BlockArguments::new().set("size", *size))
            };
            sizes.iter().fold(new_thing("a"), add).declare(stack);
        }
    };
    world.up(disks(&[10, 20])).succeeds();
    let run = world.up(disks(&[10, 30, 40])).succeeds();
    assert_snapshot!(run.plan(), @"~ test_thing.a disk: [{serial=serial-1-of-a-1 size=10}, {serial=serial-2-of-a-1 size=20}] -> [{serial=serial-1-of-a-1 size=10}, {serial=serial-2-of-a-1 size=30}, {serial=? size=40}] endpoint: endpoint-3-of-a-1 -> ?");
    let run = world.up(disks(&[10])).succeeds();
    assert_snapshot!(run.plan(), @"~ test_thing.a disk: [{serial=serial-1-of-a-1 size=10}, {serial=serial-2-of-a-1 size=30}, {serial=serial-1-of-a-1.3 size=40}] -> [{serial=serial-1-of-a-1 size=10}] endpoint: endpoint-2-of-a-1.3 -> ?");
    world.preview(disks(&[10])).changes_nothing();
}

fn part(label: &'static str, weight: i64) -> BlockArguments {
    BlockArguments::new()
        .set("label", label)
        .set("weight", weight)
}

fn item(weight: i64, chosen: bool) -> impl FnOnce(&mut Stack) {
    move |stack| {
        let declaration = Resource::dynamic("test_item", "a")
            .set("name", "a")
            .set("one", part("one", weight))
            .set("list", vec![part("first", 1), part("second", weight)])
            .set("set", vec![part("x", weight), part("y", 2)])
            .set(
                "map",
                BTreeMap::from([("k", part("k", weight)), ("l", part("l", 3))]),
            );
        let declaration = if chosen {
            declaration.set("chosen", part("mine", 1))
        } else {
            declaration
        };
        declaration.declare(stack);
    }
}

#[test]
fn nested_attributes_of_every_nesting_keep_their_computed_values() {
    let mut world = World::new(FakeProvider::new());
    world.up(item(1, false)).succeeds();
    assert_snapshot!(world.state(), @"test_item.a  list=[{label=first part_id=part_id-1-of-a-1 weight=1}, {label=second part_id=part_id-2-of-a-1 weight=1}] map={k={label=k part_id=part_id-3-of-a-1 weight=1} l={label=l part_id=part_id-4-of-a-1 weight=3}} name=a one={label=one part_id=part_id-5-of-a-1 weight=1} set=[{label=x part_id=part_id-6-of-a-1 weight=1}, {label=y part_id=part_id-7-of-a-1 weight=2}]");
    world.preview(item(1, false)).changes_nothing();
    let run = world.up(item(2, false)).succeeds();
    assert_snapshot!(run.plan(), @"~ test_item.a chosen: null -> ? list: [{label=first part_id=part_id-1-of-a-1 weight=1}, {label=second part_id=part_id-2-of-a-1 weight=1}] -> [{label=first part_id=part_id-1-of-a-1 weight=1}, {label=second part_id=part_id-2-of-a-1 weight=2}] map: {k={label=k part_id=part_id-3-of-a-1 weight=1} l={label=l part_id=part_id-4-of-a-1 weight=3}} -> {k={label=k part_id=part_id-3-of-a-1 weight=2} l={label=l part_id=part_id-4-of-a-1 weight=3}} one: {label=one part_id=part_id-5-of-a-1 weight=1} -> {label=one part_id=part_id-5-of-a-1 weight=2} set: [{label=x part_id=part_id-6-of-a-1 weight=1}, {label=y part_id=part_id-7-of-a-1 weight=2}] -> [{label=x part_id=? weight=2}, {label=y part_id=part_id-7-of-a-1 weight=2}]");
    world.preview(item(2, false)).changes_nothing();
}

#[test]
fn null_objects_in_nested_attributes_stay_null() {
    let program = |weight: i64| {
        move |stack: &mut Stack| {
            let null = || Expr::Literal(Value::Null);
            let elements = || vec![null(), part("k", weight).into_expr()];
            let map = [("a", null()), ("b", part("k", weight).into_expr())];
            Resource::dynamic("test_item", "a")
                .set("name", "a")
                .set("list", elements())
                .set("set", elements())
                .set("map", BTreeMap::from(map))
                .declare(stack);
        }
    };
    let mut world = World::new(FakeProvider::new());
    world.up(program(1)).succeeds();
    assert_snapshot!(world.state(), @"test_item.a  list=[null, {label=k part_id=part_id-1-of-a-1 weight=1}] map={b={label=k part_id=part_id-2-of-a-1 weight=1}} name=a set=[{label=k part_id=part_id-3-of-a-1 weight=1}, null]");
    world.preview(program(1)).changes_nothing();
    world.up(program(2)).succeeds();
    assert_snapshot!(world.state(), @"test_item.a  list=[null, {label=k part_id=part_id-1-of-a-1 weight=2}] map={b={label=k part_id=part_id-2-of-a-1 weight=2}} name=a set=[{label=k part_id=part_id-1-of-a-1.3 weight=2}, null]");
    world.preview(program(2)).changes_nothing();
}

#[test]
fn a_chosen_value_is_not_kept_when_its_argument_is_removed() {
    let mut world = World::new(FakeProvider::new());
    world.up(item(1, true)).succeeds();
    world.provider.on_plan("a", |call| {
        let proposed = call.request.proposed_new_state.get("chosen");
        assert_eq!(
            proposed,
            Some(&Value::Null),
            "the user set it and took it out"
        );
        call.proceed()
    });
    world.preview(item(1, false)).succeeds();
}

#[test]
fn computed_blocks_of_a_legacy_provider_are_left_to_it() {
    // An Optional+Computed block of SDK v2: none configured, yet the provider plans and returns one.
    let placed = || {
        Value::list(vec![Value::map([
            ("size", Value::from(1)),
            ("serial", Value::from("s")),
        ])])
    };
    let mut world = World::new(FakeProvider::new().legacy("test_thing"));
    world.provider.on_plan("a", move |call| {
        // With nothing to do it answers the prior object itself.
        let mut response = call.planning("disk", placed())?;
        if !call.request.prior_state.is_null() {
            response.planned_state = call.request.prior_state.clone();
        }
        Ok(response)
    });
    world
        .up(|stack| drop(new_thing("a").declare(stack)))
        .succeeds();
    assert_snapshot!(world.state(), @"test_thing.a  disk=[{serial=s size=1}] name=a");
    world
        .preview(|stack| drop(new_thing("a").declare(stack)))
        .changes_nothing();
    // Any other provider may not.
    let mut world = World::new(FakeProvider::new());
    world
        .provider
        .on_plan("a", move |call| call.planning("disk", placed()));
    let run = world
        .up(|stack| drop(new_thing("a").declare(stack)))
        .fails();
    assert_snapshot!(run.diagnostics(), @"
    error: the provider produced an invalid plan: planned 1 elements where the configuration has 0
      resource   test_thing.a
      attribute  disk
    hint: this is a bug in the provider; report it to its developers
    ");
}

#[test]
fn null_blocks_from_a_read_are_taken_for_empty_ones() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| drop(new_thing("a").declare(stack));
    world.up(program).succeeds();
    world.provider.on_read("a", |call| {
        let mut response = call.proceed()?;
        response.new_state = with_member(&response.new_state, "disk", Value::Null);
        response.new_state = with_member(&response.new_state, "rule", Value::Null);
        Ok(response)
    });
    assert_eq!(world.preview(program).changes_nothing().plan(), "");
}

#[test]
fn a_dynamic_attribute_keeps_its_type() {
    let fields = Fields::new()
        .string("id", "computed")
        .string("name", "required")
        .attribute("any", Type::Dynamic, "optional")
        .blocks(
            "part",
            Nesting::List,
            Fields::new().attribute("value", Type::Dynamic, "optional"),
        );
    let mut world = World::new(FakeProvider::new().resource("test_any", fields));
    let program = |any: Value| {
        move |stack: &mut Stack| {
            let part = |value: Value| BlockArguments::new().set("value", value);
            Resource::dynamic("test_any", "a")
                .set("name", "a")
                .set("any", any.clone())
                .push_block("part", part(any))
                .push_block("part", part(Value::from(5)))
                .declare(stack);
        }
    };
    let object = Value::map([("x", Value::from(1)), ("y", Value::list(vec!["z".into()]))]);
    for value in [
        Value::from("text"),
        Value::from(7),
        object,
        Value::from(true),
    ] {
        world.up(program(value.clone())).succeeds();
        world.preview(program(value)).changes_nothing();
    }
    assert_snapshot!(world.state(), @"test_any.a  any={type=bool value=true} name=a part={type=[tuple, [[object, {value=bool}], [object, {value=number}]]] value=[{value=true}, {value=5}]}");
}

#[test]
fn numbers_keep_every_digit() {
    let mut world = World::new(FakeProvider::new());
    let large: terrane_core::value::Number =
        "12345678901234567890.123456789".parse().expect("a number");
    let program = |stack: &mut Stack| {
        drop(
            new_thing("a")
                .set("size", Value::Number(large.clone()))
                .declare(stack),
        )
    };
    world.up(program).succeeds();
    assert_snapshot!(world.state(), @"test_thing.a  name=a size=12345678901234567890.123456789");
    world.preview(program).changes_nothing();
}

#[test]
fn unknown_elements_of_a_set_become_known_at_apply() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let ids: Vec<Output<String>> = ["a", "b"]
            .map(|name| new_thing(name).declare(stack).attribute("id"))
            .into();
        let all = terrane_core::all(ids);
        new_thing("c").set("links", all).declare(stack);
    };
    let run = world.up(program).succeeds();
    assert_snapshot!(terrane_tests::show_value(run.change("test_thing.c").after.value.get("links").expect("links")), @"[?, ?]");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a
    test_thing.b  name=b
    test_thing.c  links=[a-3, b-1] name=c
    ");
    world.preview(program).changes_nothing();
}

#[test]
fn a_computation_on_an_unknown_value_is_made_at_apply() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let a: Output<String> = new_thing("a").declare(stack).attribute("id");
        new_thing("b")
            .set("size", a.map(|id| id.len() as u64))
            .declare(stack);
    };
    world.up(program).succeeds();
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a
    test_thing.b  name=b size=3
    ");
}

#[test]
fn a_computation_that_fails_is_an_error_at_its_line() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(|stack| {
        let name: Output<String> = new_thing("a").declare(stack).attribute("name");
        let bad = name.try_map(|name| name.parse::<u64>());
        new_thing("b").set("size", bad).declare(stack);
    });
    let run = run.fails();
    assert_snapshot!(run.diagnostics().lines().next().unwrap_or_default(), @"error: a mapped value could not be computed: invalid digit found in string");
}

#[test]
fn the_keys_of_maps_are_the_same_text_whatever_their_code_points() {
    let tagged = |key: &'static str| {
        move |stack: &mut Stack| {
            let tags = Value::map([(key, Value::from("1"))]);
            new_thing("a").set("tags", tags.clone()).declare(stack);
            stack.export("tags", tags);
            let map = std::collections::BTreeMap::from([(key, part("k", 1))]);
            let item = Resource::dynamic("test_item", "b").set("name", "b");
            item.set("map", map).declare(stack);
        }
    };
    let mut world = World::new(FakeProvider::new());
    world.up(tagged("e\u{301}")).succeeds();
    let stored = world.state();
    assert!(stored.contains("tags={\u{e9}=1}"), "{stored}");
    assert!(stored.contains("map={\u{e9}={"), "{stored}");
    world.preview(tagged("e\u{301}")).changes_nothing();
    world.preview(tagged("\u{e9}")).changes_nothing();
}

#[test]
fn two_keys_that_are_one_text_are_refused_with_their_path() {
    let keys = ["e\u{301}", "\u{e9}"];
    let mut world = World::new(FakeProvider::new());
    let run = world.preview(|stack| {
        let tags = keys.map(|key| (key, "1"));
        let tags = std::collections::BTreeMap::from(tags);
        new_thing("a").set("tags", tags.clone()).declare(stack);
        let map = std::collections::BTreeMap::from(keys.map(|key| (key, part("k", 1))));
        let item = Resource::dynamic("test_item", "b").set("name", "b");
        item.set("map", map).declare(stack);
    });
    assert_snapshot!(run.fails().diagnostics(), @r#"
    error: this key occurs twice, because keys are compared in Unicode normal form C
      resource   test_thing.a
      attribute  tags["é"]

    error: this key occurs twice, because keys are compared in Unicode normal form C
      resource   test_item.b
      attribute  map["é"]
    "#);
    let run = world.preview(|stack| {
        stack.export("tags", Value::map(keys.map(|key| (key, 1_i64.into()))));
    });
    assert_snapshot!(run.fails().diagnostics(), @r#"
    error: this key occurs twice, because keys are compared in Unicode normal form C
      attribute  ["é"]
    "#);
}
