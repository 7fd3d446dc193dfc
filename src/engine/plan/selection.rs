//! Which instances a run looks at, given `--target` and `--exclude`.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use terrane_core::addr::{ConfigAddr, InstanceAddr, Pattern};
use terrane_core::{Diagnostic, Diagnostics, Program, closest};
use terrane_state::State;

use crate::options::{PlanMode, PlanOptions};

/// The chosen declared instances (by position) and chosen orphans.
pub(crate) struct Selection {
    declared: Vec<bool>,
    orphans: Vec<bool>,
    replaced: Vec<bool>,
    partial: bool,
}

impl Selection {
    /// Chooses. A target brings what it needs, in a destroy what needs it; an exclusion takes along what needs the excluded, in a destroy
    /// what the excluded needs.
    ///
    /// # Errors
    /// When a target, an exclusion or a replacement matches no resource.
    pub(crate) fn new(
        program: &Program,
        orphans: &[Arc<InstanceAddr>],
        state: &State,
        options: &PlanOptions,
    ) -> Result<Self, Diagnostics> {
        let declared = program.resources().iter();
        let declared: Vec<_> = declared.map(|resource| resource.address.clone()).collect();
        let replaced = matching(&options.replace, &declared, program, "--replace")?;
        let blocked: HashSet<&InstanceAddr> = options.blocked.iter().collect();
        let partial = !options.targets.is_empty()
            || !options.excludes.is_empty()
            || !options.blocked.is_empty();
        let everything = Self {
            declared: vec![true; program.resources().len()],
            orphans: vec![true; orphans.len()],
            replaced,
            partial,
        };
        if !partial {
            return Ok(everything);
        }
        let addresses: Vec<Arc<InstanceAddr>> = declared
            .into_iter()
            .chain(orphans.iter().cloned())
            .collect();
        let edges = Edges::new(program, &addresses, state, options.mode);
        let (needs, needed_by) = match options.mode {
            PlanMode::Destroy => (&edges.needed_by, &edges.needs),
            PlanMode::Normal | PlanMode::RefreshOnly => (&edges.needs, &edges.needed_by),
        };
        let mut chosen = if options.targets.is_empty() {
            vec![true; addresses.len()]
        } else {
            spread(
                matching(&options.targets, &addresses, program, "--target")?,
                |node| &needs[node],
            )
        };
        let mut excluded = matching(&options.excludes, &addresses, program, "--exclude")?;
        for (excluded, address) in excluded.iter_mut().zip(&addresses) {
            *excluded |= blocked.contains(&**address);
        }
        let excluded = spread(excluded, |node| &needed_by[node]);
        for (chosen, excluded) in chosen.iter_mut().zip(excluded) {
            *chosen &= !excluded;
        }
        let orphans = chosen.split_off(program.resources().len());
        Ok(Self {
            declared: chosen,
            orphans,
            ..everything
        })
    }

    pub(crate) fn declared(&self, position: usize) -> bool {
        self.declared[position]
    }

    pub(crate) fn orphan(&self, place: usize) -> bool {
        self.orphans[place]
    }

    /// Whether the command line asks for a replacement of a declared instance.
    pub(crate) fn replaced(&self, position: usize) -> bool {
        self.replaced[position]
    }

    /// Whether anything may have been left out.
    pub(crate) fn is_partial(&self) -> bool {
        self.partial
    }
}

/// Who needs whom: as declared, the provider's configuration included; and for orphans as stored. Outside a full destroy an orphan
/// is there to be deleted, so it needs those orphans that stand on it to go too.
struct Edges {
    needs: Vec<Vec<usize>>,
    needed_by: Vec<Vec<usize>>,
}

impl Edges {
    fn new(
        program: &Program,
        addresses: &[Arc<InstanceAddr>],
        state: &State,
        mode: PlanMode,
    ) -> Self {
        let declared = program.resources().len();
        let mut needs: Vec<Vec<usize>> = program
            .resources()
            .iter()
            .map(|resource| {
                let provider = &program.providers()[resource.provider];
                let needed = resource.dependencies.iter().chain(&provider.dependencies);
                needed.copied().collect()
            })
            .collect();
        needs.resize(addresses.len(), Vec::new());
        let mut by_config: std::collections::HashMap<ConfigAddr, Vec<usize>> =
            std::collections::HashMap::new();
        for (node, address) in addresses.iter().enumerate() {
            by_config
                .entry(address.resource.config())
                .or_default()
                .push(node);
        }
        for (node, address) in addresses.iter().enumerate().skip(declared) {
            let current = state
                .instance(address)
                .and_then(|instance| instance.current.as_ref());
            let stored: BTreeSet<usize> = current
                .into_iter()
                .flat_map(|object| object.dependencies.iter())
                .filter_map(|config| by_config.get(config))
                .flatten()
                .copied()
                .collect();
            if mode == PlanMode::Normal {
                for needed in stored.into_iter().filter(|&needed| needed >= declared) {
                    needs[needed].push(node);
                }
            } else {
                needs[node].extend(stored);
            }
        }
        let mut needed_by = vec![Vec::new(); needs.len()];
        for (node, needed) in needs.iter().enumerate() {
            for &needed in needed {
                needed_by[needed].push(node);
            }
        }
        Self { needs, needed_by }
    }
}

fn matching(
    patterns: &[Pattern],
    addresses: &[Arc<InstanceAddr>],
    program: &Program,
    flag: &str,
) -> Result<Vec<bool>, Diagnostics> {
    let mut matched = vec![false; addresses.len()];
    let mut diagnostics = Diagnostics::new();
    for pattern in patterns {
        let pattern = pattern.among(addresses.iter().map(|address| &**address));
        let mut any = false;
        for (node, address) in addresses.iter().enumerate() {
            if pattern.matches(address) {
                matched[node] = true;
                any = true;
            }
        }
        if !any {
            let shown = pattern.to_string();
            let known: Vec<String> = addresses
                .iter()
                .map(|address| address.to_string())
                .collect();
            let missing = Diagnostic::error(format!("`{flag}` {shown} matches no resource"))
                .detail(format!(
                    "none of the {} declared instances and none in the state has that address",
                    program.resources().len()
                ));
            let missing = match closest(&shown, known.iter().map(String::as_str)) {
                Some(close) => missing.hint(format!("did you mean `{close}`?")),
                None => missing,
            };
            diagnostics.push(missing.hint(
                "`state list` and `graph` show the addresses; quote keys for the shell: 'aws_x.y[\"key\"]'",
            ));
        }
    }
    diagnostics.into_result(matched).map(|(matched, _)| matched)
}

/// Chooses everything that is reached from the chosen ones.
pub(super) fn spread<'a>(mut chosen: Vec<bool>, along: impl Fn(usize) -> &'a [usize]) -> Vec<bool> {
    let mut open: Vec<usize> = (0..chosen.len()).filter(|&node| chosen[node]).collect();
    while let Some(node) = open.pop() {
        for &next in along(node) {
            if !chosen[next] {
                chosen[next] = true;
                open.push(next);
            }
        }
    }
    chosen
}
