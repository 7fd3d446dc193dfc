//! Destroys objects: current ones as planned, deposed ones with a plan made now.

use terrane_core::Value;
use terrane_provider::ApplyResourceChange;
use terrane_state::crash::{self, Point};
use terrane_state::{Instance, IntentAction, OperationId, OperationResult};

use super::outcome::{ApplyOutcome, Asked};
use super::visitor::{StepError, Visitor};
use crate::change::{Action, ChangeId, ResourceChange};
use crate::object::{Loaded, Subject};

impl Visitor<'_> {
    pub(super) async fn destroy(
        &self,
        id: ChangeId,
        change: &ResourceChange,
        subject: &Subject<'_>,
        is_certain: bool,
    ) -> Result<(), StepError> {
        let Some(instance) = self.inputs.recorder.instance(subject.address) else {
            return Ok(());
        };
        let deposed = match change.action {
            Action::CreateThenDelete => self.known.deposed(id),
            _ => change.deposed,
        };
        let object = match deposed {
            Some(key) => instance.deposed.get(&key),
            None if change.action == Action::CreateThenDelete => None,
            None => instance.current.as_ref(),
        };
        // Nothing left to destroy: it has vanished since the plan was made.
        let Some(object) = object else { return Ok(()) };
        let loaded = match deposed {
            Some(_) => {
                let mut loaded = subject.load(object).await?;
                loaded.private = subject.plan_destroy(&loaded).await?;
                loaded
            }
            // As recorded by the plan; on a replacement the private bytes are those of the planned creation, where SDK v2 looks for
            // the timeout, and there is no identity.
            None => {
                let identity = match change.action {
                    Action::Delete => change.before_identity.clone(),
                    _ => None,
                };
                Loaded::new(
                    change.before.value.clone(),
                    change.private.clone(),
                    identity,
                )
            }
        };
        // A provider reports an object that it cannot find as gone; one that may look in the wrong place has to see it first.
        if !is_certain && subject.read(&loaded).await?.is_none() {
            return Err(subject
                .error("it cannot be told whether the object still exists")
                .detail(format!(
                    "{} finds no such object, but its configuration rests on what this run has not made or read yet; it is kept in the state",
                    change.provider
                ))
                .hint("run again: the values that the configuration depends on are known then")
                .into());
        }
        let meta = subject.provider_meta()?;
        let value = &loaded.value;
        let action = IntentAction::Delete;
        let intent = self.intent(action, change, deposed, subject, Some(&loaded), value);
        let op = intent.op;
        self.inputs.recorder.intent(intent).await?;
        let reply = subject
            .provider
            .apply_resource_change(ApplyResourceChange {
                provider_meta: meta.as_ref(),
                type_name: subject.type_name(),
                prior_state: &loaded.value,
                planned_state: &Value::Null,
                config: &Value::Null,
                planned_private: &loaded.private,
                planned_identity: loaded.identity.as_ref(),
            })
            .await;
        crash::reach(Point::Replied).await;
        // A failed destroy keeps the object as stored, not as planned.
        let kept = subject.stored_as(object, loaded.value.clone());
        let applied = subject.apply_outcome(Asked::Delete, Some(&kept), reply);
        // Read again: other objects of the address may have changed meanwhile.
        let mut instance = self
            .inputs
            .recorder
            .instance(subject.address)
            .unwrap_or(instance)
            .as_ref()
            .clone();
        let stored = match &applied.object {
            Some(object) => Some(subject.store(object)?),
            None => None,
        };
        match deposed {
            None => instance.current = stored,
            Some(key) => {
                match stored {
                    Some(object) => instance.deposed.insert(key, object),
                    None => instance.deposed.remove(&key),
                };
            }
        }
        self.record_instance(op, subject, instance, applied).await
    }

    /// Records all that is at an address after an operation.
    pub(super) async fn record_instance(
        &self,
        op: OperationId,
        subject: &Subject<'_>,
        instance: Instance,
        applied: ApplyOutcome,
    ) -> Result<(), StepError> {
        let result = OperationResult {
            op,
            address: subject.address.clone(),
            outcome: applied.outcome,
            instance: (!instance.is_empty()).then(|| instance.into()),
            undecoded: applied.undecoded,
            error_class: applied.error_class,
        };
        let recorded = {
            // The provider has answered: another one can be asked while this is made durable.
            let _rest = self.inputs.resting.rest();
            self.inputs.recorder.result(result).await
        };
        // The provider's errors come first: an error of the journal stops the run anyway, at the next intent if not here.
        if applied.outcome == terrane_state::OperationOutcome::Unknown {
            recorded?;
            return Err(StepError::Unknown(applied.diagnostics));
        }
        let ((), warnings) = match applied.diagnostics.into_result(()) {
            Ok(done) => done,
            Err(errors) => {
                recorded?;
                return Err(StepError::Failed(errors));
            }
        };
        self.warnings.borrow_mut().extend(warnings);
        recorded?;
        Ok(())
    }
}
