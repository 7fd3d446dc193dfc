//! Runs the nodes of a graph, several at once, each after all it depends on.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::task::Poll;

use futures_util::stream::{FuturesUnordered, StreamExt};

/// How a node ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    /// It did what it should; its dependents may run.
    Done,
    /// It failed; its dependents are skipped, everything else goes on.
    Failed,
}

/// The nodes under way that ask nothing of anyone any more: they only wait for something to be written down, and others may begin.
#[derive(Debug, Default)]
pub(crate) struct Resting(Cell<usize>);

/// One of them, until it is dropped.
pub(crate) struct Rest<'a>(&'a Resting);

impl Resting {
    /// The caller's node rests.
    pub(crate) fn rest(&self) -> Rest<'_> {
        self.0.set(self.0.get() + 1);
        Rest(self)
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() - 1);
    }
}

/// Walks the graph of `dependencies` (node → nodes it waits for). `run` is called for a node once all it waits for are done, with
/// at most `parallelism` nodes under way that do not rest; `skip` for each node that cannot run because something below it failed or was skipped.
///
/// Everything happens in the caller's task: nodes interleave, they never run at the same instant, so they may share plain cells.
/// Time and memory are linear in nodes and edges. The graph must have no cycle; nodes on one are never reached.
pub(crate) async fn walk<F>(
    dependencies: &[Vec<usize>],
    parallelism: usize,
    resting: &Resting,
    mut run: impl FnMut(usize) -> F,
    mut skip: impl FnMut(usize),
) where
    F: Future<Output = Visit>,
{
    let mut waiting: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); dependencies.len()];
    for (node, needed) in dependencies.iter().enumerate() {
        for &needed in needed {
            dependents[needed].push(node);
        }
    }
    let mut blocked = vec![false; dependencies.len()];
    // First in, first out, so that nodes start in the order of declaration where the graph leaves a choice.
    let mut ready: std::collections::VecDeque<usize> = (0..dependencies.len())
        .filter(|&node| waiting[node] == 0)
        .collect();
    let mut running = FuturesUnordered::new();
    let is_free = |running: usize| running - resting.0.get().min(running) < parallelism.max(1);
    loop {
        while is_free(running.len())
            && let Some(node) = ready.pop_front()
        {
            let future = run(node);
            running.push(async move { (node, future.await) });
        }
        let next = poll_fn(|context| match running.poll_next_unpin(context) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if !ready.is_empty() && is_free(running.len()) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let (node, outcome) = match next.await {
            Some(Some(ended)) => ended,
            Some(None) => break,
            // One began to rest.
            None => continue,
        };
        // A skipped node releases its own dependents, which are then skipped too.
        let mut ended = vec![(node, outcome == Visit::Failed)];
        while let Some((node, failed)) = ended.pop() {
            for &dependent in &dependents[node] {
                waiting[dependent] -= 1;
                blocked[dependent] |= failed;
                if waiting[dependent] > 0 {
                    continue;
                }
                if blocked[dependent] {
                    skip(dependent);
                    ended.push((dependent, true));
                } else {
                    ready.push_back(dependent);
                }
            }
        }
    }
}

/// A cycle among the nodes, if there is one: what the walk would never reach.
pub(crate) fn find_unreachable(dependencies: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); dependencies.len()];
    for (node, needed) in dependencies.iter().enumerate() {
        for &needed in needed {
            dependents[needed].push(node);
        }
    }
    let mut ready: Vec<usize> = (0..dependencies.len())
        .filter(|&node| waiting[node] == 0)
        .collect();
    while let Some(node) = ready.pop() {
        for &dependent in &dependents[node] {
            waiting[dependent] -= 1;
            if waiting[dependent] == 0 {
                ready.push(dependent);
            }
        }
    }
    (0..dependencies.len())
        .filter(|&node| waiting[node] > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[tokio::test]
    async fn nodes_run_after_what_they_need_and_a_failure_skips_only_its_dependents() {
        // 0 ← 1 ← 2, and 3 on its own; 1 fails.
        let graph = [vec![], vec![0], vec![1], vec![]];
        let log = RefCell::new(Vec::new());
        walk(
            &graph,
            2,
            &Resting::default(),
            |node| {
                let log = &log;
                async move {
                    log.borrow_mut().push(format!("run {node}"));
                    tokio::task::yield_now().await;
                    if node == 1 {
                        Visit::Failed
                    } else {
                        Visit::Done
                    }
                }
            },
            |node| log.borrow_mut().push(format!("skip {node}")),
        )
        .await;
        assert_eq!(*log.borrow(), ["run 0", "run 3", "run 1", "skip 2"]);
    }

    #[tokio::test]
    async fn no_more_nodes_are_under_way_than_allowed() {
        let graph = vec![vec![]; 20];
        let (running, most) = (RefCell::new(0), RefCell::new(0));
        walk(
            &graph,
            3,
            &Resting::default(),
            |_| async {
                *running.borrow_mut() += 1;
                let now = *running.borrow();
                let before = *most.borrow();
                *most.borrow_mut() = before.max(now);
                tokio::task::yield_now().await;
                *running.borrow_mut() -= 1;
                Visit::Done
            },
            |_| {},
        )
        .await;
        assert_eq!(*most.borrow(), 3);
    }

    #[tokio::test]
    async fn a_node_that_rests_leaves_its_place_to_another() {
        let graph = vec![vec![]; 3];
        let resting = Resting::default();
        let log = RefCell::new(Vec::new());
        walk(
            &graph,
            1,
            &resting,
            |node| {
                let (log, resting) = (&log, &resting);
                async move {
                    log.borrow_mut().push(format!("{node} begins"));
                    tokio::task::yield_now().await;
                    let rest = resting.rest();
                    for _ in 0..2 {
                        tokio::task::yield_now().await;
                    }
                    drop(rest);
                    log.borrow_mut().push(format!("{node} ends"));
                    Visit::Done
                }
            },
            |_| {},
        )
        .await;
        let log = log.into_inner();
        let place = |line: &str| log.iter().position(|said| said == line).expect("said");
        assert!(place("1 begins") < place("0 ends"), "{log:?}");
        assert!(place("2 begins") > place("1 begins"), "{log:?}");
        assert_eq!(log.len(), 6);
    }
}
