//! Transitive reduction: an arrow that other arrows imply is not drawn.

/// So many arrows are followed for one node. A graph that has fewer is reduced exactly; in a larger one a few implied arrows may stay,
/// and the time grows with the number of nodes alone.
const FOLLOWED: usize = 10_000;

/// Dependencies by node, without those that follow from others.
pub(super) fn reduced(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut depth = vec![0_usize; needs.len()];
    for node in in_order(needs) {
        let deepest = needs[node].iter().map(|&need| depth[need] + 1).max();
        depth[node] = deepest.unwrap_or(0);
    }
    let mut seen_by = vec![usize::MAX; needs.len()];
    let mut reduced = Vec::with_capacity(needs.len());
    for (node, own) in needs.iter().enumerate() {
        if own.len() < 2 {
            reduced.push(own.clone());
            continue;
        }
        // Whatever implies a dependency lies below another one, and above the lowest of them.
        let lowest = own.iter().map(|&need| depth[need]).min().unwrap_or(0);
        let mut followed = 0;
        let mut path: Vec<usize> = own.clone();
        while let Some(above) = path.pop() {
            for &below in &needs[above] {
                followed += 1;
                if depth[below] >= lowest && seen_by[below] != node {
                    seen_by[below] = node;
                    path.push(below);
                }
            }
            if followed > FOLLOWED {
                break;
            }
        }
        let drawn = own.iter().copied();
        reduced.push(drawn.filter(|&need| seen_by[need] != node).collect());
    }
    reduced
}

/// Every node after its dependencies. Where some depend on each other in a circle, one of them comes first.
pub(super) fn in_order(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(needs.len());
    let mut seen = vec![false; needs.len()];
    for start in 0..needs.len() {
        let mut path = Vec::new();
        if !std::mem::replace(&mut seen[start], true) {
            path.push((start, 0));
        }
        while let Some((node, next)) = path.last_mut() {
            let (node, at) = (*node, *next);
            *next += 1;
            match needs[node].get(at) {
                Some(&need) => {
                    if !std::mem::replace(&mut seen[need], true) {
                        path.push((need, 0));
                    }
                }
                None => {
                    order.push(node);
                    path.pop();
                }
            }
        }
    }
    order
}
