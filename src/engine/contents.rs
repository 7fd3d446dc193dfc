//! What stands in the way of a plan's deletions although no program declared it: asked of the providers before anybody confirms.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::{ContentsLookup, Diagnostics, Holding, Program, Value};
use terrane_provider::{Provider, ReadDataSource};

use crate::change::ResourceChange;
use crate::plan::Plan;
use crate::plan::inputs::serving_change;
use crate::running::RunningProviders;
use crate::scope::Objects;

/// More names are counted and not described.
const DESCRIBED: usize = 10;

/// What an object that is to be deleted holds.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The object.
    pub address: Arc<InstanceAddr>,
    /// By which rule it was looked for.
    pub rule: &'static ContentsLookup,
    /// The names of what is there; `None` where that cannot be told.
    pub names: Option<Vec<String>>,
}

/// Asks about every object that the plan deletes and that has a rule. An object that empties itself first is not asked about.
pub(crate) async fn contents(
    program: &Program,
    plan: &Plan,
    running: &RunningProviders<'_>,
    parallelism: usize,
) -> Vec<Contents> {
    let questions = plan
        .changes
        .iter()
        .filter(|change| {
            change.action.destroys()
                && change.address.resource.mode == Mode::Managed
                && change.deposed.is_none()
        })
        .flat_map(|change| rules_for(program, change).map(move |rule| (change, rule)));
    let answers = stream::iter(questions)
        .map(async |(change, rule)| {
            let (rule, names) = ask(program, change, rule, running).await;
            let names = names.map(|names| foreign(names, plan));
            Contents {
                address: change.address.clone(),
                rule,
                names,
            }
        })
        .buffered(parallelism.max(1));
    answers.collect().await
}

/// The rules for an object that is not emptied by its deletion.
fn rules_for(
    program: &Program,
    change: &ResourceChange,
) -> impl Iterator<Item = &'static ContentsLookup> {
    let provider = serving_change(program, change);
    let binding = provider.and_then(|provider| program.providers()[provider].binding);
    let rules = binding.map_or(&[][..], |binding| binding.lookup.contents);
    let kind = change.address.resource.type_name.clone();
    let object = change.before.value.clone();
    rules.iter().filter(move |rule| {
        let is_emptied = match rule.holds {
            Holding::Inside { emptied_by, .. } => {
                object.get(emptied_by).and_then(Value::as_bool) == Some(true)
            }
            Holding::Attached { .. } => false,
        };
        rule.type_name == &*kind && !is_emptied
    })
}

/// The names of what an object holds, and the rule by which they were found. A provider that cannot say is no reason to fail.
async fn ask(
    program: &Program,
    change: &ResourceChange,
    rule: &'static ContentsLookup,
    running: &RunningProviders<'_>,
) -> (&'static ContentsLookup, Option<Vec<String>>) {
    let provider = async {
        let config = &program.providers()[serving_change(program, change)?];
        if !config.dependencies.is_empty() {
            return None;
        }
        let nothing = Objects::new(program);
        running.configure_as_declared(config, &nothing).await.ok()
    };
    let Some(configured) = provider.await else {
        return (rule, None);
    };
    let provider = &*configured.provider;
    let has = |rule: &ContentsLookup| {
        matches!(provider.data_source_schema(rule.data_source), Ok(Some(_)))
    };
    let rule = match rule.otherwise {
        Some(other) if !has(rule) => other,
        _ => rule,
    };
    (rule, names(provider, change, rule).await)
}

/// The names that a rule finds.
async fn names(
    provider: &dyn Provider,
    change: &ResourceChange,
    rule: &ContentsLookup,
) -> Option<Vec<String>> {
    let arguments = (rule.config)(&change.before.value)?;
    let found = read(provider, rule.data_source, &arguments).await?;
    let mut names = (rule.names)(&found);
    if let Holding::Inside { may_hide, .. } = rule.holds
        && names.is_empty()
        && may_hide(&change.before.value)
    {
        return None;
    }
    if let Some((data_source, attribute)) = rule.described_by {
        for name in names.iter_mut().take(DESCRIBED) {
            let arguments = Value::map([("id", Value::from(name.as_str()))]);
            let described = read(provider, data_source, &arguments).await;
            let text = described
                .as_ref()
                .and_then(|it| it.get(attribute)?.as_str());
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                *name = format!("{text} ({name})");
            }
        }
    }
    Some(names)
}

/// What a data source finds; `None` where the provider has none such or does not answer.
async fn read(provider: &dyn Provider, data_source: &str, arguments: &Value) -> Option<Value> {
    let schema = provider.data_source_schema(data_source).ok()??;
    let config = schema.block.coerce(arguments).ok()?;
    let request = ReadDataSource {
        provider_meta: None,
        type_name: data_source,
        config: &config,
    };
    let response = provider.read_data_source(request).await.ok()?;
    let answer: Result<_, Diagnostics> = response.diagnostics.into_result(response.state);
    Some(answer.ok()?.0)
}

/// Without what the plan deletes as well.
fn foreign(names: Vec<String>, plan: &Plan) -> Vec<String> {
    let going = plan.changes.iter().filter(|one| one.action.destroys());
    let known: Vec<&str> = going
        .flat_map(|change| {
            let member = |name: &str| change.before.value.get(name).and_then(Value::as_str);
            [member("arn_suffix"), member("id")]
        })
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    let is_known = |name: &String| {
        let mut words = name.split([' ', '(', ')']);
        words.any(|word| known.contains(&word))
    };
    names.into_iter().filter(|name| !is_known(name)).collect()
}
