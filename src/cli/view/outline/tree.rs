//! Things about resources, gathered under the module they are in.

use std::collections::BTreeMap;

use terrane_core::addr::{ModuleAddr, ModuleStep};

use crate::view::printable::one_line;

/// Modules as a tree, each with the things about its resources, in the order they were added.
pub(crate) struct ModuleTree<T> {
    own: Vec<T>,
    children: Vec<(ModuleStep, Self)>,
    places: BTreeMap<ModuleStep, usize>,
}

/// One line of a tree that is walked.
pub(crate) enum Node<'a, T> {
    /// The name of a module; its resources follow, one level deeper.
    Module(String),
    /// One thing.
    Leaf(&'a T),
}

impl<T> Default for ModuleTree<T> {
    fn default() -> Self {
        Self {
            own: Vec::new(),
            children: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl<T> ModuleTree<T> {
    /// Adds a thing under a module.
    pub(crate) fn add(&mut self, module: &ModuleAddr, thing: T) {
        let mut tree = self;
        for step in module.steps() {
            let next = tree.children.len();
            let place = *tree.places.entry(step.clone()).or_insert(next);
            if place == next {
                tree.children.push((step.clone(), Self::default()));
            }
            tree = &mut tree.children[place].1;
        }
        tree.own.push(thing);
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.children.is_empty()
    }

    /// Changes each thing.
    pub(crate) fn each(&mut self, change: &mut dyn FnMut(&mut T)) {
        for own in &mut self.own {
            change(own);
        }
        for (_, child) in &mut self.children {
            child.each(change);
        }
    }

    /// Visits everything with its depth: first the root, then module by module.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(usize, Node<'a, T>)) {
        self.walk_at(0, visit);
    }

    fn walk_at<'a>(&'a self, depth: usize, visit: &mut dyn FnMut(usize, Node<'a, T>)) {
        for own in &self.own {
            visit(depth, Node::Leaf(own));
        }
        for (step, child) in &self.children {
            let key = step.key.as_ref();
            let key = key.map(ToString::to_string).unwrap_or_default();
            let name = one_line(&format!("module.{}{key}", step.name));
            visit(depth, Node::Module(name));
            child.walk_at(depth + 1, visit);
        }
    }
}
