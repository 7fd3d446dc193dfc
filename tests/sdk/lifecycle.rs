//! Create, update, replace in both orders, drift, destroy.

use terrane_core::{BlockArguments, Declaration, Lifecycle, Output, Stack};
use terrane_engine::Action;
use terrane_state::State;

use crate::rig::{Rig, Way};

const TYPES: [&str; 2] = ["conformance_sdk_thing", "conformance_thing"];

/// Both libraries over both protocols.
fn each(test: impl Fn(&Rig, &'static str)) {
    for way in Way::ALL {
        for type_name in TYPES {
            test(&Rig::new(way), type_name);
        }
    }
}

fn thing(rig: &Rig, type_name: &str, name: &str) -> Declaration {
    rig.resource(type_name, "a").set("name", name)
}

fn declare(declaration: Declaration) -> impl Fn(&mut Stack) {
    move |stack| {
        declaration.clone().declare(stack);
    }
}

#[test]
fn a_thing_is_created_left_alone_updated_and_destroyed() {
    each(|rig, kind| {
        let first = declare(thing(rig, kind, "one").set("size", 1_u8));
        assert_eq!(rig.up(&first).succeeds().actions(), [Action::Create]);
        rig.preview(&first).succeeds().is_empty();
        let second = declare(thing(rig, kind, "one").set("size", 2_u8));
        assert_eq!(rig.up(&second).succeeds().actions(), [Action::Update]);
        assert_eq!(rig.stored(&format!("{kind}.a"), "size"), 2);
        rig.preview(&second).succeeds().is_empty();
        assert_eq!(rig.destroy(&second).succeeds().actions(), [Action::Delete]);
        assert!(rig.objects(kind).is_empty());
        assert!(rig.state().resources.is_empty());
        assert_eq!(rig.ledger(), ["create done", "update done", "delete done"]);
    });
}

#[test]
fn a_new_name_replaces_the_thing_and_the_old_one_goes_first() {
    each(|rig, kind| {
        rig.up(declare(thing(rig, kind, "one"))).succeeds();
        let renamed = declare(thing(rig, kind, "two"));
        assert_eq!(
            rig.up(&renamed).succeeds().actions(),
            [Action::DeleteThenCreate]
        );
        assert_eq!(rig.ledger(), ["create done", "delete done", "create done"]);
        rig.preview(&renamed).succeeds().is_empty();
        assert_eq!(rig.objects(kind).len(), 1);
    });
}

#[test]
fn with_create_before_destroy_the_new_thing_comes_first() {
    each(|rig, kind| {
        let before = Lifecycle::new().create_before_destroy();
        rig.up(declare(thing(rig, kind, "one").lifecycle(before.clone())))
            .succeeds();
        let renamed = declare(thing(rig, kind, "two").lifecycle(before));
        assert_eq!(
            rig.up(&renamed).succeeds().actions(),
            [Action::CreateThenDelete]
        );
        assert_eq!(rig.ledger(), ["create done", "create done", "delete done"]);
        rig.preview(&renamed).succeeds().is_empty();
        assert_eq!(rig.objects(kind).len(), 1);
    });
}

#[test]
fn drift_is_noticed_and_corrected() {
    each(|rig, kind| {
        let program = declare(thing(rig, kind, "one").set("size", 5_u8));
        rig.up(&program).succeeds();
        rig.edit(kind, |attributes| attributes["size"] = 9.into());
        let seen = rig.preview(&program).succeeds();
        assert_eq!(seen.actions(), [Action::Update]);
        assert_eq!(seen.plan.expect("a plan").drift.len(), 1);
        rig.up(&program).succeeds();
        rig.preview(&program).succeeds().is_empty();

        std::fs::remove_file(&rig.objects(kind)[0]).expect("removed");
        assert_eq!(rig.up(&program).succeeds().actions(), [Action::Create]);
        rig.preview(&program).succeeds().is_empty();
    });
}

#[test]
fn an_existing_object_is_imported_by_its_id_and_only_read() {
    each(|rig, kind| {
        let program = declare(thing(rig, kind, "one").set("size", 5_u8).set("label", "l"));
        rig.up(&program).succeeds();
        let before = rig.state();
        rig.forget_everything();
        let address = format!("{kind}.a");
        let missing = rig.import(&program, &address, "one-00000000");
        let missing = missing.expect_err("there is none").to_string();
        assert!(missing.contains("one-00000000"), "{missing}");
        assert!(rig.state().resources.is_empty());

        let id = rig.objects(kind)[0].file_stem().expect("a name").to_owned();
        let id = id.to_str().expect("UTF-8");
        assert_eq!(rig.import(&program, &address, id).expect("imported"), id);
        assert_eq!(rig.open_intents(), 0);
        assert_eq!(rig.stored(&address, "size"), 5);
        assert_eq!(rig.stored(&address, "id"), id);
        let identity = |state: &State| {
            let address = address.parse().expect("an address");
            let instance = state.instance(&address).expect("an instance");
            instance
                .current
                .as_ref()
                .expect("an object")
                .identity
                .clone()
        };
        assert_eq!(identity(&rig.state()), identity(&before));
        rig.preview(&program).succeeds().is_empty();
        assert_eq!(rig.ledger(), ["create done"]);
        // It is managed from now on like any other.
        let larger = declare(thing(rig, kind, "one").set("size", 6_u8).set("label", "l"));
        assert_eq!(rig.up(&larger).succeeds().actions(), [Action::Update]);
        rig.destroy(&larger).succeeds();
        assert_eq!(rig.ledger(), ["create done", "update done", "delete done"]);
    });
}

#[test]
fn an_undeclared_object_is_deleted_after_its_dependents() {
    each(|rig, kind| {
        let both = |stack: &mut Stack| {
            let first = rig.resource(kind, "a").set("name", "one").declare(stack);
            let id: Output<String> = first.attribute("id");
            rig.resource(kind, "b")
                .set("name", "two")
                .set("label", id)
                .declare(stack);
        };
        rig.up(both).succeeds();
        assert_eq!(
            rig.up(|_| {}).succeeds().actions(),
            [Action::Delete, Action::Delete]
        );
        assert!(rig.state().resources.is_empty());
        assert!(rig.objects(kind).is_empty());
    });
}

#[test]
fn a_data_source_is_read_at_plan_or_when_it_can_be() {
    for way in Way::ALL {
        let rig = Rig::new(way);
        let program = |stack: &mut Stack| {
            let thing = rig
                .resource("conformance_thing", "a")
                .set("name", "one")
                .declare(stack);
            let echoed = rig
                .data("conformance_lookup", "late")
                .set("input", thing.attribute::<String>("id"))
                .declare(stack);
            stack.export("echo", echoed.attribute::<terrane_core::Value>("output"));
        };
        let done = rig.up(program).succeeds();
        assert_eq!(done.actions(), [Action::Create, Action::Read]);
        assert_eq!(done.applied.expect("applied").done.read, 1);
        let echoed = rig.state().outputs["echo"].value.as_str().to_owned();
        assert!(echoed.contains("one-"), "{echoed}");
        rig.preview(program).succeeds().is_empty();
    }
}

#[test]
fn timeouts_reach_the_provider_and_stop_what_takes_too_long() {
    each(|rig, kind| {
        let patient = thing(rig, kind, "one").set("delay", "1s");
        let timeouts = BlockArguments::new().set("create", "50ms");
        let failed = rig.up(declare(patient.set("timeouts", timeouts))).fails();
        let said = failed.diagnostics.to_string();
        assert!(
            said.contains("deadline") || said.contains("timeout"),
            "{said}"
        );
    });
}
