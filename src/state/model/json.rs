//! JSON that is kept as text: compact, escaped as Go escapes it, numbers with every digit they had.

use std::fmt;
use std::sync::Arc;

use terrane_core::go_json;
use thiserror::Error;

/// One JSON value as compact text, in the form Go's encoder gives it (`<`, `>`, `&`, U+2028 and U+2029 are escaped).
///
/// Attributes stay in this form from file to file; only the engine, which knows the schema, decodes them. Cloning copies a pointer.
/// Two values are equal when their text is: white space and the escapes above make no difference, the order of members does.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawJson(Arc<str>);

/// Members that are not known here, with their names, in their order; they are written back as they were.
pub type ExtraMembers = Arc<[(Arc<str>, RawJson)]>;

/// The text is not one JSON value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid JSON at byte {offset}: {reason}")]
#[non_exhaustive]
pub struct InvalidJson {
    /// Where in the text, from 0.
    pub offset: usize,
    /// The reason.
    pub reason: String,
}

/// How deep arrays and objects may lie in each other.
const MAX_DEPTH: usize = 128;

impl RawJson {
    /// Checks the text and brings it into the stored form.
    ///
    /// # Errors
    /// When the text is not exactly one JSON value, is nested deeper than 128, or an object has the same member twice.
    pub fn new(text: &str) -> Result<Self, InvalidJson> {
        let checked: Result<serde::de::IgnoredAny, _> = serde_json::from_str(text);
        checked.map_err(|error| InvalidJson {
            offset: offset_of(text, error.line(), error.column()),
            reason: error.to_string(),
        })?;
        Self::from_valid(text)
    }

    /// The same for text that a JSON reader already accepted.
    pub(crate) fn from_valid(text: &str) -> Result<Self, InvalidJson> {
        let mut compact = String::with_capacity(text.len());
        let mut members = Members::default();
        let mut plain = 0;
        let mut bytes = text.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {
                    compact.push_str(&text[plain..at]);
                    plain = at + 1;
                }
                b'{' | b'[' => members.open(byte, at)?,
                b'}' | b']' => members.close(),
                b',' => members.next(),
                b'"' => {
                    let end = end_of_string(text, at);
                    compact.push_str(&text[plain..at]);
                    compact.push_str(&go_json::escaped(&text[at..end]));
                    plain = end;
                    members.string(&text[at..end], at)?;
                    if end - at > 1 {
                        bytes.nth(end - at - 2);
                    }
                }
                _ => {}
            }
        }
        compact.push_str(&text[plain..]);
        Ok(Self(compact.into()))
    }

    /// A string as JSON.
    pub fn string(text: &str) -> Self {
        let mut json = String::with_capacity(text.len() + 2);
        go_json::push_string(text, &mut json);
        Self(json.into())
    }

    /// The empty object.
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// The compact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for RawJson {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RawJson {
    /// Only the size: the text may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.0.len())
    }
}

/// Byte offset of a place that a JSON reader names by line and column.
pub(crate) fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (before + column.saturating_sub(1)).min(text.len())
}

/// The end (exclusive) of the string literal that begins at `start`.
fn end_of_string(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Watches depth and repeated member names while a value is copied.
#[derive(Default)]
struct Members<'a> {
    levels: Vec<Level<'a>>,
}

struct Level<'a> {
    is_object: bool,
    /// The next string is a member's name.
    at_name: bool,
    last: &'a str,
    /// Filled only once names do not come in rising order, which all writers of states keep.
    seen: Option<std::collections::HashSet<&'a str>>,
    names: Vec<&'a str>,
}

impl<'a> Members<'a> {
    fn open(&mut self, byte: u8, offset: usize) -> Result<(), InvalidJson> {
        if self.levels.len() == MAX_DEPTH {
            return Err(InvalidJson {
                offset,
                reason: format!("nested deeper than {MAX_DEPTH}"),
            });
        }
        let is_object = byte == b'{';
        self.levels.push(Level {
            is_object,
            at_name: is_object,
            last: "",
            seen: None,
            names: Vec::new(),
        });
        Ok(())
    }

    fn close(&mut self) {
        self.levels.pop();
    }

    fn next(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.at_name = level.is_object;
        }
    }

    fn string(&mut self, literal: &'a str, offset: usize) -> Result<(), InvalidJson> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        if !level.at_name {
            return Ok(());
        }
        level.at_name = false;
        let rises = literal > level.last;
        if !rises && level.seen.is_none() {
            level.seen = Some(level.names.iter().copied().collect());
        }
        let repeated = match &mut level.seen {
            Some(seen) => !seen.insert(literal),
            None => false,
        };
        if repeated {
            return Err(InvalidJson {
                offset,
                reason: format!("member {literal} occurs twice"),
            });
        }
        level.names.push(literal);
        level.last = literal;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(text: &str) -> String {
        RawJson::new(text).expect("valid JSON").to_string()
    }

    #[test]
    fn white_space_goes_and_digits_stay() {
        assert_eq!(
            raw(" { \"a b\" : [ 1.000 , 12345678901234567890123 ],\n\"c\":{ } } "),
            r#"{"a b":[1.000,12345678901234567890123],"c":{}}"#
        );
        assert_eq!(raw("  -0.10e5 "), "-0.10e5");
    }

    #[test]
    fn strings_are_escaped_as_go_does() {
        assert_eq!(raw("\"<a&b>\u{2028}\""), r#""\u003ca\u0026b\u003e\u2028""#);
        assert_eq!(raw(r#""\u003c\"<""#), r#""\u003c\"\u003c""#);
        assert_eq!(raw("{\"<\":\"\\\\\"}"), r#"{"\u003c":"\\"}"#);
        assert_eq!(RawJson::string("a<\"").as_str(), r#""a\u003c\"""#);
    }

    #[test]
    fn what_is_not_one_value_is_refused_with_its_place() {
        for text in ["", "{", "[1,]", "1 2", "{\"a\":1}x", "\"\n\"", "nul"] {
            assert!(RawJson::new(text).is_err(), "{text}");
        }
        assert_eq!(RawJson::new("[1,\n2 3]").expect_err("broken").offset, 6);
    }

    #[test]
    fn repeated_members_are_refused_in_any_order() {
        assert!(RawJson::new(r#"{"a":1,"a":2}"#).is_err());
        assert!(RawJson::new(r#"{"b":1,"c":2,"a":2,"c":{}}"#).is_err());
        assert!(RawJson::new(r#"{"b":{"b":["b","b"]},"a":{"b":1}}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(RawJson::new(&nested(128)).is_ok());
        assert!(RawJson::new(&nested(129)).is_err());
        assert!(RawJson::new(&nested(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn the_stored_form_means_the_same_and_is_stable(text in "[ -~<>&\u{e9}\u{2028}\\n\"\\\\]{0,40}", number in any::<i64>()) {
            let value = serde_json::json!({ "t": [text.clone(), { "k": number }], text: null });
            let pretty = serde_json::to_string_pretty(&value).expect("serialisable");
            let stored = RawJson::new(&pretty).expect("valid");
            let again: serde_json::Value = serde_json::from_str(stored.as_str()).expect("valid");
            prop_assert_eq!(again, value);
            prop_assert_eq!(&RawJson::new(stored.as_str()).expect("valid"), &stored);
        }
    }
}
