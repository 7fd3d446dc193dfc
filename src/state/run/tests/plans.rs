//! Saved plans: each is applied once, whatever became of it.

use super::*;
use crate::journal::PlanUse;

fn using(world: &World, nonce: &str) -> PlanUse {
    PlanUse {
        nonce: nonce.into(),
        who: "me@here".into(),
        at: world.clock.now(),
    }
}

#[tokio::test]
async fn a_plan_that_changed_nothing_is_remembered_over_any_number_of_runs() {
    let world = World::new();
    let (run, _) = world.open().await;
    run.use_plan(using(&world, "first"))
        .await
        .expect("recorded");
    run.close().await.expect("closed");
    assert!(world.stored().await.is_none());
    for nonce in ["second", "third"] {
        let (run, _) = world.open().await;
        assert!(run.plan_use("first").is_some(), "before {nonce}");
        assert!(run.plan_use(nonce).is_none());
        run.use_plan(using(&world, nonce)).await.expect("recorded");
        run.close().await.expect("closed");
    }
    let (run, _) = world.open().await;
    assert!(
        ["first", "second", "third"]
            .iter()
            .all(|nonce| run.plan_use(nonce).is_some())
    );
}

#[tokio::test]
async fn a_plan_is_remembered_when_its_run_died_in_it() {
    let world = World::new();
    let (run, _) = world.open().await;
    run.use_plan(using(&world, "plan")).await.expect("recorded");
    drop(run);
    world.break_lock().await;
    let (run, _) = world.open().await;
    assert_eq!(run.plan_use("plan"), Some(using(&world, "plan")));
}

#[tokio::test]
async fn of_the_plans_of_earlier_states_only_the_last_is_remembered() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        let (run, _) = world.open().await;
        run.use_plan(using(&world, name)).await.expect("recorded");
        create(&world, &run, name).await;
        run.close().await.expect("closed");
    }
    let (run, _) = world.open().await;
    let known = |nonce: &str| run.plan_use(nonce).is_some();
    assert_eq!(["a", "b", "c"].map(known), [false, false, true]);
}

#[tokio::test]
async fn a_run_that_only_looked_does_not_write_the_plans_it_knows() {
    let world = World::new();
    let (run, _) = world.open().await;
    run.use_plan(using(&world, "plan")).await.expect("recorded");
    run.close().await.expect("closed");
    let before = world.backend.read_journal().await.expect("readable");
    let (run, _) = world.open().await;
    run.close().await.expect("closed");
    assert_eq!(
        world.backend.read_journal().await.expect("readable"),
        before
    );
}
