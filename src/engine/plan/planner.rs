//! Makes a plan: walks the program and the state once, several instances at a time.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::{Diagnostic, Diagnostics, IdVec, KnownValues, ProviderId, ResourceId};
use terrane_provider::about;
use terrane_state::{DeposedKey, State};

use super::closure::{Closures, DependencyLists};
use super::deferred::{DeferredChange, Readiness, keep_needed, old_half_stays};
use super::inputs::{Inputs, OrphanId, serving_change, undeclared};
use super::untouched::{brought_up_to_date, is_untouched};
use super::visitor::{Finding, Known, Visitor};
use super::{Move, Plan, Unread, actions, outputs, steps, value_modules};
use crate::change::{ChangeId, Drift, ResourceChange};
use crate::ephemerals::not_open;
use crate::event::Event;
use crate::graph::{Graph, NodeId};
use crate::stop::StopFlag;
use crate::walk::{Resting, Visit, walk};

/// Changes of instances that are not declared, and of deposed objects.
type OtherChanges = BTreeMap<(Arc<InstanceAddr>, Option<DeposedKey>), ResourceChange>;

/// A node of the planning walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    /// A declared instance.
    Declared(ResourceId),
    /// A provider configuration.
    Provider(ProviderId),
    /// An instance that only the state has.
    Orphan(OrphanId),
}

/// Walks over the inputs of a plan.
pub(crate) struct Planner<'a> {
    inputs: Inputs<'a>,
    stop: StopFlag,
}

/// The findings of the nodes that have ended, beside what other nodes refer to.
struct Fold {
    adoptions: BTreeMap<Arc<InstanceAddr>, String>,
    other_changes: OtherChanges,
    drift: BTreeMap<Arc<InstanceAddr>, Drift>,
    deferred: BTreeMap<Node, DeferredChange>,
    refreshed: State,
    unread: Option<Unread>,
    diagnostics: Diagnostics,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(inputs: Inputs<'a>, stop: StopFlag) -> Self {
        Self { inputs, stop }
    }

    /// Walks, and puts the plan together.
    pub(crate) async fn plan(self, parallelism: usize) -> Result<Plan, Diagnostics> {
        let (fold, known) = self.walk(parallelism).await;
        fold.finish(&self.inputs, known, &self.stop).await
    }

    /// Walks, and gives the values of modules that can run.
    pub(crate) async fn values(self, parallelism: usize) -> Result<KnownValues, Diagnostics> {
        let (fold, known) = self.walk(parallelism).await;
        if self.stop.is_stopped() || fold.diagnostics.has_errors() {
            return Err(deduplicated(fold.diagnostics));
        }
        value_modules::values(&self.inputs, &known).await
    }

    async fn walk(&self, parallelism: usize) -> (Fold, Known<'_>) {
        let inputs = &self.inputs;
        self.inputs.events.emit(Event::PlanStarted {
            total: inputs.program.resources().len() + inputs.orphans.len(),
        });
        let known = Known::new(inputs.program);
        let fold = RefCell::new(Fold::new(inputs));
        let (this, shared_known, shared_fold) = (self, &known, &fold);
        let run = |node| async move {
            if this.stop.is_stopped() {
                return Visit::Failed;
            }
            let visit = this.visit(node, shared_known);
            let (finding, visit) = match this.subject(node) {
                Some(subject) => about(subject, visit).await,
                None => visit.await,
            };
            shared_fold
                .borrow_mut()
                .take(node, finding, inputs, shared_known);
            visit
        };
        let graph = self.graph();
        let resting = Resting::default();
        let walk = walk(&graph, parallelism, &resting, run, |_| {});
        self.inputs.running.renewing(walk).await;
        let mut fold = fold.into_inner();
        let closed = self.inputs.running.close_ephemerals().await;
        fold.diagnostics.extend(closed);
        (fold, known)
    }

    /// The instance that a node is about.
    fn subject(&self, node: Node) -> Option<Arc<InstanceAddr>> {
        Some(match node {
            Node::Declared(position) => self.inputs.program.resources()[position].address.clone(),
            Node::Orphan(orphan) => self.inputs.orphans[orphan].clone(),
            Node::Provider(_) => return None,
        })
    }

    /// One node: its finding, errors among the diagnostics, and how it ended.
    async fn visit(&self, node: Node, known: &Known<'_>) -> (Finding, Visit) {
        let inputs = &self.inputs;
        let mut finding = Finding::new(match node {
            Node::Declared(position) => inputs
                .prior
                .instance(&inputs.program.resources()[position].address),
            Node::Orphan(orphan) => inputs.prior.instance(&inputs.orphans[orphan]),
            Node::Provider(_) => None,
        });
        let visitor = Visitor::new(inputs, known);
        let result = match node {
            Node::Declared(position) => visitor.declared(position, &mut finding).await,
            Node::Provider(position) if inputs.configuring.providers[position] => {
                visitor.configure(position, &mut finding).await
            }
            Node::Provider(_) => Ok(()),
            Node::Orphan(orphan) => {
                let provider = inputs.orphan_providers[orphan];
                visitor.orphan(orphan, provider, &mut finding).await
            }
        };
        finding.diagnostics = visitor.into_warnings();
        match result {
            Ok(()) => (finding, Visit::Done),
            Err(errors) => {
                finding.diagnostics.extend(errors);
                (finding, Visit::Failed)
            }
        }
    }

    /// Instances after those that they refer to and after their provider, a provider after the instances that configure it.
    fn graph(&self) -> Graph<Node> {
        let mut graph = Graph::default();
        let (resources, providers) = (
            self.inputs.program.resources(),
            self.inputs.program.providers(),
        );
        let declared = resources.ids().map(|id| graph.add(Node::Declared(id)));
        let declared: IdVec<ResourceId, NodeId> = declared.collect();
        let configured = providers.ids().map(|id| graph.add(Node::Provider(id)));
        let configured: IdVec<ProviderId, NodeId> = configured.collect();
        for (resource, &node) in resources.iter().zip(&declared) {
            let needed = resource.dependencies.iter();
            needed.for_each(|&needed| graph.after(node, declared[needed]));
            graph.after(node, configured[resource.provider]);
        }
        for (provider, &node) in providers.iter().zip(&configured) {
            let needed = provider.dependencies.iter();
            needed.for_each(|&needed| graph.after(node, declared[needed]));
        }
        for (orphan, provider) in self.inputs.orphan_providers.entries() {
            let node = graph.add(Node::Orphan(orphan));
            if let Some(provider) = *provider {
                graph.after(node, configured[provider]);
            }
        }
        graph
    }
}

impl Fold {
    fn new(inputs: &Inputs<'_>) -> Self {
        let mut refreshed = inputs.prior.clone();
        // Nothing stands behind a data source; a program that declares it reads it again.
        for address in undeclared(inputs.program, inputs.prior) {
            if address.resource.mode == Mode::Data {
                refreshed.set_instance(address, None);
            }
        }
        Self {
            adoptions: BTreeMap::new(),
            other_changes: OtherChanges::new(),
            drift: BTreeMap::new(),
            deferred: BTreeMap::new(),
            refreshed,
            unread: None,
            diagnostics: Diagnostics::new(),
        }
    }

    /// Takes a finding into the result.
    fn take(&mut self, node: Node, finding: Finding, inputs: &Inputs<'_>, known: &Known<'_>) {
        let address = match node {
            Node::Declared(position) => Some(&inputs.program.resources()[position].address),
            Node::Orphan(orphan) => Some(&inputs.orphans[orphan]),
            Node::Provider(_) => None,
        };
        if let Some(address) = address {
            if finding.instance.as_ref().map(Arc::as_ptr)
                != inputs.prior.instance(address).map(Arc::as_ptr)
            {
                self.refreshed.set_instance(address, finding.instance);
            }
            if let Some(by) = finding.adopted {
                self.adoptions.insert(address.clone(), by);
            }
            if let Some(drift) = finding.drift {
                self.drift.insert(address.clone(), drift);
            }
        }
        if let Some(read) = finding.unread {
            self.unread = Some(Unread::and(self.unread, read));
        }
        let is_deferred = finding.deferred.is_some();
        if let Some(deferred) = finding.deferred {
            // An ephemeral resource is no object.
            if deferred.address.resource.mode != Mode::Ephemeral {
                self.deferred.insert(node, deferred);
            }
        }
        let other = match node {
            Node::Declared(position) => {
                let (object, doubt) = (finding.object, finding.doubt);
                known.set(position, object, doubt, finding.change, is_deferred);
                None
            }
            Node::Provider(position) => {
                known.set_provider(position, finding.doubt, finding.readiness);
                None
            }
            Node::Orphan(_) => finding.change,
        };
        for change in finding.deposed.into_iter().chain(other) {
            let key = (change.address.clone(), change.deposed);
            self.other_changes.insert(key, change);
        }
        self.diagnostics.extend(finding.diagnostics);
    }

    async fn finish(
        self,
        inputs: &Inputs<'_>,
        known: Known<'_>,
        stop: &StopFlag,
    ) -> Result<Plan, Diagnostics> {
        let mut diagnostics = self.diagnostics;
        if stop.is_stopped() {
            diagnostics.push(Diagnostic::error(
                "interrupted while planning; nothing was changed",
            ));
        }
        if diagnostics.has_errors() {
            return Err(deduplicated(diagnostics));
        }
        let outputs = outputs::plan(
            inputs.program,
            inputs.prior,
            &known.objects,
            inputs.options.mode,
            (inputs.selection.is_partial(), !inputs.waiting.is_empty()),
            inputs.running,
        )
        .await?;
        let mut invoked = actions::invoked(inputs, &known.changes());
        invoked.retain(|action| !matches!(known.readiness(action.provider), Readiness::Absent(_)));
        let deferred_modules = value_modules::deferred(inputs, &known).await?;
        diagnostics.extend(value_modules::destroyed_blindly(inputs));
        let said = actions::check_all(inputs, &known.objects, &invoked).await?;
        diagnostics.extend(said);
        let (mut objects, declared, readiness) = known.into_inner();
        // A plan may be kept, and nothing that was opened may be kept with it.
        for (object, resource) in objects.iter_mut().zip(inputs.program.resources()) {
            if resource.mode() == Mode::Ephemeral && object.is_some() {
                *object = Some(not_open());
            }
        }
        let mut refreshed = self.refreshed;
        let mut untouched: Vec<ResourceId> = inputs.program.resources().ids().collect();
        untouched.retain(|&id| {
            let resource = &inputs.program.resources()[id];
            is_untouched(resource, declared[id].as_ref(), objects[id].as_deref())
        });
        let mut changes: Vec<ResourceChange> = declared.into_iter().flatten().collect();
        changes.extend(self.other_changes.into_values());
        let mut deferred: Vec<DeferredChange> = self.deferred.into_values().collect();
        keep_needed(&mut deferred, &mut changes, inputs.prior, |change| {
            let provider = serving_change(inputs.program, change);
            provider.is_some_and(|at| matches!(readiness[at], Readiness::Present(_)))
        });
        diagnostics.extend(value_modules::left_standing(
            &deferred,
            &changes,
            inputs.prior,
        ));
        let changes: IdVec<ChangeId, _> = changes.into_iter().collect();
        let stays = old_half_stays(&deferred);
        let steps = steps::build(inputs.program, &changes, inputs.prior, &stays)?;
        drop(stays);
        // Otherwise applying does it, each after all it stands on.
        if steps.is_empty() {
            let closures = Closures::new(inputs.program);
            let lists = DependencyLists::new(&closures);
            for id in untouched {
                let address = &inputs.program.resources()[id].address;
                let instance = refreshed.instance(address);
                if let Some(instance) =
                    instance.and_then(|instance| brought_up_to_date(id, instance, &lists))
                {
                    refreshed.set_instance(address, Some(Arc::new(instance)));
                }
            }
        }
        if inputs.selection.is_partial() {
            let (why, hint) = match inputs.options.blocked.as_slice() {
                [] => ("`--target` or `--exclude`", "run without them afterwards"),
                _ => (
                    "unresolved operations",
                    "run again when every operation is resolved",
                ),
            };
            diagnostics.push(
                Diagnostic::warning("the plan covers only a part of the stack")
                    .detail(format!(
                        "{why} left the rest out; exported values may be out of date"
                    ))
                    .hint(hint),
            );
        }
        diagnostics.extend(inputs.moves.warnings.clone());
        let moves = inputs.moves.moved.iter();
        Ok(Plan {
            mode: inputs.options.mode,
            changes,
            drift: self.drift.into_values().collect(),
            deferred,
            deferred_modules,
            outputs,
            steps,
            moves: moves
                .map(|(to, from)| Move {
                    from: from.clone(),
                    to: to.clone(),
                })
                .collect(),
            adoptions: self.adoptions.into_iter().collect(),
            unread: self.unread,
            diagnostics: deduplicated(diagnostics),
            prior: inputs.stored.clone(),
            refreshed,
            objects,
        })
    }
}

/// Providers repeat their warnings in validation and in both plan calls.
fn deduplicated(diagnostics: Diagnostics) -> Diagnostics {
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    let mut seen = HashSet::new();
    for diagnostic in diagnostics {
        if seen.insert(diagnostic.to_string()) {
            kept.push(diagnostic);
        }
    }
    kept.into_iter().collect()
}
