//! The order of declarations in a function: each name is declared before its use, or has a forward reference.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ast::{Block, Body, Node, Place};
use crate::bindings::local_of;
use crate::cycle::check_cycles;
use crate::known::{Look, known_needs};
use crate::model::Module;
use crate::program::World;
use crate::sources::ConvertError;

/// Something that is declared in the order of references.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    Provider(usize),
    Local(usize),
    Resource(usize),
    Call(usize),
}

/// Something that an expression refers to.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    /// `local.x`, `aws_vpc.main`, `module.queue`.
    pub(crate) key: String,
    /// The output of a module; none where all of it is meant.
    pub(crate) output: Option<String>,
}

/// What a function declares, in its order.
pub(crate) struct Order {
    pub(crate) items: Vec<Item>,
    /// By the place of an item that is used before it is declared.
    pub(crate) forwards: BTreeMap<usize, ForwardUse>,
}

/// The uses of something before it is declared.
pub(crate) struct ForwardUse {
    /// The place of the first item that uses it.
    pub(crate) first: usize,
    pub(crate) key: String,
    /// The outputs of a module; none where something uses all of it.
    pub(crate) outputs: Option<BTreeSet<String>>,
}

const LOOKS: [Look; 2] = [Look::Whole, Look::Structure];

/// An item with what it needs.
struct Entry {
    key: String,
    item: Item,
    needs: Vec<Need>,
    /// The keys of what it has to know to be declared, by how much it looks at.
    known: [(Look, BTreeSet<String>); 2],
    place: Place,
    has_instances: bool,
}

/// Uses that get a forward reference: of which entry, and what it uses.
type Broken = BTreeSet<(usize, usize)>;

impl World<'_> {
    pub(crate) fn order(&self, place: usize) -> Result<Order, ConvertError> {
        let entries = self.entries(place);
        let by_key: HashMap<&str, usize> = entries
            .iter()
            .enumerate()
            .map(|(place, it)| (&*it.key, place))
            .collect();
        let mut broken = Broken::new();
        let sorted = loop {
            match sorted(&entries, &by_key, &broken) {
                Ok(sorted) => break sorted,
                Err(cycle) => match LOOKS.iter().find_map(|it| weakest(&entries, &cycle, *it)) {
                    Some(edge) => broken.insert(edge),
                    None => {
                        check_cycles(self.configuration)?;
                        return Err(self.refused(&entries, &cycle));
                    }
                },
            };
        };
        let mut forwards: BTreeMap<usize, ForwardUse> = BTreeMap::new();
        let place_of = |entry: usize| sorted.iter().position(|it| *it == entry);
        for (from, to) in broken {
            let (Some(first), Some(declared)) = (place_of(from), place_of(to)) else {
                continue;
            };
            if first > declared {
                continue;
            }
            let one = forwards.entry(declared).or_insert_with(|| ForwardUse {
                first,
                key: entries[to].key.clone(),
                outputs: Some(BTreeSet::new()),
            });
            one.first = one.first.min(first);
            for need in entries[from].needs.iter().filter(|it| it.key == one.key) {
                match (&mut one.outputs, &need.output) {
                    (Some(all), Some(output)) => drop(all.insert(output.clone())),
                    (outputs, _) => *outputs = None,
                }
            }
        }
        Ok(Order {
            items: sorted.iter().map(|it| entries[*it].item).collect(),
            forwards,
        })
    }

    fn entries(&self, place: usize) -> Vec<Entry> {
        let module = &self.configuration.modules[place];
        let mut entries = Vec::new();
        for (at, block) in module.providers.iter().enumerate() {
            entries.push(Entry {
                key: provider_key(block),
                item: Item::Provider(at),
                needs: needs_in(&block.body),
                known: LOOKS.map(|look| (look, BTreeSet::new())),
                place: block.place,
                has_instances: false,
            });
        }
        for (at, local) in module.locals.iter().enumerate() {
            let key = format!("local.{}", local.name);
            let needs = needs_of(&local.value);
            let known = LOOKS.map(|look| match self.known.contains(look, place, &key) {
                true => (look, keys(&look.needs(&local.value))),
                false => (look, BTreeSet::new()),
            });
            entries.push(Entry {
                key,
                item: Item::Local(at),
                needs,
                known,
                place: local.place,
                has_instances: false,
            });
        }
        for (at, resource) in module.resources.iter().enumerate() {
            let body = &resource.block.body;
            let provider = body.value("provider").and_then(Node::names);
            let provider = provider.map_or_else(
                || local_of(&resource.type_name).to_owned(),
                |names| names.join("."),
            );
            let mut needs = needs_in(body);
            needs.push(Need::whole(format!("provider {provider}")));
            entries.push(Entry {
                key: resource.address(),
                item: Item::Resource(at),
                needs,
                known: LOOKS.map(|look| (look, keys(&known_needs(look, body)))),
                place: resource.block.place,
                has_instances: false,
            });
        }
        for (at, call) in module.calls.iter().enumerate() {
            let body = &call.block.body;
            let mut needs = needs_in(body);
            needs.extend(module.providers.iter().map(provider_key).map(Need::whole));
            let known = LOOKS.map(|look| {
                let mut known = keys(&known_needs(look, body));
                for input in &body.attributes {
                    let key = format!("var.{}", input.name);
                    if self.known.contains(look, call.module, &key) {
                        known.extend(keys(&look.needs(&input.value)));
                    }
                }
                (look, known)
            });
            entries.push(Entry {
                key: format!("module.{}", call.name),
                item: Item::Call(at),
                needs,
                known,
                place: call.block.place,
                has_instances: call.has_instances(),
            });
        }
        entries
    }

    /// The report of declarations that no forward reference can order.
    fn refused(&self, entries: &[Entry], cycle: &[usize]) -> ConvertError {
        let sources = &self.configuration.sources;
        let shown = |entry: &Entry| format!("{} ({})", entry.key, sources.shown(entry.place));
        let around = cycle.iter().chain(cycle.first());
        let around: Vec<String> = around.map(|it| shown(&entries[*it])).collect();
        let around = around.join(" → ");
        let has_module = cycle
            .iter()
            .any(|it| matches!(entries[*it].item, Item::Call(_)));
        let reason = match has_module {
            true => format!(
                "modules need each other's outputs for what they declare (`count`, `for_each`, `depends_on`): {around}"
            ),
            false => format!("{} depends on itself: {around}", entries[cycle[0]].key),
        };
        ConvertError::at(sources, entries[cycle[0]].place, reason)
    }
}

impl Need {
    fn whole(key: String) -> Self {
        Self { key, output: None }
    }
}

/// The entries in their order.
///
/// # Errors
/// With the entries of a cycle, each before one that it needs.
fn sorted(
    entries: &[Entry],
    by_key: &HashMap<&str, usize>,
    broken: &Broken,
) -> Result<Vec<usize>, Vec<usize>> {
    let mut sorted = Vec::new();
    // 0: not seen, 1: being visited, 2: done.
    let mut seen = vec![0_u8; entries.len()];
    for start in 0..entries.len() {
        if seen[start] == 2 {
            continue;
        }
        let mut path = vec![(start, 0_usize)];
        seen[start] = 1;
        while let Some((entry, next)) = path.pop() {
            let Some(need) = entries[entry].needs.get(next) else {
                seen[entry] = 2;
                sorted.push(entry);
                continue;
            };
            path.push((entry, next + 1));
            let Some(&needed) = by_key.get(&*need.key) else {
                continue;
            };
            if broken.contains(&(entry, needed)) {
                continue;
            }
            match (seen[needed], entries[needed].item) {
                (0, _) => {
                    seen[needed] = 1;
                    path.push((needed, 0));
                }
                // A provider that is configured by what it serves has to be declared after it.
                (1, Item::Provider(_)) => {}
                // Its own instances, in conditions and provisioners.
                (1, Item::Resource(_)) if needed == entry => {}
                (1, _) => {
                    let around = path.iter().map(|(it, _)| *it);
                    return Err(around.skip_while(|it| *it != needed).collect());
                }
                _ => {}
            }
        }
    }
    Ok(sorted)
}

/// The use in a cycle that reads best as a forward reference, if one can be.
fn weakest(entries: &[Entry], cycle: &[usize], look: Look) -> Option<(usize, usize)> {
    let is_known = |from: usize, key: &str| {
        let mut known = entries[from].known.iter();
        known.any(|(one, keys)| *one == look && keys.contains(key))
    };
    let next = cycle.iter().skip(1).chain(cycle.first());
    let uses = cycle.iter().copied().zip(next.copied());
    let free = uses.filter(|(from, to)| !is_known(*from, &entries[*to].key));
    let ranked = free.filter_map(|(from, to)| {
        let needs = entries[from].needs.iter();
        let mut needs = needs.filter(|it| it.key == entries[to].key);
        let is_whole = needs.any(|it| it.output.is_none());
        let rank = match entries[to].item {
            Item::Call(_) if !is_whole && !entries[to].has_instances => 0,
            Item::Call(_) => 1,
            Item::Local(_) if from != to => 2,
            Item::Resource(_) if from != to => 3,
            _ => return None,
        };
        Some((rank, (from, to)))
    });
    let best = ranked.min_by_key(|(rank, _)| *rank);
    best.map(|(_, edge)| edge)
}

/// What an expression refers to.
pub(crate) fn needs_of(node: &Node) -> Vec<Need> {
    let all = node.all_references();
    let all = all.iter().filter_map(|names| {
        let output = match &**names.first()? {
            "module" => names.get(2).cloned(),
            _ => None,
        };
        let key = key_of(names)?;
        Some(Need { key, output })
    });
    all.collect()
}

pub(crate) fn needs_in(body: &Body) -> Vec<Need> {
    let mut needs = Vec::new();
    nodes(body, &mut |node| needs.extend(needs_of(node)));
    needs
}

fn keys(needs: &[Need]) -> BTreeSet<String> {
    needs.iter().map(|it| it.key.clone()).collect()
}

/// All values in a body, blocks included.
pub(crate) fn nodes<'a>(body: &'a Body, visit: &mut dyn FnMut(&'a Node)) {
    for attribute in &body.attributes {
        visit(&attribute.value);
    }
    for block in &body.blocks {
        nodes(&block.body, visit);
    }
}

/// The key of what a reference names: `local.x`, `aws_vpc.main`, `data.aws_ami.it`.
pub(crate) fn key_of(names: &[String]) -> Option<String> {
    // A reference to a resource may say that it is one.
    let names = match names {
        [first, rest @ ..] if first == "resource" => rest,
        all => all,
    };
    let count = match names.first()?.as_str() {
        "data" | "ephemeral" => 3,
        _ => 2,
    };
    (names.len() >= count).then(|| names[..count].join("."))
}

pub(crate) fn keys_in(body: &Body) -> Vec<String> {
    let mut keys = Vec::new();
    nodes(body, &mut |node| {
        keys.extend(node.all_references().iter().filter_map(|it| key_of(it)));
    });
    keys
}

/// The values that a module is made of.
pub(crate) fn values<'a>(module: &'a Module, visit: &mut dyn FnMut(&'a Node)) {
    for local in &module.locals {
        visit(&local.value);
    }
    let bodies = module.resources.iter().map(|it| &it.block.body);
    let bodies = bodies.chain(module.calls.iter().map(|it| &it.block.body));
    let blocks = module
        .outputs
        .iter()
        .chain(&module.providers)
        .chain(&module.checks);
    let bodies = bodies.chain(blocks.map(|it| &it.body));
    for body in bodies {
        nodes(body, visit);
    }
}

/// Every name that a module refers to.
pub(crate) fn references(module: &Module) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    values(module, &mut |node| {
        all.extend(node.all_references().iter().filter_map(|it| key_of(it)));
    });
    all
}

/// Where a module first asks for the workspace.
pub(crate) fn workspace_of(module: &Module) -> Option<Place> {
    let mut first = None;
    values(module, &mut |node| {
        let mut names = node.all_references().into_iter();
        if first.is_none() && names.any(|it| it.join(".") == "terraform.workspace") {
            first = Some(node.place);
        }
    });
    first
}

fn provider_key(block: &Block) -> String {
    match block.body.value("alias").and_then(Node::text) {
        Some(alias) => format!("provider {}.{alias}", block.labels[0]),
        None => format!("provider {}", block.labels[0]),
    }
}
