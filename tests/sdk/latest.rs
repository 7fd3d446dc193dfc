//! What HashiCorp's libraries do not know yet, or do not let a provider do: protocol 6.11, and identities without a string in them.

use terrane_core::{BlockArguments, ImportBy, ProviderMeta, Stack, Value};
use terrane_engine::{Action, DeferralReason, DeferredChange};
use terrane_provider::Deferred;

use crate::rig::{Done, Rig, Way};

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

/// What is deferred, and the reason by its name in plan JSON.
fn deferred(done: &Done) -> Vec<String> {
    let plan = done.plan.as_ref().expect("a plan");
    let line = |one: &DeferredChange| format!("{} {}", one.address, one.reason.name());
    plan.deferred.iter().map(line).collect()
}

#[test]
fn what_a_provider_defers_is_left_with_all_that_refers_to_it_and_made_by_a_later_run() {
    each(|rig| {
        let until = rig.path("prerequisite");
        let a = rig.resource(KIND, "a").set("name", "a");
        let a = a.set("until", until.as_str());
        let (b, c) = (
            rig.resource(KIND, "b"),
            rig.resource(KIND, "c").set("name", "c"),
        );
        let found = rig.data("latest_lookup", "found").set("name", "x");
        let found = found.set("until", until.as_str());
        let program = move |stack: &mut Stack| {
            let a = a.clone().declare(stack);
            let parent = a.attribute::<String>("id");
            b.clone().set("name", parent).declare(stack);
            c.clone().declare(stack);
            found.clone().declare(stack);
        };
        let left = [
            "latest_thing.a absent_prereq",
            "latest_thing.b deferred_prereq",
            "data.latest_lookup.found absent_prereq",
        ];
        let first = rig.up(&program).succeeds();
        assert_eq!(deferred(&first), left);
        assert_eq!(first.actions(), [Action::Create]);
        let plan = first.plan.as_ref().expect("a plan");
        assert_eq!(
            plan.deferred[0].reason,
            DeferralReason::ByProvider(Deferred::AbsentPrerequisite)
        );
        let said = plan.deferred[0].to_string();
        assert!(
            said.contains("something that it needs does not exist yet"),
            "{said}"
        );
        assert!(plan.waits_for_providers() && plan.stuck(None).is_none());
        // Nothing but what the provider defers: no error, and nothing to confirm or to repeat.
        let again = rig.up(&program).succeeds();
        assert_eq!(deferred(&again), left);
        let (plan, applied) = (again.plan.expect("a plan"), again.applied.expect("a run"));
        assert!(plan.only_defers() && !plan.is_empty() && !plan.continues(&applied));
        assert!(plan.stuck(None).is_none());

        std::fs::write(&until, "").expect("writable");
        let made = rig.up(&program).succeeds();
        assert!(deferred(&made).is_empty());
        assert_eq!(rig.stored("latest_thing.b", "name"), "thing-a");
        rig.preview(&program).succeeds().is_empty();

        // A read that is deferred keeps the object as it is.
        std::fs::remove_file(&until).expect("removable");
        let unread = rig.up(&program).succeeds();
        assert_eq!(deferred(&unread), left);
        assert_eq!(rig.stored(A, "id"), "thing-a");
        let refused = rig.destroy(&program).fails();
        let said = refused.diagnostics.to_string();
        assert!(said.contains("defers what it was asked"), "{said}");
        assert_eq!(rig.stored(A, "id"), "thing-a");
    });
}

#[test]
fn an_undeclared_object_that_cannot_be_read_yet_is_destroyed_by_a_later_run() {
    each(|rig| {
        let until = rig.path("prerequisite");
        std::fs::write(&until, "").expect("writable");
        let a = rig.resource(KIND, "a").set("name", "a");
        let a = a.set("until", until.as_str());
        rig.up(move |stack| drop(a.clone().declare(stack)))
            .succeeds();
        std::fs::remove_file(&until).expect("removable");
        let nothing = |_: &mut Stack| {};
        let left = rig.up(nothing).succeeds();
        assert_eq!(deferred(&left), ["latest_thing.a absent_prereq"]);
        assert_eq!(rig.stored(A, "id"), "thing-a");
        std::fs::write(&until, "").expect("writable");
        assert_eq!(rig.up(nothing).succeeds().actions(), [Action::Delete]);
    });
}

#[test]
fn an_import_that_is_deferred_takes_nothing_in_until_it_can() {
    each(|rig| {
        let until = rig.path("prerequisite");
        let id = format!("{until}!found");
        let thing = rig.resource(KIND, "a").set("name", "found");
        let program = move |stack: &mut Stack| {
            let a = thing.clone().declare(stack);
            stack.import(&a, id.as_str());
        };
        let left = rig.up(&program).succeeds();
        assert_eq!(deferred(&left), ["latest_thing.a absent_prereq"]);
        assert!(rig.state().is_empty());
        std::fs::write(&until, "").expect("writable");
        let taken = rig.up(&program).succeeds();
        assert!(!taken.actions().contains(&Action::Create));
        assert_eq!(rig.stored(A, "id"), "thing-found");
    });
}
