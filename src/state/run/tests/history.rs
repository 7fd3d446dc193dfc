//! The runs that a journal remembers.

use super::*;
use crate::journal::{PastRun, Tally};

async fn runs(rig: &Rig) -> Vec<PastRun> {
    Run::history(&*rig.backend).await.expect("readable")
}

fn created(count: u64) -> Tally {
    Tally {
        created: count,
        ..Tally::default()
    }
}

#[tokio::test]
async fn every_run_that_recorded_something_is_remembered_with_its_operations() {
    let rig = Rig::new();
    assert_eq!(runs(&rig).await, []);
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    create(&rig, &run, "b").await;
    rig.clock.advance(Duration::from_secs(60));
    run.close().await.expect("closed");
    // One that records nothing is no news.
    let (run, _) = rig.open().await;
    run.close().await.expect("closed");
    let (run, _) = rig.open().await;
    create(&rig, &run, "c").await;
    run.close().await.expect("closed");
    let runs = runs(&rig).await;
    let [last, first] = runs.as_slice() else {
        panic!("{runs:?}");
    };
    assert_eq!((last.done, last.serial), (created(1), Some(2)));
    assert_eq!((first.done, first.serial), (created(2), Some(1)));
    assert_eq!(first.operation.as_deref(), Some("OperationTypeApply"));
    assert_eq!(first.who, "me@here");
    let ended_at = first.ended_at.expect("it ended");
    assert_eq!(ended_at.since(first.began_at), Duration::from_secs(60));
}

#[tokio::test]
async fn a_run_that_died_is_remembered_by_what_it_recorded() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    drop(run);
    // Before anybody has taken over, and after.
    let died = runs(&rig).await;
    assert_eq!(died.len(), 1);
    assert_eq!((died[0].done, died[0].ended_at), (created(1), None));
    rig.break_lock().await;
    let (run, _) = rig.open().await;
    create(&rig, &run, "b").await;
    run.close().await.expect("closed");
    let runs = runs(&rig).await;
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[1], died[0]);
    assert_eq!(runs[0].done, created(1));
}

#[tokio::test]
async fn the_oldest_runs_give_way() {
    let rig = Rig::new();
    for number in 0..crate::journal::MOST_RUNS + 2 {
        let (run, _) = rig.open().await;
        create(&rig, &run, &format!("n{number}")).await;
        run.close().await.expect("closed");
    }
    let runs = runs(&rig).await;
    assert_eq!(runs.len(), crate::journal::MOST_RUNS);
    let newest = u64::try_from(crate::journal::MOST_RUNS + 2).expect("small");
    assert_eq!(runs[0].serial, Some(newest));
}
