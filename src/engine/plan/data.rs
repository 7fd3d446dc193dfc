//! Reads data sources.

use std::sync::Arc;

use terrane_core::addr::Mode;
use terrane_core::schema::Schema;
use terrane_core::{Diagnostics, Marked, ResourceId, Value};
use terrane_provider::ReadDataSource;
use terrane_state::{Instance, Object};

use super::instance::PlannedInstance;
use super::visitor::{Finding, Visitor};
use crate::change::{Action, Reason};
use crate::config::{self, Config};
use crate::diff::proposed_unknown;
use crate::meta::meta_for;
use crate::object::{Loaded, Subject, schema_of};
use crate::options::PlanMode;
use crate::running::RunningProvider;

impl Visitor<'_> {
    /// Reads a declared data source now if everything about it is known, else plans to read it during apply.
    pub(super) async fn data(
        &self,
        position: ResourceId,
        running: &RunningProvider,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let provider = &*running.provider;
        let resource = &self.inputs.program.resources()[position];
        let address = &resource.address;
        let location = Some(resource.location);
        let provider_address = &self.inputs.provider_addresses[resource.provider];
        let schema = schema_of(provider, address, &provider_address.source, location)?;
        let warnings = &self.warnings;
        let subject = Subject {
            provider,
            source: &provider_address.source,
            schema: &schema,
            address,
            location,
            warnings,
            deferred: Some(&self.deferred),
            meta: meta_for(self.inputs.program, address, &provider_address.source),
            events: self.inputs.events,
        };
        let stored = self
            .inputs
            .prior
            .instance(address)
            .and_then(|instance| instance.current.as_ref());
        if let Some(doubt) = self.known.doubt_about(resource) {
            finding.doubt = Some(doubt);
        }
        config::refuse_stored_ephemerals(&resource.arguments, &schema, address, resource.location)?;
        let config = self.evaluate(resource, &schema).await?;
        // A destroy reads before anything goes, and only what providers are configured with.
        let is_destroy = self.inputs.options.mode == PlanMode::Destroy;
        let pending = !is_destroy
            && resource.depends_on.iter().any(|&needed| {
                self.inputs.program.resources()[needed].mode() == Mode::Managed
                    && self.known.action(needed) != Action::NoOp
            });
        if config.value.is_wholly_known() && !pending {
            let object = match subject.read_data(&config).await {
                Err(failed) if is_destroy => {
                    let why = "it could not be read";
                    return self.answer_again(position, &subject, stored, (why, failed), finding);
                }
                read => read?,
            };
            let mut loaded = Loaded::new(object.value.clone(), bytes::Bytes::new(), None);
            // As before; the new list is recorded when all that it names is as planned.
            loaded.dependencies =
                stored.map_or_else(Arc::default, |object| object.dependencies.clone());
            loaded.sensitive = Arc::new(config.sensitive.clone());
            let answer = Instance::with_current(provider_address.clone(), subject.store(&loaded)?);
            finding.instance = Some(Arc::new(answer));
            self.note_answer(position, running, &config, &schema, finding)?;
            finding.object = Some(Arc::new(object));
            return Ok(());
        }
        if is_destroy {
            let why = "its arguments are not known";
            return self.answer_again(
                position,
                &subject,
                stored,
                (why, Diagnostics::new()),
                finding,
            );
        }
        if self.inputs.options.mode == PlanMode::RefreshOnly {
            finding.object = Some(Arc::new(Marked::plain(Value::UNKNOWN)));
            return Ok(());
        }
        // Terraform's order, where both hold.
        let reason = match config.value.is_wholly_known() {
            true => Reason::ReadBecauseDependencyPending,
            false => Reason::ReadBecauseConfigUnknown,
        };
        let planned = PlannedInstance {
            action: Action::Read,
            reason: Some(reason),
            before: Value::Null,
            after: proposed_unknown(&schema.block, &config.value),
            replace_paths: Vec::new(),
            private: bytes::Bytes::new(),
            identity: None,
        };
        let change = self.change(&subject, &schema, &config, planned, None, position);
        finding.object = Some(change.after.clone());
        finding.change = Some(change);
        Ok(())
    }

    /// A destroy goes on with the answer that the state holds, and says so.
    fn answer_again(
        &self,
        position: ResourceId,
        subject: &Subject<'_>,
        stored: Option<&Arc<Object>>,
        (why, failed): (&str, Diagnostics),
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let Some((stored, value)) =
            stored.and_then(|object| Some((object, stored_answer(object, subject.schema)?)))
        else {
            let none = subject
                .error(format!("{why}, and the state holds no answer of it"))
                .detail("a provider whose objects are to be destroyed is configured with it")
                .hint("`--exclude` leaves those objects out");
            return Err(failed.into_iter().chain([none]).collect());
        };
        let reasons: Vec<String> = failed
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .map(|diagnostic| diagnostic.summary.clone())
            .collect();
        let users: Vec<String> = self
            .inputs
            .program
            .providers()
            .iter()
            .filter(|provider| provider.dependencies.contains(&position))
            .map(|provider| provider.address.to_string())
            .collect();
        let mut detail = format!("{why}; the answer that the state holds may be out of date");
        if !users.is_empty() {
            detail = format!("{detail}, and configures {}", users.join(", "));
        }
        if !reasons.is_empty() {
            detail = format!("{}: {detail}", reasons.join("; "));
        }
        let address = subject.address;
        let warning = subject.warning("the destroy goes on with a stored answer");
        self.warnings.borrow_mut().push(warning.detail(detail));
        let why = format!("it is configured with the stored answer of `{address}`");
        finding.doubt = Some(why.into());
        let marks = &stored.sensitive_attributes.paths;
        finding.object = Some(Arc::new(subject.marked(value, marks)));
        Ok(())
    }
}

/// The answer of a data source that the state holds.
pub(crate) fn stored_answer(stored: &Object, schema: &Schema) -> Option<Value> {
    let json = stored.attributes.raw().as_str().as_bytes();
    Value::from_json(json, schema.ty()).ok()
}

impl Subject<'_> {
    /// Lets the provider check the configuration of a data source.
    pub(crate) async fn validate_data(&self, config: &Config) -> Result<(), Diagnostics> {
        let diagnostics = self
            .provider
            .validate_data_source_config(self.type_name(), &config.value)
            .await
            .map_err(|error| self.call_failed(&error))?;
        self.accept(diagnostics, ())
    }

    /// Reads a data source whose configuration is known.
    pub(crate) async fn read_data(&self, config: &Config) -> Result<Marked, Diagnostics> {
        self.validate_data(config).await?;
        let meta = self.provider_meta()?;
        let request = ReadDataSource {
            provider_meta: meta.as_ref(),
            type_name: self.type_name(),
            config: &config.value,
        };
        let response = self
            .provider
            .read_data_source(request)
            .await
            .map_err(|error| self.call_failed(&error))?;
        let value = self.accept(response.diagnostics, response.state)?;
        self.not_deferred(response.deferred)?;
        if value.is_null() || !value.is_wholly_known() {
            return Err(self
                .error("the provider returned no complete object for the data source")
                .hint("this is a bug in the provider; report it to its developers")
                .into());
        }
        Ok(self.marked(value, &config.sensitive))
    }
}
