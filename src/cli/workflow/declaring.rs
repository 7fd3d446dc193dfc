//! Writes declarations of objects that exist: found by their ids or by a list, read, and told in as few arguments as describe them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use terrane_codegen::{DeclaredObject, ExistingObject, ProjectBindings, declare_existing};
use terrane_core::addr::{InstanceAddr, Mode, ModuleAddr, ProviderSource, ResourceAddr};
use terrane_core::{Diagnostic, Program, Value};
use terrane_engine::{Draft, Engine, Sought};
use terrane_state::State;

use super::plan::Machine;
use crate::args::{NamedBy, NamedObject};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::view::printable::{counted, one_line};

/// Writes the objects into that file, or to standard output.
pub(crate) async fn declare(
    session: &Session<'_>,
    choice: impl AsyncFnOnce(&Engine<'_>, &Program, &State) -> Result<Vec<NamedObject>, CommandError>,
    into: Option<&Path>,
) -> Result<Exit, CommandError> {
    let file = match into {
        Some(path) if path.exists() => {
            let there = Diagnostic::error(format!("{} exists", path.display()));
            let there = there.detail("nothing was written");
            return Err(CommandError::usage(
                there.hint("name another file with `--into`"),
            ));
        }
        into => into.map(Path::to_owned),
    };
    let program = session.program().await?;
    let (state, _) = session.look().await?;
    let providers = session.providers(&program).await?;
    let machine = Machine::default();
    let feed = session.silent_feed();
    let engine = machine.engine(&providers, &feed, NonZeroUsize::MIN, session);
    let _signals = Signals::stopping(engine.stopper(), session.streams.clone());
    let program = session.expanded(&engine, program, &state).await?;
    let drafted = draft(&engine, &program, &state, choice).await;
    engine.close().await;
    let (named, drafts) = drafted?;
    if drafts.is_empty() {
        session.note("there is nothing to declare: the state has every object\n");
        return Ok(Exit::DONE);
    }
    write(session, &program, &state, &named, drafts, file)
}

async fn draft(
    engine: &Engine<'_>,
    program: &Program,
    state: &State,
    choice: impl AsyncFnOnce(&Engine<'_>, &Program, &State) -> Result<Vec<NamedObject>, CommandError>,
) -> Result<(Vec<NamedObject>, Vec<Draft>), CommandError> {
    let named = choice(engine, program, state).await?;
    let sought = named.iter().enumerate().map(|(place, object)| {
        let resource = ResourceAddr {
            module: ModuleAddr::root(),
            mode: Mode::Managed,
            type_name: object.type_name.as_str().into(),
            name: object
                .name
                .clone()
                .unwrap_or_else(|| format!("existing_{place}"))
                .as_str()
                .into(),
        };
        let (id, identity) = match &object.by {
            NamedBy::Id(id) => (id.clone(), None),
            NamedBy::Identity(identity) => (String::new(), Some(identity.clone())),
        };
        Sought {
            address: resource.instance(None),
            id,
            identity,
        }
    });
    let (drafts, _) = engine.draft(program, state, sought.collect()).await?;
    for draft in &drafts {
        refuse_known(state, draft)?;
    }
    Ok((named, drafts))
}

/// Refuses an object that the state has.
fn refuse_known(state: &State, draft: &Draft) -> Result<(), CommandError> {
    let id = draft.object.get("id").and_then(Value::as_str);
    let type_name = &draft.sought.address.resource.type_name;
    let known = state.resources.iter().find(|(address, instance)| {
        let ids = instance.current.iter().filter_map(|object| object.id());
        address.resource.type_name == *type_name
            && address.resource.mode == Mode::Managed
            && ids.into_iter().any(|known| Some(&*known) == id)
    });
    match known {
        None => Ok(()),
        Some((address, _)) => {
            let id = one_line(id.unwrap_or_default());
            let known = Diagnostic::error(format!("{type_name} `{id}` is in the state already"));
            let known = known.detail(format!("at {address}; nothing was written"));
            Err(CommandError::usage(known.hint("leave it out")))
        }
    }
}

fn write(
    session: &Session<'_>,
    program: &Program,
    state: &State,
    named: &[NamedObject],
    drafts: Vec<Draft>,
    file: Option<PathBuf>,
) -> Result<Exit, CommandError> {
    let bindings = ProjectBindings::of(Path::new(""));
    let mut schemas = BTreeMap::new();
    let objects: Vec<ExistingObject> = drafts
        .into_iter()
        .zip(named)
        .map(|(draft, named)| {
            let source = short(&draft.provider.source);
            let found = bindings.resource(&source, &named.type_name, &draft.schema.block);
            schemas.insert(named.type_name.clone(), (source, draft.schema.clone()));
            let implied = ProviderSource::implied_by(&named.type_name);
            ExistingObject {
                type_name: named.type_name.clone(),
                source: (implied != draft.provider.source).then(|| written(&draft.provider.source)),
                name: named.name.clone(),
                id: draft.sought.id,
                identity: draft.sought.identity,
                block: draft.schema.block.clone(),
                object: draft.object,
                arguments: draft.arguments,
                secrets: draft.secrets,
                differences: draft.differences,
                bindings: found,
            }
        })
        .collect();
    let declared = program.resources().iter().filter_map(|resource| {
        let address = &resource.address;
        if address.resource.mode != Mode::Managed || !address.resource.module.is_root() {
            return None;
        }
        let current = state.instance(address)?.current.as_ref()?;
        let object = Value::from_json_untyped(current.attributes.raw().as_str().as_bytes());
        let source = short(&program.providers()[resource.provider].address.source);
        let type_name = address.resource.type_name.to_string();
        let schema = schemas.get(&type_name);
        Some(DeclaredObject {
            bindings: schema
                .and_then(|(_, schema)| bindings.resource(&source, &type_name, &schema.block)),
            name: name_of(address),
            object: object.ok()?,
            type_name,
        })
    });
    let declared: Vec<DeclaredObject> = declared.collect();
    let written = declare_existing("existing", &objects, &declared).map_err(|error| {
        Diagnostic::error("cannot format the program").detail(error.to_string())
    })?;
    let untyped = objects.iter().filter(|object| object.bindings.is_none());
    let untyped: Vec<&str> = untyped.map(|object| &*object.type_name).collect();
    let count = counted(objects.len(), "object");
    match &file {
        None => session.streams.out(written.text.into_bytes()),
        Some(path) => {
            // A file of the program's sources, which everybody may read.
            let created = std::fs::File::create_new(path);
            let saved = created.and_then(|mut file| file.write_all(written.text.as_bytes()));
            saved.map_err(|error| {
                let unwritten = Diagnostic::error(format!("cannot write {}", path.display()));
                unwritten.detail(error.to_string())
            })?;
            let module = path.file_stem().map(|it| it.to_string_lossy().into_owned());
            let module = module.unwrap_or_default();
            session.note(&format!(
                "{count} written to {path}; add `mod {module};` to the program and call `{module}::existing(stack)?`, then `{preview}` shows them as imports\n",
                path = one_line(&path.display().to_string()),
                preview = session.again("preview"),
            ));
        }
    }
    if let Some(first) = untyped.first() {
        session.note(&format!(
            "{} of them without bindings, as {first}: `bindings add` makes some\n",
            untyped.len()
        ));
    }
    Ok(Exit::DONE)
}

/// A provider as bindings name it: `hashicorp/aws`.
fn short(source: &ProviderSource) -> String {
    format!("{}/{}", source.namespace, source.type_name)
}

/// A provider as a program names it.
fn written(source: &ProviderSource) -> String {
    match &*source.host {
        ProviderSource::DEFAULT_HOST => short(source),
        _ => source.to_string(),
    }
}

/// A resource's name, with the key of its instance.
fn name_of(address: &InstanceAddr) -> String {
    match &address.key {
        Some(key) => format!("{}_{key}", address.resource.name),
        None => address.resource.name.to_string(),
    }
}
