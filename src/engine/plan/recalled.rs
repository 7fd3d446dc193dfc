//! Plans instances from what earlier plans found, without a word to their providers.
//!
//! Only "nothing changes" is ever recalled, and only for the same question: the same arguments, stored object, lifecycle, provider, build
//! and configuration. Whatever a plan changes, and whatever refers to that, is read and planned by its provider.

use std::sync::Arc;

use terrane_core::addr::{Mode, ProviderConfigAddr, ProviderSource};
use terrane_core::schema::Schema;
use terrane_core::{Diagnostics, ResourceId, ResourceInstance, Value};
use terrane_provider::Provider;
use terrane_state::{Object, ObjectStatus, Timestamp};

use super::data::stored_answer;
use super::instance::PlannedInstance;
use super::visitor::{Finding, Visitor};
use crate::change::Action;
use crate::config::Config;
use crate::meta::meta_for;
use crate::object::{Loaded, Subject};
use crate::options::{PlanMode, RefreshPolicy};
use crate::plan_cache::{Asked, Question};
use crate::running::RunningProvider;

impl<'a> Visitor<'a> {
    /// Whether this plan takes anything from earlier ones.
    pub(super) fn may_recall(&self) -> bool {
        let options = self.inputs.options;
        options.mode == PlanMode::Normal
            && options.refresh == RefreshPolicy::Changed
            && options.continues.is_none()
            && self.inputs.running.memory().is_some()
    }

    /// Plans an instance for which nothing was planned in the same circumstances; `false` where its provider is to be asked.
    pub(super) async fn recalled(
        &self,
        position: ResourceId,
        provider: &ProviderConfigAddr,
        finding: &mut Finding,
    ) -> Result<bool, Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        let instance = self.inputs.prior.instance(&resource.address);
        let stored = instance.and_then(|instance| instance.current.as_ref());
        let (Some(instance), Some(stored)) = (instance, stored) else {
            return Ok(false);
        };
        let is_plain = instance.deposed.is_empty()
            && stored.status == ObjectStatus::Ready
            && !self.inputs.moves.origins.contains_key(&*resource.address);
        let is_quiet = self.forced(position).is_none()
            && !self.stands_on_changes(position)
            && self.known.doubt_about(resource).is_none();
        if !self.may_recall() || !is_plain || !is_quiet {
            return Ok(false);
        }
        let Some(running) = self.inputs.running.as_it_is(provider) else {
            return Ok(false);
        };
        match resource.mode() {
            Mode::Managed => {
                self.recalled_object(position, &running, stored, finding)
                    .await
            }
            Mode::Data => {
                self.recalled_answer(position, &running, stored, finding)
                    .await
            }
            Mode::Ephemeral => Ok(false),
        }
    }

    async fn recalled_object(
        &self,
        position: ResourceId,
        running: &RunningProvider,
        stored: &Arc<Object>,
        finding: &mut Finding,
    ) -> Result<bool, Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        let Some(read) = self.trusted_since(position, Some(stored)) else {
            return Ok(false);
        };
        let type_name = &resource.address.resource.type_name;
        let Ok(Some(schema)) = running.provider.resource_schema(type_name) else {
            return Ok(false);
        };
        let subject = self.subject_of(resource, &*running.provider, &schema);
        let Some(loaded) = subject.decoded(stored).await else {
            return Ok(false);
        };
        // What is wrong with it is told where its provider is asked.
        let Ok((config, _)) = self.wished_config(position, &schema, Some(&loaded)).await else {
            return Ok(false);
        };
        let Some(memory) = self.inputs.running.memory() else {
            return Ok(false);
        };
        let Ok(meta) = subject.provider_meta() else {
            return Ok(false);
        };
        let lifecycle = self.lifecycle(position);
        let question = self.question(
            resource,
            running,
            stored,
            &config,
            &lifecycle,
            meta.as_ref(),
        );
        if !may_be_kept(resource, &schema, &config) || !memory.plans_nothing(question) {
            return Ok(false);
        }
        let planned = PlannedInstance {
            action: Action::NoOp,
            reason: None,
            before: loaded.value.clone(),
            after: loaded.value.clone(),
            replace_paths: Vec::new(),
            private: loaded.private.clone(),
            identity: loaded.identity.clone(),
        };
        self.keep(position, &subject, &loaded, finding)?;
        let change = self.change(&subject, &schema, &config, planned, Some(&loaded), position);
        finding.object = Some(change.after.clone());
        finding.change = Some(change);
        finding.unread = Some(read);
        Ok(true)
    }

    async fn recalled_answer(
        &self,
        position: ResourceId,
        running: &RunningProvider,
        stored: &Arc<Object>,
        finding: &mut Finding,
    ) -> Result<bool, Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        // What configures a provider is read: a token in it may have run out.
        if self.inputs.configuring.instances[position] {
            return Ok(false);
        }
        let type_name = &resource.address.resource.type_name;
        let Ok(Some(schema)) = running.provider.data_source_schema(type_name) else {
            return Ok(false);
        };
        let subject = self.subject_of(resource, &*running.provider, &schema);
        let (Some(memory), Some(answer), Ok(config), Ok(meta)) = (
            self.inputs.running.memory(),
            stored_answer(stored, &schema),
            self.evaluate(resource, &schema).await,
            subject.provider_meta(),
        ) else {
            return Ok(false);
        };
        let question = self.question(resource, running, stored, &config, &(), meta.as_ref());
        let max_age = self.inputs.options.max_age;
        let read = match may_be_kept(resource, &schema, &config) {
            true => memory.answered_at(question, self.inputs.prior, max_age),
            false => None,
        };
        let Some(read) = read else {
            return Ok(false);
        };
        finding.object = Some(Arc::new(subject.marked(answer, &config.sensitive)));
        finding.unread = Some(Some(read));
        Ok(true)
    }

    /// When a stored object was last read, where the state can be trusted for it; the inner `None` where nobody remembers that.
    pub(super) fn trusted_since(
        &self,
        position: ResourceId,
        stored: Option<&Arc<Object>>,
    ) -> Option<Option<Timestamp>> {
        let max_age = self.inputs.options.max_age;
        let Some(memory) = self.inputs.running.memory() else {
            return max_age.is_none().then_some(None);
        };
        let resource = &self.inputs.program.resources()[position];
        let object = (&*resource.address, &**stored?);
        let read = memory.read_at(self.source(resource), object, max_age);
        read.map(Some)
    }

    /// Remembers that nothing is planned for an object, if that can be told again without its provider.
    #[expect(clippy::too_many_arguments, reason = "all that an answer rests on")]
    pub(super) async fn note_nothing(
        &self,
        position: ResourceId,
        subject: &Subject<'_>,
        schema: &Arc<Schema>,
        running: &RunningProvider,
        planned: &PlannedInstance,
        config: &Config,
        current: &Loaded,
    ) -> Result<(), Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        let (Some(memory), Some(stored)) = (self.inputs.running.memory(), current.stored_form())
        else {
            return Ok(());
        };
        let said_nothing = self.warnings.borrow().is_empty()
            && planned.after == planned.before
            && self.forced(position).is_none();
        if !said_nothing || !may_be_kept(resource, schema, config) {
            return Ok(());
        }
        let decoded = subject.decoded(stored).await;
        let is_as_stored = decoded.is_some_and(|decoded| {
            decoded.value == current.value && decoded.identity == current.identity
        });
        if is_as_stored {
            let meta = subject.provider_meta()?;
            let lifecycle = self.lifecycle(position);
            let question =
                self.question(resource, running, stored, config, &lifecycle, meta.as_ref());
            memory.note_nothing(question, &*running.provider, schema);
        }
        Ok(())
    }

    /// Remembers that a data source gives the answer again that the state has.
    pub(super) fn note_answer(
        &self,
        position: ResourceId,
        running: &RunningProvider,
        config: &Config,
        schema: &Arc<Schema>,
        finding: &Finding,
    ) -> Result<(), Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        let Some(memory) = self.inputs.running.memory() else {
            return Ok(());
        };
        let before = self.inputs.prior.instance(&resource.address);
        let Some(stored) = before.and_then(|instance| instance.current.as_ref()) else {
            return Ok(());
        };
        let is_quiet = self.warnings.borrow().is_empty() && may_be_kept(resource, schema, config);
        if is_quiet && finding.instance.as_ref() == before {
            let subject = self.subject_of(resource, &*running.provider, schema);
            let meta = subject.provider_meta()?;
            let question = self.question(resource, running, stored, config, &(), meta.as_ref());
            memory.note_answer(question, self.inputs.prior, schema);
        }
        Ok(())
    }

    fn source(&self, resource: &ResourceInstance) -> &'a ProviderSource {
        &self.inputs.program.providers()[resource.provider]
            .address
            .source
    }

    /// What of an instance's lifecycle has a part in its plan.
    fn lifecycle(&self, position: ResourceId) -> impl std::fmt::Debug {
        let lifecycle = &self.inputs.program.resources()[position].lifecycle;
        let create_before_destroy = self.inputs.create_before_destroy[position];
        (lifecycle.ignore_changes.clone(), create_before_destroy)
    }

    fn question<'q>(
        &self,
        resource: &'q ResourceInstance,
        running: &'q RunningProvider,
        stored: &'q Object,
        config: &'q Config,
        lifecycle: &'q dyn std::fmt::Debug,
        meta: Option<&'q Value>,
    ) -> Question<'q>
    where
        'a: 'q,
    {
        Question {
            asked: Asked {
                source: self.source(resource),
                place: &running.place,
            },
            address: &resource.address,
            stored,
            config,
            lifecycle,
            meta,
        }
    }

    fn subject_of<'s>(
        &'s self,
        resource: &'s ResourceInstance,
        provider: &'s dyn Provider,
        schema: &'s Arc<Schema>,
    ) -> Subject<'s> {
        let source = &self.inputs.provider_addresses[resource.provider].source;
        Subject {
            provider,
            source,
            schema,
            address: &resource.address,
            location: Some(resource.location),
            warnings: &self.warnings,
            deferred: Some(&self.deferred),
            meta: meta_for(self.inputs.program, &resource.address, source),
            events: self.inputs.events,
        }
    }
}

/// Whether an answer to those arguments may be remembered: everything in them is known, and nothing in them is a secret that no state holds.
fn may_be_kept(resource: &ResourceInstance, schema: &Schema, config: &Config) -> bool {
    config.value.is_wholly_known()
        && resource.arguments.ephemeral_paths().is_empty()
        && schema.block.write_only_values(&config.value).is_empty()
}
