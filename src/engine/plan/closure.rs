//! What each instance was made from, transitively: the `dependencies` that states record.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use terrane_core::Program;
use terrane_core::addr::ConfigAddr;

/// The stored dependencies of every declared instance.
pub(crate) struct Closures {
    configs: Vec<ConfigAddr>,
    /// For each instance the sorted numbers of the configurations it stands on.
    closures: Vec<Rc<[u32]>>,
}

impl Closures {
    /// Computes them all, in the order of dependency. The result is as large as the files other tools write; it is shared where one
    /// instance stands on exactly what another does.
    pub(crate) fn new(program: &Program) -> Self {
        let resources = program.resources();
        let mut numbers: HashMap<ConfigAddr, u32> = HashMap::new();
        let mut configs = Vec::new();
        let config_of: Vec<u32> = resources
            .iter()
            .map(|resource| {
                let config = resource.address.resource.config();
                *numbers.entry(config.clone()).or_insert_with(|| {
                    configs.push(config);
                    u32::try_from(configs.len() - 1).expect("invariant: fewer than 2^32 resources")
                })
            })
            .collect();
        let mut closures: Vec<Option<Rc<[u32]>>> = vec![None; resources.len()];
        let empty: Rc<[u32]> = Rc::from([]);
        for start in 0..resources.len() {
            let mut open = vec![start];
            while let Some(&node) = open.last() {
                if closures[node].is_some() {
                    open.pop();
                    continue;
                }
                let provider = &program.providers()[resources[node].provider];
                let needed = || {
                    resources[node]
                        .dependencies
                        .iter()
                        .chain(&provider.dependencies)
                };
                let before = open.len();
                open.extend(
                    needed()
                        .copied()
                        .filter(|&needed| closures[needed].is_none()),
                );
                if open.len() > before {
                    continue;
                }
                let mut closure: Vec<u32> = Vec::new();
                for &needed in needed() {
                    closure.push(config_of[needed]);
                    closure.extend_from_slice(closures[needed].as_deref().unwrap_or_default());
                }
                closure.sort_unstable();
                closure.dedup();
                closure.retain(|&config| config != config_of[node]);
                closures[node] = Some(if closure.is_empty() {
                    empty.clone()
                } else {
                    closure.into()
                });
                open.pop();
            }
        }
        let closures = closures
            .into_iter()
            .map(|closure| closure.unwrap_or_else(|| empty.clone()));
        Self {
            closures: closures.collect(),
            configs,
        }
    }

    /// The stored dependencies of an instance: `stored` itself if it says the same.
    pub(crate) fn dependencies(
        &self,
        position: usize,
        stored: Option<&Arc<[ConfigAddr]>>,
    ) -> Arc<[ConfigAddr]> {
        let closure = &self.closures[position];
        let mut wanted: Vec<&ConfigAddr> = closure
            .iter()
            .map(|&number| &self.configs[number as usize])
            .collect();
        wanted.sort_unstable();
        match stored {
            Some(stored) if stored.iter().eq(wanted.iter().copied()) => stored.clone(),
            _ => wanted.into_iter().cloned().collect(),
        }
    }
}
