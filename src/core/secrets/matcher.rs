//! Many secrets as one searcher: a text is read once, however many there are.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::forms::{LONGEST, forms, is_telling, lines};
use crate::marks::Marked;
use crate::value::{Path, PathStep, Value};

/// Everything that is looked for, in all its forms.
pub struct SecretMatcher {
    texts: Vec<String>,
    /// For a text that is a line of a secret: of which, and which. Those that are whole secrets come first.
    lines: Vec<Line>,
    searcher: AhoCorasick,
}

/// A line of a secret of many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    secret: usize,
    line: usize,
    /// How many the secret has.
    of: usize,
}

impl fmt::Debug for SecretMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretMatcher({} texts)", self.texts.len())
    }
}

impl SecretMatcher {
    /// A searcher for these secrets; `None` when none of them says enough.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let (mut texts, mut of_lines, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (secret, text) in secrets.into_iter().map(beginning).enumerate() {
            texts.extend(forms(text));
            let lines: Vec<_> = lines(text).collect();
            let of = lines.len();
            for (line, forms) in lines.into_iter().enumerate() {
                numbers.extend([Line { secret, line, of }; 2]);
                of_lines.extend(forms);
            }
        }
        texts.extend(of_lines);
        Self::build(texts, numbers)
    }

    /// A searcher for texts that are [forms](forms_of) already.
    pub fn of(texts: Vec<String>) -> Option<Self> {
        Self::build(texts, Vec::new())
    }

    fn build(texts: Vec<String>, lines: Vec<Line>) -> Option<Self> {
        if texts.is_empty() {
            return None;
        }
        // Built for nearly every object that has a secret: an automaton that takes longer to build would search no object faster.
        let mut builder = AhoCorasick::builder();
        builder.kind(Some(AhoCorasickKind::ContiguousNFA));
        // Fails only for more bytes of secrets than fit in 32 bits.
        let searcher = builder.build(&texts).ok()?;
        Some(Self {
            texts,
            lines,
            searcher,
        })
    }

    /// How many texts are looked for.
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    /// The texts that were looked for, for a searcher of more.
    pub fn into_texts(self) -> Vec<String> {
        self.texts
    }

    /// Whether a secret is in that text; one of many lines also with something between them. Some of its lines are no secret: a private
    /// key begins with the public one.
    pub fn is_in(&self, text: &str) -> bool {
        let whole = self.texts.len() - self.lines.len();
        let mut seen = BTreeSet::new();
        self.searcher.find_overlapping_iter(text).any(|found| {
            let Some(place) = found.pattern().as_usize().checked_sub(whole) else {
                return true;
            };
            let line = self.lines[place];
            seen.insert(line) && {
                let first = Line { line: 0, ..line };
                let last = Line {
                    line: line.of,
                    ..line
                };
                seen.range(first..last).count() == line.of
            }
        })
    }

    /// Whether a secret is anywhere in that value.
    pub fn is_in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.is_in(text),
            Value::Number(number) => self.is_in(&number.to_string()),
            Value::List(elements) | Value::Set(elements) => {
                elements.iter().any(|element| self.is_in_value(element))
            }
            Value::Map(members) => members
                .iter()
                .any(|(name, member)| self.is_in(name) || self.is_in_value(member)),
            Value::Dynamic(dynamic) => self.is_in_value(&dynamic.1),
            Value::Null | Value::Unknown(_) | Value::Bool(_) => false,
        }
    }

    /// Where secrets are in that text; places may overlap.
    pub fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        self.searcher.find_overlapping_iter(text).map(|found| {
            // Where the beginning of a long one is, the rest follows.
            match found.len() >= LONGEST {
                true => found.start()..text.len(),
                false => found.range(),
            }
        })
    }
}

/// The forms of a secret and of each of its lines, of a long one only those of its beginning. They are for texts that come line by line.
pub fn forms_of(secret: &str) -> Vec<String> {
    let secret = beginning(secret);
    let mut all = forms(secret);
    for form in lines(secret).flatten() {
        if !all.contains(&form) {
            all.push(form);
        }
    }
    all
}

/// As much of a secret as is looked for.
fn beginning(secret: &str) -> &str {
    let mut end = LONGEST.min(secret.len());
    while !secret.is_char_boundary(end) {
        end += 1;
    }
    &secret[..end]
}

/// Calls `visit` with every text in an object that its marks say is secret, and that says enough to be looked for.
pub fn secrets_in(marked: &Marked, visit: &mut dyn FnMut(&str)) {
    for path in &marked.sensitive {
        if let Some(value) = inside(&marked.value, path) {
            texts_in(value, visit);
        }
    }
}

/// The value that a path leads to, or the innermost one on the way that exists.
fn inside<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    let mut value = value;
    for (depth, step) in path.steps().iter().enumerate() {
        while let Value::Dynamic(dynamic) = value {
            value = &dynamic.1;
        }
        let next = match (value, step) {
            (Value::Null | Value::Unknown(_), _) => return None,
            (Value::Map(members), PathStep::Attribute(name) | PathStep::Key(name)) => {
                members.get(name)
            }
            (Value::List(elements), PathStep::Index(index)) => elements.get(*index),
            _ => None,
        };
        match next {
            Some(next) => value = next,
            None if depth == 0 => return None,
            None => return Some(value),
        }
    }
    Some(value)
}

/// Calls `visit` with every text and number in a value that says enough to be looked for.
pub fn texts_in(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) if is_telling(text) => visit(text),
        Value::Number(number) => {
            let text = number.to_string();
            if is_telling(&text) {
                visit(&text);
            }
        }
        Value::List(elements) | Value::Set(elements) => {
            elements.iter().for_each(|element| texts_in(element, visit));
        }
        Value::Map(members) => members.values().for_each(|member| texts_in(member, visit)),
        Value::Dynamic(dynamic) => texts_in(&dynamic.1, visit),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nBG5vbmUAAAAEbm9uZQAAAAAA\nAAABAAAAaAAAABNlY2RzYS1z\n-----END KEY-----\n";

    #[test]
    fn a_key_of_many_lines_is_found_with_something_between_them() {
        let matcher = SecretMatcher::new([KEY, "hunter2"]).expect("they say enough");
        let indented = KEY.replace('\n', "\n      ");
        assert!(matcher.is_in(&format!("write_files:\n  - content: |\n      {indented}")));
        assert!(matcher.is_in(&KEY.replace('\n', "\r\n")));
        assert!(matcher.is_in(KEY));
        assert!(matcher.is_in("a hunter2"));
    }

    #[test]
    fn a_public_key_that_shares_lines_with_the_private_one_is_no_secret() {
        let matcher = SecretMatcher::new([KEY]).expect("it says enough");
        let public = "ecdsa-sha2 BG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS1z";
        assert!(!matcher.is_in(public));
        assert!(!matcher.is_in(&format!("{public}\n{public}")));
        // A log has one line of it at a time.
        let log = SecretMatcher::of(forms_of(KEY)).expect("it says enough");
        assert!(log.is_in("read AAABAAAAaAAAABNlY2RzYS1z"));
    }
}
