//! Lays out the files: a module for each service and each type, with its imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use terrane_core::schema::{FactsKind, Schema};

use super::GenerateError;
use super::shape::Rules;
use super::types::resource;
use crate::catalogue::{Catalogue, Service};
use crate::names::{ident, is_ident, pascal};

/// The imports of a file, and where they come from.
const IMPORTS: [(&str, &str); 20] = [
    ("BTreeMap", "std::collections"),
    ("PhantomData", "std::marker"),
    ("Arc", "std::sync"),
    ("Binding", "terrane_core"),
    ("BlockArguments", "terrane_core"),
    ("Declaration", "terrane_core"),
    ("IntoExpr", "terrane_core"),
    ("IntoInput", "terrane_core"),
    ("IsSet", "terrane_core"),
    ("Lifecycle", "terrane_core"),
    ("Nested", "terrane_core"),
    ("NestedList", "terrane_core"),
    ("Output", "terrane_core"),
    ("ProviderDeclaration", "terrane_core"),
    ("ProviderHandle", "terrane_core"),
    ("Resource", "terrane_core"),
    ("Set", "terrane_core"),
    ("Stack", "terrane_core"),
    ("Value", "terrane_core"),
    ("Number", "terrane_core::value"),
];

/// The files of one service.
pub(super) fn service(
    catalogue: &Catalogue,
    name: &str,
    about: &Service,
    types: &[(FactsKind, String, Schema)],
    files: &mut BTreeMap<String, String>,
) -> Result<(), GenerateError> {
    let mut missing = BTreeSet::new();
    let mut modules: BTreeMap<FactsKind, BTreeMap<String, String>> = BTreeMap::new();
    for (kind, type_name, schema) in types {
        let (module, rust_name) = names(catalogue, about, type_name);
        if !is_ident(&module) || ident(&module) != module {
            return Err(GenerateError::Name {
                type_name: type_name.clone(),
                name: module,
            });
        }
        let rules = Rules {
            name: &rust_name,
            type_name,
            read_only: if *kind == FactsKind::Resource {
                &catalogue.read_only
            } else {
                const { &BTreeSet::new() }
            },
            flatten: &|path| {
                catalogue
                    .flatten
                    .get(&format!("{type_name}.{path}"))
                    .cloned()
            },
        };
        let text = resource(catalogue, name, *kind, &rules, schema, &mut missing)?;
        let folder = if *kind == FactsKind::Resource {
            ""
        } else {
            "data/"
        };
        files.insert(format!("{name}/{folder}{module}.rs"), text);
        let of_kind = modules.entry(*kind).or_default();
        if of_kind.insert(module, rust_name.clone()).is_some() {
            return Err(GenerateError::Clash {
                type_name: type_name.clone(),
                name: rust_name,
            });
        }
    }
    let resources = modules.remove(&FactsKind::Resource).unwrap_or_default();
    let data = modules.remove(&FactsKind::DataSource).unwrap_or_default();
    let mut text = format!("//! {}.\n\n", about.title);
    let mut inner: Vec<&str> = resources.keys().map(String::as_str).collect();
    if !data.is_empty() {
        inner.push("data");
        let mut text = format!("//! {}: data sources.\n\n", about.title);
        module_list(&data, data.keys().map(String::as_str), &mut text);
        files.insert(format!("{name}/data/mod.rs"), head(catalogue, &text));
    }
    if !missing.is_empty() {
        inner.push("missing");
        let mut text = String::from("//! Markers of builders that lack a required argument.\n");
        markers(&missing, &mut text);
        files.insert(format!("{name}/missing.rs"), head(catalogue, &text));
    }
    inner.sort_unstable();
    module_list(&resources, inner.into_iter(), &mut text);
    files.insert(format!("{name}/mod.rs"), head(catalogue, &text));
    Ok(())
}

/// The module that lists the services.
pub(super) fn root(catalogue: &Catalogue) -> String {
    let mut text = String::from("//! The services, each behind a feature of its name.\n\n");
    let mut modules: Vec<&str> = catalogue.services.keys().map(String::as_str).collect();
    modules.push("provider");
    modules.sort_unstable();
    for module in modules {
        if module != "provider" {
            let _ = writeln!(text, "#[cfg(feature = \"{module}\")]");
        }
        let _ = writeln!(text, "pub mod {module};");
    }
    let source = &catalogue.source;
    let version = &catalogue.version;
    let _ = write!(
        text,
        "\n/// Where the provider comes from.\npub const SOURCE: &str = \"{source}\";\n\n\
         /// The version whose schema the bindings were generated from.\npub const VERSION: &str = \"{version}\";\n\n\
         /// The facts of the schema, the provider's own and those of every service that is turned on.\n\
         pub const FACTS: &[&str] = &[\n    include_str!(\"../../schema/provider.facts\"),\n"
    );
    for service in catalogue.services.keys() {
        let _ = write!(
            text,
            "    #[cfg(feature = \"{service}\")]\n    include_str!(\"../../schema/{service}.facts\"),\n"
        );
    }
    text.push_str("];\n");
    head(catalogue, &text)
}

/// The types that stand for arguments that are not set.
pub(super) fn markers(missing: &BTreeSet<String>, text: &mut String) {
    for argument in missing {
        let marker = pascal(argument);
        let _ = write!(
            text,
            "\n/// `{argument}` is not set.\n#[derive(Debug)]\npub enum Missing{marker} {{}}\n"
        );
    }
}

/// The module and the Rust name of a type.
fn names(catalogue: &Catalogue, service: &Service, type_name: &str) -> (String, String) {
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

fn module_list<'a>(
    types: &BTreeMap<String, String>,
    modules: impl Iterator<Item = &'a str>,
    text: &mut String,
) {
    for module in modules {
        let _ = writeln!(text, "pub mod {module};");
    }
    if !types.is_empty() {
        text.push('\n');
    }
    for (module, name) in types {
        let _ = writeln!(text, "pub use {module}::{name};");
    }
}

/// The `use` lines for the names in a body.
pub(super) fn imports(body: &str, service: &str, missing: &BTreeSet<String>) -> String {
    let words: BTreeSet<&str> = body
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    let mut by_path: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, path) in IMPORTS {
        if words.contains(name) {
            by_path.entry(path).or_default().push(name);
        }
    }
    let mut text = String::new();
    for group in ["std", "terrane_core"] {
        for (path, names) in by_path.iter().filter(|(path, _)| path.starts_with(group)) {
            let _ = writeln!(text, "use {path}::{{{}}};", names.join(", "));
        }
        text.push('\n');
    }
    if !missing.is_empty() {
        let names: Vec<String> = missing
            .iter()
            .map(|argument| format!("Missing{}", pascal(argument)))
            .collect();
        let _ = writeln!(
            text,
            "use crate::generated::{service}::missing::{{{}}};",
            names.join(", ")
        );
    }
    text
}

/// Puts the mark of generated files on top.
pub(super) fn head(catalogue: &Catalogue, text: &str) -> String {
    let version = catalogue.version.rsplit_once('.');
    let version = version.map_or(&*catalogue.version, |(minor, _)| minor);
    format!(
        "// @generated by terrane-codegen from {} {version}. Do not edit.\n\n{text}",
        catalogue.source
    )
}
