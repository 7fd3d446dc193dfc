//! Two values beside each other, leaf by leaf, with what is unknown or sensitive in them.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde_json::Value as Json;

/// A value with the parts of it that are unknown and sensitive, each in a tree of flags as plan JSON has them.
#[derive(Clone, Copy)]
pub(super) struct Flagged<'a> {
    pub(super) value: &'a Json,
    pub(super) unknown: &'a Json,
    pub(super) sensitive: &'a Json,
}

/// A leaf, or the smallest part whose shapes differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// It is known, and no secret.
    Known(Json),
    /// It is known after apply.
    Unknown,
    /// Compared, and never shown.
    Sensitive,
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 160;
        match self {
            Self::Unknown => f.write_str("(known after apply)"),
            Self::Sensitive => f.write_str("(sensitive)"),
            Self::Known(json) => {
                let text = json.to_string();
                match text.char_indices().nth(LONGEST) {
                    Some((end, _)) => write!(f, "{}…", &text[..end]),
                    None => f.write_str(&text),
                }
            }
        }
    }
}

/// A place at which two values differ.
#[derive(Debug)]
pub(super) struct Fork {
    pub(super) path: String,
    pub(super) ours: Leaf,
    pub(super) theirs: Leaf,
}

const NULL: &Json = &Json::Null;

/// All places at which the values differ.
pub(super) fn forks(ours: Flagged<'_>, theirs: Flagged<'_>) -> Vec<Fork> {
    let mut found = Vec::new();
    compare(ours, theirs, &mut String::new(), false, &mut found);
    found
}

/// The places that only one of two trees of flags has: those of ours, and those of theirs.
pub(super) fn marks(ours: &Json, theirs: &Json) -> (Vec<String>, Vec<String>) {
    let mut found = (Vec::new(), Vec::new());
    compare_marks(ours, theirs, &mut String::new(), &mut found);
    found
}

fn compare(
    ours: Flagged<'_>,
    theirs: Flagged<'_>,
    path: &mut String,
    hidden: bool,
    found: &mut Vec<Fork>,
) {
    let hidden = hidden || is_set(ours.sensitive) || is_set(theirs.sensitive);
    let sides = [ours, theirs];
    let [our_flag, their_flag] = sides.map(|side| is_set(side.unknown));
    if our_flag && their_flag {
        return;
    }
    let both = |is: fn(&Json) -> bool| {
        sides.iter().all(|side| is(side.value) || is(side.unknown)) && !our_flag && !their_flag
    };
    if both(Json::is_object) {
        let members = sides.iter().flat_map(|side| [side.value, side.unknown]);
        let names: BTreeSet<&String> = members
            .filter_map(Json::as_object)
            .flat_map(|members| members.keys())
            .collect();
        for name in names {
            let before = step(path, name);
            compare(ours.key(name), theirs.key(name), path, hidden, found);
            path.truncate(before);
        }
        return;
    }
    if both(Json::is_array) && ours.len() == theirs.len() {
        for place in 0..ours.len() {
            let before = path.len();
            write!(path, "[{place}]").expect("a text takes everything");
            compare(ours.index(place), theirs.index(place), path, hidden, found);
            path.truncate(before);
        }
        return;
    }
    if our_flag || their_flag || !equal(ours.value, theirs.value) {
        let leaf = |side: Flagged<'_>, unknown| match (unknown, hidden) {
            (true, _) => Leaf::Unknown,
            (false, true) => Leaf::Sensitive,
            (false, false) => Leaf::Known(side.value.clone()),
        };
        found.push(Fork {
            path: path.clone(),
            ours: leaf(ours, our_flag),
            theirs: leaf(theirs, their_flag),
        });
    }
}

fn compare_marks(
    ours: &Json,
    theirs: &Json,
    path: &mut String,
    found: &mut (Vec<String>, Vec<String>),
) {
    match (ours, theirs) {
        (Json::Bool(true), Json::Bool(true)) => {}
        (Json::Bool(true), _) => found.0.push(path.clone()),
        (_, Json::Bool(true)) => found.1.push(path.clone()),
        (Json::Array(_), _) | (_, Json::Array(_)) => {
            let lengths = [ours, theirs].map(|it| it.as_array().map_or(0, Vec::len));
            for place in 0..lengths[0].max(lengths[1]) {
                let before = path.len();
                write!(path, "[{place}]").expect("a text takes everything");
                let [ours, theirs] = [ours, theirs].map(|it| it.get(place).unwrap_or(NULL));
                compare_marks(ours, theirs, path, found);
                path.truncate(before);
            }
        }
        _ => {
            let members = [ours, theirs].into_iter().filter_map(Json::as_object);
            let names: BTreeSet<&String> = members.flat_map(|it| it.keys()).collect();
            for name in names {
                let before = step(path, name);
                let [ours, theirs] = [ours, theirs].map(|it| it.get(name).unwrap_or(NULL));
                compare_marks(ours, theirs, path, found);
                path.truncate(before);
            }
        }
    }
}

/// Adds a step to a path, as HCL writes it; the length before it.
fn step(path: &mut String, name: &str) -> usize {
    let before = path.len();
    let is_identifier = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && !name.is_empty();
    let written = match (is_identifier, before) {
        (true, 0) => path.write_str(name),
        (true, _) => write!(path, ".{name}"),
        (false, _) => write!(path, "[{}]", Json::from(name)),
    };
    written.expect("a text takes everything");
    before
}

impl<'a> Flagged<'a> {
    /// A value of which all is known.
    pub(super) fn known(value: &'a Json, sensitive: &'a Json) -> Self {
        Self {
            value,
            unknown: NULL,
            sensitive,
        }
    }

    fn each(self, of: impl Fn(&'a Json) -> Option<&'a Json>) -> Self {
        Self {
            value: of(self.value).unwrap_or(NULL),
            unknown: of(self.unknown).unwrap_or(NULL),
            sensitive: of(self.sensitive).unwrap_or(NULL),
        }
    }

    fn key(self, name: &str) -> Self {
        self.each(|tree| tree.get(name))
    }

    fn index(self, place: usize) -> Self {
        self.each(|tree| tree.get(place))
    }

    /// The length of a list; elements of which nothing is known may be in one of the trees only.
    fn len(self) -> usize {
        let length = |tree: &Json| tree.as_array().map_or(0, Vec::len);
        length(self.value).max(length(self.unknown))
    }
}

fn is_set(flag: &Json) -> bool {
    *flag == Json::Bool(true)
}

/// Whether two values are one. `1` and `1.0` are the same number.
fn equal(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Number(ours), Json::Number(theirs)) => {
            ours == theirs || ours.as_f64() == theirs.as_f64()
        }
        _ => ours == theirs,
    }
}
