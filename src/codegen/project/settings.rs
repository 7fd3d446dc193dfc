//! The `provider.toml` of a user's bindings: written once, theirs to edit, and changed afterwards only where a request says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;

use serde::Deserialize;
use terrane_core::schema::{ProviderSchema, Schema};
use toml::Spanned;

use super::Origin;
use crate::names::{is_ident, pascal};

/// The service that holds all types of a user's bindings.
pub(super) const TYPES: &str = "types";

/// The path of the language for those who depend on the facade.
const LANGUAGE: &str = "terrane::bindings";

/// Names of types that mean something else in the generated files.
const TAKEN: [&str; 8] = [
    "AsRef",
    "Into",
    "IntoIterator",
    "Option",
    "Provider",
    "Self",
    "String",
    "Vec",
];

/// Names of modules that the generated files use themselves.
const TAKEN_MODULES: [&str; 6] = [
    "data",
    "ephemeral",
    "functions",
    "missing",
    "provider",
    TYPES,
];

/// The text of a new file, for these patterns of types; all where there is none.
pub(super) fn first(origin: &Origin<'_>, patterns: &[String]) -> String {
    let prefix = prefix(origin);
    let mut text = format!(
        "# Bindings of {source}: which types, and their names in Rust. The folder's other files are generated from this one and the\n\
         # schema by `bindings add`, which changes nothing here but `version` and, where it is given some, `types`.\n\
         source = \"{source}\"\n\
         version = \"{version}\"\n\
         prefix = \"{prefix}\"\n\
         language = \"{LANGUAGE}\"\n\
         # Arguments by the letter of the schema only.\n\
         read_only = [\"id\"]\n\
         without = [\"*\"]\n",
        source = origin.source,
        version = origin.version,
    );
    let names = names(&prefix, origin.schemas);
    if !names.is_empty() {
        text.push_str("\n# Names that would clash with others.\n[names]\n");
        for (type_name, name) in names {
            let _ = writeln!(text, "{type_name} = \"{name}\"");
        }
    }
    let all = ["*".to_owned()];
    let patterns = if patterns.is_empty() { &all } else { patterns };
    let _ = write!(
        text,
        "\n[services.{TYPES}]\ntitle = \"Resource types, data sources and ephemeral resources\"\ntypes = {}\n",
        list(patterns)
    );
    text
}

/// The text with another version, and with these patterns if there are any.
///
/// # Errors
/// When it is not of the form, or has no place for the patterns.
pub(super) fn again(text: &str, version: &str, patterns: &[String]) -> Result<String, String> {
    let places: Places = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    if places.version.get_ref() != version {
        edits.push((places.version.span(), format!("\"{version}\"")));
    }
    if !patterns.is_empty() {
        let types = places.services.get(TYPES).and_then(|it| it.types.as_ref());
        let types = types.ok_or(format!("it has no `types` in [services.{TYPES}]"))?;
        if types.get_ref() != patterns {
            edits.push((types.span(), list(patterns)));
        }
    }
    edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut text = text.to_owned();
    for (place, new) in edits {
        text.replace_range(place, &new);
    }
    Ok(text)
}

/// The values that a request changes, and their places.
#[derive(Deserialize)]
struct Places {
    version: Spanned<String>,
    #[serde(default)]
    services: BTreeMap<String, ServicePlaces>,
}

#[derive(Deserialize)]
struct ServicePlaces {
    types: Option<Spanned<Vec<String>>>,
}

fn list(patterns: &[String]) -> String {
    let patterns: Vec<String> = patterns
        .iter()
        .map(|pattern| format!("\"{pattern}\""))
        .collect();
    format!("[{}]", patterns.join(", "))
}

/// The start of the provider's type names: its own name where types begin with it, else the word that most of them begin with.
fn prefix(origin: &Origin<'_>) -> String {
    let own = origin.source.rsplit('/').next().unwrap_or_default();
    let own = format!("{}_", own.replace('-', "_"));
    if type_names(origin.schemas).any(|name| name.starts_with(&own)) {
        return own;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in type_names(origin.schemas) {
        let word = name.split('_').next().unwrap_or(name);
        *counts.entry(word).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or(own, |(word, _)| format!("{word}_"))
}

/// The types whose names without the prefix would be taken or those of others, and the names that they have instead.
fn names<'a>(prefix: &str, schemas: &'a ProviderSchema) -> BTreeMap<&'a str, String> {
    let short = |name: &'a str| {
        let short = name.strip_prefix(prefix).filter(|rest| !rest.is_empty());
        short.unwrap_or(name)
    };
    let all: BTreeSet<&str> = type_names(schemas).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in &all {
        *counts.entry(pascal(short(name))).or_default() += 1;
    }
    let unfit = all.into_iter().filter_map(|name| {
        let (short, rust) = (short(name), pascal(short(name)));
        if counts[&rust] > 1 {
            // `v1_2` and `v12`: the whole name, with all that tells it from others.
            let words = name.split('_').map(pascal);
            return Some((name, words.collect::<Vec<_>>().join("_")));
        }
        let is_taken = TAKEN.contains(&&*rust) || TAKEN_MODULES.contains(&short);
        (is_taken || !is_ident(short)).then(|| (name, pascal(name)))
    });
    unfit.collect()
}

/// The names of all types of a provider, of every kind; one that has several comes several times.
pub(super) fn type_names(schemas: &ProviderSchema) -> impl Iterator<Item = &str> {
    types(schemas).map(|(name, _)| name)
}

/// All types of a provider, of every kind.
pub(super) fn types(schemas: &ProviderSchema) -> impl Iterator<Item = (&str, &Schema)> {
    let kinds = [
        &schemas.resources,
        &schemas.data_sources,
        &schemas.ephemeral_resources,
    ];
    kinds
        .into_iter()
        .flat_map(|schemas| schemas.iter().map(|(name, schema)| (&**name, &**schema)))
}
