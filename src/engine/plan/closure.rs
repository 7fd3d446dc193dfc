//! The `dependencies` that states record: everything that an instance was made from, transitively.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{ConfigAddr, Mode};
use terrane_core::{IdVec, Program, ResourceId, id_type};

id_type! {
    /// A declared configuration, in the order in which lists of them are stored.
    struct ConfigId;
}

id_type! {
    /// A set of configurations that some instances stand on.
    struct ClosureId;
}

/// The stored dependencies of every declared instance.
pub(crate) struct Closures {
    configs: IdVec<ConfigId, ConfigAddr>,
    /// Sorted, each once.
    closures: IdVec<ClosureId, Box<[ConfigId]>>,
    /// Instances with the same closure share it.
    of: IdVec<ResourceId, ClosureId>,
}

impl Closures {
    /// Computes them all, in the order of dependency. Time is as the size of the files that other tools write; memory is less, for
    /// instances that stand on the same configurations share one closure.
    pub(crate) fn new(program: &Program) -> Self {
        let resources = program.resources();
        let (configs, config_of) = sorted_configs(program);
        let mut closures: IdVec<ClosureId, Box<[ConfigId]>> = IdVec::new();
        let mut distinct: HashMap<Box<[ConfigId]>, ClosureId> = HashMap::new();
        let mut of: IdVec<ResourceId, Option<ClosureId>> = IdVec::filled(None, resources);
        let needed = |node: ResourceId| {
            let provider = &program.providers()[resources[node].provider];
            let direct = resources[node].dependencies.iter();
            direct.chain(&provider.dependencies).copied()
        };
        for start in resources.ids() {
            let mut open = vec![start];
            while let Some(&node) = open.last() {
                if of[node].is_some() {
                    open.pop();
                    continue;
                }
                let before = open.len();
                open.extend(needed(node).filter(|&needed| of[needed].is_none()));
                if open.len() > before {
                    continue;
                }
                let mut members: Vec<ConfigId> = Vec::new();
                let mut added: HashSet<ClosureId> = HashSet::new();
                for needed in needed(node) {
                    // No state knows it; what it stands on counts.
                    if resources[needed].mode() != Mode::Ephemeral {
                        members.push(config_of[needed]);
                    }
                    if let Some(inner) = of[needed].filter(|&inner| added.insert(inner)) {
                        members.extend_from_slice(&closures[inner]);
                    }
                }
                members.sort_unstable();
                members.dedup();
                members.retain(|&config| config != config_of[node]);
                let closure = match distinct.get(&*members) {
                    Some(&known) => known,
                    None => {
                        let members: Box<[ConfigId]> = members.into();
                        let closure = closures.push(members.clone());
                        distinct.insert(members, closure);
                        closure
                    }
                };
                of[node] = Some(closure);
                open.pop();
            }
        }
        let of = of.into_iter().flatten().collect();
        Self {
            configs,
            closures,
            of,
        }
    }
}

/// The closures as lists of addresses, each made once.
pub(crate) struct DependencyLists<'a> {
    closures: &'a Closures,
    lists: RefCell<IdVec<ClosureId, SharedList>>,
}

/// The list of one closure.
#[derive(Clone, Default)]
struct SharedList {
    made: Option<Arc<[ConfigAddr]>>,
    /// The stored list that was last found to have the same addresses: states share lists too.
    stored: Option<Arc<[ConfigAddr]>>,
}

impl<'a> DependencyLists<'a> {
    pub(crate) fn new(closures: &'a Closures) -> Self {
        Self {
            closures,
            lists: RefCell::new(IdVec::filled(SharedList::default(), &closures.closures)),
        }
    }

    /// The stored dependencies of an instance: `stored` itself if it says the same.
    pub(crate) fn dependencies(
        &self,
        position: ResourceId,
        stored: Option<&Arc<[ConfigAddr]>>,
    ) -> Arc<[ConfigAddr]> {
        let closures = self.closures;
        let closure = closures.of[position];
        let mut lists = self.lists.borrow_mut();
        let shared = &mut lists[closure];
        let members = closures.closures[closure].iter();
        let list = || members.map(|&config| closures.configs[config].clone());
        let list = shared.made.get_or_insert_with(|| list().collect());
        let Some(stored) = stored else {
            return list.clone();
        };
        let known = shared.stored.as_ref();
        if known.is_some_and(|known| Arc::ptr_eq(known, stored)) {
            return stored.clone();
        }
        // The order in a file says nothing.
        if stored == list || (stored.len() == list.len() && sorted(stored).eq(&**list)) {
            shared.stored = Some(stored.clone());
            return stored.clone();
        }
        list.clone()
    }
}

/// The declared configurations, sorted, and that of each resource.
fn sorted_configs(program: &Program) -> (IdVec<ConfigId, ConfigAddr>, IdVec<ResourceId, ConfigId>) {
    let resources = program.resources().iter();
    let config_of: Vec<ConfigAddr> = resources
        .map(|resource| resource.address.resource.config())
        .collect();
    let distinct: HashSet<&ConfigAddr> = config_of.iter().collect();
    let mut configs: Vec<ConfigAddr> = distinct.into_iter().cloned().collect();
    // The same order as that of the addresses; of ten thousand it takes a tenth of the time.
    configs.sort_by_cached_key(ToString::to_string);
    let configs: IdVec<ConfigId, ConfigAddr> = configs.into();
    let ids: HashMap<&ConfigAddr, ConfigId> = configs.entries().map(|(id, c)| (c, id)).collect();
    let config_of = config_of.iter().map(|config| ids[config]).collect();
    (configs, config_of)
}

fn sorted(configs: &[ConfigAddr]) -> impl Iterator<Item = &ConfigAddr> {
    let mut sorted: Vec<_> = configs.iter().collect();
    sorted.sort_unstable();
    sorted.into_iter()
}
