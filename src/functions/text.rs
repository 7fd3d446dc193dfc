//! Texts by what people see as characters, and in upper and lower case.

use unicode_segmentation::UnicodeSegmentation as _;

/// The text with every line after the first moved right by that many spaces.
pub fn indent(spaces: usize, text: &str) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(spaces)))
}

/// The text backwards, character by character as people see them.
pub fn strrev(text: &str) -> String {
    text.graphemes(true).rev().collect()
}

/// A part of a text, in characters as people see them: `length` of them from `offset`, which counts from the end when it is negative.
/// Without a length, all that follow.
pub fn substr(text: &str, offset: i64, length: Option<usize>) -> String {
    let characters = text.graphemes(true);
    let from = match usize::try_from(offset) {
        Ok(offset) => offset,
        Err(_) => {
            let before_end = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            characters.clone().count().saturating_sub(before_end)
        }
    };
    characters
        .skip(from)
        .take(length.unwrap_or(usize::MAX))
        .collect()
}

/// Each word with a capital first letter.
pub fn title(text: &str) -> String {
    let mut before = ' ';
    let capital = |character| {
        let begins = is_separator(before);
        before = character;
        if begins {
            title_case(character)
        } else {
            character
        }
    };
    text.chars().map(capital).collect()
}

/// The text in upper case: one letter for each, so that `ß` stays, unlike in [`str::to_uppercase`].
pub fn upper(text: &str) -> String {
    text.chars().map(upper_case).collect()
}

/// The text in lower case: one letter for each, wherever it stands in its word, unlike in [`str::to_lowercase`].
pub fn lower(text: &str) -> String {
    let lower = |character: char| character.to_lowercase().next().unwrap_or(character);
    text.chars().map(lower).collect()
}

/// Where Go's `strings.Title` takes a word to end.
fn is_separator(character: char) -> bool {
    match character {
        '_' => false,
        ascii if ascii.is_ascii() => !ascii.is_ascii_alphanumeric(),
        other => other.is_whitespace(),
    }
}

/// Unicode's simple mapping, of one character to one.
fn upper_case(character: char) -> char {
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        _ => with_iota(character),
    }
}

/// The same to title case, which is another one for letters that are two, and none at all for Georgian ones.
fn title_case(character: char) -> char {
    match character {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{10d0}'..='\u{10ff}' => character,
        other => upper_case(other),
    }
}

/// Greek letters with an iota below, whose upper case is two letters, have a capital of their own.
fn with_iota(character: char) -> char {
    let capital = match u32::from(character) {
        small @ 0x1f80..=0x1faf if small & 8 == 0 => small + 8,
        small @ (0x1fb3 | 0x1fc3 | 0x1ff3) => small + 9,
        other => other,
    };
    char::from_u32(capital).unwrap_or(character)
}
