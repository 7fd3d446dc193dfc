//! The `dependencies` that states record: everything that an instance was made from, transitively.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use terrane_core::Program;
use terrane_core::addr::{ConfigAddr, Mode};

/// The stored dependencies of every declared instance.
pub(crate) struct Closures {
    /// In the order in which they are stored.
    configs: Vec<ConfigAddr>,
    /// For each instance the closure that it has; those with the same one share it.
    closures: Vec<Rc<Closure>>,
}

/// The configurations that some instances stand on.
#[derive(Default)]
struct Closure {
    /// Their numbers, sorted.
    numbers: Box<[u32]>,
    /// The list of their addresses, made once.
    list: OnceCell<Arc<[ConfigAddr]>>,
    /// The stored list that was last found to have the same addresses: states share lists too.
    stored: RefCell<Option<Arc<[ConfigAddr]>>>,
}

impl Closures {
    /// Computes them all, in the order of dependency. Time is as the size of the files that other tools write; memory is less, for
    /// instances that stand on the same configurations share one closure.
    pub(crate) fn new(program: &Program) -> Self {
        let resources = program.resources();
        let (configs, config_of) = numbered(program);
        let mut closures: Vec<Option<Rc<Closure>>> = vec![None; resources.len()];
        let mut distinct: HashMap<Box<[u32]>, Rc<Closure>> = HashMap::new();
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
                let mut numbers: Vec<u32> = Vec::new();
                let mut added: HashSet<*const Closure> = HashSet::new();
                for &needed in needed() {
                    // No state knows it; what it stands on counts.
                    if resources[needed].mode() != Mode::Ephemeral {
                        numbers.push(config_of[needed]);
                    }
                    let inner = closures[needed].as_ref();
                    if let Some(inner) = inner.filter(|inner| added.insert(Rc::as_ptr(inner))) {
                        numbers.extend_from_slice(&inner.numbers);
                    }
                }
                numbers.sort_unstable();
                numbers.dedup();
                numbers.retain(|&config| config != config_of[node]);
                let closure = match distinct.get(&*numbers) {
                    Some(known) => known.clone(),
                    None => {
                        let numbers: Box<[u32]> = numbers.into();
                        let closure = Rc::new(Closure {
                            numbers: numbers.clone(),
                            ..Closure::default()
                        });
                        distinct.insert(numbers, closure.clone());
                        closure
                    }
                };
                closures[node] = Some(closure);
                open.pop();
            }
        }
        let closures = closures.into_iter().map(Option::unwrap_or_default);
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
        let numbers = closure.numbers.iter();
        let list = || numbers.map(|&number| self.configs[number as usize].clone());
        let list = closure.list.get_or_init(|| list().collect());
        let Some(stored) = stored else {
            return list.clone();
        };
        let mut known = closure.stored.borrow_mut();
        if known
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, stored))
        {
            return stored.clone();
        }
        // In which order a file has them says nothing.
        if stored == list || (stored.len() == list.len() && sorted(stored).eq(&**list)) {
            *known = Some(stored.clone());
            return stored.clone();
        }
        list.clone()
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
