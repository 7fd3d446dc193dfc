//! Shell completions: a script for each shell, and the words that this program offers it.
//!
//! | module | holds |
//! |---|---|
//! | `script` | the scripts, which ask this program |
//! | `line` | a command line as far as it is typed, read as the shell reads it |
//! | `walk` | the words that fit at its end |
//! | `quote` | words as each shell wants to insert them |
//!
//! **Why not** `clap_complete`: its scripts know no state, and its dynamic ones, which are unstable, insert words as they are: an
//! address such as `a.b["$(reboot)"]` would run.

mod line;
mod quote;
mod script;
mod walk;

pub(crate) use line::Line;
pub(crate) use script::script;
pub(crate) use walk::{Fitting, Names, walk};

use crate::args::Shell;

/// A command line as that shell hands it on.
pub(crate) fn typed(shell: Shell, typed: &[String]) -> Line {
    match shell {
        Shell::Bash => Line::of_text(typed.first().map_or("", String::as_str)),
        Shell::Zsh | Shell::Fish | Shell::Powershell => Line::of_words(typed),
    }
}

/// The answer to the script: a line that says how to take it (`words` or `files`), then a word a line.
pub(crate) fn answer(shell: Shell, line: &Line, fitting: Fitting, names: Names) -> String {
    let Some(mut words) = fitting.words(names) else {
        return "files\n".to_owned();
    };
    // No name has such a character where it is printed; a list that was tampered with may.
    words.retain(|word| !word.chars().any(char::is_control));
    let inserted = quote::inserted(shell, line, words);
    let mut text = "words\n".to_owned();
    for word in inserted {
        text.push_str(&word);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
