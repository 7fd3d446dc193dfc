//! Saved plans: each is applied once, whatever became of it.

use super::*;
use crate::journal::PlanUse;

fn using(rig: &Rig, nonce: &str) -> PlanUse {
    PlanUse {
        nonce: nonce.into(),
        who: "me@here".into(),
        at: rig.clock.now(),
    }
}

#[tokio::test]
async fn a_plan_that_changed_nothing_is_remembered_over_any_number_of_runs() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    run.use_plan(using(&rig, "first")).await.expect("recorded");
    run.close().await.expect("closed");
    assert!(rig.stored().await.is_none());
    for nonce in ["second", "third"] {
        let (run, _) = rig.open().await;
        assert!(run.plan_use("first").is_some(), "before {nonce}");
        assert!(run.plan_use(nonce).is_none());
        run.use_plan(using(&rig, nonce)).await.expect("recorded");
        run.close().await.expect("closed");
    }
    let (run, _) = rig.open().await;
    assert!(
        ["first", "second", "third"]
            .iter()
            .all(|nonce| run.plan_use(nonce).is_some())
    );
}

#[tokio::test]
async fn a_plan_is_remembered_when_its_run_died_in_it() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    run.use_plan(using(&rig, "plan")).await.expect("recorded");
    drop(run);
    rig.break_lock().await;
    let (run, _) = rig.open().await;
    assert_eq!(run.plan_use("plan"), Some(using(&rig, "plan")));
}

#[tokio::test]
async fn of_the_plans_of_earlier_states_only_the_last_is_remembered() {
    let rig = Rig::new();
    for name in ["a", "b", "c"] {
        let (run, _) = rig.open().await;
        run.use_plan(using(&rig, name)).await.expect("recorded");
        create(&rig, &run, name).await;
        run.close().await.expect("closed");
    }
    let (run, _) = rig.open().await;
    let known = |nonce: &str| run.plan_use(nonce).is_some();
    assert_eq!(["a", "b", "c"].map(known), [false, false, true]);
}

#[tokio::test]
async fn a_run_that_only_looked_does_not_write_the_plans_it_knows() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    run.use_plan(using(&rig, "plan")).await.expect("recorded");
    run.close().await.expect("closed");
    let before = rig.backend.read_journal().await.expect("readable");
    let (run, _) = rig.open().await;
    run.close().await.expect("closed");
    assert_eq!(rig.backend.read_journal().await.expect("readable"), before);
}
