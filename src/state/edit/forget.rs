//! `state rm`: instances leave the state, their objects stay in the world.

use std::collections::{BTreeMap, BTreeSet};

use terrane_core::addr::{ConfigAddr, InstanceAddr};

use super::{Edit, Instances, dependencies};
use crate::model::State;

type Successors = BTreeMap<ConfigAddr, BTreeSet<ConfigAddr>>;

/// Takes instances out of a state, with their deposed objects. Their dependents inherit their dependencies, so that the order
/// of the others stays the same.
pub fn forget(state: &State, addresses: &BTreeSet<InstanceAddr>) -> Edit<InstanceAddr> {
    let (gone, mut left): (Instances, Instances) = state
        .resources
        .iter()
        .map(|(address, instance)| (address.clone(), instance.clone()))
        .partition(|(address, _)| addresses.contains(address));
    let stay = dependencies::configurations(left.keys());
    let mut direct = Successors::new();
    for (address, instance) in &gone {
        let config = address.resource.config();
        let successors = direct.entry(config.clone()).or_default();
        successors.extend(dependencies::of(instance).cloned());
        if stay.contains(&config) {
            successors.insert(config);
        }
    }
    let named: BTreeSet<ConfigAddr> = left
        .values()
        .flat_map(|instance| dependencies::of(instance))
        .filter(|config| direct.contains_key(*config))
        .cloned()
        .collect();
    let successors: Successors = named
        .into_iter()
        .map(|config| {
            let end = through(&config, &direct, &stay);
            (config, end)
        })
        .collect();
    dependencies::follow(&mut left, |dependency| successors.get(dependency));
    Edit::between(state, &left, gone.into_keys().collect(), |address| {
        addresses.contains(address)
    })
}

/// The remaining dependencies of a configuration, also through others that go.
fn through(
    start: &ConfigAddr,
    direct: &Successors,
    stay: &BTreeSet<ConfigAddr>,
) -> BTreeSet<ConfigAddr> {
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    let mut end = BTreeSet::new();
    while let Some(config) = open.pop() {
        for next in direct.get(config).into_iter().flatten() {
            if !direct.contains_key(next) || stay.contains(next) {
                end.insert(next.clone());
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    end
}
