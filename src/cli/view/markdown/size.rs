//! A comment that fits: the deepest folds go first, then rows of the table, and it says so. Totals and losses always stay.

use std::fmt::Write as _;

use terrane_core::Diagnostic;

use super::escape::fenced;
use super::layout::{Parts, Title};
use crate::view::printable::{counted, printable, shortened};
use crate::view::text::diagnostics;
use crate::view::text::painter::Painter;

/// GitHub refuses comments of more than 65,536 characters.
pub(super) const MOST: usize = 60_000;
/// How much of it the diagnostics, and head, table and foot together, may take.
const DIAGNOSTICS: usize = 12_000;
const TABLE: usize = 40_000;
/// Room for the sentences about what is left out.
const NOTES: usize = 600;

const HEADER: &str = "\n| | Resource | Changes | Declared |\n|---|---|---|---|\n";

/// The whole comment.
pub(super) fn fitted(
    title: &Title,
    plan: Option<&Parts>,
    said: &[Diagnostic],
    result: &[String],
) -> String {
    let diagnostics = messages(said);
    let mut end = String::new();
    if !result.is_empty() {
        let _ = writeln!(end, "\n#### Result\n");
        let _ = write!(
            end,
            "{}",
            fenced("text", &cut(&printable(&result.join("\n")), 4000))
        );
    }
    let Some(plan) = plan else {
        return match said.is_empty() {
            true => format!("{}{end}", title.lines("planning")),
            false => format!("{}{diagnostics}{end}", title.lines("no plan")),
        };
    };
    let mut text = title.lines(&plan.sizes);
    text.push_str(&plan.head);
    let foot = match result.is_empty() {
        true => plan.apply.clone() + &plan.foot,
        false => plan.foot.clone(),
    };
    let fixed = [&plan.policies, &foot, &diagnostics, &end];
    let fixed = fixed.map(String::len).iter().sum::<usize>() + NOTES;
    let mut notes = Vec::new();
    let mut kept = 0;
    if !plan.table.is_empty() {
        text.push_str(HEADER);
        for row in &plan.table {
            if text.len() + row.len() > TABLE.min(MOST.saturating_sub(fixed)) {
                break;
            }
            text.push_str(row);
            kept += 1;
        }
    }
    if kept < plan.table.len() {
        let rows = counted(plan.table.len() - kept, "resource");
        notes.push(format!("{rows} are not in the table"));
    }
    text.push_str(&plan.policies);
    text.push_str(&diagnostics);
    text.push('\n');
    let room = MOST.saturating_sub(text.len() + foot.len() + end.len() + NOTES);
    let shown = chosen(plan, room);
    for (fold, is_shown) in plan.folds.iter().zip(&shown) {
        if *is_shown {
            let _ = writeln!(text, "{}", fold.text);
        }
    }
    let left_out = shown.iter().filter(|is_shown| !**is_shown).count();
    if left_out > 0 {
        let folds = format!("{left_out} of {}", counted(plan.folds.len(), "fold"));
        notes.push(format!("{folds} are left out, the deepest first"));
    }
    if !notes.is_empty() {
        let _ = writeln!(
            text,
            "**Too large for a comment:** {}. `preview --details` shows all.\n",
            notes.join("; ")
        );
    }
    text.push_str(&end);
    text.push('\n');
    text.push_str(&foot);
    text
}

/// Which folds have room. Those of the deepest resources go first, the larger before the smaller; those of losses go last.
fn chosen(plan: &Parts, room: usize) -> Vec<bool> {
    let mut shown = vec![true; plan.folds.len()];
    let mut size: usize = plan.folds.iter().map(|fold| fold.text.len() + 1).sum();
    let mut order: Vec<usize> = (0..plan.folds.len()).collect();
    order.sort_by_key(|&index| {
        let fold = &plan.folds[index];
        let largest = std::cmp::Reverse((fold.depth, fold.text.len()));
        (fold.is_loss, largest, index)
    });
    for index in order {
        if size <= room {
            break;
        }
        size -= plan.folds[index].text.len() + 1;
        shown[index] = false;
    }
    shown
}

/// Errors and warnings as a terminal has them.
fn messages(said: &[Diagnostic]) -> String {
    if said.is_empty() {
        return String::new();
    }
    let errors = said.iter().filter(|one| one.is_error()).count();
    let heading = match errors {
        0 => "Warnings",
        _ => "Errors",
    };
    let all = said.iter().cloned().collect();
    let text = diagnostics::diagnostics(&all, Painter::PLAIN);
    format!(
        "\n#### {heading}\n\n{}",
        fenced("text", &cut(&text, DIAGNOSTICS - 200))
    )
}

/// The beginning of a text, in bytes.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    // A character has at most four bytes.
    shortened(text, most / 4).into_owned()
}
