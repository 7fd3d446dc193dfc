//! A graph of work: nodes of any kind, each with the nodes that must be done before it.

use terrane_core::{IdVec, id_type};

id_type! {
    /// A node of one graph.
    pub(crate) struct NodeId;
}

/// Nodes, and what each waits for.
#[derive(Debug, Clone)]
pub(crate) struct Graph<N> {
    nodes: IdVec<NodeId, N>,
    needs: IdVec<NodeId, Vec<NodeId>>,
}

/// The nodes that wait for each node, and for how many nodes each still waits.
pub(crate) struct Waiting {
    dependents: IdVec<NodeId, Vec<NodeId>>,
    left: IdVec<NodeId, usize>,
}

impl<N> Default for Graph<N> {
    fn default() -> Self {
        let (nodes, needs) = (IdVec::new(), IdVec::new());
        Self { nodes, needs }
    }
}

impl<N: Copy> Graph<N> {
    /// Adds a node that waits for nothing yet.
    pub(crate) fn add(&mut self, node: N) -> NodeId {
        self.needs.push(Vec::new());
        self.nodes.push(node)
    }

    /// Lets a node wait for another.
    pub(crate) fn after(&mut self, node: NodeId, needed: NodeId) {
        self.needs[node].push(needed);
    }

    pub(crate) fn get(&self, id: NodeId) -> N {
        self.nodes[id]
    }

    /// Every node, in the order in which they were added.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<N> {
        self.nodes.ids()
    }

    /// The state of a walk that has not begun.
    pub(crate) fn waiting(&self) -> Waiting {
        let mut dependents = IdVec::filled(Vec::new(), &self.nodes);
        for (node, needs) in self.needs.entries() {
            for &needed in needs {
                dependents[needed].push(node);
            }
        }
        let left = self.needs.iter().map(Vec::len).collect();
        Waiting { dependents, left }
    }

    /// The nodes that a walk would never reach: those on a cycle, and those after them.
    pub(crate) fn unreachable(&self) -> Vec<N> {
        let mut waiting = self.waiting();
        let mut ready: Vec<NodeId> = self.ids().filter(|&id| waiting.is_ready(id)).collect();
        while let Some(id) = ready.pop() {
            waiting.release(id, |dependent, is_ready| {
                if is_ready {
                    ready.push(dependent);
                }
            });
        }
        let unreached = self.ids().filter(|&id| !waiting.is_ready(id));
        unreached.map(|id| self.get(id)).collect()
    }
}

impl Waiting {
    /// Whether a node waits for nothing any more.
    pub(crate) fn is_ready(&self, id: NodeId) -> bool {
        self.left[id] == 0
    }

    /// Those that wait for `id` wait no longer; `each` is told of every one, and whether it is ready now.
    pub(crate) fn release(&mut self, id: NodeId, mut each: impl FnMut(NodeId, bool)) {
        for dependent in std::mem::take(&mut self.dependents[id]) {
            self.left[dependent] -= 1;
            each(dependent, self.left[dependent] == 0);
        }
    }
}

/// A mark on each node of a graph.
pub(crate) struct Marks(IdVec<NodeId, bool>);

impl Marks {
    /// None of its nodes is marked.
    pub(crate) fn none<N>(graph: &Graph<N>) -> Self {
        Self(IdVec::filled(false, &graph.nodes))
    }

    pub(crate) fn set(&mut self, id: NodeId) {
        self.0[id] = true;
    }

    pub(crate) fn has(&self, id: NodeId) -> bool {
        self.0[id]
    }
}
