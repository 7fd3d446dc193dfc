//! A run that lost the stack can neither begin an operation nor write the state.

use super::faults::{Death, Observed};
use super::*;
use crate::journal::Change;

fn fenced(error: impl Into<RunError>) {
    let error = error.into();
    assert_eq!(error.failure(), Failure::Fenced, "{error}");
}

#[tokio::test]
async fn a_run_whose_lock_was_broken_begins_nothing_and_writes_nothing() {
    let rig = Rig::new();
    let (stale, _) = rig.open().await;
    create(&rig, &stale, "a").await;
    let begun = rig.intent("b");
    stale.intent(begun.clone()).await.expect("recorded");

    rig.break_lock().await;
    let (run, recovered) = rig.open().await;
    assert_eq!(recovered.open.len(), 1);
    assert_eq!(recovered.replayed, 1);
    assert_eq!(
        recovered.interrupted.expect("interrupted").run,
        stale.lock_id()
    );
    create(&rig, &run, "c").await;

    fenced(stale.intent(rig.intent("d")).await.expect_err("sealed"));
    fenced(stale.result(done(&begun, "b")).await.expect_err("sealed"));
    fenced(stale.checkpoint().await.expect_err("overtaken"));
    fenced(stale.close().await.expect_err("overtaken"));

    run.close().await.expect("the lock is still its own");
    assert_eq!(names(&rig.stored().await.expect("there")), ["a", "c"]);
}

#[tokio::test]
async fn a_run_that_had_recorded_nothing_yet_is_fenced_too() {
    let rig = Rig::new();
    let (stale, _) = rig.open().await;
    rig.break_lock().await;
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    fenced(stale.intent(rig.intent("b")).await.expect_err("overtaken"));
    run.close().await.expect("closed");
    // And after that run has ended and its journal was trimmed.
    let (third, _) = rig.open().await;
    rig.break_lock().await;
    let (fourth, _) = rig.open().await;
    create(&rig, &fourth, "c").await;
    fourth.close().await.expect("closed");
    fenced(third.intent(rig.intent("d")).await.expect_err("overtaken"));
    assert_eq!(names(&rig.stored().await.expect("there")), ["a", "c"]);
}

#[tokio::test]
async fn a_stale_snapshot_is_not_written_even_without_a_record() {
    let rig = Rig::new();
    let (stale, _) = rig.open().await;
    rig.break_lock().await;
    let (run, _) = rig.open().await;
    run.change(Change::Instance {
        address: address("a"),
        instance: Some(instance("new")),
    });
    run.close().await.expect("closed");
    stale.change(Change::Instance {
        address: address("a"),
        instance: Some(instance("stale")),
    });
    fenced(stale.close().await.expect_err("overtaken"));
    let stored = rig.stored().await.expect("there");
    assert_eq!(stored.instance(&address("a")), Some(&instance("new")));
}

#[tokio::test]
async fn a_lost_lock_is_noticed_by_the_sign_of_life() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    rig.break_lock().await;
    fenced(run.keep_alive().await);
    fenced(run.intent(rig.intent("a")).await.expect_err("fenced"));
}

#[tokio::test]
async fn the_sign_of_life_is_seen_by_others() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    tokio::select! {
        error = run.keep_alive() => panic!("{error}"),
        () = async {
            while rig.backend.holder().await.expect("readable").expect("held").last_seen.is_none() {
                tokio::task::yield_now().await;
            }
        } => {}
    }
}

#[tokio::test]
async fn a_run_is_fenced_as_soon_as_another_has_begun_whether_or_not_that_one_records_anything() {
    let rig = Rig::new();
    let (stale, _) = rig.open().await;
    let begun = rig.intent("a");
    stale.intent(begun.clone()).await.expect("recorded");
    rig.break_lock().await;
    let (run, recovered) = rig.open().await;
    assert_eq!(recovered.open.len(), 1);
    fenced(stale.intent(rig.intent("b")).await.expect_err("sealed"));
    fenced(stale.result(done(&begun, "a")).await.expect_err("sealed"));
    run.close().await.expect("closed");
    let (_, recovered) = rig.open().await;
    assert_eq!(recovered.open.len(), 1, "a seal ends no operation");
}

#[tokio::test]
async fn an_intent_that_arrived_unheard_begins_nothing_when_another_run_sealed_behind_it() {
    let observed = Arc::new(Observed::new(MemoryBackend::new()));
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (stale, _) = rig.open().await;
    // Two intents that are written together: the first one's write arrives, and its answer is lost.
    let first = stale.intent(rig.intent("b"));
    let second = stale.intent(rig.intent("c"));
    futures_util::pin_mut!(first, second);
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut second).is_pending());
    observed.die_at(0, Death::After);
    let error = first.await.expect_err("no answer");
    assert_eq!(RunError::from(error).failure(), Failure::Unwritten);

    observed.revive();
    rig.break_lock().await;
    let (run, recovered) = rig.open().await;
    assert_eq!(recovered.open.len(), 2);
    // The second one tries again, finds its record there, and must not take that for leave to begin.
    fenced(second.await.expect_err("sealed"));
    run.close().await.expect("the lock is its own");
}

#[tokio::test]
async fn an_intent_whose_write_was_given_up_begins_nothing_when_another_run_sealed_behind_it() {
    let observed = Arc::new(Observed::new(MemoryBackend::new()));
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (stale, _) = rig.open().await;
    // Two intents that are written together: the write arrives, and the future that waits for its answer is dropped.
    let mut first = Box::pin(stale.intent(rig.intent("b")));
    let second = stale.intent(rig.intent("c"));
    futures_util::pin_mut!(second);
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut second).is_pending());
    observed.answer_no_append();
    let given_up = tokio::time::timeout(Duration::from_millis(10), first).await;
    assert!(given_up.is_err(), "{given_up:?}");

    rig.break_lock().await;
    let (run, recovered) = rig.open().await;
    assert_eq!(recovered.open.len(), 2);
    fenced(second.await.expect_err("sealed"));
    run.close().await.expect("the lock is its own");
}
