//! Which instances a run looks at, given `--target` and `--exclude`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use terrane_core::addr::{ConfigAddr, InstanceAddr, Pattern};
use terrane_core::{
    Diagnostic, Diagnostics, Id, IdVec, Program, ResourceId, ValueModule, closest, id_type,
};
use terrane_state::State;

use super::inputs::OrphanId;
use super::value_modules::{is_chosen, waiting};
use crate::options::{PlanMode, PlanOptions};

/// The chosen declared instances and chosen orphans.
pub(crate) struct Selection {
    declared: IdVec<ResourceId, bool>,
    orphans: IdVec<OrphanId, bool>,
    replaced: IdVec<ResourceId, bool>,
    /// Those that an exclusion takes along.
    excluded: IdVec<ResourceId, bool>,
    partial: bool,
}

id_type! {
    /// An instance that can be chosen: declared, or an orphan.
    struct CandidateId;
}

/// All instances that can be chosen.
struct Candidates {
    addresses: IdVec<CandidateId, Arc<InstanceAddr>>,
    declared: IdVec<ResourceId, CandidateId>,
    orphans: IdVec<OrphanId, CandidateId>,
}

impl Candidates {
    fn new(
        declared: &IdVec<ResourceId, Arc<InstanceAddr>>,
        orphans: &IdVec<OrphanId, Arc<InstanceAddr>>,
    ) -> Self {
        let mut addresses = IdVec::new();
        let declared = declared
            .iter()
            .map(|address| addresses.push(address.clone()));
        let declared = declared.collect();
        let orphans = orphans
            .iter()
            .map(|address| addresses.push(address.clone()));
        let orphans = orphans.collect();
        Self {
            addresses,
            declared,
            orphans,
        }
    }
}

impl Selection {
    /// Chooses. A target brings what it needs, in a destroy what needs it; an exclusion takes along what needs the excluded, in a destroy
    /// what the excluded needs.
    ///
    /// # Errors
    /// When a target, an exclusion or a replacement matches no resource.
    pub(crate) fn new(
        program: &Program,
        orphans: &IdVec<OrphanId, Arc<InstanceAddr>>,
        state: &State,
        options: &PlanOptions,
    ) -> Result<Self, Diagnostics> {
        // The plan before this one may have destroyed all that a flag names.
        let missing = |flag| options.continues.is_none().then_some(flag);
        let declared = addresses_of(program);
        let replaced = matching(&options.replace, &declared, program, missing("--replace"))?;
        let blocked: HashSet<&InstanceAddr> = options.blocked.iter().collect();
        let partial = !options.targets.is_empty()
            || !options.excludes.is_empty()
            || !options.blocked.is_empty();
        let everything = Self {
            declared: IdVec::filled(true, program.resources()),
            orphans: IdVec::filled(true, orphans),
            replaced,
            excluded: IdVec::filled(false, program.resources()),
            partial,
        };
        if !partial {
            return Ok(everything);
        }
        let candidates = Candidates::new(&declared, orphans);
        let addresses = &candidates.addresses;
        let edges = Edges::new(program, &candidates, state, options.mode);
        let (needs, needed_by) = match options.mode {
            PlanMode::Destroy => (&edges.needed_by, &edges.needs),
            PlanMode::Normal | PlanMode::RefreshOnly => (&edges.needs, &edges.needed_by),
        };
        let mut chosen = if options.targets.is_empty() {
            IdVec::filled(true, addresses)
        } else {
            let mut targets = matching(&options.targets, addresses, program, missing("--target"))?;
            if options.mode != PlanMode::Destroy {
                for module in waiting(program).filter(|module| is_chosen(module, options)) {
                    for &needed in &module.dependencies {
                        targets[candidates.declared[needed]] = true;
                    }
                }
            }
            spread(targets, |node| &needs[node])
        };
        let mut excluded = matching(&options.excludes, addresses, program, missing("--exclude"))?;
        for (excluded, address) in excluded.iter_mut().zip(addresses) {
            *excluded |= blocked.contains(&**address);
        }
        let excluded = spread(excluded, |node| &needed_by[node]);
        for (chosen, excluded) in chosen.iter_mut().zip(&excluded) {
            *chosen &= !excluded;
        }
        Ok(Self {
            declared: candidates.declared.iter().map(|&id| chosen[id]).collect(),
            orphans: candidates.orphans.iter().map(|&id| chosen[id]).collect(),
            excluded: candidates.declared.iter().map(|&id| excluded[id]).collect(),
            ..everything
        })
    }

    /// Chooses what the values come from that the program ended at, and those of waiting modules as far as the run looks at them.
    ///
    /// # Errors
    /// None; what a flag does not match is told by the plan that follows.
    pub(super) fn of_values(
        program: &Program,
        orphans: &IdVec<OrphanId, Arc<InstanceAddr>>,
        state: &State,
        options: &PlanOptions,
    ) -> Result<Self, Diagnostics> {
        let declared = addresses_of(program);
        let candidates = Candidates::new(&declared, orphans);
        let addresses = &candidates.addresses;
        let edges = Edges::new(program, &candidates, state, options.mode);
        let mut excluded = matching(&options.excludes, addresses, program, None)?;
        let blocked: HashSet<&InstanceAddr> = options.blocked.iter().collect();
        for (excluded, address) in excluded.iter_mut().zip(addresses) {
            *excluded |= blocked.contains(&**address);
        }
        let excluded = spread(excluded, |node| &edges.needed_by[node]);
        let mut chosen = IdVec::filled(false, addresses);
        for (needed, _) in program.unfinished().into_iter().flat_map(|it| &it.needs) {
            chosen[candidates.declared[*needed]] = true;
        }
        for module in waiting(program).filter(|module| is_chosen(module, options)) {
            for &needed in &module.dependencies {
                chosen[candidates.declared[needed]] = true;
            }
        }
        let chosen = spread(chosen, |node| &edges.needs[node]);
        let is_chosen = |&id: &CandidateId| chosen[id] && !excluded[id];
        Ok(Self {
            declared: candidates.declared.iter().map(is_chosen).collect(),
            orphans: IdVec::filled(false, orphans),
            replaced: matching(&options.replace, &declared, program, None)?,
            excluded: candidates.declared.iter().map(|&id| excluded[id]).collect(),
            partial: true,
        })
    }

    /// Whether the run looks at a module that takes a value.
    pub(super) fn module(&self, module: &ValueModule, options: &PlanOptions) -> bool {
        let mut needed = module.dependencies.iter();
        is_chosen(module, options) && !needed.any(|&needed| self.excluded[needed])
    }

    pub(crate) fn declared(&self, position: ResourceId) -> bool {
        self.declared[position]
    }

    pub(crate) fn orphan(&self, orphan: OrphanId) -> bool {
        self.orphans[orphan]
    }

    /// Whether the command line asks for a replacement of a declared instance.
    pub(crate) fn replaced(&self, position: ResourceId) -> bool {
        self.replaced[position]
    }

    /// Whether anything may have been left out.
    pub(crate) fn is_partial(&self) -> bool {
        self.partial
    }
}

/// Which instances need which: as declared, the provider's configuration included; and for orphans as stored. Outside a full destroy an orphan
/// is there to be deleted, so it needs those orphans that stand on it to go too.
struct Edges {
    needs: IdVec<CandidateId, Vec<CandidateId>>,
    needed_by: IdVec<CandidateId, Vec<CandidateId>>,
}

impl Edges {
    fn new(program: &Program, candidates: &Candidates, state: &State, mode: PlanMode) -> Self {
        let addresses = &candidates.addresses;
        let mut needs: IdVec<CandidateId, Vec<CandidateId>> = IdVec::filled(Vec::new(), addresses);
        for (resource, &node) in program.resources().iter().zip(&candidates.declared) {
            let provider = &program.providers()[resource.provider];
            let needed = resource.dependencies.iter().chain(&provider.dependencies);
            needs[node] = needed.map(|&needed| candidates.declared[needed]).collect();
        }
        let orphans: HashSet<CandidateId> = candidates.orphans.iter().copied().collect();
        let mut by_config: HashMap<ConfigAddr, Vec<CandidateId>> = HashMap::new();
        for (node, address) in addresses.entries() {
            let same = by_config.entry(address.resource.config()).or_default();
            same.push(node);
        }
        for &node in &candidates.orphans {
            let instance = state.instance(&addresses[node]);
            let current = instance.and_then(|instance| instance.current.as_ref());
            let stored: BTreeSet<CandidateId> = current
                .into_iter()
                .flat_map(|object| object.dependencies.iter())
                .filter_map(|config| by_config.get(config))
                .flatten()
                .copied()
                .collect();
            if mode == PlanMode::Normal {
                for needed in stored.into_iter().filter(|needed| orphans.contains(needed)) {
                    needs[needed].push(node);
                }
            } else {
                needs[node].extend(stored);
            }
        }
        let mut needed_by = IdVec::filled(Vec::new(), &needs);
        for (node, needed) in needs.entries() {
            for &needed in needed {
                needed_by[needed].push(node);
            }
        }
        Self { needs, needed_by }
    }
}

fn addresses_of(program: &Program) -> IdVec<ResourceId, Arc<InstanceAddr>> {
    let resources = program.resources().iter();
    resources.map(|resource| resource.address.clone()).collect()
}

fn matching<I: Id>(
    patterns: &[Pattern],
    addresses: &IdVec<I, Arc<InstanceAddr>>,
    program: &Program,
    flag: Option<&str>,
) -> Result<IdVec<I, bool>, Diagnostics> {
    let mut matched = IdVec::filled(false, addresses);
    let mut diagnostics = Diagnostics::new();
    for pattern in patterns {
        let pattern = pattern.among(addresses.iter().map(|address| &**address));
        // What such a module declares is seen when its value is known.
        let mut any = waiting(program).any(|module| pattern.reaches(&module.address));
        for (node, address) in addresses.entries() {
            if pattern.matches(address) {
                matched[node] = true;
                any = true;
            }
        }
        if let (false, Some(flag)) = (any, flag) {
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
pub(super) fn spread<'a, I: Id + 'a>(
    mut chosen: IdVec<I, bool>,
    along: impl Fn(I) -> &'a [I],
) -> IdVec<I, bool> {
    let mut open: Vec<I> = chosen.set_ids().collect();
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
