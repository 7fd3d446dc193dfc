//! S3 as it should work.

use std::collections::BTreeMap;
use std::sync::Arc;

use age::secrecy::ExposeSecret as _;
use serde_json::json;
use terrane_cli::Age;
use terrane_state::backend::conformance;
use terrane_state::{
    Backend, BackendAddress as _, EncryptedWith as _, Failure, LockInfo, Recorder as _, RunError,
    S3Backend, SystemClock,
};

use crate::world::*;
use terrane_tests::aws;

/// Lock table and bucket while OpenTofu 1.12.6 held the lock.
const HELD: &str = r#"{"ID":"4c182652-9d06-4598-415f-2e06cb9d3b43","Operation":"OperationTypeApply","Info":"","Who":"root@vm","Version":"1.12.6","Created":"2026-11-23T09:05:17.539919072Z","Path":"mlops-platform-terraform-state/prod/terraform.tfstate"}"#;

/// Its state.
const OPENTOFU: &str = r#"{"version":4,"terraform_version":"1.12.6","serial":1,"lineage":"adfb722d-88ce-f3f2-2d79-763b50421cfb","outputs":{"x":{"value":"5728219764581992577","type":"string","sensitive":true}},"resources":[{"mode":"managed","type":"null_resource","name":"a","provider":"provider[\"registry.opentofu.org/hashicorp/null\"]","instances":[{"schema_version":0,"attributes":{"id":"5604337608844369081","triggers":{"v":"1"}},"sensitive_attributes":[]}]}],"check_results":null}
"#;

async fn conforms(table: bool, file: bool) {
    if aws().is_none() {
        return;
    }
    conformance::check(async || {
        let aws = aws().expect("it was there");
        let mut options = aws.backend();
        if table {
            options = options.lock_table(aws.name());
        }
        if file {
            options = options.lockfile();
        }
        bootstrap(&options).await;
        let (a, b) = (connect(&options).await, connect(&options).await);
        (a as Arc<dyn Backend>, b as Arc<dyn Backend>)
    })
    .await;
}

#[tokio::test]
async fn s3_with_a_lock_table_passes_the_conformance_suite() {
    conforms(true, false).await;
}

#[tokio::test]
async fn s3_with_a_lockfile_passes_the_conformance_suite() {
    conforms(false, true).await;
}

#[tokio::test]
async fn s3_with_both_locks_passes_the_conformance_suite() {
    conforms(true, true).await;
}

#[tokio::test]
async fn an_encrypted_state_in_s3_passes_the_conformance_suite() {
    if aws().is_none() {
        return;
    }
    let identity = age::x25519::Identity::generate();
    let identities = identity.to_string().expose_secret().to_owned();
    let environment = BTreeMap::from([("SOPS_AGE_KEY".to_owned(), identities)]);
    conformance::check(async || {
        let aws = aws().expect("it was there");
        let options = aws.backend().lock_table(aws.name());
        bootstrap(&options).await;
        let key = Age::recipients([identity.to_public().to_string()]);
        let place = options.encrypted_with(key).in_environment(&environment);
        let connect = async || {
            let clock = Arc::new(SystemClock::default());
            place.address().connect(clock).await.expect("connected")
        };
        (connect().await, connect().await)
    })
    .await;
}

#[tokio::test]
async fn bootstrap_names_its_steps_and_has_none_the_second_time() {
    let Some(aws) = aws() else { return };
    let options = aws.backend().lock_table(aws.name());
    let plan = missing(&options).await;
    let steps: Vec<String> = plan
        .iter()
        .map(|step| step.to_string().replace(aws.name(), "NAME"))
        .collect();
    insta::assert_snapshot!(steps.join("\n"), @r"
    create bucket NAME in us-east-1
    enable versioning of the bucket
    encrypt the bucket with AES256
    block public access to the bucket
    create lock table NAME (key LockID, billed per request)
    enable point-in-time recovery of lock table NAME
    ");
    for step in &plan {
        step.run().await.expect("done");
        step.run().await.expect("done twice");
    }
    assert!(missing(&options).await.is_empty());
}

#[tokio::test]
async fn without_a_bucket_or_table_the_refusal_names_the_remedy() {
    let Some(aws) = aws() else { return };
    let options = aws.backend().lock_table(aws.name());
    let refusal = async || {
        let error = try_open(&options).await.map(drop).expect_err("refused");
        error.to_string().replace(aws.name(), "NAME")
    };
    insta::assert_snapshot!(refusal().await, @"the lock table NAME does not exist in us-east-1");
    let store = connect(&options).await;
    let bucket = aws.backend();
    let error = connect(&bucket).await.read().await.expect_err("refused");
    assert!(
        error.to_string().contains("does not exist in us-east-1"),
        "{error}"
    );
    drop(store);
}

#[tokio::test]
async fn a_run_leaves_a_state_a_digest_and_nothing_else() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    let path = options.lock_path();
    let (run, _) = open(&options).await;
    let item = aws.item(&path).expect("held");
    let info = item["Info"]["S"].as_str().expect("text");
    assert_eq!(
        LockInfo::parse(info.as_bytes())
            .expect("readable")
            .to_json(),
        info
    );
    assert_eq!(
        item.as_object().expect("an item").len(),
        2,
        "LockID and Info"
    );
    create(&run, "a").await;
    run.close().await.expect("closed");

    assert_eq!(aws.item(&path), None);
    let body = aws.object(STATE).expect("there");
    assert!(body.starts_with("{\"version\":4,") && body.ends_with("}\n"));
    let digest = aws.item(&format!("{path}-md5")).expect("there");
    let etag = connect(&options)
        .await
        .read()
        .await
        .expect("readable")
        .expect("there")
        .token;
    assert_eq!(
        Some(&*etag.0.replace('"', "")),
        digest["Digest"]["S"].as_str(),
        "an ETag here is an MD5"
    );
    assert_eq!(names(&stored(&aws)), ["a"]);
}

#[tokio::test]
async fn a_lock_that_opentofu_holds_is_respected_and_its_holder_named() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    let path = options.lock_path();
    aws.dynamodb(
        "PutItem",
        json!({ "Item": { "LockID": { "S": path }, "Info": { "S": HELD } } }),
    );
    let error = try_open(&options).await.map(drop).expect_err("locked");
    assert_eq!(error.failure(), Failure::Locked);
    let RunError::Locked { holder, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(holder.raw, HELD);
    assert_eq!(holder.info.expect("readable").who, "root@vm");

    let both = options.clone().lockfile();
    aws.dynamodb("DeleteItem", json!({ "Key": { "LockID": { "S": path } } }));
    aws.put_object(&format!("{STATE}.tflock"), HELD);
    let error = try_open(&both).await.map(drop).expect_err("locked");
    assert_eq!(error.failure(), Failure::Locked);
    assert_eq!(aws.item(&path), None, "the half that was free is not kept");
    break_lock(&both.clone()).await;
}

#[tokio::test]
async fn an_unreadable_lock_is_still_a_lock() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    aws.dynamodb(
        "PutItem",
        json!({ "Item": { "LockID": { "S": options.lock_path() }, "Info": { "S": "{\"ID\":" } } }),
    );
    let error = try_open(&options).await.map(drop).expect_err("locked");
    assert!(
        matches!(error, RunError::Locked { holder, .. } if holder.info.is_none() && holder.raw == "{\"ID\":")
    );
}

#[tokio::test]
async fn a_state_of_opentofu_is_taken_over_with_its_digest() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    let digest = "00000000000000000000000000000000";
    let id = format!("{}-md5", options.lock_path());
    aws.put_object(STATE, OPENTOFU);
    aws.dynamodb(
        "PutItem",
        json!({ "Item": { "LockID": { "S": id }, "Digest": { "S": digest } } }),
    );
    let error = try_open(&options)
        .await
        .map(drop)
        .expect_err("the digest is another's");
    assert_eq!(error.failure(), Failure::Refused);
    assert!(error.to_string().contains(digest), "{error}");

    aws.dynamodb("DeleteItem", json!({ "Key": { "LockID": { "S": id } } }));
    let (run, _) = open(&options).await;
    create(&run, "b").await;
    run.close().await.expect("closed");
    let stored = stored(&aws);
    assert_eq!(
        (names(&stored), stored.serial),
        (vec!["a".to_owned(), "b".to_owned()], 2)
    );
    assert_eq!(
        stored.lineage.as_str(),
        "adfb722d-88ce-f3f2-2d79-763b50421cfb"
    );
    assert!(aws.item(&id).is_some());
}

#[tokio::test]
async fn a_sign_of_life_is_an_attribute_of_its_own() {
    let Some(aws) = aws() else { return };
    for options in [prepared(&aws).await, prepared(&aws).await.lockfile()] {
        let store = connect(&options).await;
        let (run, _) = open(&options).await;
        let now = terrane_state::Timestamp::new(1_800_000_000, 5);
        store
            .heartbeat(run.lock_id(), now)
            .await
            .expect("still held");
        assert_eq!(
            store
                .holder()
                .await
                .expect("readable")
                .expect("held")
                .last_seen,
            Some(now)
        );
        let item = aws.item(&options.lock_path()).expect("held");
        assert_eq!(item["TerraneSeen"]["S"], now.to_string());
        run.close().await.expect("closed");
    }
}

#[tokio::test]
async fn a_dead_run_is_recovered_from_its_journal_in_the_bucket() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    let (run, _) = open(&options).await;
    create(&run, "a").await;
    let begun = intent("b");
    terrane_state::Recorder::intent(&run, begun.clone())
        .await
        .expect("recorded");
    drop(run);
    break_lock(&options).await;
    let (run, recovered) = open(&options).await;
    assert_eq!(recovered.replayed, 1);
    assert_eq!(
        recovered
            .open
            .iter()
            .map(|open| open.intent.op)
            .collect::<Vec<_>>(),
        [begun.op]
    );
    assert_eq!(names(&stored(&aws)), ["a"]);
    assert_eq!(run.close().await.expect("closed").open.len(), 1);
}

#[tokio::test]
async fn a_sleeper_from_an_old_epoch_cannot_go_on() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    // One that had begun, one that had not.
    let (begun, _) = open(&options).await;
    create(&begun, "a").await;
    break_lock(&options).await;
    let (silent, _) = open(&options).await;
    break_lock(&options).await;
    for name in ["b", "c", "d"] {
        let (run, _) = open(&options).await;
        create(&run, name).await;
        create(&run, &format!("{name}2")).await;
        run.close().await.expect("closed");
    }
    for sleeper in [begun, silent] {
        let error = terrane_state::Recorder::intent(&sleeper, intent("x"))
            .await
            .expect_err("fenced");
        assert_eq!(error.failure(), Failure::Fenced, "{error}");
        assert_eq!(
            sleeper.close().await.expect_err("fenced").failure(),
            Failure::Fenced
        );
    }
    let (run, recovered) = open(&options).await;
    assert!(recovered.open.is_empty() && recovered.interrupted.is_none());
    run.close().await.expect("closed");
    assert_eq!(stored(&aws).resources.len(), 7);
}

#[tokio::test]
async fn one_lock_and_many_processes_have_one_holder_at_a_time() {
    let Some(aws) = aws() else { return };
    let options = prepared(&aws).await;
    let mut opened = Vec::new();
    for _ in 0..8 {
        let options = options.clone();
        opened.push(tokio::spawn(async move { try_open(&options).await }));
    }
    let mut holders = Vec::new();
    for opened in opened {
        match opened.await.expect("no panic") {
            Ok((run, _)) => holders.push(run),
            Err(error) => assert_eq!(error.failure(), Failure::Locked, "{error}"),
        }
    }
    assert_eq!(holders.len(), 1);
}

#[tokio::test]
async fn states_whose_keys_differ_in_a_name_are_listed_also_by_their_journals_alone() {
    let Some(aws) = aws() else { return };
    let prepared = prepared(&aws).await;
    let at = |name: &str| {
        let key = format!("{name}/terraform.tfstate");
        let url = prepared.to_string().replace(STATE, &key);
        let mut options: S3Backend = url.parse().expect("an address");
        for (option, value) in [("access_key", "AKIATEST"), ("secret_key", "test")] {
            options.set(option, value).expect("an option");
        }
        options
    };
    let (whole, _) = open(&at("pr-7")).await;
    create(&whole, "a").await;
    whole.close().await.expect("stored");
    // A first run that died has a journal and no state.
    let (died, _) = open(&at("pr-12")).await;
    died.intent(intent("a")).await.expect("recorded");
    drop(died);
    let (other, _) = open(&at("prod")).await;
    create(&other, "a").await;
    other.close().await.expect("stored");
    let clock = Arc::new(SystemClock::default());
    let found = at("pr-0").named_alike("pr-0", "pr-", clock).await;
    let found = found.expect("listed").expect("a bucket can");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["pr-12", "pr-7"]);
}
