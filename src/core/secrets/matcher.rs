//! Many secrets as one searcher: a text is read once, however many there are.

use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::forms::{LONGEST, forms, is_telling};
use crate::marks::Marked;
use crate::value::{Path, PathStep, Value};

/// Everything that is looked for, in all its forms.
pub struct SecretMatcher {
    texts: Vec<String>,
    searcher: AhoCorasick,
}

impl fmt::Debug for SecretMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretMatcher({} texts)", self.texts.len())
    }
}

impl SecretMatcher {
    /// A searcher for these secrets; `None` when none of them says enough.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        Self::of(secrets.into_iter().flat_map(forms_of).collect())
    }

    /// A searcher for texts that are [forms](forms_of) already.
    pub fn of(texts: Vec<String>) -> Option<Self> {
        if texts.is_empty() {
            return None;
        }
        // Built for nearly every object that has a secret: an automaton that takes longer to build would search no object faster.
        let mut builder = AhoCorasick::builder();
        builder.kind(Some(AhoCorasickKind::ContiguousNFA));
        // Fails only for more bytes of secrets than fit in 32 bits.
        let searcher = builder.build(&texts).ok()?;
        Some(Self { texts, searcher })
    }

    /// How many texts are looked for.
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    /// The texts that were looked for, for a searcher of more.
    pub fn into_texts(self) -> Vec<String> {
        self.texts
    }

    /// Whether a secret is in that text.
    pub fn is_in(&self, text: &str) -> bool {
        self.searcher.is_match(text)
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

/// The forms of a secret, of a long one only those of its beginning.
pub fn forms_of(secret: &str) -> Vec<String> {
    if secret.len() <= LONGEST {
        return forms(secret);
    }
    let mut end = LONGEST;
    while !secret.is_char_boundary(end) {
        end += 1;
    }
    forms(&secret[..end])
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
