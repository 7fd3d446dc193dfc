//! The order of declarations in a function: each name is declared before its use.

use std::collections::{BTreeSet, HashMap};

use crate::ast::{Block, Body, Node, Place};
use crate::bindings::local_of;
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

impl World<'_> {
    pub(crate) fn order(&self, module: &Module) -> Result<Vec<Item>, ConvertError> {
        let mut items: Vec<(String, Item, Vec<String>, Place)> = Vec::new();
        for (place, block) in module.providers.iter().enumerate() {
            items.push((
                provider_key(block),
                Item::Provider(place),
                keys_in(&block.body),
                block.place,
            ));
        }
        for (place, local) in module.locals.iter().enumerate() {
            let keys = local
                .value
                .all_references()
                .iter()
                .filter_map(|it| key_of(it))
                .collect();
            items.push((
                format!("local.{}", local.name),
                Item::Local(place),
                keys,
                local.place,
            ));
        }
        for (place, resource) in module.resources.iter().enumerate() {
            let mut keys = keys_in(&resource.block.body);
            let provider = resource.block.body.value("provider").and_then(Node::names);
            let provider = provider.map_or_else(
                || local_of(&resource.type_name).to_owned(),
                |names| names.join("."),
            );
            keys.push(format!("provider {provider}"));
            items.push((
                resource.address(),
                Item::Resource(place),
                keys,
                resource.block.place,
            ));
        }
        for (place, call) in module.calls.iter().enumerate() {
            let mut keys = keys_in(&call.block.body);
            keys.extend(module.providers.iter().map(provider_key));
            items.push((
                format!("module.{}", call.name),
                Item::Call(place),
                keys,
                call.block.place,
            ));
        }
        let by_key: HashMap<&str, usize> = items
            .iter()
            .enumerate()
            .map(|(place, it)| (&*it.0, place))
            .collect();
        let mut sorted = Vec::new();
        // 0: not seen, 1: being visited, 2: done.
        let mut seen = vec![0_u8; items.len()];
        for start in 0..items.len() {
            let mut path = vec![(start, 0_usize)];
            if seen[start] == 2 {
                continue;
            }
            seen[start] = 1;
            while let Some((item, next)) = path.pop() {
                let keys = &items[item].2;
                let Some(key) = keys.get(next) else {
                    seen[item] = 2;
                    sorted.push(items[item].1);
                    continue;
                };
                path.push((item, next + 1));
                let Some(&dependency) = by_key.get(&**key) else {
                    continue;
                };
                match seen[dependency] {
                    0 => {
                        seen[dependency] = 1;
                        path.push((dependency, 0));
                    }
                    // A provider that is configured by what it serves has to be declared after it.
                    1 if matches!(items[dependency].1, Item::Provider(_)) => {}
                    // Its own instances, in conditions and provisioners.
                    1 if dependency == item => {}
                    1 => {
                        let around: Vec<&str> = path.iter().map(|(it, _)| &*items[*it].0).collect();
                        let reason = match around.iter().any(|it| it.starts_with("module.")) {
                            true => format!(
                                "modules that need each other's outputs cannot be functions: {}",
                                around.join(" → ")
                            ),
                            false => format!(
                                "{} depends on itself: {}",
                                items[dependency].0,
                                around.join(" → ")
                            ),
                        };
                        return Err(ConvertError::at(
                            &self.configuration.sources,
                            items[item].3,
                            reason,
                        ));
                    }
                    _ => {}
                }
            }
        }
        Ok(sorted)
    }
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
