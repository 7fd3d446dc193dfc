//! A sandbox for tests: the schema of the bindings, a folder of its own, and objects from JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;
use terrane_core::Value;
use terrane_core::schema::Block;

use crate::cloud::Cloud;
use crate::kind::{Kind, Kinds};
use crate::operations::{Failure, Operations, Settings};
use crate::plan::{PlannedObject, plan};

/// The facts of a provider that the sandbox has no rules for.
const OTHER: &str = include_str!("../../tests/bindings/acme/schema/net.facts");

pub(crate) struct Sample {
    pub(crate) operations: Operations,
    pub(crate) settings: Settings,
    _folder: Option<tempfile::TempDir>,
}

pub(crate) fn kinds() -> Kinds {
    let providers = [
        &terrane_aws::PROVIDER,
        &terrane_helm::PROVIDER,
        &terrane_kubernetes::PROVIDER,
        &terrane_random::PROVIDER,
        &terrane_tls::PROVIDER,
    ];
    let facts = providers
        .iter()
        .flat_map(|provider| provider.facts.iter().copied());
    let resources: Vec<&str> = facts
        .chain([OTHER])
        .flat_map(str::lines)
        .filter(|line| !line.starts_with("provider "))
        .collect();
    Kinds::read(&resources.join("\n"))
}

/// As the engine proposes: attributes left to the provider stay as before, also in lists of blocks.
fn as_before(block: &Block, prior: &Value, proposed: Value) -> Value {
    let Some(mut members) = proposed.members().cloned() else {
        return proposed;
    };
    for (name, attribute) in &block.attributes {
        if attribute.computed
            && members[name].is_null()
            && let Some(was) = prior.get(name)
        {
            members.insert(name.clone(), was.clone());
        }
    }
    for (name, nested) in &block.blocks {
        if let (Value::List(elements), Some(Value::List(were))) = (&members[name], prior.get(name))
        {
            let pairs = elements.iter().zip(were.iter());
            let elements = pairs.map(|(new, was)| as_before(&nested.block, was, new.clone()));
            if elements.len() == were.len() {
                members.insert(name.clone(), Value::list(elements.collect()));
            }
        }
    }
    Value::Map(Arc::new(members))
}

/// An object of that kind with those members, the rest null or empty.
pub(crate) fn object(kind: &Kind, members: &Json) -> Value {
    let mut object: BTreeMap<_, _> = kind
        .schema
        .block
        .empty_value()
        .members()
        .cloned()
        .expect("an object");
    let json = members.to_string();
    let given =
        Value::from_json(json.as_bytes(), kind.schema.ty()).expect("an object of that type");
    for (name, value) in given.members().expect("an object") {
        if members.get(&**name).is_some() {
            object.insert(name.clone(), value.clone());
        }
    }
    Value::Map(Arc::new(object))
}

impl Sample {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sample = Self::at(folder.path());
        sample._folder = Some(folder);
        sample
    }

    pub(crate) fn at(folder: &Path) -> Self {
        let kinds = kinds();
        let cloud = Cloud::open(folder, &kinds).expect("a cloud");
        Self {
            operations: Operations::new(kinds, cloud),
            settings: Settings::new("us-east-1"),
            _folder: None,
        }
    }

    pub(crate) fn kind(&self, type_name: &str) -> &Kind {
        self.operations.kinds.resource(type_name).expect("a type")
    }

    pub(crate) fn plan(&self, type_name: &str, prior: &Value, config: &Json) -> PlannedObject {
        let kind = self.kind(type_name);
        let proposed = as_before(&kind.schema.block, prior, object(kind, config));
        plan(
            kind,
            prior,
            &proposed,
            &self.settings.default_tags,
            &self.settings.region,
        )
    }

    pub(crate) fn try_create(&self, type_name: &str, config: &Json) -> Result<Value, Failure> {
        let planned = self.plan(type_name, &Value::Null, config).object;
        let planned = planned.members().expect("an object");
        let (object, _) = self
            .operations
            .create(self.kind(type_name), planned, &self.settings)?;
        Ok(Value::Map(object.into()))
    }

    #[track_caller]
    pub(crate) fn create(&self, type_name: &str, config: &Json) -> Value {
        self.try_create(type_name, config).expect("AWS agrees")
    }

    pub(crate) fn try_delete(&self, type_name: &str, object: &Value) -> Result<(), Failure> {
        let (kind, object) = (self.kind(type_name), object.members().expect("an object"));
        let id = kind.id_of(object, b"");
        self.operations.delete(kind, &id, object, &self.settings)
    }

    pub(crate) fn read(&self, type_name: &str, object: &Value) -> Option<Value> {
        let (kind, object) = (self.kind(type_name), object.members().expect("an object"));
        let id = kind.id_of(object, b"");
        let read = self.operations.read(kind, &id, object, &self.settings);
        read.expect("readable")
            .map(|object| Value::Map(object.into()))
    }

    /// What AWS says to it.
    #[track_caller]
    pub(crate) fn refusal<T>(result: Result<T, Failure>) -> String {
        match result {
            Ok(_) => panic!("AWS agrees"),
            Err(failure) => failure.into_diagnostic().summary,
        }
    }
}

/// The text of a member.
pub(crate) fn text(object: &Value, name: &str) -> String {
    object
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
