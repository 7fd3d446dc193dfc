//! Damaged journals: refused, and made good with all that can be read.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::faults::{Death, Observed};
use super::*;
use crate::backend::Position;
use crate::journal::PlanUse;

type Journal = BTreeMap<Position, Bytes>;

/// A store as a run leaves it that made `a`, saw nothing of `b`, stored a snapshot, made `c` and died while it made `d`.
async fn interrupted() -> (Rig, Arc<Observed>) {
    let store = Arc::new(Observed::new(MemoryBackend::new()));
    let rig = Rig::over(Arc::clone(&store) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    let lost = rig.intent("b");
    run.intent(lost.clone()).await.expect("recorded");
    run.result(unknown(&lost)).await.expect("recorded");
    let plan = PlanUse {
        nonce: "n".into(),
        who: "me@here".into(),
        at: rig.clock.now(),
    };
    run.use_plan(plan).await.expect("recorded");
    run.checkpoint().await.expect("stored");
    create(&rig, &run, "c").await;
    run.intent(rig.intent("d")).await.expect("recorded");
    drop(run);
    rig.break_lock().await;
    (rig, store)
}

/// The next run: names in the state, and addresses of unresolved operations.
async fn next(rig: &Rig) -> (Vec<String>, Vec<String>) {
    let (run, recovered) = rig.open().await;
    let open = recovered.open.iter();
    let open = open.map(|open| open.intent.address.resource.name.to_string());
    let (known, mut open) = (names(&run.state()), open.collect::<Vec<_>>());
    open.sort();
    run.close().await.expect("closed");
    (known, open)
}

/// Repairs it; returns the announced findings.
async fn repair(rig: &Rig) -> (crate::Damage, Recovered) {
    let repair = rig.try_repair().await.expect("locked");
    let damage = repair.damage().expect("damaged").clone();
    let saved = repair.saved();
    let copy = repair.restart().await.expect("repaired");
    assert!(copy.expect("a copy").contains("20270115T080000Z"));
    repair.close().await.expect("unlocked");
    (damage, saved)
}

fn strings<const N: usize>(of: [&str; N]) -> Vec<String> {
    of.map(str::to_owned).to_vec()
}

#[tokio::test]
async fn a_whole_journal_needs_no_repair_and_is_not_touched() {
    let (rig, store) = interrupted().await;
    let before = store.read_journal().await.expect("readable");
    let repair = rig.try_repair().await.expect("locked");
    assert_eq!(repair.damage(), None);
    assert_eq!(repair.restart().await.expect("nothing to do"), None);
    repair.close().await.expect("unlocked");
    assert_eq!(store.read_journal().await.expect("readable"), before);
    assert_eq!(next(&rig).await, (strings(["a", "c"]), strings(["b", "d"])));
}

#[tokio::test]
async fn garbage_behind_the_last_record_is_refused_and_repaired_without_a_loss() {
    for garbage in [vec![0; 4096], b"garbage".to_vec(), vec![0xff; 3]] {
        let (rig, store) = interrupted().await;
        store.inner().damage_journal(|journal: &mut Journal| {
            let mut last = journal.last_entry().expect("a segment");
            let whole = [&last.get()[..], &garbage].concat();
            last.insert(whole.into());
        });
        let error = rig.try_open().await.expect_err("damaged");
        assert_eq!(error.failure(), Failure::Refused, "{error}");
        let (damage, saved) = repair(&rig).await;
        assert_eq!(damage.behind, 0);
        assert_eq!((saved.replayed, saved.open.len()), (1, 2));
        assert_eq!(next(&rig).await, (strings(["a", "c"]), strings(["b", "d"])));
        assert_eq!(next(&rig).await, (strings(["a", "c"]), strings(["b", "d"])));
    }
}

#[tokio::test]
async fn whichever_segments_are_lost_the_next_run_has_what_the_others_say() {
    let (rig, store) = interrupted().await;
    let segments = store.read_journal().await.expect("readable").len();
    drop(rig);
    for first in 0..segments {
        for count in 1..3 {
            let (rig, store) = interrupted().await;
            let mut kept = Vec::new();
            store.inner().damage_journal(|journal: &mut Journal| {
                let lost: Vec<Position> = journal.keys().skip(first).take(count).copied().collect();
                journal.retain(|at, _| !lost.contains(at));
                let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
                kept = journal.values().map(text).collect();
            });
            if rig.try_open().await.is_ok() {
                // Nobody can know that a last one is missing.
                assert!(first + count >= segments);
                continue;
            }
            let (damage, saved) = repair(&rig).await;
            let (known, open) = next(&rig).await;
            assert_eq!(saved.open.len(), open.len(), "{damage}");
            for name in ["a", "b", "c", "d"] {
                let says = |what: &str, text: &String| {
                    let of_it = format!("t_thing.{name}\"");
                    text.contains(what) && text.contains(&of_it)
                };
                let begun = kept.iter().any(|text| says("\"intent\"", text));
                let is_known = known.iter().chain(&open).any(|known| known == name);
                assert!(
                    !begun || is_known,
                    "{first} {count}: {name} is lost: {damage}"
                );
            }
            assert!(known.contains(&"a".to_owned()), "the snapshot has it");
        }
    }
}

#[tokio::test]
async fn a_segment_that_is_trimmed_while_the_journal_is_read_is_no_damage() {
    let (_, store) = interrupted().await;
    let first = store.read_journal().await.expect("readable").remove(0);
    store.hide_once(first.at);
    let (state, recovered) = Run::look(&*store).await.expect("whole");
    assert_eq!(
        (names(&state), recovered.open.len()),
        (strings(["a", "c"]), 2)
    );
}

#[tokio::test]
async fn a_plan_that_was_used_stays_used() {
    let (rig, store) = interrupted().await;
    store.inner().damage_journal(|journal: &mut Journal| {
        journal.pop_first();
    });
    repair(&rig).await;
    let (run, _) = rig.open().await;
    assert!(run.plan_use("n").is_some());
    run.close().await.expect("closed");
}

#[tokio::test]
async fn a_journal_of_which_nothing_can_be_read_goes_on_from_the_state_that_is_there() {
    let (rig, store) = interrupted().await;
    store.inner().damage_journal(|journal: &mut Journal| {
        for bytes in journal.values_mut() {
            *bytes = Bytes::from_static(&[0; 100]);
        }
    });
    let (damage, saved) = repair(&rig).await;
    assert_eq!(
        (damage.before, damage.behind, damage.last_known),
        (0, 0, None)
    );
    assert_eq!((saved.replayed, saved.open.len()), (0, 0));
    assert_eq!(next(&rig).await, (strings(["a"]), strings([])));
}

#[tokio::test]
async fn a_place_that_no_counting_leads_to_is_damage_and_is_not_gone_on_from() {
    let (rig, store) = interrupted().await;
    store.inner().damage_journal(|journal: &mut Journal| {
        let last = journal.values().last().expect("a segment").clone();
        let at = Position {
            epoch: u64::MAX,
            segment: 0,
        };
        journal.insert(at, last);
    });
    let (damage, _) = repair(&rig).await;
    assert!(
        damage.reason.contains("the end of what can be counted"),
        "{damage}"
    );
    assert_eq!(next(&rig).await, (strings(["a", "c"]), strings(["b", "d"])));
    let last = store.read_journal().await.expect("readable").pop();
    assert_eq!(last.expect("a segment").at.epoch, 3);
}

#[tokio::test]
async fn a_repaired_journal_is_as_strict_about_the_state_as_the_old_one() {
    let (rig, store) = interrupted().await;
    let mut segments = Journal::new();
    store.inner().damage_journal(|journal: &mut Journal| {
        journal.pop_first();
        segments = journal.clone();
    });
    // The state is gone as well.
    let other = MemoryBackend::new();
    other.damage_journal(|journal| *journal = segments);
    let other = Rig::over(Arc::new(other));
    drop(rig);
    repair(&other).await;
    let error = other.try_open().await.expect_err("no state");
    assert!(
        matches!(error, RunError::RolledBack { stored: None, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_repair_that_dies_leaves_the_old_journal_or_the_new_one() {
    for nth in 0..3 {
        for death in [Death::Before, Death::After] {
            let (rig, store) = interrupted().await;
            store.inner().damage_journal(|journal: &mut Journal| {
                journal.pop_first();
            });
            store.die_at(nth, death);
            if let Ok(repair) = rig.try_repair().await {
                let _ = repair.restart().await;
                let _ = repair.close().await;
            }
            assert!(store.is_dead());
            store.revive();
            rig.break_lock().await;
            if rig.try_open().await.is_err() {
                repair(&rig).await;
            } else {
                rig.break_lock().await;
            }
            assert_eq!(next(&rig).await, (strings(["a", "c"]), strings(["b", "d"])));
        }
    }
}

#[tokio::test]
async fn who_slept_through_a_repair_begins_nothing_more() {
    let store = Arc::new(MemoryBackend::new());
    let rig = Rig::over(Arc::clone(&store) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    create(&rig, &run, "b").await;
    rig.break_lock().await;
    store.damage_journal(|journal| {
        journal.pop_first();
    });
    repair(&rig).await;
    let refused = run.intent(rig.intent("c")).await.expect_err("fenced");
    assert!(matches!(refused, RecordError::Fenced { .. }), "{refused}");
    assert_eq!(next(&rig).await.0, strings(["a", "b"]));
}
