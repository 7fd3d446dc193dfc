//! Looks an object up that no state has: by an id that can be imported, or by a tag.

use std::sync::Arc;

use terrane_core::{Diagnostic, Diagnostics, LookupRules, TagLookup, Value};
use terrane_provider::{Identity, ImportResourceState, ReadDataSource};

use crate::evidence::OWNER_TAG;
use crate::object::{Loaded, Subject, schema_of_data};
use crate::running::call_failed;
use crate::write_only::AnswerOf;

impl Subject<'_> {
    /// Imports and reads; `None` when there is no such object. An import alone proves nothing: most providers return what they were
    /// given.
    ///
    /// # Errors
    /// When the provider cannot import that type, or could not look.
    pub(crate) async fn look_up(
        &self,
        id: &str,
        identity: Option<&Identity>,
    ) -> Result<Option<Loaded>, Diagnostics> {
        let request = ImportResourceState {
            type_name: self.type_name(),
            id,
            identity,
        };
        let response = self.provider.import_resource_state(request).await;
        let response = response.map_err(|error| self.call_failed(&error))?;
        let imported = self.accept(response.diagnostics, response.imported_resources)?;
        self.not_deferred(response.deferred)?;
        let (ours, others): (Vec<_>, Vec<_>) = imported
            .into_iter()
            .partition(|imported| imported.type_name == self.type_name());
        for other in others {
            let what = format!("the provider also imported a {}", other.type_name);
            let ignored = self.warning(what).detail("it is ignored");
            self.warnings.borrow_mut().push(ignored);
        }
        let Some(imported) = ours.into_iter().next() else {
            return Ok(None);
        };
        if imported.state.is_null() {
            return Ok(None);
        }
        let state = self.without_write_only(AnswerOf::Import, imported.state)?;
        self.read(&Loaded::new(state, imported.private, imported.identity))
            .await
    }

    /// The objects of this type at that place that have that owner tag, with the ids they were imported by.
    ///
    /// # Errors
    /// When the provider could not look.
    pub(crate) async fn with_tag(
        &self,
        rules: &LookupRules,
        finder: &TagLookup,
        tag: &str,
        place: Option<&str>,
    ) -> Result<Vec<(String, Loaded)>, Diagnostics> {
        let schema = schema_of_data(self.provider, self.address, finder.data_source)?;
        let mut config = (finder.config)(OWNER_TAG, tag);
        if let (Some(place), Some(rule)) = (place, &rules.place)
            && schema.block.attributes.contains_key(rule.argument)
        {
            let mut members = config.members().cloned().unwrap_or_default();
            members.insert(rule.argument.into(), place.into());
            config = Value::Map(Arc::new(members));
        }
        let config = schema.block.coerce(&config).map_err(|problems| {
            let problems = problems.into_iter().map(Diagnostic::from);
            self.about(problems.collect())
        })?;
        let request = ReadDataSource {
            provider_meta: None,
            type_name: finder.data_source,
            config: &config,
        };
        let response = self.provider.read_data_source(request).await;
        let response = response.map_err(|error| call_failed(&error, self.address))?;
        let found: Value = self.accept(response.diagnostics, response.state)?;
        let mut ids = (finder.ids)(self.type_name(), &found);
        ids.sort_unstable();
        ids.dedup();
        let mut objects = Vec::with_capacity(ids.len());
        for id in ids {
            let id = rules.id_at(&id, place);
            // Objects that were destroyed lately may be listed still.
            if let Some(object) = self.look_up(&id, None).await? {
                objects.push((id, object));
            }
        }
        Ok(objects)
    }
}
