//! Reads what is: current objects, and deposed ones on their way out.

use std::sync::Arc;

use terrane_core::addr::{ProviderConfigAddr, ProviderSource};
use terrane_core::schema::Schema;
use terrane_core::{Diagnostics, Marked, Value};
use terrane_state::{DeposedKey, Instance, Object};

use super::planner::Planner;
use crate::change::{Action, Drift, ResourceChange};
use crate::diff::equivalent;
use crate::event::Event;
use crate::object::{Loaded, Subject};
use crate::options::{PlanMode, RefreshPolicy};

impl Planner<'_> {
    /// Loads the current object and reads what it is like now.
    pub(super) async fn refresh(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        stored: Option<&Arc<Object>>,
    ) -> Result<Option<Loaded>, Diagnostics> {
        let Some(stored) = stored else {
            return Ok(None);
        };
        let loaded = subject.load(stored).await?;
        if self.options.refresh == RefreshPolicy::Nothing {
            return Ok(Some(loaded));
        }
        let address = Arc::new(subject.address.clone());
        self.events.emit(Event::RefreshStarted {
            address: address.clone(),
        });
        let read = subject.read(&loaded).await?;
        self.events.emit(Event::RefreshDone {
            address: address.clone(),
        });
        let value = |loaded: &Loaded| loaded.value.clone();
        let now = read.as_ref().map_or(Value::Null, value);
        if !equivalent(&loaded.value, &now) {
            let drift = Drift {
                address: address.clone(),
                provider: self.prior.instance(subject.address).map_or_else(
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
            self.drift.borrow_mut().insert(address, drift);
        }
        self.record(subject, read.as_ref())?;
        Ok(read)
    }

    /// Puts the current object of an instance into the refreshed state.
    pub(super) fn record(
        &self,
        subject: &Subject<'_>,
        loaded: Option<&Loaded>,
    ) -> Result<(), Diagnostics> {
        let current = loaded.map(|loaded| subject.store(loaded)).transpose()?;
        let mut refreshed = self.refreshed.borrow_mut();
        let Some(instance) = refreshed.instance(subject.address) else {
            return Ok(());
        };
        if instance.current == current {
            return Ok(());
        }
        let instance = Instance {
            current,
            ..instance.as_ref().clone()
        };
        refreshed.set_instance(subject.address, Some(Arc::new(instance)));
        Ok(())
    }

    /// Puts the configuration that serves an instance from now on into the refreshed state. What is deposed can only be reached by the
    /// one that made it.
    pub(super) fn record_provider(&self, subject: &Subject<'_>, provider: &ProviderConfigAddr) {
        let mut refreshed = self.refreshed.borrow_mut();
        let moved = refreshed
            .instance(subject.address)
            .filter(|instance| instance.provider != *provider && instance.deposed.is_empty());
        if let Some(instance) = moved.cloned() {
            let provider = provider.clone();
            let instance = Instance {
                provider,
                ..instance.as_ref().clone()
            };
            refreshed.set_instance(subject.address, Some(Arc::new(instance)));
        }
    }

    /// Plans the end of objects that an earlier run replaced and could not destroy.
    pub(super) async fn deposed(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        instance: Option<&Arc<Instance>>,
    ) -> Result<(), Diagnostics> {
        let Some(instance) = instance else {
            return Ok(());
        };
        if self.options.mode == PlanMode::RefreshOnly {
            return Ok(());
        }
        for (&key, object) in &instance.deposed {
            let loaded = subject.load(object).await?;
            let read = match self.options.refresh {
                RefreshPolicy::All => subject.read(&loaded).await?,
                RefreshPolicy::Nothing => Some(loaded),
            };
            let Some(read) = read else {
                let mut refreshed = self.refreshed.borrow_mut();
                if let Some(instance) = refreshed.instance(subject.address).cloned() {
                    let mut instance = instance.as_ref().clone();
                    instance.deposed.remove(&key);
                    refreshed.set_instance(subject.address, Some(Arc::new(instance)));
                }
                continue;
            };
            let change = self
                .deletion(subject, schema, &read, &instance.provider, Some(key))
                .await?;
            self.other_changes
                .borrow_mut()
                .insert((change.address.clone(), Some(key)), change);
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
