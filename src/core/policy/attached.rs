//! Resources by the resource that one of their arguments refers to, found in one pass over the plan.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Fact, Planned, ReviewedPlan};
use crate::addr::InstanceAddr;
use crate::output::Output;
use crate::resource::{Resource, ResourceType};

/// The resources of type `T` by the resource that an argument of theirs names.
pub struct Attached<'p, T> {
    plan: &'p ReviewedPlan<'p>,
    all: Vec<Planned<'p, T>>,
    by_address: HashMap<Arc<InstanceAddr>, Vec<usize>>,
    by_value: HashMap<String, Vec<usize>>,
    /// An instance names something that is known only after the apply and that the program does not say.
    is_open: bool,
}

impl<'p, T: ResourceType> Attached<'p, T> {
    pub(super) fn new(plan: &'p ReviewedPlan<'p>, argument: &str) -> Self {
        let all: Vec<Planned<'p, T>> = plan.declared::<T>().collect();
        let mut attached = Self {
            plan,
            by_address: HashMap::new(),
            by_value: HashMap::new(),
            is_open: false,
            all,
        };
        for (place, one) in attached.all.iter().enumerate() {
            let references = one.references(argument);
            let named: Fact<String> = one.get(&one.handle().attribute(argument));
            attached.is_open |= references.is_empty() && named.is_unknown();
            for address in references {
                attached.by_address.entry(address).or_default().push(place);
            }
            if let Fact::Known(value) = named {
                attached.by_value.entry(value).or_default().push(place);
            }
        }
        attached
    }

    /// Those that name this resource: by a reference in the program, or by one of these values of it.
    pub fn to<'s, R>(
        &'s self,
        resource: &Planned<'_, R>,
        names: &[Output<String>],
    ) -> impl Iterator<Item = &'s Planned<'p, T>> + use<'s, 'p, R, T> {
        let referring = self.by_address.get(resource.address());
        let mut places: Vec<usize> = referring.into_iter().flatten().copied().collect();
        for name in names {
            if let Fact::Known(value) = self.plan.value(name) {
                places.extend(self.by_value.get(&value).into_iter().flatten());
            }
        }
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.all[place])
    }

    /// Whether one of them may name any resource, because only the apply can tell which it names.
    pub fn is_open(&self) -> bool {
        self.is_open
    }
}

impl<T: ResourceType> Planned<'_, T> {
    /// The untyped handle.
    fn handle(&self) -> &Resource {
        (**self).as_ref()
    }
}
