//! The schemas of a provider, each decoded when it is first needed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use terrane_core::schema::{Function, IdentitySchema, Schema};

use crate::provider::{CallError, Capabilities};
use crate::wire::tfplugin6::ResourceIdentitySchema;
use crate::wire::{
    LazyProviderSchema, LazySchema, Protocol, Rpc, decode_action_schema, decode_function,
    decode_schema, read_identity_schema,
};

/// A process's response to the request for its schemas; cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SchemaResponse {
    pub(crate) schema: LazyProviderSchema,
    /// None where it failed to say them, which another process may not.
    pub(crate) identities: Option<BTreeMap<String, ResourceIdentitySchema>>,
}

/// The schemas of one provider. The encoded ones share the buffer of the response: tens of megabytes for the largest providers,
/// of which a run decodes a few per cent.
pub(crate) struct Schemas {
    protocol: Protocol,
    capabilities: Capabilities,
    config: Lazy<Schema>,
    provider_meta: Option<Lazy<Schema>>,
    resources: HashMap<String, Lazy<Schema>>,
    data_sources: HashMap<String, Lazy<Schema>>,
    ephemeral_resources: HashMap<String, Lazy<Schema>>,
    list_resources: BTreeMap<String, Lazy<Schema>>,
    actions: HashMap<String, Lazy<Schema>>,
    functions: BTreeMap<String, Lazy<Function>>,
    identities: BTreeMap<String, ResourceIdentitySchema>,
    identity_schemas: HashMap<String, OnceLock<Result<Arc<IdentitySchema>, String>>>,
}

/// A schema that is decoded once.
struct Lazy<T> {
    encoded: Bytes,
    decoded: OnceLock<Result<Arc<T>, String>>,
}

impl<T> Lazy<T> {
    fn new(encoded: Bytes) -> Self {
        Self {
            encoded,
            decoded: OnceLock::new(),
        }
    }
}

impl<T> Lazy<T> {
    fn get(
        &self,
        what: &str,
        decode: impl FnOnce(&Bytes) -> Result<T, String>,
    ) -> Result<Arc<T>, CallError> {
        let decoded = self
            .decoded
            .get_or_init(|| decode(&self.encoded).map(Arc::new));
        decoded.clone().map_err(|reason| CallError::Garbled {
            rpc: Rpc::GetProviderSchema.name(),
            reason: format!("{what}: {reason}"),
        })
    }
}

/// Schemas by name, still encoded.
fn by_name<T, M: FromIterator<(String, Lazy<T>)>>(schemas: Vec<LazySchema>) -> M {
    (schemas.into_iter())
        .map(|entry| (entry.name, Lazy::new(entry.schema)))
        .collect()
}

impl Schemas {
    pub(crate) fn new(protocol: Protocol, answer: SchemaResponse) -> Self {
        let response = answer.schema;
        let identities = answer.identities.unwrap_or_default();
        let announced = response.server_capabilities.unwrap_or_default();
        Self {
            protocol,
            capabilities: Capabilities {
                plan_destroy: announced.plan_destroy,
                get_provider_schema_optional: announced.get_provider_schema_optional,
                move_resource_state: announced.move_resource_state,
                generate_resource_config: announced.generate_resource_config,
            },
            config: Lazy::new(response.provider.unwrap_or_default()),
            provider_meta: response.provider_meta.map(Lazy::new),
            resources: by_name(response.resources),
            data_sources: by_name(response.data_sources),
            ephemeral_resources: by_name(response.ephemeral_resources),
            list_resources: by_name(response.list_resources),
            actions: by_name(response.actions),
            functions: by_name(response.functions),
            identity_schemas: (identities.keys())
                .map(|name| (name.clone(), OnceLock::new()))
                .collect(),
            identities,
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    pub(crate) fn provider_meta(&self) -> Result<Option<Arc<Schema>>, CallError> {
        self.named("provider_meta", self.provider_meta.as_ref())
    }

    pub(crate) fn config(&self) -> Result<Arc<Schema>, CallError> {
        self.schema("the provider's configuration", &self.config)
    }

    pub(crate) fn resource(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.named(name, self.resources.get(name))
    }

    pub(crate) fn data_source(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.named(name, self.data_sources.get(name))
    }

    pub(crate) fn ephemeral_resource(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.named(name, self.ephemeral_resources.get(name))
    }

    pub(crate) fn list_resource(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        self.named(name, self.list_resources.get(name))
    }

    pub(crate) fn list_resources(&self) -> Vec<Arc<str>> {
        names(&self.list_resources)
    }

    pub(crate) fn action(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let decode = |bytes: &Bytes| decode_action_schema(bytes, self.protocol);
        let schema = self.actions.get(name);
        schema.map(|schema| schema.get(name, decode)).transpose()
    }

    pub(crate) fn function(&self, name: &str) -> Result<Option<Arc<Function>>, CallError> {
        let function = self.functions.get(name);
        function
            .map(|function| function.get(name, decode_function))
            .transpose()
    }

    pub(crate) fn functions(&self) -> Vec<Arc<str>> {
        names(&self.functions)
    }

    fn named(
        &self,
        name: &str,
        schema: Option<&Lazy<Schema>>,
    ) -> Result<Option<Arc<Schema>>, CallError> {
        schema.map(|schema| self.schema(name, schema)).transpose()
    }

    fn schema(&self, what: &str, schema: &Lazy<Schema>) -> Result<Arc<Schema>, CallError> {
        schema.get(what, |bytes| decode_schema(bytes, self.protocol))
    }

    /// The schema of a resource type's identity.
    pub(crate) fn identity(&self, name: &str) -> Result<Option<Arc<IdentitySchema>>, CallError> {
        let (Some(schema), Some(decoded)) =
            (self.identities.get(name), self.identity_schemas.get(name))
        else {
            return Ok(None);
        };
        let decoded = decoded.get_or_init(|| read_identity_schema(schema).map(Arc::new));
        decoded
            .clone()
            .map(Some)
            .map_err(|reason| CallError::Garbled {
                rpc: Rpc::GetResourceIdentitySchemas.name(),
                reason: format!("{name}: {reason}"),
            })
    }
}

fn names<T>(by_name: &BTreeMap<String, T>) -> Vec<Arc<str>> {
    by_name.keys().map(|name| name.as_str().into()).collect()
}
