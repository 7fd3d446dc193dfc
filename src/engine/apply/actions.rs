//! Invokes the actions around the operations on a resource.
//!
//! Nothing of an action is in the journal: an action has no object that could be found again. Only `OnFailure::Taint` leaves a trace, and
//! leaves it before the action is invoked, so that a run that ends in the middle does not pass for a success.

use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::{
    DeclaredAction, Diagnostic, Diagnostics, Marked, OnFailure, ResourceId, Scope, Severity, When,
};
use terrane_state::{Change, ObjectStatus};

use super::inputs::Inputs;
use super::known::{Known, Present};
use super::visitor::{Finding, StepError, Visitor};
use crate::actions::{invoke, moments, schema_of};
use crate::change::ResourceChange;
use crate::config;
use crate::event::StepKind;

/// The declared instances while an action around an operation on one of them is invoked.
struct Around<'a> {
    inputs: &'a Inputs<'a>,
    known: &'a Known<'a>,
    /// The instance that the operation is about.
    id: ResourceId,
    /// Its object at that moment, where it is another than the one planned.
    object: Option<Arc<Marked>>,
    kind: StepKind,
}

impl Scope for Around<'_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let (inputs, known) = (self.inputs, self.known);
        match (&self.object, self.kind) {
            (Some(object), _) if inputs.program.position(address) == Some(self.id) => {
                Some(object.clone())
            }
            (_, StepKind::Delete) => Present { inputs, known }.object(address),
            _ => known.objects.object(address),
        }
    }
}

impl Inputs<'_> {
    /// Whether the object of an operation stays tainted until the actions after it have succeeded.
    pub(super) fn taints(&self, change: &ResourceChange, kind: StepKind) -> bool {
        let (Some((_, after)), Some(id)) = (
            moments(change, kind),
            self.program.position(&change.address),
        ) else {
            return false;
        };
        let mut actions = self.program.triggered(id, after);
        actions.any(|action| action.on_failure == OnFailure::Taint)
    }

    /// Records another status of the current object of an instance.
    fn set_status(&self, address: &InstanceAddr, status: ObjectStatus) {
        let Some(instance) = self.recorder.instance(address) else {
            return;
        };
        let Some(object) = &instance.current else {
            return;
        };
        if object.status == status {
            return;
        }
        let mut object = object.as_ref().clone();
        object.status = status;
        let mut instance = instance.as_ref().clone();
        instance.current = Some(Arc::new(object));
        self.recorder.change(Change::Instance {
            address: address.clone(),
            instance: Some(Arc::new(instance)),
        });
    }
}

impl Visitor<'_> {
    /// Invokes the actions of the moment before an operation.
    pub(super) async fn act_before(
        &self,
        change: &ResourceChange,
        kind: StepKind,
    ) -> Result<(), StepError> {
        let Some((before, _)) = moments(change, kind) else {
            return Ok(());
        };
        let object = (kind == StepKind::Delete).then(|| change.before.clone());
        let acted = self.act(change, kind, before, object).await;
        acted.map_err(|(_, errors)| errors.into())
    }

    /// Invokes the actions of the moment after an operation that succeeded.
    pub(super) async fn act_after(
        &self,
        change: &ResourceChange,
        kind: StepKind,
        finding: &Finding,
    ) -> Result<(), StepError> {
        let Some((_, after)) = moments(change, kind) else {
            return Ok(());
        };
        let object = match kind {
            StepKind::Delete => Some(change.before.clone()),
            _ => finding.object.clone(),
        };
        let acted = self.act(change, kind, after, object).await;
        let (status, result) = match acted {
            Err((OnFailure::Taint, errors)) => (ObjectStatus::Tainted, Err(errors.into())),
            Err((_, errors)) => (ObjectStatus::Ready, Err(errors.into())),
            Ok(()) => (ObjectStatus::Ready, Ok(())),
        };
        if self.inputs.taints(change, kind) && kind != StepKind::Delete {
            self.inputs.set_status(&change.address, status);
        }
        result
    }

    /// Invokes one after the other until one fails for which the operation fails; its rule and the errors.
    async fn act(
        &self,
        change: &ResourceChange,
        kind: StepKind,
        when: When,
        object: Option<Arc<Marked>>,
    ) -> Result<(), (OnFailure, Diagnostics)> {
        let Some(id) = self.inputs.program.position(&change.address) else {
            return Ok(());
        };
        let around = Around {
            inputs: self.inputs,
            known: self.known,
            id,
            object,
            kind,
        };
        for action in self.inputs.program.triggered(id, when) {
            let said = match (self.act_once(action, &around).await, action.on_failure) {
                (Ok(warnings), _) => warnings,
                (Err(errors), OnFailure::Continue) => errors.into_iter().map(as_warning).collect(),
                (Err(errors), on_failure) => return Err((on_failure, errors)),
            };
            self.warnings.borrow_mut().extend(said);
        }
        Ok(())
    }

    async fn act_once(
        &self,
        action: &DeclaredAction,
        around: &Around<'_>,
    ) -> Result<Diagnostics, Diagnostics> {
        let Inputs {
            program, running, ..
        } = *self.inputs;
        let declared = &program.providers()[action.provider];
        self.opener().needed(&declared.dependencies).await?;
        self.opener().needed(&action.dependencies).await?;
        let configured = running.configure_as_declared(declared, around).await?;
        self.warnings.borrow_mut().extend(configured.warnings);
        let provider = configured.provider;
        let schema = schema_of(&*provider, action)?;
        let config = config::evaluate(
            &action.arguments,
            &schema,
            around,
            &action.address,
            Some(action.location),
            running,
        )
        .await?;
        invoke(&*provider, action, &config, self.inputs.host.events).await
    }
}

fn as_warning(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.severity = Severity::Warning;
    diagnostic
}
