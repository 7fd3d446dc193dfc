//! Rows at the bottom of a terminal: redrawn in place below everything that scrolls by.

use std::fmt::Write as _;
use std::io;
use std::os::fd::AsFd as _;

use console::{measure_text_width, truncate_str};

/// The rows at the bottom of a terminal.
pub(super) struct Rows {
    size: fn() -> Size,
    /// The width of each row that stands there.
    drawn: Vec<usize>,
}

/// How large a terminal is, in characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    columns: usize,
    lines: usize,
}

impl Size {
    /// So many columns and lines.
    #[cfg(feature = "rendering")]
    pub(super) fn new(columns: usize, lines: usize) -> Self {
        Self { columns, lines }
    }
}

impl Rows {
    /// No rows yet, on a terminal of that size.
    pub(super) fn new(size: fn() -> Size) -> Self {
        Self {
            size,
            drawn: Vec::new(),
        }
    }

    /// The bytes that write the text above these rows and erase the earlier ones.
    pub(super) fn around(&mut self, text: Vec<u8>, rows: &[String]) -> Vec<u8> {
        let size = (self.size)();
        let mut bytes = self.erase(size).into_bytes();
        match bytes.is_empty() {
            true => bytes = text,
            false => bytes.extend(text),
        }
        bytes.extend(self.draw(rows, size).into_bytes());
        bytes
    }

    /// The cursor stands below the rows, in a line of its own: there the terminal shows the keys that are pressed.
    fn erase(&mut self, size: Size) -> String {
        // A terminal that became narrower has broken the rows.
        let lines = |width: usize| width.div_ceil(size.columns).max(1);
        match self.drawn.drain(..).map(lines).sum::<usize>() {
            0 => String::new(),
            lines => format!("\r\u{1b}[{lines}A\u{1b}[J"),
        }
    }

    fn draw(&mut self, rows: &[String], size: Size) -> String {
        // One line is the cursor's. Rows that do not fit are counted: one that has scrolled away cannot be erased.
        let room = size.lines.saturating_sub(1).max(1);
        let (shown, more) = match rows.len() <= room {
            true => (rows, None),
            false => {
                let (shown, rest) = rows.split_at(room.saturating_sub(1));
                (shown, Some(format!("          and {} more", rest.len())))
            }
        };
        let mut text = String::new();
        for row in shown.iter().chain(&more) {
            let row = truncate_str(row, size.columns.saturating_sub(1), "…");
            self.drawn.push(measure_text_width(&row));
            let _ = writeln!(text, "{row}");
        }
        text
    }
}

/// The size of the terminal at stderr, as it is now.
pub(super) fn stderr_size() -> Size {
    let size = rustix::termios::tcgetwinsize(io::stderr().as_fd());
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal with the few sequences that are used here. Lines that do not fit are broken.
    struct Screen {
        columns: usize,
        lines: Vec<String>,
        line: usize,
    }

    impl Screen {
        fn show(&mut self, bytes: &[u8]) {
            let text = String::from_utf8(bytes.to_vec()).expect("text");
            let mut rest = text.as_str();
            while let Some(character) = rest.chars().next() {
                rest = &rest[character.len_utf8()..];
                match character {
                    '\r' => {}
                    '\n' => {
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
                                self.lines.truncate(self.line);
                                self.lines.push(String::new());
                            }
                            _ => {}
                        }
                    }
                    character => self.lines[self.line].push(character),
                }
            }
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
        }
    }

    #[test]
    fn text_stands_above_the_rows_and_no_old_row_stays() {
        let mut screen = screen();
        let mut on_screen = Rows::new(|| Size {
            columns: 30,
            lines: 10,
        });
        screen.show(&on_screen.around(b"plan\n".into(), &rows(3)));
        // The terminal shows a key.
        screen.show(b"^C");
        screen.show(&on_screen.around(b"stopping\n".into(), &rows(2)));
        screen.show(&on_screen.around(b"created\n".into(), &rows(1)));
        screen.show(&on_screen.around(Vec::new(), &[]));
        assert_eq!(screen.lines, ["plan", "stopping", "created", ""]);
    }

    #[test]
    fn rows_that_a_narrower_terminal_breaks_are_erased_whole() {
        let mut screen = screen();
        let mut on_screen = Rows::new(|| Size {
            columns: 30,
            lines: 10,
        });
        screen.show(&on_screen.around(b"plan\n".into(), &rows(3)));
        on_screen.size = || Size {
            columns: 12,
            lines: 10,
        };
        screen.resize(12);
        screen.show(&on_screen.around(Vec::new(), &rows(1)));
        assert_eq!(screen.lines, ["plan", "row 0 ----…", ""]);
    }

    #[test]
    fn more_rows_than_a_terminal_has_lines_are_counted() {
        let mut screen = screen();
        let mut on_screen = Rows::new(|| Size {
            columns: 30,
            lines: 4,
        });
        screen.show(&on_screen.around(Vec::new(), &rows(9)));
        assert_eq!(screen.lines[2].trim(), "and 7 more");
        assert_eq!(screen.lines.len(), 4);
    }
}
