//! What HashiCorp's libraries do not know yet, or do not let a provider do: protocol 6.11, and identities without a string in them.

use terrane_core::{BlockArguments, ImportBy, ProviderMeta, Stack, Value};
use terrane_engine::Action;

use crate::rig::{Rig, Way};

const KIND: &str = "latest_thing";
const A: &str = "latest_thing.a";

fn each(test: impl Fn(&Rig)) {
    for way in Way::LATEST {
        test(&Rig::new(way));
    }
}

fn thing(rig: &Rig) -> impl Fn(&mut Stack) + use<> {
    let thing = rig.resource(KIND, "a").set("name", "a");
    move |stack| drop(thing.clone().declare(stack))
}

/// The port and the note of each rule that the state has.
fn rules(rig: &Rig) -> Vec<String> {
    let stored = rig.stored(A, "rule");
    let rules = stored.as_array().expect("a list").iter();
    let text = |rule: &serde_json::Value| format!("{} {}", rule["port"], rule["note"]);
    rules.map(text).collect()
}

#[test]
fn a_provider_fills_in_computed_blocks_where_none_are_written() {
    each(|rig| {
        rig.up(thing(rig)).succeeds();
        assert_eq!(rules(rig), [r#"80 "filled in""#, r#"443 "filled in""#]);
        rig.preview(thing(rig)).succeeds().is_empty();
        let written = rig.resource(KIND, "a").set("name", "a");
        let written = written.push_block("rule", BlockArguments::new().set("port", 22));
        let written = move |stack: &mut Stack| drop(written.clone().declare(stack));
        let again = Rig::new(Way::LATEST[0]);
        again.up(&written).succeeds();
        assert_eq!(rules(&again), [r#"22 "written""#]);
        again.preview(&written).succeeds().is_empty();
    });
}

#[test]
fn the_private_bytes_of_the_plan_that_was_shown_come_back_when_it_is_planned_again() {
    let [where_needed, always] = Way::LATEST.map(|way| {
        let rig = Rig::new(way);
        rig.up(thing(&rig)).succeeds();
        rig.stored(A, "history")
    });
    assert_eq!(where_needed, "planned");
    assert_eq!(always, "planned, planned again");
}

#[test]
fn a_module_tells_its_provider_about_itself_and_a_module_inside_it_does_not() {
    each(|rig| {
        let source = rig.source();
        let thing = rig.resource(KIND, "a").set("name", "a");
        let lookup = rig.data("latest_lookup", "a").set("name", "a");
        let program = move |stack: &mut Stack| {
            ProviderMeta::for_source(source.clone())
                .set("module", "root")
                .set("parts", vec!["x", "y"])
                .declare(stack);
            thing.clone().declare(stack);
            lookup.clone().declare(stack);
            stack.module("inner", |stack| drop(thing.clone().declare(stack)));
        };
        rig.up(&program).succeeds();
        assert_eq!(rig.stored(A, "meta"), "root x y");
        assert_eq!(rig.stored("data.latest_lookup.a", "meta"), "root x y");
        assert_eq!(rig.stored("module.inner.latest_thing.a", "meta"), "null");
        rig.preview(&program).succeeds().is_empty();
    });
}

#[test]
fn a_provider_that_does_not_take_what_a_module_says_is_named_with_the_line() {
    let said = |rig: &Rig, kind: &str, fact: &'static str| {
        let (source, thing) = (rig.source(), rig.resource(kind, "a").set("name", "a"));
        let refused = rig.preview(move |stack: &mut Stack| {
            let meta = ProviderMeta::for_source(source.clone());
            meta.set(fact, "x").declare(stack);
            thing.clone().declare(stack);
        });
        refused.fails().diagnostics.to_string()
    };
    let unknown = said(&Rig::new(Way::LATEST[0]), KIND, "modul");
    assert!(unknown.contains("modul"), "{unknown}");
    assert!(unknown.contains("latest.rs:"), "{unknown}");
    // The old SDK announces an empty schema.
    let refused = said(&Rig::new(Way::ALL[2]), "conformance_thing", "module");
    assert!(refused.contains("the `ProviderMeta` for"), "{refused}");
    assert!(refused.contains("latest.rs:"), "{refused}");
}

#[test]
fn an_identity_may_hold_other_things_than_strings_be_null_or_missing() {
    each(|rig| {
        rig.up(thing(rig)).succeeds();
        let identity = |rig: &Rig| {
            let state = rig.state();
            let instance = state.instance(&A.parse().expect("an address"));
            let object = instance.and_then(|instance| instance.current.clone());
            let identity = object.expect("an object").identity.clone();
            identity.map(|identity| identity.json.as_str().to_owned())
        };
        let whole = r#"{"main":true,"names":["a"],"number":7}"#;
        assert_eq!(identity(rig).as_deref(), Some(whole));
        for wish in ["null", "missing"] {
            let without = Rig::new(Way::LATEST[0]);
            let thing = without.resource(KIND, "a").set("name", "a");
            let thing = thing.set("identity", wish);
            let program = move |stack: &mut Stack| drop(thing.clone().declare(stack));
            without.up(&program).succeeds();
            assert_eq!(identity(&without), None, "{wish}");
            without.preview(&program).succeeds().is_empty();
            without.destroy(&program).succeeds();
        }
    });
}

#[test]
fn an_object_is_taken_in_by_an_identity_without_a_string() {
    each(|rig| {
        let thing = rig.resource(KIND, "a").set("name", "found");
        let program = move |stack: &mut Stack| {
            let a = thing.clone().declare(stack);
            let names = Value::list(vec!["found".into()]);
            let identity = [
                ("number", 7.into()),
                ("main", true.into()),
                ("names", names),
            ];
            stack.import(&a, ImportBy::identity::<_, Value>(identity));
        };
        let done = rig.up(&program).succeeds();
        assert!(!done.actions().contains(&Action::Create));
        assert_eq!(rig.stored(A, "id"), "thing-found");
        rig.preview(&program).succeeds().is_empty();
    });
}
