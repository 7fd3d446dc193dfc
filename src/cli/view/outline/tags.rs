//! Owner tags, which say nothing to people: left out of the rows of a change.

use terrane_core::PathStep;
use terrane_engine::OWNER_TAG;

use crate::view::diff::Row;

/// Takes the owner tag out of the rows, unless they say nothing else. Returns whether it was there.
pub(super) fn fold(rows: &mut Vec<Row>) -> bool {
    let is_owner_tag = |row: &Row| {
        let last = row.path.steps().last();
        matches!(last, Some(PathStep::Key(key) | PathStep::Attribute(key)) if **key == *OWNER_TAG)
    };
    // One that makes an object be replaced is worth reading.
    let folds = |row: &Row| is_owner_tag(row) && row.note.is_none();
    if rows.iter().all(&folds) || !rows.iter().any(&folds) {
        return false;
    }
    rows.retain(|row| !folds(row));
    true
}
