//! Emits each nested block once a service: blocks of one shape are one Rust type, wherever they stand.

use std::collections::HashMap;
use std::fmt::Write;

use terrane_core::schema::FactsKind;

use super::shape::{Kind, Member, Shape};
use crate::names::ident;

/// The module of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) kind: FactsKind,
    /// Its name as Rust writes it.
    pub(super) module: String,
}

/// The blocks of one service that were seen so far.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Number of a shape by everything that makes it differ from others.
    numbers: HashMap<String, usize>,
    /// Where each was emitted, and under which name.
    emitted: Vec<Option<(Home, String)>>,
}

/// Where to find a block.
pub(super) enum Place {
    /// Here, for the first time.
    Here,
    /// There already: the path from this module to its type.
    At(String),
}

impl Blocks {
    /// The numbers of a type's shapes, in the order of the shapes. Shapes inside others come after them.
    pub(super) fn numbers(&mut self, shapes: &[Shape]) -> Vec<usize> {
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        let mut numbers = vec![0; shapes.len()];
        for (place, shape) in shapes.iter().enumerate().rev() {
            let next = self.emitted.len();
            let number = *self.numbers.entry(key(shape, &by_name)).or_insert(next);
            if number == next {
                self.emitted.push(None);
            }
            numbers[place] = number;
            by_name.insert(&shape.name, number);
        }
        numbers
    }

    /// Where the block with that number is, as seen from a module that is about to emit it as `name`.
    pub(super) fn place(&mut self, number: usize, home: &Home, name: &str) -> Place {
        let Some(emitted) = &self.emitted[number] else {
            self.emitted[number] = Some((home.clone(), name.to_owned()));
            return Place::Here;
        };
        let (there, name) = emitted;
        let name = ident(name);
        let module = &there.module;
        if home == there {
            return Place::At(format!("self::{name}"));
        }
        let up = match (home.kind == there.kind, folder(home.kind)) {
            (false, Some(_)) => "super::super",
            _ => "super",
        };
        let down = match (home.kind == there.kind, folder(there.kind)) {
            (false, Some(folder)) => format!("::{folder}"),
            _ => String::new(),
        };
        Place::At(format!("{up}{down}::{module}::{name}"))
    }
}

/// The module of a service that holds the modules of that kind; none for those that lie in the service's own.
pub(super) fn folder(kind: FactsKind) -> Option<&'static str> {
    match kind {
        FactsKind::DataSource => Some("data"),
        FactsKind::Ephemeral => Some("ephemeral"),
        FactsKind::Resource | FactsKind::Provider => None,
    }
}

/// Everything about a shape that its Rust shows, but for its name.
fn key(shape: &Shape, inner: &HashMap<&str, usize>) -> String {
    let mut key = format!("{} {} {}", shape.nulls, shape.settable, shape.reachable);
    for member in &shape.members {
        let Member {
            name,
            method: _,
            kind,
            required,
            settable,
            readable,
            computed,
            write_only,
            items,
            deprecated,
        } = member;
        let _ = write!(
            key,
            "\n{name} {required} {settable} {readable} {computed} {write_only} {items:?} {deprecated} "
        );
        let _ = match kind {
            Kind::Objects { shape, nesting } => write!(key, "{nesting:?} {}", inner[&**shape]),
            kind => write!(key, "{kind:?}"),
        };
    }
    key
}
