//! States that cannot be used, and others in their place.

use super::*;
use crate::backend::Expected;
use crate::model::Lineage;

/// A stored state with `a`, and the journal of a run that died after it had made `b`.
async fn interrupted() -> (Rig, State) {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    run.close().await.expect("closed");
    let stored = rig.stored().await.expect("there");
    let (run, _) = rig.open().await;
    create(&rig, &run, "b").await;
    run.intent(rig.intent("c")).await.expect("recorded");
    drop(run);
    rig.break_lock().await;
    (rig, stored)
}

async fn store(rig: &Rig, bytes: &'static str) {
    let there = rig.backend.read().await.expect("readable").expect("there");
    let over = Expected::Token(there.token);
    let written = rig.backend.write(bytes.into(), &over).await;
    written.expect("written");
}

async fn restore(rig: &Rig) -> Option<Restore> {
    let clock = Arc::clone(&rig.clock);
    let backend = Arc::clone(&rig.backend);
    let opened = Restore::open(backend, rig.options(), clock, &*rig.random, &());
    opened.await.expect("opened")
}

#[tokio::test]
async fn what_takes_the_place_of_a_damaged_state_gets_all_that_the_journal_holds() {
    let (rig, earlier) = interrupted().await;
    store(&rig, "{half").await;
    let refused = rig.try_open().await.map(drop).expect_err("damaged");
    assert_eq!(refused.failure(), Failure::Refused);

    let survey = survey::Survey::of(&*rig.backend).await;
    assert_eq!(survey.stored, survey::Stored::Unreadable);
    assert!(matches!(
        survey.journal,
        survey::Journal::Whole {
            stored: Some(1),
            pending: 1,
            open: 1
        }
    ));

    let restore = restore(&rig).await.expect("it cannot be used");
    let state = restore.fitting(earlier.clone()).expect("of this history");
    assert_eq!(state, earlier, "the one that the journal saw last");
    restore.put(&state).await.expect("written");
    restore.close().await.expect("closed");
    let (run, recovered) = rig.open().await;
    assert_eq!(names(&run.state()), ["a", "b"]);
    assert_eq!(recovered.open.len(), 1);
}

#[tokio::test]
async fn another_state_in_its_place_is_later_than_all_that_was_known() {
    let (rig, earlier) = interrupted().await;
    store(&rig, "").await;
    let restore = restore(&rig).await.expect("it cannot be used");
    let pushed = State::new(Lineage::default());
    let state = restore.fitting(pushed).expect("of any history");
    assert_eq!(state.lineage, earlier.lineage);
    assert_eq!(state.serial, earlier.serial + 1);
    let foreign = State::new("another".into());
    restore.fitting(foreign).expect_err("of another history");
    restore.put(&state).await.expect("written");
    restore.close().await.expect("closed");
    let (run, _) = rig.open().await;
    assert_eq!(names(&run.state()), ["b"], "the journal's own is not lost");
}

#[tokio::test]
async fn a_state_that_can_be_used_is_not_restored_and_the_lock_is_given_back() {
    let (rig, _) = interrupted().await;
    assert!(restore(&rig).await.is_none());
    rig.open().await;
}

#[tokio::test]
async fn nobody_else_s_write_is_lost() {
    let (rig, earlier) = interrupted().await;
    store(&rig, "{half").await;
    let restore = restore(&rig).await.expect("it cannot be used");
    store(&rig, "{other").await;
    let state = restore.fitting(earlier).expect("of this history");
    restore.put(&state).await.expect_err("another was faster");
    let there = rig.backend.read().await.expect("readable").expect("there");
    assert_eq!(&there.bytes[..], b"{other");
}
