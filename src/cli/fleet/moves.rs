//! Objects that one stack of a fleet lets go and another one would make anew: declarations that were moved from program to program.

use std::collections::{BTreeMap, HashMap};

use terrane_core::Diagnostic;
use terrane_engine::{Action, ResourceChange};
use terrane_fleet::{Deployments, FleetResults, StackId, StackResult};

use crate::session::quoted_if_needed;
use crate::view::printable::counted;
use crate::workflow::advice::moves::goes_to;

/// A warning for each pair of stacks, with the command that moves the objects instead.
pub(super) fn looked_for(deployments: &Deployments, results: &FleetResults) -> Vec<Diagnostic> {
    let changes = |action: Action| {
        let plans = results.iter().filter_map(|(&id, result)| match result {
            StackResult::Previewed(previewed) => Some((id, &previewed.plan)),
            _ => None,
        });
        let changes = plans.flat_map(|(id, plan)| plan.changes.iter().map(move |it| (id, it)));
        changes.filter(move |(_, change)| change.action == action)
    };
    let mut made: HashMap<&_, Vec<(StackId, &ResourceChange)>> = HashMap::new();
    for (id, change) in changes(Action::Create) {
        made.entry(&change.address).or_default().push((id, change));
    }
    let mut moves: BTreeMap<(StackId, StackId), Vec<String>> = BTreeMap::new();
    for (from, gone) in changes(Action::Delete) {
        let new = made.get(&gone.address).into_iter().flatten();
        let mut new = new.filter(|(to, new)| *to != from && goes_to(gone, new));
        // Two stacks that make the same could each be meant.
        if let (Some((to, _)), None) = (new.next(), new.next()) {
            let addresses = moves.entry((from, *to)).or_default();
            addresses.push(quoted_if_needed(&gone.address.to_string()));
        }
    }
    let order = deployments.order();
    let warnings = moves.into_iter().map(|((from, to), addresses)| {
        let (from, to) = (order.name(from), order.name(to));
        let count = counted(addresses.len(), "object");
        Diagnostic::warning(format!("{count} of {from} would be made anew in {to}"))
            .detail("the declarations look like they were moved from one program to the other")
            .hint(format!(
                "to keep them, run `state mv --to {to} {} --only {from}`",
                addresses.join(" ")
            ))
    });
    warnings.collect()
}
