//! What became of each stack: a table for people, a comment for a pull request, a document for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use terrane_core::Diagnostics;
use terrane_engine::{Action, Plan, Summary};
use terrane_fleet::{Deployments, FleetResults, StackId, StackResult};

use crate::error::exit_of;
use crate::exit_code::Exit;
use crate::view::markdown::stacks::{CommentRow, comment};
use crate::view::printable::{counted, elapsed, one_line};
use crate::view::text::painter::Painter;
use crate::view::text::stacks::{StackLine, stack_table};

/// The command that is told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Preview,
    Run,
}

/// All stacks of a command.
pub(super) struct Report {
    rows: Vec<Row>,
    /// Exports that change, and who uses them.
    touches: Vec<String>,
    told: Told,
}

struct Row {
    name: String,
    level: usize,
    summary: Option<Summary>,
    outcome: String,
    status: Status,
    exit: Exit,
    took: Option<Duration>,
    diagnostics: Diagnostics,
    plan: String,
}

/// The end of the work on a stack, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Unchanged,
    Planned,
    Done,
    Failed,
    Skipped,
    NotBegun,
}

impl Report {
    /// Of the results of a command, with the texts of plans, and why `--deny` refuses some. `readable` makes diagnostics of a stack fit to be
    /// shown.
    pub(super) fn of(
        deployments: &Deployments,
        results: &FleetResults,
        told: Told,
        took: impl Fn(StackId) -> Option<Duration>,
        (plans, denied): (&BTreeMap<StackId, String>, &BTreeMap<StackId, Diagnostics>),
        readable: impl Fn(&str, Diagnostics) -> Diagnostics,
    ) -> Self {
        let order = deployments.order();
        let mut touches = Vec::new();
        let rows = results.iter().map(|(&id, result)| {
            let (summary, mut outcome, mut status, mut exit, mut diagnostics) = match result {
                StackResult::Previewed(previewed) => {
                    touches.extend(touched(deployments, id, &previewed.plan));
                    let refused = previewed.refusals().count();
                    let (outcome, status, exit) = match (refused, previewed.is_empty()) {
                        (0, true) => ("no changes".to_owned(), Status::Unchanged, Exit::DONE),
                        (0, false) => ("to apply".to_owned(), Status::Planned, Exit::CHANGES),
                        (count, _) => {
                            let broken = if count == 1 { "policy" } else { "policies" };
                            let outcome = format!("refused by {count} {broken}");
                            (outcome, Status::Failed, Exit::DENIED)
                        }
                    };
                    let diagnostics = previewed.diagnostics.clone();
                    (
                        Some(previewed.summary()),
                        outcome,
                        status,
                        exit,
                        diagnostics,
                    )
                }
                StackResult::Deployed(deployed) => {
                    let (outcome, status) = match deployed.plan.is_empty() {
                        true => ("no changes", Status::Unchanged),
                        false => ("done", Status::Done),
                    };
                    let (outcome, diagnostics) = (outcome.to_owned(), deployed.diagnostics.clone());
                    (
                        Some(deployed.summary()),
                        outcome,
                        status,
                        Exit::DONE,
                        diagnostics,
                    )
                }
                StackResult::Failed(error) => {
                    let done = error.deployed().map(|deployed| deployed.summary());
                    let outcome = match error.deployed() {
                        Some(_) => error.to_string(),
                        None => "failed".to_owned(),
                    };
                    (
                        done,
                        outcome,
                        Status::Failed,
                        exit_of(error),
                        error.diagnostics(),
                    )
                }
                StackResult::Skipped(cause) => {
                    // The code is that of the failure.
                    let outcome = format!("skipped: {} failed", order.name(*cause));
                    (
                        None,
                        outcome,
                        Status::Skipped,
                        Exit::DONE,
                        Diagnostics::new(),
                    )
                }
                StackResult::NotBegun => {
                    let outcome = "not begun".to_owned();
                    (
                        None,
                        outcome,
                        Status::NotBegun,
                        Exit::INTERRUPTED,
                        Diagnostics::new(),
                    )
                }
            };
            if let Some(why) = denied.get(&id) {
                outcome = "refused by `--deny`".to_owned();
                (status, exit) = (Status::Failed, Exit::DENIED);
                diagnostics = match result {
                    StackResult::Failed(_) => why.clone(),
                    _ => diagnostics.into_iter().chain(why.clone()).collect(),
                };
            }
            let diagnostics = readable(order.name(id), diagnostics);
            Row {
                name: order.name(id).to_string(),
                level: order.level(id),
                plan: plans.get(&id).cloned().unwrap_or_default(),
                took: took(id),
                summary,
                outcome,
                status,
                exit,
                diagnostics,
            }
        });
        let mut rows: Vec<Row> = rows.collect();
        rows.sort_by_key(|row| row.level);
        Self {
            rows,
            touches,
            told,
        }
    }

    /// The code of the stack that went worst; changes count as such only where that was asked for.
    pub(super) fn exit(&self, detailed: bool) -> Exit {
        let exits = self.rows.iter().map(|row| match row.exit {
            Exit::CHANGES if !detailed => Exit::DONE,
            exit => exit,
        });
        exits.fold(Exit::DONE, Exit::worse_of)
    }

    /// Whether any plan would change something.
    pub(super) fn has_changes(&self) -> bool {
        self.rows.iter().any(|row| row.status == Status::Planned)
    }

    /// The diagnostics of each stack, with its name.
    pub(super) fn diagnostics(&self) -> impl Iterator<Item = (&str, &Diagnostics)> {
        let rows = self.rows.iter().filter(|row| !row.diagnostics.is_empty());
        rows.map(|row| (&*row.name, &row.diagnostics))
    }

    /// The table, what changed exports touch, and one sentence.
    pub(super) fn text(&self, painter: Painter) -> String {
        let lines: Vec<StackLine> = self
            .rows
            .iter()
            .map(|row| StackLine {
                name: one_line(&row.name),
                summary: row.summary,
                outcome: one_line(&row.outcome),
                took: row.took.map(elapsed).unwrap_or_default(),
            })
            .collect();
        let mut text = stack_table(&lines, painter);
        for touch in &self.touches {
            let _ = writeln!(text, "\n{touch}");
        }
        let _ = writeln!(text, "\n{}", self.sentence());
        text
    }

    /// `Apply complete! 3 stacks: 2 done, 1 unchanged.`
    fn sentence(&self) -> String {
        let count = |status| self.rows.iter().filter(|row| row.status == status).count();
        let words = [
            (Status::Planned, "to apply"),
            (Status::Done, "done"),
            (Status::Unchanged, "unchanged"),
            (Status::Failed, "failed"),
            (Status::Skipped, "skipped"),
            (Status::NotBegun, "not begun"),
        ];
        let parts = words.iter().map(|&(status, word)| (count(status), word));
        let parts: Vec<String> = parts
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let stacks = counted(self.rows.len(), "stack");
        match parts.is_empty() {
            true => format!("{stacks}."),
            false => format!("{stacks}: {}.", parts.join(", ")),
        }
    }

    /// The comment of a pull request.
    pub(super) fn comment(&self, fleet: &str) -> String {
        let rows = self.rows.iter().map(|row| CommentRow {
            name: &row.name,
            level: row.level,
            summary: row.summary,
            outcome: &row.outcome,
            is_failure: matches!(
                row.status,
                Status::Failed | Status::Skipped | Status::NotBegun
            ),
            plan: &row.plan,
            diagnostics: &row.diagnostics,
        });
        let rows: Vec<_> = rows.collect();
        comment(fleet, &self.sentence(), &self.touches, &rows)
    }

    /// The document of `--json`.
    pub(super) fn json(&self) -> serde_json::Value {
        let stacks = self.rows.iter().map(|row| {
            let summary = row.summary.unwrap_or_default();
            serde_json::json!({
                "stack": row.name,
                "level": row.level,
                "status": row.status,
                "outcome": row.outcome,
                "changes": {
                    "add": summary.create,
                    "change": summary.update,
                    "replace": summary.replace,
                    "remove": summary.delete,
                },
                "seconds": row.took.map(|took| took.as_secs_f64()),
                "diagnostics": row.diagnostics.iter().map(|it| it.summary.clone()).collect::<Vec<_>>(),
            })
        });
        serde_json::json!({
            "stacks": stacks.collect::<Vec<_>>(),
            "touches": self.touches,
            "is_preview": self.told == Told::Preview,
        })
    }
}

/// The exports that a plan changes and that other stacks use, in words.
fn touched(deployments: &Deployments, producer: StackId, plan: &Plan) -> Vec<String> {
    let order = deployments.order();
    let changed = plan
        .outputs
        .iter()
        .filter(|it| matches!(it.action(), Action::Update | Action::Delete));
    let touched = changed.filter_map(|output| {
        let users = deployments.users(producer, &output.name);
        let users: Vec<String> = users.map(|id| order.name(id).to_string()).collect();
        let verb = match output.action() {
            Action::Delete => "goes",
            _ => "changes",
        };
        let name = order.name(producer);
        (!users.is_empty()).then(|| {
            let users = users.join(", ");
            one_line(&format!(
                "the export `{}` of {name} {verb}: {users} use it",
                output.name
            ))
        })
    });
    touched.collect()
}
