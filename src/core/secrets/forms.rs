//! The forms in which a secret turns up in texts of others: as it is, escaped, encoded, a line at a time.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::go_json;

/// Shorter texts are looked for nowhere: they would hide more harmless text than secrets.
pub(super) const SHORTEST: usize = 6;

/// So many digits make a number that says something.
const DIGITS: usize = 8;

/// A line of a secret of many is looked for by itself from this length on: providers log line by line.
const LINE: usize = 20;

/// Of longer secrets only the beginning is looked for; the text behind it is taken for the rest.
pub(super) const LONGEST: usize = 4096;

/// Whether a text says enough to be looked for: long enough, no short number, not one character over and over.
pub(super) fn is_telling(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ':' | ' ');
    text.len() >= SHORTEST
        && !(text.len() < DIGITS && text.chars().all(numeric))
        && characters.any(|c| Some(c) != first)
}

/// All forms of a whole secret that are worth looking for, each once.
pub(super) fn forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    let mut add = |form: String| {
        if is_telling(&form) && !forms.contains(&form) {
            forms.push(form);
        }
    };
    if !is_telling(secret) {
        return forms;
    }
    add(secret.to_owned());
    let json = in_json(secret);
    add(go_json::escaped(&json).into_owned());
    // A document in a field of a log line is quoted twice.
    add(in_json(&json));
    add(json);
    add(secret.replace('\'', "'\\''"));
    add(in_url(secret, "%20"));
    add(in_url(secret, "+"));
    for encoded in in_base64(secret.as_bytes()) {
        add(encoded);
    }
    forms
}

/// The lines of a secret of many that are worth looking for, with the forms of each.
pub(super) fn lines(secret: &str) -> impl Iterator<Item = [String; 2]> {
    let lines = secret.lines().map(str::trim);
    lines
        .filter(|line| secret.contains('\n') && line.len() >= LINE)
        .filter(|line| is_telling(line) && !line.contains(char::is_whitespace))
        .map(|line| [line.to_owned(), in_json(line)])
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("invariant: a string is always serialisable");
    quoted[1..quoted.len() - 1].to_owned()
}

fn in_url(text: &str, space: &str) -> String {
    use std::fmt::Write as _;
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => url.push_str(space),
            b'-' | b'.' | b'_' | b'~' => url.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => url.push(byte.into()),
            byte => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
    url
}

/// Parts of every base64 text whose source has these bytes in it: they may begin at any of three places of a group.
fn in_base64(bytes: &[u8]) -> Vec<String> {
    const GROUP: usize = 3;
    let mut texts = Vec::new();
    for before in 0..GROUP {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        // Characters that share bits with the neighbours are not known.
        let start = (before * 8).div_ceil(6);
        let end = padded.len() * 8 / 6;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            texts.push(text[start.min(end)..end].to_owned());
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn trivial_texts_are_not_looked_for() {
        for text in [
            "", "x", "true", "false", "null", "12345", "1234567", "0.0.0.0", "1.2.3", "xxxxxxxx",
            "******",
        ] {
            assert!(forms(text).is_empty(), "{text}");
        }
        for text in ["hunter", "s3cr3t", "12345678", "é€é", "CANARY-DEEP"] {
            assert!(forms(text).contains(&text.to_owned()), "{text}");
        }
    }

    #[test]
    fn escaped_and_encoded_forms_are_looked_for_too() {
        let secret = "p<w'&\"d x\n1";
        let forms = forms(secret);
        for form in [
            r#"p<w'&\"d x\n1"#,
            r#"p\u003cw'\u0026\"d x\n1"#,
            r#"p<w'&\\\"d x\\n1"#,
            "p<w'\\''&\"d x\n1",
            "p%3Cw%27%26%22d%20x%0A1",
            "p%3Cw%27%26%22d+x%0A1",
        ] {
            assert!(forms.contains(&form.to_owned()), "{form} in {forms:?}");
        }
    }

    #[test]
    fn a_secret_is_found_in_base64_wherever_it_begins() {
        for user in ["", "a", "ab", "abc"] {
            for end in ["", "!", "!!"] {
                let text = STANDARD.encode(format!("{user}hunter2{end}"));
                let found = forms("hunter2").iter().any(|form| text.contains(form));
                assert!(found, "{text}");
            }
        }
    }

    #[test]
    fn a_key_has_lines_to_look_for_and_prose_has_none() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----\n";
        let lines: Vec<_> = lines(key).map(|[line, _]| line).collect();
        assert_eq!(lines, ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"]);
    }
}
