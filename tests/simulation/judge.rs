//! The checks right after a death, and in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;
use terrane_engine::StepKind;
use terrane_state::{Backend as _, IntentAction, OpenIntent, Recovered, Run, State};
use terrane_tests::ids;

use crate::simulation::{Said, Simulation};

/// An object of the cloud.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) id: String,
    /// The address that it was made for.
    pub(crate) address: String,
    pub(crate) json: String,
}

fn tag(json: &str) -> String {
    let object: Json = serde_json::from_str(json).expect("the ledger holds JSON");
    object["tags"]["Name"]
        .as_str()
        .expect("every object of a schedule has a name")
        .to_owned()
}

/// The objects that exist, by the ledger.
pub(crate) fn live(simulation: &Simulation) -> Vec<Object> {
    let mut live: BTreeMap<String, Object> = BTreeMap::new();
    for line in simulation.cloud.ledger() {
        match line.object {
            None => drop(live.remove(&line.id)),
            Some(json) => {
                let object = Object {
                    id: line.id.clone(),
                    address: tag(&json),
                    json,
                };
                live.insert(line.id, object);
            }
        }
    }
    live.into_values().collect()
}

/// How often an object was made for each address since that line of the ledger.
pub(crate) fn creations(simulation: &Simulation, since: usize) -> BTreeMap<String, usize> {
    let mut creations = BTreeMap::new();
    let lines = simulation.cloud.ledger().into_iter().skip(since);
    for line in lines.filter(|line| line.action == "create") {
        let address = tag(line.object.as_deref().expect("what was made exists"));
        *creations.entry(address).or_default() += 1;
    }
    creations
}

/// The state as the next run would find it.
pub(crate) fn look(simulation: &Simulation) -> (State, Recovered) {
    let looked = futures_util::FutureExt::now_or_never(Run::look(&simulation.store));
    looked
        .expect("memory never waits")
        .unwrap_or_else(|error| panic!("READ: the state cannot be read: {error:?}"))
}

/// The objects of the cloud that are in no state.
pub(crate) fn unknown(simulation: &Simulation, state: &State) -> Vec<Object> {
    let known = ids(state);
    let live = live(simulation).into_iter();
    live.filter(|object| !known.contains_key(&object.id))
        .collect()
}

/// Nothing is lost, whatever has just happened.
pub(crate) fn nothing_is_lost(simulation: &Arc<Simulation>) {
    let (state, recovered) = look(simulation);
    let mut open: Vec<&OpenIntent> = recovered
        .open
        .iter()
        .filter(|open| open.intent.action == IntentAction::Create)
        .collect();
    for object in unknown(simulation, &state) {
        let place = open
            .iter()
            .position(|open| open.intent.address.to_string() == object.address);
        let Some(place) = place else {
            panic!(
                "ORPH: {} of {} exists, and neither state nor journal knows",
                object.id, object.address
            );
        };
        open.remove(place);
    }
    let there = live(simulation)
        .into_iter()
        .map(|object| object.id)
        .collect();
    what_was_said_holds(&simulation.said(), &state, &there);
}

/// Printed ⇒ durable: the next run knows the last event of each address.
fn what_was_said_holds(said: &[Said], state: &State, live: &BTreeSet<String>) {
    let ids = ids(state);
    let last: BTreeMap<&str, &Said> = said.iter().map(|said| (&*said.address, said)).collect();
    for (address, said) in last {
        // Something began after the last "done".
        let Some(done) = &said.done else { continue };
        let at_address = || ids.iter().filter(|(_, other)| *other == address);
        match (said.kind, done) {
            (StepKind::Create | StepKind::Update, Some(id)) => assert!(
                at_address().any(|(known, _)| known == id),
                "ACK: {address} was said to be {id} and the state does not know",
            ),
            (StepKind::Delete, _) => {
                for (known, _) in at_address() {
                    assert!(
                        live.contains(known),
                        "ACK: {known} at {address} was said to be gone and is in the state",
                    );
                }
            }
            _ => {}
        }
    }
}

/// In the end all is as declared, once, and nothing is left over: no lock, no open operation, no deposed object.
pub(crate) fn all_is_well(simulation: &Arc<Simulation>) {
    let (state, recovered) = look(simulation);
    let known: BTreeSet<String> = ids(&state).into_keys().collect();
    let there: BTreeSet<String> = live(simulation)
        .into_iter()
        .map(|object| object.id)
        .collect();
    assert_eq!(
        known, there,
        "ORPH: the state (left) is not the cloud (right)"
    );
    assert!(
        recovered.open.is_empty(),
        "an operation is still unresolved"
    );
    assert_eq!(
        recovered.replayed, 0,
        "the journal knows more than the state"
    );
    assert!(recovered.interrupted.is_none(), "the journal has no end");
    for (address, instance) in &state.resources {
        assert!(
            instance.deposed.is_empty(),
            "{address} has a deposed object still"
        );
    }
    let holder = futures_util::FutureExt::now_or_never(simulation.store.holder());
    let holder = holder.expect("memory never waits").expect("readable");
    assert_eq!(holder, None, "LOCK: it is still held");
}
