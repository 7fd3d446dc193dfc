//! What a summary says about a plan, in full: totals, losses, costs, policies.

use serde::Serialize;
use terrane_core::Location;
use terrane_core::policy::{Enforcement, PolicyOutcome, PolicyReport};
use terrane_cost::Estimate;
use terrane_engine::{Action, OutputChange};

use crate::view::ShownPlan;
use crate::view::digest;
use crate::view::json::number;
use crate::view::outline::{Danger, Details, Outline};
use crate::view::text::policies::place;

/// A command is whole or missing.
pub(super) const COMMAND: usize = 1000;
/// Findings of one policy that are named.
const FINDINGS: usize = 3;
/// Losses and policies that are kept of a plan: more never have room.
pub(super) const KEPT: usize = 60;

/// What a summary says about a plan, in full.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) mode: &'static str,
    pub(super) made_at: String,
    pub(super) sha256: String,
    pub(super) place: String,
    pub(super) apply: Option<String>,
    pub(super) saved: Option<(String, String)>,
    pub(super) has_changes: bool,
    pub(super) is_partial: bool,
    pub(super) totals: Totals,
    pub(super) losses: (Vec<Loss>, usize),
    pub(super) cost: Option<Cost>,
    pub(super) policies: Policies,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Totals {
    pub(super) create: usize,
    pub(super) update: usize,
    pub(super) replace: usize,
    pub(super) delete: usize,
    pub(super) read: usize,
    pub(super) forget: usize,
    pub(super) deferred: usize,
    pub(super) unchanged: usize,
    pub(super) outputs: usize,
    pub(super) drifted: usize,
    pub(super) moved: usize,
    pub(super) imported: usize,
}

impl Totals {
    /// Of both plans. What stays, or differs from the state, the second one has seen as well.
    fn and(self, next: Self) -> Self {
        Self {
            create: self.create + next.create,
            update: self.update + next.update,
            replace: self.replace + next.replace,
            delete: self.delete + next.delete,
            read: self.read + next.read,
            forget: self.forget + next.forget,
            deferred: next.deferred,
            moved: self.moved + next.moved,
            imported: self.imported + next.imported,
            ..self
        }
    }
}

#[derive(Debug)]
pub(super) struct Loss {
    pub(super) action: Action,
    pub(super) address: String,
    pub(super) id: Option<String>,
    pub(super) why: Option<String>,
    pub(super) location: Option<Location>,
}

#[derive(Debug)]
pub(super) struct Cost {
    pub(super) date: String,
    pub(super) currency: String,
    pub(super) before: f64,
    pub(super) after: f64,
    pub(super) change: f64,
    /// Resources whose cost changes, the largest change first.
    pub(super) changes: (Vec<(String, f64)>, usize),
    pub(super) not_priced: usize,
}

#[derive(Debug)]
pub(super) struct Policies {
    pub(super) failed: usize,
    pub(super) advisory_failed: usize,
    pub(super) undecided: usize,
    pub(super) passed: usize,
    /// The failed ones, mandatory before advisory.
    pub(super) failing: (Vec<Failing>, usize),
}

#[derive(Debug)]
pub(super) struct Failing {
    pub(super) name: String,
    pub(super) enforcement: &'static str,
    pub(super) findings: Vec<String>,
    pub(super) count: usize,
    pub(super) hint: Option<String>,
}

impl Facts {
    /// Of a plan.
    pub(super) fn of(shown: &ShownPlan<'_>) -> Self {
        let plan = shown.plan;
        let outline = Outline::of(shown, Details::Folded);
        let digest = shown.digest();
        let summary = plan.summary();
        let unchanged = plan.changes.iter();
        let unchanged = unchanged.filter(|change| change.action == Action::NoOp);
        let outputs = plan.outputs.iter().map(OutputChange::action);
        Self {
            mode: digest::mode(plan.mode),
            made_at: shown.made_at.to_string(),
            sha256: digest.sha256.to_string(),
            place: digest.place.clone(),
            apply: shown.command().filter(|command| command.len() <= COMMAND),
            saved: shown
                .saved
                .map(|saved| (saved.file.clone(), saved.digest.clone())),
            has_changes: !plan.is_empty(),
            is_partial: shown.is_partial,
            totals: Totals {
                create: summary.create,
                update: summary.update,
                replace: summary.replace,
                delete: summary.delete,
                read: summary.read,
                forget: summary.forget,
                deferred: plan.deferred_count(),
                unchanged: unchanged.count(),
                outputs: outputs.filter(|action| *action != Action::NoOp).count(),
                drifted: plan.drift.len(),
                moved: plan.moves.len(),
                imported: plan.adoptions.len(),
            },
            losses: kept(outline.dangers.iter().map(loss)),
            cost: shown.cost.map(Cost::of),
            policies: Policies::of(shown.policies),
        }
    }

    /// The same with the changes of the plan that continues this one.
    pub(super) fn and(&mut self, next: Self) {
        self.totals = self.totals.and(next.totals);
        self.has_changes |= next.has_changes;
        self.losses.0.extend(next.losses.0);
        self.losses.1 += next.losses.1;
        self.policies = next.policies;
        if next.cost.is_some() {
            self.cost = next.cost;
        }
    }
}

/// The first of them, and how many more there are.
pub(super) fn kept<T>(all: impl Iterator<Item = T>) -> (Vec<T>, usize) {
    let mut all = all.fuse();
    let first: Vec<T> = all.by_ref().take(KEPT).collect();
    (first, all.count())
}

fn loss(danger: &Danger) -> Loss {
    Loss {
        action: danger.action,
        address: danger.address.clone(),
        id: danger.id.clone(),
        why: danger.why.clone(),
        location: danger.location,
    }
}

impl Cost {
    fn of(estimate: &Estimate) -> Self {
        let mut changed: Vec<_> = estimate
            .resources
            .iter()
            .filter(|resource| resource.change().0 != 0)
            .collect();
        changed.sort_by_key(|resource| std::cmp::Reverse(resource.change().0.abs()));
        let changed = changed.iter();
        Self {
            date: estimate.date.clone(),
            currency: estimate.currency.clone(),
            before: number(estimate.before()),
            after: number(estimate.after()),
            change: number(estimate.change()),
            changes: kept(
                changed.map(|resource| (resource.address.to_string(), number(resource.change()))),
            ),
            not_priced: estimate.not_priced.len(),
        }
    }
}

impl Policies {
    fn of(reports: &[PolicyReport]) -> Self {
        let is = |outcome, enforcement: Option<Enforcement>| {
            let reports = reports.iter();
            reports
                .filter(|report| {
                    report.outcome() == outcome
                        && enforcement.is_none_or(|it| it == report.enforcement)
                })
                .count()
        };
        let failing = |enforcement| {
            let reports = reports.iter();
            reports.filter(move |report| {
                report.outcome() == PolicyOutcome::Failed && report.enforcement == enforcement
            })
        };
        let all = failing(Enforcement::Mandatory).chain(failing(Enforcement::Advisory));
        Self {
            failed: is(PolicyOutcome::Failed, Some(Enforcement::Mandatory)),
            advisory_failed: is(PolicyOutcome::Failed, Some(Enforcement::Advisory)),
            undecided: is(PolicyOutcome::Undecided, None),
            passed: is(PolicyOutcome::Passed, None),
            failing: kept(all.map(Failing::of)),
        }
    }
}

impl Failing {
    fn of(report: &PolicyReport) -> Self {
        let findings = report.violations.iter().take(FINDINGS);
        let findings = findings.map(|finding| match place(finding) {
            Some(place) => format!("{place}: {}", finding.message),
            None => finding.message.clone(),
        });
        Self {
            name: report.name.to_string(),
            enforcement: report.enforcement.as_str(),
            findings: findings.chain(report.fault.clone()).collect(),
            count: report.violations.len(),
            hint: report.hint.as_ref().map(ToString::to_string),
        }
    }
}
