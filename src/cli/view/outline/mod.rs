//! A plan as people see it, whatever the format: what comes first, what nests, what folds, and the cause of each change.
//!
//! One place decides that; text and Markdown only lay it out. All texts in it are safe on one line of a terminal.

mod brief;
mod causes;
mod deferred;
mod entry;
mod place;
#[cfg(test)]
pub(crate) mod samples;
mod tags;
mod tree;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Pattern};
use terrane_core::{Expr, ImportBy, Marked, Program, Type};
use terrane_engine::{
    Action, DeferredChange, DeferredModule, Drift, Invocation, Move, OutputChange, Plan, PlanMode,
    ResourceChange, Summary, Unread,
};

use super::diff::{Comparison, Kind, Occasion, Row, Side};
use super::hidden::Hidden;
use super::printable::{counted, one_line};
use super::{Secrets, ShownPlan};
pub(crate) use brief::Brief;
use causes::Causes;
pub(crate) use deferred::{DeferredGroup, heading as deferred_heading};
pub(crate) use entry::{Entry, id, sign_of, verb_of};
pub(crate) use place::Place;
pub(crate) use tree::{ModuleTree, Node};

/// How much of each change is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Details {
    /// Creations fold to a line each, and tags that say nothing to people are left out.
    Folded,
    /// Every argument of every change.
    All,
}

impl Details {
    /// As `--details` says.
    pub(crate) fn all(all: bool) -> Self {
        if all { Self::All } else { Self::Folded }
    }
}

/// A plan as it is shown.
pub(crate) struct Outline {
    pub(crate) mode: PlanMode,
    /// Objects that changed outside of the program and matter for this plan.
    pub(crate) drift: ModuleTree<Entry>,
    /// How many more differ from the state without effect on this plan.
    pub(crate) quiet_drift: usize,
    /// Sentences about what is recorded without an operation: new addresses, and objects that existed before.
    pub(crate) taken_over: Vec<String>,
    /// Objects that the plan changes.
    pub(crate) changes: ModuleTree<Entry>,
    /// A line for each action that is invoked: which, and around which operation.
    pub(crate) invocations: Vec<String>,
    /// Changes that are planned later in the run, under their reasons.
    pub(crate) deferred: Vec<DeferredGroup>,
    /// Objects that are lost, in the order of the plan: deletions and replacements with their causes.
    pub(crate) dangers: Vec<Danger>,
    /// Changes of exported values.
    pub(crate) outputs: Vec<Row>,
    /// The totals as the sentences that end it.
    pub(crate) totals: Totals,
}

/// An existing object that is destroyed, or destroyed and made anew.
pub(crate) struct Danger {
    pub(crate) action: Action,
    pub(crate) address: String,
    pub(crate) id: Option<String>,
    /// Why, as far as that is known.
    pub(crate) why: Option<String>,
    pub(crate) location: Option<terrane_core::Location>,
}

/// The totals of a plan.
pub(crate) struct Totals {
    /// None for a plan that changes nothing.
    pub(crate) summary: Option<Summary>,
    /// The sentence that tools look for.
    pub(crate) sentence: String,
    /// What people ask next: replaced, read during apply, unchanged.
    pub(crate) more: Option<String>,
    /// What is folded, and the flag that unfolds it.
    pub(crate) folded: Option<String>,
}

/// The parts that an outline is made from.
pub(crate) struct Subject<'a> {
    pub(crate) mode: PlanMode,
    pub(crate) changes: &'a [ResourceChange],
    pub(crate) drift: &'a [Drift],
    pub(crate) deferred: &'a [DeferredChange],
    pub(crate) deferred_modules: &'a [DeferredModule],
    pub(crate) outputs: &'a [OutputChange],
    /// Objects under another address.
    pub(crate) moves: &'a [Move],
    /// Objects that the program imports, and by what.
    pub(crate) adoptions: &'a [(Arc<InstanceAddr>, String)],
    /// Actions that are invoked.
    pub(crate) invocations: Vec<Invocation>,
    /// Objects of which the state was trusted.
    pub(crate) unread: Option<Unread>,
    pub(crate) program: &'a Program,
    pub(crate) secrets: Secrets,
    pub(crate) details: Details,
}

impl Outline {
    /// Of a plan that is to be shown.
    pub(crate) fn of(shown: &ShownPlan<'_>, details: Details) -> Self {
        Subject::of(shown, details).outline()
    }

    /// Every argument of a plan, without lines of the source: it stays the same until the plan changes.
    pub(crate) fn still(plan: &Plan, program: &Program) -> Self {
        let subject = Subject::of_plan(plan, program, Secrets::Hidden, Details::All);
        let mut outline = subject.outline();
        let without_line = |entry: &mut Entry| entry.location = None;
        outline.drift.each(&mut { without_line });
        outline.changes.each(&mut { without_line });
        for change in outline.deferred.iter_mut().flat_map(|one| &mut one.changes) {
            change.location = None;
        }
        outline
    }

    /// The same of some of its changes, with every argument.
    pub(crate) fn of_some(shown: &ShownPlan<'_>, which: &Pattern) -> Self {
        let is_meant = |change: &ResourceChange| which.matches(&change.address);
        Subject::of(shown, Details::All).outline_of(&is_meant)
    }

    /// The sentence about drift that does not matter for the plan.
    pub(crate) fn quiet_drift(&self) -> Option<String> {
        let verb = match self.quiet_drift {
            0 => return None,
            1 => "differs",
            _ => "differ",
        };
        let objects = counted(self.quiet_drift, "object");
        Some(format!(
            "{objects} {verb} from the state without effect on this plan"
        ))
    }
}

impl<'a> Subject<'a> {
    fn of(shown: &'a ShownPlan<'a>, details: Details) -> Self {
        Self::of_plan(shown.plan, shown.program, shown.secrets, details)
    }

    fn of_plan(plan: &'a Plan, program: &'a Program, secrets: Secrets, details: Details) -> Self {
        let Plan {
            mode,
            changes,
            drift,
            deferred,
            deferred_modules,
            outputs,
            moves,
            adoptions,
            unread,
            ..
        } = plan;
        Self {
            mode: *mode,
            changes,
            drift,
            deferred,
            deferred_modules,
            outputs,
            moves,
            adoptions,
            invocations: plan.invocations(program),
            unread: *unread,
            program,
            secrets,
            details,
        }
    }

    /// The outline of these parts.
    pub(crate) fn outline(&self) -> Outline {
        self.outline_of(&|_| true)
    }

    /// The same of some of the changes.
    fn outline_of(&self, is_shown: &dyn Fn(&ResourceChange) -> bool) -> Outline {
        let (drift, quiet_drift) = self.drift();
        let only_reads = self.mode == PlanMode::RefreshOnly;
        let mut folded = Folded::default();
        let (changes, dangers) = match only_reads {
            true => Default::default(),
            false => self.changes(&mut folded, is_shown),
        };
        Outline {
            mode: self.mode,
            drift,
            quiet_drift,
            taken_over: self.taken_over(),
            changes,
            invocations: self.invocations(),
            deferred: deferred::grouped(self.deferred, self.deferred_modules),
            dangers,
            outputs: self.outputs(),
            totals: self.totals(&folded),
        }
    }

    fn taken_over(&self) -> Vec<String> {
        if self.mode == PlanMode::RefreshOnly {
            return Vec::new();
        }
        let moves = self.moves.iter().map(|moved| {
            let (from, to) = (moved.from.to_string(), moved.to.to_string());
            format!("{} moved from {}", one_line(&to), one_line(&from))
        });
        let secret_ids = self.secret_ids();
        let adoptions = self.adoptions.iter().map(|(address, by)| {
            let by = match secret_ids.contains(&**address) {
                true => "a sensitive id".to_owned(),
                false => one_line(by),
            };
            format!("{} imported by {by}", one_line(&address.to_string()))
        });
        moves.chain(adoptions).collect()
    }

    /// Objects that are imported by an id which is a secret of theirs: that of a `random_password` is the password.
    fn secret_ids(&self) -> HashSet<&InstanceAddr> {
        if self.adoptions.is_empty() || self.secrets == Secrets::Shown {
            return HashSet::new();
        }
        let changes = self.changes.iter();
        let imported = changes.filter(|change| {
            let id = imported_id(self.program, &change.address);
            id.is_some_and(|id| Hidden::is_secret_of(&change.before, id))
        });
        imported.map(|change| &*change.address).collect()
    }

    fn invocations(&self) -> Vec<String> {
        let line = |one: &Invocation| {
            let (action, address) = (one_line(&one.action), one.address.to_string());
            format!("{action}  {} of {}", one.when, one_line(&address))
        };
        self.invocations.iter().map(line).collect()
    }

    fn drift(&self) -> (ModuleTree<Entry>, usize) {
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
            let is_gone = drift.after.value.is_null();
            if self.mode == PlanMode::Normal && !is_gone && !matters.contains(&*drift.address) {
                quiet += 1;
                continue;
            }
            let rows = match is_gone {
                true => Vec::new(),
                false => self.rows(
                    (&drift.before, &drift.after),
                    None,
                    Occasion::Drift,
                    Some(drift.schema.ty()),
                ),
            };
            if rows.is_empty() && !is_gone && self.mode != PlanMode::RefreshOnly {
                continue;
            }
            let module = &drift.address.resource.module;
            shown.add(module, Entry::of_drift(drift, rows));
        }
        (shown, quiet)
    }

    fn changes(
        &self,
        folded: &mut Folded,
        is_shown: &dyn Fn(&ResourceChange) -> bool,
    ) -> (ModuleTree<Entry>, Vec<Danger>) {
        let causes = Causes::of(self.changes, self.program);
        let mut tree = ModuleTree::default();
        let mut dangers = Vec::new();
        for change in self.changes {
            if change.action == Action::NoOp || !is_shown(change) {
                continue;
            }
            let rows = self.change(change, &causes, folded);
            let mut entry = Entry::of_change(change, rows);
            if change.action.destroys() {
                let cause = causes.of_replacement(change);
                dangers.push(entry.danger(cause));
            }
            if self.details == Details::Folded && entry.folds() {
                let brief = Brief::of(&entry.rows, |path| self.is_set(change, path));
                folded.creations += usize::from(brief.left_out > 0);
                entry.brief = Some(brief);
            }
            tree.add(&change.address.resource.module, entry);
        }
        (tree, dangers)
    }

    fn arguments(&self, change: &ResourceChange) -> Option<&Expr> {
        let position = self.program.position(&change.address)?;
        Some(&self.program.resources()[position].arguments)
    }

    /// Whether the program sets that argument.
    fn is_set(&self, change: &ResourceChange, path: &terrane_core::Path) -> bool {
        let side = Side {
            hidden: Hidden::NOTHING,
            arguments: self.arguments(change),
        };
        side.argument(path).is_some()
    }

    fn change(
        &self,
        change: &ResourceChange,
        causes: &Causes<'_>,
        folded: &mut Folded,
    ) -> Vec<Row> {
        let occasion = match change.action {
            Action::Delete | Action::Forget | Action::NoOp => return Vec::new(),
            Action::Create | Action::Read => Occasion::Creation,
            Action::Update => Occasion::Difference,
            Action::DeleteThenCreate | Action::CreateThenDelete => Occasion::Replacement,
        };
        let sides = (&*change.before, &*change.after);
        let arguments = self.arguments(change);
        let mut rows = self.rows(sides, arguments, occasion, Some(change.schema.ty()));
        causes.annotate(change, &mut rows);
        if self.details == Details::Folded && tags::fold(&mut rows) {
            folded.owner_tags += 1;
        }
        rows
    }

    fn rows(
        &self,
        (before, after): (&Marked, &Marked),
        arguments: Option<&Expr>,
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
            kind: Kind::Object,
        };
        comparison.rows(&before.value, &after.value, ty)
    }

    fn outputs(&self) -> Vec<Row> {
        let exports = self.program.exports().iter();
        let exports: HashMap<_, _> = exports
            .map(|export| (&export.name, &export.value))
            .collect();
        let mut all = Vec::new();
        for output in self.outputs {
            if output.action() == Action::NoOp {
                continue;
            }
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
            all.append(&mut rows);
        }
        all
    }

    fn deferred_count(&self) -> usize {
        self.deferred.len() + self.deferred_modules.len()
    }

    /// Whether there is nothing to do.
    fn is_empty(&self) -> bool {
        let changes = self.changes.iter();
        let outputs = self.outputs.iter();
        self.moves.is_empty()
            && self.adoptions.is_empty()
            && self.deferred_count() == 0
            && changes.map(|change| change.action).all(is_nothing)
            && outputs.map(OutputChange::action).all(is_nothing)
    }

    fn totals(&self, folded: &Folded) -> Totals {
        if self.mode == PlanMode::RefreshOnly {
            return Totals {
                summary: (!self.drift.is_empty()).then(Summary::default),
                sentence: refresh_totals(self.drift.len()),
                more: None,
                folded: None,
            };
        }
        if self.is_empty() {
            let sentence = match self.mode {
                PlanMode::Destroy => "No changes. No objects need to be destroyed.",
                _ => "No changes. Your infrastructure matches the configuration.",
            };
            return Totals {
                summary: None,
                sentence: sentence.to_owned(),
                more: self.unread.map(unread_text),
                folded: None,
            };
        }
        let summary = Summary::of(self.changes);
        let unchanged = self.changes.iter();
        let unchanged = unchanged.filter(|change| is_nothing(change.action)).count();
        let reads = counted(summary.read, "data source");
        let parts = [
            (
                summary.replace,
                format!(
                    "{} replaced (counted as added and destroyed)",
                    summary.replace
                ),
            ),
            (summary.read, format!("{reads} read during apply")),
            (self.moves.len(), format!("{} moved", self.moves.len())),
            (
                self.adoptions.len(),
                format!("{} imported", self.adoptions.len()),
            ),
            (unchanged, format!("{unchanged} unchanged")),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts = parts.map(|(_, text)| text);
        let parts: Vec<String> = parts.chain(self.unread.map(unread_text)).collect();
        Totals {
            summary: Some(summary),
            sentence: plan_totals(&summary, self.deferred_count()),
            more: (!parts.is_empty()).then(|| parts.join(", ")),
            folded: folded.sentence(),
        }
    }
}

/// What is left out of an outline.
#[derive(Default)]
struct Folded {
    creations: usize,
    owner_tags: usize,
}

impl Folded {
    fn sentence(&self) -> Option<String> {
        let tags = format!("the owner tags of {}", counted(self.owner_tags, "object"));
        let arguments = format!("arguments of {}", counted(self.creations, "resource"));
        let what = match (self.creations, self.owner_tags) {
            (0, 0) => return None,
            (0, _) => tags,
            (_, 0) => arguments,
            (_, _) => format!("{arguments} and {tags}"),
        };
        Some(format!("Not shown: {what} (`--details` shows all)"))
    }
}

/// The id by which the program imports an object.
fn imported_id<'a>(program: &'a Program, address: &InstanceAddr) -> Option<&'a str> {
    let adoption = program.adoption(program.position(address)?)?;
    match &adoption.by {
        ImportBy::Id(id) => Some(id),
        ImportBy::Identity(_) => None,
    }
}

fn is_nothing(action: Action) -> bool {
    action == Action::NoOp
}

/// The sentence that tools look for. A replacement counts as added and as destroyed.
pub(crate) fn plan_totals(summary: &Summary, deferred: usize) -> String {
    let deferred = match deferred {
        0 => String::new(),
        count => format!(", {count} deferred"),
    };
    let forget = match summary.forget {
        0 => String::new(),
        count => format!(", {count} to forget"),
    };
    format!(
        "Plan: {} to add, {} to change, {} to destroy{forget}{deferred}.",
        summary.create + summary.replace,
        summary.update,
        summary.delete + summary.replace,
    )
}

/// The objects of which the state was trusted, and how old that is.
fn unread_text(Unread { objects, since }: Unread) -> String {
    match since {
        None => format!("{objects} not read"),
        Some(since) => format!("{objects} not read since {since}"),
    }
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
