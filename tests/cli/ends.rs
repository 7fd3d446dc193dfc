//! Runs that end otherwise than they meant to: while they wait, and on a disk that is full.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Command;

use terrane_tests::TestEnvironment;

use crate::failures::{signal, slow};
use crate::stage::network;

#[test]
fn an_interrupt_ends_the_wait_for_a_lock() {
    let stack = network();
    let (mut first, mut errors) = slow(&stack);
    let waiting = ["up", "--yes", "--lock-timeout", "60s"];
    let mut second = stack.command(&waiting).spawn().expect("a stack program");
    let mut said = BufReader::new(second.stderr.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("readable");
    assert!(
        line.contains("waiting for the lock of the state: tester@"),
        "{line}"
    );
    signal(&second, "INT");
    assert_eq!(second.wait().expect("an end").code(), Some(8));
    errors.read_to_string(&mut String::new()).expect("text");
    assert!(first.wait().expect("an end").success());
    stack
        .run(&["preview", "--detailed-exitcode", "--lock"])
        .exits(2);
}

/// The program with no file growing beyond so many blocks, as on a disk that is full.
fn limited(blocks: usize, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script]).arg(command.get_program());
    shell.args(command.get_args());
    shell
        .current_dir(command.get_current_dir().expect("a folder"))
        .env_clear();
    shell.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    shell
}

#[test]
fn a_full_disk_stops_a_run_and_loses_nothing() {
    let mut stopped = 0;
    for blocks in 1..16 {
        let stack = network();
        let up = stack.command(&["up", "--yes", "--parallelism", "1"]);
        let ended = limited(blocks, &up).output().expect("a shell");
        let said = String::from_utf8_lossy(&ended.stderr);
        match ended.status.code() {
            Some(0) => {}
            Some(5) => stopped += 1,
            other => panic!("{blocks} blocks: {other:?}\n{said}"),
        }
        // The store is readable, and each object is in the state or in an unresolved operation: none is created twice.
        let mut next = stack.run(&["up", "--yes"]);
        if let Some((_, push)) = next.stderr.split_once("`test-stack state push ") {
            // Results that the journal could not take are in a file beside it; the command that stores them is printed.
            let (file, _) = push.split_once('`').expect("a command");
            stack.run(&["state", "push", "--yes", file]).exits(0);
            next = stack.run(&["up", "--yes"]);
        }
        let in_doubt = next
            .stderr
            .matches(" has an unresolved operation: creation")
            .count();
        assert_eq!(
            next.code,
            if in_doubt > 0 { 3 } else { 0 },
            "{blocks} blocks: {next}"
        );
        assert!(in_doubt <= 1, "{blocks} blocks: {next}");
        let known = stack
            .run(&["state", "list"])
            .exits(0)
            .stdout
            .lines()
            .count();
        let made = objects(&stack);
        assert!(
            made == known || made == known + in_doubt,
            "{blocks} blocks: {made} made, {known} known\n{said}\n{next}"
        );
    }
    assert!(stopped > 5, "{stopped} runs were stopped");
}

/// How many objects the conformance provider keeps: a folder a kind, a file an object.
fn objects(stack: &TestEnvironment) -> usize {
    let kinds = stack.objects().read_dir().expect("a folder");
    let kinds = kinds.map(|kind| kind.expect("an entry").path());
    let files = kinds.filter_map(|kind| kind.read_dir().ok()).flatten();
    let files = files.map(|file| file.expect("an entry").path());
    files
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .count()
}
