//! A run from its lock to its end, when nothing goes wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::faults::{Death, Observed};
use super::*;
use crate::backend::{Expected, Holder};
use crate::journal::{Change, Resolution, Resolve};
use crate::model::OutputValue;

#[tokio::test]
async fn a_run_writes_one_snapshot_and_leaves_nothing_else() {
    let rig = Rig::new();
    let (run, recovered) = rig.open().await;
    assert!(recovered.interrupted.is_none() && recovered.open.is_empty());
    create(&rig, &run, "a").await;
    create(&rig, &run, "b").await;
    let closed = run.close().await.expect("closed");
    assert_eq!((closed.serial, closed.written), (1, true));
    let stored = rig.stored().await.expect("there");
    assert_eq!(names(&stored), ["a", "b"]);
    assert_eq!((stored.serial, stored.lineage.is_empty()), (1, false));
    assert_eq!(rig.backend.holder().await.expect("readable"), None);
    let journal = rig.backend.read_journal().await.expect("readable");
    assert_eq!(journal.len(), 1, "only the end of the run is kept");
    assert_eq!(rig.backend.history().await.expect("readable").len(), 1);
}

#[tokio::test]
async fn a_run_that_changes_nothing_writes_nothing() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    run.close().await.expect("closed");
    let before = rig.backend.read_journal().await.expect("readable");

    let (run, _) = rig.open().await;
    let same = run.instance(&address("a"));
    run.change(Change::Instance {
        address: address("a"),
        instance: same,
    });
    run.change(Change::Outputs(BTreeMap::new()));
    let closed = run.close().await.expect("closed");
    assert_eq!((closed.serial, closed.written), (1, false));
    assert_eq!(rig.backend.read_journal().await.expect("readable"), before);
    assert_eq!(rig.backend.history().await.expect("readable").len(), 1);
}

#[tokio::test]
async fn it_is_known_whether_everything_was_read_after_the_last_operation() {
    let rig = Rig::new();
    let (run, recovered) = rig.open().await;
    assert!(!recovered.unread && !run.is_unread());
    run.all_was_read();
    create(&rig, &run, "a").await;
    run.close().await.expect("closed");
    // A run that reads nothing leaves it as it is; one that reads everything and does nothing does not.
    for reads in [false, true] {
        let (run, recovered) = rig.open().await;
        assert!(recovered.unread && run.is_unread());
        if reads {
            run.all_was_read();
        }
        run.close().await.expect("closed");
    }
    let (_, recovered) = Run::look(&*rig.backend).await.expect("readable");
    assert!(!recovered.unread);
    // A run that dies is known by its results.
    let (run, _) = rig.open().await;
    create(&rig, &run, "b").await;
    drop(run);
    rig.break_lock().await;
    let (run, recovered) = rig.open().await;
    assert!(recovered.unread && run.is_unread());
}

#[tokio::test]
async fn serials_rise_by_one_and_the_lineage_stays() {
    let rig = Rig::new();
    let mut lineage = None;
    for serial in 1..4 {
        let (run, _) = rig.open().await;
        create(&rig, &run, &format!("x{serial}")).await;
        run.close().await.expect("closed");
        let stored = rig.stored().await.expect("there");
        assert_eq!(stored.serial, serial);
        assert_eq!(
            *lineage.get_or_insert(stored.lineage.clone()),
            stored.lineage
        );
    }
}

#[tokio::test]
async fn changes_without_operations_are_kept() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    let output = OutputValue {
        value: RawJson::string("v"),
        ty: terrane_core::Type::String,
        sensitive: true,
        extra: Arc::default(),
    };
    run.change(Change::Instance {
        address: address("a"),
        instance: Some(instance("i")),
    });
    run.change(Change::Outputs(BTreeMap::from([(
        "x".into(),
        output.clone(),
    )])));
    assert!(run.instance(&address("a")).is_some());
    run.close().await.expect("closed");
    let stored = rig.stored().await.expect("there");
    assert_eq!(stored.outputs["x"], output);
    assert_eq!(names(&stored), ["a"]);
}

#[tokio::test]
async fn an_unknown_outcome_stays_unresolved_over_runs_until_it_is_resolved() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    let intent = rig.intent("a");
    run.intent(intent.clone()).await.expect("recorded");
    run.result(unknown(&intent)).await.expect("recorded");
    let closed = run.close().await.expect("closed");
    assert_eq!(closed.open.len(), 1);

    for _ in 0..2 {
        let (run, recovered) = rig.open().await;
        assert!(recovered.interrupted.is_none());
        assert_eq!(recovered.open[0].intent, intent);
        assert_eq!(recovered.open[0].by, Some(rig.options().process));
        assert_eq!(
            recovered.open[0]
                .result
                .as_ref()
                .map(|result| result.outcome),
            Some(OperationOutcome::Unknown)
        );
        create(&rig, &run, "other").await;
        assert_eq!(run.close().await.expect("closed").open.len(), 1);
    }

    let (run, _) = rig.open().await;
    let resolve = Resolve {
        op: intent.op,
        how: Resolution::Adopted { id: "i".into() },
        evidence: "a person looked".into(),
        who: "me@here".into(),
        address: intent.address.clone(),
        changes_state: true,
        instance: Some(instance("i")),
    };
    run.resolve(resolve).await.expect("recorded");
    assert!(run.close().await.expect("closed").open.is_empty());
    let (run, recovered) = rig.open().await;
    assert!(recovered.open.is_empty());
    assert!(run.instance(&intent.address).is_some());
}

#[tokio::test]
async fn records_that_are_ready_together_cost_one_write() {
    let observed = Arc::new(Observed::new(MemoryBackend::new()).slow());
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    let operations = (0..100).map(|n| {
        let (rig, run) = (&rig, &run);
        async move { create(rig, run, &format!("x{n}")).await }
    });
    futures_util::future::join_all(operations).await;
    let appends = observed.count("append_journal");
    assert!(appends <= 6, "{appends} appends for 100 operations");
    run.close().await.expect("closed");
}

#[tokio::test]
async fn a_dropped_future_leaves_its_record_to_the_next() {
    let observed = Arc::new(Observed::new(MemoryBackend::new()).slow());
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    let first = rig.intent("a");
    {
        let mut intent = Box::pin(run.intent(first.clone()));
        // Polled until it is inside of the store, then dropped.
        assert!(futures_util::poll!(&mut intent).is_pending());
    }
    create(&rig, &run, "b").await;
    drop(run);
    rig.break_lock().await;
    let (_, recovered) = rig.open().await;
    assert_eq!(
        recovered
            .open
            .iter()
            .map(|open| open.intent.op)
            .collect::<Vec<_>>(),
        [first.op]
    );
    assert_eq!(recovered.replayed, 1);
}

#[tokio::test]
async fn snapshots_are_checkpoints_and_not_one_a_result() {
    let observed = Arc::new(Observed::new(MemoryBackend::new()));
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    for n in 0..450 {
        create(&rig, &run, &format!("x{n}")).await;
    }
    assert_eq!(observed.count("write"), 2);
    rig.clock.advance(Duration::from_secs(31));
    create(&rig, &run, "late").await;
    assert_eq!(observed.count("write"), 3);
    run.checkpoint().await.expect("stored");
    assert_eq!(observed.count("write"), 3, "nothing new to store");
    run.close().await.expect("closed");
    assert_eq!(observed.count("write"), 3);
    assert_eq!(rig.stored().await.expect("there").resources.len(), 451);
}

#[tokio::test]
async fn bytes_written_grow_with_what_changes_and_not_with_the_state() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    for n in 0..2_000 {
        create(&rig, &run, &format!("x{n}")).await;
    }
    run.close().await.expect("closed");

    let observed = Arc::new(Observed::new(MemoryBackend::new()));
    let state = rig
        .backend
        .read()
        .await
        .expect("readable")
        .expect("there")
        .bytes;
    let size = state.len();
    observed
        .write(state, &Expected::Absent)
        .await
        .expect("written");
    let written_before = observed.bytes();
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    for n in 0..10 {
        create(&rig, &run, &format!("y{n}")).await;
    }
    let journal = observed.bytes() - written_before;
    assert!(journal < 20_000, "{journal} bytes for ten operations");
    run.close().await.expect("closed");
    assert!(observed.bytes() - written_before < size + 50_000);
}

#[tokio::test]
async fn many_results_cost_bytes_in_proportion() {
    let cost = async |count: usize| {
        let observed = Arc::new(Observed::new(MemoryBackend::new()));
        let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
        let (run, _) = rig.open().await;
        for n in 0..count {
            create(&rig, &run, &format!("x{n}")).await;
        }
        run.close().await.expect("closed");
        observed.bytes()
    };
    let (small, large) = (cost(1_000).await, cost(4_000).await);
    assert!(
        large < small * 5,
        "{small} bytes for 1,000, {large} for 4,000"
    );
}

#[tokio::test]
async fn a_held_lock_is_waited_for_and_its_holder_named() {
    let rig = Rig::new();
    let (first, _) = rig.open().await;
    let waiting = Waiting::default();
    let options = RunOptions {
        lock_timeout: Duration::from_secs(10),
        ..rig.options()
    };
    let opened = Run::open(
        Arc::clone(&rig.backend),
        options,
        Arc::clone(&rig.clock) as Arc<dyn Clock>,
        Arc::clone(&rig.random) as Arc<dyn Random>,
        &waiting,
    );
    let error = opened.await.map(drop).expect_err("locked");
    assert_eq!(error.failure(), Failure::Locked);
    let RunError::Locked { holder, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(holder.info.expect("readable").id, first.lock_id());
    // After 1, 2, 4 and the rest of ten seconds.
    assert_eq!(waiting.seen.load(Ordering::Relaxed), 4);
    assert_eq!(rig.clock.monotonic(), Duration::from_secs(10));
}

/// Counts refusals, and loses patience after some.
#[derive(Default)]
struct Waiting {
    seen: AtomicUsize,
    enough: Option<usize>,
}

impl Patience for Waiting {
    fn refused(&self, _: &Holder) {
        self.seen.fetch_add(1, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.enough
            .is_some_and(|enough| self.seen.load(Ordering::Relaxed) >= enough)
    }
}

#[tokio::test]
async fn who_loses_patience_waits_no_longer_and_holds_nothing() {
    let rig = Rig::new();
    let (first, _) = rig.open().await;
    let options = RunOptions {
        lock_timeout: Duration::from_secs(3600),
        ..rig.options()
    };
    let waiting = Waiting {
        enough: Some(2),
        ..Waiting::default()
    };
    let opened = Run::open(
        Arc::clone(&rig.backend),
        options,
        Arc::clone(&rig.clock) as Arc<dyn Clock>,
        Arc::clone(&rig.random) as Arc<dyn Random>,
        &waiting,
    );
    let error = opened.await.map(drop).expect_err("locked");
    assert_eq!(error.failure(), Failure::Locked);
    assert!(rig.clock.monotonic() < Duration::from_secs(2));
    first.close().await.expect("still its own");
}

#[tokio::test]
async fn a_closed_run_takes_no_record() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    run.close().await.expect("closed");
    assert!(matches!(
        run.intent(rig.intent("a")).await,
        Err(RecordError::Closed)
    ));
}

#[tokio::test]
async fn what_is_open_outlives_a_replay_that_changes_nothing() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    let gone = OperationResult {
        instance: None,
        ..done(&rig.intent("a"), "a")
    };
    run.result(gone).await.expect("recorded");
    let intent = rig.intent("b");
    run.intent(intent.clone()).await.expect("recorded");
    drop(run);
    for _ in 0..3 {
        rig.break_lock().await;
        let (_, recovered) = rig.open().await;
        assert_eq!(recovered.open.len(), 1);
        assert_eq!(recovered.open[0].intent, intent);
    }
}

fn origin() -> crate::Origin {
    crate::Origin {
        place: "memory".into(),
        arguments: "--backend memory".into(),
    }
}

#[tokio::test]
async fn a_state_that_can_not_be_stored_is_rescued_into_a_file_for_its_owner() {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("errored.tfstate");
    for _ in 0..2 {
        run.rescue(&path, origin()).await.expect("written");
    }
    let bytes = std::fs::read(&path).expect("readable");
    let state = crate::file::read(&bytes).expect("a state");
    assert_eq!((names(&state), state.serial), (vec!["a".to_owned()], 1));
    assert!(!state.lineage.is_empty());
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).expect("there"));
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_rescue_file_resolves_the_operations_that_the_journal_lacks_and_nothing_else() {
    let observed = Arc::new(Observed::new(MemoryBackend::new()));
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    create(&rig, &run, "known").await;
    let intents = ["made", "failed", "unseen"].map(|name| rig.intent(name));
    for intent in &intents {
        run.intent(intent.clone()).await.expect("recorded");
    }
    observed.die_at(0, Death::Before);
    let [made, failed, unseen] = &intents;
    let nothing = OperationResult {
        outcome: OperationOutcome::FailedProved,
        instance: None,
        ..done(failed, "")
    };
    for result in [done(made, "m"), nothing, unknown(unseen)] {
        run.result(result).await.expect_err("no answer");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("errored.tfstate");
    run.rescue(&path, origin()).await.expect("written");
    observed.revive();
    rig.break_lock().await;

    // Somebody else went on meanwhile.
    let (run, _) = rig.open().await;
    create(&rig, &run, "other").await;
    run.close().await.expect("closed");
    let file = std::fs::read(&path).expect("readable");
    let file = crate::file::read(&file).expect("a state");
    let rescued = crate::Rescued::of(&file).expect("a rescue");
    assert_eq!(rescued.origin(), Some(&origin()));
    let stored = rig.stored().await.expect("there");
    assert_eq!(rescued.missing_from(&stored), [address("made")]);
    assert_eq!(
        crate::Rescued::of(&rig.stored().await.expect("there")),
        None
    );
    for resolved in [2, 0] {
        let (run, _) = rig.open().await;
        let resolutions = rescued.resolutions(&run.open_intents(), "me@here");
        assert_eq!(resolutions.len(), resolved);
        for resolve in resolutions {
            run.resolve(resolve).await.expect("recorded");
        }
        run.close().await.expect("closed");
        let stored = rig.stored().await.expect("there");
        assert_eq!(names(&stored), ["known", "made", "other"]);
        assert!(stored.extra.is_empty());
        assert_eq!(rescued.missing_from(&stored), []);
    }
    let (run, _) = rig.open().await;
    let open = run.open_intents();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].intent.address, address("unseen"));
}

#[tokio::test]
async fn our_own_snapshot_whose_answer_was_lost_is_known_and_not_replayed() {
    let observed = Arc::new(Observed::new(MemoryBackend::new()));
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    // Two objects after each other at one address: the first result contradicts the snapshot, which holds the second.
    for id in ["one", "two"] {
        let intent = rig.intent("a");
        run.intent(intent.clone()).await.expect("recorded");
        run.result(done(&intent, id)).await.expect("recorded");
    }
    // The announcement of the snapshot, then the snapshot itself.
    observed.die_at(1, Death::After);
    run.checkpoint().await.expect_err("no answer");
    observed.revive();
    rig.break_lock().await;
    let (run, recovered) = rig.open().await;
    assert_eq!((recovered.replayed, recovered.open.len()), (0, 0));
    assert_eq!(run.instance(&address("a")), Some(instance("two")));
}

#[tokio::test]
async fn an_operation_whose_intent_could_not_be_recorded_is_not_begun_and_asks_nobody() {
    for death in [Death::Before, Death::After] {
        let observed = Arc::new(Observed::new(MemoryBackend::new()));
        let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
        let (run, _) = rig.open().await;
        create(&rig, &run, "a").await;
        observed.die_at(0, death);
        let lost = run.intent(rig.intent("b")).await;
        lost.expect_err("no answer");
        assert!(run.open_intents().is_empty());
        observed.revive();
        run.close().await.expect("closed");
        let (_, recovered) = rig.open().await;
        assert_eq!(recovered.open, []);
    }
}

#[tokio::test]
async fn a_run_knows_where_all_that_it_did_is_kept() {
    let observed = Arc::new(Observed::new(MemoryBackend::new()));
    let rig = Rig::over(Arc::clone(&observed) as Arc<dyn Backend>);
    let (run, _) = rig.open().await;
    assert_eq!(run.kept().await, Kept::State);
    create(&rig, &run, "a").await;
    assert_eq!(run.kept().await, Kept::Journal);
    run.checkpoint().await.expect("stored");
    assert_eq!(run.kept().await, Kept::State);
    // Values that were only read are read again by the next run.
    run.change(Change::Instance {
        address: address("a"),
        instance: Some(instance("drifted")),
    });
    observed.die_at(0, Death::Before);
    run.checkpoint().await.expect_err("no answer");
    assert_eq!(run.kept().await, Kept::Journal);
    observed.revive();
    let intent = rig.intent("b");
    run.intent(intent.clone()).await.expect("recorded");
    assert_eq!(run.kept().await, Kept::Journal);
    observed.die_at(0, Death::Before);
    let lost = run.result(done(&intent, "b")).await;
    lost.expect_err("no answer");
    assert_eq!(run.kept().await, Kept::Nowhere);
}
