//! S3 as it may work: answers that are lost, writes that are not stored, objects that are damaged.

use std::sync::Arc;

use terrane_state::backend::S3Backend;
use terrane_state::{
    Damage, Failure, Operation, ProcessIdentity, RecordError, Recorder, Repair, Run, RunError,
    RunOptions, SystemClock, SystemRandom,
};

use crate::world::*;
use terrane_tests::{Aws, Fate, aws};

#[tokio::test]
async fn a_lost_answer_to_any_write_of_a_run_is_no_loss_and_no_conflict() {
    let Some(aws) = aws() else { return };
    // Lock item, journal segment, snapshot, digest, unlock.
    for request in ["PutItem", "PUT /state-", "tfstate?", "DeleteItem"] {
        for fate in [Fate::AnswerLost, Fate::Lost, Fate::Busy] {
            let options = prepared(&aws)
                .await
                .workspace(format!("w{}", aws.requests().len()));
            aws.once(request, fate);
            let (run, _) = open(&options).await;
            create(&run, "a").await;
            let closed = run.close().await;
            aws.when(|_| Fate::Answered);
            assert!(closed.is_ok(), "{request} {fate:?}: {closed:?}");
            let store = connect(&options).await;
            assert_eq!(store.holder().await.expect("readable"), None);
            let snapshot = store.read().await.expect("readable").expect("there");
            let state = terrane_state::file::read(&snapshot.bytes).expect("a state");
            assert_eq!((names(&state), state.serial), (vec!["a".to_owned()], 1));
        }
    }
}

#[tokio::test]
async fn a_lock_that_was_taken_without_an_answer_is_given_back() {
    let Some(aws) = aws() else { return };
    let table = prepared(&aws).await;
    let file = aws.backend().lockfile();
    for (n, (options, request)) in [
        (table.clone(), "PutItem"),
        (file, ".tflock"),
        (table.clone().lockfile(), "PutItem"),
        (table.clone().lockfile(), ".tflock"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut options = options.workspace(format!("w{n}"));
        options.set("max_retries", "0").expect("an option");
        aws.once(request, Fate::AnswerLost);
        let error = try_open(&options).await.expect_err("no answer");
        assert!(matches!(error, RunError::Backend(_)), "{error:?}");
        let store = connect(&options).await;
        assert_eq!(store.holder().await.expect("readable"), None, "{request}");

        // Another's lock stays.
        let (run, _) = open(&options).await;
        let error = try_open(&options).await.expect_err("locked");
        assert!(matches!(error, RunError::Locked { .. }), "{error:?}");
        assert!(store.holder().await.expect("readable").is_some());
        aws.once(request, Fate::AnswerLost);
        try_open(&options).await.expect_err("locked");
        assert!(store.holder().await.expect("readable").is_some());
        run.close().await.expect("closed");
    }
}

#[tokio::test]
async fn a_write_that_was_acknowledged_and_not_stored_is_noticed() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    let (run, _) = open(&options).await;
    create(&run, "a").await;
    aws.when(|request| match request {
        _ if request.starts_with("PUT ") && request.contains("tfstate?") => Fate::Intercepted,
        _ => Fate::Answered,
    });
    let error = run.close().await.expect_err("not stored");
    assert_eq!(error.failure(), Failure::Unwritten, "{error}");
    aws.when(|_| Fate::Answered);
    let (run, recovered) = open(&options).await;
    assert_eq!(recovered.replayed, 1);
    run.close().await.expect("closed");
    assert_eq!(names(&stored(&aws)), ["a"]);
}

/// Writes of a run: a text in their requests, and their number.
const WRITES: [([&str; 2], usize); 7] = [
    // The lock and the digest.
    (["PutItem", ""], 2),
    (["PUT ", ".tflock?"], 1),
    (["PUT ", ".journal/"], 4),
    (["PUT ", "tfstate?"], 1),
    (["DeleteItem", ""], 1),
    (["DELETE ", ".tflock?"], 1),
    (["POST ", "?delete"], 1),
];

/// Whether a later run, and Terraform, find that state, no lock and no unresolved operation.
async fn all_is_well(aws: &Aws, options: &S3Backend, expected: &[&str]) {
    let store = connect(options).await;
    assert_eq!(store.holder().await.expect("readable"), None);
    let snapshot = store.read().await.expect("readable").expect("there");
    assert_eq!(snapshot.doubt, None);
    let (state, recovered) = Run::look(&*store).await.expect("readable");
    assert_eq!(names(&state), expected);
    assert!(recovered.open.is_empty() && recovered.interrupted.is_none());
    assert_eq!(aws.keys("prod/terraform.tfstate.journal-damaged"), [""; 0]);
}

#[tokio::test]
async fn a_write_that_is_acknowledged_and_dropped_is_made_once_more() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await.lockfile();
    for (texts, count) in WRITES {
        for nth in 1..=count {
            let options = options.clone();
            let options = options.workspace(format!("w{}", aws.requests().len()));
            for (name, fate) in [("a", Fate::Answered), ("b", Fate::Intercepted)] {
                aws.nth(texts, nth, fate);
                let (run, _) = open(&options).await;
                create(&run, name).await;
                let closed = run.close().await;
                assert!(closed.is_ok(), "{texts:?} {nth}: {closed:?}");
            }
            all_is_well(&aws, &options, &["a", "b"]).await;
        }
    }
}

#[tokio::test]
async fn a_write_that_is_dropped_again_and_again_is_an_error_and_no_operation_begins() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await.lockfile();
    for lock in ["PutItem", ".tflock?"] {
        let dropped =
            move |request: &str| match request.contains(lock) && !request.starts_with("GET") {
                true => Fate::Intercepted,
                false => Fate::Answered,
            };
        aws.when(dropped);
        let error = try_open(&options).await.map(drop).expect_err("no lock");
        assert_eq!(error.failure(), Failure::Failed, "{error}");
        assert!(error.to_string().contains("was not stored"), "{error}");
        aws.when(|_| Fate::Answered);
        let store = connect(&options).await;
        assert_eq!(store.holder().await.expect("readable"), None);
    }
    let (run, _) = open(&options).await;
    aws.when(
        |request| match request.starts_with("PUT ") && request.contains(".journal/") {
            true => Fate::Intercepted,
            false => Fate::Answered,
        },
    );
    let error = run.intent(intent("a")).await.expect_err("not stored");
    assert!(matches!(error, RecordError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("was not stored"), "{error}");
    aws.when(|_| Fate::Answered);
    create(&run, "b").await;
    run.close().await.expect("closed");
    // The caller of `a` was told that it must not begin, which is recorded with the next one.
    let looked = Run::look(&*connect(&options).await).await;
    let (state, recovered) = looked.expect("readable");
    assert_eq!(
        (names(&state), recovered.open.len()),
        (vec!["b".to_owned()], 0)
    );
}

#[tokio::test]
async fn a_proved_write_is_not_read_back() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    let (run, _) = open(&options).await;
    create(&run, "a").await;
    run.close().await.expect("closed");
    let requests = aws.requests();
    let reads = |key: &str| {
        let of_key = format!("/{}/prod/terraform.tfstate{key}", aws.name());
        let read = requests
            .iter()
            .filter(|it| it.starts_with("GET ") && it.contains(&of_key));
        read.count()
    };
    assert_eq!((reads(".journal/"), reads("?")), (0, 1), "{requests:#?}");
}

#[tokio::test]
async fn a_trim_that_is_acknowledged_and_never_happens_is_no_loss() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    for deleted in ["none", "some"] {
        aws.when(
            |request| match request.starts_with("POST ") && request.contains("?delete") {
                true => Fate::Intercepted,
                false => Fate::Answered,
            },
        );
        for _ in 0..3 {
            let (run, recovered) = open(&options).await;
            assert!(recovered.open.is_empty() && recovered.replayed == 0);
            let name = format!("{deleted}{}", names(&run.state()).len());
            create(&run, &name).await;
            run.close().await.expect("closed");
        }
        let keys = aws.keys(&format!("{STATE}.journal/"));
        assert!(keys.len() > 6, "{keys:?}");
        if deleted == "none" {
            // Objects that are deleted one by one may be gone in part.
            for key in keys.iter().rev().skip(1).step_by(2) {
                aws.delete_object(key);
            }
        }
    }
    aws.when(|_| Fate::Answered);
    let (run, _) = open(&options).await;
    assert_eq!(names(&run.state()).len(), 6);
    create(&run, "last").await;
    run.close().await.expect("closed");
    let left = connect(&options).await.read_journal().await;
    let left = left.expect("readable").into_iter();
    assert_eq!(left.filter(|segment| !segment.bytes.is_empty()).count(), 1);
}

async fn repair(options: &S3Backend) -> (Damage, String) {
    let run_options = RunOptions {
        operation: Operation::State,
        engine: "test".into(),
        process: ProcessIdentity::current("me@here", None),
        lock_timeout: std::time::Duration::ZERO,
    };
    let clock = Arc::new(SystemClock::default());
    let store = connect(options).await;
    let repair = Repair::open(store, run_options, clock, &SystemRandom, &()).await;
    let repair = repair.expect("locked");
    let damage = repair.damage().expect("damaged").clone();
    let copy = repair.restart().await.expect("repaired").expect("a copy");
    repair.close().await.expect("unlocked");
    (damage, copy)
}

#[tokio::test]
async fn a_journal_that_lost_or_damaged_objects_is_refused_and_repaired() {
    let Some(aws) = aws() else { return };
    let journal = format!("{STATE}.journal/");
    for (n, damaged) in ["", "garbage", "gone", "beyond"].into_iter().enumerate() {
        let options = prepared(&aws).await;
        let (run, _) = open(&options).await;
        create(&run, "a").await;
        run.intent(intent("b")).await.expect("recorded");
        drop(run);
        break_lock(&options).await;
        let keys = aws.keys(&journal);
        match damaged {
            "gone" => aws.delete_object(&keys[0]),
            "beyond" => aws.put_object(&format!("{journal}{}/00000000", u64::MAX), "x"),
            _ => aws.put_object(&keys[0], damaged),
        }
        let error = try_open(&options).await.map(drop).expect_err("damaged");
        assert_eq!(error.failure(), Failure::Refused, "{error}");
        let before: Vec<String> = aws.keys(&journal);
        // One of its own writes is dropped: a copy, the end of the old journal, the new one.
        aws.nth(["PUT ", ".journal"], n + 2, Fate::Intercepted);
        let (damage, copy) = repair(&options).await;
        aws.when(|_| Fate::Answered);
        let copies = copy.strip_prefix(&format!("s3://{}/", aws.name()));
        let copies = aws.keys(copies.expect("in the bucket"));
        assert_eq!(copies.len(), before.len(), "{damage}");
        assert!(copies.iter().all(|copy| copy.contains(".journal-damaged/")));
        let (run, recovered) = open(&options).await;
        assert!(
            names(&run.state()).contains(&"a".to_owned()),
            "{damaged}: {damage}"
        );
        assert!(
            recovered
                .open
                .iter()
                .any(|open| open.intent.address == address("b"))
        );
        run.close().await.expect("closed");
        aws.delete_object(STATE);
        aws.dynamodb(
            "DeleteItem",
            serde_json::json!({ "Key": { "LockID": { "S": format!("{}-md5", options.lock_path()) } } }),
        );
        for key in aws.keys(&journal).iter().chain(&copies) {
            aws.delete_object(key);
        }
    }
}

#[tokio::test]
async fn a_store_that_is_gone_at_the_end_leaves_everything_in_the_journal() {
    let Some(aws) = aws() else { return };
    let mut options = prepared(&aws).await;
    options.set("max_retries", "0").expect("an option");
    let (run, _) = open(&options).await;
    create(&run, "a").await;
    aws.when(|_| Fate::Lost);
    let error = run.close().await.expect_err("gone");
    assert_eq!(error.failure(), Failure::Unwritten, "{error}");
    assert_eq!(names(&run.state()), ["a"]);
    aws.when(|_| Fate::Answered);
    break_lock(&options).await;
    let (run, recovered) = open(&options).await;
    assert_eq!(recovered.replayed, 1);
    run.close().await.expect("closed");
}

#[tokio::test]
async fn an_intent_that_could_not_be_stored_stops_its_operation() {
    let Some(aws) = aws() else { return };
    let mut options = prepared(&aws).await;
    options.set("max_retries", "0").expect("an option");
    let (run, _) = open(&options).await;
    aws.when(|request| {
        if request.contains(".journal/") {
            Fate::Busy
        } else {
            Fate::Answered
        }
    });
    let error = run.intent(intent("a")).await.expect_err("not stored");
    assert!(matches!(error, RecordError::Unwritable { .. }), "{error}");
    // The next one writes its record, too, marked as never begun.
    aws.when(|_| Fate::Answered);
    let begun = intent("b");
    run.intent(begun.clone()).await.expect("recorded");
    drop(run);
    break_lock(&options).await;
    let (_, recovered) = open(&options).await;
    let open = recovered.open.iter().map(|open| open.intent.op);
    assert_eq!(open.collect::<Vec<_>>(), [begun.op]);
}

#[tokio::test]
async fn a_death_between_state_and_digest_heals_itself() {
    let Some(aws) = aws() else { return };
    let mut options = prepared(&aws).await;
    options.set("max_retries", "0").expect("an option");
    let (run, _) = open(&options).await;
    create(&run, "a").await;
    run.close().await.expect("closed");
    let (run, _) = open(&options).await;
    create(&run, "b").await;
    aws.when(|request| {
        if request == "PutItem" {
            Fate::Lost
        } else {
            Fate::Answered
        }
    });
    let error = run
        .checkpoint()
        .await
        .expect_err("the digest is not written");
    assert_eq!(error.failure(), Failure::Unwritten, "{error}");
    drop(run);
    aws.when(|_| Fate::Answered);
    break_lock(&options).await;

    // A read-only command recognises it, and leaves it alone.
    let (looked, _) = Run::look(&*connect(&options).await)
        .await
        .expect("readable");
    assert_eq!(names(&looked), ["a", "b"]);
    assert!(
        connect(&options)
            .await
            .read()
            .await
            .expect("readable")
            .expect("there")
            .doubt
            .is_some()
    );
    let (run, _) = open(&options).await;
    assert_eq!(names(&run.state()), ["a", "b"]);
    run.close().await.expect("closed");
    assert!(
        connect(&options)
            .await
            .read()
            .await
            .expect("readable")
            .expect("there")
            .doubt
            .is_none()
    );
}

#[tokio::test]
async fn a_digest_that_was_not_written_is_written_by_the_next_checkpoint_of_the_run() {
    let Some(aws) = aws() else { return };
    let mut options = prepared(&aws).await;
    options.set("max_retries", "0").expect("an option");
    let (run, _) = open(&options).await;
    create(&run, "a").await;
    aws.once("PutItem", Fate::Lost);
    run.checkpoint()
        .await
        .expect_err("the digest is not written");
    run.close().await.expect("closed");
    assert!(
        connect(&options)
            .await
            .read()
            .await
            .expect("readable")
            .expect("there")
            .doubt
            .is_none()
    );
    assert_eq!(stored(&aws).serial, 1);
}

#[tokio::test]
async fn a_damaged_or_missing_state_is_refused_and_never_no_state() {
    let Some(aws) = aws() else { return };
    for body in ["", "{", "<html><title>Log in</title></html>"] {
        let options = prepared(&aws).await;
        aws.put_object(STATE, body);
        let error = try_open(&options).await.map(drop).expect_err("refused");
        assert_eq!(error.failure(), Failure::Refused, "{error}");
        assert_eq!(aws.object(STATE).as_deref(), Some(body));
    }
    aws.delete_object(STATE);
    let options = prepared(&aws).await;
    let (run, _) = open(&options).await;
    create(&run, "a").await;
    run.close().await.expect("closed");
    aws.delete_object(STATE);
    let error = try_open(&options).await.map(drop).expect_err("refused");
    assert_eq!(error.failure(), Failure::Refused, "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
}

#[tokio::test]
async fn another_tools_write_between_ours_is_never_written_over() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    let (run, _) = open(&options).await;
    create(&run, "a").await;
    let theirs = r#"{"version":4,"serial":9,"lineage":"x","resources":[]}"#;
    aws.put_object(STATE, theirs);
    let error = run.close().await.expect_err("overtaken");
    assert_eq!(error.failure(), Failure::Fenced, "{error}");
    assert_eq!(aws.object(STATE).as_deref(), Some(theirs));
}
