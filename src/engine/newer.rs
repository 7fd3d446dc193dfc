//! Says which version of a provider has what the running one lacks, as far as the program's bindings know.

use std::sync::Arc;

use terrane_core::addr::Mode;
use terrane_core::schema::{Facts, Schema};
use terrane_core::{Diagnostic, Diagnostics, Program, ProviderBinding, ProviderConfig, ResourceId};
use terrane_provider::Provider;

/// The errors about a declaration. Those about a type or an argument that the running provider does not have, and the bindings of the
/// program do, name the version that the bindings were made from.
pub(crate) fn explained(
    errors: Diagnostics,
    program: &Program,
    position: ResourceId,
    provider: &dyn Provider,
) -> Diagnostics {
    let resource = &program.resources()[position];
    let Some(binding) = program.providers()[resource.provider].binding else {
        return errors;
    };
    let type_name = &resource.address.resource.type_name;
    let facts = Facts::new(binding.facts);
    let (bound, running) = match resource.mode() {
        Mode::Managed => (
            facts.resource(type_name),
            provider.resource_schema(type_name),
        ),
        Mode::Data => (
            facts.data_source(type_name),
            provider.data_source_schema(type_name),
        ),
        Mode::Ephemeral => (
            facts.ephemeral_resource(type_name),
            provider.ephemeral_resource_schema(type_name),
        ),
    };
    match (bound, running) {
        (Some(bound), Ok(running)) => {
            let explain = |error| explain(error, binding, &bound, running.as_ref());
            errors.into_iter().map(explain).collect()
        }
        _ => errors,
    }
}

/// The errors about the configuration of a provider, likewise.
pub(crate) fn explained_configuration(
    errors: Diagnostics,
    declared: &ProviderConfig,
    running: &Arc<Schema>,
) -> Diagnostics {
    let bound = (declared.binding).and_then(|binding| {
        let bound = Facts::new(binding.facts).provider()?;
        Some((binding, bound))
    });
    let Some((binding, bound)) = bound else {
        return errors;
    };
    let explain = |error| explain(error, binding, &bound, Some(running));
    errors.into_iter().map(explain).collect()
}

fn explain(
    mut error: Diagnostic,
    binding: &ProviderBinding,
    bound: &Schema,
    running: Option<&Arc<Schema>>,
) -> Diagnostic {
    let is_lacking = match (running, &error.attribute) {
        (None, _) => true,
        (Some(running), Some(path)) => bound.block.has(path) && !running.block.has(path),
        (Some(_), None) => false,
    };
    if is_lacking && error.is_error() {
        let (source, version) = (binding.source, binding.version);
        error.detail = format!("version {version} of {source} has it, the running one does not");
        error.hints = vec![format!(
            "record a later version of {source} with `providers lock --upgrade`, or leave it out of the program"
        )];
    }
    error
}
