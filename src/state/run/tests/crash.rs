//! Death at every call to the store, and at every call of the recovery from it.

use std::collections::BTreeSet;

use super::faults::{Death, Observed};
use super::*;
use crate::journal::{Resolution, Resolve};

/// A run as the outside world saw it.
#[derive(Debug, Default)]
struct Seen {
    /// Operations that a provider was asked.
    asked: BTreeSet<OperationId>,
    /// Objects whose "done" was said.
    done: BTreeSet<String>,
    /// Objects that exist.
    made: BTreeSet<String>,
}

/// A run that makes some objects with a checkpoint in the middle, until it ends or dies.
async fn make(rig: &Rig, seen: &mut Seen, round: &str) -> Result<(), RunError> {
    let (run, recovered) = rig.try_open().await?;
    for open in recovered.open {
        // Recovery looks at the world.
        let name = open.intent.address.resource.name.to_string();
        let exists = seen.made.contains(&name);
        let resolve = Resolve {
            op: open.intent.op,
            how: if exists {
                Resolution::Adopted { id: name.clone() }
            } else {
                Resolution::Absent
            },
            evidence: String::new(),
            who: "recovery".into(),
            address: open.intent.address.clone(),
            changes_state: exists,
            instance: exists.then(|| instance(&name)),
        };
        run.resolve(resolve).await?;
    }
    for n in 0..4 {
        let name = format!("{round}{n}");
        let intent = rig.intent(&name);
        run.intent(intent.clone()).await?;
        assert!(seen.asked.insert(intent.op));
        seen.made.insert(name.clone());
        run.result(done(&intent, &name)).await?;
        seen.done.insert(name);
        if n == 1 {
            run.checkpoint().await?;
        }
    }
    run.close().await?;
    Ok(())
}

/// Whether nothing is lost: every object is in the state that the next run has, or in an open intent that names it.
async fn nothing_is_lost(rig: &Rig, seen: &Seen) {
    let (run, recovered) = rig.open().await;
    let known = names(&run.state());
    let open: Vec<_> = recovered
        .open
        .iter()
        .map(|open| open.intent.address.resource.name.to_string())
        .collect();
    for name in &seen.done {
        assert!(
            known.contains(name),
            "{name} was said to be done and is not in {known:?}"
        );
    }
    for name in &seen.made {
        assert!(
            known.contains(name) || open.contains(name),
            "{name} is lost: {known:?}, {open:?}"
        );
    }
    for name in &known {
        assert!(
            seen.made.contains(name),
            "{name} is known and was never made"
        );
    }
    drop(run);
    rig.break_lock().await;
}

async fn calls_of_a_run() -> usize {
    let store = Arc::new(Observed::new(MemoryBackend::new()));
    let rig = Rig::over(Arc::clone(&store) as Arc<dyn Backend>);
    make(&rig, &mut Seen::default(), "a")
        .await
        .expect("no fault");
    let first = store.changes();
    make(&rig, &mut Seen::default(), "b")
        .await
        .expect("no fault");
    first.max(store.changes() - first)
}

#[tokio::test]
async fn death_at_any_call_loses_nothing() {
    let calls = calls_of_a_run().await;
    assert!(calls > 12, "{calls}");
    for nth in 0..calls {
        for death in [Death::Before, Death::After] {
            for earlier_run in [false, true] {
                let store = Arc::new(Observed::new(MemoryBackend::new()));
                let rig = Rig::over(Arc::clone(&store) as Arc<dyn Backend>);
                let mut seen = Seen::default();
                if earlier_run {
                    make(&rig, &mut seen, "a").await.expect("no fault");
                }
                store.die_at(nth, death);
                let ended = make(&rig, &mut seen, "b").await;
                assert!(
                    ended.is_err() || store.is_dead() || nth + 2 > calls,
                    "call {nth} was made"
                );
                store.revive();
                rig.break_lock().await;
                nothing_is_lost(&rig, &seen).await;
                // It converges: one more run is enough to resolve everything.
                make(&rig, &mut seen, "c").await.expect("no fault");
                let stored = rig.stored().await.expect("there");
                assert_eq!(
                    names(&stored).into_iter().collect::<BTreeSet<_>>(),
                    seen.made
                );
                let (run, recovered) = rig.open().await;
                assert!(
                    recovered.open.is_empty()
                        && recovered.replayed == 0
                        && recovered.interrupted.is_none()
                );
                run.close().await.expect("closed");
            }
        }
    }
}

#[tokio::test]
async fn death_during_recovery_and_during_the_recovery_of_that_loses_nothing() {
    let calls = calls_of_a_run().await;
    for nth in 1..calls {
        for second in 0..6 {
            for third in [0, 2, 4] {
                let store = Arc::new(Observed::new(MemoryBackend::new()));
                let rig = Rig::over(Arc::clone(&store) as Arc<dyn Backend>);
                let mut seen = Seen::default();
                for (round, at) in [("a", nth), ("b", second), ("c", third)] {
                    let death = if (nth + second) % 2 == 0 {
                        Death::After
                    } else {
                        Death::Before
                    };
                    store.die_at(at, death);
                    let _ = make(&rig, &mut seen, round).await;
                    store.revive();
                    rig.break_lock().await;
                    nothing_is_lost(&rig, &seen).await;
                }
                make(&rig, &mut seen, "d").await.expect("no fault");
                let stored = rig.stored().await.expect("there");
                assert_eq!(
                    names(&stored).into_iter().collect::<BTreeSet<_>>(),
                    seen.made
                );
            }
        }
    }
}
