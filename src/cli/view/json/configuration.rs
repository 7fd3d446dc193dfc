//! The program as Terraform's `configuration`, where it maps: constants and references.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use terrane_core::addr::{InstanceAddr, Mode, ModuleAddr};
use terrane_core::schema::Schema;
use terrane_core::{Expr, Program, ProviderId};
use terrane_engine::ResourceChange;

use super::value::known;
use super::values::mode;
use crate::view::hidden::Hidden;

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

/// The constants that a plan knows to be secret.
struct Secrets<'a> {
    changes: HashMap<&'a InstanceAddr, &'a ResourceChange>,
    /// The schemas that the plan brought along, by mode and type.
    schemas: HashMap<(Mode, &'a str), &'a Schema>,
}

impl<'a> Secrets<'a> {
    fn of(changes: &'a [ResourceChange]) -> Self {
        let current = changes.iter().filter(|change| change.deposed.is_none());
        let kind = |address: &'a InstanceAddr| {
            let resource = &address.resource;
            (resource.mode, &*resource.type_name)
        };
        Self {
            changes: current.map(|change| (&*change.address, change)).collect(),
            schemas: changes
                .iter()
                .map(|change| (kind(&change.address), &*change.schema))
                .collect(),
        }
    }

    /// The version of the schema of a declaration, as far as that is at hand. No data source has another one than 0.
    fn schema_version(&self, address: &InstanceAddr) -> Option<u64> {
        let resource = &address.resource;
        let schema = self.schemas.get(&(resource.mode, &*resource.type_name));
        match (schema, resource.mode) {
            (Some(schema), _) => Some(schema.version),
            (None, Mode::Data) => Some(0),
            (None, _) => None,
        }
    }

    /// A test for the arguments of one declaration. Where no schema is at hand, as for an instance that was not planned, each may be a secret.
    fn test(&self, address: &InstanceAddr) -> impl Fn(&str) -> bool + use<'a> {
        let resource = &address.resource;
        let schema = self.schemas.get(&(resource.mode, &*resource.type_name));
        let schema: Option<&'a Schema> = schema.copied();
        let change = self.changes.get(address);
        let hidden = change.map(|change| Hidden::of_each([&*change.before, &*change.after]));
        move |name| {
            schema.is_none_or(|schema| schema.block.has_secrets_at(name))
                || hidden
                    .iter()
                    .flatten()
                    .any(|side| side.member(name).is_something())
        }
    }
}

/// The whole program. Constants that the program or a resource type's schema says are sensitive are left out.
pub(super) fn configuration(program: &Program, changes: &[ResourceChange]) -> Configuration {
    let secrets = Secrets::of(changes);
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
            "provider_config_key": provider.short(),
            "expressions": expressions(&resource.arguments, &secrets.test(&resource.address)),
        });
        if let Some(version) = secrets.schema_version(&resource.address) {
            entry["schema_version"] = version.into();
        }
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
    let serving: BTreeSet<ProviderId> = (program.resources().iter())
        .map(|resource| resource.provider)
        .collect();
    let providers = program.providers().entries();
    Configuration {
        provider_config: providers
            .filter(|(id, provider)| provider.location.is_some() || serving.contains(id))
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
                (address.short(), entry)
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

/// Whether an argument of a provider configuration, whose schema is not at hand here, or a key of the configuration is likely to hold a
/// secret.
pub(super) fn looks_secret(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "secret",
        "token",
        "pass",
        "key",
        "credential",
        "auth",
        "cert",
        "dsn",
        "private",
    ];
    WORDS.iter().any(|word| name.contains(word))
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
        Expr::Literal(value) => serde_json::from_str(known(value, Hidden::NOTHING)?.get()).ok(),
        Expr::List(elements) => elements.iter().map(constant).collect(),
        Expr::Map(members) => members
            .iter()
            .map(|(name, member)| Some((name.to_string(), constant(member)?)))
            .collect::<Option<Map<_, _>>>()
            .map(Json::from),
        _ => None,
    }
}
