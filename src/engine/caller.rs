//! In whose name a provider acts: asked of the provider itself, so that it is exactly whom its configuration leads to.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use terrane_core::{Diagnostic, Diagnostics, Program, ProviderConfig, ProviderId, Value};
use terrane_provider::{Provider, ReadDataSource};

use crate::change::{Action, ResourceChange};
use crate::plan::Plan;
use crate::plan::inputs::serving_change;
use crate::running::{RunningProviders, call_failed};
use crate::scope::Objects;

/// The account and the region that a provider configuration leads to, as far as the provider can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerIdentity {
    /// The provider configuration.
    pub provider: String,
    /// The account.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
}

/// Data sources without arguments, each with the attribute that says where a provider acts.
struct Questions {
    provider: &'static str,
    account: (&'static str, &'static str),
    region: (&'static str, &'static str),
}

const KNOWN: &[Questions] = &[Questions {
    provider: "aws",
    account: ("aws_caller_identity", "account_id"),
    region: ("aws_region", "id"),
}];

/// Asks every provider configuration that a plan needs and that can say it; of a plan without changes, those that it looked through. One
/// whose configuration rests on resources cannot be asked before those exist.
pub(crate) async fn callers(
    program: &Program,
    plan: &Plan,
    running: &RunningProviders<'_>,
) -> Result<Vec<CallerIdentity>, Diagnostics> {
    let works = |change: &&ResourceChange| change.action != Action::NoOp;
    let is_idle = !plan.changes.iter().any(|change| works(&change));
    let needed: BTreeSet<ProviderId> = plan
        .changes
        .iter()
        .filter(|change| is_idle || works(change))
        .filter_map(|change| serving_change(program, change))
        .collect();
    let nothing = Objects::new(program);
    let mut callers = Vec::new();
    for position in needed {
        let config = &program.providers()[position];
        let source = &config.address.source;
        let questions = KNOWN
            .iter()
            .find(|known| *known.provider == *source.type_name);
        let Some(questions) = questions.filter(|_| config.dependencies.is_empty()) else {
            continue;
        };
        // Where nothing is to be done, no process is started to say in whose name.
        if is_idle && running.rests(&config.address) {
            continue;
        }
        let configured = running.configure_as_declared(config, &nothing).await?;
        let provider = configured.provider;
        let account = ask(&*provider, config, questions.account).await?;
        let region = ask(&*provider, config, questions.region).await?;
        if account.is_some() || region.is_some() {
            callers.push(CallerIdentity {
                provider: config.address.to_string(),
                account,
                region,
            });
        }
    }
    Ok(callers)
}

/// One attribute of a data source; `None` when the provider has none such.
async fn ask(
    provider: &dyn Provider,
    config: &ProviderConfig,
    (data_source, attribute): (&str, &str),
) -> Result<Option<String>, Diagnostics> {
    let failed = |error| call_failed(&error, &config.address);
    let Some(schema) = provider.data_source_schema(data_source).map_err(failed)? else {
        return Ok(None);
    };
    let nothing = Value::map::<&str>([]);
    let arguments = schema.block.coerce(&nothing).map_err(|problems| {
        let problems = problems.into_iter().map(Diagnostic::from);
        problems
            .map(|problem| problem.address(&config.address))
            .collect::<Diagnostics>()
    })?;
    let response = provider
        .read_data_source(ReadDataSource {
            provider_meta: None,
            type_name: data_source,
            config: &arguments,
        })
        .await
        .map_err(failed)?;
    let (state, _) = response.diagnostics.into_result(response.state)?;
    Ok(state
        .get(attribute)
        .and_then(Value::as_str)
        .map(str::to_owned))
}
