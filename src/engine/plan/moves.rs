//! Carries out the program's moves on the state, before anything is planned.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, ProviderSource};
use terrane_core::{Diagnostic, Diagnostics, Moved, PlaceAddr, Program};
use terrane_state::State;
use terrane_state::edit::{Relocated, Relocation, RelocationRefused, StateAddr, TypeChange};

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
        if program.moved().is_empty() {
            return moves;
        }
        let mut relocation = Relocation::of(prior);
        let mut open: Vec<&Moved> = program.moved().iter().collect();
        // A chain may be written in any order: whatever found nothing is tried again after something has moved.
        loop {
            let before = open.len();
            open.retain(|moved| !moves.carry(moved, &mut relocation));
            if open.len() == before {
                break;
            }
        }
        let edit = relocation.edit();
        if !edit.subjects.is_empty() {
            for one in edit.subjects {
                moves.note(prior, one);
            }
            edit.change.apply(&mut moves.state);
        }
        moves
    }

    /// Whether it was carried out, or refused for good.
    fn carry(&mut self, moved: &Moved, relocation: &mut Relocation<'_>) -> bool {
        let (from, to) = (place(&moved.from), place(&moved.to));
        match relocation.add(&from, &to, TypeChange::Allowed) {
            Ok(()) => true,
            Err(RelocationRefused::NothingThere) => false,
            Err(refused) => {
                let blocked = Diagnostic::warning(format!("{} was not moved", moved.from));
                let blocked = blocked.detail(format!("to {}: {refused}", moved.to));
                self.warnings.push(blocked.location(moved.location));
                true
            }
        }
    }

    fn note(&mut self, prior: &State, Relocated { from, to }: Relocated) {
        if from.resource.type_name != to.resource.type_name
            && let Some(instance) = prior.instance(&from)
        {
            let origin = Origin {
                type_name: from.resource.type_name.clone(),
                provider: instance.provider.source.clone(),
            };
            self.origins.insert(to.clone(), origin);
        }
        self.moved.insert(to, from);
    }
}

fn place(place: &PlaceAddr) -> StateAddr {
    match place {
        PlaceAddr::Module(module) => StateAddr::Module(module.clone()),
        PlaceAddr::Instance(instance) => StateAddr::Instance(instance.clone()),
    }
}
