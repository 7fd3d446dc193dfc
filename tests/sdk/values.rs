//! Values that are hard to keep: sets of blocks, nested attributes, secrets, big numbers, blocks as attributes.

use std::collections::BTreeMap;

use terrane_core::value::Number;
use terrane_core::{BlockArguments, Declaration, Expr, Lifecycle, Output, Stack, Value};
use terrane_engine::Action;

use crate::rig::{Rig, Way};

fn rule(port: u16) -> BlockArguments {
    BlockArguments::new()
        .set("port", port)
        .set("cidr", "10.0.0.0/8")
}

fn declare(declaration: Declaration) -> impl Fn(&mut Stack) {
    move |stack| {
        declaration.clone().declare(stack);
    }
}

#[test]
fn sets_of_blocks_with_computed_members_keep_their_identity() {
    for way in Way::ALL {
        for kind in ["conformance_sdk_thing", "conformance_thing"] {
            let rig = Rig::new(way);
            let thing = || rig.resource(kind, "a").set("name", "one");
            let two = thing()
                .push_block("rule", rule(80))
                .push_block("rule", rule(443));
            rig.up(declare(two.clone())).succeeds();
            rig.preview(declare(two)).succeeds().is_empty();
            let swapped = thing()
                .push_block("rule", rule(443))
                .push_block("rule", rule(80));
            rig.preview(declare(swapped)).succeeds().is_empty();
            let three = thing()
                .push_block("rule", rule(443))
                .push_block("rule", rule(22))
                .push_block("rule", rule(80));
            let changed = rig.up(declare(three.clone())).succeeds();
            assert_eq!(changed.actions(), [Action::Update]);
            rig.preview(declare(three)).succeeds().is_empty();
            assert_eq!(
                rig.stored(&format!("{kind}.a"), "rule")
                    .as_array()
                    .map(Vec::len),
                Some(3)
            );
        }
    }
}

#[test]
fn nested_attributes_plan_empty_after_each_change() {
    let rig = Rig::new(Way::default());
    let member = |port: u16| BlockArguments::new().set("port", port);
    let thing = |ports: &[u16]| {
        let members = || ports.iter().map(|&port| member(port));
        rig.resource("conformance_thing", "a")
            .set("name", "one")
            .set(
                "single",
                BlockArguments::new()
                    .set("kind", "x")
                    .set("secret", "hunter2"),
            )
            .set("list", members().collect::<Vec<_>>())
            .set("set", members().collect::<Vec<_>>())
            .set(
                "map",
                ports
                    .iter()
                    .map(|&p| (p.to_string(), member(p)))
                    .collect::<BTreeMap<_, _>>(),
            )
    };
    for (ports, action) in [
        (&[1, 2][..], Action::Create),
        (&[2, 3, 4][..], Action::Update),
        (&[4][..], Action::Update),
    ] {
        assert_eq!(rig.up(declare(thing(ports))).succeeds().actions(), [action]);
        rig.preview(declare(thing(ports))).succeeds().is_empty();
    }
    let bare = rig.resource("conformance_thing", "a").set("name", "one");
    assert_eq!(
        rig.up(declare(bare.clone())).succeeds().actions(),
        [Action::Update]
    );
    rig.preview(declare(bare)).succeeds().is_empty();
}

#[test]
fn secrets_are_marked_in_plan_and_state_and_never_shown() {
    for way in Way::ALL {
        for kind in ["conformance_sdk_thing", "conformance_thing"] {
            let rig = Rig::new(way);
            let program = |stack: &mut Stack| {
                let thing = rig
                    .resource(kind, "a")
                    .set("name", "one")
                    .set("secret", "hunter2");
                let secret: Output<String> = thing.declare(stack).attribute("secret");
                let copy = rig.resource(kind, "b").set("name", "two");
                copy.set("label", secret.map(|text| format!("got {text}")))
                    .declare(stack);
            };
            let done = rig.up(program).succeeds();
            assert!(!format!("{:?}", done.plan.expect("a plan").changes).contains("hunter2"));
            for (address, path) in [("a", "secret"), ("b", "label")] {
                let address = format!("{kind}.{address}").parse().expect("an address");
                let state = rig.state();
                let object = state.instance(&address).and_then(|i| i.current.clone());
                let marked = object.expect("an object").sensitive_attributes.clone();
                let paths: Vec<_> = marked.paths.iter().map(ToString::to_string).collect();
                assert!(paths.contains(&path.to_owned()), "{paths:?}");
            }
            rig.preview(program).succeeds().is_empty();
        }
    }
}

#[test]
fn write_only_values_reach_the_provider_and_no_state() {
    for way in Way::ALL {
        for kind in ["conformance_sdk_thing", "conformance_thing"] {
            let rig = Rig::new(way);
            let thing = |password: &str, version: u8| {
                let thing = rig.resource(kind, "a").set("name", "one");
                declare(
                    thing
                        .set("password_wo", password)
                        .set("password_wo_version", version),
                )
            };
            rig.up(thing("first", 1)).succeeds();
            assert!(rig.stored(&format!("{kind}.a"), "password_wo").is_null());
            let digest = rig.stored(&format!("{kind}.a"), "password_digest");
            rig.preview(thing("first", 1)).succeeds().is_empty();
            assert_eq!(
                rig.up(thing("second", 2)).succeeds().actions(),
                [Action::Update]
            );
            assert_ne!(rig.stored(&format!("{kind}.a"), "password_digest"), digest);
        }
    }
}

#[test]
fn numbers_keep_every_digit() {
    for way in Way::ALL {
        let rig = Rig::new(way);
        let digits = "123456789012345678901234567890.125";
        let number: Number = digits.parse().expect("a number");
        let thing = rig.resource("conformance_thing", "a").set("name", "one");
        let program = declare(thing.set("amount", number).set("ratio", 0.1_f64));
        rig.up(&program).succeeds();
        rig.preview(&program).succeeds().is_empty();
        let state = rig.state();
        let object = state
            .resources
            .values()
            .next()
            .and_then(|i| i.current.clone());
        let attributes = object
            .expect("an object")
            .attributes
            .raw()
            .as_str()
            .to_owned();
        assert!(attributes.contains(digits), "{attributes}");
    }
}

#[test]
fn the_old_sdks_oddities_make_no_difference() {
    for way in Way::ALL {
        let rig = Rig::new(way);
        let ingress = BlockArguments::new().set("port", 80_u8);
        let thing = rig
            .resource("conformance_sdk_thing", "a")
            .set("name", "one")
            .set("size", 0_u8)
            .set("policy", r#"{"b": 1, "a": [2]}"#)
            .set("code", "Print Me")
            .set("zones", ["b", "a"])
            .set("tags", BTreeMap::from([("empty", "")]))
            .push_block("disk", BlockArguments::new().set("size", 1_u8))
            .set("ingress", vec![ingress]);
        rig.up(declare(thing.clone())).succeeds();
        rig.preview(declare(thing.clone())).succeeds().is_empty();
        let reformatted = thing.set("policy", r#"{"a":[2],"b":1}"#);
        rig.preview(declare(reformatted)).succeeds().is_empty();
    }
}

#[test]
fn a_change_in_customize_diff_replaces() {
    for way in Way::ALL {
        let rig = Rig::new(way);
        let thing = |kind: &str| {
            declare(
                rig.resource("conformance_sdk_thing", "a")
                    .set("name", "one")
                    .set("kind", kind),
            )
        };
        rig.up(thing("x")).succeeds();
        assert_eq!(
            rig.up(thing("y")).succeeds().actions(),
            [Action::DeleteThenCreate]
        );
        rig.preview(thing("y")).succeeds().is_empty();
    }
}

#[test]
fn null_elements_are_the_provider_s_to_judge() {
    let elements = |known: Value| vec![Expr::Literal(Value::Null), Expr::Literal(known)];
    for way in Way::ALL {
        let rig = Rig::new(way);
        let framework = rig
            .resource("conformance_thing", "a")
            .set("name", "one")
            .set("ports", elements(1.into()))
            .set("zones", elements("a".into()))
            .set(
                "tags",
                BTreeMap::from([("none", Value::Null), ("x", "y".into())]),
            )
            .set("anything", elements("a".into()));
        rig.up(declare(framework.clone())).succeeds();
        rig.preview(declare(framework.clone()))
            .succeeds()
            .is_empty();
        let stored = |attribute| rig.stored("conformance_thing.a", attribute);
        assert_eq!(stored("ports"), serde_json::json!([null, 1]));
        assert_eq!(stored("zones"), serde_json::json!(["a", null]));
        assert_eq!(stored("tags"), serde_json::json!({"none": null, "x": "y"}));
        assert_eq!(stored("anything")["value"], serde_json::json!([null, "a"]));
        rig.destroy(declare(framework)).succeeds();

        let sdk = rig
            .resource("conformance_sdk_thing", "a")
            .set("name", "one");
        let sdk = sdk.set("zones", elements("a".into()));
        let refused = rig.up(declare(sdk)).fails().diagnostics.to_string();
        assert!(refused.contains("Null value found in"), "{refused}");
    }
}

#[test]
fn an_ignored_key_of_a_map_that_was_never_set_is_not_written() {
    for way in Way::ALL {
        for kind in ["conformance_sdk_thing", "conformance_thing"] {
            let rig = Rig::new(way);
            let bare = || rig.resource(kind, "a").set("name", "one");
            rig.up(declare(bare())).succeeds();
            let ignoring = || bare().lifecycle(Lifecycle::new().ignore_changes([r#"tags["x"]"#]));
            let added = ignoring().set("tags", BTreeMap::from([("x", "added")]));
            rig.up(declare(added.clone())).succeeds().is_empty();
            let both = ignoring().set("tags", BTreeMap::from([("x", "added"), ("y", "new")]));
            let done = rig.up(declare(both)).succeeds();
            assert_eq!(done.actions(), [Action::Update], "{kind}");
            let tags = rig.stored(&format!("{kind}.a"), "tags");
            assert_eq!(tags, serde_json::json!({"y": "new"}), "{kind}");
            // And the other way: an existing key stays, although the map is not written at all.
            let keeping = bare().lifecycle(Lifecycle::new().ignore_changes([r#"tags["y"]"#]));
            rig.preview(declare(keeping)).succeeds().is_empty();
        }
    }
}
