//! Checks the actions that a plan invokes: a fault of one is found before anything is changed.

use terrane_core::{DeclaredAction, Diagnostics, ProviderConfig, ResourceId};

use super::inputs::Inputs;
use super::visitor::DeclaredChanges;
use crate::actions::{check, invocations, schema_of, validate};
use crate::config;
use crate::options::PlanMode;
use crate::scope::Objects;

/// The actions that those changes invoke, each once.
pub(super) fn invoked<'a>(
    inputs: &Inputs<'a>,
    changes: &DeclaredChanges,
) -> Vec<&'a DeclaredAction> {
    if inputs.options.mode == PlanMode::RefreshOnly {
        return Vec::new();
    }
    let all = invocations(inputs.program, |id: ResourceId| changes[id].as_ref());
    let mut actions: Vec<&DeclaredAction> = all.map(|(action, _, _)| action).collect();
    actions.dedup_by_key(|action| &action.address);
    actions
}

/// Asks their providers about actions; the warnings.
///
/// # Errors
/// When a provider lacks an action or refuses its configuration.
pub(super) async fn check_all(
    inputs: &Inputs<'_>,
    objects: &Objects<'_>,
    actions: &[&DeclaredAction],
) -> Result<Diagnostics, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    for &action in actions {
        let checked = async {
            let declared: &ProviderConfig = &inputs.program.providers()[action.provider];
            let running = inputs.running;
            let configured = running.configure_as_declared(declared, objects).await?;
            let provider = &*configured.provider;
            let schema = schema_of(provider, action)?;
            let location = Some(action.location);
            let arguments = &action.arguments;
            let config = config::evaluate(
                arguments,
                &schema,
                objects,
                &action.address,
                location,
                running,
            )
            .await?;
            // With values that are only known later, a provider may refuse what it would do then.
            let known = config.value.is_wholly_known() && configured.config.value.is_wholly_known();
            let mut warnings = configured.warnings;
            warnings.extend(match known {
                true => check(provider, action, &config).await?,
                false => validate(provider, action, &config).await?,
            });
            Ok(warnings)
        };
        match checked.await {
            Ok(said) | Err(said) => diagnostics.extend::<Diagnostics>(said),
        }
    }
    diagnostics.into_result(()).map(|((), warnings)| warnings)
}
