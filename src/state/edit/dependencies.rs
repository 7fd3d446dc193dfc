//! Stored dependencies that follow a move or a removal.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::addr::{ConfigAddr, InstanceAddr};

use super::Instances;
use crate::model::{Instance, Object};

/// Puts what `successors` gives in the place of a dependency, in every object; `None` leaves it as it is.
pub(super) fn follow<'a>(
    instances: &mut Instances,
    successors: impl Fn(&ConfigAddr) -> Option<&'a BTreeSet<ConfigAddr>>,
) {
    for (address, instance) in instances {
        let own = address.resource.config();
        let rewrite = |object: &Arc<Object>| {
            let touched = object.dependencies.iter().any(|c| successors(c).is_some());
            touched.then(|| {
                let mut dependencies = BTreeSet::new();
                for dependency in &*object.dependencies {
                    match successors(dependency) {
                        Some(successors) => dependencies.extend(successors.iter().cloned()),
                        None => drop(dependencies.insert(dependency.clone())),
                    }
                }
                // Instances of one configuration do not wait for each other.
                dependencies.remove(&own);
                Arc::new(Object {
                    dependencies: dependencies.into_iter().collect(),
                    ..Object::clone(object)
                })
            })
        };
        if let Some(changed) = with_objects(instance, rewrite) {
            *instance = Arc::new(changed);
        }
    }
}

/// The instance with some of its objects replaced, if any is.
fn with_objects(
    instance: &Instance,
    rewrite: impl Fn(&Arc<Object>) -> Option<Arc<Object>>,
) -> Option<Instance> {
    let current = instance.current.as_ref().and_then(&rewrite);
    let deposed = instance.deposed.iter();
    let deposed: Vec<_> = deposed
        .filter_map(|(key, object)| Some((*key, rewrite(object)?)))
        .collect();
    if current.is_none() && deposed.is_empty() {
        return None;
    }
    let mut changed = instance.clone();
    changed.current = current.or(changed.current);
    changed.deposed.extend(deposed);
    Some(changed)
}

/// Everything that the objects of an instance were made from.
pub(super) fn of(instance: &Instance) -> impl Iterator<Item = &ConfigAddr> {
    let objects = instance.current.iter().chain(instance.deposed.values());
    objects.flat_map(|object| object.dependencies.iter())
}

/// The configurations that have an instance.
pub(super) fn configurations<'a>(
    addresses: impl Iterator<Item = &'a InstanceAddr>,
) -> BTreeSet<ConfigAddr> {
    addresses.map(|address| address.resource.config()).collect()
}
