//! Lays out the files: a module for each service and each type.
//!
//! Inside the files everything of terrane is named through `tr`, and everything of a provider is defined, so that no name of a
//! schema (`Stack`, `Input`) can clash with one of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use terrane_core::schema::{FactsKind, Schema};

use super::GenerateError;
use super::blocks::{Blocks, Home, folder};
use super::shape::Rules;
use super::types::resource;
use crate::catalogue::{Catalogue, Service};
use crate::names::{ident, is_ident, pascal};

/// The start of every name of a marker.
const MARKER: &str = "missing::Missing";

/// How a module refers to the files of those inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `mod subnet;`: the files lie in a source folder.
    Source,
    /// `mod subnet { include!(…); }`: they lie in `OUT_DIR`, where compilers and editors look for `include!` only.
    OutDir,
}

/// The files of one service.
pub(super) fn service(
    catalogue: &Catalogue,
    layout: Layout,
    name: &str,
    about: &Service,
    types: &[(FactsKind, String, Schema)],
    files: &mut BTreeMap<String, String>,
) -> Result<(), GenerateError> {
    let mut missing = BTreeSet::new();
    let mut lacking = BTreeSet::new();
    let mut blocks = Blocks::default();
    let mut modules: BTreeMap<FactsKind, Vec<Module>> = BTreeMap::new();
    for (kind, type_name, schema) in types {
        let (module, rust_name) = names(catalogue, about, type_name);
        if !is_ident(&module) {
            return Err(GenerateError::Name {
                type_name: type_name.clone(),
                name: module,
            });
        }
        let rules = Rules::new(catalogue, *kind, &rust_name, type_name);
        let below = folder(*kind).map_or(String::new(), |folder| format!("{folder}/"));
        let home = Home {
            kind: *kind,
            module: ident(&module),
        };
        let text = resource(catalogue, &home, &rules, schema, &mut blocks, &mut missing)?;
        if text.contains(MARKER) {
            lacking.insert(*kind);
        }
        files.insert(format!("{name}/{below}{module}.rs"), text);
        let of_kind = modules.entry(*kind).or_default();
        let is_same =
            |other: &Module| other.name == module || other.exports.as_ref() == Some(&rust_name);
        if of_kind.iter().any(is_same) {
            return Err(GenerateError::Clash {
                type_name: type_name.clone(),
                name: rust_name,
            });
        }
        of_kind.push(Module {
            doc: format!("{} `{type_name}`", what(*kind)),
            name: module,
            exports: Some(rust_name),
        });
    }
    let mut inner = modules.remove(&FactsKind::Resource).unwrap_or_default();
    for (kind, doc) in [
        (FactsKind::DataSource, "Data sources"),
        (FactsKind::Ephemeral, "Ephemeral resources"),
    ] {
        let (Some(of_kind), Some(folder)) = (modules.remove(&kind), folder(kind)) else {
            continue;
        };
        let path = format!("{name}/{folder}");
        let uses_missing = match lacking.contains(&kind) {
            true => "missing, ",
            false => "",
        };
        let text = format!("use super::{{PROVIDER, {uses_missing}tr}};\n");
        files.insert(
            format!("{path}/mod.rs"),
            head(catalogue, &list(layout, &path, text, of_kind)),
        );
        inner.push(Module::new(folder, doc));
    }
    if !missing.is_empty() {
        let mut text = String::new();
        markers(&missing, &mut text);
        files.insert(format!("{name}/missing.rs"), head(catalogue, &text));
        inner.push(Module::new(
            "missing",
            "Markers of builders that lack a required argument",
        ));
    }
    let text = "use super::{PROVIDER, tr};\n".to_owned();
    files.insert(
        format!("{name}/mod.rs"),
        head(catalogue, &list(layout, name, text, inner)),
    );
    Ok(())
}

/// A module inside another one.
struct Module {
    name: String,
    doc: String,
    /// The type that its parent exports as well.
    exports: Option<String>,
}

impl Module {
    fn new(name: &str, doc: &str) -> Self {
        Self {
            name: name.to_owned(),
            doc: doc.to_owned(),
            exports: None,
        }
    }
}

/// The root: the services, and what the provider is.
pub(super) fn root<'a>(
    catalogue: &Catalogue,
    layout: Layout,
    services: impl Iterator<Item = &'a str> + Clone,
    has_functions: bool,
) -> String {
    let mut modules = vec![Module {
        exports: Some("Provider".to_owned()),
        ..Module::new("provider", "The configuration of the provider")
    }];
    if has_functions {
        modules.push(Module::new("functions", "The functions of the provider"));
    }
    let mut facts = String::from("include_str!(\"provider.facts\"),\n");
    for service in services {
        let _ = writeln!(facts, "include_str!(\"{service}.facts\"),");
        modules.push(Module::new(service, &catalogue.services[service].title));
    }
    let language = catalogue.language.as_deref().unwrap_or("terrane_core");
    let text = list(layout, "", format!("use {language} as tr;\n"), modules);
    let redirect = match &catalogue.redirect {
        Some(path) => format!("Some({path})"),
        None => "None".to_owned(),
    };
    let lookup = catalogue
        .lookup
        .as_deref()
        .unwrap_or("tr::LookupRules::NONE");
    let stateful = catalogue.stateful.as_deref().unwrap_or("&[]");
    let (source, version) = (&catalogue.source, &catalogue.version);
    let versions = catalogue.versions.clone();
    let versions = versions.unwrap_or_else(|| {
        let mut parts = version.split('.');
        let (major, minor) = (parts.next(), parts.next());
        format!("~> {}.{}", major.unwrap_or("0"), minor.unwrap_or("0"))
    });
    let text = format!(
        "{text}\n/// The provider: where it comes from, the version of the bindings, the facts of its schema.\n\
         pub static PROVIDER: tr::ProviderBinding = tr::ProviderBinding {{\n\
         source: \"{source}\",\nversion: \"{version}\",\nversions: \"{versions}\",\nfacts: FACTS,\nredirect: {redirect},\nlookup: {lookup},\nstateful: {stateful},\n}};\n\n\
         /// The facts of the schema: the provider's own and those of every service here.\n\
         const FACTS: &[&str] = &[\n{facts}];\n"
    );
    head(catalogue, &text)
}

/// The types that stand for arguments that are not set.
pub(super) fn markers(missing: &BTreeSet<String>, text: &mut String) {
    let mut markers = BTreeSet::new();
    for argument in missing {
        let marker = pascal(argument);
        if !markers.insert(marker.clone()) {
            continue;
        }
        let _ = write!(
            text,
            "\n/// `{argument}` is not set.\n#[derive(Debug)]\npub enum Missing{marker} {{}}\n"
        );
    }
}

/// What a kind of type is called in documentation.
fn what(kind: FactsKind) -> &'static str {
    match kind {
        FactsKind::DataSource => "The data source",
        FactsKind::Ephemeral => "The ephemeral resource type",
        FactsKind::Resource | FactsKind::Provider => "The resource type",
    }
}

/// The module and the Rust name of a type.
pub(super) fn names(catalogue: &Catalogue, service: &Service, type_name: &str) -> (String, String) {
    match catalogue.names.get(type_name) {
        Some(name) => (snake(name), name.clone()),
        None => {
            let short = catalogue.short_name(service, type_name);
            (short.to_owned(), pascal(short))
        }
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// Appends the modules inside the one at `path`, and the names that it takes from them.
fn list(layout: Layout, path: &str, mut text: String, mut modules: Vec<Module>) -> String {
    modules.sort_by(|a, b| a.name.cmp(&b.name));
    for module in &modules {
        let (name, doc) = (&module.name, &module.doc);
        let _ = write!(text, "\n/// {doc}.\npub mod {}", ident(name));
        match layout {
            Layout::Source => text.push_str(";\n"),
            Layout::OutDir => {
                // Services, and kinds of types inside them, are folders.
                let folder = match path {
                    "" => !["functions", "provider"].contains(&&**name),
                    _ => ["data", "ephemeral"].contains(&&**name),
                };
                let file = if folder { "/mod.rs" } else { ".rs" };
                let slash = if path.is_empty() { "" } else { "/" };
                let _ = write!(
                    text,
                    " {{\ninclude!(concat!(env!(\"OUT_DIR\"), \"/{path}{slash}{name}{file}\"));\n}}\n"
                );
            }
        }
    }
    text.push('\n');
    for module in &modules {
        if let Some(name) = &module.exports {
            let _ = writeln!(text, "pub use {}::{name};", ident(&module.name));
        }
    }
    text
}

/// Puts the mark of generated files on top.
pub(super) fn head(catalogue: &Catalogue, text: &str) -> String {
    let (source, version) = (&catalogue.source, &catalogue.version);
    format!("// @generated by terrane-codegen from {source} {version}. Do not edit.\n\n{text}")
}
