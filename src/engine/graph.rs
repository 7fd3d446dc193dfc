//! A graph of work: nodes of any kind, each with the nodes that must be done before it.

/// A node of one graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(usize);

/// Nodes, and what each waits for.
#[derive(Debug, Clone)]
pub(crate) struct Graph<N> {
    nodes: Vec<N>,
    needs: Vec<Vec<NodeId>>,
}

/// The nodes that wait for each node, and for how many nodes each still waits.
pub(crate) struct Waiting {
    dependents: Vec<Vec<NodeId>>,
    left: Vec<usize>,
}

impl<N> Default for Graph<N> {
    fn default() -> Self {
        let (nodes, needs) = (Vec::new(), Vec::new());
        Self { nodes, needs }
    }
}

impl<N: Copy> Graph<N> {
    /// Adds a node that waits for nothing yet.
    pub(crate) fn add(&mut self, node: N) -> NodeId {
        self.nodes.push(node);
        self.needs.push(Vec::new());
        NodeId(self.nodes.len() - 1)
    }

    /// Lets a node wait for another.
    pub(crate) fn after(&mut self, node: NodeId, needed: NodeId) {
        self.needs[node.0].push(needed);
    }

    pub(crate) fn get(&self, id: NodeId) -> N {
        self.nodes[id.0]
    }

    /// Every node, in the order in which they were added.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<N> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// The state of a walk that has not begun.
    pub(crate) fn waiting(&self) -> Waiting {
        let mut dependents = vec![Vec::new(); self.nodes.len()];
        for (node, needs) in self.ids().zip(&self.needs) {
            for needed in needs {
                dependents[needed.0].push(node);
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
        self.left[id.0] == 0
    }

    /// Those that wait for `id` wait no longer; `each` is told of every one, and whether it is ready now.
    pub(crate) fn release(&mut self, id: NodeId, mut each: impl FnMut(NodeId, bool)) {
        for dependent in std::mem::take(&mut self.dependents[id.0]) {
            self.left[dependent.0] -= 1;
            each(dependent, self.left[dependent.0] == 0);
        }
    }
}

/// A mark on each node of a graph.
pub(crate) struct Marks(Vec<bool>);

impl Marks {
    /// None of its nodes is marked.
    pub(crate) fn none<N>(graph: &Graph<N>) -> Self {
        Self(vec![false; graph.nodes.len()])
    }

    pub(crate) fn set(&mut self, id: NodeId) {
        self.0[id.0] = true;
    }

    pub(crate) fn has(&self, id: NodeId) -> bool {
        self.0[id.0]
    }
}
