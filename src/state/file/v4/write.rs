//! Writes a state file of version 4, byte for byte in the form Terraform gives it.

use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode};

use super::instance::write_entries;
use super::json::{Layout, Writer};
use super::pieces::Pieces;
use crate::model::{Instance, RawJson, State};

/// Writes a state file with its final newline, in time linear in its size.
pub fn write(state: &State, layout: Layout) -> Vec<u8> {
    write_pieces(state, layout).to_vec()
}

/// The same in pieces, which take less memory than the whole.
pub fn write_pieces(state: &State, layout: Layout) -> Pieces {
    let mut out = Writer::new(layout);
    out.open('{');
    out.name("version");
    out.literal("4");
    out.name("terraform_version");
    out.string(&state.terraform_version);
    out.name("serial");
    out.literal(&state.serial.to_string());
    out.name("lineage");
    out.string(state.lineage.as_str());
    out.name("outputs");
    out.open('{');
    for (name, output) in &state.outputs {
        out.name(name);
        out.open('{');
        out.name("value");
        out.literal(output.value.as_str());
        out.name("type");
        out.literal(&output.ty.to_json());
        if output.sensitive {
            out.name("sensitive");
            out.literal("true");
        }
        write_extra(&output.extra, &mut out);
        out.close('}');
    }
    out.close('}');
    out.name("resources");
    out.open('[');
    for resource in resources(state) {
        resource.write(&mut out);
    }
    out.close(']');
    out.name("check_results");
    out.literal(state.check_results.as_ref().map_or("null", RawJson::as_str));
    write_extra(&state.extra, &mut out);
    out.close('}');
    out.end_line();
    out.finish()
}

pub(super) fn write_extra(extra: &[(Arc<str>, RawJson)], out: &mut Writer<'_>) {
    for (name, value) in extra {
        out.name(name);
        out.literal(value.as_str());
    }
}

type Entry<'a> = (&'a InstanceAddr, &'a Arc<Instance>);

/// One element of `resources`: the instances of a resource that have one provider configuration.
struct Resource<'a> {
    module: String,
    mode: &'static str,
    provider: String,
    instances: Vec<Entry<'a>>,
}

/// The resources in the order of Terraform's files: by module (as text), mode, type, name.
fn resources(state: &State) -> Vec<Resource<'_>> {
    let mut resources: Vec<Resource<'_>> = Vec::new();
    // The map is in order of addresses, so the instances of a resource lie together.
    let entries: Vec<Entry<'_>> = state.resources.iter().collect();
    for same in entries.chunk_by(|(a, _), (b, _)| a.resource == b.resource) {
        let first = resources.len();
        for entry in same {
            let provider = &entry.1.provider;
            let known = &mut resources[first..];
            match known
                .iter_mut()
                .find(|one| one.instances[0].1.provider == *provider)
            {
                Some(one) => one.instances.push(*entry),
                None => resources.push(Resource {
                    module: entry.0.resource.module.to_string(),
                    mode: match entry.0.resource.mode {
                        Mode::Managed => "managed",
                        Mode::Data => "data",
                        // Nothing puts one into a state.
                        Mode::Ephemeral => "ephemeral",
                    },
                    provider: provider.to_string(),
                    instances: vec![*entry],
                }),
            }
        }
    }
    resources.sort_by(|a, b| a.order().cmp(&b.order()));
    resources
}

impl<'s> Resource<'s> {
    fn order(&self) -> (&str, &str, &str, &str, &str) {
        let resource = &self.instances[0].0.resource;
        (
            &self.module,
            self.mode,
            &resource.type_name,
            &resource.name,
            &self.provider,
        )
    }

    fn write(&self, out: &mut Writer<'s>) {
        let resource = &self.instances[0].0.resource;
        out.open('{');
        if !self.module.is_empty() {
            out.name("module");
            out.string(&self.module);
        }
        out.name("mode");
        out.string(self.mode);
        out.name("type");
        out.string(&resource.type_name);
        out.name("name");
        out.string(&resource.name);
        out.name("provider");
        out.string(&self.provider);
        out.name("instances");
        out.open('[');
        for (address, instance) in &self.instances {
            write_entries(address.key.as_ref(), instance, out);
        }
        out.close(']');
        out.close('}');
    }
}
