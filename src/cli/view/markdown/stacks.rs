//! The comment of a pull request about many stacks: a table on top, a fold a stack; never larger than a forge takes.

use std::fmt::Write as _;

use terrane_core::Diagnostics;
use terrane_engine::Summary;

use super::escape::{cell, fenced, html};
use super::size::MOST;
use crate::view::printable::{printable, shortened};
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::Painter;

/// How many characters a name, and an outcome, has room for.
const NAME: usize = 100;
const OUTCOME: usize = 200;
/// How many bytes the table may take; stacks beyond it are counted.
const TABLE: usize = 30_000;

/// A stack in it.
pub(crate) struct CommentRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) level: usize,
    pub(crate) summary: Option<Summary>,
    pub(crate) outcome: &'a str,
    pub(crate) is_failure: bool,
    /// The text of its plan.
    pub(crate) plan: &'a str,
    pub(crate) diagnostics: &'a Diagnostics,
}

/// The whole comment.
pub(crate) fn comment(
    fleet: &str,
    sentence: &str,
    touches: &[String],
    rows: &[CommentRow<'_>],
) -> String {
    let mut text = format!("### {}\n\n{sentence}\n", cell(fleet, NAME));
    text.push_str(
        "\n| Stack | Add | Change | Replace | Destroy | Result |\n|---|--:|--:|--:|--:|---|\n",
    );
    let mut left_out = 0;
    for row in rows {
        let line = table_row(row);
        match text.len() + line.len() > TABLE {
            true => left_out += 1,
            false => text.push_str(&line),
        }
    }
    if left_out > 0 {
        let _ = writeln!(text, "\n{left_out} more stacks are not in this table.");
    }
    for touch in touches.iter().take(50) {
        let _ = writeln!(text, "\n{}", cell(touch, 500));
    }
    let mut folded = 0;
    // Failures first: they must be read.
    let (failed, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.is_failure);
    let told: Vec<_> = failed
        .into_iter()
        .chain(others)
        .filter(|row| has_more(row))
        .collect();
    for row in &told {
        let room = MOST.saturating_sub(text.len() + 200);
        let share = (room / (told.len() - folded)).max(500);
        let fold = fold(row, share);
        if fold.len() > room {
            break;
        }
        text.push_str(&fold);
        folded += 1;
    }
    if folded < told.len() {
        let _ = writeln!(
            text,
            "\nThe details of {} more stacks do not fit.",
            told.len() - folded
        );
    }
    text
}

fn has_more(row: &CommentRow<'_>) -> bool {
    !row.plan.is_empty() || !row.diagnostics.is_empty()
}

fn table_row(row: &CommentRow<'_>) -> String {
    let count = |of: fn(&Summary) -> usize| match row.summary.as_ref().map(of) {
        None | Some(0) => String::new(),
        Some(count) => count.to_string(),
    };
    let mark = if row.is_failure { "**" } else { "" };
    format!(
        "| {} | {} | {} | {} | {} | {mark}{}{mark} |\n",
        cell(row.name, NAME),
        count(|it| it.create),
        count(|it| it.update),
        count(|it| it.replace),
        count(|it| it.delete),
        cell(row.outcome, OUTCOME),
    )
}

fn fold(row: &CommentRow<'_>, most: usize) -> String {
    let mut inside = diagnostics(row.diagnostics, Painter::PLAIN);
    if !inside.is_empty() && !row.plan.is_empty() {
        inside.push('\n');
    }
    inside.push_str(row.plan);
    let inside = printable(&inside);
    let inside = shortened(&inside, most.saturating_sub(200));
    let name = html(row.name, NAME);
    let (outcome, level) = (html(row.outcome, OUTCOME), row.level);
    format!(
        "\n<details><summary>{name} (level {level}): {outcome}</summary>\n\n{}\n</details>\n",
        fenced("text", &inside)
    )
}
