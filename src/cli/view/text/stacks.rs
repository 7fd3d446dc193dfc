//! The stacks of a fleet as a table: what changes in each, and how it came out.

use terrane_engine::Summary;
use terrane_fleet::{Job, Matrix};

use super::painter::Painter;
use super::table::{Side, table};

/// A line of it.
pub(crate) struct StackLine {
    /// The stack.
    pub(crate) name: String,
    /// Its changes, where they are known.
    pub(crate) summary: Option<Summary>,
    /// How it came out.
    pub(crate) outcome: String,
    /// How long that took.
    pub(crate) took: String,
}

/// The table.
pub(crate) fn stack_table(lines: &[StackLine], painter: Painter) -> String {
    let rows = lines.iter().map(|line| {
        let count = |of: fn(&Summary) -> usize| match line.summary.as_ref().map(of) {
            None | Some(0) => String::new(),
            Some(count) => count.to_string(),
        };
        [
            line.name.clone(),
            count(|it| it.create),
            count(|it| it.update),
            count(|it| it.replace),
            count(|it| it.delete),
            line.outcome.clone(),
            line.took.clone(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let head = [
        ("Stack", Side::Left),
        ("Add", Side::Right),
        ("Change", Side::Right),
        ("Replace", Side::Right),
        ("Destroy", Side::Right),
        ("Result", Side::Left),
        ("Time", Side::Right),
    ];
    table(head, &rows, painter)
}

/// The jobs of a matrix.
pub(crate) fn jobs_table(matrix: &Matrix, painter: Painter) -> String {
    let rows = matrix.include.iter().map(|job| match job {
        Job::Stack {
            stack,
            level,
            after,
        } => [stack.clone(), level.to_string(), after.join(", ")],
        Job::Shard { shard, stacks } => {
            [shard.clone(), stacks.len().to_string(), stacks.join(", ")]
        }
    });
    let rows: Vec<_> = rows.collect();
    let head = match matrix.include.first() {
        Some(Job::Shard { .. }) => ["Shard", "Count", "Stacks"],
        _ => ["Stack", "Level", "After"],
    };
    let [first, second, third] = head;
    let head = [
        (first, Side::Left),
        (second, Side::Right),
        (third, Side::Left),
    ];
    table(head, &rows, painter)
}
