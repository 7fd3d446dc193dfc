//! Keys that an object has twice: HCL takes the last, and `hcl-edit` refuses the text.

use std::ops::Range;

use hcl_edit::parser::{Error, parse_body};
use hcl_edit::structure::Body;

/// What the parser says of a key that its object has already.
const REFUSED: &str = "found redefined object key";

/// How many names are tried before the text is refused after all.
const MOST: usize = 10_000;

/// Reads a body in which objects may repeat keys.
///
/// The parser gets another name of the same length for each repeated key, so that all stays where it is; the name that was written is in
/// the text.
pub(crate) fn body_of(text: &str) -> Result<Body, Error> {
    let mut read = text.to_owned();
    for number in 0..MOST {
        let error = match parse_body(&read) {
            Ok(body) => return Ok(body),
            Err(error) => error,
        };
        let is_repeated = error.message().contains(REFUSED);
        match name_at(&read, error.location().offset()) {
            Some(name) if is_repeated => {
                let other = letters(number, name.len());
                read.replace_range(name, &other);
            }
            _ => return Err(error),
        }
    }
    parse_body(&read)
}

/// Where the name of the key stands that begins there, without its quotes.
fn name_at(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let (start, rest) = match rest.strip_prefix('"') {
        Some(rest) => (at + 1, rest),
        None => (at, rest),
    };
    let is_named = |it: char| it.is_alphanumeric() || ['_', '-', '.', '/', ':', ' '].contains(&it);
    let is_name = |it: char| it.is_alphanumeric() || ['_', '-'].contains(&it);
    let length = match start > at {
        true => rest
            .find(|it| !is_named(it))
            .filter(|end| rest[*end..].starts_with('"'))?,
        false => rest.find(|it| !is_name(it))?,
    };
    (length > 0).then_some(start..start + length)
}

/// A name of that many bytes.
fn letters(number: usize, length: usize) -> String {
    let mut rest = number;
    let letter = |_| {
        let letter = char::from(b'a' + u8::try_from(rest % 26).unwrap_or_default());
        rest /= 26;
        letter
    };
    (0..length).map(letter).collect()
}
