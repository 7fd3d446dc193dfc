//! Declaring provider configurations.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::addr::ProviderSource;
use crate::blocks::{self, IntoBlocks};
use crate::ephemeral::IntoEphemeralExpr;
use crate::expr::Expr;
use crate::lookup::LookupRules;
use crate::schema::Schema;
use crate::value::Value;

/// The facts of a provider that generated bindings carry.
#[derive(Debug)]
pub struct ProviderBinding {
    /// Where it comes from: `hashicorp/aws`.
    pub source: &'static str,
    /// The version that the bindings were generated from.
    pub version: &'static str,
    /// The versions that the bindings drive, as Terraform writes them: `>= 5.31, < 7.0`. Arguments that are not set are not sent, so
    /// older versions than the bindings' own will do.
    pub versions: &'static str,
    /// Facts of the schema, one text a service (see [`crate::schema::Facts`]); the sandbox serves them.
    pub facts: &'static [&'static str],
    /// Points an evaluated configuration at an emulator of the cloud, without touching the arguments that the program set itself.
    pub redirect: Option<fn(Value, &Schema, endpoint_url: &str) -> Value>,
    /// How objects are found without their id.
    pub lookup: LookupRules,
    /// The resource types that hold data which no program can make again.
    pub stateful: &'static [&'static str],
}

impl ProviderBinding {
    /// The source as an address.
    ///
    /// # Panics
    /// When the bindings carry a malformed source, which their own tests exclude.
    pub fn address(&self) -> ProviderSource {
        self.source
            .parse()
            .expect("invariant: bindings carry a valid provider source")
    }
}

/// A provider configuration that is being described. Typed builders wrap it.
#[derive(Debug, Clone)]
pub struct ProviderDeclaration {
    pub(crate) source: ProviderSource,
    pub(crate) binding: Option<&'static ProviderBinding>,
    pub(crate) alias: Option<String>,
    pub(crate) arguments: BTreeMap<Arc<str>, Expr>,
    pub(crate) passed_env: Vec<Arc<str>>,
}

impl ProviderDeclaration {
    /// A configuration of a provider that bindings know.
    pub fn new(binding: &'static ProviderBinding) -> Self {
        Self {
            binding: Some(binding),
            ..Self::dynamic(binding.address())
        }
    }

    /// A configuration of a provider without bindings.
    pub fn dynamic(source: ProviderSource) -> Self {
        Self {
            source,
            binding: None,
            alias: None,
            arguments: BTreeMap::new(),
            passed_env: Vec::new(),
        }
    }

    /// Names this configuration, so that there can be more than one: `aws` for Europe and `aws.west`.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// Passes environment variables to the provider's process beside those that terrane knows it needs: names, or prefixes with a `*`.
    ///
    /// A provider sees no variable that is not meant for it. Every configuration of a provider gets the variables that one of them passes.
    #[must_use]
    pub fn pass_env<N: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.passed_env.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets an argument; an ephemeral value may be given as well, for no state holds the configuration of a provider.
    #[must_use]
    pub fn set(mut self, argument: &str, value: impl IntoEphemeralExpr) -> Self {
        let value = value.into_ephemeral_expr();
        self.arguments.insert(argument.into(), value);
        self
    }

    /// Adds nested blocks: one, or [`Blocks`](crate::Blocks) of a collection.
    #[must_use]
    pub fn push_block<B>(mut self, name: &str, block: impl IntoBlocks<B>) -> Self {
        blocks::push(&mut self.arguments, name, block);
        self
    }

    /// Sets the nested block of which there can be one.
    #[must_use]
    pub fn set_block<B>(mut self, name: &str, block: impl IntoBlocks<B>) -> Self {
        blocks::set_only(&mut self.arguments, name, block);
        self
    }
}

/// A declared provider configuration, for resources that shall use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderHandle {
    pub(crate) source: ProviderSource,
    pub(crate) alias: Option<Arc<str>>,
}
