//! How the fake provider answers when no hook says otherwise: as a well-made provider over a strict little cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use terrane_core::schema::{Attribute, AttributeType, Block, Nesting};
use terrane_core::value::Map;
use terrane_core::{Diagnostics, Path, Type, Value};
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, ImportResourceState,
    ImportResourceStateResponse, ImportedResource, MoveResourceState, MoveResourceStateResponse,
    PlanResourceChange, PlanResourceChangeResponse, RawState, ReadDataSource,
    ReadDataSourceResponse, ReadResource, ReadResourceResponse, UpgradeResourceStateResponse,
};

use crate::binding::FINDER;
use crate::cloud::{CloudObject, Contents, name_of, with_member};
use crate::fake_provider::FakeType;
use crate::process::{Process, error, identity_of};

impl Process {
    /// The stored object without attributes that the schema no longer has.
    pub(crate) fn upgrade(&self, type_name: &str, json: &[u8]) -> UpgradeResourceStateResponse {
        let schema = self.resource(type_name).schema;
        let state = Value::from_json(json, schema.ty()).unwrap_or_else(|error| {
            panic!("protocol: stored attributes are not of their type: {error}")
        });
        UpgradeResourceStateResponse {
            // Every provider SDK does that before it answers.
            upgraded_state: schema.block.write_only_to_null(&state),
            diagnostics: Diagnostics::new(),
        }
    }

    pub(crate) fn read(&self, request: &ReadResource<'_>) -> ReadResourceResponse {
        let id = id_of(request.current_state);
        let fake = self.resource(request.type_name);
        let contents = self.provider.cloud.lock();
        let object = contents.objects.get(id).filter(|object| self.sees(object));
        ReadResourceResponse {
            deferred: None,
            new_state: object.map_or(Value::Null, |object| object.value.clone()),
            private: request.private.clone(),
            new_identity: (fake.identity && object.is_some()).then(|| identity_of(id)),
            diagnostics: Diagnostics::new(),
        }
    }

    pub(crate) fn plan(&self, request: &PlanResourceChange<'_>) -> PlanResourceChangeResponse {
        let fake = self.resource(request.type_name);
        let (prior, mut planned) = (request.prior_state, request.proposed_new_state.clone());
        let mut requires_replace = Vec::new();
        if !planned.is_null() && planned != *prior {
            planned = unset_to_unknown(&fake.schema.block, &planned, request.config);
            for name in &fake.fields.volatile {
                if !prior.is_null() {
                    planned = with_member(&planned, name, Value::UNKNOWN);
                }
            }
            for name in &fake.fields.force_new {
                if !prior.is_null() && prior.get(name) != planned.get(name) {
                    requires_replace.push(Path::root().attribute(name.clone()));
                }
            }
        }
        PlanResourceChangeResponse {
            deferred: None,
            planned_state: planned,
            requires_replace,
            planned_private: Bytes::new(),
            planned_identity: None,
            legacy_type_system: fake.legacy,
            diagnostics: Diagnostics::new(),
        }
    }

    pub(crate) fn apply(&self, request: &ApplyResourceChange<'_>) -> ApplyResourceChangeResponse {
        let fake = self.resource(request.type_name);
        let verb = self.verb(request);
        let region = self.region();
        let mut contents = self.provider.cloud.lock();
        let result = match verb {
            "create" => create(&mut contents, &fake, request, &region),
            verb if !self.sees_prior(&contents, request) => unseen(verb, request),
            "update" => update(&mut contents, &fake, request),
            _ => delete(&mut contents, request),
        };
        let named = if request.planned_state.is_null() {
            request.prior_state
        } else {
            request.planned_state
        };
        let outcome = if result.is_ok() { "" } else { " refused" };
        let line = format!("{verb} {}{outcome}", name_of(named));
        contents.ledger.push(line);
        let (new_state, diagnostics) = match result {
            Ok(state) => (state, Diagnostics::new()),
            Err(message) => (request.prior_state.clone(), error(message)),
        };
        let number = contents.next();
        let private: Bytes = format!("{{\"applied\":{number}}}").into();
        let mut answer = ApplyResourceChangeResponse {
            new_identity: None,
            private: Bytes::new(),
            legacy_type_system: fake.legacy,
            new_state: Ok(new_state.clone()),
            diagnostics,
        };
        if let Some(object) = contents.objects.get_mut(id_of(&new_state))
            && !answer.diagnostics.has_errors()
        {
            object.private = private.clone();
            answer.private = private;
            answer.new_identity = fake.identity.then(|| identity_of(&object.id));
        }
        answer
    }

    fn sees_prior(&self, contents: &Contents, request: &ApplyResourceChange<'_>) -> bool {
        let object = contents.objects.get(id_of(request.prior_state));
        object.is_none_or(|object| self.sees(object))
    }

    /// Takes the id or the name of an object, and whatever else: the read that follows tells whether it is there.
    pub(crate) fn import(&self, request: &ImportResourceState<'_>) -> ImportResourceStateResponse {
        let identity = request
            .identity
            .and_then(|identity| identity.value.get("id"));
        let wanted = identity.and_then(Value::as_str).unwrap_or(request.id);
        self.note(format!("import {wanted}"));
        let fake = self.resource(request.type_name);
        let (name, region) = match wanted.split_once('@').filter(|_| is_placed(&fake)) {
            Some((name, region)) => (name, region.into()),
            None => (wanted, self.region()),
        };
        let contents = self.provider.cloud.lock();
        let mut objects = contents.objects.values();
        let found = objects.find(|object| {
            object.type_name == request.type_name
                && self.sees(object)
                && (!is_placed(&fake) || object.value.get("region") == Some(&region))
                && (object.id == name || object.name() == name)
        });
        let id = found.map_or(name, |object| &object.id);
        let state = with_member(&fake.schema.block.empty_value(), "id", id.into());
        ImportResourceStateResponse {
            deferred: None,
            imported_resources: vec![ImportedResource {
                type_name: request.type_name.to_owned(),
                state,
                private: found
                    .map(|object| object.private.clone())
                    .unwrap_or_default(),
                identity: fake.identity.then(|| identity_of(id)),
            }],
            diagnostics: Diagnostics::new(),
        }
    }

    /// Turns an object of any type into one of another: the attributes that both have stay.
    pub(crate) fn answer_move(&self, request: &MoveResourceState<'_>) -> MoveResourceStateResponse {
        let (from, to) = (request.source_type_name, request.target_type_name);
        self.note(format!("move {from} to {to}"));
        let RawState::Json(json) = request.source_state else {
            panic!("protocol: an object of an old form");
        };
        let source = Value::from_json_untyped(json).expect("protocol: JSON");
        let schema = self.resource(to).schema;
        let mut target = schema.block.empty_value();
        for name in schema.block.attributes.keys() {
            if let Some(value) = source.get(name).filter(|value| !value.is_null()) {
                target = with_member(&target, name, value.clone());
            }
        }
        let id = id_of(&target).to_owned();
        let mut contents = self.provider.cloud.lock();
        if let Some(object) = contents.objects.get_mut(&id) {
            object.type_name = to.to_owned();
        }
        MoveResourceStateResponse {
            target_state: target,
            target_private: request.source_private.clone(),
            target_identity: self.resource(to).identity.then(|| identity_of(&id)),
            diagnostics: Diagnostics::new(),
        }
    }

    fn find_by_tag(&self, config: &Value) -> ReadDataSourceResponse {
        let text = |name| config.get(name).and_then(Value::as_str).unwrap_or_default();
        let (key, value) = (text("key"), text("value"));
        let region = match text("region") {
            "" => self.region(),
            region => region.into(),
        };
        self.note(format!("find {key}"));
        let contents = self.provider.cloud.lock();
        let found = contents.objects.values().filter(|object| {
            let placed = is_placed(&self.resource(&object.type_name));
            let is_there = !placed || object.value.get("region") == Some(&region);
            let tags = (object.value.get("tags")).filter(|_| self.sees(object) && is_there);
            tags.and_then(|tags| tags.get(key)?.as_str()) == Some(value)
        });
        let found = found.map(|object| format!("{}/{}", object.type_name, object.id).into());
        let found = Value::list(found.collect());
        ReadDataSourceResponse {
            deferred: None,
            state: with_member(config, "found", found),
            diagnostics: Diagnostics::new(),
        }
    }

    pub(crate) fn read_data(&self, request: &ReadDataSource<'_>) -> ReadDataSourceResponse {
        if request.type_name == FINDER {
            return self.find_by_tag(request.config);
        }
        let name = name_of(request.config);
        self.note(format!("read data {name}"));
        let contents = self.provider.cloud.lock();
        let found = contents.objects.values().find(|o| o.name() == name);
        let Some(found) = found else {
            return ReadDataSourceResponse {
                deferred: None,
                state: request.config.clone(),
                diagnostics: error(format!("there is no `{name}`")),
            };
        };
        let mut state = with_member(request.config, "found", found.id.as_str().into());
        for name in ["size", "secret"] {
            let value = found.value.get(name).cloned().unwrap_or_default();
            state = with_member(&state, name, value);
        }
        ReadDataSourceResponse {
            deferred: None,
            state,
            diagnostics: Diagnostics::new(),
        }
    }
}

/// Whether objects of that type say where they lie.
fn is_placed(fake: &FakeType) -> bool {
    let region = fake.schema.block.attributes.get("region");
    region.is_some_and(|region| region.optional)
}

fn id_of(state: &Value) -> &str {
    state.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn create(
    contents: &mut Contents,
    fake: &FakeType,
    request: &ApplyResourceChange<'_>,
    region: &Value,
) -> Result<Value, String> {
    let name = name_of(request.planned_state);
    let taken =
        |object: &CloudObject| object.type_name == request.type_name && object.name() == name;
    if fake.unique_names && contents.objects.values().any(taken) {
        return Err(format!("the name `{name}` is taken"));
    }
    references_exist(contents, fake, request.planned_state)?;
    let id = format!("{name}-{}", contents.next());
    let mut value = with_member(request.planned_state, "id", id.as_str().into());
    if value.get("region").is_some_and(Value::is_unknown) {
        value = with_member(&value, "region", region.clone());
    }
    let value = fill(&fake.schema.block, &value, &id);
    let object = CloudObject {
        id: id.clone(),
        type_name: request.type_name.to_owned(),
        value: value.clone(),
        private: Bytes::new(),
        foreign: false,
    };
    contents.objects.insert(id, object);
    Ok(value)
}

fn update(
    contents: &mut Contents,
    fake: &FakeType,
    request: &ApplyResourceChange<'_>,
) -> Result<Value, String> {
    let id = id_of(request.prior_state).to_owned();
    if !contents.objects.contains_key(&id) {
        return Err(format!("{id} does not exist"));
    }
    references_exist(contents, fake, request.planned_state)?;
    let number = contents.next();
    let value = fill(
        &fake.schema.block,
        request.planned_state,
        &format!("{id}.{number}"),
    );
    let object = contents.objects.get_mut(&id);
    object.expect("it was just seen").value = value.clone();
    Ok(value)
}

/// A request for an object that exists where the process does not look.
fn unseen(verb: &str, request: &ApplyResourceChange<'_>) -> Result<Value, String> {
    match verb {
        "delete" => Ok(Value::Null),
        _ => Err(format!("{} does not exist", id_of(request.prior_state))),
    }
}

fn delete(contents: &mut Contents, request: &ApplyResourceChange<'_>) -> Result<Value, String> {
    let id = id_of(request.prior_state);
    let user = contents
        .objects
        .values()
        .find(|object| object.id != id && mentions(&object.value, id));
    if let Some(user) = user {
        return Err(format!("{id} is in use by {}", user.id));
    }
    contents.objects.remove(id);
    Ok(Value::Null)
}

/// Whether a reference of the object leads to that id.
fn mentions(object: &Value, id: &str) -> bool {
    let is = |value: &Value| value.as_str() == Some(id);
    ["parent", "links"].iter().any(|name| {
        object
            .get(name)
            .is_some_and(|value| is(value) || value.elements().unwrap_or_default().iter().any(is))
    })
}

fn references_exist(contents: &Contents, fake: &FakeType, planned: &Value) -> Result<(), String> {
    for name in &fake.fields.references {
        let Some(value) = planned.get(name) else {
            continue;
        };
        let ids = value.elements().unwrap_or(std::slice::from_ref(value));
        for id in ids.iter().filter_map(Value::as_str) {
            if !contents.objects.contains_key(id) {
                return Err(format!("{id} does not exist"));
            }
        }
    }
    Ok(())
}

/// The values that the provider will decide are unknown: computed, and neither set nor there already.
fn unset_to_unknown(block: &Block, planned: &Value, config: &Value) -> Value {
    let Value::Map(members) = planned else {
        return planned.clone();
    };
    let mut members = members.as_ref().clone();
    attributes_to_unknown(&block.attributes, &mut members, config);
    for (name, nested) in &block.blocks {
        let value = members.get(name).cloned().unwrap_or_default();
        let visit = |value: &Value| unset_to_unknown(&nested.block, value, &Value::Null);
        let ty = nested.block.implied_type();
        members.insert(name.clone(), each(nested.nesting, &value, &ty, &visit));
    }
    Value::Map(Arc::new(members))
}

fn attributes_to_unknown(
    attributes: &BTreeMap<Arc<str>, Attribute>,
    members: &mut Map,
    config: &Value,
) {
    for (name, attribute) in attributes {
        let value = members.get(name).cloned().unwrap_or_default();
        let set = config.get(name).is_some_and(|value| !value.is_null());
        if attribute.computed && value.is_null() && !set {
            members.insert(name.clone(), Value::UNKNOWN);
        } else if let AttributeType::Nested(nested) = &attribute.ty {
            let visit = |value: &Value| match value {
                Value::Map(inner) => {
                    let mut inner = inner.as_ref().clone();
                    attributes_to_unknown(&nested.attributes, &mut inner, &Value::Null);
                    Value::Map(Arc::new(inner))
                }
                other => other.clone(),
            };
            let ty = nested.object_type();
            members.insert(name.clone(), each(nested.nesting, &value, &ty, &visit));
        }
    }
}

fn each(nesting: Nesting, value: &Value, ty: &Type, visit: &dyn Fn(&Value) -> Value) -> Value {
    match (nesting, value) {
        (Nesting::Single | Nesting::Group, Value::Map(_)) => visit(value),
        (Nesting::List, Value::List(elements)) => Value::list(elements.iter().map(visit).collect()),
        (Nesting::Set, Value::Set(elements)) => {
            Value::set(elements.iter().map(visit).collect(), ty)
        }
        (Nesting::Map, Value::Map(members)) => Value::map(
            members
                .iter()
                .map(|(key, value)| (key.clone(), visit(value))),
        ),
        (_, other) => other.clone(),
    }
}

/// Decides the unknown values.
fn fill(block: &Block, planned: &Value, id: &str) -> Value {
    let mut number = 0;
    decide(planned, &block.implied_type(), "", id, &mut number)
}

fn decide(value: &Value, ty: &Type, name: &str, id: &str, number: &mut i64) -> Value {
    match (value, ty) {
        (Value::Unknown(_), Type::String) => {
            *number += 1;
            format!("{name}-{number}-of-{id}").into()
        }
        (Value::Unknown(_), Type::Number) => {
            *number += 1;
            (*number).into()
        }
        (Value::Unknown(_), Type::Bool) => true.into(),
        (Value::Unknown(_), Type::List(_)) => Value::list(Vec::new()),
        (Value::Unknown(_), Type::Set(_)) => Value::Set(Arc::default()),
        (Value::Unknown(_), Type::Map(_)) => Value::Map(Arc::default()),
        (Value::Unknown(_), _) => Value::Null,
        (Value::Map(members), Type::Object(object)) => {
            Value::map(members.iter().map(|(name, value)| {
                let ty = object.attributes.get(name).unwrap_or(&Type::Dynamic);
                (name.clone(), decide(value, ty, name, id, number))
            }))
        }
        (Value::Map(members), Type::Map(ty)) => Value::map(
            members
                .iter()
                .map(|(key, value)| (key.clone(), decide(value, ty, name, id, number))),
        ),
        (Value::List(elements), Type::List(ty)) => {
            let elements = elements.iter();
            Value::list(elements.map(|e| decide(e, ty, name, id, number)).collect())
        }
        (Value::Set(elements), Type::Set(ty)) => {
            let elements = elements.iter().map(|e| decide(e, ty, name, id, number));
            Value::set(elements.collect(), ty)
        }
        (known, _) => known.clone(),
    }
}
