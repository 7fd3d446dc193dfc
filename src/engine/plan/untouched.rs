//! The stored dependencies of objects that a run does not touch: they change when the program refers to something else.
//!
//! A new list is recorded only once everything that it names is as planned. Recorded earlier, it could name an object whose own list,
//! still that of before, names this one; a run that fails then would leave two objects that stand on each other.

use std::sync::Arc;

use terrane_core::addr::Mode;
use terrane_core::{Marked, ResourceId, ResourceInstance};
use terrane_state::Instance;

use super::closure::DependencyLists;
use crate::change::{Action, ResourceChange};

/// Whether an instance was looked at and has nothing to be done: its planned change is none, or it is a data source that was read.
pub(crate) fn is_untouched(
    resource: &ResourceInstance,
    change: Option<&ResourceChange>,
    object: Option<&Marked>,
) -> bool {
    match change {
        Some(change) => change.action == Action::NoOp,
        None => {
            let is_read = object.is_some_and(|object| object.value.is_wholly_known());
            resource.mode() == Mode::Data && is_read
        }
    }
}

/// The instance with the dependencies that it has now, where the state has others.
pub(crate) fn brought_up_to_date(
    position: ResourceId,
    instance: &Instance,
    lists: &DependencyLists<'_>,
) -> Option<Instance> {
    let current = instance.current.as_ref()?;
    let dependencies = lists.dependencies(position, Some(&current.dependencies));
    if Arc::ptr_eq(&dependencies, &current.dependencies) || dependencies == current.dependencies {
        return None;
    }
    let mut object = current.as_ref().clone();
    object.dependencies = dependencies;
    Some(Instance {
        current: Some(Arc::new(object)),
        ..instance.clone()
    })
}
