//! S3 as it may work: answers that are lost, writes that are not stored, objects that are damaged.

use terrane_state::{Backend, Failure, RecordError, Recorder, Run, RunError};

use crate::world::*;
use terrane_tests::{Fate, aws};

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

        // What is another's stays.
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
    // The next one takes it along.
    aws.when(|_| Fate::Answered);
    run.intent(intent("b")).await.expect("recorded");
    assert_eq!(run.open_intents().len(), 2);
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

    // Who only looks knows it for what it is, and leaves it so.
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
