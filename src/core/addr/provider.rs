//! Provider addresses: where a provider comes from, and which configuration of it.

use std::fmt;
use std::sync::Arc;

use super::ModuleAddr;

/// `HOST/namespace/type`, lower case. Without a host the text means the default registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderSource {
    /// The registry's host name.
    pub host: Arc<str>,
    /// Who publishes it.
    pub namespace: Arc<str>,
    /// The provider's name, which is also the prefix of its resource types.
    pub type_name: Arc<str>,
}

/// The namespace that Terraform gives to providers of states that name none.
const LEGACY_NAMESPACE: &str = "-";

/// One configuration of a provider, as the state names it: `module.m.provider["HOST/ns/type"].alias`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderConfigAddr {
    /// The module that configures it; the root in programs, anything in a state another tool wrote.
    pub module: ModuleAddr,
    /// The provider.
    pub source: ProviderSource,
    /// Which configuration; `None` is the default one.
    pub alias: Option<Arc<str>>,
}

impl ProviderSource {
    /// The registry that a source without a host means.
    pub const DEFAULT_HOST: &'static str = "registry.opentofu.org";

    /// The registry that Terraform means by a source without a host. Its terms allow downloads for Terraform alone, so that it is asked
    /// only where it is named.
    pub const TERRAFORM_HOST: &'static str = "registry.terraform.io";

    /// The provider that is part of every tool: `terraform.io/builtin/terraform`, which serves `terraform_data`.
    pub fn builtin() -> Self {
        Self {
            host: "terraform.io".into(),
            namespace: "builtin".into(),
            type_name: "terraform".into(),
        }
    }

    /// Whether this is the provider that is part of every tool, so that nothing has to be installed for it.
    pub fn is_builtin(&self) -> bool {
        *self == Self::builtin()
    }

    /// Whether its publisher is unknown, as in states that Terraform 0.13 took over from 0.12.
    pub fn is_legacy(&self) -> bool {
        *self.namespace == *LEGACY_NAMESPACE
    }

    /// The provider of the default registry's official namespace that serves types with that prefix (`aws_vpc` → `hashicorp/aws`);
    /// for `terraform_data` the built-in one.
    pub fn implied_by(resource_type: &str) -> Self {
        let prefix = resource_type.split('_').next().unwrap_or(resource_type);
        if prefix == "terraform" {
            return Self::builtin();
        }
        Self {
            host: Self::DEFAULT_HOST.into(),
            namespace: "hashicorp".into(),
            type_name: prefix.into(),
        }
    }
}

impl fmt::Display for ProviderSource {
    /// In full, with the host.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.type_name)
    }
}

impl ProviderConfigAddr {
    /// The default configuration in the root module.
    pub fn default_of(source: ProviderSource) -> Self {
        Self {
            module: ModuleAddr::root(),
            source,
            alias: None,
        }
    }

    /// Its name in a sentence: `kubernetes`, `aws.west`.
    pub fn short(&self) -> String {
        let name = &self.source.type_name;
        match &self.alias {
            Some(alias) => format!("{name}.{alias}"),
            None => name.to_string(),
        }
    }
}

impl fmt::Display for ProviderConfigAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "provider[\"{}\"]", self.source)?;
        match &self.alias {
            Some(alias) => write!(f, ".{alias}"),
            None => Ok(()),
        }
    }
}
