//! Texts about resources, gathered under the module they are in.

use std::collections::BTreeMap;

use terrane_core::addr::{ModuleAddr, ModuleStep};

use crate::view::printable::one_line;
use crate::view::text::painter::{Painter, Tone};

/// Modules as a tree, each with the texts about its resources, in the order they were added.
#[derive(Default)]
pub(crate) struct ModuleTree {
    own: Vec<String>,
    children: Vec<(ModuleStep, Self)>,
    places: BTreeMap<ModuleStep, usize>,
}

impl ModuleTree {
    /// Adds a text under a module.
    pub(crate) fn add(&mut self, module: &ModuleAddr, text: String) {
        let mut tree = self;
        for step in module.steps() {
            let next = tree.children.len();
            let place = *tree.places.entry(step.clone()).or_insert(next);
            if place == next {
                tree.children.push((step.clone(), Self::default()));
            }
            tree = &mut tree.children[place].1;
        }
        tree.own.push(text);
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.children.is_empty()
    }

    /// Writes everything: first the root, then module by module, each level two columns further in.
    pub(crate) fn write(&self, text: &mut String, painter: Painter) {
        self.write_at(0, text, painter);
    }

    fn write_at(&self, depth: usize, text: &mut String, painter: Painter) {
        let indent = "  ".repeat(depth);
        for own in &self.own {
            for line in own.lines() {
                text.push_str(&indent);
                text.push_str(line);
                text.push('\n');
            }
        }
        for (step, child) in &self.children {
            let key = step
                .key
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let name = one_line(&format!("module.{}{key}", step.name));
            text.push_str(&indent);
            text.push_str(&painter.paint(Tone::Strong, &name));
            text.push('\n');
            child.write_at(depth + 1, text, painter);
        }
    }
}
