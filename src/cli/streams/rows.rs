//! Rows at the bottom of a terminal: redrawn in place below everything that scrolls by.

use std::fmt::Write as _;
use std::io;
use std::os::fd::AsFd;

use console::{measure_text_width, truncate_str};

/// From here on a terminal shows nothing until [`SHOW`]: no half-drawn rows. One that does not know this ignores it.
const HOLD: &str = "\u{1b}[?2026h";
const SHOW: &str = "\u{1b}[?2026l";

/// The rows at the bottom of a terminal.
pub(super) struct Rows {
    size: fn() -> Size,
    narrowing: Narrowing,
    /// The rows that are to stand there.
    wanted: Vec<String>,
    /// The rows that stand there, as they were cut.
    drawn: Vec<String>,
}

/// How large a terminal is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) lines: usize,
}

/// What becomes of a long line when a terminal gets narrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrowing {
    /// It goes on in the next line: nearly all terminals.
    Wraps,
    /// Its end is cut off.
    Cuts,
}

impl Rows {
    /// No rows yet, on a terminal of that size.
    pub(super) fn new(size: fn() -> Size, narrowing: Narrowing) -> Self {
        Self {
            size,
            narrowing,
            wanted: Vec::new(),
            drawn: Vec::new(),
        }
    }

    /// The bytes that write the text above the rows, and draw new ones where there are some. None where the screen is as it should be.
    pub(super) fn around(&mut self, text: Vec<u8>, rows: Option<Vec<String>>) -> Vec<u8> {
        self.wanted = rows.unwrap_or_else(|| std::mem::take(&mut self.wanted));
        let size = (self.size)();
        let rows = fitting(&self.wanted, size);
        if rows.is_empty() && self.drawn.is_empty() {
            return text;
        }
        if text.is_empty() && rows == self.drawn {
            return text;
        }
        let lines = self.lines(size);
        let mut bytes = HOLD.as_bytes().to_vec();
        if text.is_empty() && lines == self.drawn.len() {
            bytes.extend(self.over(&rows).into_bytes());
        } else {
            bytes.extend(erase(lines).into_bytes());
            bytes.extend(text);
            for row in &rows {
                bytes.extend_from_slice(row.as_bytes());
                bytes.push(b'\n');
            }
        }
        bytes.extend_from_slice(SHOW.as_bytes());
        self.drawn = rows;
        bytes
    }

    /// How many lines the drawn rows take now.
    fn lines(&self, size: Size) -> usize {
        let lines = |row: &String| match self.narrowing {
            Narrowing::Wraps => measure_text_width(row).div_ceil(size.columns).max(1),
            Narrowing::Cuts => 1,
        };
        self.drawn.iter().map(lines).sum()
    }

    /// Writes over the rows that differ: nothing is blank in between.
    fn over(&self, rows: &[String]) -> String {
        let mut text = up(self.drawn.len());
        for (place, row) in rows.iter().enumerate() {
            match self.drawn.get(place) == Some(row) {
                true => text.push('\n'),
                false => {
                    let _ = writeln!(text, "{row}\u{1b}[K");
                }
            }
        }
        if rows.len() < self.drawn.len() {
            text.push_str(CLEAR);
        }
        text
    }
}

/// Clears the cursor's line and everything below it. The line is cleared by itself: where it is the first of the screen, tmux would take
/// clearing all at once for a new screen, and keep the old one in its history.
const CLEAR: &str = "\u{1b}[K\n\u{1b}[J\u{1b}[1A";

/// The cursor stands below the rows, in a line of its own: there the terminal shows the keys that are pressed.
fn up(lines: usize) -> String {
    match lines {
        0 => String::new(),
        lines => format!("\r\u{1b}[{lines}A"),
    }
}

fn erase(lines: usize) -> String {
    match lines {
        0 => String::new(),
        lines => format!("{}{CLEAR}", up(lines)),
    }
}

/// The rows as they fit. Those that do not are counted: one that has scrolled away cannot be erased.
fn fitting(rows: &[String], size: Size) -> Vec<String> {
    // One line is the cursor's.
    let room = size.lines.saturating_sub(1).max(1);
    let (shown, more) = match rows.len() <= room {
        true => (rows, None),
        false => {
            let (shown, rest) = rows.split_at(room.saturating_sub(1));
            (shown, Some(format!("          and {} more", rest.len())))
        }
    };
    let cut = |row| truncate_str(row, size.columns.saturating_sub(1), "…").into_owned();
    shown.iter().chain(&more).map(|row| cut(row)).collect()
}

/// The size of the terminal at stderr, as it is now.
pub(super) fn stderr_size() -> Size {
    size_of(io::stderr())
}

/// How wide the terminal at stdout is, as it is now.
pub(super) fn stdout_columns() -> usize {
    size_of(io::stdout()).columns
}

fn size_of(terminal: impl AsFd) -> Size {
    let size = rustix::termios::tcgetwinsize(terminal);
    let or = |value: u16, usual: usize| match value {
        0 => usual,
        value => value.into(),
    };
    let (columns, lines) = size.map_or((0, 0), |size| (size.ws_col, size.ws_row));
    Size {
        columns: or(columns, 80),
        lines: or(lines, 24),
    }
}

impl Narrowing {
    /// As the variables of the environment tell which terminal it is: nothing can be asked without reading from it.
    pub(super) fn of_terminal(variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        let named = |name: &str| term.starts_with(name);
        let multiplexed = variable("TMUX").is_some();
        let cuts = variable("XTERM_VERSION").is_some() || named("screen") || named("rxvt");
        match cuts && !multiplexed {
            true => Self::Cuts,
            false => Self::Wraps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal with the few sequences that are used here. Lines that do not fit are broken.
    struct Screen {
        columns: usize,
        lines: Vec<String>,
        line: usize,
        /// How many bytes of that line stand before the cursor.
        written: usize,
        /// What tmux keeps of a screen that is cleared from its beginning.
        kept: Vec<String>,
    }

    impl Screen {
        fn show(&mut self, bytes: &[u8]) {
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            let mut rest = text.as_str();
            while let Some(character) = rest.chars().next() {
                rest = &rest[character.len_utf8()..];
                match character {
                    '\r' => self.written = 0,
                    '\n' => {
                        self.written = 0;
                        self.line += 1;
                        if self.line == self.lines.len() {
                            self.lines.push(String::new());
                        }
                    }
                    '\u{1b}' => {
                        let end = rest
                            .find(|c: char| c.is_ascii_alphabetic())
                            .expect("an end");
                        let (number, kind) = (&rest[1..end], rest.as_bytes()[end]);
                        rest = &rest[end + 1..];
                        match kind {
                            b'A' => self.line -= number.parse::<usize>().expect("a number"),
                            b'J' => {
                                if (self.line, self.written) == (0, 0) {
                                    self.kept.clone_from(&self.lines);
                                }
                                self.lines.truncate(self.line);
                                self.lines.push(String::new());
                            }
                            b'K' => {
                                let written = self.written;
                                self.lines[self.line].truncate(written);
                            }
                            _ => {}
                        }
                    }
                    character => {
                        let line = &mut self.lines[self.line];
                        let rest = line.split_off(self.written);
                        line.push(character);
                        self.written = line.len();
                        line.extend(rest.chars().skip(1));
                    }
                }
            }
        }

        /// The lines down to that of the cursor; there is nothing below.
        fn shown(&self) -> &[String] {
            let (shown, below) = self.lines.split_at(self.line + 1);
            assert!(below.iter().all(String::is_empty), "{below:?}");
            shown
        }

        /// As a terminal does that wraps lines again.
        fn resize(&mut self, columns: usize) {
            self.columns = columns;
            let mut lines = Vec::new();
            for line in self.lines.drain(..) {
                let characters: Vec<char> = line.chars().collect();
                match characters.is_empty() {
                    true => lines.push(String::new()),
                    false => lines.extend(characters.chunks(columns).map(String::from_iter)),
                }
            }
            self.line = lines.len() - 1;
            self.lines = lines;
        }

        /// As a terminal does that cuts lines off.
        fn cut(&mut self, columns: usize) {
            self.columns = columns;
            for line in &mut self.lines {
                *line = line.chars().take(columns).collect();
            }
        }
    }

    fn rows(count: usize) -> Vec<String> {
        (0..count)
            .map(|n| format!("row {n} {}", "-".repeat(40)))
            .collect()
    }

    fn screen() -> Screen {
        Screen {
            columns: 30,
            lines: vec![String::new()],
            line: 0,
            written: 0,
            kept: Vec::new(),
        }
    }

    const SIZE: Size = Size {
        columns: 30,
        lines: 10,
    };
    const NARROW: Size = Size {
        columns: 12,
        lines: 10,
    };

    #[test]
    fn text_stands_above_the_rows_and_no_old_row_stays() {
        let mut screen = screen();
        let mut on_screen = Rows::new(|| SIZE, Narrowing::Wraps);
        screen.show(&on_screen.around(b"plan\n".into(), Some(rows(3))));
        // The terminal shows a key.
        screen.show(b"^C");
        screen.show(&on_screen.around(b"stopping\n".into(), Some(rows(2))));
        screen.show(&on_screen.around(b"created\n".into(), Some(rows(1))));
        screen.show(&on_screen.around(Vec::new(), Some(Vec::new())));
        assert_eq!(screen.shown(), ["plan", "stopping", "created", ""]);
    }

    #[test]
    fn rows_that_are_erased_at_the_top_of_the_screen_are_not_kept_by_tmux() {
        let mut screen = screen();
        let mut on_screen = Rows::new(|| SIZE, Narrowing::Wraps);
        screen.show(&on_screen.around(Vec::new(), Some(rows(2))));
        screen.show(&on_screen.around(b"plan\n".into(), Some(rows(1))));
        assert!(screen.shown()[1].starts_with("row 0"));
        screen.show(&on_screen.around(Vec::new(), Some(Vec::new())));
        assert_eq!(screen.shown(), ["plan", ""]);
        let mut alone = Rows::new(|| SIZE, Narrowing::Wraps);
        let mut other = self::screen();
        other.show(&alone.around(Vec::new(), Some(rows(1))));
        other.show(&alone.around(Vec::new(), Some(Vec::new())));
        assert_eq!(other.shown(), [""]);
        assert!(screen.kept.is_empty() && other.kept.is_empty());
    }

    #[test]
    fn rows_that_a_narrower_terminal_breaks_are_erased_whole() {
        let mut screen = screen();
        let mut on_screen = Rows::new(|| SIZE, Narrowing::Wraps);
        screen.show(&on_screen.around(b"plan\n".into(), Some(rows(3))));
        on_screen.size = || NARROW;
        screen.resize(12);
        screen.show(&on_screen.around(Vec::new(), Some(rows(1))));
        assert_eq!(screen.shown(), ["plan", "row 0 ----…", ""]);
    }

    #[test]
    fn a_terminal_that_cuts_lines_loses_no_text_when_it_gets_narrower() {
        let mut screen = screen();
        let mut on_screen = Rows::new(|| SIZE, Narrowing::Cuts);
        screen.show(&on_screen.around(b"plan\n".into(), Some(rows(3))));
        on_screen.size = || NARROW;
        screen.cut(12);
        screen.show(&on_screen.around(Vec::new(), None));
        assert_eq!(screen.lines[..2], ["plan", "row 0 ----…"]);
        screen.show(&on_screen.around(Vec::new(), Some(rows(1))));
        assert_eq!(screen.shown(), ["plan", "row 0 ----…", ""]);
    }

    #[test]
    fn only_rows_that_differ_are_written_and_nothing_when_none_does() {
        let mut screen = screen();
        let mut on_screen = Rows::new(|| SIZE, Narrowing::Wraps);
        screen.show(&on_screen.around(b"plan\n".into(), Some(rows(3))));
        assert!(on_screen.around(Vec::new(), Some(rows(3))).is_empty());
        assert!(on_screen.around(Vec::new(), None).is_empty());
        let mut changed = rows(4);
        changed[1] = "changed".to_owned();
        let bytes = on_screen.around(Vec::new(), Some(changed));
        assert!(!String::from_utf8_lossy(&bytes).contains("row 0"));
        screen.show(&bytes);
        let [plan, first, second, ..] = &*screen.lines else {
            panic!("{:?}", screen.lines)
        };
        assert_eq!((&**plan, &**second), ("plan", "changed"));
        assert!(first.starts_with("row 0") && screen.lines[4].starts_with("row 3"));
        assert_eq!(screen.lines.len(), 6);
    }

    #[test]
    fn more_rows_than_a_terminal_has_lines_are_counted() {
        let mut screen = screen();
        let low = || Size {
            columns: 30,
            lines: 4,
        };
        let mut on_screen = Rows::new(low, Narrowing::Wraps);
        screen.show(&on_screen.around(Vec::new(), Some(rows(9))));
        assert_eq!(screen.lines[2].trim(), "and 7 more");
        assert_eq!(screen.lines.len(), 4);
    }

    #[test]
    fn terminals_that_cut_lines_are_known_by_their_variables() {
        let narrowing = |set: &[(&str, &str)]| {
            let find = |name: &str| set.iter().find(|(known, _)| *known == name);
            Narrowing::of_terminal(|name| find(name).map(|(_, value)| (*value).to_owned()))
        };
        let xterm = ("XTERM_VERSION", "XTerm(390)");
        assert_eq!(narrowing(&[("TERM", "xterm"), xterm]), Narrowing::Cuts);
        assert_eq!(narrowing(&[("TERM", "screen")]), Narrowing::Cuts);
        let inside = [("TERM", "screen"), xterm, ("TMUX", "/tmp/tmux")];
        assert_eq!(narrowing(&inside), Narrowing::Wraps);
        assert_eq!(narrowing(&[("TERM", "xterm-256color")]), Narrowing::Wraps);
    }
}
