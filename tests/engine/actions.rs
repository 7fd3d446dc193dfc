//! Actions: invoked around the operations on a resource, and by hand.

use insta::assert_snapshot;
use terrane_core::{Lifecycle, OnFailure, Output, ProviderAction, Stack};
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
    assert_snapshot!(invocations(&run, program(1)), @"");
    assert_snapshot!(stages(&run), @"");
    assert_snapshot!(world.provider.cloud.ledger(), @"");
    world.up(program(2)).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"");
    assert!(
        world
            .preview(program(2))
            .changes_nothing()
            .made_plan()
            .is_empty()
    );
    let _ = world.provider.cloud.ledger();
    world.destroy(program(2)).succeeds();
    assert_snapshot!(world.provider.cloud.ledger(), @"");
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
    assert_snapshot!(run.diagnostics(), @"");
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
    assert_snapshot!(world.state(), @"");
    let mut world = World::new(FakeProvider::new());
    world.up(with(OnFailure::Taint)).fails();
    assert_snapshot!(world.state(), @"");
    let mut world = World::new(FakeProvider::new());
    let run = world.up(with(OnFailure::Continue)).succeeds();
    assert_snapshot!(run.diagnostics(), @"");
    assert_snapshot!(world.state(), @"");
}

#[test]
fn faults_of_actions_are_reported_at_their_lines() {
    let mut world = World::new(FakeProvider::new());
    let run = world.preview(|stack| {
        note("n").declare(stack);
        note("n").declare(stack);
    });
    assert_snapshot!(run.fails().diagnostics(), @"");
}
