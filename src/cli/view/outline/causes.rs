//! Why something is replaced: the attribute that forces it, followed upstream to the change that began it.

use std::collections::HashMap;
use std::fmt::Write as _;

use terrane_core::addr::InstanceAddr;
use terrane_core::{Path, Program, Value};
use terrane_engine::ResourceChange;

use crate::view::diff::{Row, Side};
use crate::view::hidden::Hidden;
use crate::view::printable::one_line;
use terrane_deploy::SENSITIVE;

/// Longest chain that is followed.
const MAX_CHAIN: usize = 8;

/// Replacements by address.
pub(super) struct Causes<'a> {
    program: &'a Program,
    replaced: HashMap<&'a InstanceAddr, &'a ResourceChange>,
}

impl<'a> Causes<'a> {
    /// Of the changes of a plan.
    pub(super) fn of(changes: &'a [ResourceChange], program: &'a Program) -> Self {
        let replaced = changes
            .iter()
            .filter(|change| change.action.is_replace() && change.deposed.is_none())
            .map(|change| (&*change.address, change))
            .collect();
        Self { program, replaced }
    }

    /// Notes beside each row that forces its resource to be replaced.
    pub(super) fn annotate(&self, change: &ResourceChange, rows: &mut [Row]) {
        for row in rows {
            row.note = self.note(change, row);
        }
    }

    fn note(&self, change: &ResourceChange, row: &Row) -> Option<String> {
        let forces = |path: &Path| path.contains(&row.path) || row.path.contains(path);
        if !change.action.is_replace() || !change.replace_paths.iter().any(forces) {
            return None;
        }
        let upstream = self.upstream(change, &row.path);
        Some(format!("forces replacement{upstream}"))
    }

    /// Why an object is replaced, in one line; `None` where no attribute forces it.
    pub(super) fn of_replacement(&self, change: &ResourceChange) -> Option<String> {
        if !change.action.is_replace() {
            return None;
        }
        if let Some(known) = first_known(change) {
            return Some(known);
        }
        let path = change.replace_paths.first()?;
        let name = one_line(&path.to_string());
        let upstream = self.upstream(change, path);
        Some(match upstream.is_empty() {
            false => format!("{name}{upstream}"),
            true => format!("{name} changes"),
        })
    }

    /// The replacements that an unknown value comes from, up to the known change that began them:
    /// ` ← aws_subnet.a is replaced ← aws_vpc.main is replaced ← cidr_block changes`.
    fn upstream(&self, change: &ResourceChange, path: &Path) -> String {
        let mut chain = String::new();
        let mut next = self.source(change, path);
        for _ in 0..MAX_CHAIN {
            let Some(cause) = next else {
                break;
            };
            let address = one_line(&cause.address.to_string());
            let _ = write!(chain, " ← {address} is replaced");
            // The values stand at that object.
            if let Some((path, ..)) = known_paths(cause).next() {
                let _ = write!(chain, " ← {} changes", one_line(&path.to_string()));
                break;
            }
            next = cause
                .replace_paths
                .iter()
                .find_map(|path| self.source(cause, path));
        }
        chain
    }

    /// The replacement that an unknown value of this one comes from.
    fn source(&self, change: &ResourceChange, path: &Path) -> Option<&'a ResourceChange> {
        if change
            .after
            .value
            .at(path)
            .is_none_or(Value::is_wholly_known)
        {
            return None;
        }
        let position = self.program.position(&change.address)?;
        let side = Side {
            hidden: Hidden::NOTHING,
            arguments: Some(&self.program.resources()[position].arguments),
        };
        let mut found = None;
        side.argument(path)?.0.for_each_reference(&mut |reference| {
            found = found.or_else(|| self.replaced.get(&*reference.address).copied());
        });
        found
    }
}

/// The arguments with a known new value that force this replacement, with their values.
fn known_paths(change: &ResourceChange) -> impl Iterator<Item = (&Path, &Value, &Value)> {
    change.replace_paths.iter().filter_map(|path| {
        let (before, after) = (change.before.value.at(path)?, change.after.value.at(path)?);
        (before != after && after.is_wholly_known()).then_some((path, before, after))
    })
}

/// The first of them in words.
fn first_known(change: &ResourceChange) -> Option<String> {
    let (path, before, after) = known_paths(change).next()?;
    let hidden = Hidden::of_each([&*change.before, &*change.after]);
    if hidden.iter().any(|one| one.at(path).is_something()) {
        return Some(format!("{path} = {SENSITIVE}"));
    }
    let side = Side {
        hidden: Hidden::NOTHING,
        arguments: None,
    };
    let (before, after) = (side.inline(before, path), side.inline(after, path));
    Some(one_line(&format!("{path} = {before} -> {after}")))
}
