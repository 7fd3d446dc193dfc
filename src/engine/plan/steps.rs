//! Builds the step graph: which operation waits for which.
//!
//! The edges are those of Terraform's apply graph, with two differences, both towards fewer failures. Instances that are declared are
//! ordered one by one, not resource by resource. And an object that is only deleted goes *after* the updates of those that stop
//! referring to it, where the peers delete first and run into "still in use" errors; unless something it stands on has to be
//! deleted before that, for then the peers' order is the only one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{ConfigAddr, Mode};
use terrane_core::{Diagnostic, Diagnostics, Id as _, IdVec, Program, ResourceId, id_type};
use terrane_state::{Object, State};

use crate::change::{Action, ChangeId, ResourceChange};
use crate::event::StepKind;
use crate::plan::inputs::serving_change;
use crate::steps::{PlannedStep, StepGraph, StepId, StepNode, Work};

/// The step graph of those changes. `state` is the one before planning, with the dependencies that objects were made from. `old_half_stays` says of a
/// create-before-destroy that a later plan destroys the old object.
///
/// # Errors
/// When the objects' stored dependencies leave no order.
pub(crate) fn build(
    program: &Program,
    changes: &IdVec<ChangeId, ResourceChange>,
    state: &State,
    old_half_stays: &dyn Fn(&ResourceChange) -> bool,
) -> Result<StepGraph, Diagnostics> {
    let mut last = Vec::new();
    for orders in KeptOrders::LADDER {
        let graph = Builder::new(program, changes, state, orders, old_half_stays).build();
        last = graph.graph().unreachable();
        if last.is_empty() {
            return Ok(graph);
        }
    }
    let names = last.into_iter().filter_map(|node| match node {
        StepNode::Operation { change, .. } => Some(changes[change].address.to_string()),
        StepNode::Junction | StepNode::Keep(_) => None,
    });
    let names: BTreeSet<String> = names.collect();
    Err(
        Diagnostic::error("the planned steps depend on each other in a cycle")
            .detail(names.into_iter().collect::<Vec<_>>().join(", "))
            .hint("apply the change in two parts with `--target`")
            .into(),
    )
}

/// Which orders a graph keeps.
#[derive(Clone, Copy)]
struct KeptOrders {
    /// Dependents are updated before an object that they no longer need is deleted; otherwise the peers' order.
    update_first: bool,
    /// Old objects go in the reverse of the program's present order, beside that of the state.
    declared_destroys: bool,
    /// A delete waits for the creation of objects that configure its provider; otherwise the provider may not find the object yet.
    providers_first: bool,
    applies: Applies,
    stored: Stored,
}

/// Which creations and updates have an order with the destroys of other objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Applies {
    /// All, as the peers have it.
    All,
    /// Updates in place, which come before the end of objects that they may stop referring to. A creation needs no order of its own: the
    /// old object that it replaces has one.
    InPlace,
    /// None. Destroys alone leave an order wherever the stored dependencies have no cycle: new objects come before the end of an old one
    /// only with a create-before-destroy, which everything that its new object refers to shares.
    Nothing,
}

/// Whose stored dependencies count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stored {
    /// Everyone's.
    All,
    /// Everyone's, but a current object does not stand on a deposed one: the state cannot tell whose successor an object refers to,
    /// and where references were turned round, old and new dependencies together look like a cycle.
    DeposedApart,
    /// Those of undeclared objects; for the others the program knows better.
    Undeclared,
    /// None: the cloud refuses to delete an object that is still in use, and the next run deletes it.
    Nobody,
}

impl KeptOrders {
    const fn new(update_first: bool, declared_destroys: bool, stored: Stored) -> Self {
        Self {
            update_first,
            declared_destroys,
            providers_first: true,
            applies: Applies::All,
            stored,
        }
    }

    /// The same with an order for fewer applies.
    const fn applies(self, applies: Applies) -> Self {
        Self { applies, ..self }
    }

    /// From the order that serves users best, by way of the peers', to one that always exists: each gives way where it would close a cycle.
    const LADDER: [Self; 12] = [
        Self::new(true, true, Stored::All),
        Self::new(true, false, Stored::All),
        Self::new(true, false, Stored::DeposedApart),
        Self::new(false, false, Stored::All),
        Self::new(false, false, Stored::DeposedApart),
        Self::new(true, false, Stored::All).applies(Applies::InPlace),
        Self::new(true, false, Stored::DeposedApart).applies(Applies::InPlace),
        Self::new(true, false, Stored::All).applies(Applies::Nothing),
        Self::new(true, false, Stored::DeposedApart).applies(Applies::Nothing),
        Self::new(false, true, Stored::Undeclared),
        Self {
            providers_first: false,
            ..Self::new(true, true, Stored::All)
        },
        Self {
            providers_first: false,
            ..Self::new(false, true, Stored::Nobody)
        },
    ];
}

struct Builder<'a> {
    program: &'a Program,
    changes: &'a IdVec<ChangeId, ResourceChange>,
    state: &'a State,
    orders: KeptOrders,
    steps: IdVec<StepId, PlannedStep>,
    /// The step of a change that makes, changes or reads the object, and the one that destroys it.
    apply: IdVec<ChangeId, Option<StepId>>,
    destroy: IdVec<ChangeId, Option<StepId>>,
    /// Whether the object of a change goes after the updates around it rather than before.
    late: IdVec<ChangeId, bool>,
    hubs: HashMap<(Hub, ConfigAddr), StepId>,
    /// The numbers of lists of stored dependencies, by the list in the state and by its content: the graph is the same for a state whose
    /// objects do not share their lists.
    numbers: HashMap<*const [ConfigAddr], ListId>,
    number_of: HashMap<Arc<[ConfigAddr]>, ListId>,
    /// Junctions of whole lists, by number and the configuration that is left out.
    lists: HashMap<(Hub, ListId, Option<ConfigAddr>), StepId>,
}

id_type! {
    /// A list of stored dependencies.
    struct ListId;
}

/// The steps that stand for a declared instance in the order that the program says.
#[derive(Clone, Copy)]
struct DeclaredSteps {
    change: Option<ChangeId>,
    apply: StepId,
    destroy: StepId,
}

/// Junctions that stand for many steps at once: stored dependencies name configurations, each of which may have many instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Hub {
    /// Every destroy of an object that stands on the configuration.
    DependentsDestroyed,
    /// The same, as far as the deposed objects of the configuration wait for it.
    DeposedDependentsDestroyed,
    /// The same, but only of objects that go before the updates around them.
    DependentsDestroyedEarly,
    /// Every apply of an instance whose object stands on the configuration.
    DependentsApplied,
    /// Every early destroy of an instance of the configuration itself.
    DestroyedEarly,
}

impl<'a> Builder<'a> {
    fn new(
        program: &'a Program,
        changes: &'a IdVec<ChangeId, ResourceChange>,
        state: &'a State,
        orders: KeptOrders,
        old_half_stays: &dyn Fn(&ResourceChange) -> bool,
    ) -> Self {
        let mut builder = Self {
            program,
            changes,
            state,
            orders,
            steps: IdVec::new(),
            apply: IdVec::new(),
            destroy: IdVec::new(),
            late: IdVec::new(),
            hubs: HashMap::new(),
            numbers: HashMap::new(),
            number_of: HashMap::new(),
            lists: HashMap::new(),
        };
        for (id, change) in changes.entries() {
            let kind = match change.action {
                Action::NoOp | Action::Delete => None,
                Action::Create | Action::DeleteThenCreate | Action::CreateThenDelete => {
                    Some(StepKind::Create)
                }
                Action::Update => Some(StepKind::Update),
                Action::Read => Some(StepKind::Read),
                Action::Forget => Some(StepKind::Forget),
            };
            let apply = kind.map(|kind| builder.push(Work::Change { change: id, kind }));
            builder.apply.push(apply);
            let kind = StepKind::Delete;
            let destroys = change.action.destroys() && !old_half_stays(change);
            let destroy = destroys.then(|| builder.push(Work::Change { change: id, kind }));
            builder.destroy.push(destroy);
        }
        builder.late = builder.late_destroys();
        builder
    }

    fn build(mut self) -> StepGraph {
        // Untouched objects only pass an order on.
        if self.steps.is_empty() {
            return StepGraph::default();
        }
        self.order_replacements();
        self.order_declared();
        self.order_stored();
        for step in self.steps.iter_mut() {
            step.dependencies.sort_unstable();
            step.dependencies.dedup();
        }
        StepGraph::new(self.steps)
    }

    fn push(&mut self, work: Work) -> StepId {
        self.steps.push(PlannedStep {
            work,
            dependencies: Vec::new(),
        })
    }

    fn after(&mut self, step: StepId, needed: StepId) {
        self.steps[step].dependencies.push(needed);
    }

    fn hub(&mut self, hub: Hub, config: &ConfigAddr) -> StepId {
        if let Some(&step) = self.hubs.get(&(hub, config.clone())) {
            return step;
        }
        let step = self.push(Work::Junction);
        self.hubs.insert((hub, config.clone()), step);
        step
    }

    /// The object that a change starts from, with its stored dependencies.
    fn stored(&self, change: &ResourceChange) -> Option<Arc<Object>> {
        if change.address.resource.mode == Mode::Data {
            return None;
        }
        let instance = self.state.instance(&change.address)?;
        match change.deposed {
            Some(key) => instance.deposed.get(&key).cloned(),
            None => instance.current.clone(),
        }
    }

    fn order_replacements(&mut self) {
        for (id, change) in self.changes.entries() {
            let (Some(apply), Some(destroy)) = (self.apply[id], self.destroy[id]) else {
                continue;
            };
            if change.action == Action::CreateThenDelete {
                self.after(destroy, apply);
            } else {
                self.after(apply, destroy);
            }
        }
    }

    /// The program's order, instance by instance: an object is made after those that it refers to, and destroyed before them; an old object
    /// that outlives its successor's creation goes after every update of an object that refers to the successor.
    ///
    /// Steps without an operation stand in for instances that are not touched, so that the order around them is kept.
    fn order_declared(&mut self) {
        let resources = self.program.resources();
        let mut change_of: IdVec<ResourceId, Option<ChangeId>> = IdVec::filled(None, resources);
        for (id, change) in self.changes.entries() {
            if change.deposed.is_none()
                && let Some(position) = self.program.position(&change.address)
            {
                change_of[position] = Some(id);
            }
        }
        let steps = change_of.entries().map(|(resource, &change)| {
            let apply = change.and_then(|change| self.apply[change]);
            let destroy = change.and_then(|change| self.destroy[change]);
            DeclaredSteps {
                change,
                apply: apply.unwrap_or_else(|| self.push(Work::Keep { resource })),
                destroy: destroy.unwrap_or_else(|| self.push(Work::Junction)),
            }
        });
        let steps: IdVec<ResourceId, DeclaredSteps> = steps.collect();
        for (resource, own) in resources.iter().zip(&steps) {
            let provider = &self.program.providers()[resource.provider];
            for &needed in resource.dependencies.iter().chain(&provider.dependencies) {
                let needed = steps[needed];
                self.after(own.apply, needed.apply);
                if self.orders.declared_destroys {
                    self.after(needed.destroy, own.destroy);
                }
                let outlives = needed
                    .change
                    .is_some_and(|change| self.changes[change].action == Action::CreateThenDelete);
                if outlives && self.is_ordered(own.change) {
                    self.after(needed.destroy, own.apply);
                }
            }
        }
        self.order_by_provider(&steps);
    }

    /// An undeclared or deposed object goes while the objects that configure its provider exist: not after their end, and not before they
    /// are made or first read.
    fn order_by_provider(&mut self, steps: &IdVec<ResourceId, DeclaredSteps>) {
        for (id, change) in self.changes.entries() {
            let (Some(destroy), Some(provider)) =
                (self.destroy[id], serving_change(self.program, change))
            else {
                continue;
            };
            let position = self.program.position(&change.address);
            let declared = change.deposed.is_none() && position.is_some();
            for &needed in &self.program.providers()[provider].dependencies {
                let needed = steps[needed];
                if self.orders.declared_destroys && !declared {
                    self.after(needed.destroy, destroy);
                }
                let is_new = needed.change.is_some_and(|change| {
                    let change = &self.changes[change];
                    match change.action {
                        Action::Create => true,
                        Action::Read => self.state.instance(&change.address).is_none(),
                        _ => false,
                    }
                });
                if is_new && self.orders.providers_first {
                    self.after(destroy, needed.apply);
                }
            }
        }
    }

    /// The state's order: the only one for objects that the program no longer declares or no longer refers to.
    fn order_stored(&mut self) {
        for (id, change) in self.changes.entries() {
            let own = change.address.resource.config();
            if let Some(destroy) = self.destroy[id] {
                let dependents = match self.is_deposed(change) {
                    true => Hub::DeposedDependentsDestroyed,
                    false => Hub::DependentsDestroyed,
                };
                let dependents = self.hub(dependents, &own);
                self.after(destroy, dependents);
                if self.late[id] {
                    let updated = self.hub(Hub::DependentsApplied, &own);
                    self.after(destroy, updated);
                } else {
                    let gone = self.hub(Hub::DestroyedEarly, &own);
                    self.after(gone, destroy);
                }
            }
            if let Some(apply) = self.apply[id]
                && self.orders.applies == Applies::All
            {
                let dependents = self.hub(Hub::DependentsDestroyedEarly, &own);
                self.after(apply, dependents);
            }
            let declared =
                change.deposed.is_none() && self.program.position(&change.address).is_some();
            match self.orders.stored {
                Stored::Nobody => continue,
                Stored::Undeclared if declared => continue,
                _ => {}
            }
            let Some(object) = self.stored(change) else {
                continue;
            };
            if !object.dependencies.is_empty() {
                self.order_dependencies(id, &own, &object.dependencies);
            }
        }
    }

    /// Whether the apply of that change comes before the destroys of what its object stands on.
    fn is_ordered(&self, change: Option<ChangeId>) -> bool {
        let action = change.map(|change| self.changes[change].action);
        match self.orders.applies {
            Applies::All => true,
            Applies::InPlace => !matches!(
                action,
                Some(Action::Create | Action::DeleteThenCreate | Action::CreateThenDelete)
            ),
            Applies::Nothing => false,
        }
    }

    /// Whether the object that the change destroys is deposed, or will be by then.
    fn is_deposed(&self, change: &ResourceChange) -> bool {
        change.deposed.is_some() || change.action == Action::CreateThenDelete
    }

    /// Stored dependencies: the object of change `id` stands on all of `list`.
    fn order_dependencies(&mut self, id: ChangeId, own: &ConfigAddr, list: &Arc<[ConfigAddr]>) {
        if let Some(destroy) = self.destroy[id] {
            let dependents = self.list(Hub::DependentsDestroyed, own, list);
            self.after(dependents, destroy);
            if self.orders.stored != Stored::DeposedApart || self.is_deposed(&self.changes[id]) {
                let dependents = self.list(Hub::DeposedDependentsDestroyed, own, list);
                self.after(dependents, destroy);
            }
            // A late destroy has no order with changes of its dependencies: its own dependents may wait for them, and they for it.
            if !self.late[id] {
                let dependents = self.list(Hub::DependentsDestroyedEarly, own, list);
                self.after(dependents, destroy);
            }
        }
        if let Some(apply) = self.apply[id]
            && self.is_ordered(Some(id))
        {
            let dependents = self.list(Hub::DependentsApplied, own, list);
            self.after(dependents, apply);
            // The old half of a create-before-destroy stands on it till the new one is there, which waits for nothing of it.
            if self.changes[id].action != Action::CreateThenDelete
                && self.orders.applies == Applies::All
            {
                let gone = self.list(Hub::DestroyedEarly, own, list);
                self.after(apply, gone);
            }
        }
        if self.destroy[id].is_none() && self.apply[id].is_none() {
            // Files with direct dependencies only need the untouched object in the middle to pass the order on.
            for dependents in [Hub::DependentsDestroyed, Hub::DeposedDependentsDestroyed] {
                let above = self.hub(Hub::DependentsDestroyed, own);
                let below = self.list(dependents, own, list);
                self.after(below, above);
            }
        }
    }

    /// One junction for the hubs of all of a list but `own`: objects share lists, and a list may be as long as the state.
    fn list(&mut self, hub: Hub, own: &ConfigAddr, list: &Arc<[ConfigAddr]>) -> StepId {
        let except = list.contains(own).then(|| own.clone());
        let number = match self.numbers.get(&Arc::as_ptr(list)) {
            Some(&number) => number,
            None => {
                let next = ListId::at(self.number_of.len());
                let number = *self.number_of.entry(list.clone()).or_insert(next);
                self.numbers.insert(Arc::as_ptr(list), number);
                number
            }
        };
        let key = (hub, number, except);
        if let Some(&junction) = self.lists.get(&key) {
            return junction;
        }
        let junction = self.push(Work::Junction);
        for config in list.iter().filter(|&config| config != own) {
            let each = self.hub(hub, config);
            match hub {
                Hub::DestroyedEarly => self.after(junction, each),
                _ => self.after(each, junction),
            }
        }
        self.lists.insert(key, junction);
        junction
    }

    /// The objects that go after the updates around them: the old half of a create-before-destroy, deposed objects, those that the state
    /// flags so; and, where that leaves an order, objects that are only deleted while others are updated to do without them.
    fn late_destroys(&self) -> IdVec<ChangeId, bool> {
        let mut deleted: HashMap<ConfigAddr, Vec<ChangeId>> = HashMap::new();
        let mut recreated: HashSet<ConfigAddr> = HashSet::new();
        for (id, change) in self.changes.entries() {
            let config = || change.address.resource.config();
            match change.action {
                Action::Delete => deleted.entry(config()).or_default().push(id),
                Action::DeleteThenCreate => {
                    recreated.insert(config());
                }
                _ => {}
            }
        }
        // The objects that it stands on can only be deleted, and made again, once it is gone itself.
        let stands_on_recreated = |change: &ResourceChange| {
            self.stored(change)
                .is_some_and(|object| object.dependencies.iter().any(|c| recreated.contains(c)))
        };
        let flagged = |change: &ResourceChange| match change.action {
            Action::CreateThenDelete => true,
            Action::Delete => {
                (change.create_before_destroy || change.deposed.is_some())
                    && !stands_on_recreated(change)
            }
            _ => false,
        };
        let mut late: IdVec<ChangeId, bool> = self.changes.iter().map(flagged).collect();
        if !self.orders.update_first || deleted.is_empty() {
            return late;
        }
        let mut open: Vec<ChangeId> = Vec::new();
        for (id, change) in self.changes.entries() {
            if self.apply[id].is_some()
                && let Some(object) = self.stored(change)
            {
                let stood_on = object
                    .dependencies
                    .iter()
                    .filter_map(|config| deleted.get(config));
                open.extend(stood_on.flatten());
            }
        }
        let mut seen = HashSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let change = &self.changes[id];
            let Some(object) = self.stored(change) else {
                continue;
            };
            if stands_on_recreated(change) {
                continue;
            }
            late[id] = true;
            let below = object
                .dependencies
                .iter()
                .filter_map(|config| deleted.get(config));
            open.extend(below.flatten());
        }
        late
    }
}
