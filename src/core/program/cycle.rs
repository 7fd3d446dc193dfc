//! Finds declarations that need each other in a circle.

use super::{ProviderConfig, ResourceInstance};
use crate::diagnostics::Diagnostic;

/// Looks for a dependency cycle, in time linear in nodes and edges and without recursion (chains can be very long).
pub(super) fn find_cycle(
    resources: &[ResourceInstance],
    providers: &[ProviderConfig],
) -> Option<Diagnostic> {
    // Nodes are resources, then providers. A resource depends on its provider, a provider on the resources that its arguments refer to.
    let count = resources.len() + providers.len();
    let dependencies = |node: usize| -> (&[usize], Option<usize>) {
        match resources.get(node) {
            Some(resource) => (
                &resource.dependencies,
                Some(resources.len() + resource.provider),
            ),
            None => (&providers[node - resources.len()].dependencies, None),
        }
    };
    let next = |node: usize, edge: usize| -> Option<usize> {
        let (direct, provider) = dependencies(node);
        direct
            .get(edge)
            .copied()
            .or(if edge == direct.len() { provider } else { None })
    };
    // 0: not seen; 1: on the current path; 2: done.
    let mut colour = vec![0_u8; count];
    for start in 0..count {
        if colour[start] != 0 {
            continue;
        }
        let mut path = vec![(start, 0)];
        colour[start] = 1;
        while let Some((node, edge)) = path.last_mut() {
            let Some(target) = next(*node, *edge) else {
                colour[*node] = 2;
                path.pop();
                continue;
            };
            *edge += 1;
            match colour[target] {
                0 => {
                    colour[target] = 1;
                    path.push((target, 0));
                }
                1 => {
                    let from = path.iter().position(|(node, _)| *node == target)?;
                    let cycle: Vec<usize> = path[from..].iter().map(|(node, _)| *node).collect();
                    return Some(describe_cycle(&cycle, resources, providers));
                }
                _ => {}
            }
        }
    }
    None
}

fn describe_cycle(
    cycle: &[usize],
    resources: &[ResourceInstance],
    providers: &[ProviderConfig],
) -> Diagnostic {
    let name = |node: usize| match resources.get(node) {
        Some(resource) => format!("{} ({})", resource.address, resource.location),
        None => providers[node - resources.len()].address.to_string(),
    };
    let mut steps: Vec<String> = cycle.iter().map(|&node| name(node)).collect();
    steps.push(name(cycle[0]));
    let mut diagnostic = Diagnostic::error("the declarations depend on each other in a cycle")
        .detail(steps.join(" → "))
        .hint("an arrow reads `needs`; take one of these references away");
    if let Some(resource) = cycle.iter().find_map(|&node| resources.get(node)) {
        diagnostic = diagnostic
            .address(&resource.address)
            .location(resource.location);
    }
    diagnostic
}
