//! Strings in JSON as Go's encoder writes them.
//!
//! Beyond JSON's own escapes it has those that keep HTML and JavaScript safe: `<`, `>`, `&`, U+2028 and U+2029. States, locks and
//! types keep their bytes that way, whoever of the peers writes them.

use std::borrow::Cow;

/// How the control characters are written.
#[rustfmt::skip]
const CONTROLS: [&str; 32] = [
    "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007",
    "\\b", "\\t", "\\n", "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f",
    "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017",
    "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
];

/// Appends the text as a JSON string, with its quotes.
pub fn push_string(text: &str, json: &mut String) {
    json.push('"');
    push_escaped(text, json, |bytes| match bytes[0] {
        b'"' => Some(("\\\"", 1)),
        b'\\' => Some(("\\\\", 1)),
        control @ 0..0x20 => Some((CONTROLS[usize::from(control)], 1)),
        _ => beyond_json(bytes),
    });
    json.push('"');
}

/// JSON text of any kind in the form that Go would have given its strings: outside of strings nothing of it can stand.
pub fn escaped(json: &str) -> Cow<'_, str> {
    if !json
        .bytes()
        .any(|byte| matches!(byte, b'<' | b'>' | b'&' | 0xe2))
    {
        return Cow::Borrowed(json);
    }
    let mut all = String::with_capacity(json.len() + 16);
    push_escaped(json, &mut all, beyond_json);
    Cow::Owned(all)
}

/// An escape, and the bytes that it stands for.
type Escape = (&'static str, usize);

fn push_escaped(text: &str, out: &mut String, escape: impl Fn(&[u8]) -> Option<Escape>) {
    let bytes = text.as_bytes();
    let (mut clean, mut at) = (0, 0);
    while at < bytes.len() {
        let Some((escape, width)) = escape(&bytes[at..]) else {
            at += 1;
            continue;
        };
        out.push_str(&text[clean..at]);
        out.push_str(escape);
        at += width;
        clean = at;
    }
    out.push_str(&text[clean..]);
}

/// How Go writes the character that these bytes begin with, where JSON would let it stand.
fn beyond_json(bytes: &[u8]) -> Option<Escape> {
    match bytes[0] {
        b'<' => Some(("\\u003c", 1)),
        b'>' => Some(("\\u003e", 1)),
        b'&' => Some(("\\u0026", 1)),
        0xe2 if bytes.starts_with("\u{2028}".as_bytes()) => Some(("\\u2028", 3)),
        0xe2 if bytes.starts_with("\u{2029}".as_bytes()) => Some(("\\u2029", 3)),
        _ => None,
    }
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
