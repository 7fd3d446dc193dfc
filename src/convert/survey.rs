//! What a conversion reports of a configuration: its blocks, notes, and the line each object came from.

use serde_json::json;

use crate::model;
use crate::model::Configuration;
use crate::order::workspace_of;

/// Values that no variable takes, and the workspaces that programs do not have.
pub(crate) fn notes(configuration: &Configuration) -> Vec<String> {
    let sources = &configuration.sources;
    let variables = &configuration.modules[0].variables;
    let mut notes = Vec::new();
    for value in &configuration.values {
        if !variables.iter().any(|it| it.labels[0] == value.name) {
            notes.push(format!(
                "{}: no variable is called `{}`: the value is left out",
                sources.shown(value.place),
                value.name
            ));
        }
    }
    for module in &configuration.modules {
        if let Some(place) = workspace_of(module) {
            notes.push(format!(
                "{}: `terraform.workspace` is \"default\" in the program: convert each workspace that you have, or read a variable",
                sources.shown(place)
            ));
        }
    }
    notes
}

/// How many blocks there are.
pub(crate) fn blocks(configuration: &Configuration) -> usize {
    let of = |module: &model::Module| {
        module.variables.len()
            + module.locals.len()
            + module.resources.len()
            + module.calls.len()
            + module.outputs.len()
            + module.providers.len()
            + module.moved.len()
            + module.removed.len()
            + module.imports.len()
            + module.checks.len()
            + module.others.len()
            + usize::from(module.backend.is_some())
    };
    configuration.modules.iter().map(of).sum()
}

/// Where each resource stands in the original, by its address without keys.
pub(crate) fn origins(configuration: &Configuration) -> String {
    pub(crate) fn add(
        configuration: &Configuration,
        place: usize,
        before: &str,
        all: &mut serde_json::Map<String, serde_json::Value>,
    ) {
        let module = &configuration.modules[place];
        for resource in &module.resources {
            let shown = configuration.sources.shown(resource.block.place);
            all.insert(format!("{before}{}", resource.address()), json!(shown));
        }
        for call in &module.calls {
            add(
                configuration,
                call.module,
                &format!("{before}module.{}.", call.name),
                all,
            );
        }
    }
    let mut all = serde_json::Map::new();
    add(configuration, 0, "", &mut all);
    format!("{:#}\n", serde_json::Value::Object(all))
}
