//! Tables: what Terraform's engines do in each case, and so must we.

use terrane_core::schema::{
    Attribute, AttributeType, Block, NestedAttribute, NestedBlock, Nesting,
};
use terrane_core::{Type, Value};

use super::{
    computed_blocks_to_null, incompatibilities, normalise_legacy, plan_problems, proposed_new,
    proposed_unknown,
};

/// A string with the flags that the letters name: required, optional, computed, sensitive, write-only.
fn text(flags: &str) -> Attribute {
    Attribute {
        ty: AttributeType::Plain(Type::String),
        required: flags.contains('r'),
        optional: flags.contains('o'),
        computed: flags.contains('c'),
        sensitive: flags.contains('s'),
        write_only: flags.contains('w'),
        deprecated: false,
    }
}

fn block<const N: usize, const M: usize>(
    attributes: [(&str, Attribute); N],
    blocks: [(&str, NestedBlock); M],
) -> Block {
    Block {
        attributes: attributes.map(|(name, a)| (name.into(), a)).into(),
        blocks: blocks.map(|(name, b)| (name.into(), b)).into(),
        deprecated: false,
        computed: false,
    }
}

fn blocks(nesting: Nesting) -> NestedBlock {
    NestedBlock {
        block: block([("set", text("o")), ("id", text("c"))], []),
        nesting,
        min_items: 0,
        max_items: 0,
    }
}

fn nested(nesting: Nesting, flags: &str) -> Attribute {
    let attributes = [("set", text("o")), ("id", text("c"))];
    let attributes = attributes.map(|(name, a)| (name.into(), a)).into();
    Attribute {
        ty: AttributeType::Nested(Box::new(NestedAttribute {
            attributes,
            nesting,
        })),
        ..text(flags)
    }
}

/// Values as they are written in the tables: `?` is unknown, `-` null.
fn v(text: &str) -> Value {
    match text {
        "?" => Value::UNKNOWN,
        "-" => Value::Null,
        text => text.into(),
    }
}

/// An element of `blocks` and `nested`.
fn e(set: &str, id: &str) -> Value {
    Value::map([("set", v(set)), ("id", v(id))])
}

fn list(elements: &[Value]) -> Value {
    Value::list(elements.to_vec())
}

fn set(elements: &[Value]) -> Value {
    let element = blocks(Nesting::Set).block.implied_type();
    Value::set(elements.to_vec(), &element)
}

fn within(value: Value) -> Value {
    Value::map([("x", value)])
}

#[test]
fn an_attribute_is_proposed_from_configuration_or_prior() {
    for (flags, prior, config, proposed) in [
        ("o", "old", "new", "new"),
        ("o", "old", "-", "-"),
        ("oc", "old", "new", "new"),
        ("oc", "old", "-", "old"),
        ("oc", "old", "?", "?"),
        ("c", "old", "-", "old"),
        // Before creation nothing is made up: the provider says what is unknown.
        ("c", "-", "-", "-"),
    ] {
        let block = block([("x", text(flags))], []);
        let result = proposed_new(&block, &within(v(prior)), &within(v(config)));
        assert_eq!(result, within(v(proposed)), "{flags} {prior} {config}");
    }
    let block = block([("x", text("oc"))], []);
    assert_eq!(
        proposed_new(&block, &Value::Null, &Value::Null),
        Value::Null
    );
    assert_eq!(
        proposed_new(&block, &Value::Null, &within(v("-"))),
        within(v("-"))
    );
    assert_eq!(proposed_unknown(&block, &within(v("-"))), within(v("?")));
}

#[test]
fn blocks_are_paired_by_place_by_key_or_by_what_they_may_have_become() {
    let cases = [
        (
            Nesting::List,
            list(&[e("a", "1"), e("b", "2")]),
            list(&[e("z", "-"), e("b", "-"), e("c", "-")]),
            // What has no counterpart is taken as it is.
            list(&[e("z", "1"), e("b", "2"), e("c", "-")]),
        ),
        (
            Nesting::List,
            list(&[e("a", "1"), e("b", "2")]),
            list(&[e("a", "-")]),
            list(&[e("a", "1")]),
        ),
        (
            Nesting::Map,
            Value::map([("k", e("a", "1")), ("gone", e("b", "2"))]),
            Value::map([("k", e("z", "-")), ("new", e("c", "-"))]),
            Value::map([("k", e("z", "1")), ("new", e("c", "-"))]),
        ),
        (
            Nesting::Set,
            set(&[e("a", "1"), e("b", "2")]),
            set(&[e("b", "-"), e("c", "-")]),
            set(&[e("b", "2"), e("c", "-")]),
        ),
        // Each prior element serves once.
        (
            Nesting::Set,
            set(&[e("-", "1"), e("a", "2")]),
            set(&[e("-", "-"), e("a", "-")]),
            set(&[e("-", "1"), e("a", "2")]),
        ),
        (Nesting::Single, e("a", "1"), e("z", "-"), e("z", "1")),
        (Nesting::Single, e("a", "1"), Value::Null, Value::Null),
        (Nesting::Single, Value::Null, e("z", "-"), e("z", "-")),
        (Nesting::Group, e("a", "1"), e("-", "-"), e("-", "1")),
        (
            Nesting::List,
            list(&[e("a", "1")]),
            Value::UNKNOWN,
            Value::UNKNOWN,
        ),
    ];
    for (nesting, prior, config, proposed) in cases {
        let as_block = block([], [("x", blocks(nesting))]);
        let prior = within(prior);
        let result = proposed_new(&as_block, &prior, &within(config.clone()));
        assert_eq!(
            result,
            within(proposed.clone()),
            "{nesting:?} block, {config:?}"
        );
        if nesting == Nesting::Group {
            continue;
        }
        let as_attribute = block([("x", nested(nesting, "o"))], []);
        let result = proposed_new(&as_attribute, &prior, &within(config.clone()));
        assert_eq!(
            result,
            within(proposed),
            "{nesting:?} attribute, {config:?}"
        );
    }
}

#[test]
fn a_null_element_is_proposed_as_it_is() {
    for nesting in [Nesting::List, Nesting::Set, Nesting::Map] {
        let elements = |first: Value| match nesting {
            Nesting::List => list(&[first, e("b", "-")]),
            Nesting::Set => set(&[first, e("b", "-")]),
            _ => Value::map([("k", first), ("l", e("b", "-"))]),
        };
        let block = block([("x", nested(nesting, "o"))], []);
        let config = within(elements(Value::Null));
        let prior = within(elements(e("a", "1")));
        assert_eq!(proposed_new(&block, &prior, &config), config, "{nesting:?}");
        assert!(plan_problems(&block, &prior, &config, &config).is_empty());
        assert!(incompatibilities(&block, &config, &config).is_empty());
    }
}

#[test]
fn a_nested_attribute_that_the_user_took_out_is_not_kept() {
    let block = block([("x", nested(Nesting::Single, "oc"))], []);
    let none = within(Value::Null);
    // Something inside that only the user can have set.
    assert_eq!(proposed_new(&block, &within(e("a", "1")), &none), none);
    // Nothing of the user's: the provider chose it all.
    let chosen = within(e("-", "1"));
    assert_eq!(proposed_new(&block, &chosen, &none), chosen);
}

/// Whether a plan of an attribute is allowed.
fn allowed(flags: &str, prior: &str, config: &str, planned: &str) -> bool {
    let block = block([("x", text(flags))], []);
    let value = |text| within(v(text));
    plan_problems(&block, &value(prior), &value(config), &value(planned)).is_empty()
}

#[test]
fn a_plan_may_differ_from_the_configuration_only_where_that_left_something_open() {
    for (flags, prior, config, planned, expected) in [
        ("o", "-", "a", "a", true),
        ("o", "-", "a", "b", false),
        ("o", "-", "a", "?", false),
        ("o", "-", "?", "?", true),
        ("o", "-", "?", "a", false),
        // Prior and configuration mean the same, says the provider.
        ("o", "A", "a", "A", true),
        ("o", "A", "-", "A", false),
        ("o", "-", "-", "a", false),
        ("c", "-", "-", "?", true),
        ("c", "a", "-", "b", true),
        ("oc", "-", "-", "a", true),
        ("oc", "-", "a", "b", false),
        ("oc", "-", "a", "?", false),
        ("ow", "-", "secret", "-", true),
    ] {
        let result = allowed(flags, prior, config, planned);
        assert_eq!(result, expected, "{flags} {prior} {config} {planned}");
    }
}

#[test]
fn a_plan_has_the_blocks_of_the_configuration() {
    for (nesting, config, planned, expected) in [
        (
            Nesting::List,
            list(&[e("a", "-")]),
            list(&[e("a", "?")]),
            true,
        ),
        (Nesting::List, list(&[e("a", "-")]), list(&[]), false),
        (Nesting::List, list(&[]), list(&[e("a", "?")]), false),
        (
            Nesting::List,
            list(&[e("a", "-")]),
            list(&[e("b", "?")]),
            false,
        ),
        (Nesting::List, list(&[]), Value::Null, false),
        // Null comes from ignored changes and means none.
        (Nesting::List, Value::Null, list(&[]), true),
        (Nesting::List, list(&[e("a", "-")]), Value::UNKNOWN, false),
        (Nesting::List, Value::UNKNOWN, Value::UNKNOWN, true),
        (Nesting::List, Value::UNKNOWN, list(&[]), false),
        // Elements of sets cannot be told apart.
        (Nesting::Set, set(&[e("a", "-")]), set(&[e("b", "?")]), true),
        (Nesting::Set, set(&[]), Value::Null, false),
        (Nesting::Single, e("a", "-"), e("a", "?"), true),
        (Nesting::Single, e("a", "-"), Value::Null, false),
        (Nesting::Single, Value::Null, e("a", "?"), false),
    ] {
        let block = block([], [("x", blocks(nesting))]);
        let (config, planned) = (within(config), within(planned));
        let problems = plan_problems(&block, &block.empty_value(), &config, &planned);
        assert_eq!(
            problems.is_empty(),
            expected,
            "{config:?} {planned:?} {problems:?}"
        );
    }
}

#[test]
fn what_was_known_stays_and_what_was_unknown_may_become_anything() {
    for (planned, actual, expected) in [
        ("a", "a", true),
        ("a", "b", false),
        ("a", "-", false),
        ("a", "?", false),
        ("-", "a", false),
        ("?", "a", true),
        ("?", "-", true),
        ("?", "?", true),
    ] {
        let block = block([("x", text("oc"))], []);
        let problems = incompatibilities(&block, &within(v(planned)), &within(v(actual)));
        assert_eq!(problems.is_empty(), expected, "{planned} {actual}");
    }
}

#[test]
fn blocks_come_about_as_planned() {
    for (nesting, planned, actual, expected) in [
        (
            Nesting::List,
            list(&[e("a", "?")]),
            list(&[e("a", "1")]),
            true,
        ),
        (
            Nesting::List,
            list(&[e("a", "?")]),
            list(&[e("b", "1")]),
            false,
        ),
        (Nesting::List, list(&[e("a", "?")]), list(&[]), false),
        (Nesting::List, list(&[]), Value::Null, true),
        (Nesting::List, Value::Null, list(&[]), true),
        (Nesting::List, Value::UNKNOWN, list(&[e("a", "1")]), true),
        (Nesting::Single, Value::UNKNOWN, Value::Null, true),
        (Nesting::Single, e("a", "?"), Value::Null, false),
        (Nesting::Set, set(&[e("a", "?")]), set(&[e("a", "1")]), true),
        (
            Nesting::Set,
            set(&[e("a", "?")]),
            set(&[e("b", "1")]),
            false,
        ),
        // Two that were unknown may turn out to be one, but not one two.
        (
            Nesting::Set,
            set(&[e("a", "?"), e("?", "1")]),
            set(&[e("a", "1")]),
            true,
        ),
        (
            Nesting::Set,
            set(&[e("?", "?")]),
            set(&[e("a", "1"), e("b", "2")]),
            false,
        ),
    ] {
        let block = block([], [("x", blocks(nesting))]);
        let (planned, actual) = (within(planned), within(actual));
        let problems = incompatibilities(&block, &planned, &actual);
        assert_eq!(
            problems.is_empty(),
            expected,
            "{planned:?} {actual:?} {problems:?}"
        );
    }
}

#[test]
fn messages_hold_no_secret() {
    let block = block([("x", text("os"))], []);
    let (hunter2, hunter3) = (within(v("hunter2")), within(v("hunter3")));
    let planned = plan_problems(&block, &hunter3, &hunter2, &within(v("hunter4")));
    let actual = incompatibilities(&block, &hunter2, &hunter3);
    for problem in planned.iter().chain(&actual) {
        assert!(!problem.message.contains("hunter"), "{}", problem.message);
    }
    assert_eq!((planned.len(), actual.len()), (1, 1));
}

#[test]
fn old_sdks_blocks_are_brought_into_shape() {
    for (nesting, read, expected) in [
        (Nesting::List, Value::Null, list(&[])),
        (Nesting::Set, Value::Null, set(&[])),
        (Nesting::Single, Value::Null, Value::Null),
        (Nesting::Group, Value::Null, e("-", "-")),
        (Nesting::Map, Value::Null, Value::Null),
        (Nesting::List, Value::UNKNOWN, list(&[e("?", "?")])),
        (Nesting::Single, Value::UNKNOWN, e("?", "?")),
        (Nesting::List, list(&[e("a", "1")]), list(&[e("a", "1")])),
    ] {
        let block = block([], [("x", blocks(nesting))]);
        assert_eq!(
            normalise_legacy(&block, within(read)),
            within(expected),
            "{nesting:?}"
        );
    }
    // Attributes are none of its business, nested ones included.
    let block = block([("x", nested(Nesting::List, "o"))], []);
    assert_eq!(
        normalise_legacy(&block, within(Value::Null)),
        within(Value::Null)
    );
}

#[test]
fn a_computed_block_that_nobody_writes_is_the_providers_to_fill_in() {
    let mut filled = blocks(Nesting::List);
    filled.block.computed = true;
    let schema = block(
        [("a", text("o"))],
        [("f", filled), ("b", blocks(Nesting::List))],
    );
    let value = |f: Value, b: Value| Value::map([("a", v("x")), ("b", b), ("f", f)]);
    let one = || {
        let members = [("set", v("s")), ("id", v("i"))];
        Value::list(vec![Value::map(members)])
    };
    let empty = || Value::list(Vec::new());
    let config = computed_blocks_to_null(&schema, value(empty(), empty()));
    assert_eq!(config, value(Value::Null, empty()));
    let prior = value(one(), empty());
    assert_eq!(proposed_new(&schema, &prior, &config), prior);
    assert_eq!(
        plan_problems(&schema, &prior, &config, &value(v("?"), empty())),
        []
    );
    assert_eq!(plan_problems(&schema, &Value::Null, &config, &prior), []);
    // Blocks that the user writes are the user's, and so are all others.
    assert_eq!(computed_blocks_to_null(&schema, prior.clone()), prior);
    let problems = plan_problems(&schema, &prior, &config, &value(one(), one()));
    assert_eq!(problems.len(), 1, "{problems:?}");
}
