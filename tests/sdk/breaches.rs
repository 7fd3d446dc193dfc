//! A provider that breaks the protocol: each breach is named, blamed on the provider, and loses nothing.

use terrane_core::Stack;
use terrane_state::ObjectStatus;

use crate::rig::{Done, Rig, Way};

const KIND: &str = "conformance_bad";

fn program(rig: &Rig, mode: &str) -> impl Fn(&mut Stack) + use<> {
    let mut thing = rig.resource(KIND, "a").set("name", "one").set("value", "x");
    if !mode.is_empty() {
        thing = thing.set("mode", mode);
    }
    move |stack| {
        thing.clone().declare(stack);
    }
}

fn each(test: impl Fn(&Rig)) {
    for way in Way::ALL {
        test(&Rig::new(way));
    }
}

#[track_caller]
fn says(done: &Done, text: &str) {
    let said = done.diagnostics.to_string();
    assert!(said.contains(text), "`{text}` is not in:\n{said}");
}

#[test]
fn a_provider_that_behaves_gets_its_private_bytes_back() {
    each(|rig| {
        let plain = program(rig, "");
        rig.up(&plain).succeeds();
        rig.preview(&plain).succeeds().is_empty();
        rig.destroy(&plain).succeeds();
    });
}

#[test]
fn a_plan_that_breaks_the_rules_is_refused_before_anything_happens() {
    each(|rig| {
        for (mode, text) in [
            ("inconsistent_plan", "does not match configured value"),
            ("wrong_type_plan", "cannot read the provider's response"),
            ("garbage_plan", "cannot read the provider's response"),
            ("null_plan", "planned for absence"),
        ] {
            let refused = rig.up(program(rig, mode)).fails();
            says(&refused, text);
            assert!(rig.objects(KIND).is_empty(), "{mode}");
        }
    });
}

#[test]
fn a_result_that_breaks_the_rules_is_kept_and_tainted() {
    each(|rig| {
        for (mode, text) in [
            ("inconsistent_apply", "inconsistent result after apply"),
            ("unknown_after_apply", "unknown value after apply"),
            ("broken_refinement", "was promised"),
        ] {
            let failed = rig.up(program(rig, mode)).fails();
            says(&failed, text);
            let state = rig.state();
            let instance = state.resources.values().next().expect("it is stored");
            let object = instance.current.as_ref().expect("a current object");
            assert_eq!(object.status, ObjectStatus::Tainted, "{mode}");
            rig.destroy(program(rig, "")).succeeds();
        }
    });
}

#[test]
fn an_answer_that_cannot_be_read_leaves_the_intent_open() {
    each(|rig| {
        for (count, mode) in ["wrong_type_apply", "garbage_apply", "grpc_error"]
            .iter()
            .enumerate()
        {
            let failed = rig.up(program(rig, mode)).fails();
            says(&failed, "may or may not have been created");
            assert_eq!(failed.applied.expect("applied").unknown.len(), 1, "{mode}");
            assert_eq!(rig.open_intents(), count + 1, "{mode}");
        }
    });
}

#[test]
fn nothing_in_answer_to_a_creation_is_an_error() {
    each(|rig| {
        let failed = rig.up(program(rig, "null_after_apply")).fails();
        says(&failed, "returned nothing from a creation");
    });
}

#[test]
fn an_object_in_answer_to_a_destroy_stays_in_the_state() {
    each(|rig| {
        rig.up(program(rig, "object_after_destroy")).succeeds();
        let failed = rig.destroy(program(rig, "object_after_destroy")).fails();
        says(&failed, "returned an object from a destroy");
        assert_eq!(rig.state().resources.len(), 1);
    });
}

#[test]
fn the_legacy_type_system_excuses_what_else_is_an_error() {
    each(|rig| {
        for mode in [
            "inconsistent_plan_legacy",
            "inconsistent_apply_legacy",
            "refined",
        ] {
            rig.up(program(rig, mode)).succeeds();
            rig.destroy(program(rig, mode)).succeeds();
        }
    });
}

#[test]
fn warnings_come_through_once_with_their_place() {
    each(|rig| {
        let done = rig.preview(program(rig, "warning")).succeeds();
        assert!(!done.diagnostics.is_empty());
        says(&done, "attribute  value");
        let texts: std::collections::HashSet<_> =
            done.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), done.diagnostics.len(), "{}", done.diagnostics);
    });
}

/// An error that names provider and attribute, and never the value; nothing of it in the state.
#[track_caller]
fn hides_what_was_handed_back(rig: &Rig, said: &str, call: &str) {
    let source = rig.source();
    let expected =
        format!("{source} returned a value for the write-only attribute `secret` from {call}");
    assert!(said.contains(&expected), "`{expected}` is not in:\n{said}");
    assert!(!said.contains("handed-back"), "{said}");
    let state = format!("{:?}", rig.state());
    assert!(!state.contains("handed-back"), "{state}");
}

#[test]
fn a_plan_with_a_write_only_value_is_refused_also_of_the_legacy_sdk() {
    each(|rig| {
        for mode in ["write_only_plan", "write_only_plan_legacy"] {
            let refused = rig.up(program(rig, mode)).fails();
            assert!(refused.plan.is_none(), "{mode}");
            hides_what_was_handed_back(rig, &refused.diagnostics.to_string(), "a plan");
            assert!(rig.objects(KIND).is_empty(), "{mode}");
        }
    });
}

#[test]
fn a_result_with_a_write_only_value_is_kept_without_it_also_of_the_legacy_sdk() {
    each(|rig| {
        for mode in ["write_only_apply", "write_only_apply_legacy"] {
            let failed = rig.up(program(rig, mode)).fails();
            hides_what_was_handed_back(rig, &failed.diagnostics.to_string(), "an apply");
            let state = rig.state();
            let instance = state.resources.values().next().expect("it is stored");
            let object = instance.current.as_ref().expect("a current object");
            assert_eq!(object.status, ObjectStatus::Tainted, "{mode}");
            // Its answer for the object beside it is not kept either.
            assert!(object.private.is_empty(), "{mode}");
            rig.destroy(program(rig, "")).succeeds();
        }
    });
}

#[test]
fn a_read_or_an_upgrade_with_a_write_only_value_is_refused() {
    each(|rig| {
        for (mode, call) in [
            ("write_only_read", "a read"),
            ("write_only_upgrade", "an upgrade"),
        ] {
            rig.up(program(rig, mode)).succeeds();
            let refused = rig.preview(program(rig, mode)).fails();
            hides_what_was_handed_back(rig, &refused.diagnostics.to_string(), call);
            rig.forget_everything();
        }
    });
}

#[test]
fn an_import_with_a_write_only_value_records_nothing() {
    each(|rig| {
        let program = program(rig, "write_only_import");
        rig.up(&program).succeeds();
        let id = rig.stored("conformance_bad.a", "id");
        rig.forget_everything();
        let refused = rig.import(&program, "conformance_bad.a", id.as_str().expect("an id"));
        let refused = refused.expect_err("it was refused").to_string();
        hides_what_was_handed_back(rig, &refused, "an import");
        assert!(rig.state().resources.is_empty());
    });
}

#[test]
fn a_provider_that_keeps_write_only_values_to_itself_gets_them_and_stores_none() {
    each(|rig| {
        let thing = rig.resource(KIND, "a").set("name", "one");
        let thing = thing.set("secret", "hunter2");
        let program = move |stack: &mut Stack| drop(thing.clone().declare(stack));
        rig.up(&program).succeeds();
        rig.preview(&program).succeeds().is_empty();
        assert!(!format!("{:?}", rig.state()).contains("hunter2"));
        rig.destroy(&program).succeeds();
    });
}
