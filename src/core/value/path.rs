//! Where inside a value something is: `vpc_config[0].subnet_ids`, `tags["team"]`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::quote::{Quoted, Reading, closing_quote, unescape};
use crate::text::nfc;

/// Steps from the root of a value to a place inside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<PathStep>);

/// One step of a [`Path`]. Elements of sets have no step: a set can only be named whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep {
    /// A member of an object, or a nested block.
    Attribute(Arc<str>),
    /// A key of a map, in normal form C; [`PathStep::key`] normalises.
    Key(Arc<str>),
    /// A position in a list or tuple.
    Index(usize),
}

/// The text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not an attribute path ({reason})")]
#[non_exhaustive]
pub struct ParsePathError {
    /// The text.
    pub text: String,
    /// The fault.
    pub reason: &'static str,
}

impl PathStep {
    /// A key of a map, normalised as the keys of maps are.
    pub fn key(key: impl AsRef<str>) -> Self {
        Self::Key(nfc(key.as_ref()))
    }
}

impl Path {
    /// The value itself.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }

    /// Whether this is the whole value.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path and one step more.
    #[must_use]
    pub fn step(mut self, step: PathStep) -> Self {
        self.0.push(step);
        self
    }

    /// This path and a member name.
    #[must_use]
    pub fn attribute(self, name: impl Into<Arc<str>>) -> Self {
        self.step(PathStep::Attribute(nfc(name.into())))
    }

    /// This path and a map key.
    #[must_use]
    pub fn key(self, key: impl Into<Arc<str>>) -> Self {
        self.step(PathStep::Key(nfc(key.into())))
    }

    /// This path and a list position.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.step(PathStep::Index(index))
    }

    /// Appends a step in place, for walks.
    pub fn push(&mut self, step: PathStep) {
        self.0.push(step);
    }

    /// Takes the last step off, for walks.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// This path followed by another.
    #[must_use]
    pub fn join(mut self, rest: &Self) -> Self {
        self.0.extend(rest.0.iter().cloned());
        self
    }

    /// Whether `self` leads to `other` or to something that contains it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl FromIterator<PathStep> for Path {
    fn from_iter<I: IntoIterator<Item = PathStep>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Attribute(name) if place == 0 => f.write_str(name)?,
                PathStep::Attribute(name) => write!(f, ".{name}")?,
                PathStep::Key(key) => write!(f, "[{}]", Quoted(key))?,
                PathStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = ParsePathError;

    /// Reads what `Display` writes, and every other way of writing the same key.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason| ParsePathError {
            text: text.to_owned(),
            reason,
        };
        let mut path = Self::root();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                if let Some(quoted) = inside.strip_prefix('"') {
                    let end = closing_quote(quoted).ok_or_else(|| error("missing `\"`"))?;
                    let key = unescape(&quoted[..end], Reading::Lenient).map_err(error)?;
                    rest = (quoted[end + 1..].strip_prefix(']'))
                        .ok_or_else(|| error("missing `]`"))?;
                    path.push(PathStep::key(key));
                } else {
                    let (index, after) =
                        inside.split_once(']').ok_or_else(|| error("missing `]`"))?;
                    let index = index.parse().map_err(|_| error("bad index"))?;
                    path.push(PathStep::Index(index));
                    rest = after;
                }
                continue;
            }
            let name = match rest.strip_prefix('.') {
                Some(name) if !path.is_root() => name,
                None if path.is_root() => rest,
                _ => return Err(error("expected `.` or `[`")),
            };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return Err(error("empty name"));
            }
            path.push(PathStep::Attribute(nfc(&name[..end])));
            rest = &name[end..];
        }
        if path.is_root() {
            Err(error("empty"))
        } else {
            Ok(path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_print_and_parse_the_same() {
        for text in [
            "tags",
            "a.b[0].c",
            r#"tags["a.b\"]"]"#,
            r#"tags["$${a}\u200b\\"]"#,
            "vpc_config[0].subnet_ids",
        ] {
            assert_eq!(text.parse::<Path>().expect("a path").to_string(), text);
        }
    }

    #[test]
    fn a_key_is_the_same_however_it_is_written() {
        let path = Path::root().attribute("tags").key("e\u{301}${a}");
        for text in [
            "tags[\"\u{e9}$${a}\"]",
            "tags[\"e\u{301}${a}\"]",
            r#"tags["\u00e9${a}"]"#,
        ] {
            assert_eq!(text.parse(), Ok(path.clone()), "{text}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".", "a..b", "a[", "a[x]", "a]b[", "a[\"x\"", "a[0]b"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
