//! Text between quotes as HCL writes and reads it: the keys of addresses and paths.

use std::fmt::{self, Write};
use std::iter::Peekable;
use std::str::Chars;

use crate::text::is_printable;

/// How strictly quoted text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As HCL reads it, with Terraform's refusals.
    Hcl,
    /// Also as people type it and earlier versions of terrane stored it: `${` that begins no template, the escapes of JSON and Rust.
    Lenient,
}

/// A text that prints between quotes, as HCL writes it.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        escape(self.0, f)?;
        f.write_char('"')
    }
}

/// Writes the text as it stands between the quotes.
pub(crate) fn escape(text: &str, out: &mut impl Write) -> fmt::Result {
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '$' | '%' => {
                out.write_char(c)?;
                // Alone it would begin a template.
                if characters.peek() == Some(&'{') {
                    out.write_char(c)?;
                }
            }
            c if is_printable(c) => out.write_char(c)?,
            c if u32::from(c) < 0x10000 => write!(out, "\\u{:04x}", u32::from(c))?,
            c => write!(out, "\\U{:08x}", u32::from(c))?,
        }
    }
    Ok(())
}

/// The length of the text before the closing quote.
pub(crate) fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The text that stands escaped between quotes.
pub(crate) fn unescape(escaped: &str, reading: Reading) -> Result<String, &'static str> {
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => text.push(escaped_character(&mut rest, reading)?),
            '\n' if reading == Reading::Hcl => {
                return Err("a line break in a key is written `\\n`");
            }
            '$' | '%' => {
                let mut signs = 1;
                while rest.next_if_eq(&c).is_some() {
                    signs += 1;
                }
                if rest.peek() == Some(&'{') {
                    match (signs, reading) {
                        (1, Reading::Hcl) => return Err(template(c)),
                        (1, Reading::Lenient) => {}
                        _ => signs -= 1,
                    }
                }
                text.extend(std::iter::repeat_n(c, signs));
            }
            c => text.push(c),
        }
    }
    Ok(text)
}

fn template(sign: char) -> &'static str {
    match sign {
        '$' => "`${` in a key begins a template; the text `${` is written `$${`",
        _ => "`%{` in a key begins a template; the text `%{` is written `%%{`",
    }
}

fn escaped_character(
    rest: &mut Peekable<Chars<'_>>,
    reading: Reading,
) -> Result<char, &'static str> {
    let lenient = reading == Reading::Lenient;
    match rest.next() {
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some(c @ ('"' | '\\')) => Ok(c),
        Some('u') if lenient && rest.next_if_eq(&'{').is_some() => {
            let digits: String = std::iter::from_fn(|| rest.next_if(|c| *c != '}')).collect();
            rest.next();
            character(u32::from_str_radix(&digits, 16).ok())
        }
        Some('u') => {
            let code = digits(rest, 4);
            // JSON writes a character beyond four digits as a pair.
            if let Some(high @ 0xd800..0xdc00) = code
                && lenient
            {
                let pair = rest.next() == Some('\\') && rest.next() == Some('u');
                let low = digits(rest, 4).filter(|low| pair && (0xdc00..0xe000).contains(low));
                return character(
                    low.map(|low| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)),
                );
            }
            character(code)
        }
        Some('U') => character(digits(rest, 8)),
        Some('b') if lenient => Ok('\x08'),
        Some('f') if lenient => Ok('\x0c'),
        Some('/') if lenient => Ok('/'),
        _ => Err("after `\\` a key has `n`, `r`, `t`, `\"`, `\\`, `u` or `U`"),
    }
}

fn digits(rest: &mut Peekable<Chars<'_>>, count: usize) -> Option<u32> {
    (0..count).try_fold(0_u32, |code, _| {
        Some((code << 4) | rest.next_if(char::is_ascii_hexdigit)?.to_digit(16)?)
    })
}

fn character(code: Option<u32>) -> Result<char, &'static str> {
    code.and_then(char::from_u32)
        .ok_or("`\\u` needs four and `\\U` eight hexadecimal digits of a character")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// HCL's rules for a quoted literal without templates, from its grammar and apart from the code above: the text before the closing
    /// quote, and the text behind that quote.
    fn hcl(quoted: &str) -> Option<(String, &str)> {
        let mut rest = quoted.strip_prefix('"')?;
        let mut text = String::new();
        loop {
            if let Some(after) = rest.strip_prefix('"') {
                return Some((text, after));
            }
            let simple = [
                ("\\n", "\n"),
                ("\\r", "\r"),
                ("\\t", "\t"),
                ("\\\"", "\""),
                ("\\\\", "\\"),
                ("$${", "${"),
                ("%%{", "%{"),
            ];
            if let Some((from, to)) = simple.iter().find(|(from, _)| rest.starts_with(from)) {
                text.push_str(to);
                rest = &rest[from.len()..];
                continue;
            }
            if rest.starts_with("${") || rest.starts_with("%{") || rest.starts_with('\n') {
                return None;
            }
            if let Some(escape) = rest.strip_prefix('\\') {
                let length = match escape.chars().next()? {
                    'u' => 5,
                    'U' => 9,
                    _ => return None,
                };
                let code = u32::from_str_radix(escape.get(1..length)?, 16).ok()?;
                text.push(char::from_u32(code)?);
                rest = &escape[length..];
                continue;
            }
            let c = rest.chars().next()?;
            text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }

    /// Text with much in it that quoting is about.
    fn any_text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("${".to_owned()),
            Just("%{".to_owned()),
            "[$%{}\"\\\\\n\r\tuU0-9a-f]{1,4}",
            "[\u{0}-\u{1f}\u{7f}\u{ad}\u{200b}\u{2028}\u{e0041}é東🙂]",
            any::<char>().prop_map(String::from),
        ];
        proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    /// Every way in which HCL lets a character be written.
    fn any_escaped() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            any::<char>().prop_map(|c| format!("\\U{:08X}", u32::from(c))),
            any::<u16>().prop_map(|code| format!("\\u{code:04x}")),
            "\\\\[nrt\"\\\\]",
            "[$%]{0,3}\\{?",
            "[ -!#-\\[\\]-~é\u{200b}]",
        ];
        proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn hcl_reads_any_text_as_we_write_it_and_so_do_we(text in any_text()) {
            let quoted = Quoted(&text).to_string();
            prop_assert_eq!(hcl(&quoted), Some((text.clone(), "")));
            let inside = &quoted[1..];
            let end = closing_quote(inside).expect("it is closed");
            prop_assert_eq!(end, inside.len() - 1);
            for reading in [Reading::Hcl, Reading::Lenient] {
                prop_assert_eq!(unescape(&inside[..end], reading), Ok(text.clone()));
            }
        }

        #[test]
        fn we_read_what_hcl_reads_and_refuse_what_it_refuses(escaped in any_escaped()) {
            let expected = hcl(&format!("\"{escaped}\"")).map(|(text, _)| text);
            prop_assert_eq!(unescape(&escaped, Reading::Hcl).ok(), expected);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any_text()) {
            let _ = closing_quote(&text);
            let _ = unescape(&text, Reading::Hcl);
            let _ = unescape(&text, Reading::Lenient);
        }
    }

    #[test]
    fn text_is_written_as_terraform_writes_it() {
        // Left: the text that Terraform 1.11.4 stored for `for_each` with the key on the right.
        for (written, text) in [
            (r#""home/$${aws:username}""#, "home/${aws:username}"),
            (r#""$$$$${y}""#, "$$$${y}"),
            (r#""$$${""#, "$${"),
            (r#""%%{if}""#, "%{if}"),
            (r#""a$""#, "a$"),
            (r#""del\u007f""#, "del\u{7f}"),
            (r#""\u0001\u0008""#, "\u{1}\u{8}"),
            (r#""tag\U000e0041""#, "tag\u{e0041}"),
            (r#""zero\u200bwidth""#, "zero\u{200b}width"),
            (r#""nl\nx\ty\rz""#, "nl\nx\ty\rz"),
            (r#""q\"b\\""#, "q\"b\\"),
            (r#""\u00a0""#, "\u{a0}"),
            (r#""\u1c89\U0001fae9""#, "\u{1c89}\u{1fae9}"),
            (r#""emoji😀<&>'""#, "emoji😀<&>'"),
        ] {
            assert_eq!(Quoted(text).to_string(), written);
        }
    }

    #[test]
    fn what_a_person_types_or_an_earlier_version_stored_is_read_leniently() {
        for (escaped, text) in [
            ("home/${x}", "home/${x}"),
            ("%{if}", "%{if}"),
            ("a\\b\\f\\/", "a\x08\x0c/"),
            ("\\u{200b}\\ud83d\\ude42", "\u{200b}🙂"),
            ("a\nb", "a\nb"),
        ] {
            assert_eq!(
                unescape(escaped, Reading::Lenient).as_deref(),
                Ok(text),
                "{escaped}"
            );
            assert!(unescape(escaped, Reading::Hcl).is_err(), "{escaped}");
        }
        for escaped in [
            "\\x41",
            "\\",
            "\\u12",
            "\\ud83d",
            "\\ud83d\\u0041",
            "\\u{}",
            "\\U00110000",
        ] {
            assert!(unescape(escaped, Reading::Lenient).is_err(), "{escaped}");
        }
    }
}
