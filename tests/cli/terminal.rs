//! A terminal: questions are asked, rows are redrawn.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd;
use std::process::{Child, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use terrane_tests::TestEnvironment;

use crate::failures::signal;
use crate::stage::{fake, network};

/// Starts the program with a terminal as its standard input and error.
pub(crate) fn on_a_terminal(stack: &TestEnvironment, arguments: &[&str]) -> (Child, File) {
    on_a_terminal_of(stack, arguments, (160, 40))
}

/// The same on a terminal with so many columns and lines.
pub(crate) fn on_a_terminal_of(
    stack: &TestEnvironment,
    arguments: &[&str],
    size: (u16, u16),
) -> (Child, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).expect("a terminal of ours");
    unlockpt(&terminal).expect("an open terminal");
    resize(&terminal, size);
    let name = ptsname(&terminal, Vec::new()).expect("a name");
    let other = || {
        let path = name.to_str().expect("a path");
        File::options()
            .read(true)
            .write(true)
            .open(path)
            .expect("the other end")
    };
    let mut command = stack.command(arguments);
    if command.get_envs().all(|(name, _)| name != "TERM") {
        command.env("TERM", "xterm");
    }
    let child = command
        .stdin(Stdio::from(other()))
        .stderr(Stdio::from(other()))
        .spawn()
        .expect("a stack program");
    (child, File::from(terminal))
}

/// Makes the terminal as large as that.
pub(crate) fn resize(terminal: impl AsFd, (columns, lines): (u16, u16)) {
    let size = Winsize {
        ws_row: lines,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).expect("a size");
}

/// After a silence of so many seconds a program is held to wait for an answer that the test does not give.
const SILENCE: i64 = 120;

/// Reads the screen until the text is there, or to the end when the program is gone.
pub(crate) fn read_until(terminal: &mut File, wanted: &str) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let silence = Timespec {
            tv_sec: SILENCE,
            tv_nsec: 0,
        };
        let ready = poll(&mut [PollFd::new(terminal, PollFlags::IN)], Some(&silence));
        assert_ne!(
            ready.ok(),
            Some(0),
            "waited for {wanted:?}, and nothing came after {}",
            String::from_utf8_lossy(&seen)
        );
        match terminal.read(&mut buffer) {
            // The program closed its end.
            Ok(0) | Err(_) => break,
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
        if String::from_utf8_lossy(&seen).contains(wanted) {
            break;
        }
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn a_yes_is_asked_for_and_a_no_changes_nothing() {
    for (answer, code) in [("yes\n", 0), ("no\n", 1), ("\u{4}", 1)] {
        let stack = network();
        let (mut child, mut terminal) = on_a_terminal(&stack, &["up"]);
        let asked = read_until(&mut terminal, "[yes/no/details/graph]");
        assert!(asked.contains("Make these changes?"), "{asked}");
        terminal.write_all(answer.as_bytes()).expect("writable");
        let rest = read_until(&mut terminal, "no such text");
        assert_eq!(child.wait().expect("an end").code(), Some(code), "{rest}");
        let listed = stack.run(&["state", "list"]).stdout;
        assert_eq!(listed.lines().count(), if code == 0 { 3 } else { 0 });
    }
}

#[test]
fn the_details_of_a_folded_plan_are_shown_at_the_question() {
    let stack = network();
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up"]);
    read_until(&mut terminal, "[yes/no/details/graph]");
    terminal.write_all(b"details\n").expect("writable");
    read_until(&mut terminal, "graph] ");
    terminal.write_all(b"no\n").expect("writable");
    read_until(&mut terminal, "no such text");
    assert_eq!(child.wait().expect("an end").code(), Some(1));
    let mut plans = String::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_string(&mut plans).expect("text");
    // The plan was shown twice, and only the second time with everything.
    assert_eq!(plans.matches("Plan: 3 to add").count(), 2, "{plans}");
    assert_eq!(plans.matches("Statement[0].Effect").count(), 1, "{plans}");
}

#[test]
fn one_resource_and_the_graph_are_shown_at_the_question() {
    let stack = network();
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up"]);
    read_until(&mut terminal, "[yes/no/details/graph]");
    let mut ask = |question: &str| {
        writeln!(terminal, "{question}").expect("writable");
        read_until(&mut terminal, "graph] ")
    };
    ask("details module.network.conformance_sdk_thing.child[\"b\"]");
    let missing = ask("details module.network.conformance_sdk_thing.child[\"c\"]");
    assert!(
        missing.contains("did you mean `module.network.conformance_sdk_thing.child[\"a\"]`?"),
        "{missing}"
    );
    let unread = ask("details \u{1b}[");
    assert!(
        unread.contains("is not an address") || unread.contains("has no resource"),
        "{unread}"
    );
    let said = ask("graph");
    assert!(
        said.contains("graph written to .terrane/test/graph.svg"),
        "{said}"
    );
    let picture = stack.path().join(".terrane/test/graph.svg");
    let picture = std::fs::read_to_string(picture).expect("a picture");
    assert_eq!(picture.matches("<g class=\"create\"").count(), 3);
    terminal.write_all(b"no\n").expect("writable");
    read_until(&mut terminal, "no such text");
    assert_eq!(child.wait().expect("an end").code(), Some(1));
    let mut plans = String::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_string(&mut plans).expect("text");
    let (_, details) = plans.split_once("Plan: 3 to add").expect("a plan");
    assert!(
        details.contains("child-b") && !details.contains("child-a"),
        "{details}"
    );
    assert!(!details.contains("Plan:"), "{details}");
}

#[test]
fn an_interrupt_at_the_question_changes_nothing() {
    let stack = network();
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up"]);
    read_until(&mut terminal, "[yes/no/details/graph]");
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
    let rest = read_until(&mut terminal, "no such text");
    assert_eq!(child.wait().expect("an end").code(), Some(8), "{rest}");
    assert_eq!(stack.run(&["state", "list"]).stdout, "");
}

#[test]
fn running_operations_are_shown_with_a_clock_and_their_dependents() {
    let mut stack = network();
    let slow = "{\"delay\":\"1s\"}";
    let knobs = format!("knobs={{\"base\":{slow},\"child\":{slow}}}");
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up", "--yes", "--var", &knobs]);
    let drawn = read_until(&mut terminal, "no such text");
    assert!(child.wait().expect("an end").success(), "{drawn}");
    for text in [
        "0 of 3 steps done",
        "0s  conformance_sdk_thing.base",
        "module.network.conformance_sdk_thing.child[\"a\"] waiting for conformance_sdk_thing.base",
        "conformance_sdk_thing.base: created in",
        "\u{1b}[32m",
    ] {
        assert!(drawn.contains(text), "{text:?} is not in {drawn:?}");
    }
    // A later run knows how long it takes; a folder of caches that cannot be had is no matter.
    stack.run(&["destroy", "--yes"]).exits(0);
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up", "--yes", "--var", &knobs]);
    let drawn = read_until(&mut terminal, "no such text");
    assert!(child.wait().expect("an end").success(), "{drawn}");
    assert!(drawn.contains(", usually 1s"), "{drawn:?}");
    stack.set("TERRANE_CACHE_DIR", "/dev/null");
    stack.run(&["destroy", "--yes"]).exits(0);
}

#[test]
fn an_interrupt_stands_above_the_rows_and_in_their_head() {
    let stack = fake(&[("FAKE_FAULT", "apply:hang")]);
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up", "--yes"]);
    read_until(&mut terminal, "0s  fake_thing.one");
    signal(&child, "INT");
    let drawn = read_until(&mut terminal, "stopping, 1 running");
    let said = drawn.find("stopping: waiting for running operations");
    let head = drawn.find("stopping, 1 running");
    assert!(said.is_some() && said < head, "{drawn:?}");
    // Rows are erased, the line is written, and only then they are drawn again.
    let before = &drawn[..said.unwrap_or_default()];
    assert!(
        before.trim_end().ends_with("\u{1b}[J\u{1b}[1A"),
        "{before:?}"
    );
    signal(&child, "INT");
    let rest = read_until(&mut terminal, "no such text");
    assert_eq!(child.wait().expect("an end").code(), Some(130), "{rest}");
    assert!(rest.contains("exited; the next run recovers"), "{rest:?}");
}

#[test]
fn without_colour_nothing_is_coloured() {
    let mut stack = network();
    stack.set("NO_COLOR", "1");
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up", "--yes"]);
    let drawn = read_until(&mut terminal, "no such text");
    assert!(child.wait().expect("an end").success(), "{drawn}");
    let mut codes = drawn.split('\u{1b}').skip(1);
    let is_colour = |code: &str| {
        code.trim_start_matches(|c: char| !c.is_alphabetic())
            .starts_with('m')
    };
    assert!(!codes.any(is_colour), "{drawn:?}");
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let mut stack = network();
    stack.set("TERM", "dumb");
    let (mut child, mut terminal) = on_a_terminal(&stack, &["up", "--yes"]);
    let drawn = read_until(&mut terminal, "no such text");
    assert!(child.wait().expect("an end").success(), "{drawn}");
    let is_control = |c: char| c.is_control() && !"\r\n".contains(c);
    assert!(!drawn.contains(is_control), "{drawn:?}");
    assert!(
        drawn.contains("conformance_sdk_thing.base: creating…"),
        "{drawn:?}"
    );
}
