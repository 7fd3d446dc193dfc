//! Changes of a state that a person orders and no provider is asked about: moves, removals, another provider.
//!
//! Each function looks at a state and returns an edit; the [`Change`] in it is made as a whole or not at all. Instances that
//! depend on a changed one follow: their stored dependencies go on naming it.

mod addr;
mod dependencies;
mod forget;
mod hand_over;
mod relocate;
mod replace_provider;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;

use crate::journal::Change;
use crate::model::{Instance, State};

pub use addr::{ParseStateAddrError, StateAddr};
pub use forget::forget;
pub use hand_over::{HandOver, HandOverRefused, hand_over};
pub use relocate::{Relocated, Relocation, RelocationRefused, TypeChange, relocate};
pub use replace_provider::{ProviderPattern, replace_provider};

/// The effect of an edit on a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit<T> {
    /// The instances that were named, in the order of the state.
    pub subjects: Vec<T>,
    /// Other instances whose stored dependencies follow.
    pub dependents: Vec<InstanceAddr>,
    /// Does it.
    pub change: Change,
}

type Instances = BTreeMap<InstanceAddr, Arc<Instance>>;

impl<T> Edit<T> {
    /// The edit that leads from a state to those instances; `is_subject` tells the named ones from those that follow.
    fn between(
        before: &State,
        after: &Instances,
        subjects: Vec<T>,
        is_subject: impl Fn(&InstanceAddr) -> bool,
    ) -> Self {
        let gone = before
            .resources
            .keys()
            .filter(|address| !after.contains_key(*address))
            .map(|address| (address, None));
        let put = after
            .iter()
            .filter(|(address, instance)| before.instance(address) != Some(*instance))
            .map(|(address, instance)| (address, Some(Arc::clone(instance))));
        let changes: Vec<_> = gone.chain(put).collect();
        let dependents = changes.iter().map(|(address, _)| *address);
        Self {
            subjects,
            dependents: dependents
                .filter(|address| !is_subject(address))
                .cloned()
                .collect(),
            change: Change::Together(
                changes
                    .into_iter()
                    .map(|(address, instance)| Change::Instance {
                        address: address.clone(),
                        instance,
                    })
                    .collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
