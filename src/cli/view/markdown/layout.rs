//! A plan in parts: the head that always stays, the rows of a table, a fold for each resource, the foot.

use std::fmt::Write as _;

use terrane_core::policy::PolicyReport;
use terrane_cost::Estimate;
use terrane_engine::{PlanMode, Summary};
use terrane_state::Timestamp;

use super::escape::{cell, code, fenced, html};
use crate::view::diff::{Mark, Row};
use crate::view::outline::{
    Danger, DeferredGroup, Entry, Node, Outline, Place, deferred_heading, sign_of,
};
use crate::view::printable::{counted, one_line, printable, shortened};
use crate::view::text::painter::Painter;
use crate::view::{SavedAs, ShownPlan, text};

/// Losses that are named; more are counted.
const LOSSES: usize = 40;
/// How many characters a name, and a reason, has room for.
const NAME: usize = 160;
const REASON: usize = 300;
/// How many characters a line of a fold has room for.
const LINE: usize = 2000;
/// How many bytes a fold has room for.
const FOLD: usize = 12_000;
/// How many bytes these have room for, which always stay: together with title, messages and result less than a whole comment.
const LOSSES_SIZE: usize = 10_000;
const DEFERRED_SIZE: usize = 3000;
const TAKEN_OVER_SIZE: usize = 3000;
const INVOKED_SIZE: usize = 3000;
const SECTION: usize = 7500;
const COMMAND: usize = 2000;

/// A plan as the parts of a comment.
pub(super) struct Parts {
    /// The sizes of the change, for the title.
    pub(super) sizes: String,
    pub(super) head: String,
    /// The sentence that ends the head.
    pub(super) totals: String,
    /// Rows of the table of changes.
    pub(super) table: Vec<String>,
    /// Costs, and how the plan stands to the policies of its program.
    pub(super) policies: String,
    pub(super) folds: Vec<Fold>,
    /// How it is applied: for a plan that no run has begun to apply.
    pub(super) apply: String,
    pub(super) foot: String,
}

/// The details of one resource.
pub(super) struct Fold {
    /// How many modules it is in.
    pub(super) depth: usize,
    pub(super) is_loss: bool,
    pub(super) text: String,
}

/// The facts beside the outline.
pub(super) struct Facts<'a> {
    pub(super) place: &'a Place,
    pub(super) saved: Option<&'a SavedAs>,
    pub(super) policies: &'a [PolicyReport],
    pub(super) cost: Option<&'a Estimate>,
    /// Of the state that the plan was made from.
    pub(super) serial: u64,
    pub(super) made_at: Timestamp,
    pub(super) commit: Option<String>,
    /// The digest of the plan.
    pub(super) digest: String,
    /// The command that applies what has this digest, where nothing is saved.
    pub(super) command: Option<String>,
}

impl Parts {
    /// Of a plan.
    pub(super) fn of(outline: &Outline, shown: &ShownPlan<'_>, commit: Option<&str>) -> Self {
        let facts = Facts {
            place: shown.place,
            saved: shown.saved,
            policies: shown.policies,
            cost: shown.cost,
            serial: shown.plan.prior.serial,
            made_at: shown.made_at,
            commit: commit.map(str::to_owned),
            digest: shown.digest().sha256.to_string(),
            command: shown.command(),
        };
        Self::new(outline, &facts)
    }

    /// The same with the changes of the plan that continues this one.
    pub(super) fn and(&mut self, next: Self) {
        let _ = writeln!(self.head, "\nThen: {}", next.totals);
        self.table.extend(next.table);
        self.policies = next.policies;
        self.folds.extend(next.folds);
    }

    /// Of an outline.
    pub(super) fn new(outline: &Outline, facts: &Facts<'_>) -> Self {
        let (mut table, mut folds) = (Vec::new(), Vec::new());
        outline.changes.walk(&mut |_, node| {
            if let Node::Leaf(entry) = node {
                table.push(row(entry));
                folds.extend(fold(entry, ""));
            }
        });
        outline.drift.walk(&mut |_, node| {
            if let Node::Leaf(entry) = node {
                folds.extend(fold(entry, "changed outside of this program: "));
            }
        });
        if !outline.outputs.is_empty() {
            let mut lines = String::new();
            diff(&outline.outputs, 0, &mut lines);
            let count = counted(outline.outputs.len(), "output");
            folds.push(Fold {
                depth: 0,
                is_loss: false,
                text: folded(
                    &format!("{count} changed"),
                    &fenced("diff", &cut(lines, FOLD)),
                ),
            });
        }
        let summary = outline.totals.summary.as_ref();
        let sizes = summary.map(|summary| sizes(outline, summary));
        Self {
            sizes: sizes.unwrap_or_else(|| "no changes".to_owned()),
            head: head(outline, facts.place),
            totals: outline.totals.sentence.clone(),
            table,
            policies: cost(facts.cost) + &policies(facts.policies),
            folds,
            apply: apply(facts),
            foot: foot(facts),
        }
    }
}

/// The section of the costs, as a terminal has it.
fn cost(estimate: Option<&Estimate>) -> String {
    let text = text::cost::text(estimate, Painter::PLAIN);
    section("Cost", text)
}

/// A section that stays whatever else has no room.
fn section(heading: &str, text: String) -> String {
    if text.is_empty() {
        return text;
    }
    let mut block = fenced("text", &cut(text, SECTION));
    // A fence is longer than every run of backticks inside.
    if block.len() > SECTION + 100 {
        block = fenced("text", "too long for a comment");
    }
    format!("\n#### {heading}\n\n{block}")
}

/// The section of the policies, as a terminal has it.
fn policies(reports: &[PolicyReport]) -> String {
    if reports.is_empty() {
        return String::new();
    }
    section("Policies", text::policies::text(reports, Painter::PLAIN))
}

/// The first lines of every comment on a stack.
pub(super) struct Title {
    marker: String,
    stack: String,
}

impl Title {
    /// Of that stack.
    pub(super) fn of(stack: &str) -> Self {
        Self {
            marker: marker(stack),
            stack: code(&one_line(stack), NAME),
        }
    }

    /// The lines, with what is to be said about the stack.
    pub(super) fn lines(&self, about: &str) -> String {
        format!("{}\n### {} {about}\n", self.marker, self.stack)
    }
}

/// The comment of an earlier push is found by this line and written anew.
fn marker(stack: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let plain: String = stack
        .chars()
        .map(|c| if is_plain(&c) { c } else { '-' })
        .collect();
    // Two hyphens would end it early.
    let words = plain.split('-').filter(|word| !word.is_empty());
    let plain = words.collect::<Vec<_>>().join("-");
    format!("<!-- terrane stack={} -->", shortened(&plain, NAME))
}

/// Place, losses, totals.
fn head(outline: &Outline, place: &Place) -> String {
    let mut text = format!("\n{}\n\n", code(&place.line(), 400));
    text.push_str(&losses(&outline.dangers));
    let _ = writeln!(text, "**{}**", outline.totals.sentence);
    if let Some(more) = &outline.totals.more {
        let _ = writeln!(text, "{more}");
    }
    text.push_str(&deferred(&outline.deferred));
    let taken_over = outline.taken_over.iter();
    let taken_over = taken_over.map(|line| format!("\n{}\n", code(line, REASON)));
    let more = |more| format!("\nand {more} more\n");
    text.push_str(&first(taken_over, TAKEN_OVER_SIZE, more));
    let invoked = outline.invocations.iter();
    let invoked = invoked.map(|line| format!("\n{}\n", code(&format!("> {line}"), REASON)));
    let more = |more| format!("\nand {}\n", counted(more, "more action"));
    text.push_str(&first(invoked, INVOKED_SIZE, more));
    if let Some(drift) = outline.quiet_drift() {
        let _ = writeln!(text, "\n{drift} (`--refresh-only` shows how).");
    }
    text
}

/// Changes that are planned later in the run, under their reasons.
fn deferred(groups: &[DeferredGroup]) -> String {
    let lines = groups.iter().flat_map(|group| {
        let changes = group.changes.iter().enumerate();
        changes.map(|(index, change)| {
            let why = match index {
                0 => format!("\n{}:\n\n", code(&group.why, REASON)),
                _ => String::new(),
            };
            let (sign, address) = (sign_of(change.action), code(&change.address, NAME));
            format!("{why}- `{sign}` {address}\n")
        })
    });
    let text = first(lines, DEFERRED_SIZE, |more| format!("- and {more} more\n"));
    match text.is_empty() {
        true => text,
        false => format!("\n**{}**\n{text}", deferred_heading(groups)),
    }
}

/// `+3 ~2 -/+1 -1`
fn sizes(outline: &Outline, summary: &Summary) -> String {
    if outline.mode == PlanMode::RefreshOnly {
        return "drift".to_owned();
    }
    let parts = [
        ("+", summary.create),
        ("~", summary.update),
        ("-/+", summary.replace),
        ("-", summary.delete),
        ("<=", summary.read),
        (".", summary.forget),
    ];
    let parts = parts.into_iter().filter(|(_, count)| *count > 0);
    let parts = parts.map(|(sign, count)| format!("`{sign}{count}`"));
    let deferred: usize = outline.deferred.iter().map(|g| g.changes.len()).sum();
    let deferred = (deferred > 0).then(|| format!("{deferred} deferred"));
    let parts: Vec<String> = parts.chain(deferred).collect();
    match parts.is_empty() {
        true => "outputs only".to_owned(),
        false => parts.join(" "),
    }
}

/// The list that nobody may overlook, which GitHub paints red.
fn losses(losses: &[Danger]) -> String {
    if losses.is_empty() {
        return String::new();
    }
    let verb = if losses.len() == 1 { "is" } else { "are" };
    let objects = counted(losses.len(), "existing object");
    let mut text = format!("> [!CAUTION]\n> **{objects} {verb} destroyed:**\n>\n");
    let lines = losses.iter().map(|loss| {
        let why = loss.why.as_ref();
        let why = why.map(|why| format!(": {}", code(why, REASON)));
        format!(
            "> - `{}` {}{}\n",
            sign_of(loss.action),
            code(&loss.address, NAME),
            why.unwrap_or_default()
        )
    });
    text.push_str(&first(lines, LOSSES_SIZE, |more| {
        format!("> - and {more} more\n")
    }));
    text.push('\n');
    text
}

/// The first lines, as many as have room, and how many more there are.
fn first(
    mut lines: impl Iterator<Item = String>,
    most: usize,
    more: impl Fn(usize) -> String,
) -> String {
    let mut text = String::new();
    let mut count = 0;
    while let Some(line) = lines.next() {
        if count == LOSSES || text.len() + line.len() > most {
            text.push_str(&more(lines.count() + 1));
            break;
        }
        text.push_str(&line);
        count += 1;
    }
    text
}

/// One row of the table.
fn row(entry: &Entry) -> String {
    let source = entry
        .location
        .map(|location| cell(&location.to_string(), NAME));
    format!(
        "| `{}` | {} | {} | {} |\n",
        sign_of(entry.action),
        cell(&entry.address, NAME),
        changes(entry),
        source.unwrap_or_default()
    )
}

/// What changes, in a cell.
fn changes(entry: &Entry) -> String {
    let text = entry.telling();
    match text.is_empty() {
        true => String::new(),
        false => cell(&text, REASON),
    }
}

/// The details of a resource, if there are some.
fn fold(entry: &Entry, kind: &str) -> Option<Fold> {
    if entry.rows.is_empty() {
        return None;
    }
    let mut lines = String::new();
    diff(&entry.rows, 0, &mut lines);
    let head = format!("{kind}{} {}", sign_of(entry.action), entry.address);
    Some(Fold {
        depth: entry.depth,
        is_loss: entry.action.destroys(),
        text: folded(&head, &fenced("diff", &cut(lines, FOLD))),
    })
}

fn folded(head: &str, inside: &str) -> String {
    format!(
        "<details><summary><code>{}</code></summary>\n\n{inside}\n</details>\n",
        html(head, NAME)
    )
}

/// Rows as the lines of a diff, whose signs colour them.
fn diff(rows: &[Row], depth: usize, text: &mut String) {
    for row in rows {
        let sign = match row.mark {
            Mark::Add => '+',
            Mark::Remove => '-',
            Mark::Change => '!',
        };
        let indent = "  ".repeat(depth);
        let line = row.line().replace('\n', " ");
        let _ = write!(text, "{sign} {indent}{}", shortened(&line, LINE));
        if let Some(note) = &row.note {
            let _ = write!(text, "  # {note}");
        }
        text.push('\n');
        diff(&row.inside, depth + 1, text);
    }
}

/// As many lines as there is room for.
fn cut(lines: String, most: usize) -> String {
    if lines.len() <= most {
        return lines;
    }
    let mut kept = String::new();
    let mut all = lines.lines();
    for line in all.by_ref() {
        if kept.len() + line.len() > most {
            break;
        }
        let _ = writeln!(kept, "{line}");
    }
    let _ = writeln!(kept, "  … ({})", counted(all.count() + 1, "more line"));
    kept
}

/// A command is whole or missing.
fn command_block(command: &str) -> String {
    let block = fenced("sh", command);
    match block.len() <= COMMAND && printable(command) == command {
        true => block,
        false => fenced(
            "text",
            "(too long, or of characters that must not be shown)",
        ),
    }
}

/// Where the plan is, and how it is applied.
fn apply(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    if let Some(saved) = facts.saved {
        let _ = writeln!(
            text,
            "This plan, and nothing else, is applied by:\n\n{}",
            command_block(&saved.command)
        );
        let until = match facts.serial {
            0 => "a state is written".to_owned(),
            serial => format!("the state leaves serial {serial}"),
        };
        let _ = writeln!(
            text,
            "Saved in {}, SHA-256 {}; good until it is applied once or {until}.\n",
            code(&saved.file, NAME),
            code(&saved.digest, NAME)
        );
    } else if let Some(command) = &facts.command {
        let _ = writeln!(
            text,
            "These changes, and no others, are planned again and applied by:\n\n{}",
            command_block(command)
        );
    }
    text
}

/// Which plan it is, and when it was made.
fn foot(facts: &Facts<'_>) -> String {
    let mut text = format!("Digest of the plan: {}\n\n", code(&facts.digest, NAME));
    let commit = facts.commit.as_ref();
    let commit = commit.map(|commit| format!(" of commit {}", code(&one_line(commit), 64)));
    let _ = writeln!(
        text,
        "<sub>Planned at {}{} by terrane {}</sub>",
        facts.made_at,
        commit.unwrap_or_default(),
        env!("CARGO_PKG_VERSION")
    );
    text
}
