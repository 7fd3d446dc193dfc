//! What references mean at this moment of a run.

use std::cell::RefCell;
use std::sync::Arc;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Marked, Program, Scope};

/// The object of each declared instance, as far as the run has come: planned while planning, real while applying.
pub(crate) struct Objects<'a> {
    program: &'a Program,
    objects: RefCell<Vec<Option<Arc<Marked>>>>,
}

impl<'a> Objects<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        Self {
            program,
            objects: RefCell::new(vec![None; program.resources().len()]),
        }
    }

    /// Begins with what an earlier walk found.
    pub(crate) fn with(program: &'a Program, objects: Vec<Option<Arc<Marked>>>) -> Self {
        Self {
            program,
            objects: RefCell::new(objects),
        }
    }

    pub(crate) fn position(&self, address: &InstanceAddr) -> Option<usize> {
        self.program.position(address)
    }

    pub(crate) fn into_inner(self) -> Vec<Option<Arc<Marked>>> {
        self.objects.into_inner()
    }

    pub(crate) fn set(&self, position: usize, object: Arc<Marked>) {
        self.objects.borrow_mut()[position] = Some(object);
    }

    pub(crate) fn get(&self, position: usize) -> Option<Arc<Marked>> {
        self.objects.borrow()[position].clone()
    }
}

impl Scope for Objects<'_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        self.get(self.position(address)?)
    }
}
