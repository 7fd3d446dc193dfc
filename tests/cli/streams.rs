//! Readers that go away or sleep, and disks that are full.

use std::fs::File;
use std::io::{PipeReader, Read as _};
use std::process::{Child, Stdio};

use terrane_tests::{TestEnvironment, full_pipe};

use crate::failures::signal;
use crate::stage::network;

/// An `up` whose readers sleep from the beginning, after it gave the lock back.
fn up_into_full_pipes(stack: &TestEnvironment, arguments: &[&str]) -> (Child, [PipeReader; 2]) {
    let (results, out) = full_pipe();
    let (talk, err) = full_pipe();
    let mut command = stack.command(arguments);
    let mut child = command.stdout(out).stderr(err).spawn().expect("a program");
    let folder = stack.objects().join("conformance_sdk_thing");
    while folder.read_dir().map_or(0, Iterator::count) < 3 {
        assert!(child.try_wait().expect("a process").is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let next = ["up", "--yes", "--lock-timeout", "60s"];
    stack.run(&next).exits(0);
    assert!(child.try_wait().expect("a process").is_none(), "it ended");
    (child, [results, talk])
}

#[test]
fn readers_that_sleep_stop_neither_operations_nor_signals() {
    let stack = network();
    let (mut child, _readers) = up_into_full_pipes(&stack, &["up", "--yes"]);
    signal(&child, "INT");
    assert_eq!(child.wait().expect("an end").code(), Some(8));
}

#[test]
fn a_signal_is_handled_while_no_reader_reads() {
    let stack = network();
    let (_results, out) = full_pipe();
    let (_talk, err) = full_pipe();
    let knobs = "knobs={\"base\":{\"delay\":\"2s\"}}";
    let mut command = stack.command(&["up", "--yes", "--json", "--var", knobs]);
    let mut child = command.stdout(out).stderr(err).spawn().expect("a program");
    let journal = stack.path().join(".terrane/test");
    let begun = || {
        let files = journal.read_dir().into_iter().flatten().flatten();
        let mut texts = files.filter_map(|file| std::fs::read(file.path()).ok());
        texts.any(|text| String::from_utf8_lossy(&text).contains("conformance_sdk_thing.base"))
    };
    while !begun() {
        assert!(child.try_wait().expect("a process").is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    signal(&child, "TERM");
    assert_eq!(child.wait().expect("an end").code(), Some(8));
    // The provider gave up its delay: a creation may be unresolved, and nothing else is wrong.
    let next = stack.run(&["up", "--yes"]);
    assert!([0, 3].contains(&next.code), "{next}");
}

#[test]
fn a_reader_that_wakes_finds_every_result() {
    let stack = network();
    let (mut child, [mut results, _talk]) = up_into_full_pipes(&stack, &["up", "--yes", "--json"]);
    let mut lines = String::new();
    results.read_to_string(&mut lines).expect("text");
    let lines = lines.trim_start_matches('.').lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        line["type"].as_str().expect("a type").to_owned()
    });
    let lines: Vec<String> = lines.collect();
    assert_eq!(lines.first().map(String::as_str), Some("version"));
    assert_eq!(lines.last().map(String::as_str), Some("outputs"));
    let done = lines.iter().filter(|line| *line == "apply_complete");
    assert_eq!(done.count(), 3, "{lines:?}");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn an_apply_goes_on_when_its_reader_has_left() {
    let stack = network();
    let mut child = stack
        .command(&["up", "--yes"])
        .spawn()
        .expect("a stack program");
    drop(child.stdout.take());
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    let listed = stack.run(&["state", "list"]).exits(0).stdout;
    assert_eq!(listed.lines().count(), 3);
}

// Only Linux has a device that is full.
#[cfg(target_os = "linux")]
#[test]
fn data_that_could_not_be_written_is_a_failure() {
    let stack = network();
    let mut command = stack.command(&["graph"]);
    let full = File::options()
        .write(true)
        .open("/dev/full")
        .expect("a full device");
    let child = command
        .stdout(Stdio::from(full))
        .spawn()
        .expect("a stack program");
    let output = stack.finish(child).exits(1);
    assert!(
        output.stderr.contains("the output is not complete"),
        "{output}"
    );
}
