//! Walks the step graph.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::value::JsonError;
use terrane_core::{Diagnostic, Diagnostics, Marked, Program, Scope, Value};
use terrane_provider::Provider;
use terrane_state::model::{Lineage, OutputValue};
use terrane_state::{Change, DeposedKey, RawJson, RecordError, Recorder};

use super::Applied;
use crate::change::{Action, ResourceChange, Summary};
use crate::config;
use crate::engine::Host;
use crate::event::{Event, Step, StepKind};
use crate::first_plans::FirstPlans;
use crate::object::Subject;
use crate::opener::Opener;
use crate::options::PlanMode;
use crate::plan::closure::Closures;
use crate::plan::data::stored_answer;
use crate::plan::inputs::serving_change;
use crate::plan::planner::deduplicated;
use crate::plan::{Plan, outputs};
use crate::running::RunningProviders;
use crate::scope::Objects;
use crate::steps::Work;
use crate::stop::StopFlag;
use crate::walk::{Resting, Visit, walk};

/// The state of one applying walk.
pub(crate) struct Applier<'a> {
    pub(super) program: &'a Program,
    pub(super) plan: &'a Plan,
    pub(super) recorder: &'a dyn Recorder,
    pub(super) running: &'a RunningProviders<'a>,
    pub(super) host: Host<'a>,
    stop: StopFlag,
    /// The state's, for owner tags.
    pub(super) lineage: Lineage,
    pub(super) objects: Objects<'a>,
    pub(super) closures: Closures,
    /// Under which key the old half of a create-before-destroy waits.
    pub(super) deposed: RefCell<HashMap<usize, DeposedKey>>,
    pub(super) warnings: RefCell<Diagnostics>,
    /// Positions of instances that are not as planned: what their objects will be is only a plan still.
    unfinished: RefCell<HashSet<usize>>,
    /// Positions of instances whose planned object this run has made.
    published: RefCell<HashSet<usize>>,
    /// The changes of declared instances, by position.
    changes: HashMap<usize, usize>,
    applied: RefCell<Applied>,
    /// Steps whose provider has answered and whose results are not durable yet.
    pub(super) resting: Resting,
}

/// What exports may say: nothing of what did not come about.
struct Finished<'a, 'b>(&'a Applier<'b>);

impl Scope for Finished<'_, '_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let applier = self.0;
        let position = applier.program.position(address)?;
        if applier.unfinished.borrow().contains(&position) {
            return Some(Arc::new(Marked::plain(Value::UNKNOWN)));
        }
        applier.objects.get(position)
    }
}

/// The declared instances at this moment of the run: those that it has not changed yet are as before.
struct Present<'a, 'b>(&'a Applier<'b>);

impl Scope for Present<'_, '_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let applier = self.0;
        let position = applier.program.position(address)?;
        if let Some(read) = applier.pending_answer(position) {
            let stored = applier.recorder.instance(address);
            let stored = stored.as_ref().and_then(|stored| stored.current.as_ref());
            let answer = stored.and_then(|stored| stored_answer(stored, &read.schema));
            return Some(Arc::new(Marked::plain(answer.unwrap_or(Value::UNKNOWN))));
        }
        if !applier.published.borrow().contains(&position)
            && let Some(&change) = applier.changes.get(&position)
        {
            let change = &applier.plan.changes[change];
            if change.action == Action::Update || change.action.is_replace() {
                return Some(change.before.clone());
            }
        }
        applier.objects.get(position)
    }
}

fn declared_changes(program: &Program, plan: &Plan) -> HashMap<usize, usize> {
    let current = plan.changes.iter().enumerate();
    let current = current.filter(|(_, change)| change.deposed.is_none());
    current
        .filter_map(|(index, change)| Some((program.position(&change.address)?, index)))
        .collect()
}

/// The provider that serves a step.
struct Serving {
    provider: Arc<dyn Provider>,
    first_plans: Rc<FirstPlans>,
    /// It is certain that it looks where the object is.
    is_certain: bool,
}

/// Why a step failed.
pub(super) enum StepError {
    /// It failed, for these reasons.
    Failed(Diagnostics),
    /// The same, and the outcome of the operation is unknown.
    Unknown(Diagnostics),
    /// The journal could not take it. The run must not start anything more.
    Unrecorded(RecordError),
}

impl From<Diagnostics> for StepError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Failed(diagnostics)
    }
}

impl From<Diagnostic> for StepError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(diagnostic.into())
    }
}

impl From<RecordError> for StepError {
    fn from(error: RecordError) -> Self {
        Self::Unrecorded(error)
    }
}

impl<'a> Applier<'a> {
    pub(crate) fn new(
        program: &'a Program,
        plan: &'a Plan,
        recorder: &'a dyn Recorder,
        running: &'a RunningProviders<'a>,
        host: Host<'a>,
        stop: StopFlag,
    ) -> Self {
        Self {
            program,
            plan,
            recorder,
            running,
            host,
            stop,
            lineage: recorder.state().lineage,
            objects: Objects::with(program, plan.objects.clone()),
            closures: Closures::new(program),
            deposed: RefCell::default(),
            warnings: RefCell::default(),
            unfinished: RefCell::default(),
            published: RefCell::default(),
            changes: declared_changes(program, plan),
            applied: RefCell::default(),
            resting: Resting::default(),
        }
    }

    pub(crate) async fn apply(self, parallelism: usize) -> Applied {
        self.record_refreshed();
        let graph = self.plan.steps.graph();
        self.host.events.emit(Event::ApplyStarted {
            total: self.plan.steps.len(),
        });
        let this = &self;
        let walk = walk(
            &graph,
            parallelism,
            &this.resting,
            |node| this.run(node),
            |node| this.skip(node),
        );
        this.running.renewing(walk).await;
        let closed = this.running.close_ephemerals().await;
        this.take_said(closed);
        if self.applied.borrow().record_error.is_none() {
            self.forget_answers();
            self.record_outputs().await;
        }
        let mut applied = self.applied.into_inner();
        applied.interrupted = self.stop.is_stopped() && applied.record_error.is_none();
        // Providers repeat in the final plan what they said in the first.
        let said = self.plan.diagnostics.iter().cloned();
        let warnings = deduplicated(said.chain(self.warnings.into_inner()).collect());
        let warnings = warnings.into_iter().skip(self.plan.diagnostics.len());
        let errors = std::mem::take(&mut applied.diagnostics);
        applied.diagnostics = warnings.chain(errors).collect();
        applied
    }

    /// The refreshed objects are recorded with the changes that rest on them.
    fn record_refreshed(&self) {
        for change in self.plan.learnt() {
            self.recorder.change(change);
        }
    }

    /// A destroy keeps the answers that providers are configured with until nothing is left to destroy.
    fn forget_answers(&self) {
        let left = self.recorder.state().resources;
        let is_data = |address: &InstanceAddr| address.resource.mode == Mode::Data;
        if self.plan.mode == PlanMode::Destroy && left.keys().all(is_data) {
            left.keys().for_each(|address| self.forget(address));
        }
    }

    /// Exports whose values are known now. One that rests on something that failed keeps its old value.
    async fn record_outputs(&self) {
        let before = self.recorder.state().outputs;
        let mut after: BTreeMap<Arc<str>, OutputValue> = BTreeMap::new();
        if self.plan.mode == PlanMode::Destroy {
            if !self.recorder.state().resources.is_empty() {
                after.clone_from(&before);
            }
        } else {
            for export in self.program.exports() {
                let evaluated = outputs::evaluate(
                    &export.value,
                    &Finished(self),
                    export.location,
                    self.running,
                )
                .await;
                let value = match evaluated {
                    Ok(marked) if marked.value.is_wholly_known() => marked,
                    Ok(_) => {
                        after.extend(
                            before
                                .get_key_value(&export.name)
                                .map(|(k, v)| (k.clone(), v.clone())),
                        );
                        continue;
                    }
                    Err(diagnostics) => {
                        self.applied.borrow_mut().diagnostics.extend(diagnostics);
                        continue;
                    }
                };
                match stored(&value) {
                    Ok(stored) => {
                        after.insert(export.name.clone(), stored);
                    }
                    Err(error) => {
                        let unstorable = Diagnostic::error(format!(
                            "the export `{}` cannot be stored: {error}",
                            export.name
                        ));
                        let mut applied = self.applied.borrow_mut();
                        applied
                            .diagnostics
                            .push(unstorable.location(export.location));
                    }
                }
            }
        }
        if after != before {
            self.recorder.change(Change::Outputs(after));
        }
    }

    fn step(&self, index: usize, change: &ResourceChange, kind: StepKind) -> Step {
        Step {
            index,
            address: change.address.clone(),
            deposed: change.deposed,
            kind,
        }
    }

    fn skip(&self, node: usize) {
        let Work::Change { change, kind } = self.plan.steps.steps()[node].work else {
            return;
        };
        self.applied.borrow_mut().skipped += 1;
        self.leave_unfinished(change, kind);
        let step = self.step(node, &self.plan.changes[change], kind);
        self.host.events.emit(Event::StepSkipped(step));
    }

    fn leave_unfinished(&self, change: usize, kind: StepKind) {
        let address = &self.plan.changes[change].address;
        if matches!(kind, StepKind::Create | StepKind::Update | StepKind::Read)
            && let Some(position) = self.program.position(address)
        {
            self.unfinished.borrow_mut().insert(position);
        }
    }

    async fn run(&self, node: usize) -> Visit {
        let Work::Change {
            change: index,
            kind,
        } = self.plan.steps.steps()[node].work
        else {
            return Visit::Done;
        };
        if self.stop.is_stopped() {
            self.skip(node);
            return Visit::Failed;
        }
        let change = &self.plan.changes[index];
        let step = self.step(node, change, kind);
        self.host.events.emit(Event::StepStarted(step.clone()));
        let started = self.host.clock.monotonic();
        let result = self.perform(index, change, kind).await;
        let elapsed = self.host.clock.monotonic().saturating_sub(started);
        let mut applied = self.applied.borrow_mut();
        match result {
            Ok(id) => {
                applied.succeeded += 1;
                count(&mut applied.done, change.action, kind);
                self.host.events.emit(Event::StepDone { step, elapsed, id });
                Visit::Done
            }
            Err(error) => {
                applied.failed += 1;
                self.leave_unfinished(index, kind);
                let diagnostics = match error {
                    StepError::Failed(diagnostics) => diagnostics,
                    StepError::Unknown(diagnostics) => {
                        applied.unknown.push(change.address.as_ref().clone());
                        diagnostics
                    }
                    StepError::Unrecorded(error) => {
                        // Nothing may be asked of a cloud that cannot be recorded.
                        self.stop.set();
                        let diagnostic =
                            Diagnostic::error(error.to_string()).address(&change.address);
                        applied.record_error.get_or_insert(error);
                        diagnostic.into()
                    }
                };
                applied.diagnostics.extend(diagnostics.clone());
                self.host.events.emit(Event::StepFailed {
                    step,
                    elapsed,
                    diagnostics,
                });
                Visit::Failed
            }
        }
    }

    /// Does one step; the object's id afterwards.
    async fn perform(
        &self,
        index: usize,
        change: &ResourceChange,
        kind: StepKind,
    ) -> Result<Option<String>, StepError> {
        if kind == StepKind::Forget {
            self.forget(&change.address);
            return Ok(None);
        }
        let serving = self.provider(change, kind).await?;
        let subject = Subject {
            provider: &*serving.provider,
            source: &change.provider.source,
            schema: &change.schema,
            address: &change.address,
            location: change.location,
            warnings: &self.warnings,
            events: self.host.events,
        };
        match kind {
            StepKind::Create | StepKind::Update => {
                let first_plans = &serving.first_plans;
                self.create_or_update(index, change, &subject, first_plans)
                    .await
            }
            StepKind::Delete => {
                let is_certain = serving.is_certain;
                let destroyed = self.destroy(index, change, &subject, is_certain).await;
                destroyed.map(|()| None)
            }
            StepKind::Read => self.read(change, &subject).await.map(|()| None),
            StepKind::Forget => Ok(None),
        }
    }

    fn forget(&self, address: &InstanceAddr) {
        self.recorder.change(Change::Instance {
            address: address.clone(),
            instance: None,
        });
    }

    /// The configured provider that serves a change; configured anew when its configuration has become known, or has changed, only now.
    async fn provider(
        &self,
        change: &ResourceChange,
        kind: StepKind,
    ) -> Result<Serving, Diagnostics> {
        let position = serving_change(self.program, change)
            .expect("invariant: planning refuses changes that no configured provider serves");
        let config = &self.program.providers()[position];
        if config.dependencies.is_empty()
            && let Some(running) = self.running.configured(&config.address)
        {
            return Ok(Serving {
                provider: running.provider,
                first_plans: running.first_plans,
                is_certain: true,
            });
        }
        self.opener().needed(&config.dependencies).await?;
        let configured = match kind {
            // What goes may go before anything of this run has come about.
            StepKind::Delete => {
                let present = Present(self);
                self.running.configure_as_declared(config, &present).await
            }
            _ => {
                let planned = &self.objects;
                self.running.configure_as_declared(config, planned).await
            }
        };
        let configured = configured?;
        self.warnings.borrow_mut().extend(configured.warnings);
        let waits = |position: &usize| self.pending_answer(*position).is_some();
        let is_certain =
            configured.config.value.is_wholly_known() && !config.dependencies.iter().any(waits);
        Ok(Serving {
            provider: configured.provider,
            first_plans: configured.first_plans,
            is_certain,
        })
    }

    /// Opens what an operation needs.
    pub(super) fn opener(&self) -> Opener<'_> {
        Opener {
            program: self.program,
            running: self.running,
            objects: &self.objects,
            warnings: &self.warnings,
        }
    }

    /// Takes in what was said about the run as a whole.
    fn take_said(&self, said: Diagnostics) {
        for diagnostic in said {
            if diagnostic.is_error() {
                self.applied.borrow_mut().diagnostics.push(diagnostic);
            } else {
                self.warnings.borrow_mut().push(diagnostic);
            }
        }
    }

    /// A data source that is still to be read in this run.
    fn pending_answer(&self, position: usize) -> Option<&ResourceChange> {
        let change = &self.plan.changes[*self.changes.get(&position)?];
        let pending = change.action == Action::Read && !self.published.borrow().contains(&position);
        pending.then_some(change)
    }

    /// Lets dependents see what an instance is now.
    pub(super) fn publish(&self, subject: &Subject<'_>, value: Value, config: &config::Config) {
        if let Some(position) = self.program.position(subject.address) {
            let marked = subject.marked(value, &config.sensitive);
            self.objects.set(position, Arc::new(marked));
            self.published.borrow_mut().insert(position);
        }
    }
}

/// An exported value as states store it.
fn stored(export: &Marked) -> Result<OutputValue, JsonError> {
    let ty = export.value.implied_type();
    let json = export.value.to_json(&ty)?;
    Ok(OutputValue {
        value: RawJson::new(&json).expect("invariant: our own writer writes valid JSON"),
        ty,
        sensitive: export.is_sensitive(),
        extra: Arc::default(),
    })
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
