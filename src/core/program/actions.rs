//! The actions of a program: their references become ids, and the operations that invoke them wait for what they need.

use std::collections::HashMap;
use std::sync::Arc;

use super::freeze::Resolver;
use super::{ProviderConfig, ProviderId, ResourceId, ResourceInstance};
use crate::addr::ProviderConfigAddr;
use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::expr::Expr;
use crate::ids::IdVec;
use crate::provider_action::{DeclaredAction, ProviderAction, When};

/// The declared actions, and which of them a moment of an instance's life invokes.
#[derive(Debug)]
pub(super) struct Actions {
    pub(super) declared: Vec<DeclaredAction>,
    triggered: HashMap<(ResourceId, When), Vec<usize>>,
}

impl Actions {
    pub(super) fn new(declared: Vec<DeclaredAction>) -> Self {
        let mut triggered: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, action) in declared.iter().enumerate() {
            for &trigger in &action.triggers {
                triggered.entry(trigger).or_default().push(index);
            }
        }
        Self {
            declared,
            triggered,
        }
    }

    /// In the order of declaration.
    pub(super) fn triggered(
        &self,
        instance: ResourceId,
        when: When,
    ) -> impl Iterator<Item = &DeclaredAction> {
        let indexes = self.triggered.get(&(instance, when));
        indexes
            .into_iter()
            .flatten()
            .map(|&index| &self.declared[index])
    }
}

/// The actions of these declarations. `provider` knows the configurations of providers.
pub(super) fn freeze(
    declared: Vec<(Arc<str>, ProviderAction, Location)>,
    resolver: &Resolver<'_>,
    provider: &mut dyn FnMut(ProviderConfigAddr) -> Option<ProviderId>,
    diagnostics: &mut Diagnostics,
) -> Vec<DeclaredAction> {
    let mut actions = Vec::with_capacity(declared.len());
    let mut first: HashMap<Arc<str>, Location> = HashMap::new();
    for (address, action, location) in declared {
        if let Some(first) = first.insert(address.clone(), location) {
            diagnostics.push(
                Diagnostic::error(format!("{address} is declared twice"))
                    .detail(format!("first declared at {first}"))
                    .location(location)
                    .hint("give each a name of its own"),
            );
            continue;
        }
        let (chosen, _) = action.provider.config();
        let Some(provider) = provider(chosen.clone()) else {
            let error = Diagnostic::error(format!("{chosen} is not configured"));
            let error = error.address(&address).location(location);
            diagnostics
                .push(error.hint(
                    "its handle comes from another stack; call `stack.provider` in this one",
                ));
            continue;
        };
        let arguments = Expr::map(action.arguments);
        let dependencies = resolver.references(&arguments, &address, diagnostics);
        let mut triggers = Vec::with_capacity(action.triggers.len());
        for (target, when) in &action.triggers {
            let resolved = resolver.resolve(target, location, &address, diagnostics);
            triggers.extend(resolved.map(|id| (id, *when)));
        }
        triggers.sort_unstable();
        triggers.dedup();
        actions.push(DeclaredAction {
            address,
            action_type: action.action_type,
            provider,
            arguments,
            dependencies,
            triggers,
            on_failure: action.on_failure,
            location,
        });
    }
    actions
}

/// Lets an operation that invokes an action wait for what the action and its provider need.
pub(super) fn order(
    actions: &[DeclaredAction],
    providers: &IdVec<ProviderId, ProviderConfig>,
    resources: &mut IdVec<ResourceId, ResourceInstance>,
) {
    for action in actions {
        let configuring = &providers[action.provider].dependencies;
        let needed = || action.dependencies.iter().chain(configuring).copied();
        for &(target, _) in &action.triggers {
            let resource = &mut resources[target];
            let others = needed().filter(|&other| other != target);
            resource.dependencies.extend(others);
            resource.dependencies.sort_unstable();
            resource.dependencies.dedup();
        }
    }
}
