//! A resource type or data source as the sandbox serves it: its schema and how the provider treats it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use terrane_core::schema::{FactsKind, ProviderSchema, Schema, from_facts_line};

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

impl Kind {
    pub(crate) fn behaviour(&self) -> &Behaviour {
        self.behaviour.get_or_init(|| Behaviour::of(&self.name))
    }
}

impl Kinds {
    /// The kinds that a text of facts names. Lines that are none are left out: the text was written by this very program.
    pub(crate) fn read(facts: &str) -> Self {
        let mut kinds = Self::default();
        for line in facts.lines() {
            let Ok((kind, name, schema)) = from_facts_line(line) else {
                continue;
            };
            let (name, schema): (Arc<str>, _) = (name.into(), Arc::new(schema));
            match kind {
                FactsKind::Provider => kinds.schema.provider = Some(schema),
                FactsKind::DataSource => {
                    kinds.schema.data_sources.insert(name, schema);
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

    pub(crate) fn resource(&self, name: &str) -> Option<&Kind> {
        self.resources.get(name)
    }
}
