//! Long texts differ in their lines.

use terrane_core::Value;

use super::align::{Aligned, align};
use super::compare::{Comparison, Position};
use super::documents::document;
use super::row::{Mark, Row};
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
}
