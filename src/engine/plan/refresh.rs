//! Reads objects: current ones, and deposed ones on their way out.

use std::sync::Arc;

use terrane_core::addr::{ProviderConfigAddr, ProviderSource};
use terrane_core::schema::Schema;
use terrane_core::{Diagnostics, Marked, ProviderId, Value};
use terrane_state::{DeposedKey, Instance, Object};

use super::filled_in::is_filled_in;
use super::visitor::{Finding, Visitor};
use crate::change::{Action, Drift, ResourceChange};
use crate::diff::equivalent;
use crate::event::Event;
use crate::object::{Loaded, Subject};
use crate::options::{PlanMode, RefreshPolicy};

impl Visitor<'_> {
    /// Loads the current object, and reads it unless the state is to be trusted.
    pub(super) async fn refresh(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        stored: Option<&Arc<Object>>,
        provider: ProviderId,
        reads: bool,
        finding: &mut Finding,
    ) -> Result<Option<Loaded>, Diagnostics> {
        let Some(stored) = stored else {
            return Ok(None);
        };
        let loaded = subject.load(stored).await?;
        // What another version of the provider stored lacks what this one would plan with.
        let is_trusted =
            self.inputs.options.mode != PlanMode::Normal || !subject.is_of_another_schema(stored);
        if !reads && is_trusted {
            self.believed(subject, &loaded, provider).await?;
            return Ok(Some(loaded));
        }
        let address = Arc::new(subject.address.clone());
        self.inputs.events.emit(Event::RefreshStarted {
            address: address.clone(),
        });
        let read = self.read(subject, &loaded, provider).await?;
        self.inputs.events.emit(Event::RefreshDone {
            address: address.clone(),
        });
        let value = |loaded: &Loaded| loaded.value.clone();
        let now = read.as_ref().map_or(Value::Null, value);
        if !equivalent(&loaded.value, &now) && !self.is_filled_in(subject, &loaded.value, &now) {
            let drift = Drift {
                address: address.clone(),
                provider: self.inputs.prior.instance(subject.address).map_or_else(
                    || {
                        ProviderConfigAddr::default_of(ProviderSource::implied_by(
                            subject.type_name(),
                        ))
                    },
                    |instance| instance.provider.clone(),
                ),
                before: Arc::new(subject.marked(loaded.value.clone(), &loaded.sensitive)),
                after: Arc::new(subject.marked(now, &loaded.sensitive)),
                schema: schema.clone(),
                location: subject.location,
            };
            finding.drift = Some(drift);
        }
        finding.record(subject, read.as_ref())?;
        self.note_reading(subject, provider, finding);
        Ok(read)
    }

    /// Remembers that the object in a finding is as its provider has just described it.
    fn note_reading(&self, subject: &Subject<'_>, provider: ProviderId, finding: &Finding) {
        let current = finding.instance.as_ref();
        let current = current.and_then(|instance| instance.current.as_ref());
        if let (Some(memory), Some(object)) = (self.inputs.running.memory(), current) {
            let source = &self.inputs.program.providers()[provider].address.source;
            memory.note_reading(source, subject.address, object);
        }
    }

    /// Whether every change of an object is one that its provider fills in only after an operation.
    fn is_filled_in(&self, subject: &Subject<'_>, remembered: &Value, read: &Value) -> bool {
        let declared = self.inputs.program.position(subject.address);
        let arguments =
            declared.map(|position| &self.inputs.program.resources()[position].arguments);
        self.inputs.options.unread
            && is_filled_in(remembered, read, &subject.schema.block, arguments)
    }

    /// Reads an object; `None` when it is gone, and the provider is to be believed.
    async fn read(
        &self,
        subject: &Subject<'_>,
        loaded: &Loaded,
        provider: ProviderId,
    ) -> Result<Option<Loaded>, Diagnostics> {
        let read = subject.read(loaded).await?;
        if read.is_none() && self.is_unbelieved(subject, provider)? {
            return Ok(Some(loaded.clone()));
        }
        Ok(read)
    }

    /// Makes sure that a destroy which trusts the state asks for nothing where the object is not: its provider would call that done.
    async fn believed(
        &self,
        subject: &Subject<'_>,
        loaded: &Loaded,
        provider: ProviderId,
    ) -> Result<(), Diagnostics> {
        let may_look_elsewhere = self.known.provider_doubt(provider).is_some()
            || self.moved_from(subject, provider).is_some();
        if self.inputs.options.mode == PlanMode::Destroy && may_look_elsewhere {
            self.read(subject, loaded, provider).await?;
        }
        Ok(())
    }

    /// Plans the end of objects that an earlier run replaced and could not destroy.
    pub(super) async fn deposed(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        instance: Option<&Arc<Instance>>,
        provider: ProviderId,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let Some(instance) = instance else {
            return Ok(());
        };
        if self.inputs.options.mode == PlanMode::RefreshOnly {
            return Ok(());
        }
        for (&key, object) in &instance.deposed {
            let loaded = subject.load(object).await?;
            let read = match self.inputs.refresh(subject.address) {
                RefreshPolicy::All | RefreshPolicy::Changed => {
                    self.read(subject, &loaded, provider).await?
                }
                RefreshPolicy::Nothing => {
                    self.believed(subject, &loaded, provider).await?;
                    Some(loaded)
                }
            };
            let Some(read) = read else {
                finding.forget_deposed(key);
                continue;
            };
            let change = self
                .deletion(subject, schema, &read, &instance.provider, Some(key))
                .await?;
            finding.deposed.push(change);
        }
        Ok(())
    }

    pub(super) async fn deletion(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        current: &Loaded,
        provider: &ProviderConfigAddr,
        deposed: Option<DeposedKey>,
    ) -> Result<ResourceChange, Diagnostics> {
        let private = subject.plan_destroy(current).await?;
        Ok(ResourceChange {
            address: Arc::new(subject.address.clone()),
            deposed,
            provider: provider.clone(),
            action: Action::Delete,
            reason: None,
            before: Arc::new(subject.marked(current.value.clone(), &current.sensitive)),
            after: Arc::new(Marked::plain(Value::Null)),
            replace_paths: Vec::new(),
            schema: schema.clone(),
            private,
            before_identity: current.identity.clone(),
            planned_identity: None,
            create_before_destroy: current.create_before_destroy || deposed.is_some(),
            location: subject.location,
        })
    }
}
