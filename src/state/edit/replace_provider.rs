//! `state replace-provider`: another provider takes care of the objects.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, ParseAddrError, ProviderConfigAddr, ProviderSource};

use super::Edit;
use crate::model::{Instance, State};

/// A provider as a person names it: without a host, that of whichever registry the state has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPattern {
    source: ProviderSource,
    with_host: bool,
}

impl FromStr for ProviderPattern {
    type Err = ParseAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            source: text.parse()?,
            with_host: text.split('/').count() > 2,
        })
    }
}

impl fmt::Display for ProviderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        match self.with_host {
            true => source.fmt(f),
            false => write!(f, "{}/{}", source.namespace, source.type_name),
        }
    }
}

impl ProviderPattern {
    fn matches(&self, source: &ProviderSource) -> bool {
        (&source.namespace, &source.type_name) == (&self.source.namespace, &self.source.type_name)
            && (!self.with_host || source.host == self.source.host)
    }

    fn in_place_of(&self, source: &ProviderSource) -> ProviderSource {
        let host = match self.with_host {
            true => &self.source.host,
            false => &source.host,
        };
        ProviderSource {
            host: host.clone(),
            ..self.source.clone()
        }
    }
}

/// Puts another provider in the place of one, for every instance; aliases and modules of its configurations stay. A target without
/// a host keeps the host that the state has: the older tools' default registries differ.
pub fn replace_provider(
    state: &State,
    from: &ProviderPattern,
    to: &ProviderPattern,
) -> Edit<InstanceAddr> {
    let mut after = state.resources.clone();
    let mut subjects = Vec::new();
    for (address, instance) in &mut after {
        let source = &instance.provider.source;
        let new = to.in_place_of(source);
        if !from.matches(source) || new == *source {
            continue;
        }
        subjects.push(address.clone());
        *instance = Arc::new(Instance {
            provider: ProviderConfigAddr {
                source: new,
                ..instance.provider.clone()
            },
            ..Instance::clone(instance)
        });
    }
    Edit::between(state, &after, subjects, |_| true)
}
