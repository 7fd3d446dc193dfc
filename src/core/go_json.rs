//! Strings in JSON as Go's encoder writes them.
//!
//! Beyond what JSON asks for it escapes what HTML and JavaScript would trip over: `<`, `>`, `&`, U+2028 and U+2029. States, locks and
//! types keep their bytes that way, whoever of the peers writes them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Appends the text as a JSON string, with its quotes.
pub fn push_string(text: &str, json: &mut String) {
    json.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => match beyond_json(&text.as_bytes()[at..]) {
                Some(escape) => escape,
                None => continue,
            },
        };
        json.push_str(&text[clean..at]);
        clean = at + width(byte);
        if escape.is_empty() {
            write!(json, "\\u{byte:04x}").expect("invariant: writing to a string never fails");
        } else {
            json.push_str(escape);
        }
    }
    json.push_str(&text[clean..]);
    json.push('"');
}

/// JSON text of any kind in the form that Go would have given its strings: outside of strings nothing of it can stand.
pub fn escaped(json: &str) -> Cow<'_, str> {
    let mut all = String::new();
    let mut clean = 0;
    for (at, byte) in json.bytes().enumerate() {
        if let Some(escape) = beyond_json(&json.as_bytes()[at..]) {
            all.push_str(&json[clean..at]);
            all.push_str(escape);
            clean = at + width(byte);
        }
    }
    if clean == 0 {
        return Cow::Borrowed(json);
    }
    all.push_str(&json[clean..]);
    Cow::Owned(all)
}

/// How Go writes the character that these bytes begin with, where JSON would let it stand.
fn beyond_json(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'<', ..] => Some("\\u003c"),
        [b'>', ..] => Some("\\u003e"),
        [b'&', ..] => Some("\\u0026"),
        [0xe2, 0x80, 0xa8, ..] => Some("\\u2028"),
        [0xe2, 0x80, 0xa9, ..] => Some("\\u2029"),
        _ => None,
    }
}

/// The length of an escaped character, by its first byte: the two separators have three, all others one.
fn width(first: u8) -> usize {
    if first == 0xe2 { 3 } else { 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn string(text: &str) -> String {
        let mut json = String::new();
        push_string(text, &mut json);
        json
    }

    #[test]
    fn strings_are_escaped_as_go_does() {
        assert_eq!(
            string("<a & \"b\\\">\u{2028}\u{2029}\u{1}\u{8}\u{c}\n\r\t\u{7f}é\u{2027}"),
            "\"\\u003ca \\u0026 \\\"b\\\\\\\"\\u003e\\u2028\\u2029\\u0001\\b\\f\\n\\r\\t\u{7f}é\u{2027}\""
        );
        assert_eq!(
            escaped("[\"<&>\u{2028}\u{2029}\", 1]"),
            r#"["\u003c\u0026\u003e\u2028\u2029", 1]"#
        );
        assert!(matches!(escaped("{\"é\": [1]}"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn any_text_reads_back_and_both_ways_of_writing_it_agree(text in any::<String>(), special in "[<>&\u{2028}\u{2029}\u{0}-\u{1f}\"\\\\a]{0,9}") {
            let text = text + &special;
            let json = string(&text);
            prop_assert_eq!(&serde_json::from_str::<String>(&json).expect("JSON"), &text);
            let plain = serde_json::to_string(&text).expect("JSON");
            prop_assert_eq!(&*escaped(&plain), &json);
        }
    }
}
