//! Instances between two states: a death at every call to either store leaves before or after, and the next run of either side finishes.

use std::collections::BTreeSet;

use super::faults::{Death, Observed};
use super::*;
use crate::journal::Change;
use crate::run::transfer::{TransferEnd, TransferError, TransferOrder, finish_transfer, transfer};

/// Two stores, each watched.
struct Two {
    stores: [Arc<Observed>; 2],
    rigs: [Rig; 2],
}

/// The instances that move, and one of each state that stays.
const MOVING: [&str; 2] = ["a", "b"];

impl Two {
    /// Both states with something in them.
    async fn new() -> Self {
        let stores = [(); 2].map(|()| Arc::new(Observed::new(MemoryBackend::new())));
        let rigs = stores
            .each_ref()
            .map(|store| Rig::over(Arc::clone(store) as Arc<dyn Backend>));
        // Random ids of the two must differ.
        rigs[1].random.0.store(1 << 32, Ordering::Relaxed);
        let two = Self { stores, rigs };
        for (rig, names) in two.rigs.iter().zip([&["a", "b", "stays"][..], &["other"]]) {
            let (run, _) = rig.open().await;
            for name in names {
                let intent = rig.intent(name);
                run.intent(intent.clone()).await.expect("recorded");
                run.result(done(&intent, name)).await.expect("recorded");
            }
            run.close().await.expect("closed");
        }
        two
    }

    /// Moves, as a command does it that may die.
    async fn move_all(&self) -> Result<(), String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let from = self.rigs[0]
            .try_open()
            .await
            .map_err(|error| text(&error))?;
        let to = self.rigs[1]
            .try_open()
            .await
            .map_err(|error| text(&error))?;
        let order = TransferOrder {
            from: "one".to_owned(),
            to: "two".to_owned(),
            addresses: MOVING.into_iter().map(address).collect(),
        };
        let moved = transfer(&from.0, &to.0, &order).await;
        moved.map_err(|error| text(&error))?;
        from.0.close().await.map_err(|error| text(&error))?;
        to.0.close().await.map_err(|error| text(&error))?;
        Ok(())
    }

    /// The process is dead: others see what it left.
    async fn bury(&self) {
        for (store, rig) in self.stores.iter().zip(&self.rigs) {
            store.revive();
            rig.break_lock().await;
        }
    }

    /// What the next command of the first stack does before anything else.
    async fn finish(&self) -> Option<TransferEnd> {
        let (from, _) = self.rigs[0].open().await;
        let mut end = None;
        for announced in from.transfers() {
            assert_eq!(announced.other, "two");
            let (to, _) = self.rigs[1].open().await;
            let finished = finish_transfer(&from, &to, &announced).await;
            end = Some(finished.expect("recorded"));
            to.close().await.expect("closed");
        }
        from.close().await.expect("closed");
        end
    }

    /// The names in both states, as their next runs have them.
    async fn names(&self) -> [BTreeSet<String>; 2] {
        let mut all = Vec::new();
        for rig in &self.rigs {
            let (run, _) = rig.open().await;
            all.push(names(&run.state()).into_iter().collect());
            run.close().await.expect("closed");
        }
        all.try_into().expect("two states")
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn before() -> [BTreeSet<String>; 2] {
    [set(&["a", "b", "stays"]), set(&["other"])]
}

fn after() -> [BTreeSet<String>; 2] {
    [set(&["stays"]), set(&["a", "b", "other"])]
}

#[tokio::test]
async fn instances_go_from_one_state_to_the_other_and_nothing_is_left_to_do() {
    let two = Two::new().await;
    two.move_all().await.expect("no fault");
    assert_eq!(two.names().await, after());
    assert_eq!(two.finish().await, None);
    let stored = two.rigs[1].stored().await.expect("a state");
    let moved = stored.instance(&address("a")).expect("it arrived");
    assert_eq!(*moved, instance("a"));
}

#[tokio::test]
async fn death_at_any_call_to_either_store_leaves_before_or_after_and_is_finished() {
    let mut seen = BTreeSet::new();
    for side in [0, 1] {
        let calls = {
            let two = Two::new().await;
            let begun = two.stores[side].changes();
            two.move_all().await.expect("no fault");
            two.stores[side].changes() - begun
        };
        assert!(calls > 5, "{calls}");
        for nth in 0..calls {
            for death in [Death::Before, Death::After] {
                for other_first in [false, true] {
                    let two = Two::new().await;
                    two.stores[side].die_at(nth, death);
                    let ended = two.move_all().await;
                    assert!(two.stores[side].is_dead(), "call {nth} was made: {ended:?}");
                    two.bury().await;
                    if other_first {
                        // The next command is one of the other stack: it has them or not, and finds no half of it.
                        let [_, there] = two.names().await;
                        let all = MOVING.iter().all(|name| there.contains(*name));
                        let none = MOVING.iter().all(|name| !there.contains(*name));
                        assert!(all || none, "{there:?}");
                    }
                    let end = two.finish().await;
                    let now = two.names().await;
                    let case = format!("side {side}, call {nth}, {death:?}: {end:?}");
                    assert!(now == before() || now == after(), "{case}: {now:?}");
                    if let Some(end) = end {
                        let expected = match end {
                            TransferEnd::Left => after(),
                            TransferEnd::Stayed => before(),
                        };
                        assert_eq!(now, expected, "{case}");
                    }
                    // It converges, and the move can be made again where it was not made.
                    assert_eq!(two.finish().await, None, "{case}");
                    if now == before() {
                        two.move_all().await.expect("no fault");
                    }
                    assert_eq!(two.names().await, after(), "{case}");
                    seen.insert(match end {
                        None => "ended",
                        Some(TransferEnd::Left) => "left",
                        Some(TransferEnd::Stayed) => "stayed",
                    });
                }
            }
        }
    }
    assert_eq!(seen, BTreeSet::from(["ended", "left", "stayed"]));
}

#[tokio::test]
async fn what_becomes_of_an_arrived_instance_does_not_bring_it_back_to_where_it_came_from() {
    let two = Two::new().await;
    {
        // The command dies when the instances have arrived.
        let (from, _) = two.rigs[0].open().await;
        let (to, _) = two.rigs[1].open().await;
        let begun = two.stores[0].changes();
        let order = TransferOrder {
            from: "one".to_owned(),
            to: "two".to_owned(),
            addresses: MOVING.into_iter().map(address).collect(),
        };
        // The announcement, and no second record.
        two.stores[0].die_at(1, Death::Before);
        let ended = transfer(&from, &to, &order).await;
        assert!(matches!(ended, Err(TransferError::Unrecorded(_))));
        assert!(two.stores[0].changes() > begun);
    }
    two.bury().await;
    // The other stack destroys one, and goes on for several runs.
    for round in 0..3 {
        let (run, _) = two.rigs[1].open().await;
        run.change(Change::Instance {
            address: address("a"),
            instance: None,
        });
        let intent = two.rigs[1].intent(&format!("new{round}"));
        run.intent(intent.clone()).await.expect("recorded");
        run.result(done(&intent, "new")).await.expect("recorded");
        run.close().await.expect("closed");
    }
    assert_eq!(two.finish().await, Some(TransferEnd::Left));
    let [here, there] = two.names().await;
    assert_eq!(here, set(&["stays"]));
    assert!(there.contains("b") && !there.contains("a"), "{there:?}");
}

#[tokio::test]
async fn nothing_is_put_over_something_else_and_a_missing_one_is_named() {
    let two = Two::new().await;
    let (from, _) = two.rigs[0].open().await;
    let (to, _) = two.rigs[1].open().await;
    to.change(Change::Instance {
        address: address("b"),
        instance: Some(instance("b")),
    });
    for (name, message) in [
        ("b", "is in the other state already"),
        ("c", "is not in the state"),
    ] {
        let order = TransferOrder {
            from: "one".to_owned(),
            to: "two".to_owned(),
            addresses: [address(name)].into(),
        };
        let refused = transfer(&from, &to, &order).await.expect_err("refused");
        assert!(refused.to_string().contains(message), "{refused}");
    }
    assert!(from.transfers().is_empty() && to.transfers().is_empty());
}
