//! A command line as far as it is typed, read as a shell reads it.

/// The words before the one that is typed, without the program's name, and that one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) before: Vec<String>,
    pub(super) current: String,
    pub(super) quote: Quote,
}

/// The quotes in which the word stands that is typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Quote {
    #[default]
    None,
    Single,
    Double,
}

impl Line {
    /// Of words that a shell has read; the first is the program.
    pub(super) fn of_words(words: &[String]) -> Self {
        let (current, before) = match words {
            [] | [_] => (String::new(), Vec::new()),
            [_, before @ .., current] => (current.clone(), before.to_vec()),
        };
        Self {
            before,
            current,
            quote: Quote::None,
        }
    }

    /// Of the text before the cursor; only the last command of it counts.
    pub(super) fn of_text(text: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut word: Option<String> = None;
        let mut quote = Quote::None;
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match (quote, character) {
                (Quote::None, c) if c.is_whitespace() => words.extend(word.take()),
                (Quote::None, ';' | '|' | '&') => {
                    (words, word) = (Vec::new(), None);
                }
                (Quote::None, '\'') => {
                    quote = Quote::Single;
                    word.get_or_insert_default();
                }
                (Quote::None, '"') => {
                    quote = Quote::Double;
                    word.get_or_insert_default();
                }
                (Quote::Single, '\'') | (Quote::Double, '"') => quote = Quote::None,
                (Quote::None | Quote::Double, '\\') => {
                    word.get_or_insert_default().extend(characters.next());
                }
                (_, character) => word.get_or_insert_default().push(character),
            }
        }
        words.push(word.unwrap_or_default());
        Self {
            quote,
            ..Self::of_words(&words)
        }
    }
}
