//! A resource type or data source as the sandbox serves it: its schema and how the provider treats it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use terrane_core::schema::{
    AttributeType, Block, FactsKind, ProviderSchema, Schema, from_facts_line, from_function_line,
};
use terrane_core::value::Map;
use terrane_core::{Type, Value};

use crate::behaviour::Behaviour;

/// A resource type.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: Arc<str>,
    pub(crate) schema: Arc<Schema>,
    behaviour: OnceLock<Behaviour>,
}

/// Everything that is served.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    pub(crate) schema: ProviderSchema,
    resources: BTreeMap<Arc<str>, Kind>,
}

/// The member of the private data that holds the id of an object whose type has no attribute for it.
const ID: &str = "sandbox_id";

impl Kind {
    /// Whether an object shows its id.
    pub(crate) fn shows_id(&self) -> bool {
        let id = self.schema.block.attributes.get("id");
        id.is_some_and(|id| id.ty() == Type::String)
    }

    /// Whether an object can be in another region than the provider.
    pub(crate) fn is_regional(&self) -> bool {
        let region = self.schema.block.attributes.get("region");
        region.is_some_and(|region| region.optional && region.computed)
    }

    /// The id of an object, from its attributes or its private data.
    pub(crate) fn id_of(&self, object: &Map, private: &[u8]) -> String {
        if self.shows_id() {
            let id = object.get("id").and_then(Value::as_str);
            return id.unwrap_or_default().to_owned();
        }
        let private: serde_json::Value = serde_json::from_slice(private).unwrap_or_default();
        private[ID].as_str().unwrap_or_default().to_owned()
    }

    /// The private data of an object with that id: what the SDK keeps, its schema's version, and the id where nothing shows it.
    pub(crate) fn private(&self, id: Option<&str>) -> Bytes {
        let mut members = serde_json::Map::new();
        if self.schema.version > 0 {
            let version = self.schema.version.to_string();
            members.insert("schema_version".to_owned(), version.into());
        }
        if let Some(id) = id.filter(|_| !self.shows_id()) {
            members.insert(ID.to_owned(), id.into());
        }
        match members.is_empty() {
            true => Bytes::from_static(b"null"),
            false => serde_json::Value::Object(members).to_string().into(),
        }
    }

    pub(crate) fn behaviour(&self) -> &Behaviour {
        self.behaviour.get_or_init(|| Behaviour::of(&self.name))
    }
}

impl Kinds {
    /// The kinds that a text of facts names. Lines that are none are left out: the text was written by this very program.
    pub(crate) fn read(facts: &str) -> Self {
        let mut kinds = Self::default();
        for line in facts.lines() {
            if let Ok((name, function)) = from_function_line(line) {
                (kinds.schema.functions).insert(name.into(), Arc::new(function));
                continue;
            }
            let Ok((kind, name, schema)) = from_facts_line(line) else {
                continue;
            };
            let (name, schema): (Arc<str>, _) = (name.into(), Arc::new(schema));
            match kind {
                FactsKind::Provider => kinds.schema.provider = Some(schema),
                FactsKind::DataSource => {
                    kinds.schema.data_sources.insert(name, schema);
                }
                FactsKind::Ephemeral => {
                    kinds.schema.ephemeral_resources.insert(name, schema);
                }
                FactsKind::Resource => {
                    kinds.schema.resources.insert(name.clone(), schema.clone());
                    let kind = Kind {
                        name: name.clone(),
                        schema,
                        behaviour: OnceLock::new(),
                    };
                    kinds.resources.insert(name, kind);
                }
            }
        }
        kinds
    }

    /// Whether these are the types of the AWS provider.
    pub(crate) fn is_aws(&self) -> bool {
        let mut names = self
            .schema
            .resources
            .keys()
            .chain(self.schema.data_sources.keys());
        names.next().is_some_and(|name| name.starts_with("aws_"))
    }

    /// Whether an attribute has members with flags of their own, for which only protocol 6 has a form.
    pub(crate) fn has_nested_attributes(&self) -> bool {
        fn nested(block: &Block) -> bool {
            let mut attributes = block.attributes.values();
            attributes.any(|attribute| matches!(attribute.ty, AttributeType::Nested(_)))
                || block.blocks.values().any(|inner| nested(&inner.block))
        }
        let types = self
            .schema
            .resources
            .values()
            .chain(self.schema.data_sources.values())
            .chain(self.schema.ephemeral_resources.values());
        let mut all = types.chain(&self.schema.provider);
        all.any(|schema| nested(&schema.block))
    }

    pub(crate) fn resource(&self, name: &str) -> Option<&Kind> {
        self.resources.get(name)
    }
}
