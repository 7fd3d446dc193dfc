//! A plan in parts: the head that always stays, the rows of a table, a fold for each resource, the foot.

use std::fmt::Write as _;

use terrane_core::policy::PolicyReport;
use terrane_cost::Estimate;
use terrane_engine::{PlanMode, Summary};
use terrane_state::Timestamp;

use super::escape::{cell, code, fenced, html};
use crate::view::diff::{Mark, Row};
use crate::view::outline::{DEFERRED, Danger, DeferredGroup, Entry, Node, Outline, Place, sign_of};
use crate::view::printable::{counted, shortened};
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
/// Names of changed arguments in the table.
const ARGUMENTS: usize = 3;

/// A plan as the parts of a comment.
pub(super) struct Parts {
    pub(super) head: String,
    /// The sentence that ends the head.
    pub(super) totals: String,
    /// Rows of the table of changes.
    pub(super) table: Vec<String>,
    /// Costs, and how the plan stands to the policies of its program.
    pub(super) policies: String,
    pub(super) folds: Vec<Fold>,
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
                text: folded(&format!("{count} changed"), &fenced("diff", &cut(lines))),
            });
        }
        Self {
            head: head(outline, facts.place),
            totals: outline.totals.sentence.clone(),
            table,
            policies: cost(facts.cost) + &policies(facts.policies),
            folds,
            foot: foot(facts),
        }
    }
}

/// The section of the costs, as a terminal has it.
fn cost(estimate: Option<&Estimate>) -> String {
    let text = text::cost::text(estimate, Painter::PLAIN);
    match text.is_empty() {
        true => text,
        false => format!("\n#### Cost\n\n{}", fenced("text", &cut(text))),
    }
}

/// The section of the policies, as a terminal has it.
fn policies(reports: &[PolicyReport]) -> String {
    if reports.is_empty() {
        return String::new();
    }
    let text = text::policies::text(reports, Painter::PLAIN);
    format!("\n#### Policies\n\n{}", fenced("text", &cut(text)))
}

/// Marker, title, place, losses, totals.
fn head(outline: &Outline, place: &Place) -> String {
    let stack = &place.stack;
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let plain: String = stack
        .chars()
        .map(|c| if is_plain(&c) { c } else { '-' })
        .collect();
    // The comment of an earlier push is found by this line and written anew; two hyphens would end it early.
    let plain = plain.replace("--", "-");
    let mut text = format!("<!-- terrane stack={plain} -->\n");
    let title = outline
        .totals
        .summary
        .as_ref()
        .map(|summary| title(outline, summary));
    let _ = writeln!(
        text,
        "### {} {}\n",
        code(stack, NAME),
        title.unwrap_or_else(|| "no changes".to_owned())
    );
    let _ = writeln!(text, "{}\n", code(&place.line(), 400));
    text.push_str(&losses(&outline.dangers));
    let _ = writeln!(text, "**{}**", outline.totals.sentence);
    if let Some(more) = &outline.totals.more {
        let _ = writeln!(text, "{more}");
    }
    text.push_str(&deferred(&outline.deferred));
    for line in outline.taken_over.iter().take(LOSSES) {
        let _ = writeln!(text, "\n{}", code(line, REASON));
    }
    for line in outline.invocations.iter().take(LOSSES) {
        let _ = writeln!(text, "\n{}", code(&format!("> {line}"), REASON));
    }
    if outline.invocations.len() > LOSSES {
        let more = counted(outline.invocations.len() - LOSSES, "more action");
        let _ = writeln!(text, "\nand {more}");
    }
    if let Some(drift) = outline.quiet_drift() {
        let _ = writeln!(text, "\n{drift} (`--refresh-only` shows how).");
    }
    text
}

/// Changes that are planned later in the run, under their reasons.
fn deferred(groups: &[DeferredGroup]) -> String {
    let count: usize = groups.iter().map(|group| group.changes.len()).sum();
    if count == 0 {
        return String::new();
    }
    let mut text = format!("\n**{DEFERRED}**\n");
    let mut left = LOSSES;
    for group in groups {
        if left == 0 {
            break;
        }
        let _ = writeln!(text, "\n{}:\n", code(&group.why, REASON));
        for change in group.changes.iter().take(left) {
            let (sign, address) = (sign_of(change.action), code(&change.address, NAME));
            let _ = writeln!(text, "- `{sign}` {address}");
        }
        left = left.saturating_sub(group.changes.len());
    }
    if count > LOSSES {
        let _ = writeln!(text, "- and {} more", count - LOSSES);
    }
    text
}

/// `+3 ~2 -/+1 -1`
fn title(outline: &Outline, summary: &Summary) -> String {
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
    for loss in losses.iter().take(LOSSES) {
        let _ = write!(
            text,
            "> - `{}` {}",
            sign_of(loss.action),
            code(&loss.address, NAME)
        );
        if let Some(why) = &loss.why {
            let _ = write!(text, ": {}", code(why, REASON));
        }
        text.push('\n');
    }
    if losses.len() > LOSSES {
        let _ = writeln!(text, "> - and {} more", losses.len() - LOSSES);
    }
    text.push('\n');
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
    let text = match (&entry.brief, entry.reason) {
        (Some(brief), _) => brief.line(),
        (None, Some(reason)) => reason.to_owned(),
        (None, None) => {
            let names = entry.rows.iter().take(ARGUMENTS);
            let names = names.map(|row| row.label.as_str());
            let mut text = names.collect::<Vec<_>>().join(", ");
            if entry.rows.len() > ARGUMENTS {
                let _ = write!(text, " and {} more", entry.rows.len() - ARGUMENTS);
            }
            text
        }
    };
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
        text: folded(&head, &fenced("diff", &cut(lines))),
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

/// As many lines as a fold has room for.
fn cut(lines: String) -> String {
    if lines.len() <= FOLD {
        return lines;
    }
    let mut kept = String::new();
    let mut all = lines.lines();
    for line in all.by_ref() {
        if kept.len() + line.len() > FOLD {
            break;
        }
        let _ = writeln!(kept, "{line}");
    }
    let _ = writeln!(kept, "  … ({})", counted(all.count() + 1, "more line"));
    kept
}

/// Where the plan is, and how it is applied.
fn foot(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    if let Some(saved) = facts.saved {
        let _ = writeln!(
            text,
            "This plan, and nothing else, is applied by:\n\n{}",
            fenced("sh", &saved.command)
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
            fenced("sh", command)
        );
    }
    let _ = writeln!(text, "Digest of the plan: {}\n", code(&facts.digest, NAME));
    let commit = facts.commit.as_ref();
    let commit = commit.map(|commit| format!(" of commit {}", code(commit, 64)));
    let _ = writeln!(
        text,
        "<sub>Planned at {}{} by terrane {}</sub>",
        facts.made_at,
        commit.unwrap_or_default(),
        env!("CARGO_PKG_VERSION")
    );
    text
}
