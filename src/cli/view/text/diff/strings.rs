//! Texts: documents differ in their leaves, long texts in their lines.

use terrane_core::{Path, Value};

use super::align::{Aligned, align};
use super::compare::{Comparison, Occasion, Position};
use super::render::Side;
use super::row::{Mark, Row};
use crate::view::hidden::Hidden;
use crate::view::printable::{LONGEST_VALUE, printable, shortened};

impl Comparison<'_> {
    pub(super) fn strings(&self, at: &Position, before: &str, after: &str, rows: &mut Vec<Row>) {
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
        let line = |mark, text: &str| {
            Row::new(
                mark,
                &at.path,
                "",
                printable(&shortened(text, LONGEST_VALUE)).into_owned(),
            )
        };
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

    /// Two JSON documents, by their differing leaves.
    fn documents(&self, at: &Position, before: &Value, after: &Value, rows: &mut Vec<Row>) {
        let side = Side {
            hidden: Hidden::NOTHING,
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
}

/// The text as a JSON object or array, if it is one.
pub(super) fn document(text: &str) -> Option<Value> {
    let start = text.trim_start().as_bytes().first()?;
    if !matches!(start, b'{' | b'[') {
        return None;
    }
    Value::from_json_untyped(text.as_bytes()).ok()
}

fn rebase(row: &mut Row, path: &Path) {
    row.path = path.clone();
    for inner in &mut row.inside {
        rebase(inner, path);
    }
}
