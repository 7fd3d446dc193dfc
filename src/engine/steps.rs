//! The step graph: the operations of a plan and their order. Planning builds it, applying only walks it.

use terrane_core::{IdVec, ResourceId, id_type};

use crate::change::ChangeId;
use crate::event::StepKind;
use crate::graph::{Graph, NodeId};

id_type! {
    /// The place of a step in a plan's step graph.
    pub struct StepId;
}

/// Steps and what each waits for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepGraph {
    steps: IdVec<StepId, PlannedStep>,
}

/// One node of the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// The operation.
    pub work: Work,
    /// The steps that must have succeeded before; sorted, each once.
    pub dependencies: Vec<StepId>,
}

/// The operation of a node of the step graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing: it stands for everything it waits for, which keeps the number of edges linear.
    Junction,
    /// A declared instance without an operation: its stored dependencies change if those of the program have.
    Keep {
        /// The instance.
        resource: ResourceId,
    },
    /// One operation. A replacement has a `Create` and a `Delete` step.
    Change {
        /// The change in [`Plan::changes`](crate::Plan::changes) that it belongs to.
        change: ChangeId,
        /// The operation.
        kind: StepKind,
    },
}

/// A step as a node to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepNode {
    /// A junction.
    Junction,
    /// An instance without an operation.
    Keep(ResourceId),
    /// One operation of a change.
    Operation {
        step: StepId,
        change: ChangeId,
        kind: StepKind,
    },
}

impl PlannedStep {
    fn is_operation(&self) -> bool {
        matches!(self.work, Work::Change { .. })
    }
}

impl StepGraph {
    pub(crate) fn new(steps: IdVec<StepId, PlannedStep>) -> Self {
        Self { steps }
    }

    /// Every node, junctions included; their order means nothing.
    pub fn steps(&self) -> &IdVec<StepId, PlannedStep> {
        &self.steps
    }

    /// The same as a graph to walk.
    pub(crate) fn graph(&self) -> Graph<StepNode> {
        let mut graph = Graph::default();
        let nodes = self.steps.entries().map(|(step, planned)| {
            graph.add(match planned.work {
                Work::Junction => StepNode::Junction,
                Work::Keep { resource } => StepNode::Keep(resource),
                Work::Change { change, kind } => StepNode::Operation { step, change, kind },
            })
        });
        let nodes: IdVec<StepId, NodeId> = nodes.collect();
        for (step, &node) in self.steps.iter().zip(&nodes) {
            let needed = step.dependencies.iter();
            needed.for_each(|&needed| graph.after(node, nodes[needed]));
        }
        graph
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.steps.iter().filter(|step| step.is_operation()).count()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(PlannedStep::is_operation)
    }
}
