//! Writes JSON text in the form of Go's encoder.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;
use terrane_core::addr::ConfigAddr;
use terrane_core::go_json::push_string;

use super::pieces::Pieces;

/// How the text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Two spaces a level, as files on disk are.
    Indented,
    /// No white space.
    Compact,
}

/// A piece is ended when it is that long.
const PIECE: usize = 1 << 18;
/// Lists of fewer dependencies are not worth a piece of their own.
const SHARED: usize = 8;

/// A growing JSON text; commas and white space are its business.
pub(super) struct Writer<'s> {
    layout: Layout,
    pieces: Pieces,
    text: String,
    depth: usize,
    before: Before,
    /// The text of lists of dependencies, by the list.
    lists: HashMap<*const [ConfigAddr], (&'s Arc<[ConfigAddr]>, Bytes)>,
}

/// The position in front of the next value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The beginning of the text, or the place behind a name.
    Nothing,
    /// An open bracket.
    Bracket,
    /// Another value.
    Value,
}

impl<'s> Writer<'s> {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            layout,
            pieces: Pieces::default(),
            text: String::new(),
            depth: 0,
            before: Before::Nothing,
            lists: HashMap::new(),
        }
    }

    fn new_line(&mut self) {
        if self.layout == Layout::Indented {
            new_line(&mut self.text, self.depth);
        }
    }

    /// Separates the next value from the one before.
    fn separate(&mut self) {
        match self.before {
            Before::Nothing => {}
            Before::Bracket => self.new_line(),
            Before::Value => {
                self.text.push(',');
                self.new_line();
            }
        }
        self.before = Before::Value;
    }

    /// Begins an object or array as the next value.
    pub(super) fn open(&mut self, bracket: char) {
        self.separate();
        self.text.push(bracket);
        self.depth += 1;
        self.before = Before::Bracket;
    }

    /// Ends it.
    pub(super) fn close(&mut self, bracket: char) {
        self.depth -= 1;
        if self.before == Before::Value {
            self.new_line();
        }
        self.text.push(bracket);
        self.before = Before::Value;
        if self.text.len() >= PIECE {
            self.end_piece();
        }
    }

    /// The name of the next member.
    pub(super) fn name(&mut self, name: &str) {
        self.string(name);
        self.text.push_str(match self.layout {
            Layout::Indented => ": ",
            Layout::Compact => ":",
        });
        self.before = Before::Nothing;
    }

    /// A string.
    pub(super) fn string(&mut self, text: &str) {
        self.separate();
        push_string(text, &mut self.text);
    }

    /// A number, `true`, `false` or stored text.
    pub(super) fn literal(&mut self, text: &str) {
        self.separate();
        match self.layout {
            Layout::Indented => indent(text, self.depth, &mut self.text),
            Layout::Compact => self.text.push_str(text),
        }
    }

    /// The addresses of a list. Its text is written once, however many objects share it.
    pub(super) fn dependencies(&mut self, list: &'s Arc<[ConfigAddr]>) {
        self.separate();
        if list.len() < SHARED {
            let own = list_text(list, self.layout, self.depth);
            self.text.push_str(&own);
            return;
        }
        self.end_piece();
        // All lie at the same depth of the one file.
        let piece = match self.lists.entry(Arc::as_ptr(list)) {
            Entry::Occupied(known) => known.get().1.clone(),
            Entry::Vacant(vacant) => {
                let text = Bytes::from(list_text(list, self.layout, self.depth));
                vacant.insert((list, text)).1.clone()
            }
        };
        self.pieces.push(piece);
    }

    /// Ends the line.
    pub(super) fn end_line(&mut self) {
        self.text.push('\n');
    }

    fn end_piece(&mut self) {
        self.pieces
            .push(Bytes::copy_from_slice(self.text.as_bytes()));
        self.text.clear();
    }

    pub(super) fn finish(mut self) -> Pieces {
        self.end_piece();
        self.pieces
    }
}

/// A list of addresses as JSON.
fn list_text(list: &[ConfigAddr], layout: Layout, depth: usize) -> String {
    let mut inner = Writer {
        depth,
        ..Writer::new(layout)
    };
    inner.open('[');
    for address in list {
        inner.string(&address.to_string());
    }
    inner.close(']');
    inner.finish().into_string()
}

/// Appends compact JSON with two spaces of indentation a level, as Go's `MarshalIndent` lays it out at that depth.
fn indent(compact: &str, mut depth: usize, out: &mut String) {
    let bytes = compact.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            open @ (b'{' | b'[') => {
                out.push(open.into());
                if matches!(bytes.get(at + 1), Some(b'}' | b']')) {
                    out.push(bytes[at + 1].into());
                    at += 1;
                } else {
                    depth += 1;
                    new_line(out, depth);
                }
                at += 1;
            }
            close @ (b'}' | b']') => {
                depth -= 1;
                new_line(out, depth);
                out.push(close.into());
                at += 1;
            }
            b',' => {
                out.push(',');
                new_line(out, depth);
                at += 1;
            }
            b':' => {
                out.push_str(": ");
                at += 1;
            }
            b'"' => {
                let start = at;
                at += 1;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                out.push_str(&compact[start..at]);
            }
            _ => {
                let start = at;
                while at < bytes.len() && !matches!(bytes[at], b',' | b'}' | b']') {
                    at += 1;
                }
                out.push_str(&compact[start..at]);
            }
        }
    }
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}
