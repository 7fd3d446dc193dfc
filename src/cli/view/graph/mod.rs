//! The resource graph: declared instances and their dependencies.

mod layout;
mod svg;
mod text;

use std::collections::HashSet;

use serde::Serialize;
use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::{Id as _, Program};

pub(super) use layout::{BOX_HEIGHT, layout};
pub(crate) use svg::svg;
pub(crate) use text::{dot, json, mermaid};

/// Graphs with more resources are drawn with every edge: leaving out the implied ones takes memory that grows with the square.
const MAX_REDUCED: usize = 4_000;

/// Resource instances and their dependencies, by index.
pub(crate) struct ResourceGraph {
    pub(super) nodes: Vec<Node>,
}

/// One resource instance.
#[derive(Clone, Serialize)]
pub(super) struct Node {
    pub(super) address: String,
    pub(super) module: String,
    pub(super) mode: &'static str,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    /// The address without the module.
    pub(super) name: String,
    pub(super) declared: String,
    /// Indexes of its dependencies, sorted, each once.
    #[serde(skip)]
    pub(super) needs: Vec<usize>,
}

impl Node {
    /// An instance that needs those nodes.
    pub(super) fn new(address: &InstanceAddr, declared: String, mut needs: Vec<usize>) -> Self {
        let module = address.resource.module.to_string();
        let full = address.to_string();
        let name = match module.is_empty() {
            true => full.clone(),
            false => full[module.len() + 1..].to_owned(),
        };
        needs.sort_unstable();
        needs.dedup();
        Self {
            address: full,
            module,
            mode: match address.resource.mode {
                Mode::Managed => "managed",
                Mode::Data => "data",
                Mode::Ephemeral => "ephemeral",
            },
            type_name: address.resource.type_name.to_string(),
            name,
            declared,
            needs,
        }
    }
}

impl ResourceGraph {
    /// The graph of a program.
    pub(crate) fn of(program: &Program) -> Self {
        let providers = program.providers();
        let nodes = program.resources().iter().map(|resource| {
            let needed = resource.dependencies.iter();
            let needed = needed.chain(&providers[resource.provider].dependencies);
            let needs = needed.map(|id| id.place()).collect();
            Node::new(&resource.address, resource.location.to_string(), needs)
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// Dependencies by node, without those that follow from others.
    pub(super) fn reduced(&self) -> Vec<Vec<usize>> {
        let needs: Vec<Vec<usize>> = self.nodes.iter().map(|node| node.needs.clone()).collect();
        if needs.len() > MAX_REDUCED {
            return needs;
        }
        let words = needs.len().div_ceil(64);
        let mut reach = vec![vec![0_u64; words]; needs.len()];
        let mut reduced = vec![Vec::new(); needs.len()];
        for node in self.in_order() {
            let mut below = vec![0_u64; words];
            for &need in &needs[node] {
                for (word, of_need) in below.iter_mut().zip(&reach[need]) {
                    *word |= of_need;
                }
            }
            let implied = |need: usize| below[need / 64] >> (need % 64) & 1 == 1;
            reduced[node] = needs[node]
                .iter()
                .copied()
                .filter(|&need| !implied(need))
                .collect();
            for &need in &needs[node] {
                below[need / 64] |= 1 << (need % 64);
            }
            reach[node] = below;
        }
        reduced
    }

    /// Every node after its dependencies.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut seen: HashSet<usize> = HashSet::new();
        for start in 0..self.nodes.len() {
            let mut path = vec![(start, 0)];
            while let Some((node, next)) = path.last_mut() {
                let node = *node;
                if *next == 0 && !seen.insert(node) {
                    path.pop();
                    continue;
                }
                match self.nodes[node].needs.get(*next) {
                    Some(&need) => {
                        *next += 1;
                        if !seen.contains(&need) {
                            path.push((need, 0));
                        }
                    }
                    None => {
                        order.push(node);
                        path.pop();
                    }
                }
            }
        }
        order
    }

    /// Modules in the order of their first resource, each with its resources.
    pub(super) fn modules(&self) -> Vec<(&str, Vec<usize>)> {
        let mut modules: Vec<(&str, Vec<usize>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let next = modules.len();
            let place = *places.entry(&*node.module).or_insert(next);
            if place == next {
                modules.push((&node.module, Vec::new()));
            }
            modules[place].1.push(index);
        }
        modules
    }
}

#[cfg(test)]
mod tests;
