//! The step graph: the operations of a plan and their order. Planning builds it, applying only walks it.

use crate::event::StepKind;
use crate::graph::{Graph, NodeId};

/// Steps and what each waits for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepGraph {
    steps: Vec<PlannedStep>,
}

/// One node of the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// The operation.
    pub work: Work,
    /// Indexes of the steps that must have succeeded before; sorted, each once.
    pub dependencies: Vec<usize>,
}

/// The operation of a node of the step graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing: it stands for everything it waits for, which keeps the number of edges linear.
    Junction,
    /// One operation. A replacement has a `Create` and a `Delete` step.
    Change {
        /// Index of the change it belongs to in [`Plan::changes`](crate::Plan::changes).
        change: usize,
        /// The operation.
        kind: StepKind,
    },
}

impl StepGraph {
    pub(crate) fn new(steps: Vec<PlannedStep>) -> Self {
        Self { steps }
    }

    /// Every node, junctions included; their order in the slice means nothing.
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    /// The same as a graph to walk; its nodes are indexes of steps.
    pub(crate) fn graph(&self) -> Graph<usize> {
        let mut graph = Graph::default();
        let places = 0..self.steps.len();
        let nodes: Vec<NodeId> = places.map(|place| graph.add(place)).collect();
        for (step, &node) in self.steps.iter().zip(&nodes) {
            let needed = step.dependencies.iter();
            needed.for_each(|&needed| graph.after(node, nodes[needed]));
        }
        graph
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.steps
            .iter()
            .filter(|step| step.work != Work::Junction)
            .count()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.work == Work::Junction)
    }
}
