//! The result of an operation, as text for snapshots and with words for assertions.

use std::fmt::Write as _;

use terrane_core::{Diagnostics, Marked, Path, Program, Value};
use terrane_engine::{Action, Applied, Event, Plan, Reason, Recovered, ResourceChange, Step};
use terrane_state::journal::Record;

use crate::show;

/// The result of an operation.
pub struct Run {
    /// The program, unless it was refused.
    pub program: Option<Program>,
    planned: Option<Plan>,
    /// How the unresolved operations of earlier runs were recovered.
    pub recovered: Recovered,
    /// How applying the plan ended; `None` when there was none or it was only a preview.
    pub applied: Option<Applied>,
    /// Everything that was emitted.
    pub events: Vec<Event>,
    /// Everything that was recorded.
    pub records: Vec<Record>,
    diagnostics: Diagnostics,
}

impl Run {
    pub(crate) fn refused(diagnostics: Diagnostics) -> Self {
        Self {
            program: None,
            planned: None,
            recovered: Recovered::default(),
            applied: None,
            events: Vec::new(),
            records: Vec::new(),
            diagnostics,
        }
    }

    pub(crate) fn new(
        program: Program,
        recovered: Recovered,
        result: Result<(Plan, Option<Applied>), Diagnostics>,
        events: Vec<Event>,
        records: Vec<Record>,
    ) -> Self {
        match result {
            Err(diagnostics) => Self {
                program: Some(program),
                recovered,
                events,
                records,
                ..Self::refused(diagnostics)
            },
            Ok((plan, applied)) => {
                let mut diagnostics = plan.diagnostics.clone();
                diagnostics.extend(applied.iter().flat_map(|a| a.diagnostics.clone()));
                Self {
                    program: Some(program),
                    planned: Some(plan),
                    recovered,
                    applied,
                    events,
                    records,
                    diagnostics,
                }
            }
        }
    }

    /// Nothing went wrong.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert!(
            !self.diagnostics.has_errors(),
            "it failed:\n{}\n\n{}",
            self.steps(),
            self.diagnostics()
        );
        self
    }

    /// Something went wrong.
    #[track_caller]
    pub fn fails(self) -> Self {
        assert!(
            self.diagnostics.has_errors(),
            "it succeeded:\n{}",
            self.steps()
        );
        self
    }

    /// There was nothing to do.
    #[track_caller]
    pub fn changes_nothing(self) -> Self {
        let run = self.succeeds();
        assert!(
            run.made_plan().is_empty(),
            "there is a plan:\n{}",
            run.plan()
        );
        run
    }

    /// The plan itself.
    #[track_caller]
    pub fn made_plan(&self) -> &Plan {
        self.planned.as_ref().expect("a plan was made")
    }

    /// The planned change of an address that is not a deposed object.
    #[track_caller]
    pub fn change(&self, address: &str) -> &ResourceChange {
        self.made_plan()
            .changes
            .iter()
            .find(|change| change.deposed.is_none() && change.address.to_string() == address)
            .expect("a change of that address")
    }

    /// The plan, a line for each object that changes.
    pub fn plan(&self) -> String {
        let plan = self.made_plan();
        let mut lines: Vec<String> = Vec::new();
        for drift in &plan.drift {
            let changed = difference(&drift.before, &drift.after);
            lines.push(format!("drift {}{changed}", drift.address));
        }
        let changes = plan.changes.iter().filter(|c| c.action != Action::NoOp);
        lines.extend(changes.map(change_line));
        let deferred = plan.deferred.iter();
        lines.extend(deferred.map(|deferred| format!("later {}: {deferred}", deferred.address)));
        let modules = plan.deferred_modules.iter();
        lines.extend(modules.map(|module| format!("later {}: {module}", module.address)));
        for output in &plan.outputs {
            if output.action() == Action::NoOp {
                continue;
            }
            let show = |value: &Option<Marked>| match value {
                Some(marked) if marked.is_sensitive() => "(sensitive)".to_owned(),
                Some(marked) => show::value(&marked.value),
                None => "none".to_owned(),
            };
            lines.push(format!(
                "output {}: {} -> {}",
                output.name,
                show(&output.before),
                show(&output.after)
            ));
        }
        lines.join("\n")
    }

    /// The recovery of unresolved operations, a line each.
    pub fn recovery(&self) -> String {
        let action = |action| format!("{action:?}").to_lowercase();
        let resolved = self.recovered.resolved.iter().map(|resolved| {
            let (address, what) = (&resolved.address, action(resolved.action));
            format!(
                "{address}: {what}: {:?} ({})",
                resolved.how, resolved.evidence
            )
        });
        let remaining = self.recovered.remaining.iter().map(|unresolved| {
            let intent = &unresolved.open.intent;
            let (address, what) = (&intent.address, action(intent.action));
            format!("{address}: {what} unresolved: {}", unresolved.doubt)
        });
        resolved.chain(remaining).collect::<Vec<_>>().join("\n")
    }

    /// The finished steps, in order.
    pub fn steps(&self) -> String {
        let lines = self.events.iter().filter_map(|event| match event {
            Event::StepDone { step, .. } => Some(format!("{}: done", step_text(step))),
            Event::StepFailed {
                step, diagnostics, ..
            } => {
                let why: Vec<&str> = diagnostics
                    .iter()
                    .filter(|diagnostic| diagnostic.is_error())
                    .map(|diagnostic| diagnostic.summary.as_str())
                    .collect();
                Some(format!("{}: failed: {}", step_text(step), why.join("; ")))
            }
            Event::StepSkipped(step) => Some(format!("{}: skipped", step_text(step))),
            _ => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The diagnostics; without source lines, for they move with the test.
    pub fn diagnostics(&self) -> String {
        show::diagnostics(&self.diagnostics)
    }

    /// The place of a step among those that were done; to check orders.
    #[track_caller]
    pub fn place(&self, step: &str) -> usize {
        let steps = self.steps();
        let line = format!("{step}: done");
        steps
            .lines()
            .position(|done| done == line)
            .unwrap_or_else(|| panic!("`{step}` was not done:\n{steps}"))
    }

    /// One step was done before another.
    #[track_caller]
    pub fn ordered(self, steps: &[&str]) -> Self {
        let places: Vec<usize> = steps.iter().map(|step| self.place(step)).collect();
        assert!(places.is_sorted(), "not in that order:\n{}", self.steps());
        self
    }
}

fn step_text(step: &Step) -> String {
    let kind = format!("{:?}", step.kind).to_lowercase();
    let deposed = if step.deposed.is_some() {
        " (deposed)"
    } else {
        ""
    };
    format!("{kind} {}{deposed}", step.address)
}

fn change_line(change: &ResourceChange) -> String {
    let symbol = match change.action {
        Action::NoOp => " ",
        Action::Create => "+",
        Action::Read => "<=",
        Action::Update => "~",
        Action::DeleteThenCreate => "-/+",
        Action::CreateThenDelete => "+/-",
        Action::Delete => "-",
        Action::Forget => ".",
    };
    let deposed = if change.deposed.is_some() {
        " (deposed)"
    } else {
        ""
    };
    let mut line = format!("{symbol} {}{deposed}", change.address);
    if let Some(reason) = change.reason
        && reason != Reason::ReplaceBecauseCannotUpdate
    {
        let _ = write!(line, " [{reason:?}]");
    }
    match change.action {
        Action::Update => {
            line += &difference(&change.before, &change.after);
            if change.before.sensitive != change.after.sensitive {
                line += " (sensitivity)";
            }
        }
        Action::DeleteThenCreate | Action::CreateThenDelete => {
            let paths: Vec<String> = change.replace_paths.iter().map(Path::to_string).collect();
            if !paths.is_empty() {
                let _ = write!(line, " forced by {}", paths.join(", "));
            }
        }
        _ => {}
    }
    line
}

/// The members that differ.
fn difference(before: &Marked, after: &Marked) -> String {
    let (Some(old), Some(new)) = (before.value.members(), after.value.members()) else {
        return if after.value.is_null() { " gone" } else { "" }.to_owned();
    };
    let hidden = |name: &str| {
        let path = Path::root().attribute(name);
        let marks = before.sensitive.iter().chain(&after.sensitive);
        marks
            .into_iter()
            .any(|mark| mark.contains(&path) || path.contains(mark))
    };
    let mut text = String::new();
    for (name, new) in new {
        let old = old.get(name).unwrap_or(&Value::Null);
        if old == new {
            continue;
        }
        if hidden(name) {
            let _ = write!(text, " {name}: (sensitive)");
        } else {
            let _ = write!(
                text,
                " {name}: {} -> {}",
                show::value(old),
                show::value(new)
            );
        }
    }
    text
}
