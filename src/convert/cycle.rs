//! Values that need themselves, through the inputs and outputs of modules: what Terraform calls a cycle.

use std::collections::HashMap;

use crate::ast::Place;
use crate::model::{Configuration, Module};
use crate::order::{Need, needs_in, needs_of};
use crate::sources::ConvertError;

/// One call of a module, by the calls around it.
struct Instance {
    module: usize,
    /// Its address and a dot; nothing for the root module.
    prefix: String,
    /// The instance around it, and the place of the call there.
    parent: Option<(usize, usize)>,
    /// By the name of the call.
    children: HashMap<String, usize>,
}

/// A value: of which instance, and its key: `var.x`, `local.x`, `output.x`, `aws_vpc.main`.
type Value = (usize, String);

/// Refuses a configuration in which a value needs itself.
///
/// # Errors
/// With the values of the cycle and their places.
pub(crate) fn check_cycles(configuration: &Configuration) -> Result<(), ConvertError> {
    let instances = instances(configuration);
    let graph = Graph {
        configuration,
        instances: &instances,
    };
    // Whether all that the value needs was seen.
    let mut seen: HashMap<Value, bool> = HashMap::new();
    for (place, instance) in instances.iter().enumerate() {
        let module = &configuration.modules[instance.module];
        let resources = module.resources.iter().map(|it| it.address());
        let locals = module.locals.iter().map(|it| format!("local.{}", it.name));
        for key in resources.chain(locals) {
            let start = (place, key);
            if seen.contains_key(&start) {
                continue;
            }
            seen.insert(start.clone(), false);
            let mut path = vec![(graph.needs(&start), start)];
            while let Some((needs, value)) = path.last_mut() {
                let Some(needed) = needs.pop() else {
                    seen.insert(value.clone(), true);
                    path.pop();
                    continue;
                };
                match seen.get(&needed) {
                    None => {
                        seen.insert(needed.clone(), false);
                        path.push((graph.needs(&needed), needed));
                    }
                    // Its own instances, in conditions and provisioners.
                    Some(false) if needed == *value => {}
                    Some(false) => {
                        let values = path.iter().map(|(_, value)| value);
                        let cycle: Vec<&Value> = values.skip_while(|it| **it != needed).collect();
                        return Err(graph.refused(&cycle));
                    }
                    Some(true) => {}
                }
            }
        }
    }
    Ok(())
}

fn instances(configuration: &Configuration) -> Vec<Instance> {
    let mut all = vec![Instance {
        module: 0,
        prefix: String::new(),
        parent: None,
        children: HashMap::new(),
    }];
    let mut next = 0;
    while next < all.len() {
        let calls = &configuration.modules[all[next].module].calls;
        for (place, call) in calls.iter().enumerate() {
            let child = all.len();
            let prefix = format!("{}module.{}.", all[next].prefix, call.name);
            all[next].children.insert(call.name.clone(), child);
            all.push(Instance {
                module: call.module,
                prefix,
                parent: Some((next, place)),
                children: HashMap::new(),
            });
        }
        next += 1;
    }
    all
}

struct Graph<'a> {
    configuration: &'a Configuration,
    instances: &'a [Instance],
}

impl<'a> Graph<'a> {
    fn module(&self, instance: usize) -> &'a Module {
        &self.configuration.modules[self.instances[instance].module]
    }

    fn needs(&self, (instance, key): &Value) -> Vec<Value> {
        let module = self.module(*instance);
        let name = key.split_once('.').map_or("", |(_, name)| name);
        if key.starts_with("var.") {
            let Some((outer, place)) = self.instances[*instance].parent else {
                return Vec::new();
            };
            let body = &self.module(outer).calls[place].block.body;
            let names = [name, "count", "for_each"];
            let needs = names.iter().filter_map(|it| body.value(it));
            return self.values(outer, needs.flat_map(needs_of).collect());
        }
        let needs = if key.starts_with("output.") {
            let output = module.outputs.iter().find(|it| it.labels[0] == name);
            output.map(|it| needs_in(&it.body))
        } else if key.starts_with("local.") {
            let local = module.locals.iter().find(|it| it.name == name);
            local.map(|it| needs_of(&it.value))
        } else {
            let resource = module.resources.iter().find(|it| it.address() == *key);
            resource.map(|it| needs_in(&it.block.body))
        };
        self.values(*instance, needs.unwrap_or_default())
    }

    /// What an instance's expressions refer to.
    fn values(&self, instance: usize, needs: Vec<Need>) -> Vec<Value> {
        let mut all = Vec::new();
        for need in needs {
            let call = need.key.strip_prefix("module.");
            let child = call.and_then(|it| self.instances[instance].children.get(it));
            match (child, need.output) {
                (None, _) => all.push((instance, need.key)),
                (Some(child), Some(output)) => all.push((*child, format!("output.{output}"))),
                (Some(child), None) => {
                    let outputs = self.module(*child).outputs.iter();
                    all.extend(outputs.map(|it| (*child, format!("output.{}", it.labels[0]))));
                }
            }
        }
        all
    }

    fn place(&self, (instance, key): &Value) -> Option<Place> {
        let module = self.module(*instance);
        let name = key.split_once('.').map_or("", |(_, name)| name);
        let labelled = |all: &[crate::ast::Block]| {
            let block = all.iter().find(|it| it.labels[0] == name);
            block.map(|it| it.place)
        };
        if key.starts_with("var.") {
            return labelled(&module.variables);
        }
        if key.starts_with("output.") {
            return labelled(&module.outputs);
        }
        if key.starts_with("local.") {
            let local = module.locals.iter().find(|it| it.name == name);
            return local.map(|it| it.place);
        }
        let resource = module.resources.iter().find(|it| it.address() == *key);
        resource.map(|it| it.block.place)
    }

    fn refused(&self, cycle: &[&Value]) -> ConvertError {
        let sources = &self.configuration.sources;
        let shown = |value: &&Value| {
            let address = format!("{}{}", self.instances[value.0].prefix, value.1);
            match self.place(value) {
                Some(place) => format!("{address} ({})", sources.shown(place)),
                None => address,
            }
        };
        let around: Vec<String> = cycle.iter().chain(cycle.first()).map(shown).collect();
        let place = cycle.first().and_then(|it| self.place(it));
        let first = around.first().and_then(|it| it.split(' ').next());
        let reason = format!(
            "{} depends on itself: {}",
            first.unwrap_or_default(),
            around.join(" → ")
        );
        ConvertError::at(sources, place.unwrap_or_default(), reason)
    }
}
