//! Sets: elements are matched by their content, never by their position.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::value::Map;
use terrane_core::{Type, Value};

use super::compare::{Comparison, Position, is_blank, is_simple};
use super::row::{Mark, Row};

/// More elements than this are not matched by likeness.
const MAX_LIKENESS: usize = 64;

impl Comparison<'_> {
    pub(super) fn set(
        &self,
        at: &Position,
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
            let text = self.after.new_element(value, &at.path);
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
}

/// Elements of a set that are the same thing changed: the most alike first, at least half of their members equal.
pub(super) fn pairs(removed: &[&Value], added: &[&Value]) -> Vec<(usize, usize)> {
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
            let of_note = |name: &&Arc<str>| {
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

/// Tells a changed element of a set from others: its members that stay the same.
fn common_member(
    before: &Value,
    after: &Value,
    comparison: &Comparison<'_>,
    at: &Position,
) -> String {
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
