//! A whole state: outputs, and every instance by its address.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use terrane_core::Type;
use terrane_core::addr::{InstanceAddr, ProviderConfigAddr};

use super::{DeposedKey, ExtraMembers, Lineage, Object, RawJson};

/// Everything that is remembered of a stack between runs.
///
/// A clone copies pointers, not objects, so a snapshot can be taken while operations go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Which history this belongs to; empty only in hand-made files.
    pub lineage: Lineage,
    /// Grows by one per written snapshot; 0 before the first.
    pub serial: u64,
    /// Who wrote it last, as a version of Terraform.
    pub terraform_version: Arc<str>,
    /// The exports of the stack.
    pub outputs: BTreeMap<Arc<str>, OutputValue>,
    /// Every instance, managed and data.
    pub resources: BTreeMap<InstanceAddr, Arc<Instance>>,
    /// Results of checks, kept as they are; `None` when the writer knew none.
    pub check_results: Option<RawJson>,
    /// Top-level members that a newer writer added, in their order.
    pub extra: ExtraMembers,
}

/// The objects at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The provider configuration that made it and can destroy it.
    pub provider: ProviderConfigAddr,
    /// The object that the program means, if it exists.
    pub current: Option<Arc<Object>>,
    /// Objects that were replaced and wait to be destroyed.
    pub deposed: BTreeMap<DeposedKey, Arc<Object>>,
}

/// A published value of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputValue {
    /// The value; may be secret.
    pub value: RawJson,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Whether it must not be shown.
    pub sensitive: bool,
    /// Members that another writer added (`deprecated`).
    #[serde(default)]
    pub extra: ExtraMembers,
}

impl State {
    /// The release whose form of v4 is written; readers only ask that it is a version.
    pub const FORMAT_RELEASE: &'static str = "1.12.0";

    /// A state that holds nothing and was never written.
    pub fn new(lineage: Lineage) -> Self {
        Self {
            lineage,
            serial: 0,
            terraform_version: Self::FORMAT_RELEASE.into(),
            outputs: BTreeMap::new(),
            resources: BTreeMap::new(),
            check_results: None,
            extra: Arc::default(),
        }
    }

    /// Whether there is neither an instance nor an output.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty()
    }

    /// The instance at an address.
    pub fn instance(&self, addr: &InstanceAddr) -> Option<&Arc<Instance>> {
        self.resources.get(addr)
    }

    /// Puts an instance at an address, or takes the address out; an instance without any object counts as none.
    pub fn set_instance(&mut self, addr: &InstanceAddr, instance: Option<Arc<Instance>>) {
        match instance.filter(|instance| !instance.is_empty()) {
            Some(instance) => {
                self.resources.insert(addr.clone(), instance);
            }
            None => {
                self.resources.remove(addr);
            }
        }
    }

    /// Whether both hold the same things; serial, lineage and who wrote them do not count.
    pub fn same_content(&self, other: &Self) -> bool {
        self.outputs == other.outputs
            && self.resources == other.resources
            && self.check_results == other.check_results
            && self.extra == other.extra
    }
}

impl Instance {
    /// An instance with one current object.
    pub fn with_current(provider: ProviderConfigAddr, current: impl Into<Arc<Object>>) -> Self {
        Self {
            provider,
            current: Some(current.into()),
            deposed: BTreeMap::new(),
        }
    }

    /// Whether there is no object, current or deposed.
    pub fn is_empty(&self) -> bool {
        self.current.is_none() && self.deposed.is_empty()
    }
}
