//! What every backend must do: the suite that all of them pass.
//!
//! ```
//! # use std::sync::Arc;
//! # use terrane_state::{Backend, MemoryBackend, backend::conformance};
//! # fn run() -> impl Future<Output = ()> {
//! conformance::check(async || {
//!     let store: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
//!     (Arc::clone(&store), store)
//! })
//! # }
//! ```

use std::sync::Arc;

use bytes::Bytes;

use super::{Backend, BackendError, Expected, LockError, Position, Restart, Token};
use crate::clock::{SystemClock, Timestamp};
use crate::digest::Sha256;
use crate::journal::frame;
use crate::lock_info::{LockInfo, Operation};
use crate::random::SystemRandom;

/// Two handles on one store, as two processes would have them.
pub type Pair = (Arc<dyn Backend>, Arc<dyn Backend>);

/// Runs the whole suite; `fresh` gives two handles on a store that holds nothing.
///
/// # Panics
/// When the backend does not keep its promises.
pub async fn check(fresh: impl AsyncFn() -> Pair) {
    nothing_is_there_at_first(fresh().await).await;
    what_is_written_is_read(fresh().await).await;
    a_write_over_something_else_changes_nothing(fresh().await).await;
    empty_bytes_are_not_absence(fresh().await).await;
    earlier_versions_are_named(fresh().await).await;
    a_file_beside_the_state_is_the_last_one_or_none(fresh().await).await;
    segments_come_back_in_order(fresh().await).await;
    a_segment_is_written_once(fresh().await).await;
    gaps_are_refused(fresh().await).await;
    trimming_keeps_the_last_segment(fresh().await).await;
    a_journal_that_is_restarted_begins_behind_the_old_one(fresh().await).await;
    one_holder_at_a_time(fresh().await).await;
    only_its_holder_frees_a_lock(fresh().await).await;
    a_race_for_the_lock_has_one_winner(fresh().await).await;
    a_race_of_writers_has_one_winner(fresh().await).await;
    a_race_for_a_position_has_one_winner(fresh().await).await;
}

async fn a_file_beside_the_state_is_the_last_one_or_none((one, other): Pair) {
    let read = async |store: &dyn Backend| store.read_beside("notes").await.expect("readable");
    assert_eq!(read(&*one).await, None, "nothing is there at first");
    for text in ["first", "the second"] {
        let write = other.write_beside("notes", Bytes::from_static(text.as_bytes()));
        write.await.expect("writable");
        let found = read(&*one).await;
        assert!(
            found.is_none() || found == Some(Bytes::from_static(text.as_bytes())),
            "a store keeps the last file, or none: {found:?}"
        );
    }
    let state = one.read().await.expect("readable");
    assert_eq!(state, None, "it is no state");
}

/// A state that says this, and keeps it secret.
fn snapshot(text: &str) -> Bytes {
    let output = format!(r#"{{"value":"{text}","type":"string","sensitive":true}}"#);
    let state = format!(
        r#"{{"version":4,"terraform_version":"1.12.0","serial":1,"lineage":"l","outputs":{{"x":{output}}},"resources":[],"check_results":null}}"#
    );
    state.into()
}

fn segment(at: Position, payload: &str) -> Bytes {
    let mut bytes = Vec::new();
    frame::encode(at, 0, Sha256::default(), payload.as_bytes(), &mut bytes);
    bytes.into()
}

const fn at(epoch: u64, segment: u64) -> Position {
    Position { epoch, segment }
}

fn info(backend: &dyn Backend) -> LockInfo {
    LockInfo::new(
        Operation::Apply,
        "someone@somewhere",
        &backend.lock_path(),
        &SystemClock::default(),
        &SystemRandom,
    )
}

async fn payloads(backend: &dyn Backend) -> Vec<(Position, Bytes)> {
    let segments = backend.read_journal().await.expect("readable");
    let mut payloads = Vec::new();
    for segment in &segments {
        let (frames, end) = frame::decode(&segment.bytes);
        assert_eq!(end.reason, frame::EndReason::Whole);
        payloads.extend(frames.into_iter().map(|frame| (frame.at, frame.payload)));
    }
    assert_eq!(
        segments.last().map(|segment| segment.at),
        payloads.last().map(|(at, _)| *at)
    );
    payloads
}

fn is_conflict<T>(result: &Result<T, BackendError>) -> bool {
    matches!(result, Err(BackendError::Conflict { .. }))
}

async fn nothing_is_there_at_first((a, _): Pair) {
    assert_eq!(a.read().await.expect("readable"), None);
    assert_eq!(a.read_journal().await.expect("readable"), []);
    assert_eq!(a.holder().await.expect("readable"), None);
    assert_eq!(a.history().await.expect("readable"), []);
    assert!(!a.place().is_empty() && !a.lock_path().is_empty());
}

async fn what_is_written_is_read((a, b): Pair) {
    let one = a
        .write(snapshot("one"), &Expected::Absent)
        .await
        .expect("written");
    let read = b.read().await.expect("readable").expect("there");
    assert_eq!((&read.bytes, &read.token), (&snapshot("one"), &one.token));
    assert_eq!(read.sha256, Sha256::of(&snapshot("one")));
    let two = b
        .write(snapshot("two"), &Expected::Token(read.token))
        .await
        .expect("written");
    let read = a.read().await.expect("readable").expect("there");
    assert_eq!((&read.bytes, &read.token), (&snapshot("two"), &two.token));
    assert_ne!(one.token, two.token);
}

async fn a_write_over_something_else_changes_nothing((a, b): Pair) {
    let one = a
        .write(snapshot("one"), &Expected::Absent)
        .await
        .expect("written");
    assert!(is_conflict(
        &b.write(snapshot("x"), &Expected::Absent).await
    ));
    let over = Expected::Token(Token("elsewhere".into()));
    assert!(is_conflict(&b.write(snapshot("x"), &over).await));
    a.write(snapshot("two"), &Expected::Token(one.token.clone()))
        .await
        .expect("written");
    assert!(is_conflict(
        &b.write(snapshot("x"), &Expected::Token(one.token)).await
    ));
    let read = b.read().await.expect("readable").expect("there");
    assert_eq!(read.bytes, snapshot("two"));
}

async fn empty_bytes_are_not_absence((a, b): Pair) {
    a.write(Bytes::new(), &Expected::Absent)
        .await
        .expect("written");
    match b.read().await {
        Ok(read) => assert!(read.expect("there").bytes.is_empty()),
        Err(error) => assert!(matches!(error, BackendError::Damaged { .. }), "{error}"),
    }
}

async fn earlier_versions_are_named((a, b): Pair) {
    let one = a
        .write(snapshot("one"), &Expected::Absent)
        .await
        .expect("written");
    a.write(snapshot("two"), &Expected::Token(one.token))
        .await
        .expect("written");
    let read = b.read().await.expect("readable").expect("there");
    b.write(snapshot("three"), &Expected::Token(read.token))
        .await
        .expect("written");
    let history = a.history().await.expect("readable");
    assert!(history.len() >= 2, "{history:?}");
    assert_eq!(
        history.iter().map(|v| v.current).collect::<Vec<_>>()[..2],
        [true, false]
    );
    let newest = a.read_version(&history[0].id).await.expect("readable");
    assert_eq!(newest, snapshot("three"));
    let earlier = a.read_version(&history[1].id).await.expect("readable");
    assert_eq!(earlier, snapshot("two"));
    // A store that keeps its content in another form has the size of that.
    assert!(a.beneath().is_some() || history[1].size == earlier.len() as u64);
    for length in [2, earlier.len() + 100] {
        let read = a.read_version_start(&history[1].id, length).await;
        let start = earlier.slice(..length.min(earlier.len()));
        assert_eq!(read.expect("readable"), start);
    }
    let missing = a.read_version("no-such-version").await;
    assert!(
        matches!(missing, Err(BackendError::NoSuchVersion { .. })),
        "{missing:?}"
    );
}

async fn segments_come_back_in_order((a, b): Pair) {
    for (place, text) in [
        (at(1, 0), "a"),
        (at(1, 1), "b"),
        (at(2, 0), "c"),
        (at(2, 1), "d"),
    ] {
        a.append_journal(place, segment(place, text))
            .await
            .expect("appended");
    }
    let expected = [
        (at(1, 0), "a"),
        (at(1, 1), "b"),
        (at(2, 0), "c"),
        (at(2, 1), "d"),
    ];
    let expected = expected.map(|(at, text)| (at, Bytes::from(text)));
    assert_eq!(payloads(&*b).await, expected);
}

async fn a_segment_is_written_once((a, b): Pair) {
    a.append_journal(at(1, 0), segment(at(1, 0), "mine"))
        .await
        .expect("appended");
    a.append_journal(at(1, 0), segment(at(1, 0), "mine"))
        .await
        .expect("the same again is no error");
    assert!(is_conflict(
        &b.append_journal(at(1, 0), segment(at(1, 0), "theirs"))
            .await
    ));
    assert_eq!(payloads(&*a).await.len(), 1);
}

async fn gaps_are_refused((a, _): Pair) {
    assert!(is_conflict(
        &a.append_journal(at(1, 1), segment(at(1, 1), "x")).await
    ));
    a.append_journal(at(2, 0), segment(at(2, 0), "a"))
        .await
        .expect("appended");
    assert!(is_conflict(
        &a.append_journal(at(2, 2), segment(at(2, 2), "x")).await
    ));
    assert!(is_conflict(
        &a.append_journal(at(1, 0), segment(at(1, 0), "x")).await
    ));
}

async fn trimming_keeps_the_last_segment((a, b): Pair) {
    a.trim_journal(at(9, 0)).await.expect("nothing to trim");
    for place in [at(1, 0), at(1, 1), at(2, 0), at(2, 1)] {
        a.append_journal(place, segment(place, "x"))
            .await
            .expect("appended");
    }
    a.trim_journal(at(2, 0)).await.expect("trimmed");
    let left: Vec<Position> = payloads(&*b).await.into_iter().map(|(at, _)| at).collect();
    assert_eq!(left, [at(2, 0), at(2, 1)]);
    a.trim_journal(at(9, 0)).await.expect("trimmed");
    let left: Vec<Position> = payloads(&*b).await.into_iter().map(|(at, _)| at).collect();
    assert_eq!(left, [at(2, 1)]);
    a.append_journal(at(2, 2), segment(at(2, 2), "y"))
        .await
        .expect("it goes on behind it");
    assert!(is_conflict(
        &a.append_journal(at(2, 1), segment(at(2, 1), "z")).await
    ));
}

async fn a_journal_that_is_restarted_begins_behind_the_old_one((a, b): Pair) {
    for place in [at(1, 0), at(1, 1)] {
        a.append_journal(place, segment(place, "x"))
            .await
            .expect("appended");
    }
    let restart = Restart {
        copy: "20261128T074448Z".to_owned(),
        at: at(2, 0),
        bytes: segment(at(2, 0), "new"),
    };
    let copy = b.restart_journal(restart.clone()).await.expect("restarted");
    assert!(copy.contains(&restart.copy), "{copy}");
    assert_eq!(payloads(&*b).await, [(at(2, 0), Bytes::from("new"))]);
    // A run that slept meanwhile writes nothing any more.
    for place in [at(1, 1), at(1, 2), at(2, 0)] {
        let written = a.append_journal(place, segment(place, "late")).await;
        assert!(is_conflict(&written), "{place}: {written:?}");
    }
    b.append_journal(at(2, 1), segment(at(2, 1), "y"))
        .await
        .expect("it goes on behind it");
}

async fn one_holder_at_a_time((a, b): Pair) {
    let mine = info(&*a);
    a.lock(&mine).await.expect("locked");
    a.lock(&mine).await.expect("the same again is no error");
    match b.lock(&info(&*b)).await {
        Err(LockError::Held(holder)) => {
            assert_eq!(holder.info.as_ref(), Some(&mine));
            assert_eq!(holder.raw, mine.to_json());
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
    assert_eq!(
        b.holder()
            .await
            .expect("readable")
            .expect("held")
            .info
            .as_ref(),
        Some(&mine)
    );
    a.heartbeat(&mine.id, Timestamp::new(1_800_000_000, 0))
        .await
        .expect("still ours");
    a.unlock(&mine.id).await.expect("unlocked");
    assert_eq!(b.holder().await.expect("readable"), None);
    let theirs = info(&*b);
    b.lock(&theirs).await.expect("free again");
    b.unlock(&theirs.id).await.expect("unlocked");
}

async fn only_its_holder_frees_a_lock((a, b): Pair) {
    let mine = info(&*a);
    a.lock(&mine).await.expect("locked");
    let not_held = |result: Result<(), BackendError>| {
        assert!(
            matches!(result, Err(BackendError::NotHeld { .. })),
            "{result:?}"
        );
    };
    not_held(b.unlock("another").await);
    not_held(b.force_unlock("another").await);
    not_held(
        b.heartbeat("another", Timestamp::new(1_800_000_000, 0))
            .await,
    );
    match b.force_unlock(&mine.id).await {
        Ok(()) => {
            not_held(
                a.heartbeat(&mine.id, Timestamp::new(1_800_000_001, 0))
                    .await,
            );
            let theirs = info(&*b);
            b.lock(&theirs).await.expect("free");
            not_held(a.unlock(&mine.id).await);
            b.unlock(&theirs.id).await.expect("unlocked");
        }
        Err(BackendError::HolderAlive { .. }) => a.unlock(&mine.id).await.expect("unlocked"),
        Err(error) => panic!("{error}"),
    }
    not_held(a.unlock(&mine.id).await);
}

async fn a_race_for_the_lock_has_one_winner((a, b): Pair) {
    for _ in 0..5 {
        let (one, two) = (info(&*a), info(&*b));
        let (first, second) = futures_util::future::join(a.lock(&one), b.lock(&two)).await;
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let (winner, id) = if first.is_ok() {
            (&a, &one.id)
        } else {
            (&b, &two.id)
        };
        winner.unlock(id).await.expect("unlocked");
    }
}

async fn a_race_of_writers_has_one_winner((a, b): Pair) {
    let first = a
        .write(snapshot("base"), &Expected::Absent)
        .await
        .expect("written");
    // Two processes on one file need the lock for this; without one the store itself must decide.
    let mine = info(&*a);
    a.lock(&mine).await.expect("locked");
    let over = Expected::Token(first.token);
    let one = a.write(snapshot("one"), &over).await;
    let two = b.write(snapshot("two"), &over).await;
    assert!(one.is_ok() && is_conflict(&two), "{one:?} {two:?}");
    assert_eq!(
        &*b.read().await.expect("readable").expect("there").bytes,
        snapshot("one")
    );
    a.unlock(&mine.id).await.expect("unlocked");
}

async fn a_race_for_a_position_has_one_winner((a, b): Pair) {
    let one = a.append_journal(at(1, 0), segment(at(1, 0), "one")).await;
    let two = b.append_journal(at(1, 0), segment(at(1, 0), "two")).await;
    assert!(one.is_ok() && is_conflict(&two), "{one:?} {two:?}");
    let more = a.append_journal(at(1, 1), segment(at(1, 1), "more")).await;
    assert!(more.is_ok());
    assert!(is_conflict(
        &b.append_journal(at(1, 1), segment(at(1, 1), "x")).await
    ));
}
