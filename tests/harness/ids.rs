//! The ids in a state.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use terrane_state::State;

/// Every id in a state, with its address.
///
/// # Panics
/// When two objects have one id.
pub fn ids(state: &State) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for (address, instance) in &state.resources {
        for object in instance.current.iter().chain(instance.deposed.values()) {
            let attributes: Json =
                serde_json::from_str(object.attributes.raw().as_str()).expect("JSON");
            let id = attributes["id"].as_str().expect("an id").to_owned();
            let twice = ids.insert(id, address.to_string());
            assert_eq!(twice, None, "DUP: an object is in the state twice");
        }
    }
    ids
}
