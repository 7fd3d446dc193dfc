//! Makes and changes objects, and reads data sources late.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::addr::ConfigAddr;
use terrane_core::{IgnoreChanges, Value};
use terrane_provider::ApplyResourceChange;
use terrane_state::crash::{self, Point};
use terrane_state::{
    Change, DeposedKey, Instance, IntentAction, ObjectStatus, OperationId, OperationOutcome,
};

use super::outcome::{ApplyOutcome, Asked};
use super::visitor::{Finding, StepError, Visitor};
use crate::change::{Action, ResourceChange};
use crate::config::{self, Config};
use crate::diff::incompatibilities;
use crate::event::StepKind;
use crate::evidence::{OwnerTags, new_tag};
use crate::first_plans::FirstPlans;
use crate::object::{Loaded, Subject};
use crate::plan::instance::{PlannedInstance, Wish};

impl Visitor<'_> {
    /// The create leg of a creation or replacement, or an update.
    pub(super) async fn create_or_update(
        &self,
        change: &ResourceChange,
        subject: &Subject<'_>,
        first_plans: &FirstPlans,
        finding: &mut Finding,
    ) -> Result<(), StepError> {
        let config = self.config(subject, Some(change)).await?;
        if change.action == Action::Update && change.before.value.known_equal(&change.after.value) {
            finding.id = id_of(&change.after.value);
            return self.record_around(subject, change, &config).await;
        }
        if change.action == Action::CreateThenDelete {
            finding.deposed = self.depose(change);
            crash::reach(Point::Deposed).await;
        }
        let made = self.make(change, subject, first_plans, &config, finding);
        let result = made.await;
        if let (Err(_), Some(key)) = (&result, finding.deposed) {
            self.restore(key, change);
        }
        result
    }

    /// The owner tag as it was planned; where all tags were unknown then, the one that would have been.
    fn owner_tag(&self, change: &ResourceChange, tags: OwnerTags) -> Value {
        let before = tags.of(&change.before.value);
        let kept = before.filter(|_| change.action == Action::Update);
        let planned = tags.of(&change.after.value).or(kept);
        let serial = self.inputs.plan.prior.serial;
        planned.map_or_else(
            || new_tag(&self.inputs.lineage, serial, &change.address, before),
            Value::from,
        )
    }

    /// The configuration, which must be known by now; of a `change` with its owner tag.
    async fn config(
        &self,
        subject: &Subject<'_>,
        change: Option<&ResourceChange>,
    ) -> Result<Config, StepError> {
        let position = self
            .inputs
            .program
            .position(subject.address)
            .expect("invariant: only declared instances are made or changed");
        let resource = &self.inputs.program.resources()[position];
        self.opener().needed(&resource.dependencies).await?;
        let mut config = config::evaluate(
            &resource.arguments,
            subject.schema,
            &self.known.objects,
            subject.address,
            subject.location,
            self.inputs.running,
        )
        .await?;
        if let Some(change) = change
            && self.inputs.program.owner_tags()
            && let Some(tags) = self.tags(subject).filter(|tags| tags.fit(subject.schema))
        {
            config.value = tags.tagged(&config.value, self.owner_tag(change, tags));
        }
        if !config.value.is_wholly_known() {
            return Err(subject
                .error("the configuration still holds unknown values when it is applied")
                .hint("something it refers to was not made in this run; run again")
                .into());
        }
        Ok(config)
    }

    async fn make(
        &self,
        change: &ResourceChange,
        subject: &Subject<'_>,
        first_plans: &FirstPlans,
        config: &Config,
        finding: &mut Finding,
    ) -> Result<(), StepError> {
        let replaced = change.action.is_replace();
        let mut current = match self.inputs.recorder.instance(subject.address) {
            Some(instance) if !replaced => match &instance.current {
                Some(object) => Some(subject.load(object).await?),
                None => None,
            },
            _ => None,
        };
        let first = match change.action {
            // A process that has ended is asked for a plan, which fails before anything is recorded.
            Action::Create if current.is_none() && subject.provider.is_running() => {
                first_plans.take(subject.address, &config.value)
            }
            _ => None,
        };
        let planned = self
            .final_plan(change, subject, config, current.as_ref(), first)
            .await?;
        if planned.action == Action::NoOp {
            self.record_around(subject, change, config).await?;
            finding.id = id_of(&planned.after);
            finding.publish(subject, planned.after, config);
            return Ok(());
        }
        let creating = current.is_none();
        let intent = match &current {
            None => {
                self.creation_intent(change, subject, config, &planned)
                    .await?
            }
            current => self.intent(
                IntentAction::Update,
                change,
                None,
                subject,
                current.as_ref(),
                &config.value,
            ),
        };
        let meta = subject.provider_meta()?;
        let op = intent.op;
        if let Some(current) = &mut current {
            self.record_possible(subject, config, current)?;
        }
        self.inputs.recorder.intent(intent.clone()).await?;
        let null = Value::Null;
        let prior = current.as_ref().map_or(&null, |current| &current.value);
        let reply = subject
            .provider
            .apply_resource_change(ApplyResourceChange {
                provider_meta: meta.as_ref(),
                type_name: subject.type_name(),
                prior_state: prior,
                planned_state: &planned.after,
                config: &config.value,
                planned_private: &planned.private,
                planned_identity: planned.identity.as_ref(),
            })
            .await;
        crash::reach(Point::Replied).await;
        let asked = if creating {
            Asked::Create {
                planned: &planned.after,
                secret: &config.sensitive,
            }
        } else {
            Asked::Update {
                planned: &planned.after,
                secret: &config.sensitive,
            }
        };
        let mut applied = subject.apply_outcome(asked, current.as_ref(), reply);
        if creating && applied.outcome == OperationOutcome::FailedAssumed {
            self.look_after_failure(&intent, subject, &mut applied)
                .await;
        }
        let failed = applied.diagnostics.has_errors();
        if let Some(object) = &mut applied.object {
            if creating || !failed {
                self.complete(subject, change, config, object);
            } else {
                object.create_before_destroy = change.create_before_destroy;
            }
            let kind = if creating {
                StepKind::Create
            } else {
                StepKind::Update
            };
            if !failed && self.inputs.taints(change, kind) {
                object.status = ObjectStatus::Tainted;
            }
        }
        let object = applied.object.clone();
        let result = self.record(op, change, subject, applied).await;
        if let Some(object) = object {
            finding.id = id_of(&object.value);
            finding.publish(subject, object.value, config);
        }
        result
    }

    /// Fills in the facts that the state keeps beside the object.
    fn complete(
        &self,
        subject: &Subject<'_>,
        change: &ResourceChange,
        config: &Config,
        object: &mut Loaded,
    ) {
        if let Some(position) = self.inputs.program.position(subject.address) {
            object.dependencies = self
                .known
                .lists
                .dependencies(position, Some(&object.dependencies));
        }
        object.create_before_destroy = change.create_before_destroy;
        object.sensitive = Arc::new(config.sensitive.clone());
    }

    /// Records, before an update is requested, that its object may have the dependencies and secrets of before as well as the new ones.
    /// That holds however the update ends, also without a response; its success narrows them down.
    fn record_possible(
        &self,
        subject: &Subject<'_>,
        config: &Config,
        current: &mut Loaded,
    ) -> Result<(), StepError> {
        let Some(position) = self.inputs.program.position(subject.address) else {
            return Ok(());
        };
        let declared = self
            .known
            .lists
            .dependencies(position, Some(&current.dependencies));
        let both: BTreeSet<&ConfigAddr> = declared.iter().chain(&*current.dependencies).collect();
        let has_new_dependencies = both.len() > current.dependencies.len();
        let has_new_secrets = !config.sensitive.is_subset(&current.sensitive);
        if !has_new_dependencies && !has_new_secrets {
            return Ok(());
        }
        if has_new_dependencies {
            current.dependencies = both.into_iter().cloned().collect();
        }
        let sensitive = config.sensitive.union(&current.sensitive);
        current.sensitive = Arc::new(sensitive.cloned().collect());
        current.forget_stored_form();
        self.record_current(subject, current)
    }

    /// Records the current object of an instance where no operation did.
    fn record_current(&self, subject: &Subject<'_>, loaded: &Loaded) -> Result<(), StepError> {
        let Some(instance) = self.inputs.recorder.instance(subject.address) else {
            return Ok(());
        };
        let instance = Instance {
            current: Some(subject.store(loaded)?),
            ..instance.as_ref().clone()
        };
        self.inputs.recorder.change(Change::Instance {
            address: subject.address.clone(),
            instance: Some(Arc::new(instance)),
        });
        Ok(())
    }

    /// Plans once more, now that everything is known, and checks that nothing else comes out than was shown. A `first` plan that was
    /// answered to the same request is taken instead.
    async fn final_plan(
        &self,
        change: &ResourceChange,
        subject: &Subject<'_>,
        config: &Config,
        current: Option<&Loaded>,
        first: Option<PlannedInstance>,
    ) -> Result<PlannedInstance, StepError> {
        let position = self.inputs.program.position(subject.address);
        let lifecycle =
            position.map(|position| &self.inputs.program.resources()[position].lifecycle);
        let ignore = match lifecycle {
            Some(lifecycle) if !change.action.is_replace() => &lifecycle.ignore_changes,
            _ => &IgnoreChanges::Nothing,
        };
        let wish = Wish {
            ignore,
            create_before_destroy: change.create_before_destroy,
            force: None,
            anew: None,
            planned_private: Some(&change.private),
        };
        let planned = match first {
            Some(planned) => planned,
            None => subject.plan(current, config, wish).await?,
        };
        let expected = if change.action == Action::Update {
            Action::Update
        } else {
            Action::Create
        };
        let allowed = planned.action == expected
            || (expected == Action::Update && planned.action == Action::NoOp);
        if !allowed {
            return Err(subject
                .error(format!(
                    "the provider planned {expected} and now plans {}",
                    planned.action
                ))
                .detail("nothing was changed")
                .hint("a value known only at apply led the provider to another plan; run again to review it")
                .into());
        }
        let problems =
            incompatibilities(&subject.schema.block, &change.after.value, &planned.after);
        subject.provider_bug("an inconsistent final plan", problems, &config.sensitive)?;
        Ok(planned)
    }

    /// An update of the facts kept beside the object (sensitive paths, dependencies) and nothing else: recorded without a request to
    /// the provider.
    async fn record_around(
        &self,
        subject: &Subject<'_>,
        change: &ResourceChange,
        config: &Config,
    ) -> Result<(), StepError> {
        let Some(instance) = self.inputs.recorder.instance(subject.address) else {
            return Ok(());
        };
        let Some(object) = &instance.current else {
            return Ok(());
        };
        let mut loaded = subject.load(object).await?;
        self.complete(subject, change, config, &mut loaded);
        loaded.forget_stored_form();
        self.record_current(subject, &loaded)
    }

    /// Sets the current object aside, so that its successor can take the address; under which key.
    fn depose(&self, change: &ResourceChange) -> Option<DeposedKey> {
        let instance = self.inputs.recorder.instance(&change.address)?;
        let mut instance = instance.as_ref().clone();
        let object = instance.current.take()?;
        let key = loop {
            let key = DeposedKey::from_bits(self.inputs.host.random.bits());
            if !instance.deposed.contains_key(&key) {
                break key;
            }
        };
        instance.deposed.insert(key, object);
        let address = change.address.as_ref().clone();
        self.inputs.recorder.change(Change::Instance {
            address,
            instance: Some(Arc::new(instance)),
        });
        Some(key)
    }

    /// The successor could not be made: the old object is the current one again, unless something of the successor is there.
    fn restore(&self, key: DeposedKey, change: &ResourceChange) {
        let Some(instance) = self.inputs.recorder.instance(&change.address) else {
            return;
        };
        if instance.current.is_some() {
            return;
        }
        let mut instance = instance.as_ref().clone();
        instance.current = instance.deposed.remove(&key);
        let address = change.address.as_ref().clone();
        self.inputs.recorder.change(Change::Instance {
            address,
            instance: Some(Arc::new(instance)),
        });
    }

    /// Reads a data source whose configuration has become known.
    pub(super) async fn read(
        &self,
        change: &ResourceChange,
        subject: &Subject<'_>,
        finding: &mut Finding,
    ) -> Result<(), StepError> {
        let config = self.config(subject, None).await?;
        let object = subject.read_data(&config).await?;
        let mut loaded = Loaded::new(object.value.clone(), bytes::Bytes::new(), None);
        self.complete(subject, change, &config, &mut loaded);
        loaded.create_before_destroy = false;
        let instance = Instance::with_current(change.provider.clone(), subject.store(&loaded)?);
        let address = subject.address.clone();
        self.inputs.recorder.change(Change::Instance {
            address,
            instance: Some(Arc::new(instance)),
        });
        finding.publish(subject, object.value, &config);
        Ok(())
    }

    /// Records how an operation ended, and says so.
    pub(super) async fn record(
        &self,
        op: OperationId,
        change: &ResourceChange,
        subject: &Subject<'_>,
        applied: ApplyOutcome,
    ) -> Result<(), StepError> {
        let mut instance = match self.inputs.recorder.instance(subject.address) {
            Some(instance) => instance.as_ref().clone(),
            None => Instance {
                provider: change.provider.clone(),
                current: None,
                deposed: std::collections::BTreeMap::new(),
            },
        };
        instance.current = match &applied.object {
            Some(object) => Some(subject.store(object)?),
            None => None,
        };
        // It may have moved to another configuration; a deposed object can only be reached by the one that created it.
        if instance.deposed.is_empty() {
            instance.provider = change.provider.clone();
        }
        self.record_instance(op, subject, instance, applied).await
    }
}

/// The `id` that nearly every object has, for people to find it by.
fn id_of(value: &Value) -> Option<String> {
    value.get("id").and_then(Value::as_str).map(str::to_owned)
}
