//! What a person sees while `up` runs, on terminals of several sizes and after a resize. The bytes go through an emulator.

use std::fs::File;
use std::io::Read as _;
use std::process::Child;
use std::time::Duration;

use avt::Terminal;
use insta::assert_snapshot;
use terrane_tests::{TestEnvironment, filtered};

use crate::failures::signal;
use crate::stage::{fake, network};
use crate::terminal::{on_a_terminal_of, resize};

/// The end of each drawing.
const DRAWN: &[u8] = b"\x1b[?2026l";

/// A program whose terminal is watched.
struct Watched {
    /// Its folder goes with it.
    _stack: TestEnvironment,
    child: Child,
    terminal: File,
    screen: Terminal,
    /// Bytes that are no whole character yet.
    rest: Vec<u8>,
}

impl Watched {
    fn new(stack: TestEnvironment, arguments: &[&str], size: (u16, u16)) -> Self {
        let (child, terminal) = on_a_terminal_of(&stack, arguments, size);
        let (columns, lines) = size;
        let screen = Terminal::with_scrollback(columns.into(), lines.into(), None);
        let mut screen = screen.expect("a size");
        // A long plan stands there already: the cursor is in the last line.
        for _ in 0..lines {
            screen.feed("plan\r\n");
        }
        Self {
            _stack: stack,
            child,
            terminal,
            screen,
            rest: Vec::new(),
        }
    }

    /// Reads until a drawing has ended that is as wanted.
    fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let mut buffer = [0; 4096];
        loop {
            let count = self.terminal.read(&mut buffer).unwrap_or_default();
            assert!(count > 0, "the program ended: {}", self.shown());
            self.rest.extend_from_slice(&buffer[..count]);
            let is_whole = self.rest.ends_with(DRAWN);
            self.feed();
            if is_whole && wanted(&self.shown()) {
                return still(&filtered(&self.shown(), "/no such folder"));
            }
        }
    }

    fn feed(&mut self) {
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.rest.split_off(whole);
        let text = String::from_utf8(std::mem::replace(&mut self.rest, rest));
        self.screen.feed(&*text.expect("whole characters"));
    }

    /// The lines that are on the screen.
    fn shown(&self) -> String {
        let lines = self.screen.screen().visible_lines();
        let lines: Vec<String> = lines
            .map(|line| line.text().trim_end().to_owned())
            .collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// Everything that was ever shown and not erased.
    fn everything(&self) -> String {
        self.screen.screen().text().join("\n")
    }

    fn resize(&mut self, size: (u16, u16)) {
        self.screen.resize(size.0.into(), size.1.into());
        resize(&self.terminal, size);
    }

    /// Ends the run at once, where its provider does not give up before.
    fn end(mut self) {
        signal(&self.child, "INT");
        std::thread::sleep(Duration::from_millis(300));
        signal(&self.child, "INT");
        let mut rest = Vec::new();
        // The other end is gone in the end, which is an error of a terminal.
        let _ = self.terminal.read_to_end(&mut rest);
        let code = self.child.wait().expect("an end").code();
        assert!([Some(8), Some(130)].contains(&code), "{code:?}");
    }
}

/// The same at any time: clocks stand at zero.
fn still(text: &str) -> String {
    let mut still = String::new();
    for line in text.lines() {
        for word in line.split_inclusive(' ') {
            let digits = word.trim_end().strip_suffix('s').unwrap_or_default();
            let is_clock = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
            match is_clock {
                true => still.push_str(&word.replace(|c: char| c.is_ascii_digit(), "0")),
                false => still.push_str(word),
            }
        }
        still.push('\n');
    }
    still
}

/// A base that is there at once, and six children that take their time.
fn slow() -> TestEnvironment {
    let mut stack = network();
    let zones = ["a", "b", "c"].map(|zone| format!("\"eu-central-1{zone}\", \"us-east-1{zone}\""));
    stack.set("TERRANE_VAR_ZONES", &format!("[{}]", zones.join(", ")));
    stack.set("TERRANE_VAR_KNOBS", r#"{"child": {"delay": "2m"}}"#);
    stack
}

/// A run on a terminal of that size, and the lines below the plan.
fn watched(size: (u16, u16)) -> (Watched, String) {
    let mut watched = Watched::new(slow(), &["up", "--yes"], size);
    let shown = watched.until(|shown| shown.matches("creating").count() == 6);
    let shown = shown.lines().skip_while(|line| *line == "plan");
    let shown = shown.collect::<Vec<_>>().join("\n");
    (watched, shown)
}

#[test]
fn sixty_columns_hold_every_row() {
    let (watched, shown) = watched((60, 20));
    assert_snapshot!(shown, @r#"
    conformance_sdk_thing.base: created in <n>s [id=one-<id>]
    1 of 7 steps done 0s
      module.network
            0s  conformance_sdk_thi…d["eu-central-1a"] creating
            0s  conformance_sdk_thi…hild["us-east-1a"] creating
            0s  conformance_sdk_thi…d["eu-central-1b"] creating
            0s  conformance_sdk_thi…hild["us-east-1b"] creating
            0s  conformance_sdk_thi…d["eu-central-1c"] creating
            0s  conformance_sdk_thi…hild["us-east-1c"] creating
    "#);
    watched.end();
}

#[test]
fn eighty_columns_hold_every_row() {
    let (watched, shown) = watched((80, 24));
    assert_snapshot!(shown, @r#"
    conformance_sdk_thing.base: created in <n>s [id=one-<id>]
    1 of 7 steps done 0s
      module.network
            0s  conformance_sdk_thing.child["eu-central-1a"] creating
            0s  conformance_sdk_thing.child["us-east-1a"] creating
            0s  conformance_sdk_thing.child["eu-central-1b"] creating
            0s  conformance_sdk_thing.child["us-east-1b"] creating
            0s  conformance_sdk_thing.child["eu-central-1c"] creating
            0s  conformance_sdk_thing.child["us-east-1c"] creating
    "#);
    watched.end();
}

#[test]
fn two_hundred_columns_hold_every_row() {
    let (watched, shown) = watched((200, 50));
    assert_snapshot!(shown, @r#"
    conformance_sdk_thing.base: created in <n>s [id=one-<id>]
    1 of 7 steps done 0s
      module.network
            0s  conformance_sdk_thing.child["eu-central-1a"] creating
            0s  conformance_sdk_thing.child["us-east-1a"] creating
            0s  conformance_sdk_thing.child["eu-central-1b"] creating
            0s  conformance_sdk_thing.child["us-east-1b"] creating
            0s  conformance_sdk_thing.child["eu-central-1c"] creating
            0s  conformance_sdk_thing.child["us-east-1c"] creating
    "#);
    watched.end();
}

#[test]
fn after_a_resize_every_row_stands_there_once_and_no_line_is_lost() {
    let (mut watched, _) = watched((80, 24));
    watched.resize((44, 24));
    watched.until(|shown| shown.matches('…').count() == 6);
    watched.resize((120, 24));
    let is_whole = |shown: &str| shown.matches("creating").count() == 6 && !shown.contains('…');
    let shown = watched.until(is_whole);
    let rows = shown.lines().skip_while(|line| *line == "plan");
    assert_snapshot!(rows.collect::<Vec<_>>().join("\n"), @r#"
    conformance_sdk_thing.base: created in <n>s [id=one-<id>]
    1 of 7 steps done 0s
      module.network
            0s  conformance_sdk_thing.child["eu-central-1a"] creating
            0s  conformance_sdk_thing.child["us-east-1a"] creating
            0s  conformance_sdk_thing.child["eu-central-1b"] creating
            0s  conformance_sdk_thing.child["us-east-1b"] creating
            0s  conformance_sdk_thing.child["eu-central-1c"] creating
            0s  conformance_sdk_thing.child["us-east-1c"] creating
    "#);
    let everything = watched.everything();
    for once in ["conformance_sdk_thing.base: created", "1 of 7 steps done"] {
        assert_eq!(everything.matches(once).count(), 1, "{once}: {everything}");
    }
    // Of rows that no longer fit some have scrolled away, where nothing can erase them.
    watched.resize((60, 9));
    let shown = watched.until(|shown| shown.contains("more"));
    assert_snapshot!(shown, @r#"
    1 of 7 steps done 0s
          0s  conformance_sdk_thin…ld["eu-central-1a"] creating
          0s  conformance_sdk_thin…child["us-east-1a"] creating
          0s  conformance_sdk_thin…ld["eu-central-1b"] creating
          0s  conformance_sdk_thin…child["us-east-1b"] creating
              and 2 more
    "#);
    watched.end();
}

#[test]
fn warnings_of_a_provider_stand_under_their_step() {
    let stack = fake(&[("FAKE_FAULT", "apply:flood")]);
    let output = stack.run(&["up", "--yes"]).exits(0);
    let lines = output.stderr.lines();
    let lines: Vec<&str> = lines
        .skip_while(|line| !line.contains("created in"))
        .collect();
    assert_snapshot!(lines[..5].join("\n"), @"
    fake_thing.one: created in <n>s [id=id-of-one]
      warning: warning 0
      warning: warning 1
      warning: warning 2
      and 998 more warnings
    ");
}
