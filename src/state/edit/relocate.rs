//! Instances, resources and modules under another address: `state mv`, and the moves of a program.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use terrane_core::addr::{ConfigAddr, InstanceAddr, Mode, ModuleAddr, ModuleStep, ResourceAddr};
use thiserror::Error;

use super::{Edit, Instances, StateAddr, dependencies};
use crate::model::State;

/// One instance that moves, with its deposed objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocated {
    /// Where it was.
    pub from: InstanceAddr,
    /// Where it is then.
    pub to: InstanceAddr,
}

/// Why a move is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RelocationRefused {
    /// The source is not in the state.
    #[error("nothing is there")]
    NothingThere,
    /// One end is a module, the other is none.
    #[error("a module can only become a module, a resource only a resource")]
    OtherKind,
    /// The source is a resource with several instances, the target has a key.
    #[error("several instances cannot become one")]
    Several,
    /// The types differ, or one is a data resource.
    #[error("an object cannot become one of another resource type")]
    OtherType,
    /// Something is at the target already.
    #[error("{0} is there already")]
    Occupied(InstanceAddr),
}

/// Whether a move may change the type of what moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeChange {
    /// It may not: nobody turns the object into one of the other type.
    Refused,
    /// It may: a provider is asked to turn the object into one of the other type.
    Allowed,
}

/// Moves a module, a resource or an instance to another address (see [`Relocation::add`]).
///
/// # Errors
/// When there is nothing to move, or not to there.
pub fn relocate(
    state: &State,
    from: &StateAddr,
    to: &StateAddr,
    type_change: TypeChange,
) -> Result<Edit<Relocated>, RelocationRefused> {
    let mut relocation = Relocation::of(state);
    relocation.add(from, to, type_change)?;
    Ok(relocation.edit())
}

/// Moves that are carried out together. Each looks only at what it moves and at its target; the state is walked once for all of them.
#[derive(Debug)]
pub struct Relocation<'s> {
    state: &'s State,
    /// By the address that an instance has after the moves so far, the one that it has in the state.
    places: BTreeMap<InstanceAddr, &'s InstanceAddr>,
}

impl<'s> Relocation<'s> {
    /// No move yet.
    pub fn of(state: &'s State) -> Self {
        let places = state.resources.keys();
        Self {
            state,
            places: places.map(|address| (address.clone(), address)).collect(),
        }
    }

    /// Moves a module, a resource or an instance that is there after the moves so far.
    ///
    /// An address without a key means the instance without a key if there is one, else the resource (or module) with all its keys,
    /// which they keep. Nothing is moved over something else.
    ///
    /// # Errors
    /// When there is nothing to move, or not to there.
    pub fn add(
        &mut self,
        from: &StateAddr,
        to: &StateAddr,
        type_change: TypeChange,
    ) -> Result<(), RelocationRefused> {
        let moves = match (from, to) {
            (StateAddr::Module(source), StateAddr::Module(target)) => self.modules(source, target),
            (StateAddr::Instance(source), StateAddr::Instance(target)) => self
                .instances(source, target)
                .ok_or(RelocationRefused::Several)?,
            _ => return Err(RelocationRefused::OtherKind),
        };
        if moves.is_empty() {
            return Err(RelocationRefused::NothingThere);
        }
        let same_type = |a: &ResourceAddr, b: &ResourceAddr| {
            a.mode == b.mode && (a.type_name == b.type_name || type_change == TypeChange::Allowed)
        };
        if moves
            .iter()
            .any(|(from, to)| !same_type(&from.resource, &to.resource))
        {
            return Err(RelocationRefused::OtherType);
        }
        if let Some(occupant) = self.occupant(&moves, to, from == to) {
            return Err(RelocationRefused::Occupied(occupant));
        }
        let leave = |(from, to)| Some((to, self.places.remove(&from)?));
        let moved: Vec<_> = moves.into_iter().filter_map(leave).collect();
        self.places.extend(moved);
        Ok(())
    }

    /// All the moves as one edit.
    pub fn edit(self) -> Edit<Relocated> {
        let is_moved = |(to, from): &(&InstanceAddr, &&InstanceAddr)| to != *from;
        let moves = self.places.iter().filter(is_moved);
        let moves: Moves = moves
            .map(|(to, from)| ((*from).clone(), to.clone()))
            .collect();
        let after = moved(&self.state.resources, &moves);
        let ends: BTreeSet<_> = moves.iter().flat_map(|(from, to)| [from, to]).collect();
        let subjects = moves.iter().map(|(from, to)| Relocated {
            from: from.clone(),
            to: to.clone(),
        });
        let subjects = subjects.collect();
        Edit::between(self.state, &after, subjects, |address| {
            ends.contains(address)
        })
    }

    /// Everything that belongs to a module, inner modules included.
    fn in_module<'a>(&'a self, module: &'a ModuleAddr) -> impl Iterator<Item = &'a InstanceAddr> {
        let addresses = self.from(module.clone());
        addresses.take_while(|address| module.contains(&address.resource.module))
    }

    /// The instances of a resource.
    fn of_resource<'a>(
        &'a self,
        resource: &'a ResourceAddr,
    ) -> impl Iterator<Item = &'a InstanceAddr> {
        let first = resource.clone().instance(None);
        let addresses = self
            .places
            .range((Bound::Included(first), Bound::Unbounded));
        let addresses = addresses.map(|(address, _)| address);
        addresses.take_while(|address| address.resource == *resource)
    }

    /// The addresses from the first that a module can have, in order: those in the module come first, each after its own module's.
    fn from(&self, module: ModuleAddr) -> impl Iterator<Item = &InstanceAddr> {
        let first = ResourceAddr {
            module,
            mode: Mode::Managed,
            type_name: "".into(),
            name: "".into(),
        };
        let first = first.instance(None);
        let addresses = self
            .places
            .range((Bound::Included(first), Bound::Unbounded));
        addresses.map(|(address, _)| address)
    }

    /// The first instance at the target that does not go away. A whole module or resource is not mixed with another either.
    fn occupant(&self, moves: &Moves, to: &StateAddr, in_place: bool) -> Option<InstanceAddr> {
        let whole_resource = moves.values().any(|to| to.key.is_some());
        let unit = |address: &InstanceAddr| match to {
            StateAddr::Module(module) => {
                let steps = &address.resource.module.steps()[..module.steps().len()];
                StateAddr::Module(steps.iter().cloned().collect())
            }
            StateAddr::Instance(to) if to.key.is_none() && whole_resource => {
                StateAddr::Instance(address.resource.clone().instance(None))
            }
            StateAddr::Instance(_) => StateAddr::Instance(address.clone()),
        };
        let stays = |address: &&InstanceAddr| in_place || !moves.contains_key(*address);
        let taken: BTreeSet<StateAddr> = moves.values().map(unit).collect();
        let occupants = taken.iter().filter_map(|unit| match unit {
            StateAddr::Module(module) => self.in_module(module).find(stays),
            StateAddr::Instance(to) if whole_resource && to.key.is_none() => {
                self.of_resource(&to.resource).find(stays)
            }
            StateAddr::Instance(to) => {
                let there = self.places.get_key_value(to);
                there.map(|(address, _)| address).filter(stays)
            }
        });
        occupants.min().cloned()
    }

    /// Everything in a module, under the other module.
    fn modules(&self, source: &ModuleAddr, target: &ModuleAddr) -> Moves {
        let depth = source.steps().len();
        let below = |address: &InstanceAddr, step: Option<ModuleStep>| {
            let steps = &address.resource.module.steps()[depth..];
            let target = target.steps().split_last();
            let (last, before) = target.expect("invariant: a place is not the root module");
            let first = step.unwrap_or_else(|| last.clone());
            let module = before.iter().cloned().chain([first]);
            InstanceAddr {
                resource: ResourceAddr {
                    module: module.chain(steps.iter().cloned()).collect(),
                    ..address.resource.clone()
                },
                key: address.key.clone(),
            }
        };
        let exactly = self.in_module(source);
        let exactly: Moves = exactly
            .map(|address| (address.clone(), below(address, None)))
            .collect();
        let unkeyed = |module: &ModuleAddr| {
            let last = module.steps().last();
            last.filter(|step| step.key.is_none()).cloned()
        };
        let (Some(of), Some(to)) = (unkeyed(source), unkeyed(target)) else {
            return exactly;
        };
        if !exactly.is_empty() {
            return exactly;
        }
        // Nothing is at the module without a key: the call with all its instances is meant.
        let outer = &source.steps()[..depth - 1];
        let step_of_call = |address: &InstanceAddr| {
            let (before, step) = address
                .resource
                .module
                .steps()
                .get(..depth)?
                .split_at(depth - 1);
            (before == outer && step[0].name == of.name).then(|| step[0].clone())
        };
        let calls = self.from(source.clone());
        calls
            .map_while(|address| {
                let step = ModuleStep {
                    name: to.name.clone(),
                    ..step_of_call(address)?
                };
                Some((address.clone(), below(address, Some(step))))
            })
            .collect()
    }

    /// One instance, or all of a resource; `None` when several were to become one.
    fn instances(&self, source: &InstanceAddr, target: &InstanceAddr) -> Option<Moves> {
        if self.places.contains_key(source) {
            return Some(Moves::from([(source.clone(), target.clone())]));
        }
        if source.key.is_some() {
            return Some(Moves::new());
        }
        let keyed: Moves = (self.of_resource(&source.resource))
            .map(|address| {
                let target = target.resource.clone().instance(address.key.clone());
                (address.clone(), target)
            })
            .collect();
        (keyed.is_empty() || target.key.is_none()).then_some(keyed)
    }
}

type Moves = BTreeMap<InstanceAddr, InstanceAddr>;

/// The instances at their new addresses, with the dependencies of all.
fn moved(before: &Instances, moves: &Moves) -> Instances {
    let mut after: Instances = before
        .iter()
        .map(|(address, instance)| {
            let address = moves.get(address).unwrap_or(address);
            (address.clone(), instance.clone())
        })
        .collect();
    let stay = dependencies::configurations(
        before
            .keys()
            .filter(|address| !moves.contains_key(*address)),
    );
    let mut successors: BTreeMap<ConfigAddr, BTreeSet<ConfigAddr>> = BTreeMap::new();
    for (from, to) in moves {
        let from = from.resource.config();
        let successors = successors.entry(from.clone()).or_default();
        successors.insert(to.resource.config());
        if stay.contains(&from) {
            successors.insert(from);
        }
    }
    // Another key of the same configuration: nothing follows.
    successors.retain(|from, to| to.len() > 1 || !to.contains(from));
    dependencies::follow(&mut after, |dependency| successors.get(dependency));
    after
}
