//! The bindings of the types that a configuration uses: where they are in the program, and their names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use terrane_codegen::{
    BoundMember, BoundObject, BoundType, Catalogue, Origin, catalogue_of, describe, ident,
};
use terrane_core::schema::{Block, FactsKind, ProviderSchema};

use crate::ast::Place;
use crate::model::{Configuration, Mode, Module};
use crate::sources::ConvertError;

/// The schemas of providers, by source (`hashicorp/aws`), each with its version.
pub type Schemas = BTreeMap<String, (String, ProviderSchema)>;

/// A type that the configuration uses.
#[derive(Debug)]
pub(crate) struct Bound {
    /// The provider's module, and nothing for what is built in.
    pub(crate) provider: String,
    pub(crate) source: String,
    pub(crate) mode: Mode,
    /// The names of its bindings; none of a type that is built in.
    pub(crate) names: Option<BoundType>,
}

impl Bound {
    /// The path of the handle's type.
    pub(crate) fn handle(&self) -> String {
        match &self.names {
            Some(names) => format!("{}::{}", self.provider, names.path),
            None => "Resource".to_owned(),
        }
    }

    /// The path of a nested object's type.
    pub(crate) fn object(&self, place: usize) -> String {
        let Some(names) = &self.names else {
            return String::new();
        };
        format!(
            "{}::{}::{}",
            self.provider,
            names.module,
            ident(&names.objects[place].name)
        )
    }

    pub(crate) fn shape(&self, object: usize) -> Option<&BoundObject> {
        self.names.as_ref()?.objects.get(object)
    }

    pub(crate) fn member(&self, object: usize, name: &str) -> Option<&BoundMember> {
        self.shape(object)?
            .members
            .iter()
            .find(|one| *one.name == *name)
    }
}

/// A provider that the configuration uses.
#[derive(Debug)]
pub(crate) struct UsedProvider {
    /// Its module in the program.
    pub(crate) module: String,
    pub(crate) patterns: Vec<String>,
    /// The names of its configuration's bindings.
    pub(crate) configuration: Option<BoundType>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    pub(crate) types: Vec<Bound>,
    places: HashMap<(Mode, String, String), usize>,
    /// By source.
    pub(crate) providers: BTreeMap<String, UsedProvider>,
}

/// The source of a provider by its local name in a module.
pub(crate) fn source_of(module: &Module, local: &str) -> String {
    let source = module.required.get(local).map(|(source, _)| source.clone());
    let source = source.unwrap_or_else(|| match local {
        "terraform" => "terraform.io/builtin/terraform".to_owned(),
        local => format!("hashicorp/{local}"),
    });
    let public = source
        .strip_prefix("registry.terraform.io/")
        .or_else(|| source.strip_prefix("registry.opentofu.org/"));
    let source = public.unwrap_or(&source).to_ascii_lowercase();
    match source.contains('/') {
        true => source,
        false => format!("hashicorp/{source}"),
    }
}

/// The local name of the provider that a type belongs to, unless the resource says another.
pub(crate) fn local_of(type_name: &str) -> &str {
    type_name.split('_').next().unwrap_or(type_name)
}

impl Bindings {
    /// The bindings of every type that the configuration uses.
    pub(crate) fn of(
        configuration: &Configuration,
        schemas: &Schemas,
    ) -> Result<Self, ConvertError> {
        let mut used: BTreeMap<String, BTreeMap<(Mode, String), Place>> = BTreeMap::new();
        let mut all = Self::default();
        for module in &configuration.modules {
            let inner = module
                .checks
                .iter()
                .flat_map(|check| check.body.blocks_of("data"));
            let inner = inner
                .filter(|it| it.labels.len() == 2)
                .map(|it| (Mode::Data, it.labels[0].clone(), it));
            let own = module
                .resources
                .iter()
                .map(|it| (it.mode, it.type_name.clone(), &it.block));
            for (mode, type_name, block) in own.chain(inner) {
                let local = match block.body.value("provider").and_then(|it| it.names()) {
                    Some(names) => names[0].to_owned(),
                    None => local_of(&type_name).to_owned(),
                };
                let source = source_of(module, &local);
                if source == "terraform.io/builtin/terraform" {
                    all.add(
                        mode,
                        &type_name,
                        Bound {
                            provider: String::new(),
                            source,
                            mode,
                            names: None,
                        },
                    );
                    continue;
                }
                used.entry(source)
                    .or_default()
                    .entry((mode, type_name))
                    .or_insert(block.place);
            }
            for provider in &module.providers {
                used.entry(source_of(module, &provider.labels[0]))
                    .or_default();
            }
        }
        let mut modules: BTreeSet<String> = BTreeSet::new();
        for (source, types) in used {
            let sources = &configuration.sources;
            let Some((version, schema)) = schemas.get(&source) else {
                let Some(((_, type_name), place)) = types.into_iter().next() else {
                    continue;
                };
                return Err(ConvertError::NoSchema {
                    source_address: source,
                    type_name,
                    place: sources.shown(place),
                });
            };
            let mut module = source
                .rsplit('/')
                .next()
                .unwrap_or(&source)
                .replace('-', "_");
            while !modules.insert(module.clone()) {
                module.push_str("_provider");
            }
            let patterns: BTreeSet<String> = types.keys().map(|(_, name)| name.clone()).collect();
            let mut patterns: Vec<String> = patterns.into_iter().collect();
            let origin = Origin {
                source: &source,
                version,
                schemas: schema,
            };
            for ((mode, type_name), place) in &types {
                if block_of(schema, *mode, type_name).is_none() {
                    let what = match mode {
                        Mode::Managed => "resource type",
                        Mode::Data => "data source",
                        Mode::Ephemeral => "ephemeral resource type",
                    };
                    return Err(ConvertError::at(
                        sources,
                        *place,
                        format!("{source} {version} has no {what} `{type_name}`"),
                    ));
                }
            }
            let failed = |error: &dyn std::error::Error| {
                let mut reason = error.to_string();
                let mut cause = error.source();
                while let Some(inner) = cause {
                    reason = format!("{reason}: {inner}");
                    cause = inner.source();
                }
                ConvertError::Bindings {
                    provider: source.clone(),
                    reason,
                }
            };
            if patterns.is_empty() {
                // A configuration alone: bindings of one type carry it.
                patterns.extend(
                    schema
                        .resources
                        .keys()
                        .chain(schema.data_sources.keys())
                        .next()
                        .map(ToString::to_string),
                );
            }
            let catalogue: Catalogue =
                catalogue_of(&origin, &patterns).map_err(|error| failed(&error))?;
            for (mode, type_name) in types.keys() {
                let Some(block) = block_of(schema, *mode, type_name) else {
                    continue;
                };
                let names = describe(&catalogue, facts_kind(*mode), type_name, block)
                    .map_err(|error| failed(&error))?;
                let bound = Bound {
                    provider: module.clone(),
                    source: source.clone(),
                    mode: *mode,
                    names: Some(names),
                };
                all.add(*mode, type_name, bound);
            }
            let configuration = schema.provider.as_ref();
            let configuration = configuration
                .map(|it| describe(&catalogue, FactsKind::Provider, "provider", &it.block));
            let configuration = configuration.transpose().map_err(|error| failed(&error))?;
            all.providers.insert(
                source,
                UsedProvider {
                    module,
                    patterns,
                    configuration,
                },
            );
        }
        Ok(all)
    }

    fn add(&mut self, mode: Mode, type_name: &str, bound: Bound) {
        let key = (mode, bound.source.clone(), type_name.to_owned());
        if !self.places.contains_key(&key) {
            self.places.insert(key, self.types.len());
            self.types.push(bound);
        }
    }

    /// The place of a type's bindings.
    pub(crate) fn place(&self, mode: Mode, source: &str, type_name: &str) -> Option<usize> {
        self.places
            .get(&(mode, source.to_owned(), type_name.to_owned()))
            .copied()
    }
}

fn facts_kind(mode: Mode) -> FactsKind {
    match mode {
        Mode::Managed => FactsKind::Resource,
        Mode::Data => FactsKind::DataSource,
        Mode::Ephemeral => FactsKind::Ephemeral,
    }
}

fn block_of<'a>(schema: &'a ProviderSchema, mode: Mode, type_name: &str) -> Option<&'a Block> {
    let of_mode = match mode {
        Mode::Managed => &schema.resources,
        Mode::Data => &schema.data_sources,
        Mode::Ephemeral => &schema.ephemeral_resources,
    };
    of_mode.get(type_name).map(|schema| &schema.block)
}

/// The providers of a configuration, with the version requirement of the root module or of the first that has one.
pub(crate) fn required(configuration: &Configuration) -> Vec<(String, String)> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for module in &configuration.modules {
        let locals = module.resources.iter().map(|it| {
            match it.block.body.value("provider").and_then(|it| it.names()) {
                Some(names) => names[0].to_owned(),
                None => local_of(&it.type_name).to_owned(),
            }
        });
        let locals = locals.chain(module.providers.iter().map(|it| it.labels[0].clone()));
        for local in locals {
            let source = source_of(module, &local);
            if source.starts_with("terraform.io/builtin/") {
                continue;
            }
            let versions = module
                .required
                .get(&local)
                .map(|(_, versions)| versions.clone())
                .unwrap_or_default();
            let known = all.entry(source).or_default();
            if known.is_empty() {
                *known = versions;
            }
        }
    }
    all.into_iter().collect()
}
