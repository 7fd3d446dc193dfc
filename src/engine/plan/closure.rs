//! What each instance was made from, transitively: the `dependencies` that states record.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use terrane_core::Program;
use terrane_core::addr::ConfigAddr;

/// The stored dependencies of every declared instance.
pub(crate) struct Closures {
    /// In the order in which they are stored.
    configs: Vec<ConfigAddr>,
    /// For each instance the sorted numbers of the configurations it stands on.
    closures: Vec<Rc<[u32]>>,
}

impl Closures {
    /// Computes them all, in the order of dependency. The result is as large as the files other tools write; it is shared where one
    /// instance stands on exactly what another does.
    pub(crate) fn new(program: &Program) -> Self {
        let resources = program.resources();
        let (configs, config_of) = numbered(program);
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
        let wanted = || closure.iter().map(|&number| &self.configs[number as usize]);
        match stored {
            Some(stored) if stored.iter().eq(wanted()) => stored.clone(),
            // In which order a file has them says nothing.
            Some(stored) if stored.len() == closure.len() && sorted(stored).eq(wanted()) => {
                stored.clone()
            }
            _ => wanted().cloned().collect(),
        }
    }
}

/// The declared configurations, sorted, and for each resource the number of its own.
fn numbered(program: &Program) -> (Vec<ConfigAddr>, Vec<u32>) {
    let resources = program.resources().iter();
    let config_of: Vec<ConfigAddr> = resources
        .map(|resource| resource.address.resource.config())
        .collect();
    let distinct: HashSet<&ConfigAddr> = config_of.iter().collect();
    let mut configs: Vec<ConfigAddr> = distinct.into_iter().cloned().collect();
    // The same order as that of the addresses; of ten thousand it takes a tenth of the time.
    configs.sort_by_cached_key(ToString::to_string);
    let numbers: HashMap<&ConfigAddr, u32> = configs.iter().zip(0..).collect();
    let config_of = config_of.iter().map(|config| numbers[config]).collect();
    (configs, config_of)
}

fn sorted(configs: &[ConfigAddr]) -> impl Iterator<Item = &ConfigAddr> {
    let mut sorted: Vec<_> = configs.iter().collect();
    sorted.sort_unstable();
    sorted.into_iter()
}
