//! Words as a shell is to insert them: whatever is in a name, the shell sees one word and obeys nothing.

use super::line::{Line, Quote};
use crate::args::Shell;
use crate::session::shell_word;

/// The words in the form that the shell's script hands on.
pub(super) fn inserted(shell: Shell, line: &Line, words: Vec<String>) -> Vec<String> {
    match shell {
        Shell::Bash => in_bash(line, words),
        // These quote by themselves what they insert.
        Shell::Zsh | Shell::Fish => words,
        Shell::Powershell => {
            let quoted = |word: String| match is_plain(&word) {
                true => word,
                false => format!("'{}'", word.replace('\'', "''")),
            };
            words.into_iter().map(quoted).collect()
        }
    }
}

/// Bash inserts the words as they are, behind the quote or the `=` that the typed word has.
fn in_bash(line: &Line, words: Vec<String>) -> Vec<String> {
    let flag = match line.current.split_once('=') {
        Some((flag, _)) if flag.starts_with("--") => flag.len() + 1,
        _ => 0,
    };
    let words = words.iter().map(|word| &word[flag.min(word.len())..]);
    match line.quote {
        // All of them or none, so that they have a common beginning.
        Quote::None => {
            let words: Vec<&str> = words.collect();
            let plain = words.iter().all(|word| is_plain(word));
            let quoted = |word: &str| match plain || word.starts_with("--") && is_plain(word) {
                true => word.to_owned(),
                false => shell_word(word),
            };
            words.into_iter().map(quoted).collect()
        }
        Quote::Single => words.map(|word| word.replace('\'', r"'\''")).collect(),
        // History is expanded there, and nothing can be done about it.
        Quote::Double => words
            .filter(|word| !word.contains('!'))
            .map(|word| {
                let mut escaped = String::new();
                for character in word.chars() {
                    if matches!(character, '"' | '\\' | '$' | '`') {
                        escaped.push('\\');
                    }
                    escaped.push(character);
                }
                escaped
            })
            .collect(),
    }
}

fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=+%,".contains(c);
    word.chars().all(plain)
}
