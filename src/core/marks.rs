//! A value together with the paths inside it that must not be shown.

use std::collections::BTreeSet;
use std::fmt;

use crate::typed::plain;
use crate::value::{Path, PathStep, Value};

/// A value and its sensitive paths. Marks never cross the wire; they are taken off before a call and put back after it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Marked {
    /// The value.
    pub value: Value,
    /// The sensitive parts; the root path means all of it.
    pub sensitive: BTreeSet<Path>,
}

impl Marked {
    /// A value with nothing sensitive in it.
    pub fn plain(value: Value) -> Self {
        Self {
            value,
            sensitive: BTreeSet::new(),
        }
    }

    /// A value that is sensitive as a whole.
    pub fn sensitive(value: Value) -> Self {
        Self {
            value,
            sensitive: BTreeSet::from([Path::root()]),
        }
    }

    /// Whether anything in it is sensitive.
    pub fn is_sensitive(&self) -> bool {
        !self.sensitive.is_empty()
    }

    /// The part at that step with its marks; `None` where there is none.
    pub(crate) fn part(&self, step: PathStep) -> Option<Self> {
        let path = Path::root().step(step);
        let value = self.value.at(&path)?.clone();
        let mut sensitive = BTreeSet::new();
        mark_part(&self.sensitive, &path, &Path::root(), &mut sensitive);
        Some(Self { value, sensitive })
    }

    /// The elements of a list or set with their marks; `None` for any other value.
    pub(crate) fn parts(&self) -> Option<Vec<Self>> {
        let count = plain(&self.value).elements()?.len();
        (0..count)
            .map(|place| self.part(PathStep::Index(place)))
            .collect()
    }

    /// Makes every member of an object sensitive.
    pub(crate) fn mark_members(&mut self) {
        let names = self.value.members().into_iter().flat_map(|it| it.keys());
        let members = names.map(|name| Path::root().attribute(name.clone()));
        self.sensitive = members.collect();
    }
}

impl FromIterator<Self> for Marked {
    /// A list of those values.
    fn from_iter<I: IntoIterator<Item = Self>>(elements: I) -> Self {
        let mut sensitive = BTreeSet::new();
        let elements = elements.into_iter().enumerate().map(|(place, element)| {
            let here = Path::root().index(place);
            sensitive.extend(element.sensitive.iter().map(|mark| here.clone().join(mark)));
            element.value
        });
        let value = Value::list(elements.collect());
        Self { value, sensitive }
    }
}

/// Adds the marks of the part at `path`, which is to stand at `here`.
pub(crate) fn mark_part(
    marks: &BTreeSet<Path>,
    path: &Path,
    here: &Path,
    sensitive: &mut BTreeSet<Path>,
) {
    for mark in marks {
        if mark.contains(path) {
            sensitive.insert(here.clone());
        } else if path.contains(mark) {
            let rest: Path = mark.steps()[path.steps().len()..].iter().cloned().collect();
            sensitive.insert(here.clone().join(&rest));
        }
    }
}

impl fmt::Debug for Marked {
    /// Never prints a value that has a mark.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() {
            f.write_str("(sensitive)")
        } else {
            self.value.fmt(f)
        }
    }
}

impl From<Value> for Marked {
    fn from(value: Value) -> Self {
        Self::plain(value)
    }
}
