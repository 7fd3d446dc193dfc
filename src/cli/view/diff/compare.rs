//! Compares two states of one object and gathers the differences.

use std::collections::BTreeSet;

use terrane_core::value::Map;
use terrane_core::{Path, PathStep, Type, Value};

use super::align::{Aligned, align};
use super::documents::document;
use super::render::{Side, is_nothing};
use super::row::{Mark, Row};
use crate::view::printable::{LONGEST_NAME, printable, shortened};
use terrane_deploy::SENSITIVE;

/// Lists of simple values that fit into one line are shown whole instead of element by element.
const SHORT_LIST: usize = 60;

/// Elements of lists in documents belong together by content as long as there are no more pairs than this.
const MAX_PAIRS: usize = 100_000;

/// The kind of change that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A new object: unknown attributes that the program does not set are left out.
    Creation,
    /// Everything that differs.
    Difference,
    /// An object that replaces another: as `Difference`, without unknown attributes that the program does not set.
    Replacement,
    /// As `Difference`, but an absent value and an empty one are the same: providers turn one into the other when they read.
    Drift,
}

/// Compares two values.
pub(crate) struct Comparison<'a> {
    /// The value before.
    pub(crate) before: Side<'a>,
    /// The value after.
    pub(crate) after: Side<'a>,
    /// Why they are compared.
    pub(crate) occasion: Occasion,
    /// The kind of values.
    pub(crate) kind: Kind,
}

/// The kind of values that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An object of a provider: lists have their order.
    Object,
    /// A JSON document: the elements of a list belong together by name or likeness.
    Document,
    /// A document of IAM's policy language: the order of actions, resources and principals means nothing either.
    Policy,
}

/// Where the comparison is: the path, its written form, and whether paths can name the values below.
#[derive(Clone)]
pub(super) struct Position {
    pub(super) path: Path,
    pub(super) label: String,
    pub(super) addressable: bool,
}

impl Position {
    fn root() -> Self {
        Self {
            path: Path::root(),
            label: String::new(),
            addressable: true,
        }
    }

    pub(super) fn step(&self, step: PathStep) -> Self {
        let written = Path::root().step(step.clone()).to_string();
        let dot = matches!(step, PathStep::Attribute(_)) && !self.label.is_empty();
        let path = if self.addressable {
            self.path.clone().step(step)
        } else {
            self.path.clone()
        };
        Self {
            path,
            label: format!(
                "{}{}{}",
                self.label,
                if dot { "." } else { "" },
                printable(&shortened(&written, LONGEST_NAME))
            ),
            addressable: self.addressable,
        }
    }

    /// An element of a set: it has no path of its own, and its members start with their own names.
    pub(super) fn element(&self) -> Self {
        Self {
            path: self.path.clone(),
            label: String::new(),
            addressable: false,
        }
    }
}

impl Comparison<'_> {
    /// The rows for everything that differs between the two objects.
    pub(crate) fn rows(&self, before: &Value, after: &Value, ty: Option<&Type>) -> Vec<Row> {
        let mut rows = Vec::new();
        self.compare(&Position::root(), before, after, ty, &mut rows);
        rows
    }

    pub(super) fn compare(
        &self,
        at: &Position,
        before: &Value,
        after: &Value,
        ty: Option<&Type>,
        rows: &mut Vec<Row>,
    ) {
        if before == after && after.is_wholly_known() {
            return;
        }
        // Providers turn absent into empty when they read, and SDK v2 also inside sets when it plans.
        let blank_is_absent = match self.occasion {
            Occasion::Drift | Occasion::Replacement => true,
            Occasion::Creation | Occasion::Difference => !at.addressable,
        };
        if blank_is_absent && is_blank(before) && is_blank(after) {
            return;
        }
        if after.is_unknown() && self.is_left_out(at) {
            return;
        }
        if at.addressable && (self.before.hides(&at.path) || self.after.hides(&at.path)) {
            if let Some(row) = self.secret(at, before, after) {
                rows.push(row);
            }
            return;
        }
        match (before, after) {
            (Value::Dynamic(before), _) => self.compare(at, &before.1, after, None, rows),
            (_, Value::Dynamic(after)) => self.compare(at, before, &after.1, None, rows),
            (Value::Map(before), Value::Map(after)) => self.members(at, before, after, ty, rows),
            (Value::List(before), Value::List(after)) => self.list(at, before, after, ty, rows),
            (Value::Set(before), Value::Set(after)) => self.set(at, before, after, ty, rows),
            (Value::String(before), Value::String(after)) => self.strings(at, before, after, rows),
            (Value::Null, _) => self.added(at, after, ty, rows),
            (_, Value::Null) => self.removed(at, before, rows),
            // To IAM a value is a list of one.
            (Value::List(before), Value::String(_)) if self.kind == Kind::Policy => {
                self.list(at, before, std::slice::from_ref(after), None, rows);
            }
            (Value::String(_), Value::List(after)) if self.kind == Kind::Policy => {
                self.list(at, std::slice::from_ref(before), after, None, rows);
            }
            _ => {
                let text = format!("{} -> {}", self.old(at, before), self.now(at, after));
                rows.push(Row::new(Mark::Change, &at.path, &at.label, text));
            }
        }
    }

    pub(super) fn secret(&self, at: &Position, before: &Value, after: &Value) -> Option<Row> {
        let text = |value: &Value, side: &Side<'_>| match value {
            Value::Null => "null".to_owned(),
            Value::Unknown(_) => side.unknown(&at.path),
            _ => SENSITIVE.to_owned(),
        };
        let (mark, text) = match (before, after) {
            (Value::Null, Value::Null) => return None,
            (Value::Null, after) => (Mark::Add, text(after, &self.after)),
            (before, Value::Null) => (Mark::Remove, text(before, &self.before)),
            (before, after) => {
                let (before, after) = (text(before, &self.before), text(after, &self.after));
                (Mark::Change, format!("{before} -> {after}"))
            }
        };
        Some(Row::new(mark, &at.path, &at.label, text))
    }

    /// Whether the program says something about this place.
    fn is_set(&self, at: &Position) -> bool {
        self.after.argument(&at.path).is_some()
    }

    /// Whether an unknown value gets no row: a new object's own attributes.
    pub(super) fn is_left_out(&self, at: &Position) -> bool {
        let new = matches!(self.occasion, Occasion::Creation | Occasion::Replacement);
        // Inside a set it is its provider's unless something in the set comes from elsewhere.
        new && match at.addressable {
            true => !self.is_set(at),
            false => !self.after.has_references(&at.path),
        }
    }

    fn added(&self, at: &Position, after: &Value, ty: Option<&Type>, rows: &mut Vec<Row>) {
        match after {
            after if self.is_left_out(at) && self.says_nothing(after) => {}
            Value::Map(after) if !after.is_empty() => {
                self.members(at, &Map::new(), after, ty, rows);
            }
            Value::List(after) if !after.is_empty() => self.list(at, &[], after, ty, rows),
            Value::Set(after) if !after.is_empty() => self.set(at, &[], after, ty, rows),
            Value::String(text) if text.contains('\n') || document(text).is_some() => {
                self.strings(at, "", text, rows);
            }
            after => rows.push(Row::new(
                Mark::Add,
                &at.path,
                &at.label,
                self.now(at, after),
            )),
        }
    }

    /// Whether a value that the program does not set is not worth a row. A mere listing, without a program, leaves out less.
    fn says_nothing(&self, value: &Value) -> bool {
        match self.after.arguments {
            Some(_) => is_blank(value),
            None => is_nothing(value),
        }
    }

    /// Whether the attribute `x_all` differs only as `x` does: providers that add defaults to tags show all of them a second time.
    fn repeats(&self, name: &str, before: &Map, after: &Map) -> bool {
        let own = match name.strip_suffix("_all") {
            Some(own) if after.contains_key(own) => own,
            _ => return false,
        };
        let is_known_map = |value: Option<&Value>| matches!(value, Some(Value::Map(_)));
        if !is_known_map(after.get(name)) {
            return false;
        }
        // The members of `x_all` beside those of `x`.
        let defaults = |map: &Map| -> Map {
            let own = map.get(own).and_then(Value::members);
            let all = map.get(name).and_then(Value::members).into_iter().flatten();
            all.filter(|(key, _)| !own.is_some_and(|own| own.contains_key(*key)))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        !is_known_map(before.get(name)) || defaults(before) == defaults(after)
    }

    fn removed(&self, at: &Position, before: &Value, rows: &mut Vec<Row>) {
        rows.push(Row::new(
            Mark::Remove,
            &at.path,
            &at.label,
            self.old(at, before),
        ));
    }

    fn members(
        &self,
        at: &Position,
        before: &Map,
        after: &Map,
        ty: Option<&Type>,
        rows: &mut Vec<Row>,
    ) {
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in names {
            if at.path.is_root() && self.repeats(name, before, after) {
                continue;
            }
            let (step, ty) = match ty {
                Some(Type::Map(element)) => (PathStep::Key(name.clone()), Some(&**element)),
                Some(Type::Object(object)) => (
                    PathStep::Attribute(name.clone()),
                    object.attributes.get(name),
                ),
                _ if is_word(name) => (PathStep::Attribute(name.clone()), None),
                _ => (PathStep::Key(name.clone()), None),
            };
            let before = before.get(name).unwrap_or(&Value::Null);
            let after = after.get(name).unwrap_or(&Value::Null);
            self.compare(&at.step(step), before, after, ty, rows);
        }
    }

    fn list(
        &self,
        at: &Position,
        before: &[Value],
        after: &[Value],
        ty: Option<&Type>,
        rows: &mut Vec<Row>,
    ) {
        let element = |index: usize| match ty {
            Some(Type::List(element)) => Some(&**element),
            Some(Type::Tuple(elements)) => elements.get(index),
            _ => None,
        };
        let secret = self.before.hides_inside(&at.path) || self.after.hides_inside(&at.path);
        if before.iter().chain(after).all(is_simple) && !secret {
            if self.kind == Kind::Policy {
                return self.unordered(at, before, after, rows);
            }
            return self.simple_list(at, before, after, rows);
        }
        if self.kind != Kind::Object && before.len().saturating_mul(after.len()) <= MAX_PAIRS {
            return self.elements(at, before, after, rows);
        }
        // Elements that are objects keep their place; only whole additions and removals in the middle shift them.
        let same_length = before.len() == after.len();
        let prefix = before.iter().zip(after).take_while(|(a, b)| a == b).count();
        let both = before[prefix..]
            .iter()
            .rev()
            .zip(after[prefix..].iter().rev());
        let suffix = match same_length {
            true => 0,
            false => both.take_while(|(a, b)| a == b).count(),
        };
        let (before_end, after_end) = (before.len() - suffix, after.len() - suffix);
        for index in prefix..before_end.max(after_end) {
            let at = at.step(PathStep::Index(index));
            let before = before[..before_end].get(index).unwrap_or(&Value::Null);
            let after = after[..after_end].get(index).unwrap_or(&Value::Null);
            self.compare(&at, before, after, element(index), rows);
        }
    }

    pub(super) fn simple_list(
        &self,
        at: &Position,
        before: &[Value],
        after: &[Value],
        rows: &mut Vec<Row>,
    ) {
        let whole = |side: &Side<'_>, elements: &[Value]| {
            let list = Value::list(elements.to_vec());
            if at.addressable {
                side.inline(&list, &at.path)
            } else {
                side.element(&list, &at.path)
            }
        };
        if before.is_empty() {
            let text = whole(&self.after, after);
            return rows.push(Row::new(Mark::Add, &at.path, &at.label, text));
        }
        if before.len().max(after.len()) <= 8 {
            let (old, new) = (whole(&self.before, before), whole(&self.after, after));
            if old.len().max(new.len()) <= SHORT_LIST {
                let text = format!("{old} -> {new}");
                return rows.push(Row::new(Mark::Change, &at.path, &at.label, text));
            }
        }
        let mut inside = Vec::new();
        let (unknown, said) = self.after.unknown_elements(after, &at.path, at.addressable);
        for step in align(before, after) {
            let (mark, text) = match step {
                Aligned::Same(_, to) if after[to].is_wholly_known() => continue,
                // All of them together.
                Aligned::Same(_, to) | Aligned::Added(to)
                    if unknown > 1 && after[to].is_unknown() =>
                {
                    continue;
                }
                Aligned::Same(_, to) | Aligned::Added(to) => {
                    let place = at.step(PathStep::Index(to));
                    (Mark::Add, self.now(&place, &after[to]))
                }
                Aligned::Removed(from) => {
                    let place = at.step(PathStep::Index(from));
                    (Mark::Remove, self.old(&place, &before[from]))
                }
            };
            inside.push(Row::new(mark, &at.path, "", text));
        }
        if unknown > 1 {
            inside.push(Row::new(Mark::Add, &at.path, "", said));
        }
        rows.push(Row::around(&at.path, &at.label, "", inside));
    }

    pub(super) fn old(&self, at: &Position, value: &Value) -> String {
        if at.addressable {
            self.before.inline(value, &at.path)
        } else {
            self.before.element(value, &at.path)
        }
    }

    pub(super) fn now(&self, at: &Position, value: &Value) -> String {
        if at.addressable {
            self.after.inline(value, &at.path)
        } else {
            self.after.element(value, &at.path)
        }
    }
}

pub(super) fn is_simple(value: &Value) -> bool {
    !matches!(
        value,
        Value::List(_) | Value::Set(_) | Value::Map(_) | Value::Dynamic(_)
    )
}

/// Whether a value is blank: absent, empty, or the same as absent to SDK v2.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        value => is_nothing(value),
    }
}

/// Whether a member's name is written as one; anything else is written as a key.
fn is_word(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
