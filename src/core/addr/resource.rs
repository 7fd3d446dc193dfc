//! Resource addresses, with and without instance keys.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::{InstanceKey, ModuleAddr};

/// Whether something is managed by us or only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A resource: created, updated and destroyed.
    Managed,
    /// A data resource: only read.
    Data,
    /// An ephemeral resource: opened and closed in each run, and in no state.
    Ephemeral,
}

impl Mode {
    /// What stands before the type in an address.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Managed => "",
            Self::Data => "data.",
            Self::Ephemeral => "ephemeral.",
        }
    }
}

/// A declaration: `module.network.aws_subnet.private`, every instance of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceAddr {
    /// The module it is declared in.
    pub module: ModuleAddr,
    /// Managed or data.
    pub mode: Mode,
    /// The resource type, for example `aws_subnet`.
    pub type_name: Arc<str>,
    /// The name in the program.
    pub name: Arc<str>,
}

/// One instance of a declaration: `module.network.aws_subnet.private["eu-west-1a"]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceAddr {
    /// The declaration.
    pub resource: ResourceAddr,
    /// Which instance, where there are several.
    pub key: Option<InstanceKey>,
}

/// A declaration without any instance key, module keys included: how stored dependencies are written. They sort as their texts do, for
/// that is the order in which other tools store them.
///
/// A clone copies a pointer: a large state names the same declarations millions of times.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConfigAddr(Arc<ResourceAddr>);

impl ResourceAddr {
    /// A managed resource.
    pub fn managed(module: ModuleAddr, type_name: &str, name: &str) -> Self {
        Self {
            module,
            mode: Mode::Managed,
            type_name: type_name.into(),
            name: name.into(),
        }
    }

    /// One instance of this resource.
    pub fn instance(self, key: Option<InstanceKey>) -> InstanceAddr {
        InstanceAddr {
            resource: self,
            key,
        }
    }

    /// The same without module keys.
    pub fn config(&self) -> ConfigAddr {
        ConfigAddr(Arc::new(Self {
            module: self.module.without_keys(),
            ..self.clone()
        }))
    }
}

impl InstanceAddr {
    /// The address as one word of a shell, for commands that are pasted: between single quotes, with none of those in it.
    pub fn in_shell(&self) -> impl fmt::Display {
        // They can only be in a key, where HCL has another way to write them; a backtick would end the command in a sentence.
        let address = self.to_string();
        format!(
            "'{}'",
            address.replace('\'', "\\u0027").replace('`', "\\u0060")
        )
    }
}

impl ConfigAddr {
    /// The keyless resource address.
    pub fn resource(&self) -> &ResourceAddr {
        &self.0
    }

    /// The text, byte for byte.
    fn bytes(&self) -> impl Iterator<Item = u8> {
        let resource = &self.0;
        let modules = resource.module.steps().iter();
        let modules = modules.flat_map(|step| ["module.", &step.name, "."]);
        let own = [
            resource.mode.prefix(),
            &resource.type_name,
            ".",
            &resource.name,
        ];
        modules.chain(own).flat_map(str::bytes)
    }
}

impl Ord for ConfigAddr {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        let texts = self.bytes().cmp(other.bytes());
        texts.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for ConfigAddr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ResourceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        write!(f, "{}{}.{}", self.mode.prefix(), self.type_name, self.name)
    }
}

impl fmt::Display for InstanceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.resource)?;
        match &self.key {
            Some(key) => write!(f, "{key}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ConfigAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
