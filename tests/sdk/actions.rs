//! Actions of HashiCorp's framework, around operations and by hand.

use terrane_core::{OnFailure, Stack};
use terrane_state::ObjectStatus;

use crate::rig::{Rig, Way};

const KIND: &str = "conformance_thing";
const NOTE: &str = "conformance_note";

fn each(test: impl Fn(&Rig)) {
    for way in Way::ALL {
        test(&Rig::new(way));
    }
}

/// A thing, an action after its creation that notes its id, and one for the hand alone.
fn program(rig: &Rig, crash: bool) -> impl Fn(&mut Stack) + use<> {
    let thing = rig.resource(KIND, "a").set("name", "one");
    let after = rig.action(NOTE, "after").set("crash", crash);
    let after = after.on_failure(OnFailure::Taint);
    let (by_hand, fails) = (rig.action(NOTE, "hand"), rig.action(NOTE, "fails"));
    move |stack| {
        let a = thing.clone().declare(stack);
        let id = a.attribute::<String>("id");
        let after = after.clone().set("text", id.clone());
        after.after_create(&a).declare(stack);
        by_hand.clone().set("text", id.clone()).declare(stack);
        fails
            .clone()
            .set("text", id)
            .set("fails", "no ink")
            .declare(stack);
    }
}

fn status(rig: &Rig) -> ObjectStatus {
    let state = rig.state();
    let instance = state.instance(&"conformance_thing.a".parse().expect("an address"));
    let object = instance.and_then(|instance| instance.current.clone());
    object.expect("an object").status
}

#[test]
fn an_action_is_invoked_after_a_creation_with_the_id_that_was_made() {
    each(|rig| {
        let program = program(rig, false);
        rig.up(&program).succeeds();
        assert_eq!(rig.ledger(), ["create done", "invoke done"]);
        assert_eq!(status(rig), ObjectStatus::Ready);
        rig.preview(&program).succeeds().is_empty();
    });
}

#[test]
fn a_crash_in_the_middle_of_an_action_keeps_the_object_tainted_for_the_next_run() {
    each(|rig| {
        let crashed = rig.up(program(rig, true)).fails();
        let said = crashed.diagnostics.to_string();
        assert!(said.contains("crash in the middle of an action"), "{said}");
        assert!(said.contains("action.conformance_note.after"), "{said}");
        assert_eq!(
            (status(rig), rig.open_intents()),
            (ObjectStatus::Tainted, 0)
        );
        rig.up(program(rig, false)).succeeds();
        assert_eq!(status(rig), ObjectStatus::Ready);
        let ledger = [
            "create done",
            "invoke done",
            "delete done",
            "create done",
            "invoke done",
        ];
        assert_eq!(rig.ledger(), ledger);
    });
}

#[test]
fn an_action_is_invoked_by_hand_once_its_values_are_known() {
    each(|rig| {
        let program = program(rig, false);
        let by_hand = "action.conformance_note.hand";
        let early = rig.invoke(&program, by_hand).expect_err("an error");
        assert!(
            early.to_string().contains("not known now: `text`"),
            "{early}"
        );
        rig.up(&program).succeeds();
        rig.invoke(&program, by_hand).expect("it is invoked");
        let failed = rig.invoke(&program, "action.conformance_note.fails");
        let failed = failed.expect_err("an error").to_string();
        assert!(failed.contains("no ink"), "{failed}");
        let ledger = ["create done", "invoke done", "invoke done", "invoke done"];
        assert_eq!(rig.ledger(), ledger);
        rig.preview(&program).succeeds().is_empty();
    });
}
