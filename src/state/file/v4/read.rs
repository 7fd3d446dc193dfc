//! Reads a state file of version 4.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use terrane_core::Type;
use terrane_core::addr::{InstanceAddr, Mode, ModuleAddr, ResourceAddr};

use super::instance::{self, Interned};
use crate::counter;
use crate::file::FileError;
use crate::file::node::{self, Node};
use crate::model::{Instance, OutputValue, State};

/// More bytes than any state has; a guard against reading something else into memory.
const MAX_SIZE: usize = 512 * 1024 * 1024;

/// Reads a state file.
///
/// # Errors
/// When the bytes are not a state of version 4; the error names the place. There is no input for which this panics or returns
/// an empty state for a damaged one.
pub fn read(bytes: &[u8]) -> Result<State, FileError> {
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    if bytes.len() > MAX_SIZE {
        return Err(FileError::TooLarge {
            size: bytes.len(),
            limit: MAX_SIZE,
        });
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_text(bytes, error.valid_up_to())),
    };
    let root = node::document(text)?;
    let mut members = root.members()?;
    let version = members.take(&root, "version");
    if version.is_none()
        && let Some(envelope) = members.take(&root, "encryption_version")
    {
        return Err(FileError::Encrypted {
            encryption_version: envelope.string()?.into_owned(),
        });
    }
    if let Some(header) = members.take(&root, "terrane_encryption") {
        let key = header.members()?.need(&header, "key")?;
        return Err(FileError::Sealed {
            key: key.string()?.into_owned(),
        });
    }
    let Some(version) = version else {
        return Err(root.damaged("member \"version\" is missing"));
    };
    match version.u64()? {
        4 => {}
        version @ 1..=3 => return Err(FileError::OldVersion { version }),
        0 => return Err(version.damaged("version 0 does not exist")),
        version => return Err(FileError::NewVersion { version }),
    }
    let mut state = State::new("".into());
    if let Some(release) = members.take(&root, "terraform_version") {
        state.terraform_version = release.string()?.as_ref().into();
    }
    if let Some(serial) = members.take(&root, "serial") {
        state.serial = serial.u64()?;
        counter::check("serial", state.serial).map_err(|reason| serial.damaged(reason))?;
    }
    if let Some(lineage) = members.take(&root, "lineage") {
        state.lineage = (&*lineage.string()?).into();
    }
    if let Some(outputs) = members.take(&root, "outputs") {
        state.outputs = read_outputs(&outputs)?;
    }
    // Without this member the file would be a stack that has nothing, and the next run would make everything again.
    let resources = members.need(&root, "resources")?;
    state.resources = read_resources(&resources)?;
    if let Some(results) = members.take(&root, "check_results") {
        state.check_results = Some(results.raw()?);
    }
    state.extra = members.rest(&root)?;
    Ok(state)
}

/// The serial, from the first bytes of a file: every writer puts it before anything that may be long. `None` where it is not there.
pub fn serial_in_start(start: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(start);
    let before = text.find("\"outputs\"").unwrap_or(text.len());
    let (_, rest) = text[..before].split_once("\"serial\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let (digits, _) = rest.split_once(|c: char| !c.is_ascii_digit())?;
    digits.parse().ok()
}

fn not_text(bytes: &[u8], at: usize) -> FileError {
    let before = &bytes[..at];
    FileError::Damaged {
        line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
        column: 1 + before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count(),
        path: String::new(),
        reason: "not UTF-8 text".into(),
    }
}

fn read_outputs(node: &Node<'_, '_>) -> Result<BTreeMap<Arc<str>, OutputValue>, FileError> {
    let mut outputs = BTreeMap::new();
    for (name, text) in node.members()?.into_iter() {
        let node = node.child(&name, text);
        let mut members = node.members()?;
        let value = members.take(&node, "value");
        // `take` counts null as absent, and null is a value an output can have.
        let value = value.map_or_else(|| node.child("value", "null").raw(), |value| value.raw())?;
        let ty = members.need(&node, "type")?;
        let ty = Type::from_json(ty.text().as_bytes()).map_err(|error| ty.damaged(error))?;
        let sensitive = members
            .take(&node, "sensitive")
            .map_or(Ok(false), |flag| flag.bool())?;
        let extra = members.rest(&node)?;
        let output = OutputValue {
            value,
            ty,
            sensitive,
            extra,
        };
        outputs.insert(name.as_ref().into(), output);
    }
    Ok(outputs)
}

fn read_resources(node: &Node<'_, '_>) -> Result<BTreeMap<InstanceAddr, Arc<Instance>>, FileError> {
    let mut instances: BTreeMap<InstanceAddr, Instance> = BTreeMap::new();
    let mut interned = Interned::default();
    node.elements(|node| {
        let mut members = node.members()?;
        let module = match members.take(&node, "module") {
            None => ModuleAddr::root(),
            Some(module) => match &*module.string()? {
                "" => ModuleAddr::root(),
                // Leniently: earlier versions stored keys as JSON quotes them.
                text => ModuleAddr::parse_lenient(text).map_err(|error| module.damaged(error))?,
            },
        };
        let mode = members.need(&node, "mode")?;
        let mode = match &*mode.string()? {
            "managed" => Mode::Managed,
            "data" => Mode::Data,
            other => return Err(mode.damaged(format_args!("unknown mode {other:?}"))),
        };
        let resource = ResourceAddr {
            module,
            mode,
            type_name: name(&members.need(&node, "type")?)?,
            name: name(&members.need(&node, "name")?)?,
        };
        let provider = members.take(&node, "provider");
        let provider = provider
            .map(|provider| interned.provider(&provider))
            .transpose()?;
        let entries = members.need(&node, "instances")?;
        entries.elements(|node| {
            let entry = instance::read_entry(&node, &mut interned)?;
            let provider = entry.provider.or_else(|| provider.clone());
            let Some(provider) = provider else {
                return Err(node.damaged("no provider is named"));
            };
            let instance = match instances.entry(resource.clone().instance(entry.key)) {
                Slot::Occupied(slot) => slot.into_mut(),
                Slot::Vacant(slot) => slot.insert(Instance {
                    provider,
                    current: None,
                    deposed: BTreeMap::new(),
                }),
            };
            instance::insert(&node, instance, entry.deposed, entry.object)
        })
    })?;
    let instances = instances.into_iter();
    Ok(instances
        .map(|(address, instance)| (address, Arc::new(instance)))
        .collect())
}

/// A resource type or name: it becomes part of addresses, so it must be able to.
fn name(node: &Node<'_, '_>) -> Result<Arc<str>, FileError> {
    let text = node.string()?;
    if text.is_empty()
        || text.contains(|c: char| c.is_control() || c.is_whitespace() || ".[]\"/".contains(c))
    {
        return Err(node.damaged("not a name"));
    }
    Ok(text.as_ref().into())
}
