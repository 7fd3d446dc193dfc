//! Which configurations of providers a module gets from its callers.

use std::collections::BTreeSet;

use crate::ast::Node;
use crate::bindings::local_of;
use crate::calls::handed;
use crate::model::{Call, Configuration};

/// The keys (`aws`, `aws.west`) that callers hand over, by module.
///
/// A module that only uses what the whole program has by default gets nothing: its function has no parameter for it.
pub(crate) fn provider_keys(configuration: &Configuration) -> Vec<BTreeSet<String>> {
    let modules = &configuration.modules;
    let used = used(configuration);
    let mut all = vec![BTreeSet::new(); modules.len()];
    loop {
        let before = all.clone();
        for (place, module) in modules.iter().enumerate() {
            for call in &module.calls {
                let child = call.module;
                for key in &used[child] {
                    let outer = handed(call, key);
                    if outer != *key || all[place].contains(&outer) {
                        all[child].insert(key.clone());
                    }
                    // One function serves all callers: whoever calls it has to have what it takes.
                    let is_owned = declares(configuration, place, &outer);
                    if all[child].contains(key) && place != 0 && !is_owned {
                        all[place].insert(outer);
                    }
                }
            }
        }
        if all == before {
            return all;
        }
    }
}

/// The keys that a module and those that it calls use, and do not declare themselves.
fn used(configuration: &Configuration) -> Vec<BTreeSet<String>> {
    let modules = &configuration.modules;
    let mut all: Vec<BTreeSet<String>> = vec![BTreeSet::new(); modules.len()];
    loop {
        let before = all.clone();
        for (place, module) in modules.iter().enumerate() {
            let own = module.resources.iter().map(|it| {
                let named = it.block.body.value("provider").and_then(Node::names);
                match named {
                    Some(names) => names.join("."),
                    None => local_of(&it.type_name).to_owned(),
                }
            });
            let handed_on = |call: &Call| {
                let keys = before[call.module].iter();
                keys.map(|key| handed(call, key)).collect::<Vec<_>>()
            };
            let called = module.calls.iter().flat_map(handed_on);
            let keys = own.chain(called);
            all[place].extend(keys.filter(|key| !declares(configuration, place, key)));
        }
        if all == before {
            return all;
        }
    }
}

/// Whether the module configures that provider itself.
fn declares(configuration: &Configuration, place: usize, key: &str) -> bool {
    configuration.modules[place].providers.iter().any(|block| {
        let alias = block.body.value("alias").and_then(Node::text);
        match (key.split_once('.'), alias) {
            (Some((local, of)), Some(alias)) => block.labels[0] == local && of == alias,
            (None, None) => block.labels[0] == key,
            _ => false,
        }
    })
}
