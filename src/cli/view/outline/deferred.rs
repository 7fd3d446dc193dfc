//! Changes that are planned later in the run, under their reasons.

use std::collections::HashMap;

use terrane_core::Location;
use terrane_engine::{Action, DeferredChange, DeferredModule};

use crate::view::printable::one_line;

/// The heading over deferred changes.
pub(crate) fn heading(groups: &[DeferredGroup]) -> &'static str {
    match groups.iter().any(|group| group.waits_for_run) {
        true => "Deferred, to be planned when the other changes are made:",
        false => "Deferred by their providers, to be planned when they can be:",
    }
}

/// The changes that are deferred for the same reason.
pub(crate) struct DeferredGroup {
    /// The reason: `provider kubernetes is configured by …, known after apply`.
    pub(crate) why: String,
    /// Whether it is a value that this run makes known.
    waits_for_run: bool,
    pub(crate) changes: Vec<DeferredEntry>,
}

/// One deferred change.
pub(crate) struct DeferredEntry {
    /// The likely one.
    pub(crate) action: Action,
    pub(crate) address: String,
    pub(crate) location: Option<Location>,
}

/// Groups changes by their reasons, in the order of the plan; then the modules that wait for a value.
pub(super) fn grouped(
    deferred: &[DeferredChange],
    modules: &[DeferredModule],
) -> Vec<DeferredGroup> {
    let mut groups: Vec<DeferredGroup> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for change in deferred {
        let why = one_line(&change.to_string());
        let at = *known.entry(why.clone()).or_insert_with(|| {
            groups.push(DeferredGroup {
                why,
                waits_for_run: change.reason.is_by_run(),
                changes: Vec::new(),
            });
            groups.len() - 1
        });
        let deposed = change.deposed.map(|key| format!(" (deposed {key})"));
        groups[at].changes.push(DeferredEntry {
            action: change.action,
            address: format!(
                "{}{}",
                one_line(&change.address.to_string()),
                deposed.unwrap_or_default()
            ),
            location: change.location,
        });
    }
    groups.extend(modules.iter().map(|module| DeferredGroup {
        why: one_line(&module.to_string()),
        waits_for_run: module.reason.is_by_run(),
        changes: vec![DeferredEntry {
            action: module.action,
            address: one_line(&module.address.to_string()),
            location: module.location,
        }],
    }));
    groups
}
