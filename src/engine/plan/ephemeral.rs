//! Opens ephemeral resources while planning.

use std::sync::Arc;

use terrane_core::{Diagnostics, ResourceId};
use terrane_provider::Provider;

use super::visitor::{Finding, Visitor};
use crate::change::Action;
use crate::ephemerals::{Opening, not_open};
use crate::object::schema_of;

impl Visitor<'_> {
    /// Opens a declared ephemeral resource if everything about it is known; else it is opened during apply.
    pub(super) async fn ephemeral(
        &self,
        position: ResourceId,
        provider: Arc<dyn Provider>,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        let address = &resource.address;
        let location = Some(resource.location);
        let source = &self.inputs.provider_addresses[resource.provider].source;
        let schema = schema_of(&*provider, address, source, location)?;
        finding.doubt = self.known.doubt_about(resource);
        let config = self.evaluate(resource, &schema).await?;
        let pending = resource
            .depends_on
            .iter()
            .any(|&needed| self.known.action(needed) != Action::NoOp);
        if pending || !config.value.is_wholly_known() {
            let said = provider
                .validate_ephemeral_resource_config(resource.type_name(), &config.value)
                .await
                .map_err(|error| crate::running::call_failed(&error, address))?;
            let ((), said) = said.into_result(())?;
            self.warnings.borrow_mut().extend(said);
            finding.object = Some(not_open());
            return Ok(());
        }
        let opening = Opening {
            deferred: Some(&self.deferred),
            position,
            address,
            location: resource.location,
            provider,
            config: &config,
        };
        let (object, warnings) = self.inputs.running.open(opening).await?;
        self.warnings.borrow_mut().extend(warnings);
        finding.object = Some(object);
        Ok(())
    }
}
