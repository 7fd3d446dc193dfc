//! An unusable stored state: the refusal lists its intact parts, and its commands repair it when they are pasted.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use terrane_tests::{Aws, Output, TestEnvironment, aws, md5_of};

use crate::stage::network;

const KEY: &str = "prod/terraform.tfstate";

/// A stack that went up twice: serial 2 is stored, serial 1 is the version before it.
fn up_twice(stack: &TestEnvironment, place: &[&str]) {
    for size in ["size=1", "size=2"] {
        let up = [&["up", "--yes", "--var", size], place].concat();
        stack.run(&up).exits(0);
    }
}

fn state_of(stack: &TestEnvironment) -> PathBuf {
    stack.path().join(".terrane/test/terraform.tfstate")
}

/// The change of a stored text.
type Damage = fn(&str) -> Option<String>;

/// Pastes both commands of a way out, and goes on from there.
fn follow(stack: &TestEnvironment, refused: &Output, pull: &str, push: &str, place: &[&str]) {
    let pull = refused
        .hinted(pull)
        .replace("<uuid>", &version(stack, place));
    let pulled = stack.paste(&pull, "").exits(0);
    assert_eq!(pulled.stdout, "", "it goes into a file: {pulled}");
    stack.paste(&refused.hinted(push), "--yes").exits(0);
    let up = [&["up", "--yes", "--var", "size=2"], place].concat();
    stack.run(&up).exits(0);
    let preview = ["preview", "--detailed-exitcode", "--var", "size=2"];
    stack.run(&[&preview[..], place].concat()).exits(0);
}

/// The newest version that is not the current one. The filtered output of a program has no ids.
fn version(stack: &TestEnvironment, place: &[&str]) -> String {
    let history = [&["state", "history", "--json"], place].concat();
    let output = stack.command(&history).output().expect("a stack program");
    let versions: Vec<Json> = serde_json::from_slice(&output.stdout).expect("JSON");
    let earlier = versions.iter().find(|version| version["current"] == false);
    let id = earlier.and_then(|version| version["id"].as_str());
    id.expect("an earlier version").to_owned()
}

#[test]
fn a_damaged_file_is_replaced_by_its_backup_with_the_printed_commands() {
    let damages: [(&str, Damage); 4] = [
        ("half", |state| Some(state[..200].to_owned())),
        ("empty", |_| Some(String::new())),
        ("gone", |_| None),
        ("edited", |state| {
            Some(state.replace("terraform_version", "_"))
        }),
    ];
    for (name, damage) in damages {
        let stack = network();
        up_twice(&stack, &[]);
        let state = state_of(&stack);
        let before = fs::read_to_string(&state).expect("a state");
        let damaged = damage(&before);
        match &damaged {
            Some(text) => fs::write(&state, text).expect("writable"),
            None => fs::remove_file(&state).expect("removed"),
        }
        let refused = stack.run(&["preview"]).exits(7);
        if name == "half" {
            assert_snapshot!(refused, @"
    exit: 7
    --- stderr ---
    error: the state at .terrane/test/terraform.tfstate cannot be used
      | the state is damaged at line 9, column 18: EOF while parsing a string
      | the stored file cannot be read as a state
      | its journal is intact; it recorded serial 2 as stored last
      | version backup of <time> can be read: serial 1, 3 instances
      | nothing was changed
    hint: to go back to serial 1: `test-stack state pull --version backup --out earlier.tfstate`, then `test-stack state push earlier.tfstate --force`
    ");
        }
        if name == "gone" {
            assert_snapshot!(refused, @r#"
    exit: 7
    --- stderr ---
    error: the state at .terrane/test/terraform.tfstate is missing, but serial 2 was stored before
      | no state is stored
      | its journal is intact; it recorded serial 2 as stored last
      | version backup of <time> can be read: serial 1, 3 instances
      | nothing was changed
    hint: to go back to serial 1: `test-stack state pull --version backup --out earlier.tfstate`, then `test-stack state push earlier.tfstate --force`
    hint: if its objects no longer exist either, start over: `echo '{"version":4,"resources":[]}' | test-stack state push - --force --yes`
    "#);
        }
        stack.run(&["up", "--yes"]).exits(7);
        stack.run(&["state", "history"]).exits(0);
        stack.run(&["state", "push", "none", "--yes"]).exits(1);
        follow(
            &stack,
            &refused,
            "pull --version backup",
            "push earlier.tfstate",
            &[],
        );
        // The old state is kept, and so is its backup.
        let kept = fs::read_to_string(state.with_extension("tfstate.replaced")).ok();
        assert_eq!(kept, damaged, "{name}");
    }
}

#[test]
fn an_older_file_is_refused_and_taken_when_somebody_insists() {
    let stack = network();
    up_twice(&stack, &[]);
    let state = state_of(&stack);
    fs::copy(state.with_extension("tfstate.backup"), &state).expect("copied");
    let refused = stack.run(&["preview"]).exits(7);
    assert_snapshot!(refused, @"
    exit: 7
    --- stderr ---
    error: the state at .terrane/test/terraform.tfstate has serial 1, but serial 2 was stored before
      | the stored state has serial 1, 3 instances
      | its journal is intact; it recorded serial 2 as stored last
      | version backup of <time> can be read: serial 1, 3 instances
      | nothing was changed
    hint: to continue with the stored state, serial 1: `test-stack state pull --out stored.tfstate`, then `test-stack state push stored.tfstate --force`
    ");
    // Without the force that the hint has it is refused in the same words.
    stack
        .run(&["state", "pull", "--out", "copy.tfstate"])
        .exits(0);
    let push = stack
        .run(&["state", "push", "copy.tfstate", "--yes"])
        .exits(7);
    assert_eq!(push.stderr, refused.stderr);
    follow(
        &stack,
        &refused,
        "pull --out stored",
        "push stored.tfstate",
        &[],
    );
    // A file that is there is not written over.
    stack
        .run(&["state", "pull", "--out", "copy.tfstate"])
        .exits(1);
}

#[test]
fn who_lost_all_begins_anew_with_the_printed_command() {
    let stack = network();
    up_twice(&stack, &[]);
    fs::remove_file(state_of(&stack)).expect("removed");
    let refused = stack.run(&["up", "--yes"]).exits(7);
    stack.paste(&refused.hinted("push -"), "").exits(0);
    let preview = stack.run(&["preview"]).exits(0);
    assert!(preview.stdout.contains("3 to add"), "{preview}");
}

/// The stack with a state in S3 that went up twice, and its place.
fn in_s3(options: &str) -> Option<(TestEnvironment, Aws, String)> {
    let aws = aws()?;
    let mut stack = network();
    stack.set("AWS_ACCESS_KEY_ID", "AKIATEST");
    stack.set("AWS_SECRET_ACCESS_KEY", "test");
    let url = match options {
        "" => aws.url(),
        options => format!("{}&{options}", Aws::url_of(aws.backend())),
    };
    stack
        .run(&["bootstrap", "--yes", "--backend", &url])
        .exits(0);
    up_twice(&stack, &["--backend", &url]);
    Some((stack, aws, url))
}

fn shown(aws: &Aws, url: &str, output: &Output) -> String {
    let text = output.to_string().replace(url, "<url>");
    let text = text.replace(aws.name(), "<bucket>");
    let words = text.split_inclusive([' ', ',', '\n']);
    // Digests and the store's names of versions.
    words
        .map(|word| {
            let letters = word.trim_end_matches([' ', ',', '\n']);
            let is_hex = |b: u8| b.is_ascii_hexdigit() || b == b'-';
            match letters.len() >= 32 && letters.bytes().all(is_hex) {
                true => word.replace(letters, "<hex>"),
                false => word.to_owned(),
            }
        })
        .collect()
}

#[track_caller]
fn digest_fits(aws: &Aws) {
    let digest = aws.item(&format!("{}/{KEY}-md5", aws.name()));
    let state = aws.object(KEY).expect("a state");
    let digest = digest.expect("a digest");
    assert_eq!(digest["Digest"]["S"], md5_of(state.as_bytes()));
}

#[test]
fn an_object_newer_than_its_digest_is_taken_or_put_back_with_the_printed_commands() {
    let Some((stack, aws, url)) = in_s3("") else {
        return;
    };
    let place = ["--backend", &*url];
    let state: Json = serde_json::from_str(&aws.object(KEY).expect("a state")).expect("JSON");
    let mut edited = state.clone();
    edited["serial"] = json!(3);
    aws.put_object(KEY, &edited.to_string());
    let refused = stack.run(&[&["preview"], &place[..]].concat()).exits(7);
    assert_snapshot!(shown(&aws, &url, &refused), @"
    exit: 7
    --- stderr ---
    error: the state at s3://<bucket>/prod/terraform.tfstate is not the one that was stored last: its MD5 is <hex>, the lock table says <hex>
      | the stored state has serial 3, 3 instances
      | its journal is intact; it recorded serial 2 as stored last
      | version <uuid> of <time> can be read: serial 2, 3 instances, the last one that the journal recorded
      | nothing was changed
    hint: to go back to serial 2: `test-stack state pull --version <uuid> --out earlier.tfstate --backend '<url>'`, then `test-stack state push earlier.tfstate --force --backend '<url>'`
    hint: to continue with the stored state, serial 3: `test-stack state pull --out stored.tfstate --backend '<url>'`, then `test-stack state push stored.tfstate --force --backend '<url>'`
    ");
    let pulled = stack
        .run(&[&["state", "pull"], &place[..]].concat())
        .exits(0);
    assert!(pulled.stderr.contains("runs refuse it"), "{pulled}");
    follow(
        &stack,
        &refused,
        "pull --out stored",
        "push stored.tfstate",
        &place,
    );
    digest_fits(&aws);

    // Gone, while the digest tells of it.
    aws.delete_object(KEY);
    let refused = stack.run(&[&["preview"], &place[..]].concat()).exits(7);
    assert_snapshot!(shown(&aws, &url, &refused), @r#"
    exit: 7
    --- stderr ---
    error: the state at s3://<bucket>/prod/terraform.tfstate is missing: the lock table has the MD5 <hex> of it
      | no state is stored
      | its journal is intact; it recorded serial 2 as stored last
      | version <uuid> of <time> can be read: serial 4, 3 instances
      | nothing was changed
    hint: to go back to serial 4: `test-stack state pull --version <uuid> --out earlier.tfstate --backend '<url>'`, then `test-stack state push earlier.tfstate --force --backend '<url>'`
    hint: if its objects no longer exist either, start over: `echo '{"version":4,"resources":[]}' | test-stack state push - --force --yes --backend '<url>'`
    "#);
    stack
        .run(&[&["state", "history"], &place[..]].concat())
        .exits(0);
    follow(
        &stack,
        &refused,
        "pull --version",
        "push earlier.tfstate",
        &place,
    );
    digest_fits(&aws);
}

#[test]
fn an_object_that_is_no_state_is_replaced_with_the_printed_commands() {
    let Some((stack, aws, url)) = in_s3("use_lockfile=true") else {
        return;
    };
    let place = ["--backend", &*url];
    for damage in ["", "<html>login</html>"] {
        aws.put_object(KEY, damage);
        let refused = stack.run(&[&["up", "--yes"], &place[..]].concat()).exits(7);
        follow(
            &stack,
            &refused,
            "pull --version",
            "push earlier.tfstate",
            &place,
        );
        fs::remove_file(stack.path().join("earlier.tfstate")).expect("it was pulled");
    }
}

#[test]
fn a_lock_table_that_is_elsewhere_or_has_another_key_is_named_with_what_to_do() {
    let Some((stack, aws, url)) = in_s3("") else {
        return;
    };
    let elsewhere = url.replace("region=us-east-1", "region=eu-west-1");
    let refused = stack
        .run(&["up", "--yes", "--backend", &elsewhere])
        .exits(1);
    assert_snapshot!(shown(&aws, &elsewhere, &refused), @"
    exit: 1
    --- stderr ---
    error: the lock table <bucket> does not exist in eu-west-1
    hint: create it with `test-stack bootstrap --backend '<url>'`
    hint: if it is in another region, set the option `region`: bucket and lock table are expected in the same one
    ");
    let made = stack.paste(&refused.hinted("bootstrap"), "--yes");
    assert!(made.stdout.contains("create lock table"), "{made}");

    let other = format!("{}-other", aws.name());
    aws.make_table(&other, "Name");
    let table = format!("dynamodb_table={}", aws.name());
    let other_url = url.replace(&table, &format!("dynamodb_table={other}"));
    let refused = stack
        .run(&["up", "--yes", "--backend", &other_url])
        .exits(1);
    assert_snapshot!(shown(&aws, &other_url, &refused), @"
    exit: 1
    --- stderr ---
    error: <bucket>-other cannot be used: its key is not `LockID` (a text) alone, as Terraform and terrane need it; name another table with the option `dynamodb_table`
    ");
}
