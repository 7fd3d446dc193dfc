//! The resource graph: declared instances, what a plan does to them, and their dependencies.
//!
//! | module | holds |
//! |---|---|
//! | `reduce` | the dependencies that no others imply: the arrows that are drawn |
//! | `layout` | places of boxes in columns, and ways of arrows between them |
//! | `nest` | modules as boxes around the boxes of their resources |
//! | `svg` | the picture |
//! | `mermaid` | the sketch for Markdown, folded when it is large |
//! | `text` | Graphviz and JSON, which hold everything |
//! | `paint` | a colour and a sign for each fate of a node |

mod layout;
mod mermaid;
mod nest;
mod paint;
mod reduce;
mod svg;
mod text;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use terrane_core::addr::{ConfigAddr, InstanceAddr, InstanceKey, Mode, ModuleAddr};
use terrane_core::{Id as _, Program};
use terrane_engine::{Action, DeferralReason, DeferredModule, Plan, ResourceChange};
use terrane_state::DeposedKey;

pub(super) use layout::layout;
pub(crate) use mermaid::mermaid;
pub(super) use paint::{Fate, Look};
pub(crate) use svg::svg;
pub(crate) use text::{dot, json};

/// Resource instances and their dependencies, by index.
pub(crate) struct ResourceGraph {
    pub(super) nodes: Vec<Node>,
    /// Whether it shows a plan: nodes have fates.
    pub(super) is_plan: bool,
}

/// One resource instance, or a module whose resources are not known yet.
#[derive(Clone, Serialize)]
pub(super) struct Node {
    pub(super) address: String,
    pub(super) module: String,
    pub(super) mode: &'static str,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    /// The address without the module.
    pub(super) name: String,
    /// Where; an object that is no longer declared lies nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) declared: Option<String>,
    #[serde(skip)]
    pub(super) path: ModuleAddr,
    #[serde(skip)]
    pub(super) fate: Option<Fate>,
    /// Indexes of its dependencies, sorted, each once.
    #[serde(skip)]
    pub(super) needs: Vec<usize>,
}

impl Node {
    /// An instance that needs those nodes.
    pub(super) fn new(
        address: &InstanceAddr,
        declared: Option<String>,
        mut needs: Vec<usize>,
    ) -> Self {
        needs.sort_unstable();
        needs.dedup();
        Self {
            declared,
            needs,
            ..Self::of(address)
        }
    }

    /// An instance that needs nothing.
    fn of(address: &InstanceAddr) -> Self {
        let module = address.resource.module.to_string();
        let full = address.to_string();
        let name = match module.is_empty() {
            true => full.clone(),
            false => full[module.len() + 1..].to_owned(),
        };
        Self {
            address: full,
            module,
            mode: match address.resource.mode {
                Mode::Managed => "managed",
                Mode::Data => "data",
                Mode::Ephemeral => "ephemeral",
            },
            type_name: address.resource.type_name.to_string(),
            name,
            declared: None,
            path: address.resource.module.clone(),
            fate: None,
            needs: Vec::new(),
        }
    }

    /// An object that is no longer declared.
    fn gone(address: &InstanceAddr, deposed: Option<DeposedKey>) -> Self {
        let mut node = Self::of(address);
        if let Some(key) = deposed {
            node.address = format!("{} (deposed {key})", node.address);
            node.name = format!("{} (deposed {key})", node.name);
        }
        node
    }

    /// A module that is planned later.
    fn of_module(program: &Program, module: &DeferredModule) -> Self {
        let needs = match &module.reason {
            DeferralReason::ValueUnknown { needs, .. } => program.position(needs),
            DeferralReason::DependencyDeferred { on } => program.position(on),
            _ => None,
        };
        let address = module.address.to_string();
        Self {
            module: address.clone(),
            address,
            mode: MODULE,
            type_name: String::new(),
            name: "resources known later".to_owned(),
            declared: module.location.map(|location| location.to_string()),
            path: module.address.clone(),
            fate: Some(Fate::Deferred(module.action)),
            needs: needs.map(|id| id.place()).into_iter().collect(),
        }
    }

    /// The type with its mode, and the name with its key.
    pub(super) fn kind_and_name(&self) -> (String, &str) {
        let ty = &*self.type_name;
        match self.name.split_once(&format!("{ty}.")) {
            Some((mode, name)) if !ty.is_empty() => (format!("{mode}{ty}"), name),
            _ => (String::new(), &self.name),
        }
    }

    pub(super) fn look(&self) -> Look {
        paint::look(self.fate)
    }
}

/// The mode of a node that stands for the unknown resources of a module.
const MODULE: &str = "module";

impl ResourceGraph {
    /// The graph of a program.
    pub(crate) fn of(program: &Program) -> Self {
        let providers = program.providers();
        let nodes = program.resources().iter().map(|resource| {
            let needed = resource.dependencies.iter();
            let needed = needed.chain(&providers[resource.provider].dependencies);
            let needs = needed.map(|id| id.place()).collect();
            let declared = Some(resource.location.to_string());
            Node::new(&resource.address, declared, needs)
        });
        Self {
            nodes: nodes.collect(),
            is_plan: false,
        }
    }

    /// The graph of a plan: the program's, with actions, and the objects that are no longer declared.
    pub(crate) fn of_plan(program: &Program, plan: &Plan) -> Self {
        let mut graph = Self::of(program);
        graph.is_plan = true;
        let mut gone = Vec::new();
        for change in &plan.changes {
            match (program.position(&change.address), change.deposed) {
                (Some(id), None) => {
                    graph.nodes[id.place()].fate = Some(Fate::Planned(change.action));
                }
                // A left-over of a replacement; the box of the object that took its place stands for both.
                (Some(_), Some(_)) => {}
                (None, _) if change.action == Action::NoOp => {}
                (None, deposed) => {
                    gone.push((graph.nodes.len(), change));
                    graph.nodes.push(Node {
                        fate: Some(Fate::Planned(change.action)),
                        ..Node::gone(&change.address, deposed)
                    });
                }
            }
        }
        graph.connect(program, plan, &gone);
        graph.defer(program, plan);
        graph
    }

    /// What the plan leaves to a later one.
    fn defer(&mut self, program: &Program, plan: &Plan) {
        for change in &plan.deferred {
            let fate = Some(Fate::Deferred(change.action));
            match (program.position(&change.address), change.deposed) {
                (Some(id), None) => self.nodes[id.place()].fate = fate,
                (Some(_), Some(_)) => {}
                (None, deposed) => self.nodes.push(Node {
                    fate,
                    ..Node::gone(&change.address, deposed)
                }),
            }
        }
        let modules = plan.deferred_modules.iter();
        self.nodes
            .extend(modules.map(|module| Node::of_module(program, module)));
    }

    /// The dependencies of objects that are no longer declared, as the state remembers them: it knows resources, not instances.
    fn connect(&mut self, program: &Program, plan: &Plan, gone: &[(usize, &ResourceChange)]) {
        /// Of more instances of one resource only that with the same key is meant, or the first.
        const FEW: usize = 8;
        type Key<'a> = (&'a ModuleAddr, Option<&'a InstanceKey>);
        type Instances<'a> = BTreeMap<Key<'a>, usize>;
        fn key(address: &InstanceAddr) -> Key<'_> {
            (&address.resource.module, address.key.as_ref())
        }
        let mut places: HashMap<ConfigAddr, Instances<'_>> = HashMap::new();
        let declared = program.resources().iter().enumerate();
        let declared = declared.map(|(place, resource)| (place, &resource.address));
        let gone_places = gone.iter().map(|(place, change)| (*place, &change.address));
        for (place, address) in declared.chain(gone_places) {
            let instances = places.entry(address.resource.config()).or_default();
            instances.entry(key(address)).or_insert(place);
        }
        for (place, change) in gone {
            let known = plan.prior.resources.get(&*change.address);
            let Some(object) = known.and_then(|instance| match change.deposed {
                Some(key) => instance.deposed.get(&key),
                None => instance.current.as_ref(),
            }) else {
                continue;
            };
            let mut needs = Vec::new();
            for instances in object.dependencies.iter().filter_map(|it| places.get(it)) {
                match instances.get(&key(&change.address)) {
                    Some(same) if instances.len() > FEW => needs.push(*same),
                    _ if instances.len() > FEW => needs.extend(instances.values().take(1)),
                    _ => needs.extend(instances.values()),
                }
            }
            needs.retain(|need| need != place);
            needs.sort_unstable();
            needs.dedup();
            self.nodes[*place].needs = needs;
        }
    }

    /// Dependencies by node, without those that follow from others.
    pub(super) fn reduced(&self) -> Vec<Vec<usize>> {
        reduce::reduced(&self.needs())
    }

    fn needs(&self) -> Vec<Vec<usize>> {
        self.nodes.iter().map(|node| node.needs.clone()).collect()
    }

    /// Modules in the order of their first resource, each with its resources.
    pub(super) fn modules(&self) -> Vec<(&str, Vec<usize>)> {
        let mut modules: Vec<(&str, Vec<usize>)> = Vec::new();
        let mut places = HashMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let next = modules.len();
            let place = *places.entry(&*node.module).or_insert(next);
            if place == next {
                modules.push((&node.module, Vec::new()));
            }
            modules[place].1.push(index);
        }
        modules
    }
}

#[cfg(test)]
mod tests;
