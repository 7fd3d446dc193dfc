//! Visits one node of the planning walk: from the inputs and the results so far to a finding.

use std::cell::{Cell, Ref, RefCell};
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode, ProviderConfigAddr};
use terrane_core::schema::Schema;
use terrane_core::{
    Diagnostics, IdVec, Marked, Program, ProviderId, ResourceId, ResourceInstance, Value,
};
use terrane_state::{DeposedKey, Instance, Timestamp};

use super::configuring::Present;
use super::deferred::{DeferredChange, Readiness, ReadinessOf};
use super::inputs::Inputs;
use crate::change::{Action, Drift, ResourceChange};
use crate::config::{self, Config};
use crate::event::Event;
use crate::newer;
use crate::object::{Loaded, Subject};
use crate::options::PlanMode;
use crate::scope::{Objects, PlannedObjects};

/// The results that nodes need of the nodes before them. Only the fold writes here, once a node has ended.
pub(super) struct Known<'a> {
    pub(super) objects: Objects<'a>,
    facts: RefCell<Facts>,
}

/// The change of each declared instance that was planned.
pub(super) type DeclaredChanges = IdVec<ResourceId, Option<ResourceChange>>;

/// Facts beside the objects.
struct Facts {
    /// Why an instance's object may not be as it says.
    doubts: IdVec<ResourceId, Option<Arc<str>>>,
    /// Why a provider may look in the wrong place.
    provider_doubts: IdVec<ProviderId, Option<Arc<str>>>,
    changes: DeclaredChanges,
    /// Instances that are planned later.
    deferred: IdVec<ResourceId, bool>,
    readiness: ReadinessOf,
}

impl<'a> Known<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        Self {
            objects: Objects::new(program),
            facts: RefCell::new(Facts {
                doubts: IdVec::filled(None, program.resources()),
                provider_doubts: IdVec::filled(None, program.providers()),
                changes: IdVec::filled(None, program.resources()),
                deferred: IdVec::filled(false, program.resources()),
                readiness: IdVec::filled(Readiness::Ready, program.providers()),
            }),
        }
    }

    /// Remembers a declared instance.
    pub(super) fn set(
        &self,
        position: ResourceId,
        object: Option<Arc<Marked>>,
        doubt: Option<Arc<str>>,
        change: Option<ResourceChange>,
        is_deferred: bool,
    ) {
        if let Some(object) = object {
            self.objects.set(position, object);
        }
        let mut facts = self.facts.borrow_mut();
        facts.doubts[position] = doubt;
        facts.changes[position] = change;
        facts.deferred[position] = is_deferred;
    }

    /// Remembers a provider configuration.
    pub(super) fn set_provider(
        &self,
        position: ProviderId,
        doubt: Option<Arc<str>>,
        readiness: Readiness,
    ) {
        let mut facts = self.facts.borrow_mut();
        facts.provider_doubts[position] = doubt;
        facts.readiness[position] = readiness;
    }

    /// What a provider can be asked.
    pub(super) fn readiness(&self, provider: ProviderId) -> Readiness {
        self.facts.borrow().readiness[provider].clone()
    }

    /// Whether an instance is planned later.
    pub(super) fn is_deferred(&self, position: ResourceId) -> bool {
        self.facts.borrow().deferred[position]
    }

    /// The changes of declared instances.
    pub(super) fn changes(&self) -> Ref<'_, DeclaredChanges> {
        Ref::map(self.facts.borrow(), |facts| &facts.changes)
    }

    pub(super) fn action(&self, position: ResourceId) -> Action {
        let changes = self.changes();
        changes[position]
            .as_ref()
            .map_or(Action::NoOp, |change| change.action)
    }

    /// Why that provider may look in the wrong place.
    pub(super) fn provider_doubt(&self, provider: ProviderId) -> Option<Arc<str>> {
        self.facts.borrow().provider_doubts[provider].clone()
    }

    /// The first reason to doubt any of those instances.
    pub(super) fn doubt_among(&self, positions: &[ResourceId]) -> Option<Arc<str>> {
        let facts = self.facts.borrow();
        let mut doubts = positions.iter().map(|&position| &facts.doubts[position]);
        doubts.find_map(Clone::clone)
    }

    /// The first reason to doubt the provider of a declaration, or what it depends on.
    pub(super) fn doubt_about(&self, resource: &ResourceInstance) -> Option<Arc<str>> {
        self.provider_doubt(resource.provider)
            .or_else(|| self.doubt_among(&resource.dependencies))
    }

    /// The objects and the changes of declared instances, and how ready the providers are.
    pub(super) fn into_inner(self) -> (PlannedObjects, DeclaredChanges, ReadinessOf) {
        let facts = self.facts.into_inner();
        (self.objects.into_inner(), facts.changes, facts.readiness)
    }
}

/// The result of one node; the fold takes it into the plan.
pub(super) struct Finding {
    /// The object that references to the instance mean.
    pub(super) object: Option<Arc<Marked>>,
    /// Why the object may be out of date, or the provider may look in the wrong place.
    pub(super) doubt: Option<Arc<str>>,
    pub(super) change: Option<ResourceChange>,
    /// The instance is planned later.
    pub(super) deferred: Option<DeferredChange>,
    /// What a provider can be asked.
    pub(super) readiness: Readiness,
    /// Changes of the instance's deposed objects.
    pub(super) deposed: Vec<ResourceChange>,
    pub(super) drift: Option<Drift>,
    /// By what an object that the program imports was found.
    pub(super) adopted: Option<String>,
    /// The instance in the refreshed state.
    pub(super) instance: Option<Arc<Instance>>,
    /// The object was not read; with the time when it was read last, where that is known.
    pub(super) unread: Option<Option<Timestamp>>,
    pub(super) diagnostics: Diagnostics,
}

impl Finding {
    /// Nothing found yet about an instance that the state has in this form.
    pub(super) fn new(instance: Option<&Arc<Instance>>) -> Self {
        Self {
            object: None,
            doubt: None,
            change: None,
            deferred: None,
            readiness: Readiness::Ready,
            deposed: Vec::new(),
            drift: None,
            adopted: None,
            instance: instance.cloned(),
            unread: None,
            diagnostics: Diagnostics::new(),
        }
    }

    /// An instance that has no object.
    pub(super) fn unmade(&mut self, address: &InstanceAddr) {
        self.object = Some(Arc::new(Marked::plain(Value::UNKNOWN)));
        self.doubt = Some(format!("`{address}` does not exist").into());
    }

    /// An instance that is planned later.
    pub(super) fn defer(&mut self, deferred: DeferredChange) {
        self.object = Some(Arc::new(Marked::plain(Value::UNKNOWN)));
        self.deferred = Some(deferred);
    }

    /// An instance whose object is gone: a provider is configured with the last one, for without it many act somewhere else.
    pub(super) fn last_known(&mut self, subject: &Subject<'_>, last: &Loaded) {
        let marked = subject.marked(last.value.clone(), &last.sensitive);
        self.object = Some(Arc::new(marked));
        self.doubt = Some(format!("`{}` is gone", subject.address).into());
    }

    /// Records the current object for the refreshed state.
    pub(super) fn record(
        &mut self,
        subject: &Subject<'_>,
        loaded: Option<&Loaded>,
    ) -> Result<(), Diagnostics> {
        let current = loaded.map(|loaded| subject.store(loaded)).transpose()?;
        if let Some(instance) = &mut self.instance
            && instance.current != current
        {
            Arc::make_mut(instance).current = current;
        }
        Ok(())
    }

    /// Records the configuration that serves the instance from now on. A deposed object can only be reached by the one that made it.
    pub(super) fn serve_from(&mut self, provider: &ProviderConfigAddr) {
        if let Some(instance) = &mut self.instance
            && instance.provider != *provider
            && instance.deposed.is_empty()
        {
            Arc::make_mut(instance).provider = provider.clone();
        }
    }

    /// Records that a deposed object is gone.
    pub(super) fn forget_deposed(&mut self, key: DeposedKey) {
        if let Some(instance) = &mut self.instance {
            Arc::make_mut(instance).deposed.remove(&key);
        }
    }
}

/// The visit of one node.
pub(super) struct Visitor<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) known: &'a Known<'a>,
    /// The node's own warnings; they survive success.
    pub(super) warnings: RefCell<Diagnostics>,
    /// Why its provider defers it.
    pub(super) deferred: Cell<Option<terrane_provider::Deferred>>,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, known: &'a Known<'a>) -> Self {
        let warnings = RefCell::default();
        Self {
            inputs,
            known,
            warnings,
            deferred: Cell::new(None),
        }
    }

    /// The arguments of a declaration, as far as the objects that they refer to are known.
    pub(super) async fn evaluate(
        &self,
        resource: &ResourceInstance,
        schema: &Schema,
    ) -> Result<Config, Diagnostics> {
        config::evaluate(
            &resource.arguments,
            schema,
            &self.known.objects,
            &resource.address,
            Some(resource.location),
            self.inputs.running,
        )
        .await
    }

    pub(super) fn into_warnings(self) -> Diagnostics {
        self.warnings.into_inner()
    }

    pub(super) async fn configure(
        &self,
        position: ProviderId,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let provider = &self.inputs.program.providers()[position];
        let running = self.inputs.running;
        let (planned, present) = (&self.known.objects, Present::new(self.inputs, self.known));
        // A destroy and a refresh make nothing that configures a provider: there is nothing to wait for.
        let unknown = match self.inputs.options.mode {
            PlanMode::Normal => self.unknown_need(provider, planned).await,
            PlanMode::Destroy | PlanMode::RefreshOnly => None,
        };
        let configured = match unknown {
            None => {
                let at_rest = match self.may_recall() {
                    true => running.configure_at_rest(provider, planned).await?,
                    false => None,
                };
                match at_rest {
                    Some(at_rest) => Ok(at_rest),
                    None => running.configure_as_declared(provider, planned).await,
                }
            }
            Some(reason) => {
                if let Some(reason) = self.unknown_need(provider, &present).await {
                    finding.readiness = Readiness::Absent(reason);
                    return Ok(());
                }
                let configured = running.configure_as_declared(provider, &present).await;
                if self.is_moving(provider) {
                    // A cluster that is replaced may not answer any more.
                    let Ok(_) = configured else {
                        finding.readiness = Readiness::Absent(reason);
                        return Ok(());
                    };
                    finding.readiness = Readiness::Present(reason);
                }
                configured
            }
        };
        let mut configured = configured?;
        let warnings = std::mem::take(&mut configured.warnings);
        self.warnings.borrow_mut().extend(warnings);
        self.judge(position, &configured, finding).await
    }

    pub(super) async fn declared(
        &self,
        position: ResourceId,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        let plans = self.inputs.plans(position);
        if !plans && !self.inputs.configuring.instances[position] {
            finding.object = Some(Arc::new(Marked::plain(Value::UNKNOWN)));
            let left_behind = self.inputs.options.mode == PlanMode::Destroy
                && resource.mode() == Mode::Data
                && self.inputs.selection.declared(position);
            if left_behind {
                finding.instance = None;
            }
            return Ok(());
        }
        let address = &self.inputs.program.providers()[resource.provider].address;
        if let Some(reason) = self.deferral(resource) {
            match plans {
                true => self.defer(position, reason, finding),
                false => finding.unmade(&resource.address),
            }
            return Ok(());
        }
        if plans && self.recalled(position, address, finding).await? {
            self.inputs.events.emit(Event::InstancePlanned {
                address: resource.address.clone(),
                action: Action::NoOp,
            });
            return Ok(());
        }
        let running = self
            .inputs
            .running
            .configured(address)
            .await?
            .expect("invariant: a provider is configured before what it serves");
        if !plans {
            return self.present(position, running, finding).await;
        }
        let planned = match resource.mode() {
            Mode::Managed => self.managed(position, &running, finding).await,
            Mode::Data => self.data(position, &running, finding).await,
            Mode::Ephemeral => {
                self.ephemeral(position, running.provider.clone(), finding)
                    .await
            }
        };
        let program = self.inputs.program;
        let planned = self.defer_if_told(planned, finding, |reason, finding| {
            // An object that the program takes in is taken in with its plan.
            if finding.adopted.take().is_some() {
                finding.instance = self.inputs.prior.instance(&resource.address).cloned();
            }
            self.defer(position, reason, finding);
        });
        if planned.is_ok() && finding.deferred.is_some() {
            return Ok(());
        }
        self.defer_kept(resource.provider, planned, finding, |reason, finding| {
            self.defer(position, reason, finding);
        })
        .map_err(|errors| newer::explained(errors, program, position, &*running.provider))?;
        if resource.mode() == Mode::Ephemeral || finding.deferred.is_some() {
            return Ok(());
        }
        let action = finding
            .change
            .as_ref()
            .map_or(Action::NoOp, |change| change.action);
        self.inputs.events.emit(Event::InstancePlanned {
            address: resource.address.clone(),
            action,
        });
        Ok(())
    }
}
