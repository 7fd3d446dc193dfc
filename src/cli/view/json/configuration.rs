//! The program as Terraform's `configuration`, where it maps: constants and references.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use terrane_core::addr::{InstanceAddr, ModuleAddr, ProviderConfigAddr};
use terrane_core::{Expr, Path, PathStep, Program};
use terrane_engine::ResourceChange;

use super::value::known;
use super::values::mode;

#[derive(Serialize)]
pub(super) struct Configuration {
    provider_config: BTreeMap<String, Json>,
    root_module: ModuleJson,
}

#[derive(Default, Serialize)]
struct ModuleJson {
    #[serde(skip_serializing_if = "Map::is_empty")]
    outputs: Map<String, Json>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Json>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    module_calls: BTreeMap<String, CallJson>,
}

#[derive(Default, Serialize)]
struct CallJson {
    module: ModuleJson,
}

/// The whole program. Constants that the program or a resource type's schema says are sensitive are left out.
pub(super) fn configuration(program: &Program, changes: &[ResourceChange]) -> Configuration {
    let secrets: HashMap<&InstanceAddr, &BTreeSet<Path>> = changes
        .iter()
        .filter(|change| change.deposed.is_none() && change.after.is_sensitive())
        .map(|change| (&*change.address, &change.after.sensitive))
        .collect();
    let mut root_module = ModuleJson::default();
    // One entry a declaration: instances differ only in their key.
    let mut seen = std::collections::HashSet::new();
    for resource in program.resources() {
        let address = &resource.address.resource;
        if !seen.insert(address.config()) {
            continue;
        }
        let provider = &program.providers()[resource.provider].address;
        let mut entry = json!({
            "address": terrane_core::addr::ResourceAddr {
                module: ModuleAddr::root(),
                ..address.clone()
            }.to_string(),
            "mode": mode(address.mode),
            "type": &*address.type_name,
            "name": &*address.name,
            "provider_config_key": provider_key(provider),
            "expressions": expressions(&resource.arguments, &|name| {
                let starts = |path: &Path| path.steps().first() == Some(&PathStep::Attribute(name.into()));
                secrets.get(&*resource.address).is_some_and(|paths| paths.iter().any(starts))
            }),
        });
        let depends_on: Vec<String> = resource
            .depends_on
            .iter()
            .map(|&position| program.resources()[position].address.to_string())
            .collect();
        if !depends_on.is_empty() {
            entry["depends_on"] = depends_on.into();
        }
        root_module.inside(&address.module).resources.push(entry);
    }
    for export in program.exports() {
        let mut output = json!({ "expression": expression(&export.value) });
        if matches!(export.value, Expr::Sensitive(_)) {
            output["sensitive"] = true.into();
        }
        root_module.outputs.insert(export.name.to_string(), output);
    }
    let serving: BTreeSet<usize> = (program.resources().iter())
        .map(|resource| resource.provider)
        .collect();
    let providers = program.providers().iter().enumerate();
    Configuration {
        provider_config: providers
            .filter(|(place, provider)| provider.location.is_some() || serving.contains(place))
            .map(|(_, provider)| {
                let address = &provider.address;
                let mut entry = json!({
                    "name": &*address.source.type_name,
                    "full_name": address.source.to_string(),
                });
                if let Some(alias) = &address.alias {
                    entry["alias"] = json!(&**alias);
                }
                let expressions = expressions(&provider.arguments, &looks_secret);
                if expressions
                    .as_object()
                    .is_some_and(|members| !members.is_empty())
                {
                    entry["expressions"] = expressions;
                }
                (provider_key(address), entry)
            })
            .collect(),
        root_module,
    }
}

impl ModuleJson {
    fn inside(&mut self, module: &ModuleAddr) -> &mut Self {
        let mut place = self;
        for step in module.steps() {
            place = &mut place
                .module_calls
                .entry(step.name.to_string())
                .or_default()
                .module;
        }
        place
    }
}

fn provider_key(address: &ProviderConfigAddr) -> String {
    match &address.alias {
        Some(alias) => format!("{}.{alias}", address.source.type_name),
        None => address.source.type_name.to_string(),
    }
}

/// Whether an argument of a provider configuration, whose schema is not at hand here, is likely to hold a secret.
fn looks_secret(name: &str) -> bool {
    ["secret", "token", "password", "key", "credential"]
        .iter()
        .any(|word| name.contains(word))
}

/// Arguments by name; of those that are secret only the references.
fn expressions(arguments: &Expr, is_secret: &dyn Fn(&str) -> bool) -> Json {
    match arguments {
        Expr::Map(members) => members
            .iter()
            .map(|(name, member)| {
                let mut json = nested(member);
                if is_secret(name) {
                    let references = json.get("references").cloned();
                    json = references
                        .map_or_else(|| json!({}), |names| json!({ "references": names }));
                }
                (name.to_string(), json)
            })
            .collect::<Map<_, _>>()
            .into(),
        other => expression(other),
    }
}

/// Blocks keep their shape; everything else is one expression.
fn nested(expr: &Expr) -> Json {
    match expr {
        Expr::List(elements) if elements.iter().any(|e| matches!(e, Expr::Map(_))) => elements
            .iter()
            .map(|block| expressions(block, &|_| false))
            .collect(),
        other => expression(other),
    }
}

/// `{constant_value}` or `{references}`, each reference also with the resource it is into.
fn expression(expr: &Expr) -> Json {
    let mut references: Vec<String> = Vec::new();
    expr.for_each_reference(&mut |reference| {
        for text in [reference.to_string(), reference.address.to_string()] {
            if !references.contains(&text) {
                references.push(text);
            }
        }
    });
    if !references.is_empty() {
        return json!({ "references": references });
    }
    constant(expr).map_or_else(|| json!({}), |value| json!({ "constant_value": value }))
}

/// The value of an expression without references, as far as it is written in the program.
fn constant(expr: &Expr) -> Option<Json> {
    match expr {
        Expr::Literal(value) => serde_json::from_str(known(value)?.get()).ok(),
        Expr::List(elements) => elements.iter().map(constant).collect(),
        Expr::Map(members) => members
            .iter()
            .map(|(name, member)| Some((name.to_string(), constant(member)?)))
            .collect::<Option<Map<_, _>>>()
            .map(Json::from),
        _ => None,
    }
}
