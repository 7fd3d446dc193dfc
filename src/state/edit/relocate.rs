//! `state mv`: instances, resources and modules under another address.

use std::collections::{BTreeMap, BTreeSet};

use terrane_core::addr::{ConfigAddr, InstanceAddr, ModuleAddr, ModuleStep, ResourceAddr};
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

/// Moves a module, a resource or an instance to another address.
///
/// An address without a key means the instance without a key if there is one, else the resource (or module) with all its keys,
/// which they keep. Nothing is moved over something else.
///
/// # Errors
/// When there is nothing to move, or not to there.
pub fn relocate(
    state: &State,
    from: &StateAddr,
    to: &StateAddr,
    type_change: TypeChange,
) -> Result<Edit<Relocated>, RelocationRefused> {
    let moves = match (from, to) {
        (StateAddr::Module(source), StateAddr::Module(target)) => {
            modules(&state.resources, source, target)
        }
        (StateAddr::Instance(source), StateAddr::Instance(target)) => {
            resources(&state.resources, source, target).ok_or(RelocationRefused::Several)?
        }
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
    if let Some(occupant) = occupant(state, &moves, to, from == to) {
        return Err(RelocationRefused::Occupied(occupant.clone()));
    }
    let after = moved(&state.resources, &moves);
    let ends: BTreeSet<_> = moves.iter().flat_map(|(from, to)| [from, to]).collect();
    let subjects = moves.iter().map(|(from, to)| Relocated {
        from: from.clone(),
        to: to.clone(),
    });
    Ok(Edit::between(
        state,
        &after,
        subjects.collect(),
        |address| ends.contains(address),
    ))
}

type Moves = BTreeMap<InstanceAddr, InstanceAddr>;

/// The instances at the target that do not go away. A whole module or resource is not mixed with another either.
fn occupant<'a>(
    state: &'a State,
    moves: &Moves,
    to: &StateAddr,
    in_place: bool,
) -> Option<&'a InstanceAddr> {
    let whole_resource = moves.values().any(|to| to.key.is_some());
    let unit = |address: &InstanceAddr| match to {
        StateAddr::Module(module) => {
            let steps = address.resource.module.steps();
            let steps = steps.get(..module.steps().len())?;
            Some(StateAddr::Module(steps.iter().cloned().collect()))
        }
        StateAddr::Instance(to) if to.key.is_none() && whole_resource => {
            Some(StateAddr::Instance(address.resource.clone().instance(None)))
        }
        StateAddr::Instance(_) => Some(StateAddr::Instance(address.clone())),
    };
    let taken: BTreeSet<StateAddr> = moves.values().filter_map(unit).collect();
    state.resources.keys().find(|address| {
        let stays = in_place || !moves.contains_key(*address);
        stays && unit(address).is_some_and(|unit| taken.contains(&unit))
    })
}

/// Everything in a module, under the other module.
fn modules(instances: &Instances, source: &ModuleAddr, target: &ModuleAddr) -> Moves {
    let below = |address: &InstanceAddr, step: Option<ModuleStep>| {
        let steps = &address.resource.module.steps()[source.steps().len()..];
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
    let exactly: Moves = instances
        .keys()
        .filter(|address| source.contains(&address.resource.module))
        .map(|address| (address.clone(), below(address, None)))
        .collect();
    let unkeyed = |module: &ModuleAddr| {
        let last = module.steps().last();
        last.is_some_and(|step| step.key.is_none())
    };
    if !exactly.is_empty() || !unkeyed(source) || !unkeyed(target) {
        return exactly;
    }
    // Nothing is at the module without a key: the call with all its instances is meant.
    let depth = source.steps().len();
    let of_call = |address: &InstanceAddr| {
        let steps = address.resource.module.steps();
        let step = steps.get(depth - 1)?.clone();
        let unkeyed = steps[..depth - 1].iter().cloned().chain([ModuleStep {
            key: None,
            ..step.clone()
        }]);
        (unkeyed.collect::<ModuleAddr>() == *source).then_some(step)
    };
    let name = target.steps().last().map(|step| step.name.clone());
    instances
        .keys()
        .filter_map(|address| {
            let step = ModuleStep {
                name: name.clone()?,
                key: of_call(address)?.key,
            };
            Some((address.clone(), below(address, Some(step))))
        })
        .collect()
}

/// One instance, or all of a resource; `None` when several were to become one.
fn resources(instances: &Instances, source: &InstanceAddr, target: &InstanceAddr) -> Option<Moves> {
    if instances.contains_key(source) {
        return Some(Moves::from([(source.clone(), target.clone())]));
    }
    if source.key.is_some() {
        return Some(Moves::new());
    }
    let keyed: Moves = instances
        .keys()
        .filter(|address| address.resource == source.resource)
        .map(|address| {
            let target = target.resource.clone().instance(address.key.clone());
            (address.clone(), target)
        })
        .collect();
    (keyed.is_empty() || target.key.is_none()).then_some(keyed)
}

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
