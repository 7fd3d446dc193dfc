//! The catalogue in `provider.toml`: services that have bindings, their types, and the names of those in Rust.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

/// The knowledge that no schema has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Where the provider comes from: `hashicorp/aws`.
    pub source: String,
    /// The version whose schema the facts hold.
    pub version: String,
    /// The versions that the bindings drive; unless given, those from its minor version on that have the same major one.
    #[serde(default)]
    pub versions: Option<String>,
    /// The start of every type name: `aws_`.
    pub prefix: String,
    /// Top-level attributes of resources that are arguments by the letter of the schema only; those that the provider never sets
    /// itself are arguments all the same.
    #[serde(default)]
    pub read_only: BTreeSet<String>,
    /// Blocks that are really maps: `provider.default_tags` to the attribute that holds the map.
    #[serde(default)]
    pub flatten: BTreeMap<String, String>,
    /// Blocks and attributes whose inside is given and read untyped, for it is deeper than types help: `aws_x.rule.statement`.
    #[serde(default)]
    pub untyped: BTreeSet<String>,
    /// Where the package finds terrane's language, as a path in Rust: `terrane_core`, unless it is given.
    #[serde(default)]
    pub language: Option<String>,
    /// A function of the package that points a configuration at an emulator, as a path in Rust.
    #[serde(default)]
    pub redirect: Option<String>,
    /// The package's rules for finding objects, as a path in Rust.
    #[serde(default)]
    pub lookup: Option<String>,
    /// The package's list of types that hold data which no program can make again, as a path in Rust.
    #[serde(default)]
    pub stateful: Option<String>,
    /// Rust names that the rules would get wrong, by type name.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Names or patterns of types that get no bindings, where no service has one that is as close.
    #[serde(default)]
    pub without: BTreeSet<String>,
    /// The services.
    pub services: BTreeMap<String, Service>,
}

/// One service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its usual name.
    pub title: String,
    /// Starts of type names that Rust names leave out; the longest that fits counts. Unless given, prefix and name of the service.
    #[serde(default)]
    pub strip: Vec<String>,
    /// Names or patterns (`aws_eks_*`) of its types, resources and data sources alike. Unless given, every type that starts with
    /// prefix and name of the service.
    #[serde(default)]
    pub types: Vec<String>,
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
    /// Two services claim one type by equally long patterns.
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
    /// A type that no service claims.
    #[error("`{type_name}` belongs to no service; name it in one of them or under `without`")]
    Unclaimed {
        /// The type.
        type_name: String,
    },
}

impl Catalogue {
    /// Reads `provider.toml`.
    ///
    /// # Errors
    /// When the text is not of the form.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let mut catalogue: Self = toml::from_str(text).map_err(|error| CatalogueError::Syntax {
            reason: error.to_string(),
        })?;
        for (name, service) in &mut catalogue.services {
            let start = format!("{}{name}_", catalogue.prefix);
            if service.types.is_empty() {
                service.types.push(format!("{start}*"));
            }
            if service.strip.is_empty() {
                service.strip.push(start);
            }
        }
        Ok(catalogue)
    }

    /// The service that a type belongs to: the one whose longest fitting pattern is longest, a whole name before any pattern.
    ///
    /// # Errors
    /// When none claims it, or two claim it alike. A type that gets no bindings is `None`.
    pub fn service_of(&self, type_name: &str) -> Result<Option<&str>, CatalogueError> {
        let without = claim(&self.without, type_name);
        let mut best: Option<(usize, &str)> = None;
        for (name, service) in &self.services {
            let Some(length) = claim(&service.types, type_name).filter(|it| Some(*it) >= without)
            else {
                continue;
            };
            match best {
                Some((longest, first)) if longest == length => {
                    return Err(CatalogueError::Claimed {
                        type_name: type_name.to_owned(),
                        first: first.to_owned(),
                        second: name.clone(),
                    });
                }
                Some((longest, _)) if longest > length => {}
                _ => best = Some((length, name)),
            }
        }
        match best {
            Some((_, service)) => Ok(Some(service)),
            None if without.is_some() => Ok(None),
            None => Err(CatalogueError::Unclaimed {
                type_name: type_name.to_owned(),
            }),
        }
    }

    /// Checks that every name and pattern fits one of these types.
    ///
    /// # Errors
    /// Names the first that does not.
    pub fn check_patterns<'a>(
        &self,
        type_names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), CatalogueError> {
        for (name, service) in &self.services {
            for pattern in &service.types {
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

/// The length of the longest of the patterns that fits, a whole name counting as longer than any pattern.
fn claim<'a>(patterns: impl IntoIterator<Item = &'a String>, type_name: &str) -> Option<usize> {
    let patterns = patterns.into_iter();
    let fitting = patterns.filter(|pattern| fits(pattern, type_name));
    let length = |pattern: &String| match pattern.contains('*') {
        true => pattern.len(),
        false => usize::MAX,
    };
    fitting.map(length).max()
}

/// Whether a name fits a pattern, in which `*` stands for any text.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match name.find(part) {
            Some(place) => name = &name[place + part.len()..],
            None => return false,
        }
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
source = "acme/t"
version = "1.2.3"
prefix = "t_"
without = ["t_document"]
[services.net]
title = "Networks"
types = ["t_net_*", "t_vpc"]
strip = ["t_net_"]
[services.net_gateway]
title = "Gateways"
[services.all]
title = "All"
types = ["t_*"]
"#;

    #[test]
    fn a_type_belongs_to_the_service_whose_pattern_is_closest() {
        let catalogue = Catalogue::parse(TEXT).expect("a catalogue");
        let of = |name| catalogue.service_of(name).expect("one service");
        assert_eq!(of("t_net_route"), Some("net"));
        assert_eq!(of("t_net_gateway_route"), Some("net_gateway"));
        assert_eq!(of("t_vpc"), Some("net"));
        assert_eq!(of("t_vpcs"), Some("all"));
        assert_eq!(of("t_document"), None);
        let net = &catalogue.services["net"];
        assert_eq!(catalogue.short_name(net, "t_net_gateway"), "gateway");
        assert_eq!(catalogue.short_name(net, "t_vpc"), "vpc");
        let gateways = &catalogue.services["net_gateway"];
        assert_eq!(
            catalogue.short_name(gateways, "t_net_gateway_route"),
            "route"
        );
    }

    #[test]
    fn a_star_stands_for_any_text_wherever_it_is() {
        for (pattern, name) in [
            ("*", "t_x"),
            ("t_*", "t_x"),
            ("*_v1", "t_x_v1"),
            ("t_*_v1", "t_x_y_v1"),
            ("t_*x*1", "t_axb1"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("t", "t_x"),
            ("t_*_v1", "t_v1"),
            ("t_*_v1", "t_x_v2"),
            ("t_*x*x", "t_x"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let twice = TEXT.replace("\"t_*\"", "\"t_vpc\"");
        let catalogue = Catalogue::parse(&twice).expect("a catalogue");
        let refused = |name| catalogue.service_of(name).expect_err("refused").to_string();
        assert_eq!(refused("t_vpc"), "`t_vpc` belongs to `all` and to `net`");
        assert_eq!(
            refused("t_x"),
            "`t_x` belongs to no service; name it in one of them or under `without`"
        );
        let catalogue = Catalogue::parse(TEXT).expect("a catalogue");
        let error = catalogue.check_patterns(["t_net_x"].into_iter());
        assert_eq!(
            error.expect_err("an idle name").to_string(),
            "`t_vpc` of `net` fits nothing in the schema"
        );
        assert!(Catalogue::parse("colour = 3").is_err());
    }
}
