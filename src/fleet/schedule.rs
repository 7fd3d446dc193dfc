//! Which stack is worked on next, and which never: the order of a run over many stacks, without the work itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::order::{Order, StackId};

/// Which way a run goes along the dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Producers first: what they export is known to their consumers.
    ProducersFirst,
    /// Consumers first: nothing is destroyed that something else still uses.
    ConsumersFirst,
}

/// How the work on one stack ended, for those that wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackEnd {
    /// Those that wait for it may begin.
    Done,
    /// Those that wait for it are skipped, and those that wait for them.
    Failed,
}

/// The state of a run over chosen stacks. Stacks outside of it are not waited for.
#[derive(Debug)]
pub struct Schedule<'a> {
    order: &'a Order,
    direction: Direction,
    /// For how many each still waits; stacks that have begun or were skipped are gone.
    waiting: BTreeMap<StackId, usize>,
    ready: BTreeSet<StackId>,
    running: BTreeSet<StackId>,
    /// The stack whose failure each skipped one is due to.
    skipped: BTreeMap<StackId, StackId>,
    limit: usize,
    stopped: bool,
}

impl<'a> Schedule<'a> {
    /// A run that has not begun, of at most `limit` stacks at once.
    pub fn new(
        order: &'a Order,
        chosen: &BTreeSet<StackId>,
        direction: Direction,
        limit: usize,
    ) -> Self {
        let mut schedule = Self {
            order,
            direction,
            waiting: BTreeMap::new(),
            ready: BTreeSet::new(),
            running: BTreeSet::new(),
            skipped: BTreeMap::new(),
            limit: limit.max(1),
            stopped: false,
        };
        for &id in chosen {
            let before = schedule.before(id).iter();
            let count = before.filter(|other| chosen.contains(other)).count();
            match count {
                0 => schedule.ready.insert(id),
                _ => schedule.waiting.insert(id, count).is_none(),
            };
        }
        schedule
    }

    fn before(&self, id: StackId) -> &'a [StackId] {
        match self.direction {
            Direction::ProducersFirst => self.order.producers(id),
            Direction::ConsumersFirst => self.order.consumers(id),
        }
    }

    fn after(&self, id: StackId) -> &'a [StackId] {
        match self.direction {
            Direction::ProducersFirst => self.order.consumers(id),
            Direction::ConsumersFirst => self.order.producers(id),
        }
    }

    /// A stack to begin with now, of those that can begin the first in the program.
    pub fn begin(&mut self) -> Option<StackId> {
        if self.stopped || self.running.len() >= self.limit {
            return None;
        }
        let id = self.ready.pop_first()?;
        self.running.insert(id);
        Some(id)
    }

    /// The work on a stack that has begun has ended.
    pub fn end(&mut self, id: StackId, end: StackEnd) {
        let has_run = self.running.remove(&id);
        debug_assert!(has_run, "a stack ends once, and not before it has begun");
        match end {
            StackEnd::Done => {
                for next in self.after(id) {
                    if let Some(left) = self.waiting.get_mut(next) {
                        *left -= 1;
                        if *left == 0 {
                            self.waiting.remove(next);
                            self.ready.insert(*next);
                        }
                    }
                }
            }
            StackEnd::Failed => {
                let mut behind = vec![id];
                while let Some(failed) = behind.pop() {
                    for next in self.after(failed) {
                        if self.waiting.remove(next).is_some() {
                            self.skipped.insert(*next, id);
                            behind.push(*next);
                        }
                    }
                }
            }
        }
    }

    /// Begins nothing more. What runs goes on.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether nothing runs and nothing will begin.
    pub fn is_over(&self) -> bool {
        self.running.is_empty() && (self.stopped || self.ready.is_empty())
    }

    /// The stacks that were never begun because another one failed, each with that one.
    pub fn skipped(&self) -> &BTreeMap<StackId, StackId> {
        &self.skipped
    }

    /// The stacks that were not begun before the run was stopped.
    pub fn left(&self) -> impl Iterator<Item = StackId> {
        self.ready.iter().chain(self.waiting.keys()).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use terrane_core::{Id as _, Location};

    use super::*;
    use crate::order::Dependency;

    /// Stacks that depend on earlier ones, in a shuffled order of declaration.
    fn orders() -> impl Strategy<Value = Order> {
        let edges = prop::collection::vec(
            prop::collection::vec(any::<prop::sample::Index>(), 0..4),
            1..40,
        );
        (edges, any::<bool>()).prop_map(|(edges, reversed)| {
            let mut stacks: Vec<(Arc<str>, Vec<Dependency>)> = Vec::new();
            for (place, edges) in edges.iter().enumerate() {
                let producers = edges.iter().filter(|_| place > 0).map(|edge| Dependency {
                    producer: format!("s{}", edge.index(place)).into(),
                    location: Location::caller(),
                });
                stacks.push((format!("s{place}").into(), producers.collect()));
            }
            if reversed {
                stacks.reverse();
            }
            Order::new(stacks).expect("no circle")
        })
    }

    fn ancestors(order: &Order, id: StackId, direction: Direction) -> BTreeSet<StackId> {
        let mut found = BTreeSet::new();
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            let before = match direction {
                Direction::ProducersFirst => order.producers(id),
                Direction::ConsumersFirst => order.consumers(id),
            };
            left.extend(before.iter().filter(|&&id| found.insert(id)));
        }
        found
    }

    proptest! {
        #[test]
        fn every_stack_is_done_once_after_all_that_it_waits_for_or_skipped_for_a_failure_among_them(
            order in orders(),
            failing in prop::collection::btree_set(0_usize..40, 0..6),
            unchosen in prop::collection::btree_set(0_usize..40, 0..6),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 200),
            limit in 1_usize..8,
            reverse in any::<bool>(),
        ) {
            let direction = match reverse {
                true => Direction::ConsumersFirst,
                false => Direction::ProducersFirst,
            };
            let chosen: BTreeSet<_> = order.ids().filter(|id| !unchosen.contains(&id.place())).collect();
            let mut schedule = Schedule::new(&order, &chosen, direction, limit);
            let (mut running, mut done, mut failed) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
            let mut picks = picks.iter().cycle();
            while !schedule.is_over() {
                while let Some(id) = schedule.begin() {
                    let before = match direction {
                        Direction::ProducersFirst => order.producers(id),
                        Direction::ConsumersFirst => order.consumers(id),
                    };
                    for before in before {
                        prop_assert!(!chosen.contains(before) || done.contains(before));
                    }
                    running.push(id);
                    prop_assert!(running.len() <= limit);
                }
                let pick = picks.next().expect("a cycle").index(running.len());
                let id = running.swap_remove(pick);
                match failing.contains(&id.place()) {
                    true => { failed.insert(id); schedule.end(id, StackEnd::Failed); }
                    false => { prop_assert!(done.insert(id)); schedule.end(id, StackEnd::Done); }
                }
            }
            prop_assert_eq!(schedule.left().count(), 0);
            let skipped: BTreeSet<_> = schedule.skipped().keys().copied().collect();
            prop_assert_eq!(done.len() + failed.len() + skipped.len(), chosen.len());
            for (id, cause) in schedule.skipped() {
                prop_assert!(failed.contains(cause));
                prop_assert!(ancestors(&order, *id, direction).contains(cause));
            }
            for id in &done {
                // Nothing that failed is on a way of chosen stacks to a stack that was done.
                let direct = match direction {
                    Direction::ProducersFirst => order.producers(*id),
                    Direction::ConsumersFirst => order.consumers(*id),
                };
                prop_assert!(direct.iter().all(|it| !failed.contains(it) && !skipped.contains(it)));
            }
        }

        #[test]
        fn a_stopped_run_begins_nothing_more_and_says_what_is_left(order in orders(), begun in 0_usize..5) {
            let chosen: BTreeSet<_> = order.ids().collect();
            let mut schedule = Schedule::new(&order, &chosen, Direction::ProducersFirst, 8);
            let running: Vec<_> = (0..begun).map_while(|_| schedule.begin()).collect();
            schedule.stop();
            prop_assert_eq!(schedule.begin(), None);
            for &id in &running {
                schedule.end(id, StackEnd::Done);
                prop_assert_eq!(schedule.begin(), None);
            }
            prop_assert!(schedule.is_over());
            prop_assert_eq!(schedule.left().count(), chosen.len() - running.len());
        }
    }
}
