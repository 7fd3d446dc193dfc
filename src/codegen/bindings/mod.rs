//! Rust bindings from schema facts: one file a type, one folder a service.
//!
//! The text is plain Rust without macros or derives beyond `Debug` and `Clone`, because a provider has thousands of types:
//! setters are one line over an untyped bag of arguments, and required arguments are type parameters.

mod blocks;
mod described;
mod files;
mod functions;
mod object;
mod shape;
mod types;

use std::collections::BTreeMap;

use terrane_core::schema::{FactsKind, ParseFactsError, from_facts_line, from_function_line};
use thiserror::Error;

use crate::catalogue::{Catalogue, CatalogueError};

pub use described::{BoundKind, BoundMember, BoundObject, BoundType, describe};
pub use files::Layout;

/// The bindings cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// `provider.toml` does not fit the facts.
    #[error("the catalogue does not fit")]
    Catalogue(#[from] CatalogueError),
    /// A line of facts is damaged.
    #[error("the facts of `{service}` are damaged")]
    Facts {
        /// The service.
        service: String,
        /// The fault of the line.
        #[source]
        source: ParseFactsError,
    },
    /// The facts hold a type that the catalogue gives to another service.
    #[error("`{type_name}` is in the facts of `{service}`, which does not claim it")]
    Stray {
        /// The type.
        type_name: String,
        /// The service whose facts hold it.
        service: String,
    },
    /// A schema uses a name that cannot be one in Rust.
    #[error("`{type_name}` has `{name}`, which cannot be a Rust name")]
    Name {
        /// The type.
        type_name: String,
        /// The argument or attribute.
        name: String,
    },
    /// Two things would get one Rust name.
    #[error("`{type_name}` would define `{name}` twice; name one of them in provider.toml")]
    Clash {
        /// The type.
        type_name: String,
        /// The Rust name.
        name: String,
    },
    /// A block that `flatten` names is not a map in disguise.
    #[error("`{block}` of `{type_name}` has no attribute `{attribute}` that could stand for it")]
    Flatten {
        /// The type.
        type_name: String,
        /// The block.
        block: String,
        /// The attribute that the catalogue names.
        attribute: String,
    },
}

/// The files of the bindings by path, not formatted: a folder for each service that `facts` has, and `mod.rs`.
///
/// `facts` holds the text of each service's facts by the service's name, and the provider's own under `provider`; the bindings
/// include them, so they are among the files.
///
/// # Errors
/// When the catalogue and the facts contradict each other, or a schema uses a name that is taken.
pub fn generate(
    catalogue: &Catalogue,
    facts: &BTreeMap<String, String>,
    layout: Layout,
) -> Result<BTreeMap<String, String>, GenerateError> {
    let mut files = BTreeMap::new();
    let mut functions = Vec::new();
    for (service, text) in facts {
        let damaged = |source| GenerateError::Facts {
            service: service.clone(),
            source,
        };
        let mut types = Vec::new();
        for line in text.lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with("function ") {
                functions.push(from_function_line(line).map_err(damaged)?);
                continue;
            }
            let (kind, type_name, schema) = from_facts_line(line).map_err(damaged)?;
            if kind == FactsKind::Provider {
                files.insert(
                    "provider.rs".to_owned(),
                    types::provider(catalogue, &schema)?,
                );
                continue;
            }
            if catalogue.service_of(type_name)? != Some(service) {
                return Err(GenerateError::Stray {
                    type_name: type_name.to_owned(),
                    service: service.clone(),
                });
            }
            types.push((kind, type_name.to_owned(), schema));
        }
        if let Some(about) = catalogue.services.get(service) {
            files::service(catalogue, layout, service, about, &types, &mut files)?;
        }
        files.insert(format!("{service}.facts"), text.clone());
    }
    let services = facts.keys().map(String::as_str);
    let services = services.filter(|name| catalogue.services.contains_key(*name));
    files.insert(
        "mod.rs".to_owned(),
        files::root(catalogue, layout, services, !functions.is_empty()),
    );
    if !functions.is_empty() {
        files.insert(
            "functions.rs".to_owned(),
            functions::functions(catalogue, &functions),
        );
    }
    Ok(files)
}
