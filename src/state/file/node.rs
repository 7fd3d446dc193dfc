//! Walks JSON text without building it, and says where something is wrong by line, column and path.

use std::borrow::Cow;
use std::fmt;

use serde::de::Deserialize;
use serde_json::value::RawValue;
use terrane_core::value::{RawMembers, RawString};

use super::FileError;
use crate::model::{ExtraMembers, RawJson};

/// One value inside a document: its text, and the way to it.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a, 'p> {
    document: &'a str,
    text: &'a str,
    place: NodePath<'p>,
}

#[derive(Clone, Copy)]
struct NodePath<'p> {
    parent: Option<&'p Self>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Member(&'p str),
    Element(usize),
}

impl fmt::Display for NodePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}")?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Member(name) => {
                let first =
                    matches!(self.parent, Some(parent) if matches!(parent.step, Step::Root));
                let dot = if first { "" } else { "." };
                // Names of members come from the file: control characters must not reach a terminal.
                write!(f, "{dot}{}", name.escape_debug())
            }
            Step::Element(index) => write!(f, "[{index}]"),
        }
    }
}

/// The members of an object, in their order, each name once.
pub(crate) struct Members<'a> {
    text: &'a str,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// A document whose text is JSON as far as its syntax goes.
///
/// # Errors
/// When the text is not one JSON value.
pub(crate) fn document(text: &str) -> Result<Node<'_, 'static>, FileError> {
    let value: Result<&RawValue, _> = serde_json::from_str(text);
    match value {
        Ok(value) => Ok(Node {
            document: text,
            text: value.get(),
            place: NodePath {
                parent: None,
                step: Step::Root,
            },
        }),
        Err(error) => Err(FileError::Damaged {
            line: error.line().max(1),
            column: error.column().max(1),
            path: String::new(),
            reason: without_position(&error),
        }),
    }
}

/// The message of a JSON error without its ` at line 1 column 2`, which is told apart.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

impl<'a, 'p> Node<'a, 'p> {
    /// An error about this value.
    pub(crate) fn damaged(&self, reason: impl fmt::Display) -> FileError {
        self.damaged_at(0, reason)
    }

    fn damaged_at(&self, offset: usize, reason: impl fmt::Display) -> FileError {
        let before = self.document.as_bytes();
        let before = &before[..(self.range().start + offset).min(before.len())];
        FileError::Damaged {
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + before
                .iter()
                .rev()
                .take_while(|byte| **byte != b'\n')
                .count(),
            path: self.place.to_string(),
            reason: reason.to_string(),
        }
    }

    /// Where its text is in that of the document, which it borrows from.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        let start = (self.text.as_ptr() as usize).saturating_sub(self.document.as_ptr() as usize);
        start..start + self.text.len()
    }

    /// The value as text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// Whether it is `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.text == "null"
    }

    fn parse<T: Deserialize<'a>>(&self, expected: &str) -> Result<T, FileError> {
        serde_json::from_str(self.text).map_err(|error| {
            self.damaged(format_args!(
                "expected {expected}, found {}",
                Found(self.text, &error)
            ))
        })
    }

    pub(crate) fn string(&self) -> Result<Cow<'a, str>, FileError> {
        self.parse::<RawString<'a>>("a string").map(|text| text.0)
    }

    pub(crate) fn u64(&self) -> Result<u64, FileError> {
        self.parse("a whole number from 0")
    }

    pub(crate) fn bool(&self) -> Result<bool, FileError> {
        self.parse("true or false")
    }

    /// The value as stored text: checked for depth and repeated members.
    pub(crate) fn raw(&self) -> Result<RawJson, FileError> {
        RawJson::from_valid(self.text).map_err(|error| self.damaged_at(error.offset, error.reason))
    }

    /// The members of an object.
    pub(crate) fn members(&self) -> Result<Members<'a>, FileError> {
        let RawMembers(members) = self.parse("an object")?;
        let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(self.damaged(format_args!("member {:?} occurs twice", twice[0])));
        }
        Ok(Members {
            text: self.text,
            members,
        })
    }

    /// Calls `each` with every element of an array.
    pub(crate) fn elements(
        &'p self,
        mut each: impl FnMut(Node<'a, '_>) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let elements: Vec<&'a RawValue> = self.parse("an array")?;
        for (index, element) in elements.into_iter().enumerate() {
            each(Node {
                document: self.document,
                text: element.get(),
                place: NodePath {
                    parent: Some(&self.place),
                    step: Step::Element(index),
                },
            })?;
        }
        Ok(())
    }

    /// A member of this object.
    pub(crate) fn child<'c>(&'c self, name: &'c str, text: &'a str) -> Node<'a, 'c> {
        Node {
            document: self.document,
            text,
            place: NodePath {
                parent: Some(&self.place),
                step: Step::Member(name),
            },
        }
    }
}

impl<'a> Members<'a> {
    /// Takes a member out; `null` counts as absent, as it does for Go.
    pub(crate) fn take<'c>(&mut self, of: &'c Node<'a, '_>, name: &'c str) -> Option<Node<'a, 'c>> {
        let at = self.members.iter().position(|(member, _)| member == name)?;
        let (_, value) = self.members.remove(at);
        Some(of.child(name, value.get())).filter(|node| !node.is_null())
    }

    /// The same for a member that must be there.
    pub(crate) fn need<'c>(
        &mut self,
        of: &'c Node<'a, '_>,
        name: &'c str,
    ) -> Result<Node<'a, 'c>, FileError> {
        // The same text, not an equal one: comparing would read the whole document for every member.
        debug_assert!(std::ptr::eq(of.text, self.text));
        self.take(of, name)
            .ok_or_else(|| of.damaged(format_args!("member {name:?} is missing")))
    }

    /// The members that were not taken, as stored text.
    pub(crate) fn rest(self, of: &Node<'a, '_>) -> Result<ExtraMembers, FileError> {
        let rest = self.members.into_iter();
        rest.map(|(name, value)| Ok((name.as_ref().into(), of.child(&name, value.get()).raw()?)))
            .collect()
    }

    /// Every member with its name.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
        let members = self.members.into_iter();
        members.map(|(name, value)| (name, value.get()))
    }
}

/// What stands where something else was expected, without showing any of it: it may be secret.
struct Found<'a>(&'a str, &'a serde_json::Error);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a truth value",
            Some(b'n') => "null",
            _ if self.1.is_syntax() => "no valid value",
            _ => "another number",
        })
    }
}
