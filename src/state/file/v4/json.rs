//! Writes JSON text in the form of Go's encoder.

use terrane_core::go_json::push_string;

/// A growing compact JSON text; commas are its business.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
}

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
        }
    }

    fn comma(&mut self) {
        if !matches!(self.text.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.text.push(',');
        }
    }

    /// Begins an object or array as the next value.
    pub(super) fn open(&mut self, bracket: char) {
        self.comma();
        self.text.push(bracket);
    }

    /// Ends it.
    pub(super) fn close(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    /// The name of the next member.
    pub(super) fn name(&mut self, name: &str) {
        self.string(name);
        self.text.push(':');
    }

    /// A string.
    pub(super) fn string(&mut self, text: &str) {
        self.comma();
        push_string(text, &mut self.text);
    }

    /// A number, `true`, `false` or stored text.
    pub(super) fn literal(&mut self, text: &str) {
        self.comma();
        self.text.push_str(text);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Compact JSON with two spaces of indentation a level, as Go's `MarshalIndent` lays it out.
pub(super) fn indent(compact: &str) -> String {
    let bytes = compact.as_bytes();
    let mut out = String::with_capacity(compact.len() + compact.len() / 2);
    let mut depth = 0;
    let mut at = 0;
    let new_line = |out: &mut String, depth: usize| {
        out.push('\n');
        for _ in 0..depth {
            out.push_str("  ");
        }
    };
    while at < bytes.len() {
        match bytes[at] {
            open @ (b'{' | b'[') => {
                out.push(open.into());
                if matches!(bytes.get(at + 1), Some(b'}' | b']')) {
                    out.push(bytes[at + 1].into());
                    at += 1;
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
                at += 1;
            }
            close @ (b'}' | b']') => {
                depth -= 1;
                new_line(&mut out, depth);
                out.push(close.into());
                at += 1;
            }
            b',' => {
                out.push(',');
                new_line(&mut out, depth);
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
    out
}
