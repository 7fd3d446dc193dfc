//! Plans declared resources.

use std::sync::Arc;

use terrane_core::schema::Schema;
use terrane_core::{Diagnostics, ResourceId, Value};

use super::instance::{PlannedInstance, Wish};
use super::visitor::{Finding, Visitor};
use crate::change::{Action, Reason, ResourceChange};
use crate::config::{self, Config};
use crate::evidence::{OwnerTags, new_tag};
use crate::meta::meta_for;
use crate::object::{Loaded, Subject, schema_of};
use crate::options::{PlanMode, RefreshPolicy};
use crate::running::RunningProvider;

impl Visitor<'_> {
    pub(super) async fn managed(
        &self,
        position: ResourceId,
        running: &RunningProvider,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        let address = &resource.address;
        let location = Some(resource.location);
        let provider_address = &self.inputs.provider_addresses[resource.provider];
        let schema = schema_of(
            &*running.provider,
            address,
            &provider_address.source,
            location,
        )?;
        let warnings = &self.warnings;
        let subject = Subject {
            provider: &*running.provider,
            source: &provider_address.source,
            schema: &schema,
            address,
            location,
            warnings,
            deferred: Some(&self.deferred),
            meta: meta_for(self.inputs.program, address, &provider_address.source),
            events: self.inputs.events,
        };
        let instance = self.inputs.prior.instance(address).cloned();
        self.deposed(
            &subject,
            &schema,
            instance.as_ref(),
            resource.provider,
            finding,
        )
        .await?;
        let stored = instance
            .as_ref()
            .and_then(|instance| instance.current.clone());
        let stored = match (stored, self.inputs.moves.origins.get(&**address)) {
            (Some(stored), Some(origin)) => {
                let stored = self.retyped(&subject, origin, &stored, finding).await?;
                finding.serve_from(provider_address);
                Some(stored)
            }
            (stored, _) => stored,
        };
        let policy = self.inputs.refresh(address);
        let mut current = None;
        let mut tried = None;
        let trusted_since = match policy {
            RefreshPolicy::Changed => self.trusted_since(position, stored.as_ref()),
            RefreshPolicy::All | RefreshPolicy::Nothing => None,
        };
        if trusted_since.is_some() && !self.stands_on_changes(position) {
            let provider = resource.provider;
            let trusted = self
                .refresh(&subject, &schema, stored.as_ref(), provider, false, finding)
                .await;
            // What cannot be planned as the state has it is read.
            if let Ok(Some(trusted)) = trusted
                && let Ok(wished) = self
                    .wished(position, &subject, &schema, Some(&trusted))
                    .await
                && wished.0.action == Action::NoOp
            {
                current = Some(trusted);
                tried = Some(wished);
                finding.unread = trusted_since;
            }
            self.deferred.set(None);
        }
        if current.is_none() {
            let reads = policy != RefreshPolicy::Nothing;
            let provider = resource.provider;
            current = self
                .refresh(&subject, &schema, stored.as_ref(), provider, reads, finding)
                .await?;
        }

        if stored.is_none()
            && self.inputs.options.mode == PlanMode::Normal
            && let Some(adoption) = self.inputs.program.adoption(position)
        {
            let provider = resource.provider;
            let config = self.evaluate(resource, &schema).await?;
            let adopted = self
                .adopted(&subject, provider, adoption, finding, &config.value)
                .await?;
            current = Some(adopted);
        } else if stored.is_none()
            && self.inputs.options.mode == PlanMode::Normal
            && resource.lifecycle.adopt_if_exists
        {
            let config = self.evaluate(resource, &schema).await?;
            current = self
                .adopted_by_name(&subject, resource.provider, finding, &config.value)
                .await?;
        }
        if self.inputs.options.mode != PlanMode::Normal {
            match (&current, &stored) {
                (Some(current), _) => {
                    let marked = subject.marked(current.value.clone(), &current.sensitive);
                    finding.object = Some(Arc::new(marked));
                }
                (None, Some(stored)) if self.inputs.configuring.instances[position] => {
                    let last = subject.load(stored).await?;
                    finding.last_known(&subject, &last);
                }
                (None, _) => finding.unmade(address),
            }
            if let (PlanMode::Destroy, Some(current)) = (self.inputs.options.mode, current) {
                if resource.lifecycle.prevent_destroy {
                    return Err(prevented(&subject));
                }
                let change = self
                    .deletion(&subject, &schema, &current, provider_address, None)
                    .await?;
                finding.change = Some(change);
            }
            return Ok(());
        }

        config::refuse_stored_ephemerals(&resource.arguments, &schema, address, resource.location)?;
        let (planned, config) = match tried {
            Some(tried) => tried,
            None => {
                let current = current.as_ref();
                self.wished(position, &subject, &schema, current).await?
            }
        };
        if planned.action.destroys() && resource.lifecycle.prevent_destroy {
            return Err(prevented(&subject));
        }
        if let (Action::NoOp, Some(current)) = (planned.action, current.as_ref()) {
            self.note_nothing(
                position, &subject, &schema, running, &planned, &config, current,
            )
            .await?;
            self.keep(position, &subject, current, finding)?;
        }
        if self.is_final(position, &config, current.as_ref()) {
            running.first_plans.keep(address, &config.value, &planned);
        }
        let change = self.change(
            &subject,
            &schema,
            &config,
            planned,
            current.as_ref(),
            position,
        );
        finding.object = Some(change.after.clone());
        finding.change = Some(change);
        Ok(())
    }

    /// The plan of an instance as the program wishes it, with its arguments.
    async fn wished(
        &self,
        position: ResourceId,
        subject: &Subject<'_>,
        schema: &Schema,
        current: Option<&Loaded>,
    ) -> Result<(PlannedInstance, Config), Diagnostics> {
        let create_before_destroy = self.inputs.create_before_destroy[position];
        let resource = &self.inputs.program.resources()[position];
        let (config, anew) = self.wished_config(position, schema, current).await?;
        let wish = Wish {
            ignore: &resource.lifecycle.ignore_changes,
            create_before_destroy,
            force: self.forced(position),
            anew: anew.as_ref(),
            planned_private: None,
        };
        let planned = subject.plan(current, &config, wish).await?;
        Ok((planned, config))
    }

    /// The arguments of an instance as the program wishes it; and those of a new object, where they are others.
    pub(super) async fn wished_config(
        &self,
        position: ResourceId,
        schema: &Schema,
        current: Option<&Loaded>,
    ) -> Result<(Config, Option<Value>), Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        let address = &resource.address;
        let mut config = self.evaluate(resource, schema).await?;
        let mut anew = None;
        let tags = OwnerTags::of_provider(&self.inputs.program.providers()[resource.provider]);
        if self.inputs.program.owner_tags()
            && let Some(tags) = tags.filter(|tags| tags.fit(schema))
        {
            let own = current.and_then(|current| tags.of(&current.value));
            let new = new_tag(
                &self.inputs.prior.lineage,
                self.inputs.prior.serial,
                address,
                own,
            );
            let kept = own.map_or_else(|| new.clone(), Value::from);
            anew = Some(tags.tagged(&config.value, new));
            config.value = tags.tagged(&config.value, kept);
        }
        Ok((config, anew))
    }

    /// Whether this plan changes anything that an instance refers to, or that its provider is configured with.
    pub(super) fn stands_on_changes(&self, position: ResourceId) -> bool {
        let resource = &self.inputs.program.resources()[position];
        let provider = &self.inputs.program.providers()[resource.provider];
        let mut needed = resource.dependencies.iter().chain(&provider.dependencies);
        needed.any(|&needed| self.known.action(needed) != Action::NoOp)
    }

    /// Whether the plan of a creation can serve as its final one: nothing about it is unknown, and nothing that it depends on changes.
    fn is_final(&self, position: ResourceId, config: &Config, current: Option<&Loaded>) -> bool {
        let resource = &self.inputs.program.resources()[position];
        let provider = &self.inputs.program.providers()[resource.provider];
        let mut needed = resource.dependencies.iter().chain(&provider.dependencies);
        self.inputs.running.keeps_first_plans()
            && current.is_none()
            && config.value.is_wholly_known()
            && needed.all(|&needed| self.known.action(needed) == Action::NoOp)
    }

    /// The recorded form of a planned change.
    pub(super) fn change(
        &self,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        config: &Config,
        planned: PlannedInstance,
        current: Option<&Loaded>,
        position: ResourceId,
    ) -> ResourceChange {
        let resource = &self.inputs.program.resources()[position];
        let stored_marks = current
            .map(|current| current.sensitive.clone())
            .unwrap_or_default();
        let before = subject.marked(planned.before, &stored_marks);
        let after = subject.marked(planned.after, &config.sensitive);
        let mut action = planned.action;
        // Only the sensitive paths have changed: recorded without a request to the provider.
        if action == Action::NoOp && before.sensitive != after.sensitive {
            action = Action::Update;
        }
        ResourceChange {
            address: resource.address.clone(),
            deposed: None,
            provider: self.inputs.provider_addresses[resource.provider].clone(),
            action,
            reason: planned.reason,
            before: Arc::new(before),
            after: Arc::new(after),
            replace_paths: planned.replace_paths,
            schema: schema.clone(),
            private: planned.private,
            before_identity: current.and_then(|current| current.identity.clone()),
            planned_identity: planned.identity,
            create_before_destroy: self.inputs.create_before_destroy[position],
            location: Some(resource.location),
        }
    }

    /// Brings the provider and the order of replacement of an untouched object up to date. Its dependencies follow while the plan is applied.
    pub(super) fn keep(
        &self,
        position: ResourceId,
        subject: &Subject<'_>,
        current: &Loaded,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let create_before_destroy = self.inputs.create_before_destroy[position];
        finding.serve_from(
            &self.inputs.provider_addresses[self.inputs.program.resources()[position].provider],
        );
        if create_before_destroy == current.create_before_destroy {
            return Ok(());
        }
        let mut kept = current.clone();
        kept.create_before_destroy = create_before_destroy;
        finding.record(subject, Some(&kept))
    }

    /// Why the program or the command line wants a replacement, whatever the provider thinks.
    pub(super) fn forced(&self, position: ResourceId) -> Option<Reason> {
        let resource = &self.inputs.program.resources()[position];
        // The plan before this one has replaced the others that the command line names.
        match &self.inputs.options.continues {
            None if self.inputs.selection.replaced(position) => {
                return Some(Reason::ReplaceByRequest);
            }
            Some(before) => {
                if let Some(Some(reason)) = before.deferred.get(&*resource.address) {
                    return Some(*reason);
                }
            }
            None => {}
        }
        let changes = self.known.changes();
        let triggered = resource
            .lifecycle
            .replace_triggered_by
            .iter()
            .any(|trigger| {
                let change = self
                    .inputs
                    .program
                    .position(&trigger.address)
                    .and_then(|position| changes[position].as_ref());
                change.is_some_and(|change| match change.action {
                    Action::NoOp | Action::Read | Action::Delete | Action::Forget => false,
                    _ if trigger.path.is_root() => true,
                    _ => {
                        let (before, after) = (
                            change.before.value.at(&trigger.path),
                            change.after.value.at(&trigger.path),
                        );
                        match (before, after) {
                            (Some(before), Some(after)) => !before.known_equal(after),
                            (before, after) => before.is_some() != after.is_some(),
                        }
                    }
                })
            });
        triggered.then_some(Reason::ReplaceByTriggers)
    }
}

pub(super) fn prevented(subject: &Subject<'_>) -> Diagnostics {
    subject
        .error("the plan would destroy an object that `prevent_destroy` protects")
        .hint("take `prevent_destroy()` out of its lifecycle, or leave it out of the run with `--exclude`")
        .into()
}
