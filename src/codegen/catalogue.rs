//! The catalogue in `provider.toml`: services that have bindings, their types, and the names of those in Rust.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use terrane_core::schema::FactsKind;
use thiserror::Error;

/// The knowledge that no schema has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Where the provider comes from: `hashicorp/aws`.
    pub source: String,
    /// The version whose schema the facts hold.
    pub version: String,
    /// The start of every type name: `aws_`.
    pub prefix: String,
    /// Top-level attributes of resources that are arguments by the letter of the schema only.
    #[serde(default)]
    pub read_only: BTreeSet<String>,
    /// Blocks that are really maps: `provider.default_tags` to the attribute that holds the map.
    #[serde(default)]
    pub flatten: BTreeMap<String, String>,
    /// Rust names that the rules would get wrong, by type name.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// The services, each a cargo feature.
    pub services: BTreeMap<String, Service>,
}

/// One service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its usual name.
    pub title: String,
    /// Starts of type names that Rust names leave out; the longest that fits counts.
    #[serde(default)]
    pub strip: Vec<String>,
    /// Names or patterns (`aws_eks_*`) of its resource types.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Names or patterns of its data sources.
    #[serde(default)]
    pub data: Vec<String>,
    /// Names that a pattern fits and that are not meant.
    #[serde(default)]
    pub without: BTreeSet<String>,
}

/// `provider.toml` contradicts itself or the schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The text is not of the form.
    #[error("invalid provider.toml: {reason}")]
    Syntax {
        /// The reader's message.
        reason: String,
    },
    /// Two services claim one type.
    #[error("`{type_name}` belongs to `{first}` and to `{second}`")]
    Claimed {
        /// The type.
        type_name: String,
        /// One service.
        first: String,
        /// The other.
        second: String,
    },
    /// A name or pattern that no type of the schema fits.
    #[error("`{pattern}` of `{service}` fits nothing in the schema")]
    Idle {
        /// The name or pattern.
        pattern: String,
        /// The service that lists it.
        service: String,
    },
}

impl Catalogue {
    /// Reads `provider.toml`.
    ///
    /// # Errors
    /// When the text is not of the form.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        toml::from_str(text).map_err(|error| CatalogueError::Syntax {
            reason: error.to_string(),
        })
    }

    /// The service that a type belongs to, if it has bindings.
    ///
    /// # Errors
    /// When two claim it.
    pub fn service_of(
        &self,
        kind: FactsKind,
        type_name: &str,
    ) -> Result<Option<&str>, CatalogueError> {
        let mut found: Option<&str> = None;
        for (name, service) in &self.services {
            if !service.claims(kind, type_name) {
                continue;
            }
            if let Some(first) = found {
                return Err(CatalogueError::Claimed {
                    type_name: type_name.to_owned(),
                    first: first.to_owned(),
                    second: name.clone(),
                });
            }
            found = Some(name);
        }
        Ok(found)
    }

    /// Checks that every name and pattern of a kind fits one of these types.
    ///
    /// # Errors
    /// Names the first that does not.
    pub fn check_patterns<'a>(
        &self,
        kind: FactsKind,
        type_names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), CatalogueError> {
        for (name, service) in &self.services {
            for pattern in service.patterns(kind) {
                if !type_names.clone().any(|one| fits(pattern, one)) {
                    return Err(CatalogueError::Idle {
                        pattern: pattern.clone(),
                        service: name.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// The type name without the start that the Rust name leaves out: `vpc` of `aws_vpc`.
    pub fn short_name<'a>(&self, service: &Service, type_name: &'a str) -> &'a str {
        let prefixes = service.strip.iter().chain([&self.prefix]);
        let rests = prefixes.filter_map(|prefix| type_name.strip_prefix(prefix.as_str()));
        rests
            .filter(|rest| !rest.is_empty())
            .min_by_key(|rest| rest.len())
            .unwrap_or(type_name)
    }
}

impl Service {
    fn patterns(&self, kind: FactsKind) -> &[String] {
        match kind {
            FactsKind::Resource => &self.resources,
            FactsKind::DataSource => &self.data,
            FactsKind::Provider => &[],
        }
    }

    fn claims(&self, kind: FactsKind, type_name: &str) -> bool {
        let mut patterns = self.patterns(kind).iter();
        !self.without.contains(type_name) && patterns.any(|pattern| fits(pattern, type_name))
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
source = "acme/t"
version = "1.2.3"
prefix = "t_"
[services.net]
title = "Networks"
strip = ["t_net_"]
resources = ["t_net_*", "t_vpc"]
without = ["t_net_odd"]
[services.all]
title = "All"
data = ["t_*"]
"#;

    #[test]
    fn a_type_belongs_to_the_service_whose_patterns_fit() {
        let catalogue = Catalogue::parse(TEXT).expect("a catalogue");
        let of = |kind, name| catalogue.service_of(kind, name).expect("one service");
        assert_eq!(of(FactsKind::Resource, "t_net_gateway"), Some("net"));
        assert_eq!(of(FactsKind::Resource, "t_net_odd"), None);
        assert_eq!(of(FactsKind::DataSource, "t_net_odd"), Some("all"));
        let net = &catalogue.services["net"];
        assert_eq!(catalogue.short_name(net, "t_net_gateway"), "gateway");
        assert_eq!(catalogue.short_name(net, "t_vpc"), "vpc");
    }

    #[test]
    fn contradictions_are_refused() {
        let twice = TEXT.replace("data =", "resources =");
        let catalogue = Catalogue::parse(&twice).expect("a catalogue");
        let error = catalogue.service_of(FactsKind::Resource, "t_vpc");
        assert_eq!(
            error.expect_err("two services").to_string(),
            "`t_vpc` belongs to `all` and to `net`"
        );
        let catalogue = Catalogue::parse(TEXT).expect("a catalogue");
        let error = catalogue.check_patterns(FactsKind::Resource, ["t_net_x"].into_iter());
        assert_eq!(
            error.expect_err("an idle name").to_string(),
            "`t_vpc` of `net` fits nothing in the schema"
        );
        assert!(Catalogue::parse("colour = 3").is_err());
    }
}
