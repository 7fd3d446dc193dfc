//! A plan as people read it on a terminal: where it acts, drift, a tree by module, exported values, losses, totals.

use std::fmt::Write as _;

use terrane_core::policy::PolicyReport;
use terrane_cost::Estimate;
use terrane_engine::{Action, PlanMode};

use super::painter::{Painter, Tone};
use super::{cost, policies};
use crate::view::diff::{Mark, Row};
use crate::view::outline::{
    Brief, Danger, Entry, ModuleTree, Node, Outline, Place, deferred_heading, sign_of,
};
use crate::view::printable::{counted, width};

/// More losses than these are counted: all of them are in the tree.
const LOSSES: usize = 20;

/// Lays out a plan.
pub(crate) struct PlanText<'a> {
    /// The plan.
    pub(crate) outline: &'a Outline,
    /// Where it acts.
    pub(crate) place: &'a Place,
    /// The policies of the program, and how the plan stands to each.
    pub(crate) policies: &'a [PolicyReport],
    /// What the stack costs, where that was asked for.
    pub(crate) cost: Option<&'a Estimate>,
    /// Colours.
    pub(crate) painter: Painter,
    /// How wide the terminal is; what is folded to a line stays on one.
    pub(crate) columns: Option<usize>,
}

impl PlanText<'_> {
    /// The whole text; ends with a line feed.
    pub(crate) fn text(&self) -> String {
        let place = self.painter.paint(Tone::Faint, &self.place.line());
        format!("{place}\n\n{}", self.body())
    }

    /// The same without the place.
    pub(super) fn body(&self) -> String {
        let mut text = String::new();
        self.drift(&mut text);
        self.taken_over(&mut text);
        if !self.outline.changes.is_empty() {
            // Two trees are told apart.
            if !self.outline.drift.is_empty() {
                self.heading(&mut text, "Changes by this plan:");
            }
            self.tree(&self.outline.changes, &mut text);
            text.push('\n');
        }
        self.invocations(&mut text);
        self.deferred(&mut text);
        self.outputs(&mut text);
        text.push_str(&cost::text(self.cost, self.painter));
        // Kept policies of a plan that does nothing are no news.
        if self.outline.totals.summary.is_some() || policies::are_news(self.policies) {
            text.push_str(&policies::text(self.policies, self.painter));
        }
        self.losses(&mut text);
        self.totals(&mut text);
        text
    }

    /// The changes alone, by module.
    pub(crate) fn changes(&self) -> String {
        let mut text = String::new();
        self.tree(&self.outline.changes, &mut text);
        text
    }

    /// What is recorded without an operation.
    fn taken_over(&self, text: &mut String) {
        for line in &self.outline.taken_over {
            let _ = writeln!(text, "  {line}");
        }
        if !self.outline.taken_over.is_empty() {
            text.push('\n');
        }
    }

    /// Changes that are planned later in the run.
    fn deferred(&self, text: &mut String) {
        if self.outline.deferred.is_empty() {
            return;
        }
        self.heading(text, deferred_heading(&self.outline.deferred));
        for group in &self.outline.deferred {
            let _ = writeln!(text, "  {}", group.why);
            for change in &group.changes {
                let sign = format!("{:>5}", sign_of(change.action));
                let sign = self.painter.paint(tone(change.action), &sign);
                let address = self.painter.paint(Tone::Strong, &change.address);
                let _ = write!(text, "{sign} {address}");
                if let Some(location) = change.location {
                    let location = self.painter.paint(Tone::Faint, &location.to_string());
                    let _ = write!(text, "  {location}");
                }
                text.push('\n');
            }
        }
        text.push('\n');
    }

    fn heading(&self, text: &mut String, heading: &str) {
        let _ = writeln!(text, "{}", self.painter.paint(Tone::Strong, heading));
    }

    fn drift(&self, text: &mut String) {
        if !self.outline.drift.is_empty() {
            self.heading(text, "Changed outside of this program:");
            self.tree(&self.outline.drift, text);
            text.push('\n');
        }
        if let Some(note) = self.outline.quiet_drift() {
            let _ = writeln!(text, "{note} (`--refresh-only` shows how).\n");
        }
    }

    fn tree(&self, tree: &ModuleTree<Entry>, text: &mut String) {
        tree.walk(&mut |depth, node| match node {
            Node::Module(name) => {
                let indent = "  ".repeat(depth);
                let name = self.painter.paint(Tone::Strong, &name);
                let _ = writeln!(text, "{indent}{name}");
            }
            Node::Leaf(entry) => self.entry(depth, entry, text),
        });
    }

    fn entry(&self, depth: usize, entry: &Entry, text: &mut String) {
        let indent = "  ".repeat(depth);
        let sign = format!("{:>3}", sign_of(entry.action));
        let taken = indent.len() + width(&sign) + 1 + width(&entry.name);
        let sign = self.painter.paint(tone(entry.action), &sign);
        let name = self.painter.paint(Tone::Strong, &entry.name);
        let _ = write!(text, "{indent}{sign} {name}");
        let notes = [
            entry.id.as_ref().map(|id| format!("[id={id}]")),
            entry.reason.map(|reason| format!("({reason})")),
            entry.location.map(|location| location.to_string()),
        ];
        let mut notes: Vec<String> = notes.into_iter().flatten().collect();
        if let Some(brief) = &entry.brief {
            let line = match self.columns {
                Some(columns) => folded(brief, &mut notes, columns.saturating_sub(taken)),
                None => brief.line(),
            };
            if !line.is_empty() {
                let _ = write!(text, "  {line}");
            }
        }
        for note in notes {
            let _ = write!(text, "  {}", self.painter.paint(Tone::Faint, &note));
        }
        text.push('\n');
        if entry.brief.is_none() {
            self.rows(&entry.rows, depth + 3, text);
        }
    }

    fn rows(&self, rows: &[Row], depth: usize, text: &mut String) {
        for row in rows {
            let (sign, tone) = sign(row.mark);
            let sign = self.painter.paint(tone, sign);
            let indent = "  ".repeat(depth);
            let _ = write!(text, "{indent}{sign} {}", row.line());
            if let Some(note) = &row.note {
                let _ = write!(text, "  {}", self.painter.paint(Tone::Replace, note));
            }
            text.push('\n');
            self.rows(&row.inside, depth + 2, text);
        }
    }

    fn invocations(&self, text: &mut String) {
        if self.outline.invocations.is_empty() {
            return;
        }
        self.heading(text, "Actions:");
        for line in &self.outline.invocations {
            let sign = self.painter.paint(Tone::Change, "  >");
            let _ = writeln!(text, "{sign} {line}");
        }
        text.push('\n');
    }

    fn outputs(&self, text: &mut String) {
        if !self.outline.outputs.is_empty() {
            self.heading(text, "Outputs:");
            self.rows(&self.outline.outputs, 1, text);
            text.push('\n');
        }
    }

    /// The objects that are lost, once more: nobody scrolls back for them. A destroy shows nothing else.
    fn losses(&self, text: &mut String) {
        let losses = &self.outline.dangers;
        if losses.is_empty() || self.outline.mode == PlanMode::Destroy {
            return;
        }
        let heading = format!("{} destroyed:", existing(losses));
        let _ = writeln!(text, "{}", self.painter.paint(Tone::Error, &heading));
        for loss in losses.iter().take(LOSSES) {
            let sign = format!("{:>5}", sign_of(loss.action));
            let sign = self.painter.paint(tone(loss.action), &sign);
            let name = self.painter.paint(Tone::Strong, &loss.address);
            let _ = write!(text, "{sign} {name}");
            let id = loss.id.as_ref().map(|id| format!("[id={id}]"));
            let why = loss.why.as_ref().map(|why| format!("({why})"));
            for note in id.into_iter().chain(why) {
                let _ = write!(text, "  {note}");
            }
            text.push('\n');
        }
        if losses.len() > LOSSES {
            let _ = writeln!(text, "      and {} more", losses.len() - LOSSES);
        }
        text.push('\n');
    }

    fn totals(&self, text: &mut String) {
        let totals = &self.outline.totals;
        let sentence = match (&totals.summary, self.outline.dangers.is_empty()) {
            (Some(_), false) => self.painter.paint(Tone::Error, &totals.sentence),
            (Some(_), true) => self.painter.paint(Tone::Strong, &totals.sentence),
            (None, _) => totals.sentence.clone(),
        };
        let _ = writeln!(text, "{sentence}");
        for more in [&totals.more, &totals.folded].into_iter().flatten() {
            let _ = writeln!(text, "{}", self.painter.paint(Tone::Faint, more));
        }
    }
}

/// The arguments that have room on a line, which they share with notes; where not even one has, the notes give way.
fn folded(brief: &Brief, notes: &mut Vec<String>, room: usize) -> String {
    let gap = |text: &str| if text.is_empty() { 0 } else { 2 + width(text) };
    let taken = |notes: &[String]| notes.iter().map(|note| gap(note)).sum::<usize>();
    if taken(notes) + gap(&brief.line_of(1)) > room {
        notes.clear();
    }
    brief.fitted(room.saturating_sub(taken(notes) + 2))
}

/// `1 existing object is`, `3 existing objects are`
fn existing(losses: &[Danger]) -> String {
    let verb = if losses.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", counted(losses.len(), "existing object"))
}

/// The colour of an action's sign.
fn tone(action: Action) -> Tone {
    match action {
        Action::Create | Action::Read => Tone::Add,
        Action::Update | Action::NoOp => Tone::Change,
        Action::DeleteThenCreate | Action::CreateThenDelete => Tone::Replace,
        Action::Delete => Tone::Remove,
        Action::Forget => Tone::Faint,
    }
}

/// The sign of a row and its colour.
pub(crate) fn sign(mark: Mark) -> (&'static str, Tone) {
    match mark {
        Mark::Add => ("+", Tone::Add),
        Mark::Remove => ("-", Tone::Remove),
        Mark::Change => ("~", Tone::Change),
    }
}

#[cfg(test)]
mod tests;
