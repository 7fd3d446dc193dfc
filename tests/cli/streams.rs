//! Readers that go away, and disks that are full.

use std::fs::File;
use std::process::Stdio;

use crate::stage::network;

#[test]
fn an_apply_goes_on_when_nobody_reads_any_more() {
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
