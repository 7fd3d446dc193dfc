//! Checks a plan by the policies of its program.

use std::collections::HashMap;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::policy::{PlannedObject, PlannedStack, PolicyReport};
use terrane_core::{Marked, Program, Value};

use super::Plan;
use crate::change::{Action, ResourceChange};
use crate::options::PlanMode;

impl Plan {
    /// The report of each policy of the program; of none where the plan only records how objects are.
    ///
    /// A saved plan keeps no reports: it is applied by the very executable that made it, whose policies see the same plan again.
    pub fn review(&self, program: &Program) -> Vec<PolicyReport> {
        if program.policies().is_empty() || self.mode == PlanMode::RefreshOnly {
            return Vec::new();
        }
        self.planned(program).review()
    }

    /// Every instance that the plan is about, as it is before and after: as declared, then those that are only in the state. What
    /// a deletion that is deferred would delete is not known.
    pub fn planned<'a>(&self, program: &'a Program) -> PlannedStack<'a> {
        let current = self.changes.iter().filter(|one| one.deposed.is_none());
        let mut changes: HashMap<&InstanceAddr, &ResourceChange> =
            current.clone().map(|one| (&*one.address, one)).collect();
        let declared = program.resources().iter().zip(&self.objects);
        let mut objects: Vec<PlannedObject> = declared
            .filter_map(|(resource, object)| {
                let Some(change) = changes.remove(&*resource.address) else {
                    // A data source that was read, or something that the plan leaves out.
                    let object = object.as_ref()?;
                    return Some(PlannedObject {
                        address: resource.address.clone(),
                        action: Action::NoOp,
                        before: object.clone(),
                        after: object.clone(),
                        location: Some(resource.location),
                    });
                };
                Some(planned(change))
            })
            .collect();
        let others = current.filter(|change| changes.contains_key(&*change.address));
        objects.extend(others.map(planned));
        // A deletion that is planned later in the run is one now for those who would refuse it.
        let later = self.deferred.iter();
        let later = later.filter(|one| one.action == Action::Delete && one.deposed.is_none());
        objects.extend(later.map(|one| PlannedObject {
            address: one.address.clone(),
            action: one.action,
            before: Arc::default(),
            after: Arc::default(),
            location: None,
        }));
        PlannedStack::new(program, objects)
    }
}

fn planned(change: &ResourceChange) -> PlannedObject {
    let after = match change.action {
        // It stays in the world, but is not part of the stack any more.
        Action::Forget => Arc::new(Marked::plain(Value::Null)),
        _ => change.after.clone(),
    };
    PlannedObject {
        address: change.address.clone(),
        action: change.action,
        before: change.before.clone(),
        after,
        location: change.location,
    }
}
