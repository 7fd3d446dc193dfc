//! What references mean at this moment of a run.

use std::cell::RefCell;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::{IdVec, Marked, Program, ResourceId, Scope};

/// An object for each declared instance, where there is one.
pub(crate) type PlannedObjects = IdVec<ResourceId, Option<Arc<Marked>>>;

/// The object of each declared instance, as far as the run has come: planned while planning, real while applying.
pub(crate) struct Objects<'a> {
    program: &'a Program,
    objects: RefCell<PlannedObjects>,
}

impl<'a> Objects<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        Self {
            program,
            objects: RefCell::new(IdVec::filled(None, program.resources())),
        }
    }

    /// Begins with what an earlier walk found.
    pub(crate) fn with(program: &'a Program, objects: PlannedObjects) -> Self {
        Self {
            program,
            objects: RefCell::new(objects),
        }
    }

    pub(crate) fn position(&self, address: &InstanceAddr) -> Option<ResourceId> {
        self.program.position(address)
    }

    pub(crate) fn into_inner(self) -> PlannedObjects {
        self.objects.into_inner()
    }

    pub(crate) fn set(&self, position: ResourceId, object: Arc<Marked>) {
        self.objects.borrow_mut()[position] = Some(object);
    }

    pub(crate) fn get(&self, position: ResourceId) -> Option<Arc<Marked>> {
        self.objects.borrow()[position].clone()
    }
}

impl Scope for Objects<'_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        self.get(self.position(address)?)
    }
}
