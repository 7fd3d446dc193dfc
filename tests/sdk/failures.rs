//! Failures halfway: partial creations, failing updates and deletes, crashes.

use terrane_core::{Declaration, Lifecycle, Stack};
use terrane_engine::Action;
use terrane_state::ObjectStatus;

use crate::rig::{Rig, Way};

fn each(test: impl Fn(&Rig, &'static str)) {
    for way in Way::ALL {
        for type_name in ["conformance_sdk_thing", "conformance_thing"] {
            test(&Rig::new(way), type_name);
        }
    }
}

fn program(rig: &Rig, kind: &str, knobs: &[(&str, &str)]) -> impl Fn(&mut Stack) + use<> {
    let set = |thing: Declaration, (knob, value): &(&str, &str)| thing.set(knob, *value);
    let thing = knobs
        .iter()
        .fold(rig.resource(kind, "a").set("name", "one"), set);
    move |stack| {
        thing.clone().declare(stack);
    }
}

fn status(rig: &Rig, kind: &str) -> ObjectStatus {
    let address = format!("{kind}.a").parse().expect("an address");
    let state = rig.state();
    let instance = state.instance(&address).expect("it is stored");
    instance.current.as_ref().expect("a current object").status
}

#[test]
fn a_creation_that_fails_at_once_leaves_nothing() {
    each(|rig, kind| {
        rig.up(program(rig, kind, &[("fail_create", "before")]))
            .fails();
        assert!(rig.state().resources.is_empty());
        assert_eq!(
            rig.up(program(rig, kind, &[])).succeeds().actions(),
            [Action::Create]
        );
    });
}

#[test]
fn a_creation_that_fails_halfway_is_tainted_and_replaced_by_the_next_run() {
    each(|rig, kind| {
        rig.up(program(rig, kind, &[("fail_create", "partial")]))
            .fails();
        assert_eq!(status(rig, kind), ObjectStatus::Tainted);
        let again = rig.up(program(rig, kind, &[])).succeeds();
        assert_eq!(again.actions(), [Action::DeleteThenCreate]);
        assert_eq!(status(rig, kind), ObjectStatus::Ready);
        assert_eq!(rig.objects(kind).len(), 1);
        rig.preview(program(rig, kind, &[])).succeeds().is_empty();
    });
}

#[test]
fn an_update_that_fails_keeps_the_object_untainted() {
    each(|rig, kind| {
        rig.up(program(rig, kind, &[])).succeeds();
        for how in ["before", "partial"] {
            rig.up(program(rig, kind, &[("fail_update", how)])).fails();
            assert_eq!(status(rig, kind), ObjectStatus::Ready);
        }
        rig.up(program(rig, kind, &[])).succeeds();
        rig.preview(program(rig, kind, &[])).succeeds().is_empty();
    });
}

#[test]
fn a_delete_that_fails_keeps_the_object_and_succeeds_later() {
    each(|rig, kind| {
        let stubborn = program(rig, kind, &[("fail_delete", "once")]);
        rig.up(&stubborn).succeeds();
        rig.destroy(&stubborn).fails();
        assert_eq!(rig.state().resources.len(), 1);
        rig.destroy(&stubborn).succeeds();
        assert!(rig.state().resources.is_empty());
        assert!(rig.objects(kind).is_empty());
    });
}

#[test]
fn a_replacement_whose_old_object_will_not_go_leaves_it_deposed_for_the_next_run() {
    each(|rig, kind| {
        let before = Lifecycle::new().create_before_destroy();
        let old = rig
            .resource(kind, "a")
            .set("name", "one")
            .set("fail_delete", "once");
        let old = old.lifecycle(before.clone());
        rig.up(|stack: &mut Stack| drop(old.clone().declare(stack)))
            .succeeds();
        let new = rig.resource(kind, "a").set("name", "two").lifecycle(before);
        let renamed = |stack: &mut Stack| drop(new.clone().declare(stack));
        rig.up(renamed).fails();
        let state = rig.state();
        let instance = state.resources.values().next().expect("it is stored");
        assert_eq!(
            (instance.current.is_some(), instance.deposed.len()),
            (true, 1)
        );
        assert_eq!(rig.up(renamed).succeeds().actions(), [Action::Delete]);
        assert_eq!(rig.objects(kind).len(), 1);
        rig.preview(renamed).succeeds().is_empty();
    });
}

#[test]
fn a_crash_during_a_creation_is_unknown_and_never_called_failed() {
    each(|rig, kind| {
        for moment in ["create", "after_create"] {
            let done = rig.up(program(rig, kind, &[("crash", moment)])).fails();
            assert_eq!(done.applied.expect("applied").unknown.len(), 1);
            let said = done.diagnostics.to_string();
            assert!(said.contains("may or may not have been created"), "{said}");
        }
        assert_eq!(rig.open_intents(), 2);
        assert!(rig.state().resources.is_empty());
    });
}

#[test]
fn a_crash_while_planning_or_reading_changes_nothing() {
    each(|rig, kind| {
        rig.preview(program(rig, kind, &[("crash", "plan")]))
            .fails();
        rig.up(program(rig, kind, &[("crash", "read")])).succeeds();
        let before = rig.state();
        let said = rig
            .preview(program(rig, kind, &[("crash", "read")]))
            .fails();
        assert!(
            said.diagnostics.to_string().contains("panic"),
            "{}",
            said.diagnostics
        );
        assert_eq!(rig.state(), before);
    });
}
