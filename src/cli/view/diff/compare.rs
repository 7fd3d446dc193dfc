//! Compares two states of one object and gathers what differs.

use std::collections::BTreeSet;

use terrane_core::value::Map;
use terrane_core::{Path, PathStep, Type, Value};

use super::align::{Aligned, align};
use super::render::{SENSITIVE, Side, is_nothing};
use super::row::{Mark, Row};
use crate::view::text::printable;

/// Lists of simple values that fit into one line are shown whole instead of element by element.
const SHORT_LIST: usize = 60;

/// More elements than this are not matched by likeness.
const MAX_LIKENESS: usize = 64;

/// What kind of change is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A new object: what the program says nothing about and nobody knows yet is left out.
    Creation,
    /// Everything that differs.
    Difference,
    /// An object in the place of another: as `Difference`, without what the program says nothing about and nobody knows yet.
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
}

/// Where the comparison is: the path, how it is written, and whether what is below can be named by a path.
#[derive(Clone)]
struct Place {
    path: Path,
    label: String,
    addressable: bool,
}

impl Place {
    fn root() -> Self {
        Self {
            path: Path::root(),
            label: String::new(),
            addressable: true,
        }
    }

    fn step(&self, step: PathStep) -> Self {
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
                printable(&written)
            ),
            addressable: self.addressable,
        }
    }

    /// An element of a set: it has no path of its own, and its members start with their own names.
    fn element(&self) -> Self {
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
        self.compare(&Place::root(), before, after, ty, &mut rows);
        rows
    }

    fn compare(
        &self,
        at: &Place,
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
            _ => {
                let text = format!("{} -> {}", self.old(at, before), self.now(at, after));
                rows.push(Row::new(Mark::Change, &at.path, &at.label, text));
            }
        }
    }

    fn secret(&self, at: &Place, before: &Value, after: &Value) -> Option<Row> {
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
    fn is_set(&self, at: &Place) -> bool {
        self.after.argument(&at.path).is_some()
    }

    /// Whether a value that nobody knows yet is not worth a row: a new object's own attributes.
    fn is_left_out(&self, at: &Place) -> bool {
        let new = matches!(self.occasion, Occasion::Creation | Occasion::Replacement);
        // Inside a set it is its provider's unless something in the set comes from elsewhere.
        new && match at.addressable {
            true => !self.is_set(at),
            false => !self.after.has_references(&at.path),
        }
    }

    fn added(&self, at: &Place, after: &Value, ty: Option<&Type>, rows: &mut Vec<Row>) {
        match after {
            after if is_nothing(after) && self.is_left_out(at) => {}
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

    fn removed(&self, at: &Place, before: &Value, rows: &mut Vec<Row>) {
        rows.push(Row::new(
            Mark::Remove,
            &at.path,
            &at.label,
            self.old(at, before),
        ));
    }

    fn members(
        &self,
        at: &Place,
        before: &Map,
        after: &Map,
        ty: Option<&Type>,
        rows: &mut Vec<Row>,
    ) {
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in names {
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
        at: &Place,
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
            return self.simple_list(at, before, after, rows);
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

    fn simple_list(&self, at: &Place, before: &[Value], after: &[Value], rows: &mut Vec<Row>) {
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
        for step in align(before, after) {
            let (mark, text) = match step {
                Aligned::Same(_, to) if after[to].is_wholly_known() => continue,
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
        rows.push(Row::around(&at.path, &at.label, "", inside));
    }

    fn set(
        &self,
        at: &Place,
        before: &[Value],
        after: &[Value],
        ty: Option<&Type>,
        rows: &mut Vec<Row>,
    ) {
        if at.addressable
            && (self.before.hides_inside(&at.path) || self.after.hides_inside(&at.path))
        {
            let set = |elements: &[Value]| match elements.is_empty() {
                true => Value::Null,
                false => Value::list(elements.to_vec()),
            };
            rows.extend(self.secret(at, &set(before), &set(after)));
            return;
        }
        if before.is_empty() && after.iter().all(is_simple) {
            let whole = self.after.element(&Value::list(after.to_vec()), &at.path);
            return rows.push(Row::new(Mark::Add, &at.path, &at.label, whole));
        }
        let element = match ty {
            Some(Type::Set(element)) => Some(&**element),
            _ => None,
        };
        let known: BTreeSet<String> = before.iter().map(|value| format!("{value:?}")).collect();
        let planned: BTreeSet<String> = after.iter().map(|value| format!("{value:?}")).collect();
        let is_in = |set: &BTreeSet<String>, value: &Value| {
            value.is_wholly_known() && set.contains(&format!("{value:?}"))
        };
        let mut removed: Vec<&Value> = before.iter().filter(|v| !is_in(&planned, v)).collect();
        let mut added: Vec<&Value> = after.iter().filter(|v| !is_in(&known, v)).collect();
        let inside = at.element();
        let mut changes = Vec::new();
        for (from, to) in pairs(&removed, &added) {
            let (before, after) = (removed[from], added[to]);
            let mut differences = Vec::new();
            self.compare(&inside, before, after, element, &mut differences);
            if differences.is_empty() {
                changes.push((from, to, None));
                continue;
            }
            let name = common_member(before, after, self, at);
            let row = Row::around(&at.path, &name, "", differences);
            changes.push((from, to, Some(row)));
        }
        let mut whole = Vec::new();
        for (from, to, row) in changes {
            removed[from] = &Value::Null;
            added[to] = &Value::Null;
            whole.extend(row);
        }
        for value in removed.into_iter().filter(|value| !value.is_null()) {
            let text = self.before.element(value, &at.path);
            whole.push(Row::new(Mark::Remove, &at.path, "", text));
        }
        for value in added.into_iter().filter(|value| !value.is_null()) {
            let text = self.after.element(&known_members(value), &at.path);
            whole.push(Row::new(Mark::Add, &at.path, "", text));
        }
        if !whole.is_empty() {
            let mut row = Row::around(&at.path, &at.label, "", whole);
            if before.is_empty() {
                row.mark = Mark::Add;
            }
            rows.push(row);
        }
    }

    fn strings(&self, at: &Place, before: &str, after: &str, rows: &mut Vec<Row>) {
        let documents = (document(before), document(after));
        match documents {
            (Some(old), Some(new)) => return self.documents(at, &old, &new, rows),
            (None, Some(new)) if before.is_empty() => {
                return self.documents(at, &Value::Null, &new, rows);
            }
            _ => {}
        }
        if !before.contains('\n') && !after.contains('\n') {
            let text = format!(
                "{} -> {}",
                self.old(at, &before.into()),
                self.now(at, &after.into())
            );
            return rows.push(Row::new(Mark::Change, &at.path, &at.label, text));
        }
        let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
        let line = |mark, text: &str| Row::new(mark, &at.path, "", printable(text).into_owned());
        let mut inside = Vec::new();
        for step in align(&old, &new) {
            match step {
                Aligned::Same(..) => {}
                Aligned::Removed(from) => inside.push(line(Mark::Remove, old[from])),
                Aligned::Added(to) => inside.push(line(Mark::Add, new[to])),
            }
        }
        let note = if inside.is_empty() {
            "(line endings)"
        } else {
            ""
        };
        let mut row = Row::around(&at.path, &at.label, note, inside);
        if before.is_empty() {
            row.mark = Mark::Add;
        }
        rows.push(row);
    }

    /// Two JSON documents, as what differs in their leaves.
    fn documents(&self, at: &Place, before: &Value, after: &Value, rows: &mut Vec<Row>) {
        let nothing = BTreeSet::new();
        let side = Side {
            sensitive: &nothing,
            arguments: None,
        };
        let comparison = Comparison {
            before: side,
            after: side,
            occasion: Occasion::Difference,
        };
        let mut inside = comparison.rows(before, after, None);
        // Paths inside a document mean nothing to the schema.
        for row in &mut inside {
            rebase(row, &at.path);
        }
        let note = if inside.is_empty() {
            "(json, same content)"
        } else {
            "(json)"
        };
        let mut row = Row::around(&at.path, &at.label, note, inside);
        if before.is_null() {
            row.mark = Mark::Add;
        }
        rows.push(row);
    }

    fn old(&self, at: &Place, value: &Value) -> String {
        if at.addressable {
            self.before.inline(value, &at.path)
        } else {
            self.before.element(value, &at.path)
        }
    }

    fn now(&self, at: &Place, value: &Value) -> String {
        if at.addressable {
            self.after.inline(value, &at.path)
        } else {
            self.after.element(value, &at.path)
        }
    }
}

fn rebase(row: &mut Row, path: &Path) {
    row.path = path.clone();
    for inner in &mut row.inside {
        rebase(inner, path);
    }
}

/// A new element of a set without the members that its provider will fill in, unless there is nothing else in it.
fn known_members(element: &Value) -> Value {
    let Some(members) = element.members() else {
        return element.clone();
    };
    let known: Map = members
        .iter()
        .filter(|(_, member)| !member.is_unknown())
        .map(|(name, member)| (name.clone(), member.clone()))
        .collect();
    match known.values().all(is_nothing) {
        true => element.clone(),
        false => Value::Map(known.into()),
    }
}

fn is_simple(value: &Value) -> bool {
    !matches!(
        value,
        Value::List(_) | Value::Set(_) | Value::Map(_) | Value::Dynamic(_)
    )
}

/// Whether a value says nothing: absent, empty, or what SDK v2 cannot tell from absent.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        value => is_nothing(value),
    }
}

/// Whether a member's name is written as one; anything else is written as a key.
pub(crate) fn is_word(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// The text as a JSON object or array, if it is one.
fn document(text: &str) -> Option<Value> {
    let start = text.trim_start().as_bytes().first()?;
    if !matches!(start, b'{' | b'[') {
        return None;
    }
    Value::from_json_untyped(text.as_bytes()).ok()
}

/// Elements of a set that are the same thing changed: the most alike first, at least half of their members equal.
fn pairs(removed: &[&Value], added: &[&Value]) -> Vec<(usize, usize)> {
    if removed.len() > MAX_LIKENESS || added.len() > MAX_LIKENESS {
        return Vec::new();
    }
    let mut candidates = Vec::new();
    for (from, before) in removed.iter().enumerate() {
        for (to, after) in added.iter().enumerate() {
            let (Some(before), Some(after)) = (before.members(), after.members()) else {
                continue;
            };
            // Members that are absent on both sides, or not known yet, say nothing about likeness.
            let of_note = |name: &&std::sync::Arc<str>| {
                let absent = |map: &Map| map.get(*name).is_none_or(is_blank);
                let unknown = after.get(*name).is_some_and(Value::is_unknown);
                !(unknown || absent(before) && absent(after))
            };
            let names: BTreeSet<_> = before.keys().chain(after.keys()).filter(of_note).collect();
            let equal = names
                .iter()
                .filter(|n| before.get(**n) == after.get(**n))
                .count();
            if equal * 2 >= names.len() && equal > 0 {
                candidates.push((equal, from, to));
            }
        }
    }
    candidates.sort_by_key(|&(equal, from, to)| (std::cmp::Reverse(equal), from, to));
    let (mut used_from, mut used_to) = (BTreeSet::new(), BTreeSet::new());
    let mut pairs = Vec::new();
    for (_, from, to) in candidates {
        if !used_from.contains(&from) && !used_to.contains(&to) {
            used_from.insert(from);
            used_to.insert(to);
            pairs.push((from, to));
        }
    }
    pairs.sort_unstable();
    pairs
}

/// What tells a changed element of a set from others: its members that stay the same.
fn common_member(before: &Value, after: &Value, comparison: &Comparison<'_>, at: &Place) -> String {
    /// More would be a second diff.
    const SHOWN: usize = 3;
    let (Some(before), Some(after)) = (before.members(), after.members()) else {
        return String::new();
    };
    let same = before.iter().filter(|(name, value)| {
        is_simple(value) && !is_blank(value) && after.get(*name) == Some(value)
    });
    let members = same
        .take(SHOWN)
        .map(|(name, value)| (name.clone(), value.clone()));
    let members = Value::map(members);
    comparison.after.element(&members, &at.path)
}
