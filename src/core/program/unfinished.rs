//! Programs whose function ended at a value that it did not know: what is needed to know it, and nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::freeze::freeze as freeze_whole;
use super::{Program, ResourceId};
use crate::addr::InstanceAddr;
use crate::configuration::Configuration;
use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::expr::Expr;
use crate::known::{KnownValues, Needed, NotKnown};
use crate::stack::{Declared, DeclaredResource};

/// What a stack function ended at.
#[derive(Debug)]
pub struct Unfinished {
    /// What it looked at, and the instance of each.
    pub needs: Vec<(ResourceId, Needed)>,
    /// The report for where that cannot be known in time.
    pub refusal: Diagnostics,
}

impl Unfinished {
    /// The names of what only a plan knows, for a report.
    fn what(&self) -> String {
        let needs: Vec<String> = self.needs.iter().map(|(_, it)| it.to_string()).collect();
        needs.join(", ")
    }

    /// The line that looks at it.
    pub fn location(&self) -> Option<Location> {
        self.refusal.iter().find_map(|it| it.location)
    }

    /// The warning that only a part of the program was looked at, for what is said without a plan.
    pub fn warning(&self) -> Diagnostic {
        let partial = Diagnostic::warning("only a part of the program was checked");
        let detail = format!(
            "what comes after this line needs {}, which only a plan knows",
            self.what()
        );
        Diagnostic {
            location: self.location(),
            ..partial.detail(detail).hint("`preview` checks all of it")
        }
    }

    /// The refusal of what needs the whole program and makes no plan.
    pub(super) fn refuses(&self) -> Diagnostic {
        let refused = Diagnostic::error("only a plan knows the whole program");
        let detail = format!("what comes after this line needs {}", self.what());
        Diagnostic {
            location: self.location(),
            ..refused
                .detail(detail)
                .hint("`preview --out FILE` makes a plan")
        }
    }
}

/// The program of what is needed to know those values.
///
/// # Errors
/// The refusal, where what is needed was not declared before; and every fault of the rest.
pub(super) fn freeze(
    mut declared: Declared,
    config: Arc<dyn Configuration>,
    known: KnownValues,
    not_known: NotKnown,
    refusal: Diagnostics,
) -> Result<Program, Diagnostics> {
    // A value that is said later is not known now.
    declared.settle_said_forwards();
    declared.forwards.clear();
    let Some(needed) = needed_resources(&declared, not_known.needs()) else {
        return Err(refusal);
    };
    let mut needed = needed.into_iter();
    declared.resources.retain(|_| needed.next() == Some(true));
    let left: HashSet<&InstanceAddr> = declared.resources.iter().map(|it| &*it.address).collect();
    declared
        .adoptions
        .retain(|(address, _)| left.contains(&**address));
    declared.exports.clear();
    declared.policies.clear();
    declared.actions.clear();
    let needs = not_known.needs().to_vec();
    freeze_whole(declared, config, known, Some((needs, refusal)))
}

/// Which of the resources are needed, with all that they stand on. `None` where one of them is not there.
fn needed_resources(declared: &Declared, needs: &[Needed]) -> Option<Vec<bool>> {
    if needs.is_empty() {
        return None;
    }
    let resources = declared.resources.iter().enumerate();
    let places: HashMap<&InstanceAddr, usize> = resources
        .map(|(place, resource)| (&*resource.address, place))
        .collect();
    let mut waiting: Vec<Arc<InstanceAddr>> = needs.iter().map(|it| it.address.clone()).collect();
    // Providers stay, for what the state has is theirs; modules that wait for a value are told by their addresses.
    let mut are_said = true;
    let mut take = |expr: &Expr, waiting: &mut Vec<Arc<InstanceAddr>>| {
        expr.for_each_reference(&mut |reference| waiting.push(reference.address.clone()));
        expr.for_each_forward(&mut |_| are_said = false);
    };
    for provider in &declared.providers {
        for argument in provider.arguments.values() {
            take(argument, &mut waiting);
        }
    }
    for module in &declared.value_modules {
        take(&module.needs, &mut waiting);
    }
    let mut needed = vec![false; declared.resources.len()];
    while let Some(address) = waiting.pop() {
        let &place = places.get(&*address)?;
        if std::mem::replace(&mut needed[place], true) {
            continue;
        }
        let resource: &DeclaredResource = &declared.resources[place];
        for argument in resource.arguments.values() {
            take(argument, &mut waiting);
        }
        let triggering = resource.lifecycle.triggering.iter();
        triggering.for_each(|one| take(one, &mut waiting));
        let ordered = resource.depends_on.iter().map(|(address, _)| address);
        waiting.extend(ordered.cloned());
        let triggers = resource.lifecycle.replace_triggered_by.iter();
        waiting.extend(triggers.map(|trigger| trigger.address.clone()));
    }
    are_said.then_some(needed)
}
