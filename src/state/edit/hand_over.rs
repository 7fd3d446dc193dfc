//! Instances that leave one state for another: the changes of both.

use std::collections::BTreeSet;

use terrane_core::addr::{ConfigAddr, InstanceAddr};
use thiserror::Error;

use super::{Edit, Instances, dependencies, forget};
use crate::journal::Change;
use crate::model::State;

/// The changes of both states.
#[derive(Debug, Clone, PartialEq)]
pub struct HandOver {
    /// Takes the instances out of the one; those that depended on them go on without.
    pub leaving: Edit<InstanceAddr>,
    /// Puts them into the other.
    pub arriving: Change,
}

/// Why instances cannot go to the other state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandOverRefused {
    /// They are not in the state that they are to leave.
    #[error("{0} is not in the state")]
    NothingThere(InstanceAddr),
    /// The other state has something at an address.
    #[error("{0} is in the other state already")]
    Occupied(InstanceAddr),
}

/// Takes instances out of a state and puts them into another under the same addresses, with their deposed objects. They keep the
/// dependencies that are there, too.
///
/// # Errors
/// When one is not there, or the other state has something at its address.
pub fn hand_over(
    from: &State,
    to: &State,
    addresses: &BTreeSet<InstanceAddr>,
) -> Result<HandOver, HandOverRefused> {
    let mut arriving = Instances::new();
    for address in addresses {
        let Some(instance) = from.instance(address) else {
            return Err(HandOverRefused::NothingThere(address.clone()));
        };
        if to.instance(address).is_some() {
            return Err(HandOverRefused::Occupied(address.clone()));
        }
        arriving.insert(address.clone(), instance.clone());
    }
    let there = dependencies::configurations(to.resources.keys().chain(addresses));
    let nothing = BTreeSet::<ConfigAddr>::new();
    dependencies::follow(&mut arriving, |dependency| {
        (!there.contains(dependency)).then_some(&nothing)
    });
    let arriving = arriving
        .into_iter()
        .map(|(address, instance)| Change::Instance {
            address,
            instance: Some(instance),
        });
    Ok(HandOver {
        leaving: forget(from, addresses),
        arriving: Change::Together(arriving.collect()),
    })
}
