//! Which values a program has to know while it declares: those that `count`, `for_each` and their like look at, and what those are made of.

use std::collections::HashSet;

use crate::ast::{Body, Node};
use crate::model::{Configuration, Module};
use crate::order::{Need, needs_of, nodes};

/// Values by their module and key: `var.zones`, `local.names`, `output.count`.
pub(crate) struct Known(HashSet<(usize, String)>);

impl Known {
    pub(crate) fn of(configuration: &Configuration) -> Self {
        let mut all = HashSet::new();
        let mut waiting: Vec<(usize, Need)> = Vec::new();
        for (place, module) in configuration.modules.iter().enumerate() {
            of_module(module, &mut |node| {
                waiting.extend(needs_of(node).into_iter().map(|need| (place, need)));
            });
        }
        while let Some((place, need)) = waiting.pop() {
            let module = &configuration.modules[place];
            let Some((kind, name)) = need.key.split_once('.') else {
                continue;
            };
            let mut add = |place: usize, node: &Node| {
                waiting.extend(needs_of(node).into_iter().map(|need| (place, need)));
            };
            match kind {
                "local" if all.insert((place, need.key.clone())) => {
                    for local in module.locals.iter().filter(|it| it.name == name) {
                        add(place, &local.value);
                    }
                }
                "var" if all.insert((place, need.key.clone())) => {
                    for (caller, outer) in configuration.modules.iter().enumerate() {
                        let calls = outer.calls.iter().filter(|it| it.module == place);
                        for value in calls.filter_map(|it| it.block.body.value(name)) {
                            add(caller, value);
                        }
                    }
                }
                "module" => {
                    let Some(call) = module.calls.iter().find(|it| it.name == name) else {
                        continue;
                    };
                    for output in &configuration.modules[call.module].outputs {
                        let label = &output.labels[0];
                        let is_meant = need.output.as_ref().is_none_or(|it| it == label);
                        if is_meant
                            && all.insert((call.module, format!("output.{label}")))
                            && let Some(value) = output.body.value("value")
                        {
                            add(call.module, value);
                        }
                    }
                }
                _ => {}
            }
        }
        Self(all)
    }

    /// Whether the program looks at the value while it declares.
    pub(crate) fn contains(&self, module: usize, key: &str) -> bool {
        self.0.contains(&(module, key.to_owned()))
    }
}

fn of_module<'a>(module: &'a Module, visit: &mut dyn FnMut(&'a Node)) {
    let resources = module.resources.iter().map(|it| &it.block.body);
    let calls = module.calls.iter().map(|it| &it.block.body);
    for body in resources.chain(calls) {
        known_nodes(body, visit);
    }
    let conditions = module.variables.iter().chain(&module.outputs);
    for condition in conditions.flat_map(|it| &it.body.blocks) {
        nodes(&condition.body, visit);
    }
    for check in &module.checks {
        nodes(&check.body, visit);
    }
}

/// What decides whether, how often and after what something is declared.
pub(crate) fn known_nodes<'a>(body: &'a Body, visit: &mut dyn FnMut(&'a Node)) {
    for name in ["count", "for_each", "depends_on"] {
        body.value(name).into_iter().for_each(&mut *visit);
    }
    for block in body.blocks_of("lifecycle") {
        nodes(&block.body, visit);
    }
    rounds(body, visit);
}

/// How often blocks are repeated. The arguments of others may have any name.
fn rounds<'a>(body: &'a Body, visit: &mut dyn FnMut(&'a Node)) {
    for block in &body.blocks {
        if block.kind == "dynamic" {
            block
                .body
                .value("for_each")
                .into_iter()
                .for_each(&mut *visit);
        }
        rounds(&block.body, visit);
    }
}
