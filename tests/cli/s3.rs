//! A state that a team shares: in S3 under DynamoDB locks, as the command line shows it.

use std::time::Duration;

use insta::assert_snapshot;
use terrane_tests::{Aws, Fate, Output, TestEnvironment, aws, md5_of};

use crate::failures::{SLOW, until_creating};
use crate::stage::network;

const KEY: &str = "prod/terraform.tfstate";

/// A lock as OpenTofu 1.12.6 writes it, of another bucket.
const OPENTOFU: &str = r#"{"ID":"4c182652-9d06-4598-415f-2e06cb9d3b43","Operation":"OperationTypeApply","Info":"","Who":"root@vm","Version":"1.12.6","Created":"2026-11-23T09:05:17.539919072Z","Path":"mlops-platform-terraform-state/prod/terraform.tfstate"}"#;

/// The test stack, and a place for its state that is not made yet.
fn stage() -> Option<(TestEnvironment, Aws)> {
    let aws = aws()?;
    let mut stack = network();
    stack.set("AWS_ACCESS_KEY_ID", "AKIATEST");
    stack.set("AWS_SECRET_ACCESS_KEY", "test");
    Some((stack, aws))
}

/// The same with bucket and table.
fn prepared() -> Option<(TestEnvironment, Aws)> {
    let (stack, aws) = stage()?;
    run(&stack, &aws, &["bootstrap", "--yes"]).exits(0);
    Some((stack, aws))
}

fn run(stack: &TestEnvironment, aws: &Aws, arguments: &[&str]) -> Output {
    stack.run(&on(aws, arguments))
}

fn on(aws: &Aws, arguments: &[&str]) -> Vec<String> {
    let url = aws.url();
    let place = ["--backend".to_owned(), url];
    let arguments = arguments.iter().map(|&argument| argument.to_owned());
    arguments.chain(place).collect()
}

/// The text without bucket, ports and ids, which differ from run to run.
fn shown(aws: &Aws, output: &Output) -> String {
    let url = aws.url();
    let text = output.to_string().replace(&url, "<url>");
    text.replace(aws.name(), "<bucket>")
}

fn lock(aws: &Aws) -> Option<serde_json::Value> {
    aws.item(&format!("{}/{KEY}", aws.name()))
}

#[test]
fn bootstrap_shows_its_steps_and_has_none_the_second_time() {
    let Some((stack, aws)) = stage() else { return };
    assert_snapshot!(shown(&aws, &run(&stack, &aws, &["up", "--yes"])), @"
    exit: 1
    --- stderr ---
    error: the lock table <bucket> does not exist in us-east-1
    hint: create it with `test-stack bootstrap --backend '<url>'`
    hint: if it is in another region, set the option `region`: bucket and lock table are expected in the same one
    ");
    assert_snapshot!(shown(&aws, &run(&stack, &aws, &["bootstrap"])), @"
    exit: 1
    --- stdout ---
      + create bucket <bucket> in us-east-1
      + enable versioning of the bucket
      + encrypt the bucket with AES256
      + block public access to the bucket
      + create lock table <bucket> (key LockID, billed per request)
      + enable point-in-time recovery of lock table <bucket>
    --- stderr ---
    error: confirmation required: there is no terminal to ask on
    hint: pass `--yes`
    ");
    assert_snapshot!(shown(&aws, &run(&stack, &aws, &["bootstrap", "--yes"])), @"
    exit: 0
    --- stdout ---
      + create bucket <bucket> in us-east-1
      + enable versioning of the bucket
      + encrypt the bucket with AES256
      + block public access to the bucket
      + create lock table <bucket> (key LockID, billed per request)
      + enable point-in-time recovery of lock table <bucket>
    create bucket <bucket> in us-east-1: done
    enable versioning of the bucket: done
    encrypt the bucket with AES256: done
    block public access to the bucket: done
    create lock table <bucket> (key LockID, billed per request): done
    enable point-in-time recovery of lock table <bucket>: done
    <url> is ready
    ");
    assert_snapshot!(shown(&aws, &run(&stack, &aws, &["bootstrap", "--yes"])), @"
    exit: 0
    --- stdout ---
    <url> is ready
    ");
    let again = run(&stack, &aws, &["bootstrap", "--yes", "--json"])
        .exits(0)
        .json();
    assert_eq!(again["steps"], serde_json::json!([]));
    assert_snapshot!(stack.run(&["bootstrap", "--yes"]), @"
    exit: 1
    --- stderr ---
    error: the state at .terrane/test/terraform.tfstate needs no `bootstrap`: its store has nothing to create
    hint: name another state with `--backend`, or in the program
    ");
}

#[test]
fn a_state_in_s3_is_valid_unlocked_and_has_its_digest() {
    let Some((stack, aws)) = prepared() else {
        return;
    };
    let up = run(&stack, &aws, &["up", "--yes"]).exits(0);
    assert!(up.stderr.contains("lock released"), "{up}");
    let state = aws.object(KEY).expect("a state");
    let document: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    assert_eq!(document["version"], 4);
    assert_eq!(document["resources"].as_array().map(Vec::len), Some(2));
    terrane_state::file::read(state.as_bytes()).expect("a state file");
    assert_eq!(lock(&aws), None);
    let digest = aws
        .item(&format!("{}/{KEY}-md5", aws.name()))
        .expect("a digest");
    assert_eq!(digest["Digest"]["S"], md5_of(state.as_bytes()));
    run(&stack, &aws, &["preview", "--detailed-exitcode", "--lock"]).exits(0);
    assert_eq!(lock(&aws), None);
    run(&stack, &aws, &["destroy", "--yes"]).exits(0);
    assert_eq!(run(&stack, &aws, &["state", "list"]).exits(0).stdout, "");
}

#[test]
fn a_second_run_is_refused_with_the_name_of_the_first_and_may_wait_for_it() {
    let Some((stack, aws)) = prepared() else {
        return;
    };
    // It runs as long as four other commands take.
    let slow = SLOW.map(|word| word.replace("1500ms", "4s"));
    let slow = slow.each_ref().map(String::as_str);
    let (mut child, _errors) = until_creating(stack.command(&on(&aws, &slow)));
    let refused = run(&stack, &aws, &["up", "--yes"]).exits(4);
    assert!(refused.stderr.contains("tester@"), "{refused}");
    assert!(refused.stderr.contains("for an apply since"), "{refused}");
    assert!(
        refused.stderr.contains("test-stack force-unlock "),
        "{refused}"
    );
    // Looking takes no lock, unless it is asked to.
    run(&stack, &aws, &["preview"]).exits(0);
    run(&stack, &aws, &["preview", "--lock"]).exits(4);
    let waited = run(&stack, &aws, &["up", "--yes", "--lock-timeout", "60s"]).exits(0);
    assert!(
        waited
            .stderr
            .contains("waiting for the lock of the state: tester@"),
        "{waited}"
    );
    assert!(child.wait().expect("an end").success());
}

#[test]
fn a_lock_that_opentofu_holds_is_respected_and_can_be_broken_by_its_id() {
    let Some((stack, aws)) = prepared() else {
        return;
    };
    let path = format!("{}/{KEY}", aws.name());
    let info = OPENTOFU.replace("mlops-platform-terraform-state", aws.name());
    let held = serde_json::json!({ "Item": { "LockID": { "S": path }, "Info": { "S": info } } });
    aws.dynamodb("PutItem", held);
    let refused = shown(&aws, &run(&stack, &aws, &["up", "--yes"]));
    assert_snapshot!(ages(&refused), @"
    exit: 4
    --- stderr ---
    error: the state at s3://<bucket>/prod/terraform.tfstate is locked by another run: root@vm holds it for an apply since <time> (<age>) (lock <uuid>)
    hint: wait for it with `test-stack up --yes --lock-timeout 10m --backend '<url>'`
    hint: if that run is dead, free it with `test-stack force-unlock <uuid> --backend '<url>'`
    ");
    let other = shown(&aws, &run(&stack, &aws, &["force-unlock", "--yes", "4c18"]));
    assert_snapshot!(ages(&other), @"
    exit: 1
    --- stderr ---
    error: there is no lock 4c18: root@vm holds it for an apply since <time> (<age>) (lock <uuid>)
    hint: if that run is dead, free the state with `test-stack force-unlock <uuid> --backend '<url>'`
    ");
    let id = "4c182652-9d06-4598-415f-2e06cb9d3b43";
    let asked = run(&stack, &aws, &["force-unlock", id]).exits(1);
    assert!(asked.stderr.contains("pass `--yes`"), "{asked}");
    assert!(lock(&aws).is_some());
    let broken = shown(&aws, &run(&stack, &aws, &["force-unlock", "--yes", id]));
    assert_snapshot!(ages(&broken), @"
    exit: 0
    --- stderr ---
    root@vm holds it for an apply since <time> (<age>) (lock <uuid>)
    the state at s3://<bucket>/prod/terraform.tfstate is unlocked; the next run recovers the operations of the one that held it
    ");
    assert_eq!(lock(&aws), None);
    assert_snapshot!(shown(&aws, &run(&stack, &aws, &["force-unlock", "--yes", id])), @"
    exit: 1
    --- stderr ---
    error: the state at s3://<bucket>/prod/terraform.tfstate is not locked
    ");
    run(&stack, &aws, &["up", "--yes"]).exits(0);
}

/// The text without how long ago something was.
fn ages(text: &str) -> String {
    let mut parts = text.split(" ago)");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let cut = kept.rfind('(').expect("an opening bracket");
        kept.truncate(cut);
        kept.push_str("(<age>)");
        kept.push_str(part);
    }
    kept
}

#[test]
fn an_unreadable_lock_is_broken_by_the_id_that_the_refusal_prints() {
    let Some((stack, aws)) = prepared() else {
        return;
    };
    let path = format!("{}/{KEY}", aws.name());
    let odd = [
        (serde_json::json!({ "S": "{half" }), "{half"),
        (
            serde_json::json!({ "N": "7" }),
            "the `Info` of its item is no text",
        ),
        (serde_json::Value::Null, "its item has no `Info`"),
    ];
    for (info, said) in odd {
        let mut item = serde_json::json!({ "LockID": { "S": path } });
        if !info.is_null() {
            item["Info"] = info;
        }
        aws.dynamodb("PutItem", serde_json::json!({ "Item": item }));
        let refused = run(&stack, &aws, &["up", "--yes"]).exits(4);
        assert!(refused.stderr.contains(said), "{refused}");
        stack
            .paste(&refused.hinted("force-unlock"), "--yes")
            .exits(0);
        assert_eq!(lock(&aws), None);
    }
}

#[test]
fn a_state_that_cannot_be_written_at_the_end_is_recovered_from_its_journal() {
    let Some((stack, aws)) = prepared() else {
        return;
    };
    // The journal is taken, the state is not.
    aws.when(|request| match request {
        _ if request.starts_with("PUT ") && request.contains("tfstate?") => Fate::Lost,
        _ => Fate::Answered,
    });
    let url = format!("{}&max_retries=0", aws.url());
    let failed = stack.run(&["up", "--yes", "--backend", &*url]).exits(5);
    assert!(
        failed
            .stderr
            .contains("the journal has every result of this run; `test-stack up"),
        "{failed}"
    );
    assert_eq!(aws.object(KEY), None);
    aws.when(|_| Fate::Answered);
    let next = run(&stack, &aws, &["up", "--yes"]).exits(0);
    assert!(next.stderr.contains("recovered 4 results"), "{next}");
    assert!(next.stdout.contains("No changes"), "{next}");
}

#[test]
fn results_that_no_store_takes_are_kept_on_this_machine_and_no_run_goes_on_without_them() {
    let Some((stack, aws)) = prepared() else {
        return;
    };
    let mut arguments = on(&aws, &SLOW);
    let url = arguments.last_mut().expect("a URL");
    url.push_str("&max_retries=0");
    // While the operation runs (1.5 s): its intent is stored by then, and its result would be a moment after the object is made.
    let (child, errors) = until_creating(stack.command(&arguments));
    std::thread::sleep(Duration::from_millis(500));
    aws.when(|_| Fate::Lost);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut { errors }, &mut said).expect("text");
    let ended = stack.finish(child).exits(5);
    let printed = said
        .split("store them with `test-stack ")
        .nth(1)
        .expect("a command");
    let printed = printed.split('`').next().expect("its end");
    let belongs = printed.split(" --backend ").nth(1).expect("a backend");
    let folder = stack
        .path()
        .join(".terrane/test")
        .read_dir()
        .expect("a folder");
    let mut files = folder.map(|entry| entry.expect("an entry").path());
    let rescued = files
        .find(|path| path.to_string_lossy().contains("errored-"))
        .unwrap_or_else(|| panic!("{ended}{said}"));
    let mode = std::os::unix::fs::MetadataExt::mode(&rescued.metadata().expect("a file"));
    assert_eq!(mode & 0o777, 0o600);
    aws.when(|_| Fate::Answered);

    // On another backend nothing is missing; where the file belongs is said, and it cannot be stored in the wrong place.
    let elsewhere = stack
        .run(&["destroy", "--yes", "--backend", "other.tfstate"])
        .exits(0);
    assert!(
        elsewhere
            .stderr
            .contains("holds results of an earlier run on s3://"),
        "{elsewhere}"
    );
    assert!(elsewhere.stderr.contains(belongs), "{elsewhere}");
    let other = r#"{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"other","outputs":{},"resources":[],"check_results":null}"#;
    std::fs::write(stack.path().join("foreign.tfstate"), other).expect("a writable folder");
    let file = rescued.to_str().expect("text");
    let foreign = [
        "state",
        "push",
        file,
        "--yes",
        "--backend",
        "foreign.tfstate",
    ];
    let foreign = stack.run(&foreign).exits(7);
    assert!(
        foreign.stderr.contains("belongs to another state"),
        "{foreign}"
    );
    let forced = [
        "state",
        "push",
        file,
        "--yes",
        "--force",
        "--backend",
        "forced.tfstate",
    ];
    let forced = stack.run(&forced).exits(0);
    assert!(
        forced.stderr.contains("stays: it belongs to s3://"),
        "{forced}"
    );
    assert!(rescued.exists());

    let id = lock(&aws).expect("still held")["Info"]["S"]
        .as_str()
        .expect("text")
        .to_owned();
    let id: serde_json::Value = serde_json::from_str(&id).expect("JSON");
    run(
        &stack,
        &aws,
        &["force-unlock", "--yes", id["ID"].as_str().expect("text")],
    )
    .exits(0);
    let refused = run(&stack, &aws, &["up", "--yes"]).exits(7);
    assert!(refused.stderr.contains(belongs), "{refused}");
    let looked = run(&stack, &aws, &["state", "list"]).exits(0);
    assert!(looked.stderr.contains(belongs), "{looked}");
    // The very command, as a shell takes it.
    let words = printed.split(' ').map(|word| word.trim_matches('\''));
    let push: Vec<&str> = words.chain(["--yes"]).collect();
    let copy = stack.path().join("copy.tfstate");
    std::fs::copy(&rescued, &copy).expect("a copy");
    let pushed = stack.run(&push).exits(0);
    assert!(
        pushed
            .stdout
            .contains("the results of 1 operation of an earlier run"),
        "{pushed}"
    );
    assert!(!rescued.exists());
    let again = run(&stack, &aws, &["state", "push", "copy.tfstate", "--yes"]).exits(0);
    assert!(
        again
            .stdout
            .contains("has everything that this file could add"),
        "{again}"
    );
    // The base was created once, and no operation is unresolved.
    let last = run(&stack, &aws, &["up", "--yes"]).exits(0);
    assert!(last.stdout.contains("2 added, 1 changed"), "{last}");
}

#[test]
fn a_damaged_object_of_the_journal_is_refused_and_the_hint_repairs_it() {
    let Some((stack, aws)) = prepared() else {
        return;
    };
    run(&stack, &aws, &["up", "--yes"]).exits(0);
    let journal = format!("{KEY}.journal/");
    for key in aws.keys(&journal) {
        aws.put_object(&key, "garbage");
    }
    let refused = run(&stack, &aws, &["destroy", "--yes"]).exits(7);
    let hint = refused.hinted("state repair");
    assert!(
        hint.ends_with(&format!("--backend '{}'", aws.url())),
        "{hint}"
    );
    let repaired = stack.paste(&hint, "--yes").exits(0);
    let copies = aws.keys(&format!("{KEY}.journal-damaged/"));
    assert_eq!(copies.len(), 1, "{repaired}");
    assert_eq!(aws.object(&copies[0]).as_deref(), Some("garbage"));
    assert_eq!(lock(&aws), None);
    let up = stack.paste(&repaired.hinted(" up"), "--yes").exits(0);
    assert!(up.stdout.contains("No changes"), "{up}");
    run(&stack, &aws, &["destroy", "--yes"]).exits(0);
}

#[test]
fn history_names_the_versions_that_runs_wrote_and_those_of_others() {
    let Some((stack, aws)) = prepared() else {
        return;
    };
    run(&stack, &aws, &["up", "--yes"]).exits(0);
    run(&stack, &aws, &["up", "--yes", "--var", "size=2"]).exits(0);
    // As it is: the names of versions differ from run to run.
    let output = stack.command(&on(&aws, &["history", "--json"])).output();
    let history = output.expect("a stack program").stdout;
    let history: serde_json::Value = serde_json::from_slice(&history).expect("JSON");
    let runs = history.as_array().expect("a list");
    assert_eq!(runs.len(), 2, "{history}");
    for (run_there, serial) in runs.iter().zip([2, 1]) {
        assert_eq!(run_there["serial"], serial);
        // The next command: that state, as it was.
        let version = run_there["version"].as_str().expect("a version");
        let pulled = run(&stack, &aws, &["state", "pull", "--version", version]).exits(0);
        assert_eq!(pulled.json()["serial"], serial);
    }
    // Completion knows the names without a request.
    let lost = format!("test-stack state show --backend '{}' conf", aws.url());
    let typed = stack.run(&["completions", "bash", "--", &lost]).exits(0);
    assert_eq!(typed.stdout, "words\nconformance_sdk_thing.base\n");
}
