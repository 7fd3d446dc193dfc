//! Secrets of this machine: variables of the environment, and files.

use std::path::Path;

use crate::vault::SecretFault;

/// How long a secret may be.
const LONGEST: u64 = 1 << 20;

/// The text of a variable.
pub(crate) fn variable(value: Option<&str>) -> Result<String, SecretFault> {
    match value {
        Some("") => Err(SecretFault::new("the variable is empty")),
        Some(value) => Ok(value.to_owned()),
        None => Err(SecretFault::new("the variable is not set")),
    }
}

/// The text of a file, without the line break that editors and `echo` end it with.
pub(crate) fn file(path: &Path) -> Result<String, SecretFault> {
    let text = terrane_files::read_text(path, LONGEST);
    without_line_break(text.map_err(|error| SecretFault::new(error.to_string()))?)
}

/// The text without one line break at its end; a text of nothing else is no secret.
pub(crate) fn without_line_break(mut text: String) -> Result<String, SecretFault> {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    match text.is_empty() {
        true => Err(SecretFault::new("it is empty")),
        false => Ok(text),
    }
}
