//! Lines that a person types, with history and completion, or that a pipe brings.

use std::io::BufRead as _;
use std::time::Duration;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::Streams;

/// Reads line after line.
pub(crate) struct Lines<'a> {
    streams: &'a Streams,
    prompt: &'static str,
    /// None where nobody types.
    editor: Option<Editor<Names, DefaultHistory>>,
}

impl Streams {
    /// The lines of standard input. On a terminal each is asked for, and these names complete it.
    pub(crate) fn lines(&self, prompt: &'static str, names: Vec<String>) -> Lines<'_> {
        let editor = self.is_interactive().then(|| {
            let config = Config::builder()
                .completion_type(CompletionType::List)
                .build();
            let mut editor = Editor::with_config(config).ok()?;
            editor.set_helper(Some(Names(names)));
            Some(editor)
        });
        Lines {
            streams: self,
            prompt,
            editor: editor.flatten(),
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = String;

    /// The next one; none at the end of the input.
    fn next(&mut self) -> Option<String> {
        let Some(editor) = &mut self.editor else {
            let mut line = String::new();
            return match std::io::stdin().lock().read_line(&mut line) {
                Ok(0) | Err(_) => None,
                Ok(_) => Some(line),
            };
        };
        // The answer to the line before stands above the next one.
        self.streams.written(Duration::MAX);
        loop {
            match editor.readline(self.prompt) {
                Ok(line) => {
                    let _ = editor.add_history_entry(line.as_str());
                    return Some(line);
                }
                // The line is given up, not the console.
                Err(ReadlineError::Interrupted) => {}
                Err(_) => return None,
            }
        }
    }
}

/// Completes a line by the names that begin as it does.
struct Names(Vec<String>);

impl Completer for Names {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..cursor];
        let (start, typed) = match typed.strip_prefix("list ") {
            Some(rest) => ("list ".len(), rest),
            None => (0, typed),
        };
        let fits = self.0.iter().filter(|name| name.starts_with(typed));
        Ok((start, fits.cloned().collect()))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}
impl Validator for Names {}
impl Helper for Names {}
