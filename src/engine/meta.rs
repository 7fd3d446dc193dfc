//! What a module says about itself in every request about its resources (`provider_meta`).

use terrane_core::addr::{InstanceAddr, ProviderSource};
use terrane_core::{DeclaredMeta, Diagnostic, Diagnostics, Program, Value};

use crate::object::Subject;
use crate::plan::inputs::same_provider;

/// What the module of an instance says to that provider.
pub(crate) fn meta_for<'p>(
    program: &'p Program,
    address: &InstanceAddr,
    source: &ProviderSource,
) -> Option<&'p DeclaredMeta> {
    let said = program.provider_metas_of(&address.resource.module);
    said.iter().find(|meta| same_provider(&meta.source, source))
}

impl Subject<'_> {
    /// What the module says, in the shape that the provider asks for.
    ///
    /// # Errors
    /// At the line of the program, when the provider does not take it.
    pub(crate) fn provider_meta(&self) -> Result<Option<Value>, Diagnostics> {
        let Some(meta) = self.meta else {
            return Ok(None);
        };
        let schema = self.provider.provider_meta_schema();
        let schema = schema.map_err(|error| self.call_failed(&error))?;
        let Some(schema) = schema else {
            let summary = format!("{} takes no `ProviderMeta`", self.source);
            let error = Diagnostic::error(summary).location(meta.location);
            return Err(error
                .hint("take it away, or use a version of the provider that wants it")
                .into());
        };
        let coerced = schema.block.coerce(&meta.value).map_err(|problems| {
            let diagnose = |problem| Diagnostic {
                address: Some(format!("the `ProviderMeta` for {}", self.source)),
                location: Some(meta.location),
                ..Diagnostic::from(problem)
            };
            problems.into_iter().map(diagnose).collect::<Diagnostics>()
        })?;
        Ok(Some(coerced))
    }
}
