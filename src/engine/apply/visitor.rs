//! Visits one step of the applying walk: does its operation, records it, and returns a finding.
//!
//! Only here the journal is written: the intent before the provider is called, the result after it has answered. A finding says what
//! is recorded already.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostic, Diagnostics, Marked, ResourceId, Value};
use terrane_provider::Provider;
use terrane_state::{Change, DeposedKey, RecordError};

use super::inputs::Inputs;
use super::known::{Known, Present};
use crate::change::{ChangeId, ResourceChange};
use crate::config::Config;
use crate::event::StepKind;
use crate::first_plans::FirstPlans;
use crate::meta::meta_for;
use crate::object::Subject;
use crate::opener::Opener;
use crate::plan::inputs::serving_change;
use crate::plan::untouched::{brought_up_to_date, is_untouched};

/// The result of one step; the fold takes it into the run's.
#[derive(Default)]
pub(super) struct Finding {
    /// The object that references to the instance mean from now on; also of a step that failed.
    pub(super) object: Option<Arc<Marked>>,
    /// The object's id, for people to find it by.
    pub(super) id: Option<String>,
    /// Under which key the old half of a create-before-destroy waits.
    pub(super) deposed: Option<DeposedKey>,
    /// Warnings.
    pub(super) warnings: Diagnostics,
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

/// The provider that serves a step.
struct Serving {
    provider: Arc<dyn Provider>,
    first_plans: Rc<FirstPlans>,
    /// It is certain that it looks where the object is.
    is_certain: bool,
}

/// The visit of one step.
pub(super) struct Visitor<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) known: &'a Known<'a>,
    /// The step's own warnings.
    pub(super) warnings: RefCell<Diagnostics>,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, known: &'a Known<'a>) -> Self {
        let warnings = RefCell::default();
        Self {
            inputs,
            known,
            warnings,
        }
    }

    /// Does one operation.
    pub(super) async fn operation(
        self,
        id: ChangeId,
        kind: StepKind,
    ) -> (Finding, Result<(), StepError>) {
        let mut finding = Finding::default();
        let change = &self.inputs.plan.changes[id];
        let result = self.perform(id, change, kind, &mut finding).await;
        finding.warnings = self.warnings.into_inner();
        (finding, result)
    }

    async fn perform(
        &self,
        id: ChangeId,
        change: &ResourceChange,
        kind: StepKind,
        finding: &mut Finding,
    ) -> Result<(), StepError> {
        if kind == StepKind::Forget {
            self.inputs.forget(&change.address);
            return Ok(());
        }
        self.act_before(change, kind).await?;
        self.operate(id, change, kind, finding).await?;
        self.act_after(change, kind, finding).await
    }

    /// The operation itself, without the actions around it.
    async fn operate(
        &self,
        id: ChangeId,
        change: &ResourceChange,
        kind: StepKind,
        finding: &mut Finding,
    ) -> Result<(), StepError> {
        let serving = self.provider(change, kind).await?;
        let subject = Subject {
            provider: &*serving.provider,
            source: &change.provider.source,
            schema: &change.schema,
            address: &change.address,
            location: change.location,
            warnings: &self.warnings,
            deferred: None,
            meta: meta_for(
                self.inputs.program,
                &change.address,
                &change.provider.source,
            ),
            events: self.inputs.host.events,
        };
        match kind {
            StepKind::Create | StepKind::Update => {
                let first_plans = &serving.first_plans;
                self.create_or_update(change, &subject, first_plans, finding)
                    .await?;
                self.note_reading(change);
                Ok(())
            }
            StepKind::Delete => {
                let is_certain = serving.is_certain;
                self.destroy(id, change, &subject, is_certain).await
            }
            StepKind::Read => self.read(change, &subject, finding).await,
            StepKind::Forget => Ok(()),
        }
    }

    /// Remembers that a made object is as its provider has just described it.
    fn note_reading(&self, change: &ResourceChange) {
        let Some(memory) = self.inputs.running.memory() else {
            return;
        };
        let program = self.inputs.program;
        let position = serving_change(program, change);
        let instance = self.inputs.recorder.instance(&change.address);
        if let (Some(position), Some(instance)) = (position, instance)
            && let Some(object) = &instance.current
        {
            let source = &program.providers()[position].address.source;
            memory.note_reading(source, &change.address, object);
        }
    }

    /// Opens the ephemeral resources that an operation needs.
    pub(super) fn opener(&self) -> Opener<'_> {
        Opener {
            program: self.inputs.program,
            running: self.inputs.running,
            objects: &self.known.objects,
            warnings: &self.warnings,
        }
    }

    /// Records the dependencies of an instance without an operation, where the program has others than the state. All that they name is
    /// as planned by now.
    pub(super) fn keep(&self, id: ResourceId) {
        let resource = &self.inputs.program.resources()[id];
        let object = self.known.objects.get(id);
        if !is_untouched(resource, self.inputs.change(id), object.as_deref()) {
            return;
        }
        let Some(instance) = self.inputs.recorder.instance(&resource.address) else {
            return;
        };
        if let Some(changed) = brought_up_to_date(id, &instance, &self.known.lists) {
            self.inputs.recorder.change(Change::Instance {
                address: resource.address.as_ref().clone(),
                instance: Some(Arc::new(changed)),
            });
        }
    }

    /// The configured provider that serves a change; configured anew when its configuration has become known, or has changed, only now.
    async fn provider(
        &self,
        change: &ResourceChange,
        kind: StepKind,
    ) -> Result<Serving, Diagnostics> {
        let (program, running) = (self.inputs.program, self.inputs.running);
        let position = serving_change(program, change)
            .expect("invariant: planning refuses changes that no configured provider serves");
        let config = &program.providers()[position];
        if config.dependencies.is_empty()
            && let Some(running) = running.configured(&config.address).await?
        {
            return Ok(Serving {
                provider: running.provider,
                first_plans: running.first_plans,
                is_certain: true,
            });
        }
        self.opener().needed(&config.dependencies).await?;
        let configured = match kind {
            // A delete may come before anything else of this run.
            StepKind::Delete => {
                let (inputs, known) = (self.inputs, self.known);
                let present = Present { inputs, known };
                running.configure_as_declared(config, &present).await
            }
            _ => {
                let planned = &self.known.objects;
                running.configure_as_declared(config, planned).await
            }
        };
        let configured = configured?;
        self.warnings.borrow_mut().extend(configured.warnings);
        let waits = |&id: &ResourceId| self.known.pending_answer(self.inputs, id).is_some();
        let is_certain =
            configured.config.value.is_wholly_known() && !config.dependencies.iter().any(waits);
        Ok(Serving {
            provider: configured.provider,
            first_plans: configured.first_plans,
            is_certain,
        })
    }
}

impl Finding {
    /// Notes the present object of an instance.
    pub(super) fn publish(&mut self, subject: &Subject<'_>, value: Value, config: &Config) {
        let marked = subject.marked(value, &config.sensitive);
        self.object = Some(Arc::new(marked));
    }
}

impl Inputs<'_> {
    /// Takes an instance out of the state.
    pub(super) fn forget(&self, address: &InstanceAddr) {
        self.recorder.change(Change::Instance {
            address: address.clone(),
            instance: None,
        });
    }
}
