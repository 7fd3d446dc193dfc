//! JSON documents in texts (policies, lifecycle rules): they differ in their leaves, statement by statement.

use std::collections::BTreeSet;

use terrane_core::{Path, PathStep, Value};

use super::compare::{Comparison, Kind, Occasion, Position};
use super::render::Side;
use super::row::{Mark, Row};
use super::sets::pairs;
use crate::view::hidden::Hidden;

/// Members that name an element of a list in a document, as AWS and others write them.
const NAMES: [&str; 6] = ["Sid", "ID", "Id", "id", "rulePriority", "Name"];

/// The text as a JSON object or array, if it is one.
pub(super) fn document(text: &str) -> Option<Value> {
    let start = text.trim_start().as_bytes().first()?;
    if !matches!(start, b'{' | b'[') {
        return None;
    }
    Value::from_json_untyped(text.as_bytes()).ok()
}

impl Comparison<'_> {
    /// Two JSON documents, by their differing leaves.
    pub(super) fn documents(
        &self,
        at: &Position,
        before: &Value,
        after: &Value,
        rows: &mut Vec<Row>,
    ) {
        let side = Side {
            hidden: Hidden::NOTHING,
            arguments: None,
        };
        let is_policy = [before, after]
            .iter()
            .any(|document| document.get("Statement").is_some());
        let comparison = Comparison {
            before: side,
            after: side,
            occasion: Occasion::Difference,
            kind: match is_policy {
                true => Kind::Policy,
                false => Kind::Document,
            },
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

    /// Two lists of objects in a document: elements belong together by their names, then by their likeness; their order means little.
    pub(super) fn elements(
        &self,
        at: &Position,
        before: &[Value],
        after: &[Value],
        rows: &mut Vec<Row>,
    ) {
        let mut old: Vec<Option<&Value>> = before.iter().map(Some).collect();
        let mut partner: Vec<Option<&Value>> = vec![None; after.len()];
        let mut pair = |old: &mut Vec<Option<&Value>>, belongs: &dyn Fn(&Value, &Value) -> bool| {
            for (new, partner) in after.iter().zip(&mut partner) {
                if partner.is_none() {
                    let found = old
                        .iter()
                        .position(|old| old.is_some_and(|old| belongs(old, new)));
                    *partner = found.and_then(|place| old[place].take().map(|_| &before[place]));
                }
            }
        };
        // Quadratic only among elements that differ; a document has tens of them.
        pair(&mut old, &|old, new| old == new);
        pair(&mut old, &|old, new| {
            name(old).is_some() && name(old) == name(new)
        });
        let left: Vec<usize> = (0..before.len()).filter(|&i| old[i].is_some()).collect();
        let new: Vec<usize> = (0..after.len()).filter(|&i| partner[i].is_none()).collect();
        let values = |places: &[usize], of: &[Value]| -> Vec<Value> {
            places.iter().map(|&place| of[place].clone()).collect()
        };
        let (removed, added) = (values(&left, before), values(&new, after));
        let like = pairs(
            &removed.iter().collect::<Vec<_>>(),
            &added.iter().collect::<Vec<_>>(),
        );
        for (from, to) in like {
            partner[new[to]] = Some(&before[left[from]]);
            old[left[from]] = None;
        }
        for (index, old) in old.iter().enumerate() {
            if let Some(old) = old {
                let place = at.step(place_of(old, index));
                let text = self.old(&place, old);
                rows.push(Row::new(Mark::Remove, &place.path, &place.label, text));
            }
        }
        for (index, (new, old)) in after.iter().zip(partner).enumerate() {
            let place = at.step(place_of(new, index));
            self.compare(&place, old.unwrap_or(&Value::Null), new, None, rows);
        }
    }

    /// Two lists of plain values in a policy: their order means nothing, so only what comes and goes is told.
    pub(super) fn unordered(
        &self,
        at: &Position,
        before: &[Value],
        after: &[Value],
        rows: &mut Vec<Row>,
    ) {
        let set = |values: &[Value]| -> BTreeSet<String> {
            values.iter().map(|value| format!("{value:?}")).collect()
        };
        let (old, new) = (set(before), set(after));
        let only = |values: &[Value], other: &BTreeSet<String>| -> Vec<Value> {
            let only = values
                .iter()
                .filter(|it| !other.contains(&format!("{it:?}")));
            only.cloned().collect()
        };
        let (removed, added) = (only(before, &new), only(after, &old));
        // One in place of another, or a list that is all new, is read best on one line.
        let is_swap = before.len() == 1 && after.len() == 1;
        if before.is_empty() || is_swap {
            if !added.is_empty() {
                self.simple_list(at, before, after, rows);
            }
            return;
        }
        let removed = removed
            .iter()
            .map(|value| (Mark::Remove, self.old(at, value)));
        let added = added.iter().map(|value| (Mark::Add, self.now(at, value)));
        let inside = removed.chain(added);
        let inside: Vec<Row> = inside
            .map(|(mark, text)| Row::new(mark, &at.path, "", text))
            .collect();
        if !inside.is_empty() {
            rows.push(Row::around(&at.path, &at.label, "", inside));
        }
    }
}

/// The step to an element: by its name, where it has one.
fn place_of(element: &Value, index: usize) -> PathStep {
    match name(element) {
        Some(name) => PathStep::Key(name.into()),
        None => PathStep::Index(index),
    }
}

fn name(element: &Value) -> Option<String> {
    NAMES.iter().find_map(|name| match element.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn rebase(row: &mut Row, path: &Path) {
    row.path = path.clone();
    for inner in &mut row.inside {
        rebase(inner, path);
    }
}
