//! Changes that a person orders: moves, removals, another whole state.

use super::faults::{Death, Observed};
use super::*;
use crate::backend::Expected;
use crate::edit::{TypeChange, relocate};
use crate::file::{Layout, write};
use crate::journal::Change;
use crate::model::Lineage;

/// Moves `a` to `b`, in a run of its own.
async fn move_a(rig: &Rig) -> Result<(), RunError> {
    let (run, _) = rig.try_open().await?;
    let place = |name: &str| format!("t_thing.{name}").parse().expect("an address");
    if let Ok(edit) = relocate(&run.state(), &place("a"), &place("b"), TypeChange::Refused) {
        run.change(edit.change);
    }
    run.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_move_that_dies_at_any_call_is_made_or_not_made_and_never_half() {
    for nth in 0..8 {
        for death in [Death::Before, Death::After] {
            let store = Arc::new(Observed::new(MemoryBackend::new()));
            let rig = Rig::over(Arc::clone(&store) as Arc<dyn Backend>);
            let (run, _) = rig.open().await;
            create(&rig, &run, "a").await;
            run.close().await.expect("closed");
            store.die_at(nth, death);
            let ended = move_a(&rig).await;
            store.revive();
            rig.break_lock().await;
            let (run, _) = rig.open().await;
            let now = names(&run.state());
            assert!(now == ["a"] || now == ["b"], "{now:?}");
            assert_eq!(run.instance(&address(&now[0])), Some(instance("a")));
            if ended.is_ok() {
                assert_eq!(now, ["b"]);
            }
            run.close().await.expect("closed");
            assert_eq!(names(&rig.stored().await.expect("there")), now);
        }
    }
}

#[tokio::test]
async fn an_interrupted_move_is_not_made_over_the_state_of_another_tool() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    run.close().await.expect("closed");
    let (run, _) = rig.open().await;
    let place = |name: &str| format!("t_thing.{name}").parse().expect("an address");
    let edit =
        relocate(&run.state(), &place("a"), &place("b"), TypeChange::Refused).expect("possible");
    run.change(edit.change);
    // Makes the change durable without a snapshot.
    let intent = rig.intent("c");
    run.intent(intent).await.expect("recorded");
    drop(run);
    rig.break_lock().await;
    let there = rig.backend.read().await.expect("readable").expect("there");
    let mut theirs = crate::file::read(&there.bytes).expect("a state");
    theirs.serial += 1;
    let bytes = write(&theirs, Layout::Indented).into();
    let over = Expected::Token(there.token);
    rig.backend.write(bytes, &over).await.expect("written");
    let (run, _) = rig.open().await;
    assert_eq!(names(&run.state()), ["a"]);
}

/// A state of that lineage and serial with one object.
fn foreign(lineage: &str, serial: u64) -> State {
    let mut state = State::new(lineage.into());
    state.serial = serial;
    state.set_instance(&address("theirs"), Some(instance("theirs")));
    state
}

#[tokio::test]
async fn a_whole_state_takes_the_place_of_another_with_a_serial_that_never_goes_back() {
    let rig = Rig::new();
    for (pushed, serial) in [(7, 7), (3, 8), (8, 9), (20, 20)] {
        let (run, _) = rig.open().await;
        let mut state = foreign("another", pushed);
        state.set_instance(&address(&format!("x{pushed}")), Some(instance("x")));
        run.change(Change::State(Box::new(state.clone())));
        let closed = run.close().await.expect("closed");
        assert_eq!(closed.serial, serial);
        let stored = rig.stored().await.expect("there");
        assert!(stored.same_content(&state));
        assert_eq!(stored.lineage, state.lineage);
    }
}

#[tokio::test]
async fn another_lineage_is_taken_over_by_the_journal_whenever_the_run_dies() {
    for nth in 0..8 {
        for death in [Death::Before, Death::After] {
            let store = Arc::new(Observed::new(MemoryBackend::new()));
            let rig = Rig::over(Arc::clone(&store) as Arc<dyn Backend>);
            let (run, _) = rig.open().await;
            create(&rig, &run, "a").await;
            run.close().await.expect("closed");
            let ours = rig.stored().await.expect("there").lineage;
            store.die_at(nth, death);
            if let Ok((run, _)) = rig.try_open().await {
                run.change(Change::State(Box::new(foreign("another", 1))));
                let _ = run.close().await;
            }
            store.revive();
            rig.break_lock().await;
            for _ in 0..2 {
                let (run, _) = rig.open().await;
                let state = run.state();
                match state.lineage == Lineage::from("another") {
                    true => assert_eq!(names(&state), ["theirs"]),
                    false => assert_eq!(
                        (names(&state), &state.lineage),
                        (vec!["a".to_owned()], &ours)
                    ),
                }
                run.close().await.expect("closed");
            }
        }
    }
}
