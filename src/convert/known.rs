//! Which values a program has to know while it declares: those that `count`, `for_each` and their like look at, and what those are made of.

use std::collections::HashSet;

use crate::ast::{Body, Kind, Node};
use crate::model::{Configuration, Module};
use crate::order::{Need, needs_in, needs_of};

/// How much of a value is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// All of it: a member of an object may become a key.
    Whole,
    /// Its keys and its length: members of objects and elements of lists may be what the cloud decides.
    Structure,
}

/// Values by their module and key: `var.zones`, `local.names`, `output.count`.
pub(crate) struct Known {
    whole: HashSet<(usize, String)>,
    structure: HashSet<(usize, String)>,
}

impl Known {
    pub(crate) fn of(configuration: &Configuration) -> Self {
        Self {
            whole: known_values(configuration, Look::Whole),
            structure: known_values(configuration, Look::Structure),
        }
    }

    /// Whether the program looks at the value while it declares.
    pub(crate) fn contains(&self, look: Look, module: usize, key: &str) -> bool {
        let all = match look {
            Look::Whole => &self.whole,
            Look::Structure => &self.structure,
        };
        all.contains(&(module, key.to_owned()))
    }
}

impl Look {
    /// What the expression refers to in the parts that are looked at.
    pub(crate) fn needs(self, node: &Node) -> Vec<Need> {
        let inner = |one: &Node| match one.kind {
            Kind::Object(_) | Kind::List(_) => self.needs(one),
            _ => Vec::new(),
        };
        match (self, &node.kind) {
            (Self::Structure, Kind::List(all)) => all.iter().flat_map(inner).collect(),
            (Self::Structure, Kind::Object(members)) => {
                let members = members.iter();
                let needs =
                    members.flat_map(|(key, one)| needs_of(key).into_iter().chain(inner(one)));
                needs.collect()
            }
            _ => needs_of(node),
        }
    }
}

fn known_values(configuration: &Configuration, look: Look) -> HashSet<(usize, String)> {
    let mut all = HashSet::new();
    let mut waiting: Vec<(usize, Need)> = Vec::new();
    for (place, module) in configuration.modules.iter().enumerate() {
        let needs = of_module(look, module).into_iter();
        waiting.extend(needs.map(|need| (place, need)));
    }
    while let Some((place, need)) = waiting.pop() {
        let module = &configuration.modules[place];
        let Some((kind, name)) = need.key.split_once('.') else {
            continue;
        };
        let mut add = |place: usize, node: &Node| {
            waiting.extend(look.needs(node).into_iter().map(|need| (place, need)));
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
    all
}

fn of_module(look: Look, module: &Module) -> Vec<Need> {
    let resources = module.resources.iter().map(|it| &it.block.body);
    let calls = module.calls.iter().map(|it| &it.block.body);
    let mut needs: Vec<Need> = resources
        .chain(calls)
        .flat_map(|body| known_needs(look, body))
        .collect();
    let conditions = module.variables.iter().chain(&module.outputs);
    let conditions = conditions.flat_map(|it| &it.body.blocks);
    for condition in conditions.chain(&module.checks) {
        needs.extend(needs_in(&condition.body));
    }
    needs
}

/// What decides whether, how often and after what something is declared.
pub(crate) fn known_needs(look: Look, body: &Body) -> Vec<Need> {
    let mut needs = rounds(look, body);
    needs.extend(
        body.value("count")
            .into_iter()
            .flat_map(|it| look.needs(it)),
    );
    needs.extend(
        body.value("for_each")
            .into_iter()
            .flat_map(|it| look.needs(it)),
    );
    // What is only computed has no order of its own.
    let after = body.value("depends_on").into_iter().flat_map(needs_of);
    needs.extend(after.filter(|it| !it.key.starts_with("var.") && !it.key.starts_with("local.")));
    for block in body.blocks_of("lifecycle") {
        needs.extend(needs_in(&block.body));
    }
    needs
}

/// How often blocks are repeated. The arguments of others may have any name.
fn rounds(look: Look, body: &Body) -> Vec<Need> {
    let mut needs = Vec::new();
    for block in &body.blocks {
        if block.kind == "dynamic" {
            let each = block.body.value("for_each").into_iter();
            needs.extend(each.flat_map(|it| look.needs(it)));
        }
        needs.extend(rounds(look, &block.body));
    }
    needs
}
