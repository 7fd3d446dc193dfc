//! Walks the step graph: one visit a step, and a fold over their findings.

use std::cell::RefCell;
use std::collections::HashSet;

use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::{Diagnostic, Diagnostics, ResourceId};
use terrane_provider::about;

use super::inputs::Inputs;
use super::known::Known;
use super::visitor::{Finding, StepError, Visitor};
use super::{Applied, exports};
use crate::change::{Action, ChangeId, Summary};
use crate::event::{Event, Step, StepKind};
use crate::options::PlanMode;
use crate::steps::{StepId, StepNode};
use crate::walk::{Visit, walk};

/// Walks over the inputs of an apply.
pub(crate) struct Applier<'a> {
    inputs: Inputs<'a>,
}

/// The findings of the steps that have ended, beside what other steps refer to.
struct Fold {
    applied: Applied,
    warnings: Diagnostics,
    /// The texts of those and of the plan's: providers repeat in the final plan what they said in the first.
    said: HashSet<String>,
}

/// One operation of the step graph.
#[derive(Clone, Copy)]
struct Operation {
    step: StepId,
    change: ChangeId,
    kind: StepKind,
}

impl<'a> Applier<'a> {
    pub(crate) fn new(inputs: Inputs<'a>) -> Self {
        Self { inputs }
    }

    pub(crate) async fn apply(self, parallelism: usize) -> Applied {
        let inputs = &self.inputs;
        // The refreshed objects are recorded with the changes that rest on them.
        for change in inputs.plan.learnt() {
            inputs.recorder.change(change);
        }
        inputs.host.events.emit(Event::ApplyStarted {
            total: inputs.plan.steps.len(),
        });
        let known = Known::new(inputs);
        let fold = RefCell::new(Fold::new(&inputs.plan.diagnostics));
        let (this, known_so_far, folded) = (&self, &known, &fold);
        let graph = inputs.plan.steps.graph();
        let walk = walk(
            &graph,
            parallelism,
            &inputs.resting,
            |node| this.visit(node, known_so_far, folded),
            |node| this.skip(node, known_so_far, folded),
        );
        inputs.running.renewing(walk).await;
        let closed = inputs.running.close_ephemerals().await;
        let mut fold = fold.into_inner();
        let (errors, warnings) = closed.into_iter().partition(Diagnostic::is_error);
        fold.applied.diagnostics.extend::<Diagnostics>(errors);
        fold.warn(warnings);
        fold.finish(inputs, &known).await
    }

    async fn visit(&self, node: StepNode, known: &Known<'_>, fold: &RefCell<Fold>) -> Visit {
        let inputs = &self.inputs;
        let operation = match node {
            StepNode::Junction => return Visit::Done,
            StepNode::Keep(id) => {
                if !inputs.stop.is_stopped() {
                    Visitor::new(inputs, known).keep(id);
                }
                return Visit::Done;
            }
            StepNode::Operation { step, change, kind } => Operation { step, change, kind },
        };
        if inputs.stop.is_stopped() {
            self.skip(node, known, fold);
            return Visit::Failed;
        }
        let step = operation.step(inputs);
        inputs.host.events.emit(Event::StepStarted(step.clone()));
        let started = inputs.host.clock.monotonic();
        let visitor = Visitor::new(inputs, known);
        let operated = visitor.operation(operation.change, operation.kind);
        let (finding, result) = about(step.address.clone(), operated).await;
        let elapsed = inputs.host.clock.monotonic().saturating_sub(started);
        let id = finding.id.clone();
        let taken = fold
            .borrow_mut()
            .take(operation, finding, result, inputs, known);
        match taken {
            Ok(warnings) => {
                inputs.host.events.emit(Event::StepDone {
                    step,
                    elapsed,
                    id,
                    warnings,
                });
                Visit::Done
            }
            Err(diagnostics) => {
                inputs.host.events.emit(Event::StepFailed {
                    step,
                    elapsed,
                    diagnostics,
                });
                Visit::Failed
            }
        }
    }

    fn skip(&self, node: StepNode, known: &Known<'_>, fold: &RefCell<Fold>) {
        let StepNode::Operation { step, change, kind } = node else {
            return;
        };
        let operation = Operation { step, change, kind };
        fold.borrow_mut().applied.skipped += 1;
        operation.leave_unfinished(&self.inputs, known);
        let skipped = Event::StepSkipped(operation.step(&self.inputs));
        self.inputs.host.events.emit(skipped);
    }
}

impl Operation {
    fn step(self, inputs: &Inputs<'_>) -> Step {
        let change = &inputs.plan.changes[self.change];
        Step {
            id: self.step,
            address: change.address.clone(),
            deposed: change.deposed,
            kind: self.kind,
        }
    }

    /// The declared instance that it is about.
    fn declared(self, inputs: &Inputs<'_>) -> Option<ResourceId> {
        let address = &inputs.plan.changes[self.change].address;
        inputs.program.position(address)
    }

    fn leave_unfinished(self, inputs: &Inputs<'_>, known: &Known<'_>) {
        let makes = matches!(
            self.kind,
            StepKind::Create | StepKind::Update | StepKind::Read
        );
        if let Some(id) = self.declared(inputs).filter(|_| makes) {
            known.leave_unfinished(id);
        }
    }
}

impl Fold {
    fn new(said: &Diagnostics) -> Self {
        Self {
            applied: Applied::default(),
            warnings: Diagnostics::new(),
            said: said.iter().map(ToString::to_string).collect(),
        }
    }

    /// Takes warnings into the result, and returns those that are new.
    fn warn(&mut self, warnings: Diagnostics) -> Diagnostics {
        let is_new = |warning: &Diagnostic| self.said.insert(warning.to_string());
        let new: Diagnostics = warnings.into_iter().filter(is_new).collect();
        self.warnings.extend(new.clone());
        new
    }

    /// Takes a finding into the result; the new warnings of a step, or the errors of one that failed.
    fn take(
        &mut self,
        operation: Operation,
        finding: Finding,
        result: Result<(), StepError>,
        inputs: &Inputs<'_>,
        known: &Known<'_>,
    ) -> Result<Diagnostics, Diagnostics> {
        let change = &inputs.plan.changes[operation.change];
        if let (Some(object), Some(id)) = (finding.object, operation.declared(inputs)) {
            known.publish(id, object);
        }
        if let Some(key) = finding.deposed {
            known.set_deposed(operation.change, key);
        }
        let warnings = self.warn(finding.warnings);
        let applied = &mut self.applied;
        let Err(error) = result else {
            applied.succeeded += 1;
            let action = match inputs.plan.old_object_stays(change) {
                // The plan that destroys it counts that.
                true => Action::Create,
                false => change.action,
            };
            count(&mut applied.done, action, operation.kind);
            return Ok(warnings);
        };
        applied.failed += 1;
        operation.leave_unfinished(inputs, known);
        let diagnostics = match error {
            StepError::Failed(diagnostics) => diagnostics,
            StepError::Unknown(diagnostics) => {
                applied.unknown.push(change.address.as_ref().clone());
                diagnostics
            }
            StepError::Unrecorded(error) => {
                // Nothing may be asked of a cloud that cannot be recorded.
                inputs.stop.set();
                let diagnostic = Diagnostic::error(error.to_string()).address(&change.address);
                applied.record_error.get_or_insert(error);
                diagnostic.into()
            }
        };
        applied.diagnostics.extend(diagnostics.clone());
        Err(diagnostics)
    }

    async fn finish(mut self, inputs: &Inputs<'_>, known: &Known<'_>) -> Applied {
        if self.applied.record_error.is_none() {
            forget_answers(inputs);
            exports::record(inputs, known, &mut self.applied.diagnostics).await;
        }
        let mut applied = self.applied;
        applied.interrupted = inputs.stop.is_stopped() && applied.record_error.is_none();
        let errors = std::mem::take(&mut applied.diagnostics);
        applied.diagnostics = self.warnings.into_iter().chain(errors).collect();
        applied
    }
}

/// A destroy keeps the answers that providers are configured with until nothing is left to destroy.
fn forget_answers(inputs: &Inputs<'_>) {
    let left = inputs.recorder.state().resources;
    let is_data = |address: &InstanceAddr| address.resource.mode == Mode::Data;
    if inputs.plan.mode == PlanMode::Destroy && left.keys().all(is_data) {
        left.keys().for_each(|address| inputs.forget(address));
    }
}

/// Counts a finished step as plans count; a replacement when its second half is done.
fn count(done: &mut Summary, action: Action, kind: StepKind) {
    match (action, kind) {
        (Action::DeleteThenCreate, StepKind::Create)
        | (Action::CreateThenDelete, StepKind::Delete) => {
            done.replace += 1;
        }
        (Action::DeleteThenCreate | Action::CreateThenDelete, _) => {}
        (_, StepKind::Create) => done.create += 1,
        (_, StepKind::Update) => done.update += 1,
        (_, StepKind::Delete) => done.delete += 1,
        (_, StepKind::Read) => done.read += 1,
        (_, StepKind::Forget) => done.forget += 1,
    }
}
