//! Runs the nodes of a graph, several at once, each after all it depends on.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::task::Poll;

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::graph::{Graph, Marks, NodeId};

/// How a node ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    /// It did what it should; its dependents may run.
    Done,
    /// It failed; its dependents are skipped, everything else goes on.
    Failed,
}

/// The running nodes that only wait for a record to be written, so that others may begin.
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

/// Walks a graph. `run` is called for a node once all it waits for are done, with at most `parallelism` running nodes that do not
/// rest; `skip` for each node that cannot run because a node that it waits for failed or was skipped.
///
/// Everything happens in the caller's task: nodes interleave, they never run at the same instant, so they may share plain cells.
/// Time and memory are linear in nodes and edges. The graph must have no cycle; nodes on one are never reached.
pub(crate) async fn walk<N, F>(
    graph: &Graph<N>,
    parallelism: usize,
    resting: &Resting,
    mut run: impl FnMut(N) -> F,
    mut skip: impl FnMut(N),
) where
    N: Copy,
    F: Future<Output = Visit>,
{
    let mut waiting = graph.waiting();
    let mut blocked = Marks::none(graph);
    // First in, first out, so that nodes start in the order of declaration where the graph leaves a choice.
    let mut ready: VecDeque<NodeId> = graph.ids().filter(|&id| waiting.is_ready(id)).collect();
    let mut running = FuturesUnordered::new();
    let is_free = |running: usize| running - resting.0.get().min(running) < parallelism.max(1);
    loop {
        while is_free(running.len())
            && let Some(id) = ready.pop_front()
        {
            let future = run(graph.get(id));
            running.push(async move { (id, future.await) });
        }
        let next = poll_fn(|context| match running.poll_next_unpin(context) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if !ready.is_empty() && is_free(running.len()) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let (id, visit) = match next.await {
            Some(Some(ended)) => ended,
            Some(None) => break,
            // One began to rest.
            None => continue,
        };
        // A skipped node releases its own dependents, which are then skipped too.
        let mut ended = vec![(id, visit == Visit::Failed)];
        while let Some((id, failed)) = ended.pop() {
            waiting.release(id, |dependent, is_ready| {
                if failed {
                    blocked.set(dependent);
                }
                if is_ready && blocked.has(dependent) {
                    skip(graph.get(dependent));
                    ended.push((dependent, true));
                } else if is_ready {
                    ready.push_back(dependent);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A node for each list, which waits for the nodes at those places.
    fn graph(needs: &[&[usize]]) -> Graph<usize> {
        let mut graph = Graph::default();
        let ids: Vec<NodeId> = (0..needs.len()).map(|place| graph.add(place)).collect();
        for (&id, needs) in ids.iter().zip(needs) {
            needs
                .iter()
                .for_each(|&needed| graph.after(id, ids[needed]));
        }
        graph
    }

    #[test]
    fn what_lies_on_a_cycle_or_after_one_is_never_reached() {
        assert_eq!(graph(&[&[], &[0, 2], &[1], &[2]]).unreachable(), [1, 2, 3]);
        assert!(graph(&[&[], &[0], &[1]]).unreachable().is_empty());
    }

    #[tokio::test]
    async fn nodes_run_after_what_they_need_and_a_failure_skips_only_its_dependents() {
        // 0 ← 1 ← 2, and 3 on its own; 1 fails.
        let graph = graph(&[&[], &[0], &[1], &[]]);
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
        let graph = graph(&[[].as_slice(); 20]);
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
        let graph = graph(&[[].as_slice(); 3]);
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
