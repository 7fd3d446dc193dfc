//! Facts that a module tells a provider with every request about its resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::{ModuleAddr, ProviderSource};
use crate::diagnostics::Location;
use crate::provider::ProviderHandle;
use crate::stack::Stack;
use crate::typed::IntoValue;
use crate::value::Value;

/// Facts about a module for one of its providers, Terraform's `provider_meta`: `ProviderMeta::of(&aws).set("user_agent", …).declare(stack)`.
///
/// They go with every request about what the module declares in which it stands; a module inside it has its own. What may be said, the
/// provider's documentation tells.
#[derive(Debug, Clone)]
#[must_use]
pub struct ProviderMeta {
    source: ProviderSource,
    members: BTreeMap<Arc<str>, Value>,
}

/// Declared facts.
#[derive(Debug)]
pub struct DeclaredMeta {
    /// The module that they are about.
    pub module: ModuleAddr,
    /// The provider that is told.
    pub source: ProviderSource,
    /// An object; its schema is the provider's.
    pub value: Value,
    /// Where they were declared.
    pub location: Location,
}

impl ProviderMeta {
    /// For that provider.
    pub fn of(provider: &ProviderHandle) -> Self {
        Self::for_source(provider.source.clone())
    }

    /// For a provider that the stack does not configure.
    pub fn for_source(source: ProviderSource) -> Self {
        Self {
            source,
            members: BTreeMap::new(),
        }
    }

    /// Adds a fact.
    pub fn set(mut self, name: &str, value: impl IntoValue) -> Self {
        self.members.insert(name.into(), value.into_value());
        self
    }

    /// Adds the facts to the module that is being declared.
    #[track_caller]
    pub fn declare(self, stack: &mut Stack) {
        stack.add_meta(self.source, Value::map(self.members), Location::caller());
    }
}
