//! Carries out the program's moves on the state, before anything is planned.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, ModuleAddr, ModuleStep, ProviderSource, ResourceAddr};
use terrane_core::{Diagnostic, Diagnostics, Moved, PlaceAddr, Program};
use terrane_state::State;
use terrane_state::edit::{RelocationRefused, StateAddr, TypeChange, relocate};

/// An object that has another address than the state had for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Where it was.
    pub from: InstanceAddr,
    /// Where it is now.
    pub to: InstanceAddr,
}

/// The type that an object had, where its provider has to turn it into one of another type.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) type_name: Arc<str>,
    pub(crate) provider: ProviderSource,
}

/// The state after the moves.
pub(crate) struct Moves {
    pub(crate) state: State,
    /// What moved, by its new address.
    pub(crate) moved: BTreeMap<InstanceAddr, InstanceAddr>,
    /// What was of another type, by its new address.
    pub(crate) origins: HashMap<InstanceAddr, Origin>,
    pub(crate) warnings: Diagnostics,
}

impl Moves {
    /// Carries out the moves in an order in which each finds what an earlier one brought. A move whose target is taken is left out with
    /// a warning.
    pub(crate) fn carry_out(program: &Program, prior: &State) -> Self {
        let mut moves = Self {
            state: prior.clone(),
            moved: BTreeMap::new(),
            origins: HashMap::new(),
            warnings: Diagnostics::new(),
        };
        let mut open: Vec<&Moved> = program.moved().iter().collect();
        let mut there = Presence::of(prior);
        // A chain may be written in any order: whatever found nothing is tried again after something has moved.
        loop {
            let before = open.len();
            open.retain(|moved| !there.has(&moved.from) || !moves.carry(moved, &mut there));
            if open.len() == before {
                return moves;
            }
        }
    }

    /// Whether it was carried out, or refused for good.
    fn carry(&mut self, moved: &Moved, there: &mut Presence) -> bool {
        let (from, to) = (place(&moved.from), place(&moved.to));
        match relocate(&self.state, &from, &to, TypeChange::Allowed) {
            Ok(edit) => {
                for one in &edit.subjects {
                    self.note(&one.from, &one.to);
                    there.add(&one.to.resource);
                }
                edit.change.apply(&mut self.state);
                true
            }
            Err(RelocationRefused::NothingThere) => false,
            Err(refused) => {
                let blocked = Diagnostic::warning(format!("{} was not moved", moved.from));
                let blocked = blocked.detail(format!("to {}: {refused}", moved.to));
                self.warnings.push(blocked.location(moved.location));
                true
            }
        }
    }

    fn note(&mut self, from: &InstanceAddr, to: &InstanceAddr) {
        let first = self.moved.remove(from).unwrap_or_else(|| from.clone());
        let origin = self.origins.remove(from).or_else(|| {
            let instance = self.state.instance(from)?;
            Some(Origin {
                type_name: from.resource.type_name.clone(),
                provider: instance.provider.source.clone(),
            })
        });
        if let Some(origin) = origin.filter(|origin| origin.type_name != to.resource.type_name) {
            self.origins.insert(to.clone(), origin);
        }
        if first != *to {
            self.moved.insert(to.clone(), first);
        }
    }
}

fn place(place: &PlaceAddr) -> StateAddr {
    match place {
        PlaceAddr::Module(module) => StateAddr::Module(module.clone()),
        PlaceAddr::Instance(instance) => StateAddr::Instance(instance.clone()),
    }
}

/// Which addresses a state may have something at: a program keeps its old moves, and they must cost nothing. An address from which
/// everything has moved may stay here: it is then looked for in vain.
struct Presence {
    resources: HashSet<ResourceAddr>,
    modules: HashSet<ModuleAddr>,
}

impl Presence {
    fn of(state: &State) -> Self {
        let mut there = Self {
            resources: HashSet::new(),
            modules: HashSet::new(),
        };
        for address in state.resources.keys() {
            there.add(&address.resource);
        }
        there
    }

    fn add(&mut self, resource: &ResourceAddr) {
        if !self.resources.insert(resource.clone()) {
            return;
        }
        let steps = resource.module.steps();
        for depth in 1..=steps.len() {
            let (last, outer) = steps[..depth].split_last().expect("invariant: not empty");
            let unkeyed = ModuleStep {
                key: None,
                ..last.clone()
            };
            for last in [last.clone(), unkeyed] {
                let steps = outer.iter().cloned().chain([last]);
                self.modules.insert(steps.collect());
            }
        }
    }

    fn has(&self, place: &PlaceAddr) -> bool {
        match place {
            PlaceAddr::Module(module) => self.modules.contains(module),
            PlaceAddr::Instance(instance) => self.resources.contains(&instance.resource),
        }
    }
}
