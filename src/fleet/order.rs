//! The order between stacks: who uses whose exports, in levels, with cycles as errors.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::{Diagnostic, IdVec, Location, closest, id_type};

id_type! {
    /// The place of a stack in its fleet.
    pub struct StackId;
}

/// One stack must wait for another.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name of the stack that has to be applied first.
    pub producer: Arc<str>,
    /// Where the program says so.
    pub location: Location,
}

/// Stacks and what each waits for. There is no cycle.
#[derive(Debug, Clone)]
pub struct Order {
    names: IdVec<StackId, Arc<str>>,
    index: BTreeMap<Arc<str>, StackId>,
    producers: IdVec<StackId, Vec<StackId>>,
    consumers: IdVec<StackId, Vec<StackId>>,
    levels: IdVec<StackId, usize>,
}

impl Order {
    /// The order of stacks with these dependencies, given in the order of the program. Names are distinct.
    ///
    /// # Errors
    /// When a dependency is no stack of the fleet, or stacks wait for each other in a circle.
    pub fn new(stacks: Vec<(Arc<str>, Vec<Dependency>)>) -> Result<Self, Vec<Diagnostic>> {
        let names: IdVec<StackId, Arc<str>> = stacks.iter().map(|(name, _)| name.clone()).collect();
        let index: BTreeMap<_, _> = names
            .entries()
            .map(|(id, name)| (name.clone(), id))
            .collect();
        let mut producers = IdVec::filled(Vec::new(), &names);
        let mut consumers = IdVec::filled(Vec::new(), &names);
        let mut errors = Vec::new();
        for (consumer, (name, dependencies)) in names.ids().zip(&stacks) {
            for dependency in dependencies {
                let Some(&producer) = index.get(&dependency.producer) else {
                    errors.push(unknown(name, dependency, index.keys()));
                    continue;
                };
                let known: &mut Vec<StackId> = &mut producers[consumer];
                if !known.contains(&producer) {
                    known.push(producer);
                    consumers[producer].push(consumer);
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut order = Self {
            levels: IdVec::filled(0, &names),
            names,
            index,
            producers,
            consumers,
        };
        match order.find_levels() {
            Ok(()) => Ok(order),
            Err(left) => Err(vec![order.cycle(&left, &stacks)]),
        }
    }

    /// Gives each stack a level above those of its producers.
    ///
    /// # Errors
    /// The stacks in circles and behind them.
    fn find_levels(&mut self) -> Result<(), Vec<StackId>> {
        let mut left: IdVec<StackId, usize> = self.producers.iter().map(Vec::len).collect();
        let mut ready: Vec<StackId> = self.names.ids().filter(|&id| left[id] == 0).collect();
        let mut ordered = 0;
        while let Some(id) = ready.pop() {
            ordered += 1;
            for &consumer in &self.consumers[id] {
                self.levels[consumer] = self.levels[consumer].max(self.levels[id] + 1);
                left[consumer] -= 1;
                if left[consumer] == 0 {
                    ready.push(consumer);
                }
            }
        }
        match ordered == self.names.len() {
            true => Ok(()),
            false => Err(self.names.ids().filter(|&id| left[id] > 0).collect()),
        }
    }

    /// One circle among the stacks that have no order, as an error.
    fn cycle(&self, left: &[StackId], stacks: &[(Arc<str>, Vec<Dependency>)]) -> Diagnostic {
        // Each of them waits for another of them, so a walk along producers comes back to where it was.
        let mut path = vec![left[0]];
        let circle = loop {
            let here = path[path.len() - 1];
            let next = self.producers[here].iter().find(|id| left.contains(id));
            let next = *next.expect("invariant: a stack without an order waits for another one");
            if let Some(first) = path.iter().position(|&id| id == next) {
                break path.split_off(first);
            }
            path.push(next);
        };
        let mut named: Vec<String> = circle
            .iter()
            .map(|&id| self.names[id].to_string())
            .collect();
        named.push(named[0].clone());
        let (first, second) = (&named[0], &named[1]);
        let dependencies = stacks.iter().find(|(name, _)| **name == **first);
        let location = dependencies.and_then(|(_, all)| {
            let to_second = all.iter().find(|it| *it.producer == **second)?;
            Some(to_second.location)
        });
        let error = Diagnostic::error("stacks wait for each other in a circle")
            .detail(named.join(" waits for "))
            .hint("move what they share into a stack of its own");
        match location {
            Some(location) => error.location(location),
            None => error,
        }
    }

    /// How many stacks there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Every stack, in the order of the program.
    pub fn ids(&self) -> impl Iterator<Item = StackId> + use<> {
        self.names.ids()
    }

    /// The name of a stack.
    pub fn name(&self, id: StackId) -> &Arc<str> {
        &self.names[id]
    }

    /// The stack of that name.
    pub fn find(&self, name: &str) -> Option<StackId> {
        self.index.get(name).copied()
    }

    /// The stacks that it waits for.
    pub fn producers(&self, id: StackId) -> &[StackId] {
        &self.producers[id]
    }

    /// The stacks that wait for it.
    pub fn consumers(&self, id: StackId) -> &[StackId] {
        &self.consumers[id]
    }

    /// How many stacks have to be applied one after the other before it; those of a level are independent of each other.
    pub fn level(&self, id: StackId) -> usize {
        self.levels[id]
    }

    /// The stacks that are connected to each other by dependencies, each group in the order of the program.
    pub fn groups(&self) -> Vec<Vec<StackId>> {
        let mut group_of: IdVec<StackId, Option<usize>> = IdVec::filled(None, &self.names);
        let mut count = 0;
        for id in self.names.ids() {
            if group_of[id].is_some() {
                continue;
            }
            let mut reached = vec![id];
            group_of[id] = Some(count);
            while let Some(id) = reached.pop() {
                for &next in self.producers[id].iter().chain(&self.consumers[id]) {
                    if group_of[next].is_none() {
                        group_of[next] = Some(count);
                        reached.push(next);
                    }
                }
            }
            count += 1;
        }
        let mut groups = vec![Vec::new(); count];
        for (id, group) in group_of.entries() {
            if let Some(group) = group {
                groups[*group].push(id);
            }
        }
        groups
    }
}

fn unknown<'a>(
    consumer: &str,
    dependency: &Dependency,
    names: impl Iterator<Item = &'a Arc<str>>,
) -> Diagnostic {
    let producer = &dependency.producer;
    let error = Diagnostic::error(format!("{producer} is not a stack of this program"))
        .detail(format!("{consumer} waits for it"))
        .location(dependency.location);
    match closest(producer, names.map(|name| &**name)) {
        Some(close) => error.hint(format!("did you mean `{close}`?")),
        None => error.hint("read its state instead: `stack.reads(backend)`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(stacks: &[(&str, &[&str])]) -> Result<Order, String> {
        let dependency = |name: &&str| Dependency {
            producer: (*name).into(),
            location: Location::caller(),
        };
        let stacks = stacks.iter().map(|(name, after)| {
            let after = after.iter().map(dependency).collect();
            (Arc::from(*name), after)
        });
        Order::new(stacks.collect()).map_err(|errors| {
            let texts = errors
                .iter()
                .map(|it| format!("{}: {}; {}", it.summary, it.detail, it.hints.join(", ")));
            texts.collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn a_stack_is_above_every_stack_whose_exports_it_uses() {
        let order = order(&[
            ("api", &["cluster", "network"]),
            ("cluster", &["network"]),
            ("network", &[]),
            ("logs", &[]),
        ]);
        let order = order.expect("an order");
        let levels: Vec<_> = order.ids().map(|id| order.level(id)).collect();
        assert_eq!(levels, [2, 1, 0, 0]);
        let names = |ids: &[StackId]| {
            ids.iter()
                .map(|&id| order.name(id).to_string())
                .collect::<Vec<_>>()
        };
        let groups: Vec<_> = order.groups().iter().map(|group| names(group)).collect();
        assert_eq!(groups, [vec!["api", "cluster", "network"], vec!["logs"]]);
        let network = order.find("network").expect("a stack");
        assert_eq!(names(order.consumers(network)), ["api", "cluster"]);
    }

    #[test]
    fn stacks_that_wait_for_each_other_are_named_in_their_circle() {
        let circle = order(&[
            ("front", &["a"]),
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["a"]),
        ]);
        insta::assert_snapshot!(circle.expect_err("a circle"), @"stacks wait for each other in a circle: a waits for b waits for c waits for a; move what they share into a stack of its own");
        let itself = order(&[("a", &["a"])]);
        insta::assert_snapshot!(itself.expect_err("a circle"), @"stacks wait for each other in a circle: a waits for a; move what they share into a stack of its own");
    }

    #[test]
    fn a_dependency_on_no_stack_of_the_program_is_an_error_with_the_closest_name() {
        let slip = order(&[("network/prod", &[]), ("api", &["network/prd"])]);
        insta::assert_snapshot!(slip.expect_err("no such stack"), @"network/prd is not a stack of this program: api waits for it; did you mean `network/prod`?");
    }
}
