//! Reads data sources.

use std::sync::Arc;

use terrane_core::addr::Mode;
use terrane_core::{Diagnostics, Marked, Value};
use terrane_provider::{Provider, ReadDataSource};
use terrane_state::Instance;

use super::instance::Planned;
use super::planner::Planner;
use crate::change::{Action, Reason};
use crate::config::{self, Config};
use crate::diff::proposed_unknown;
use crate::object::{Loaded, Subject, schema_of};
use crate::options::PlanMode;

impl Planner<'_> {
    /// Reads a declared data source now if everything about it is known, else plans to read it during apply.
    pub(super) async fn data(
        &self,
        position: usize,
        provider: &dyn Provider,
    ) -> Result<(), Diagnostics> {
        let resource = &self.program.resources()[position];
        let address = &resource.address;
        let location = Some(resource.location);
        let provider_address = &self.provider_addresses[resource.provider];
        let schema = schema_of(provider, address, &provider_address.source, location)?;
        let warnings = &self.diagnostics;
        let subject = Subject {
            provider,
            schema: &schema,
            address,
            location,
            warnings,
        };
        let stored = self
            .prior
            .instance(address)
            .and_then(|instance| instance.current.as_ref());
        if self.options.mode == PlanMode::Destroy {
            let value = stored.and_then(|object| {
                let json = object.attributes.raw().as_str().as_bytes();
                Value::from_json(json, schema.ty()).ok()
            });
            let marked = Marked::plain(value.unwrap_or(Value::UNKNOWN));
            self.objects.set(position, Arc::new(marked));
            self.refreshed.borrow_mut().set_instance(address, None);
            return Ok(());
        }
        let config = config::evaluate(
            &resource.arguments,
            &schema,
            &self.objects,
            address,
            location,
        )?;
        let pending = resource.depends_on.iter().any(|&needed| {
            self.program.resources()[needed].mode() == Mode::Managed
                && self.action_of(needed) != Action::NoOp
        });
        if config.value.is_wholly_known() && !pending {
            let object = subject.read_data(&config).await?;
            let mut loaded = Loaded::new(object.value.clone(), bytes::Bytes::new(), None);
            let before = stored.map(|object| &object.dependencies);
            loaded.dependencies = self.closures.dependencies(position, before);
            let stored = Instance::with_current(provider_address.clone(), subject.store(&loaded)?);
            self.refreshed
                .borrow_mut()
                .set_instance(address, Some(Arc::new(stored)));
            self.objects.set(position, Arc::new(object));
            return Ok(());
        }
        if self.options.mode == PlanMode::RefreshOnly {
            self.objects
                .set(position, Arc::new(Marked::plain(Value::UNKNOWN)));
            return Ok(());
        }
        let reason = if pending {
            Reason::ReadBecauseDependencyPending
        } else {
            Reason::ReadBecauseConfigUnknown
        };
        let planned = Planned {
            action: Action::Read,
            reason: Some(reason),
            before: Value::Null,
            after: proposed_unknown(&schema.block, &config.value),
            replace_paths: Vec::new(),
            private: bytes::Bytes::new(),
            identity: None,
        };
        let change = self.change(&subject, &schema, &config, planned, None, position);
        self.objects.set(position, change.after.clone());
        self.declared_changes.borrow_mut()[position] = Some(change);
        Ok(())
    }
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
        let request = ReadDataSource {
            type_name: self.type_name(),
            config: &config.value,
        };
        let response = self
            .provider
            .read_data_source(request)
            .await
            .map_err(|error| self.call_failed(&error))?;
        let value = self.accept(response.diagnostics, response.state)?;
        if value.is_null() || !value.is_wholly_known() {
            return Err(self
                .error("the provider returned no complete object for the data source")
                .hint("this is a bug in the provider; report it to its developers")
                .into());
        }
        Ok(self.marked(value, &config.sensitive))
    }
}
