//! Encrypted stores: they are stores like all others, and nobody reads, moves or replaces what is in them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use age::secrecy::ExposeSecret as _;
use bytes::Bytes;
use terrane_vault::Age;

use super::{EncryptedBackend, Encryption, StackFile};
use crate::backend::{
    Backend, BackendError, Expected, LocalBackend, MemoryBackend, Position, Snapshot, conformance,
};
use crate::digest::Sha256;
use crate::journal::frame;

mod leaves;

const CANARY: &str = "canary-in-the-state";
const STATE: &str = r#"{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"l-1","outputs":{"p":{"value":"canary-in-the-state","type":"string"}},"resources":[],"check_results":null}"#;

/// A key with its only identity.
struct Key {
    identity: age::x25519::Identity,
}

impl Key {
    fn new() -> Self {
        let identity = age::x25519::Identity::generate();
        Self { identity }
    }

    fn service(&self) -> Age {
        Age::recipients([self.identity.to_public().to_string()])
    }

    /// With an environment that has the identities of these keys.
    fn held_by(holders: &[&Self], encryption: Encryption) -> Encryption {
        let keys = holders
            .iter()
            .map(|key| key.identity.to_string().expose_secret().to_owned());
        let keys: Vec<String> = keys.collect();
        let environment = BTreeMap::from([("SOPS_AGE_KEY".to_owned(), keys.join("\n"))]);
        encryption.with_environment(environment)
    }

    fn encryption(&self) -> Encryption {
        Self::held_by(&[self], self.service().into())
    }
}

fn over(store: &Arc<MemoryBackend>, encryption: Encryption) -> EncryptedBackend {
    let inner: Arc<dyn Backend> = store.clone();
    EncryptedBackend::new(inner, encryption)
}

fn at(epoch: u64, segment: u64) -> Position {
    Position { epoch, segment }
}

fn record(at: Position, payload: &str) -> Bytes {
    let mut bytes = Vec::new();
    frame::encode(at, 0, Sha256::default(), payload.as_bytes(), &mut bytes);
    bytes.into()
}

async fn read(store: &dyn Backend) -> Snapshot {
    store.read().await.expect("readable").expect("there")
}

async fn refused(store: &dyn Backend) -> String {
    store.read().await.expect_err("refused").to_string()
}

/// A store with an encrypted state and a record.
async fn filled(key: &Key) -> Arc<MemoryBackend> {
    let store = Arc::new(MemoryBackend::new());
    let encrypted = over(&store, key.encryption());
    let state = Bytes::from_static(STATE.as_bytes());
    encrypted
        .write(state, &Expected::Absent)
        .await
        .expect("written");
    let record = record(at(1, 0), &format!("{{\"a\":\"{CANARY}\"}}"));
    encrypted
        .append_journal(at(1, 0), record)
        .await
        .expect("appended");
    store
}

fn without_key(text: &str, key: &Key) -> String {
    text.replace(&key.identity.to_public().to_string(), "KEY")
}

#[tokio::test]
async fn an_encrypted_store_in_memory_is_a_store_like_all_others() {
    let key = Key::new();
    for all in [true, false] {
        conformance::check(async || {
            let store = Arc::new(MemoryBackend::new());
            let pair = [(); 2].map(|()| -> Arc<dyn Backend> {
                let encryption = key.encryption().accepting_clear();
                Arc::new(over(
                    &store,
                    match all {
                        true => encryption,
                        false => encryption.sensitive_values_only(),
                    },
                ))
            });
            let [a, b] = pair;
            (a, b)
        })
        .await;
    }
}

#[tokio::test]
async fn an_encrypted_store_in_files_is_a_store_like_all_others() {
    let key = Key::new();
    let folder = tempfile::tempdir().expect("a folder");
    let count = std::cell::Cell::new(0);
    conformance::check(async || {
        count.set(count.get() + 1);
        let path = folder.path().join(format!("{}.tfstate", count.get()));
        let open = |path: &Path| -> Arc<dyn Backend> {
            let inner = Arc::new(LocalBackend::new(path).expect("a store"));
            let encryption = key.encryption().accepting_clear();
            Arc::new(EncryptedBackend::new(
                inner,
                encryption.sensitive_values_only(),
            ))
        };
        (open(&path), open(&path))
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_state_or_a_record_is_in_the_store_and_all_of_it_comes_back() {
    let key = Key::new();
    let store = filled(&key).await;
    let stored = read(&*store).await.bytes;
    let text = String::from_utf8(stored.to_vec()).expect("text");
    assert!(!text.contains(CANARY), "{text}");
    for segment in store.read_journal().await.expect("readable") {
        assert!(!String::from_utf8_lossy(&segment.bytes).contains(CANARY));
    }
    // Still a state of version 4, which says which one it is, and which no other tool takes for an empty one.
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(file["version"], 4);
    assert_eq!(
        (&file["serial"], &file["lineage"]),
        (&7.into(), &"l-1".into())
    );
    assert_eq!(file["resources"][0]["mode"], "encrypted");

    let encrypted = over(&store, key.encryption());
    let opened = read(&encrypted).await;
    assert_eq!(opened.bytes, STATE.as_bytes());
    assert_eq!(opened.sha256, Sha256::of(STATE.as_bytes()));
    let segments = encrypted.read_journal().await.expect("readable");
    assert_eq!(
        segments[0].bytes,
        record(at(1, 0), &format!("{{\"a\":\"{CANARY}\"}}"))
    );

    // A plan and a copy of the state go through other hands.
    let plan = Bytes::from_static(b"a plan with canary-in-the-state");
    let sealed = encrypted.seal(StackFile::Plan, "", plan.clone());
    let sealed = sealed.await.expect("sealed");
    assert!(!String::from_utf8_lossy(&sealed).contains(CANARY));
    let other = over(&store, key.encryption());
    let opened = other.unseal(StackFile::Plan, "the plan", sealed.clone());
    assert_eq!(opened.await.expect("opened"), plan);
    assert!(super::is_sealed(&sealed, StackFile::Plan));
    assert!(!super::is_sealed(&sealed, StackFile::Rescue));
    let moved = other.unseal(StackFile::Rescue, "the file", sealed).await;
    assert!(moved.is_err());
    let copy = other.unseal(StackFile::Rescue, "the copy", stored).await;
    assert_eq!(copy.expect("opened"), STATE.as_bytes());
    // Whoever can write where plans are kept cannot put one in clear there.
    let clear = other.unseal(StackFile::Plan, "the plan in saved.plan", plan);
    let clear = clear.await.expect_err("refused").to_string();
    insta::assert_snapshot!(clear, @"the plan in saved.plan cannot be used: it is in clear, and this program encrypts its plans; make a new one with `preview --out FILE`");
}

#[tokio::test]
async fn a_rotated_key_reads_what_the_old_one_wrote_and_the_next_write_has_the_new_one() {
    let (old, new) = (Key::new(), Key::new());
    let store = filled(&old).await;
    let rotated = Encryption::with(new.service()).also_reads(old.service());
    let rotated = over(&store, Key::held_by(&[&old, &new], rotated));
    let opened = read(&rotated).await;
    assert_eq!(opened.bytes, STATE.as_bytes());
    rotated
        .append_journal(at(1, 1), record(at(1, 1), "{}"))
        .await
        .expect("appended");
    rotated
        .write(opened.bytes, &Expected::Token(opened.token))
        .await
        .expect("written");
    // The old key is needed for the old record alone.
    let later = over(&store, new.encryption());
    assert_eq!(read(&later).await.bytes, STATE.as_bytes());
    assert!(later.read_journal().await.is_err());
    later.trim_journal(at(1, 1)).await.expect("trimmed");
    assert_eq!(later.read_journal().await.expect("readable").len(), 1);
}

#[tokio::test]
async fn without_the_key_nothing_is_read_and_nothing_is_changed() {
    let key = Key::new();
    let store = filled(&key).await;
    let before = read(&*store).await;
    let other = Key::new();
    let wrong = over(&store, other.encryption());
    let said = without_key(&without_key(&refused(&wrong).await, &key), &other);
    insta::assert_snapshot!(said, @"the state at memory cannot be used: it is encrypted with `age:KEY`, and no key of the program decrypts it (`age:KEY`: none of the age identities can decrypt it; identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and `~/.config/sops/age/keys.txt`)");
    assert!(wrong.read_journal().await.is_err());
    let lost = over(&store, Key::held_by(&[], key.service().into()));
    insta::assert_snapshot!(without_key(&refused(&lost).await, &key), @"the state at memory cannot be used: it is encrypted with `age:KEY`, and no key of the program decrypts it (`age:KEY`: there are no age identities; identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and `~/.config/sops/age/keys.txt`)");
    assert_eq!(read(&*store).await, before);
}

#[tokio::test]
async fn a_state_in_clear_is_refused_where_it_should_be_encrypted() {
    let key = Key::new();
    let store = filled(&key).await;
    let over_it = Expected::Token(read(&*store).await.token);
    let clear = Bytes::from_static(STATE.as_bytes());
    store
        .write(clear.clone(), &over_it)
        .await
        .expect("somebody can write the store");
    let encrypted = over(&store, key.encryption());
    insta::assert_snapshot!(refused(&encrypted).await, @"the state at memory cannot be used: it is in clear, and the program says that it is encrypted; if it never was, let the program say `.accepting_clear()` once, else somebody has replaced it");
    store
        .append_journal(at(1, 1), record(at(1, 1), "{}"))
        .await
        .expect("appended");
    assert!(matches!(
        encrypted.read_journal().await,
        Err(BackendError::Encrypted { .. })
    ));

    // Who encrypts a state that exists says so once.
    let first = over(&store, key.encryption().accepting_clear());
    let opened = read(&first).await;
    assert_eq!(opened.bytes, clear);
    assert_eq!(first.read_journal().await.expect("readable").len(), 2);
    first
        .write(opened.bytes, &Expected::Token(opened.token))
        .await
        .expect("written");
    assert_eq!(read(&encrypted).await.bytes, clear);
}

#[tokio::test]
async fn a_ciphertext_cannot_be_changed_or_moved() {
    let key = Key::new();
    let store = filled(&key).await;
    let snapshot = read(&*store).await;
    let text = String::from_utf8(snapshot.bytes.to_vec()).expect("text");
    let encrypted = over(&store, key.encryption());
    let mut token = snapshot.token;
    for changed in [
        text.replace("\"serial\": 7", "\"serial\": 8"),
        text.replace("l-1", "l-2"),
        text.replace("\"content\": \"", "\"content\": \"AAAA"),
    ] {
        assert_ne!(changed, text);
        let written = store.write(changed.into(), &Expected::Token(token)).await;
        token = written.expect("somebody can write the store").token;
        let said = refused(&encrypted).await;
        assert!(said.contains("belongs to another place"), "{said}");
    }
    // A record at another place of the journal.
    store.damage_journal(|journal| {
        let bytes = &journal[&at(1, 0)];
        let (frames, _) = frame::decode(bytes);
        let mut moved = Vec::new();
        frame::encode(
            at(2, 0),
            0,
            Sha256::default(),
            &frames[0].payload,
            &mut moved,
        );
        journal.insert(at(2, 0), moved.into());
    });
    let said = encrypted
        .read_journal()
        .await
        .expect_err("refused")
        .to_string();
    assert!(said.contains("belongs to another place"), "{said}");
}

#[tokio::test]
async fn a_state_whose_encryption_ends_is_in_clear_byte_for_byte() {
    let key = Key::new();
    let store = filled(&key).await;
    let ending = over(&store, key.encryption().ending());
    let opened = read(&ending).await;
    let over_it = Expected::Token(opened.token);
    ending.write(opened.bytes, &over_it).await.expect("written");
    assert_eq!(read(&*store).await.bytes, STATE.as_bytes());
}
