//! Actions: invoked around the operations on a resource, and by hand.

use insta::assert_snapshot;
use terrane_core::{Lifecycle, OnFailure, Output, ProviderAction, Stack, When, interpolate};
use terrane_engine::{ActionStage, Event};
use terrane_tests::{FakeProvider, Run, World, new_thing};

fn note(text: &str) -> ProviderAction {
    ProviderAction::dynamic("test_note", text).set("text", text)
}

fn stages(run: &Run) -> String {
    let lines = run.events.iter().filter_map(|event| match event {
        Event::Action { action, stage } => Some(match stage {
            ActionStage::Progress(message) => format!("{action}: {message}"),
            stage => format!("{action}: {stage:?}"),
        }),
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn invocations(run: &Run, program: impl FnOnce(&mut Stack)) -> String {
    let program = terrane_core::Program::from_fn(
        |stack| {
            program(stack);
            Ok(())
        },
        terrane_core::NoConfig,
    );
    let program = program.expect("a program");
    let all = run.made_plan().invocations(&program).into_iter();
    let lines = all.map(|one| format!("{} {} {}", one.action, one.when, one.address));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn actions_run_around_create_update_and_destroy() {
    let mut world = World::new(FakeProvider::new());
    let program = |size: i64| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("size", size).declare(stack);
            let id: Output<String> = a.attribute("id");
            note("before")
                .before_create(&a)
                .before_destroy(&a)
                .declare(stack);
            ProviderAction::dynamic("test_note", "after")
                .set("text", id)
                .after_create(&a)
                .after_update(&a)
                .declare(stack);
            note("gone").after_destroy(&a).declare(stack);
        }
    };
    let run = world.up(program(1)).succeeds();
    assert_snapshot!(invocations(&run, program(1)), @"
    action.test_note.before before create test_thing.a
    action.test_note.after after create test_thing.a
    ");
    assert_snapshot!(stages(&run), @"
    action.test_note.before: Started
    action.test_note.before: noting before
    action.test_note.before: Done
    action.test_note.after: Started
    action.test_note.after: noting a-1
    action.test_note.after: Done
    ");
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    note before
    create a
    note a-1
    ");
    world.up(program(2)).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    update a
    note a-1
    ");
    assert!(
        world
            .preview(program(2))
            .changes_nothing()
            .made_plan()
            .is_empty()
    );
    let _ = world.provider.cloud.ledger();
    world.destroy(program(2)).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    note before
    delete a
    note gone
    ");
}

#[test]
fn a_failure_before_halts_and_nothing_is_requested() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        note("n")
            .set("fails", "no ink")
            .before_create(&a)
            .declare(stack);
    };
    let run = world.up(program).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: no ink
      resource   action.test_note.n
    ");
    assert_snapshot!(world.state(), @"");
}

#[test]
fn a_failure_after_halts_what_depends_taints_or_continues() {
    let with = |on_failure: OnFailure| {
        move |stack: &mut Stack| {
            let a = new_thing("a").lifecycle(Lifecycle::new()).declare(stack);
            new_thing("b")
                .set("parent", a.attribute::<String>("id"))
                .declare(stack);
            note("n")
                .set("fails", "no ink")
                .after_create(&a)
                .on_failure(on_failure)
                .declare(stack);
        }
    };
    let mut world = World::new(FakeProvider::new());
    world.up(with(OnFailure::Halt)).fails();
    assert_snapshot!(world.state(), @"test_thing.a  name=a");
    let mut world = World::new(FakeProvider::new());
    world.up(with(OnFailure::Taint)).fails();
    assert_snapshot!(world.state(), @"test_thing.a  tainted name=a");
    let mut world = World::new(FakeProvider::new());
    let run = world.up(with(OnFailure::Continue)).succeeds();
    assert_snapshot!(run.diagnostics(), @"
    warning: no ink
      resource   action.test_note.n
    ");
    assert_snapshot!(world.state(), @"
    test_thing.a  name=a
    test_thing.b  name=b parent=a-1
    ");
}

#[test]
fn faults_of_actions_are_reported_at_their_lines() {
    let mut world = World::new(FakeProvider::new());
    let run = world.preview(|stack| {
        note("n").declare(stack);
        note("n").declare(stack);
    });
    assert_snapshot!(run.fails().diagnostics(), @"
    error: action.test_note.n is declared twice: first declared at tests/engine/actions.rs:153
    hint: give each a name of its own
    ");
}

#[test]
fn a_replacement_is_a_create_and_a_destroy_in_either_order() {
    for create_first in [false, true] {
        let mut world = World::new(FakeProvider::new());
        let program = |name: &'static str| {
            move |stack: &mut Stack| {
                let lifecycle = Lifecycle::new();
                let lifecycle = match create_first {
                    true => lifecycle.create_before_destroy(),
                    false => lifecycle,
                };
                let thing = new_thing("thing").set("name", name);
                let thing = thing.lifecycle(lifecycle).declare(stack);
                let id: Output<String> = thing.attribute("id");
                for (when, moment) in [
                    ("after-create", When::AfterCreate),
                    ("before-destroy", When::BeforeDestroy),
                    ("after-destroy", When::AfterDestroy),
                    ("after-update", When::AfterUpdate),
                ] {
                    ProviderAction::dynamic("test_note", when)
                        .set("text", interpolate!("{} {}", when, id))
                        .on(moment, &thing)
                        .declare(stack);
                }
            }
        };
        world.up(program("old")).succeeds();
        let _ = world.provider.cloud.ledger();
        world.up(program("new")).succeeds();
        let ledger = world.provider.cloud.ledger();
        match create_first {
            false => assert_snapshot!(ledger, @"
            configure region=null
            note before-destroy old-1
            delete old
            note after-destroy old-1
            create new
            note after-create new-4
            "),
            true => assert_snapshot!(ledger, @"
            configure region=null
            create new
            note after-create new-3
            note before-destroy old-1
            delete old
            note after-destroy old-1
            "),
        }
    }
}

#[test]
fn an_object_is_tainted_before_the_action_that_may_taint_it_and_ready_after_its_success() {
    let program = |crashes: bool| {
        move |stack: &mut Stack| {
            let a = new_thing("a").declare(stack);
            note("boot")
                .set("crashes", crashes)
                .after_create(&a)
                .on_failure(OnFailure::Taint)
                .declare(stack);
        }
    };
    let mut world = World::new(FakeProvider::new());
    let run = world.up(program(true)).fails();
    assert_snapshot!(run.diagnostics(), @"
    error: the provider process ended during InvokeAction: panic: something went wrong
      resource   action.test_note.boot
    hint: this is a bug in the provider or a kill from outside; its last words are above
    ");
    assert_snapshot!(world.state(), @"test_thing.a  tainted name=a");
    let _ = world.provider.cloud.ledger();
    world.up(program(false)).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    delete a
    create a
    note boot
    ");
    assert_snapshot!(world.state(), @"test_thing.a  name=a");
}

#[test]
fn an_operation_waits_for_what_its_actions_refer_to() {
    let mut world = World::new(FakeProvider::new());
    let run = world.up(|stack| {
        let a = new_thing("a").declare(stack);
        let b = new_thing("b").declare(stack);
        ProviderAction::dynamic("test_note", "n")
            .set("text", b.attribute::<String>("id"))
            .before_create(&a)
            .declare(stack);
    });
    run.succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    create b
    note b-1
    create a
    ");
}

#[test]
fn a_fault_of_an_invoked_action_is_found_before_anything_is_changed() {
    let preview = |action: fn(ProviderAction) -> ProviderAction, name: &'static str| {
        let mut world = World::new(FakeProvider::new());
        let run = world.preview(move |stack| {
            let a = new_thing("a").declare(stack);
            action(ProviderAction::dynamic(name, "n"))
                .after_create(&a)
                .declare(stack);
        });
        run.fails().diagnostics()
    };
    assert_snapshot!(preview(|n| n.set("text", "x").set("refused", "no paper"), "test_note"), @"
    error: no paper
      resource   action.test_note.n
    ");
    assert_snapshot!(preview(|n| n, "test_note"), @"
    error: argument `text` is required
      resource   action.test_note.n
      attribute  text
    ");
    assert_snapshot!(preview(|n| n, "test_shout"), @"
    error: the provider has no action `test_shout`
      resource   action.test_shout.n
    hint: check the name and the installed version of the provider
    ");
}

#[test]
fn an_update_of_what_is_kept_beside_an_object_invokes_nothing() {
    let mut world = World::new(FakeProvider::new());
    let program = |note: Output<String>| {
        move |stack: &mut Stack| {
            let a = new_thing("a").set("note", note).declare(stack);
            ProviderAction::dynamic("test_note", "n")
                .set("text", "x")
                .after_update(&a)
                .declare(stack);
        }
    };
    world
        .up(program(Output::known("hush".to_owned())))
        .succeeds();
    let _ = world.provider.cloud.ledger();
    let secret = || Output::known("hush".to_owned()).sensitive();
    let run = world.up(program(secret())).succeeds();
    assert_eq!(invocations(&run, program(secret())), "");
    assert_snapshot!(world.provider.cloud.ledger(), @"configure region=null");
}

#[test]
fn an_action_is_invoked_by_hand_with_the_objects_in_the_state() {
    let mut world = World::new(FakeProvider::new());
    let program = |stack: &mut Stack| {
        let a = new_thing("a").declare(stack);
        let b = new_thing("b").set("size", 1).declare(stack);
        let action =
            |name, id: Output<String>| ProviderAction::dynamic("test_note", name).set("text", id);
        action("a", a.attribute("id"))
            .after_create(&a)
            .declare(stack);
        action("b", b.attribute("id")).declare(stack);
        note("crash").set("crashes", true).declare(stack);
        note("no").set("refused", "no paper").declare(stack);
    };
    world.target("test_thing.a").up(program).succeeds();
    let _ = world.provider.cloud.ledger();
    assert_eq!(
        world.invoke("action.test_note.a", program).as_deref(),
        Ok("")
    );
    assert_snapshot!(world.provider.cloud.ledger(), @"
    configure region=null
    note a-1
    ");
    let fails = |name: &str| world.invoke(name, program).expect_err("an error");
    assert_snapshot!(fails("action.test_note.b"), @"
    error: an action can only be invoked with values that are known: not known now: `text`
      resource   action.test_note.b
    hint: they refer to an object that does not exist yet; make it first with `up`
    ");
    assert_snapshot!(fails("action.test_note.crash"), @"
    error: the provider process ended during InvokeAction: panic: something went wrong
      resource   action.test_note.crash
    hint: this is a bug in the provider or a kill from outside; its last words are above
    ");
    assert_snapshot!(fails("action.test_note.no"), @"
    error: no paper
      resource   action.test_note.no
    ");
    assert_snapshot!(fails("action.test_note.aa"), @"
    error: the program declares no action `action.test_note.aa`
    hint: did you mean `action.test_note.a`?
    ");
}
