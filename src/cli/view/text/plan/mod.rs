//! A plan as people read it: drift, a tree by module, exported values, totals.

mod causes;
mod resource;
mod tree;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::policy::PolicyReport;
use terrane_core::{Marked, Program, Type};
use terrane_cost::Estimate;
use terrane_engine::{Action, Drift, Move, OutputChange, PlanMode, ResourceChange, Summary};

use super::diff::{Comparison, Mark, Occasion, Row, Side};
use super::painter::{Painter, Tone};
use super::{cost, policies};
use crate::view::hidden::Hidden;
use crate::view::printable::{counted, one_line};
use crate::view::{Secrets, ShownPlan};
use causes::Causes;
pub(crate) use resource::id;
use tree::ModuleTree;

/// A plan as text.
pub(crate) struct PlanText<'a> {
    /// The kind of plan.
    pub(crate) mode: PlanMode,
    /// Every object looked at.
    pub(crate) changes: &'a [ResourceChange],
    /// Objects that differ from the state.
    pub(crate) drift: &'a [Drift],
    /// Exported values.
    pub(crate) outputs: &'a [OutputChange],
    /// Objects under another address.
    pub(crate) moves: &'a [Move],
    /// Objects that the program imports, and by what.
    pub(crate) adoptions: &'a [(Arc<InstanceAddr>, String)],
    /// The program it was made from: source lines and where unknowns come from.
    pub(crate) program: &'a Program,
    /// The policies of the program, and how the plan stands to each.
    pub(crate) policies: &'a [PolicyReport],
    /// What the stack costs, where that was asked for.
    pub(crate) cost: Option<&'a Estimate>,
    /// Whether secrets are printed.
    pub(crate) secrets: Secrets,
    /// Colours.
    pub(crate) painter: Painter,
}

impl<'a> PlanText<'a> {
    /// A view on that plan of that program.
    pub(crate) fn new(shown: &ShownPlan<'a>, painter: Painter) -> Self {
        let plan = shown.plan;
        Self {
            mode: plan.mode,
            changes: &plan.changes,
            drift: &plan.drift,
            outputs: &plan.outputs,
            moves: &plan.moves,
            adoptions: &plan.adoptions,
            program: shown.program,
            policies: shown.policies,
            cost: shown.cost,
            secrets: shown.secrets,
            painter,
        }
    }

    /// Whether there is nothing to do.
    fn is_empty(&self) -> bool {
        let changes = self
            .changes
            .iter()
            .all(|change| change.action == Action::NoOp);
        changes
            && self.moves.is_empty()
            && self.adoptions.is_empty()
            && self
                .outputs
                .iter()
                .all(|output| output.action() == Action::NoOp)
    }

    /// The whole text; ends with a line feed.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.drift(&mut text);
        if self.mode == PlanMode::RefreshOnly {
            self.outputs(&mut text);
            let _ = writeln!(text, "{}", refresh_totals(self.drift.len()));
            return text;
        }
        self.taken_over(&mut text);
        self.changes(&mut text);
        self.outputs(&mut text);
        text.push_str(&cost::text(self.cost, self.painter));
        // Kept policies of a plan that does nothing are no news.
        if !self.is_empty() || policies::are_news(self.policies) {
            text.push_str(&policies::text(self.policies, self.painter));
        }
        if self.is_empty() {
            text.push_str(match self.mode {
                PlanMode::Destroy => "No changes. No objects need to be destroyed.\n",
                _ => "No changes. Your infrastructure matches the configuration.\n",
            });
        } else {
            text.push_str(&self.totals());
        }
        text
    }

    /// What is recorded without an operation: new addresses, and objects that existed before.
    fn taken_over(&self, text: &mut String) {
        for moved in self.moves {
            let (from, to) = (moved.from.to_string(), moved.to.to_string());
            let _ = writeln!(text, "  {} moved from {}", one_line(&to), one_line(&from));
        }
        for (address, by) in self.adoptions {
            let address = address.to_string();
            let _ = writeln!(
                text,
                "  {} imported by {}",
                one_line(&address),
                one_line(by)
            );
        }
        if !self.moves.is_empty() || !self.adoptions.is_empty() {
            text.push('\n');
        }
    }

    fn heading(&self, text: &mut String, heading: &str) {
        let _ = writeln!(text, "{}", self.painter.paint(Tone::Strong, heading));
    }

    fn drift(&self, text: &mut String) {
        let mut shown = ModuleTree::default();
        // Drift without a change is mostly the effect of other resources on this one (a role's attached policies, an address's
        // association); it is recorded with the next apply. `--refresh-only` and `--json` show all of it.
        let matters: HashSet<&InstanceAddr> = self
            .changes
            .iter()
            .filter(|change| change.action != Action::NoOp)
            .map(|change| &*change.address)
            .collect();
        let mut quiet = 0;
        for drift in self.drift {
            let gone = drift.after.value.is_null();
            if self.mode == PlanMode::Normal && !gone && !matters.contains(&*drift.address) {
                quiet += 1;
                continue;
            }
            let module = &drift.address.resource.module;
            let mut body = String::new();
            if drift.after.value.is_null() {
                resource::drift_head(&mut body, self, drift, Mark::Remove);
            } else {
                let rows = self.rows(
                    (&drift.before, &drift.after),
                    None,
                    Occasion::Drift,
                    Some(drift.schema.ty()),
                );
                if rows.is_empty() && self.mode != PlanMode::RefreshOnly {
                    continue;
                }
                resource::drift_head(&mut body, self, drift, Mark::Change);
                self.write_rows(&mut body, &rows, 3, &|_| None);
            }
            shown.add(module, body);
        }
        if !shown.is_empty() {
            self.heading(text, "Changed outside of this program:");
            shown.write(text, self.painter);
            text.push('\n');
        }
        if quiet > 0 {
            let differ = if quiet == 1 { "differs" } else { "differ" };
            let objects = counted(quiet, "object");
            let note = format!(
                "{objects} {differ} from the state without effect on this plan (`--refresh-only` shows how).\n\n"
            );
            text.push_str(&note);
        }
    }

    fn changes(&self, text: &mut String) {
        let causes = Causes::of(self.changes, self.program);
        let mut tree = ModuleTree::default();
        for change in self.changes {
            if change.action == Action::NoOp {
                continue;
            }
            let body = self.change(change, &causes);
            tree.add(&change.address.resource.module, body);
        }
        if !tree.is_empty() {
            tree.write(text, self.painter);
            text.push('\n');
        }
    }

    fn change(&self, change: &ResourceChange, causes: &Causes<'_>) -> String {
        let mut text = String::new();
        resource::head(&mut text, self, change);
        let occasion = match change.action {
            Action::Delete | Action::Forget | Action::NoOp => return text,
            Action::Create | Action::Read => Occasion::Creation,
            Action::Update => Occasion::Difference,
            Action::DeleteThenCreate | Action::CreateThenDelete => Occasion::Replacement,
        };
        let declared = self.program.position(&change.address);
        let arguments = declared.map(|position| &self.program.resources()[position].arguments);
        let sides = (&*change.before, &*change.after);
        let rows = self.rows(sides, arguments, occasion, Some(change.schema.ty()));
        self.write_rows(&mut text, &rows, 3, &|row| causes.note(change, row));
        text
    }

    fn rows(
        &self,
        (before, after): (&Marked, &Marked),
        arguments: Option<&terrane_core::Expr>,
        occasion: Occasion,
        ty: Option<&Type>,
    ) -> Vec<Row> {
        let [hidden_before, hidden_after] = match self.secrets {
            Secrets::Hidden => Hidden::of_each([before, after]),
            Secrets::Shown => Default::default(),
        };
        let comparison = Comparison {
            before: Side {
                hidden: &hidden_before,
                arguments: None,
            },
            after: Side {
                hidden: &hidden_after,
                arguments,
            },
            occasion,
        };
        comparison.rows(&before.value, &after.value, ty)
    }

    fn write_rows(
        &self,
        text: &mut String,
        rows: &[Row],
        depth: usize,
        note: &dyn Fn(&Row) -> Option<String>,
    ) {
        for row in rows {
            let (sign, tone) = sign(row.mark);
            let sign = self.painter.paint(tone, sign);
            let indent = "  ".repeat(depth);
            let _ = write!(text, "{indent}{sign} {}", row.label);
            if !row.text.is_empty() {
                let equals = match row.label.is_empty() {
                    true => "",
                    false if row.text.starts_with("(json") || row.text.starts_with("(line") => " ",
                    false => " = ",
                };
                let _ = write!(text, "{equals}{}", row.text);
            }
            if let Some(note) = note(row) {
                let _ = write!(text, "  {}", self.painter.paint(Tone::Replace, &note));
            }
            text.push('\n');
            self.write_rows(text, &row.inside, depth + 2, &|_| None);
        }
    }

    fn outputs(&self, text: &mut String) {
        let changed: Vec<&OutputChange> = self
            .outputs
            .iter()
            .filter(|output| output.action() != Action::NoOp)
            .collect();
        if changed.is_empty() {
            return;
        }
        let exports = self.program.exports().iter();
        let exports: HashMap<_, _> = exports
            .map(|export| (&export.name, &export.value))
            .collect();
        self.heading(text, "Outputs:");
        for output in changed {
            let absent = Marked::default();
            let sides = (
                output.before.as_ref().unwrap_or(&absent),
                output.after.as_ref().unwrap_or(&absent),
            );
            let value = exports.get(&output.name).copied();
            let mut rows = self.rows(sides, value, Occasion::Difference, None);
            for row in &mut rows {
                let dot = !row.label.is_empty() && !row.label.starts_with('[');
                let dot = if dot { "." } else { "" };
                row.label = format!("{}{dot}{}", one_line(&output.name), row.label);
            }
            self.write_rows(text, &rows, 1, &|_| None);
        }
        text.push('\n');
    }

    fn totals(&self) -> String {
        let summary = Summary::of(self.changes);
        let mut text = format!("{}\n", plan_totals(&summary));
        let unchanged = self.changes.len()
            - (summary.create + summary.update + summary.replace)
            - (summary.delete + summary.read + summary.forget);
        let mut more = Vec::new();
        if summary.replace > 0 {
            more.push(format!(
                "{} replaced (counted as added and destroyed)",
                summary.replace
            ));
        }
        if summary.read > 0 {
            more.push(format!(
                "{} read during apply",
                counted(summary.read, "data source")
            ));
        }
        if unchanged > 0 {
            more.push(format!("{unchanged} unchanged"));
        }
        if !more.is_empty() {
            let line = self.painter.paint(Tone::Faint, &more.join(", "));
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

/// The sentence that tools look for. A replacement counts as added and as destroyed.
pub(crate) fn plan_totals(summary: &Summary) -> String {
    let forget = match summary.forget {
        0 => String::new(),
        count => format!(", {count} to forget"),
    };
    format!(
        "Plan: {} to add, {} to change, {} to destroy{forget}.",
        summary.create + summary.replace,
        summary.update,
        summary.delete + summary.replace,
    )
}

fn refresh_totals(drifted: usize) -> String {
    match drifted {
        0 => "No changes. The state matches the real objects.".to_owned(),
        count => format!(
            "Refresh: {} to record in the state.",
            counted(count, "change")
        ),
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
