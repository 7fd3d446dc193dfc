//! A run over a state that another tool wrote.

use bytes::Bytes;

use super::*;
use crate::backend::Expected;
use crate::file::{Layout, write};

/// Puts a state there as another tool would: over whatever is there, without a journal.
async fn put(rig: &Rig, state: &State) {
    let there = rig.backend.read().await.expect("readable");
    let over = there.map_or(Expected::Absent, |there| Expected::Token(there.token));
    let bytes = Bytes::from(write(state, Layout::Indented));
    rig.backend.write(bytes, &over).await.expect("written");
}

/// A store in which a run made `a` and then died, having said that `b` is done too.
async fn interrupted() -> (Rig, State) {
    let rig = Rig::new();
    let (run, _) = rig.open().await;
    create(&rig, &run, "a").await;
    run.close().await.expect("closed");
    let (run, _) = rig.open().await;
    create(&rig, &run, "b").await;
    drop(run);
    rig.break_lock().await;
    let stored = rig.stored().await.expect("there");
    (rig, stored)
}

#[tokio::test]
async fn a_later_state_of_another_tool_gets_what_it_lacks() {
    let (rig, mut state) = interrupted().await;
    state.serial += 5;
    state.set_instance(&address("theirs"), Some(instance("theirs")));
    put(&rig, &state).await;
    let (run, recovered) = rig.open().await;
    assert_eq!((recovered.replayed, recovered.open.len()), (1, 0));
    assert_eq!(names(&run.state()), ["a", "b", "theirs"]);
    run.close().await.expect("closed");
    assert_eq!(rig.stored().await.expect("there").serial, state.serial + 1);
}

#[tokio::test]
async fn the_same_object_in_a_later_shape_is_kept_as_the_other_tool_saw_it() {
    let (rig, mut state) = interrupted().await;
    state.serial += 1;
    let mut later = Instance::clone(&instance("b"));
    later.current =
        Some(Object::new(1, RawJson::new(r#"{"id":"b","size":2}"#).expect("JSON")).into());
    state.set_instance(&address("b"), Some(later.clone().into()));
    put(&rig, &state).await;
    let (run, recovered) = rig.open().await;
    assert!(recovered.open.is_empty());
    assert_eq!(run.instance(&address("b")).as_deref(), Some(&later));
}

#[tokio::test]
async fn another_object_at_the_same_address_hides_none_of_ours() {
    let (rig, mut state) = interrupted().await;
    state.serial += 1;
    state.set_instance(&address("b"), Some(instance("another")));
    put(&rig, &state).await;
    for _ in 0..2 {
        let (run, recovered) = rig.open().await;
        assert_eq!(run.instance(&address("b")), Some(instance("another")));
        let open = &recovered.open[0];
        assert_eq!(open.intent.address, address("b"));
        assert_eq!(
            open.result
                .as_ref()
                .and_then(|result| result.instance.clone()),
            Some(instance("b"))
        );
        create(&rig, &run, "c").await;
        run.close().await.expect("closed");
    }
}

/// The refusal of a run, in one line.
async fn refusal(rig: &Rig) -> String {
    let error = rig.try_open().await.map(drop).expect_err("refused");
    assert_eq!(error.failure(), Failure::Refused);
    assert_eq!(
        rig.backend.holder().await.expect("readable"),
        None,
        "the lock is given back"
    );
    crate::chain(&error)
}

#[tokio::test]
async fn an_older_state_is_refused() {
    let (rig, state) = interrupted().await;
    let (run, _) = rig.open().await;
    run.close().await.expect("closed");
    put(&rig, &state).await;
    insta::assert_snapshot!(refusal(&rig).await, @"the state at memory has serial 1, but serial 2 was stored before");
}

#[tokio::test]
async fn the_same_serial_with_another_content_is_refused() {
    let (rig, mut state) = interrupted().await;
    state.set_instance(&address("x"), Some(instance("x")));
    put(&rig, &state).await;
    insta::assert_snapshot!(refusal(&rig).await, @"the state at memory has serial 1 as the journal saw it stored, but another content");
}

#[tokio::test]
async fn another_lineage_is_refused() {
    let (rig, mut state) = interrupted().await;
    state.lineage = "another".into();
    state.serial += 1;
    put(&rig, &state).await;
    insta::assert_snapshot!(refusal(&rig).await, @"the state at memory has lineage another, its journal 00000000-0000-4003-8000-000000000004");
}

#[tokio::test]
async fn a_state_that_went_missing_is_refused() {
    let (rig, _) = interrupted().await;
    // A store that has the journal and no snapshot.
    let store = MemoryBackend::new();
    let segments = rig.backend.read_journal().await.expect("readable");
    let segments = segments.into_iter();
    store.damage_journal(|journal| journal.extend(segments.map(|it| (it.at, it.bytes))));
    let other = Rig::over(Arc::new(store));
    insta::assert_snapshot!(refusal(&other).await, @"the state at memory is missing, but serial 1 was stored before");
}

#[tokio::test]
async fn a_damaged_state_is_refused_and_left_alone() {
    for damaged in ["", "{}", "{\"version\":4", "<html>"] {
        let rig = Rig::new();
        let bytes = Bytes::from(damaged);
        rig.backend
            .write(bytes.clone(), &Expected::Absent)
            .await
            .expect("written");
        assert!(refusal(&rig).await.contains("memory"));
        assert_eq!(
            rig.backend
                .read()
                .await
                .expect("readable")
                .expect("there")
                .bytes,
            bytes
        );
    }
}
