//! The program as Terraform's `configuration`, where it maps: constants and references.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use terrane_core::addr::{InstanceAddr, Mode, ModuleAddr, ModuleStep};
use terrane_core::schema::Schema;
use terrane_core::{Expr, Program, ProviderId, Reference};
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
pub(super) struct ModuleJson {
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) outputs: Map<String, Json>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Json>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    module_calls: BTreeMap<String, CallJson>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) variables: Map<String, Json>,
}

#[derive(Default, Serialize)]
pub(super) struct CallJson {
    /// A module of a program is a function; tools want a folder.
    source: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) expressions: Map<String, Json>,
    pub(super) module: ModuleJson,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) depends_on: Vec<String>,
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
        let module = &address.module;
        let provider = &program.providers()[resource.provider].address;
        let mut refer = |reference: &Reference| root_module.refer(module, reference);
        let is_secret = secrets.test(&resource.address);
        let expressions = expressions(&resource.arguments, &is_secret, &mut refer);
        let mut entry = json!({
            "address": terrane_core::addr::ResourceAddr {
                module: ModuleAddr::root(),
                ..address.clone()
            }.to_string(),
            "mode": mode(address.mode),
            "type": &*address.type_name,
            "name": &*address.name,
            "provider_config_key": provider.short(),
            "expressions": expressions,
        });
        if let Some(version) = secrets.schema_version(&resource.address) {
            entry["schema_version"] = version.into();
        }
        let dependencies = resource.depends_on.iter();
        let mut depends_on: Vec<String> = dependencies
            .filter_map(|&on| root_module.depend(module, &program.resources()[on].address))
            .collect();
        depends_on.dedup();
        if !depends_on.is_empty() {
            entry["depends_on"] = depends_on.into();
        }
        root_module.at(module.steps()).resources.push(entry);
    }
    for export in program.exports() {
        let root = ModuleAddr::root();
        let mut refer = |reference: &Reference| root_module.refer(&root, reference);
        let mut output = json!({ "expression": expression(&export.value, &mut refer) });
        if matches!(export.value, Expr::Sensitive(_)) {
            output["sensitive"] = true.into();
        }
        root_module.outputs.insert(export.name.to_string(), output);
    }
    let serving: BTreeSet<ProviderId> = (program.resources().iter())
        .map(|resource| resource.provider)
        .collect();
    let providers = program.providers().entries();
    let provider_config = providers
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
            let root = ModuleAddr::root();
            let mut refer = |reference: &Reference| root_module.refer(&root, reference);
            let expressions = expressions(&provider.arguments, &looks_secret, &mut refer);
            if expressions
                .as_object()
                .is_some_and(|members| !members.is_empty())
            {
                entry["expressions"] = expressions;
            }
            (address.short(), entry)
        })
        .collect();
    Configuration {
        provider_config,
        root_module,
    }
}

impl ModuleJson {
    /// The module at the end of these steps.
    pub(super) fn at(&mut self, steps: &[ModuleStep]) -> &mut Self {
        let calls = steps.iter();
        calls.fold(self, |module, step| &mut module.call(&step.name).module)
    }

    /// The module of that name in this one.
    pub(super) fn call(&mut self, name: &str) -> &mut CallJson {
        let call = self.module_calls.entry(name.to_owned());
        call.or_insert_with(|| CallJson {
            source: format!("./{name}"),
            ..CallJson::default()
        })
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
fn expressions(arguments: &Expr, is_secret: &dyn Fn(&str) -> bool, refer: &mut Refer<'_>) -> Json {
    match arguments {
        Expr::Map(members) => members
            .iter()
            .map(|(name, member)| {
                let mut json = nested(member, refer);
                if is_secret(name) {
                    let references = json.get("references").cloned();
                    json = references
                        .map_or_else(|| json!({}), |names| json!({ "references": names }));
                }
                (name.to_string(), json)
            })
            .collect::<Map<_, _>>()
            .into(),
        other => expression(other, refer),
    }
}

/// Blocks keep their shape; everything else is one expression.
fn nested(expr: &Expr, refer: &mut Refer<'_>) -> Json {
    match expr {
        Expr::List(elements) if elements.iter().any(|e| matches!(e, Expr::Map(_))) => elements
            .iter()
            .map(|block| expressions(block, &|_| false, refer))
            .collect(),
        other => expression(other, refer),
    }
}

/// Writes a reference from where an expression stands.
type Refer<'a> = dyn FnMut(&Reference) -> Vec<String> + 'a;

/// `{constant_value}` or `{references}`, each reference also with what it goes through.
fn expression(expr: &Expr, refer: &mut Refer<'_>) -> Json {
    let mut references: Vec<String> = Vec::new();
    expr.for_each_reference(&mut |reference| {
        for text in refer(reference) {
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
