//! What only files can do wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;

use super::LocalBackend;
use crate::backend::{Backend, BackendError, Expected, Position, conformance};
use crate::digest::Sha256;
use crate::journal::frame;
use crate::{LockInfo, Operation, SystemClock, SystemRandom};

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("stack/terraform.tfstate");
    (directory, path)
}

fn backend(path: &Path) -> LocalBackend {
    LocalBackend::new(path).expect("usable")
}

fn info() -> LockInfo {
    LockInfo::new(
        Operation::Apply,
        "me@here",
        "x",
        &SystemClock::default(),
        &SystemRandom,
    )
}

fn segment(at: Position, payload: &str) -> Bytes {
    let mut bytes = Vec::new();
    frame::encode(at, 0, Sha256::default(), payload.as_bytes(), &mut bytes);
    bytes.into()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").mode() & 0o777
}

#[tokio::test]
async fn files_pass_the_conformance_suite() {
    let directories = std::sync::Mutex::new(Vec::new());
    conformance::check(async || {
        let (directory, path) = place();
        directories.lock().expect("not poisoned").push(directory);
        (
            Arc::new(backend(&path)) as Arc<dyn Backend>,
            Arc::new(backend(&path)) as Arc<dyn Backend>,
        )
    })
    .await;
}

#[tokio::test]
async fn nobody_else_can_read_any_of_the_files() {
    let (_directory, path) = place();
    let backend = backend(&path);
    backend.lock(&info()).await.expect("locked");
    let one = backend
        .write("one".into(), &Expected::Absent)
        .await
        .expect("written");
    let at = Position {
        epoch: 1,
        segment: 0,
    };
    backend
        .append_journal(at, segment(at, "x"))
        .await
        .expect("appended");
    drop(backend);
    let again = LocalBackend::new(&path).expect("usable");
    again
        .write("two".into(), &Expected::Token(one.token))
        .await
        .expect("written");
    let stack = path.parent().expect("a directory");
    assert_eq!(mode(stack), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(stack).expect("readable") {
        let entry = entry.expect("readable");
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().expect("text"));
    }
    names.sort();
    let expected = [
        ".terraform.tfstate.lock",
        ".terraform.tfstate.lock.info",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "terraform.tfstate.journal",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        fs::read(path.with_extension("tfstate.backup")).expect("readable"),
        b"one"
    );
}

#[tokio::test]
async fn a_file_that_everybody_could_read_is_closed_when_it_is_read() {
    let (directory, _) = place();
    let path = directory.path().join("terraform.tfstate");
    fs::write(&path, "{}").expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("set");
    backend(&path).read().await.expect("readable");
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn what_is_no_regular_file_is_refused() {
    let (directory, _) = place();
    let refusal = async |path: &Path| match backend(path).read().await {
        Err(error @ BackendError::Unusable { .. }) => error
            .to_string()
            .replace(&path.display().to_string(), "PATH"),
        other => panic!("{other:?}"),
    };
    insta::assert_snapshot!(refusal(directory.path()).await, @"PATH cannot be used: it is a directory, not a regular file");
    let fifo = directory.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).expect("made");
    insta::assert_snapshot!(refusal(&fifo).await, @"PATH cannot be used: it is a device, pipe or socket, not a regular file");
    let device = Path::new("/dev/null");
    insta::assert_snapshot!(refusal(device).await, @"PATH cannot be used: it is a device, pipe or socket, not a regular file");
    let link = directory.path().join("dangling");
    symlink("nowhere", &link).expect("linked");
    assert!(matches!(
        LocalBackend::new(&link),
        Err(BackendError::Unusable { .. })
    ));
}

#[tokio::test]
async fn a_link_to_a_file_of_ours_is_replaced_at_its_target() {
    let (directory, _) = place();
    let target = directory.path().join("real/state");
    let link = directory.path().join("link");
    fs::create_dir(directory.path().join("real")).expect("made");
    fs::write(&target, "old").expect("written");
    symlink(&target, &link).expect("linked");
    let backend = backend(&link);
    let there = backend.read().await.expect("readable").expect("there");
    backend
        .write("new".into(), &Expected::Token(there.token))
        .await
        .expect("written");
    assert!(link.symlink_metadata().expect("there").is_symlink());
    assert_eq!(fs::read(&target).expect("readable"), b"new");
    // A link that takes the place of the state after it was found is not followed.
    fs::remove_file(&target).expect("removed");
    symlink("/etc/hostname", &target).expect("linked");
    assert!(matches!(
        backend.read().await,
        Err(BackendError::Unusable { .. })
    ));
}

/// The segments of an epoch with a record each.
fn segments(payloads: &[&str]) -> Vec<(Position, Bytes)> {
    let mut previous = Sha256::default();
    let framed = (0..).zip(payloads).map(|(number, payload)| {
        let at = Position {
            epoch: 1,
            segment: number,
        };
        let mut bytes = Vec::new();
        previous = frame::encode(at, number, previous, payload.as_bytes(), &mut bytes);
        (at, bytes.into())
    });
    framed.collect()
}

/// A state whose journal has those segments; where the journal is.
async fn journaled(path: &Path, payloads: &[&str]) -> PathBuf {
    let first = backend(path);
    for (at, bytes) in segments(payloads) {
        first.append_journal(at, bytes).await.expect("appended");
    }
    path.with_extension("tfstate.journal")
}

#[tokio::test]
async fn without_a_second_name_for_a_file_the_backup_is_a_copy() {
    let (_directory, path) = place();
    let first = backend(&path);
    let one = first.write("one".into(), &Expected::Absent).await;
    let one = one.expect("written");
    // The name that the link would get is taken.
    fs::create_dir(path.with_file_name(".terraform.tfstate.backup.link")).expect("made");
    let second = backend(&path);
    let over = Expected::Token(one.token);
    second.write("two".into(), &over).await.expect("written");
    let backup = path.with_extension("tfstate.backup");
    assert_eq!(fs::read(&backup).expect("readable"), b"one");
    assert_eq!(mode(&backup), 0o600);
    assert_eq!(fs::read(&path).expect("readable"), b"two");
    assert_ne!(inode(&path), inode(&backup));
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).expect("there").ino()
}

#[tokio::test]
async fn a_torn_tail_of_the_journal_is_cut_and_written_over() {
    let (_directory, path) = place();
    let journal = journaled(&path, &["{\"a\":1}", "{\"b\":1}"]).await;
    let whole = fs::read(&journal).expect("readable");
    let first = segments(&["{\"a\":1}"]).remove(0).1.len();
    let (at, other) = segments(&["{\"a\":1}", "{\"c\":1}"]).remove(1);
    for cut in first..whole.len() {
        fs::write(&journal, &whole[..cut]).expect("written");
        let next = backend(&path);
        let left = next.read_journal().await.expect("readable").remove(0);
        assert_eq!(&*left.bytes, &whole[..first]);
        let appended = next.append_journal(at, other.clone()).await;
        appended.expect("appended");
        let segments = next.read_journal().await.expect("readable");
        let (frames, end) = frame::decode(&segments[0].bytes);
        assert_eq!(end.reason, frame::EndReason::Whole);
        let payloads = frames.iter().map(|frame| &*frame.payload);
        assert_eq!(payloads.collect::<Vec<_>>(), [b"{\"a\":1}", b"{\"c\":1}"]);
    }
}

#[tokio::test]
async fn a_journal_that_ends_in_anything_else_is_never_cut() {
    let (_directory, path) = place();
    let journal = journaled(&path, &["{\"a\":1}", "{\"b\":1}"]).await;
    let whole = fs::read(&journal).expect("readable");
    let half = whole.len() / 2;
    let damaged = [
        [&whole[..], &[0; 4096]].concat(),
        [&whole[..], b"garbage"].concat(),
        [&whole[..half], &vec![0; half]].concat(),
        vec![0; whole.len()],
        b"garbage".to_vec(),
    ];
    for bytes in damaged {
        fs::write(&journal, &bytes).expect("written");
        let (at, next) = segments(&["{\"a\":1}", "{\"b\":1}", "{\"c\":1}"]).remove(2);
        let appended = backend(&path).append_journal(at, next).await;
        assert!(
            matches!(appended, Err(BackendError::Damaged { .. })),
            "{appended:?}"
        );
        assert_eq!(fs::read(&journal).expect("readable"), bytes);
    }
}

#[tokio::test]
async fn of_a_large_file_that_is_no_journal_little_is_read() {
    let (_directory, path) = place();
    let journal = journaled(&path, &["{\"a\":1}"]).await;
    let file = fs::OpenOptions::new().write(true).open(&journal);
    file.expect("there")
        .set_len(2 << 30)
        .expect("a sparse file");
    let segments = backend(&path).read_journal().await.expect("readable");
    assert!(segments[0].bytes.len() < 100 << 20);
    let (frames, end) = frame::decode(&segments[0].bytes);
    assert_eq!(frames.len(), 1);
    assert_eq!(end.reason, frame::EndReason::Damaged(frame::Flaw::Zeros));
}

#[tokio::test]
async fn damage_in_the_middle_of_the_journal_is_never_written_over() {
    let (_directory, path) = place();
    let journal = journaled(&path, &["{\"a\":1}", "{\"b\":1}"]).await;
    let mut bytes = fs::read(&journal).expect("readable");
    bytes[10] ^= 1;
    fs::write(&journal, &bytes).expect("written");
    let (at, next) = segments(&["{\"a\":1}", "{\"b\":1}", "{\"c\":1}"]).remove(2);
    let appended = backend(&path).append_journal(at, next).await;
    assert!(
        matches!(appended, Err(BackendError::Damaged { .. })),
        "{appended:?}"
    );
    assert_eq!(fs::read(&journal).expect("readable"), bytes);
}

#[tokio::test]
async fn a_lock_file_that_was_deleted_while_held_is_noticed_before_any_write() {
    let (_directory, path) = place();
    let (first, second) = (backend(&path), backend(&path));
    let mine = info();
    first.lock(&mine).await.expect("locked");
    fs::remove_file(path.with_file_name(".terraform.tfstate.lock")).expect("removed");
    second.lock(&info()).await.expect("another file");
    let lost = |result: Result<(), BackendError>| {
        assert!(
            matches!(result, Err(BackendError::NotHeld { .. })),
            "{result:?}"
        );
    };
    lost(first.write("x".into(), &Expected::Absent).await.map(drop));
    let at = Position {
        epoch: 1,
        segment: 0,
    };
    lost(first.append_journal(at, segment(at, "x")).await);
    lost(first.heartbeat(&mine.id, crate::Timestamp::new(0, 0)).await);
    lost(first.unlock(&mine.id).await);
    assert!(
        second
            .holder()
            .await
            .expect("readable")
            .expect("held")
            .info
            .is_some()
    );
}

#[tokio::test]
async fn what_a_crash_left_beside_the_state_is_removed_by_the_next_holder() {
    let (_directory, path) = place();
    let stack = path.parent().expect("a directory");
    fs::create_dir(stack).expect("made");
    let left = [
        ".terraform.tfstate.0123456789abcdef.terrane-tmp",
        ".terraform.tfstate.journal.0123456789abcdef.terrane-tmp",
        ".terraform.tfstate.lock.info.0123456789abcdef.terrane-tmp",
        ".plan.0123456789abcdef.terrane-tmp",
        ".terraform.tfstate.backup.link",
    ];
    for name in left {
        fs::write(stack.join(name), "half").expect("written");
    }
    let other = stack.join(".terraform.tfstate.mine.tmp");
    fs::write(&other, "a file of the user").expect("written");
    let backend = backend(&path);
    assert_eq!(backend.read().await.expect("readable"), None);
    backend.lock(&info()).await.expect("locked");
    for name in left {
        assert!(!stack.join(name).exists(), "{name}");
    }
    assert!(other.exists());
}

#[test]
fn a_stack_name_never_leads_elsewhere() {
    assert_eq!(
        LocalBackend::default_path("prod").expect("a name"),
        Path::new(".terrane/prod/terraform.tfstate")
    );
    // A fleet groups its stacks.
    assert_eq!(
        LocalBackend::default_path("network/prod").expect("a name"),
        Path::new(".terrane/network/prod/terraform.tfstate")
    );
    for name in [
        "",
        ".",
        "..",
        "/a",
        "a/",
        "a//b",
        "a/..",
        "../a",
        "-a",
        "_a",
        "a b",
        "a\0",
        "\u{e4}",
        "a\u{202e}",
        &"a".repeat(91),
    ] {
        assert!(LocalBackend::default_path(name).is_err(), "{name:?}");
    }
}
