//! Lists the objects of a resource type that exist, and tells which of them no state has.

use std::collections::HashSet;

use terrane_core::addr::Mode;
use terrane_core::schema::IdentitySchema;
use terrane_core::{Diagnostic, Diagnostics, Program, Value, closest};
use terrane_provider::{ListResource, ListedResource};
use terrane_state::{MemoryRecorder, State};

use crate::engine::Engine;
use crate::recover::Remembered;
use crate::running::call_failed;

/// One object that exists and that the state does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name, for people.
    pub name: String,
    /// The attributes of its identity that have a value, in the order of their names.
    pub identity: Vec<(String, Value)>,
}

/// The objects of a type that exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Those that the state does not have.
    pub found: Vec<Found>,
    /// How many others there are.
    pub known: usize,
    /// The provider stopped at the limit: there may be more.
    pub is_cut: bool,
    /// What the provider had to say.
    pub diagnostics: Diagnostics,
}

/// The objects of one type that a state has, by what they can be recognised by.
struct Recorded {
    identities: HashSet<String>,
    ids: HashSet<String>,
    /// Some have no identity, and can only be recognised by their ids.
    needs_objects: bool,
}

impl Engine<'_> {
    /// Lists the objects of a type through every configuration of its provider, at most `limit` through each. `arguments` narrow the list
    /// down as the provider's documentation of the list resource says.
    ///
    /// # Errors
    /// When no provider of the program lists the type, and when one cannot.
    pub async fn query(
        &self,
        program: &Program,
        state: &State,
        type_name: &str,
        arguments: &Value,
        limit: u32,
    ) -> Result<Inventory, Diagnostics> {
        let work = self.query_now(program, state, type_name, arguments, limit);
        let inventory = self.running().renewing(work).await;
        let closed = self.running().close_ephemerals().await;
        let mut inventory = inventory?;
        inventory.diagnostics.extend(closed);
        Ok(inventory)
    }

    async fn query_now(
        &self,
        program: &Program,
        state: &State,
        type_name: &str,
        arguments: &Value,
        limit: u32,
    ) -> Result<Inventory, Diagnostics> {
        let recorder = MemoryRecorder::rehearsing(state.clone(), Vec::new());
        let remembered = Remembered::new(program, &recorder, self.running());
        let mut inventory = Inventory::default();
        let mut seen: HashSet<String> = HashSet::new();
        let mut listable: Vec<String> = Vec::new();
        let mut is_listed = false;
        for (position, config) in program.providers().entries() {
            let source = &config.address.source;
            let process = self.running().process_of(source).await?;
            listable.extend(process.list_resources().iter().map(ToString::to_string));
            let failed = |error| call_failed(&error, &config.address);
            let Some(schema) = process.list_resource_schema(type_name).map_err(failed)? else {
                continue;
            };
            is_listed = true;
            let provider = remembered.configured(position).await?;
            let failed = |error| call_failed(&error, &config.address);
            let identity = provider.identity_schema(type_name).map_err(failed)?;
            let recorded = Recorded::of(state, type_name, identity.as_deref());
            let config = schema.block.coerce(arguments).map_err(|problems| {
                let problems = problems.into_iter().map(Diagnostic::from);
                let about = |problem: Diagnostic| problem.address(type_name);
                problems.map(about).collect::<Diagnostics>()
            })?;
            let request = ListResource {
                type_name,
                config: &config,
                include_resource_object: recorded.needs_objects,
                limit,
            };
            let said = provider.validate_list_resource_config(request).await;
            let ((), said) = said.map_err(failed)?.into_result(())?;
            inventory.diagnostics.extend(said);
            let listed = provider.list_resource(request).await.map_err(failed)?;
            inventory.is_cut |= listed.len() >= limit as usize;
            for one in listed {
                inventory.diagnostics.extend(one.diagnostics.clone());
                if !seen.insert(mark(&one)) {
                    continue;
                }
                if recorded.has(&one) {
                    inventory.known += 1;
                } else {
                    inventory.found.push(found(&one));
                }
            }
        }
        inventory.diagnostics.extend(remembered.into_warnings());
        if !is_listed {
            return Err(unlisted(type_name, &listable).into());
        }
        inventory.found.sort_by(|a, b| a.name.cmp(&b.name));
        let diagnostics = std::mem::take(&mut inventory.diagnostics);
        let (mut inventory, warnings) = diagnostics.into_result(inventory)?;
        inventory.diagnostics = warnings;
        Ok(inventory)
    }
}

impl Recorded {
    fn of(state: &State, type_name: &str, schema: Option<&IdentitySchema>) -> Self {
        let mut recorded = Self {
            identities: HashSet::new(),
            ids: HashSet::new(),
            needs_objects: false,
        };
        for (address, instance) in &state.resources {
            let resource = &address.resource;
            if resource.mode != Mode::Managed || &*resource.type_name != type_name {
                continue;
            }
            for object in instance.current.iter().chain(instance.deposed.values()) {
                let identity = object
                    .identity
                    .as_ref()
                    .zip(schema)
                    .and_then(|(it, schema)| {
                        let json = it.json.as_str().as_bytes();
                        Value::from_json(json, schema.ty()).ok()
                    });
                recorded.needs_objects |= identity.is_none();
                recorded
                    .identities
                    .extend(identity.map(|identity| text(&identity)));
                let json = object.attributes.raw().as_str().as_bytes();
                let id = Value::from_json_untyped(json).ok();
                let id = id.as_ref().and_then(|object| object.get("id")?.as_str());
                recorded.ids.extend(id.map(str::to_owned));
            }
        }
        recorded
    }

    fn has(&self, listed: &ListedResource) -> bool {
        let identity = listed.identity.as_ref().map(|identity| &identity.value);
        let id = |value: Option<&Value>| {
            let id = value.and_then(|value| value.get("id")?.as_str());
            id.is_some_and(|id| self.ids.contains(id))
        };
        identity.is_some_and(|identity| self.identities.contains(&text(identity)))
            || id(listed.object.as_ref())
            || id(identity)
    }
}

fn text(identity: &Value) -> String {
    format!("{identity:?}")
}

/// What tells a listed object from others: two configurations may list the same ones.
fn mark(listed: &ListedResource) -> String {
    match &listed.identity {
        Some(identity) => text(&identity.value),
        None => format!("{}{:?}", listed.display_name, listed.object),
    }
}

fn found(listed: &ListedResource) -> Found {
    let identity = listed.identity.as_ref();
    let members = identity.and_then(|identity| identity.value.members());
    let members = members.into_iter().flatten();
    let known = members.filter(|(_, value)| !value.is_null());
    Found {
        name: listed.display_name.clone(),
        identity: known
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect(),
    }
}

fn unlisted(type_name: &str, listable: &[String]) -> Diagnostic {
    let error = Diagnostic::error(format!("no provider of the program lists `{type_name}`"));
    let error = match listable.len() {
        0 => error.detail("none of them lists anything"),
        1 => error.detail("they list one type"),
        count => error.detail(format!("they list {count} types")),
    };
    match closest(type_name, listable.iter().map(String::as_str)) {
        Some(close) => error.hint(format!("did you mean `{close}`?")),
        None => {
            error.hint("the provider's documentation of a type says whether it has a list resource")
        }
    }
}
