//! The results of the steps that have ended, as far as other steps and exports need them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::{IdVec, Marked, Program, ResourceId, Scope, Value};
use terrane_state::DeposedKey;

use super::inputs::Inputs;
use crate::change::{Action, ChangeId, ResourceChange};
use crate::plan::closure::DependencyLists;
use crate::plan::data::stored_answer;
use crate::scope::Objects;

/// The results that steps need of the steps before them. Only the fold writes here, once a step has ended.
pub(super) struct Known<'a> {
    /// As planned until they are made, as made from then on.
    pub(super) objects: Objects<'a>,
    facts: RefCell<Facts>,
    /// What instances stand on, as the state records it.
    pub(super) lists: DependencyLists<'a>,
}

/// Facts beside the objects.
struct Facts {
    progress: IdVec<ResourceId, Progress>,
    /// Under which key the old half of a create-before-destroy waits.
    deposed: HashMap<ChangeId, DeposedKey>,
}

/// How far the run has come with a declared instance.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// It is not as planned: what its object will be is only a plan still.
    unfinished: bool,
    /// This run has made its planned object.
    published: bool,
}

impl<'a> Known<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>) -> Self {
        let program: &'a Program = inputs.program;
        Self {
            objects: Objects::with(program, inputs.plan.objects.clone()),
            facts: RefCell::new(Facts {
                progress: IdVec::filled(Progress::default(), program.resources()),
                deposed: HashMap::new(),
            }),
            lists: DependencyLists::new(&inputs.closures),
        }
    }

    /// Lets dependents see the object as it is now.
    pub(super) fn publish(&self, id: ResourceId, object: Arc<Marked>) {
        self.objects.set(id, object);
        self.facts.borrow_mut().progress[id].published = true;
    }

    /// Remembers that an instance is not as planned.
    pub(super) fn leave_unfinished(&self, id: ResourceId) {
        self.facts.borrow_mut().progress[id].unfinished = true;
    }

    /// Remembers where the old half of a create-before-destroy waits.
    pub(super) fn set_deposed(&self, change: ChangeId, key: DeposedKey) {
        self.facts.borrow_mut().deposed.insert(change, key);
    }

    /// Under which key the old half of a create-before-destroy waits.
    pub(super) fn deposed(&self, change: ChangeId) -> Option<DeposedKey> {
        self.facts.borrow().deposed.get(&change).copied()
    }

    /// A data source that is still to be read in this run.
    pub(super) fn pending_answer<'i>(
        &self,
        inputs: &'i Inputs<'_>,
        id: ResourceId,
    ) -> Option<&'i ResourceChange> {
        let change = inputs.change(id)?;
        let is_published = self.facts.borrow().progress[id].published;
        (change.action == Action::Read && !is_published).then_some(change)
    }
}

/// The scope of exports: instances that are not as planned are unknown.
pub(super) struct Finished<'a>(pub(super) &'a Known<'a>);

impl Scope for Finished<'_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let known = self.0;
        let id = known.objects.position(address)?;
        if known.facts.borrow().progress[id].unfinished {
            return Some(Arc::new(Marked::plain(Value::UNKNOWN)));
        }
        known.objects.get(id)
    }
}

/// The declared instances at this moment of the run: those that it has not changed yet are as before.
pub(super) struct Present<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) known: &'a Known<'a>,
}

impl Scope for Present<'_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let (inputs, known) = (self.inputs, self.known);
        let id = inputs.program.position(address)?;
        if let Some(read) = known.pending_answer(inputs, id) {
            let stored = inputs.recorder.instance(address);
            let stored = stored.as_ref().and_then(|stored| stored.current.as_ref());
            let answer = stored.and_then(|stored| stored_answer(stored, &read.schema));
            return Some(Arc::new(Marked::plain(answer.unwrap_or(Value::UNKNOWN))));
        }
        if !known.facts.borrow().progress[id].published
            && let Some(change) = inputs.change(id)
            && (change.action == Action::Update || change.action.is_replace())
        {
            return Some(change.before.clone());
        }
        known.objects.get(id)
    }
}
