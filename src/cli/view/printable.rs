//! Text that came from outside, made safe and readable for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with everything a terminal or the log of a CI would obey spelled out, so that a provider or a state cannot move the cursor,
/// set the clipboard, turn lines round or give commands to a job. Line feeds and tabs stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_harmless = |line: &str| !is_workflow_command(line);
    if !text.contains(is_control) && !text.contains(OLD_COMMAND) && text.lines().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut is_start = true;
    for (place, character) in text.char_indices() {
        let rest = &text[place..];
        let line = || rest.lines().next().unwrap_or_default();
        let is_obeyed = match character {
            ':' => is_start && is_workflow_command(line()),
            '#' => rest.starts_with(OLD_COMMAND),
            character => is_control(character),
        };
        if is_obeyed {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
        is_start = character == '\n' || is_start && character.is_whitespace();
    }
    Cow::Owned(safe)
}

/// The older form of a workflow command, which GitHub finds anywhere in a line.
const OLD_COMMAND: &str = "##[";

/// Whether GitHub takes a line of a job's log for a command: `::set-output name=x::y`. `::1 localhost` is none.
fn is_workflow_command(line: &str) -> bool {
    let command = line.trim_start().strip_prefix("::");
    command.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains("::")
    })
}

/// The text on one line: as [`printable`], not longer than a value, and line feeds and tabs spelled out too.
pub(crate) fn one_line(text: &str) -> String {
    let text = shortened(text, LONGEST_VALUE);
    printable(&text).replace('\n', "\\n").replace('\t', "\\t")
}

/// How many characters of an object's id a line has room for.
const LONGEST_ID: usize = 256;
/// How many characters a name inside an object has room for.
pub(crate) const LONGEST_NAME: usize = 512;
/// How many characters of a value are shown. JSON has all of them.
pub(crate) const LONGEST_VALUE: usize = 16 << 10;

/// An object's id on one line.
pub(crate) fn id(text: &str) -> String {
    one_line(&shortened(text, LONGEST_ID))
}

/// The text, or its beginning and how long it is: `i-0123… (5,242,880 characters)`.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    // A byte a character at least.
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let count = thousands(text.chars().count());
            Cow::Owned(format!("{}… ({count} characters)", &text[..end]))
        }
    }
}

/// How many columns of a terminal a text takes.
pub(crate) fn width(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The text, or as much of its beginning and end as so many columns hold: `module.network.aws_…["eu-central-1a"]`.
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    /// With less room nothing can be told apart.
    const LEAST: usize = 8;
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.max(LEAST) - 1;
    let mut start = console::truncate_str(text, room.div_ceil(2), "").into_owned();
    let mut end = text.len();
    let mut left = room - width(&start);
    for (place, character) in text.char_indices().rev() {
        let taken = width(character.encode_utf8(&mut [0; 4]));
        if taken > left {
            break;
        }
        (left, end) = (left - taken, place);
    }
    start.push('…');
    start.push_str(&text[end..]);
    start
}

/// `5,242,880`
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The text between quotes on one line, as a program would write it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for (place, character) in text.char_indices() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            character if is_control(character) || text[place..].starts_with(OLD_COMMAND) => {
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// A JSON document with the same content, in which no terminal and no job of a CI finds anything to obey. JSON itself escapes C0 alone.
pub(crate) fn harmless_json(json: String) -> String {
    let obeyed =
        |character: char| !character.is_ascii() && is_control(character) || character == '\u{7f}';
    if !json.contains(obeyed) && !json.contains(OLD_COMMAND) {
        return json;
    }
    // Such characters stand in strings alone, and never after a backslash.
    let json = json.replace(OLD_COMMAND, "\\u0023#[");
    let mut safe = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        match obeyed(character) {
            false => safe.push(character),
            true => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(safe, "\\u{unit:04x}");
                }
            }
        }
    }
    safe
}

/// C0 but line feed and tab, DEL, C1, and the characters that reorder text or hide in it.
fn is_control(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{061c}' | '\u{180e}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        character => character.is_control(),
    }
}

/// A number with its noun: `1 resource`, `3 resources`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// A duration as people say it: `0s`, `59s`, `2m05s`, `1h02m`.
pub(crate) fn elapsed(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nothing_a_terminal_obeys_gets_through() {
        let hostile = "a\u{1b}[2Jb\u{7}\u{9b}31m\u{7f}\u{202e}c\rd\ne\tf";
        assert_eq!(
            printable(hostile),
            "a\\u{1b}[2Jb\\u{7}\\u{9b}31m\\u{7f}\\u{202e}c\\u{d}d\ne\tf"
        );
        assert_eq!(one_line("a\nb\tc\u{1b}"), "a\\nb\\tc\\u{1b}");
        assert_eq!(
            quoted("a\"b\\\n\u{1b}é##[x"),
            "\"a\\\"b\\\\\\n\\u{1b}é\\u{23}#[x\""
        );
    }

    #[test]
    fn nothing_a_job_of_a_ci_obeys_gets_through() {
        assert_eq!(
            printable("a\n  ::set-output name=x::y\n::1 localhost\nb ##[error]c"),
            "a\n  \\u{3a}:set-output name=x::y\n::1 localhost\nb \\u{23}#[error]c"
        );
    }

    #[test]
    fn json_keeps_its_content_and_loses_what_is_obeyed() {
        let content = "a\u{1b}b\u{9b}31m\u{7f}\u{202e}c\u{e0041}##[error]d\\##[\"é";
        let json = serde_json::to_string(&[content]).expect("JSON");
        let safe = harmless_json(json);
        let expected =
            r##"["a\u001bb\u009b31m\u007f\u202ec\udb40\udc41\u0023#[error]d\\\u0023#[\"é"]"##;
        assert_eq!(safe, expected);
        let again: Vec<String> = serde_json::from_str(&safe).expect("JSON");
        assert_eq!(again, [content]);
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(printable("vpc-1 (ü) 東京"), Cow::Borrowed(_)));
    }

    #[test]
    fn durations_read_naturally() {
        let texts: Vec<_> = [0, 59, 60, 125, 3600, 3725]
            .map(|seconds| elapsed(Duration::from_secs(seconds)))
            .into();
        assert_eq!(texts, ["0s", "59s", "1m00s", "2m05s", "1h00m", "1h02m"]);
    }

    #[test]
    fn a_text_gives_way_in_its_middle_by_the_columns_it_takes() {
        assert_eq!(fitted("aws_vpc.main", 12), "aws_vpc.main");
        assert_eq!(fitted("aws_vpc.main", 9), "aws_…main");
        assert_eq!(fitted("aws_vpc.main", 0), "aws_…ain");
        assert_eq!(fitted("東京東京東京", 9), "東京…東京");
    }

    #[test]
    fn long_texts_are_shown_by_their_beginning_and_their_length() {
        assert_eq!(shortened("four", 4), "four");
        assert_eq!(shortened("äöüß", 4), "äöüß");
        assert_eq!(shortened("äöüßx", 4), "äöüß… (5 characters)");
        let long = "x".repeat(1_234_567);
        assert!(shortened(&long, 9).ends_with("xxx… (1,234,567 characters)"));
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
    }
}
