//! The schemas of a provider, each decoded when it is first needed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use terrane_core::Type;
use terrane_core::schema::Schema;

use crate::provider::{CallError, Capabilities};
use crate::wire::tfplugin6::ResourceIdentitySchema;
use crate::wire::{LazyProviderSchema, Protocol, Rpc, decode_schema, identity_type};

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
    has_provider_meta: bool,
    resources: HashMap<String, Lazy<Schema>>,
    data_sources: HashMap<String, Lazy<Schema>>,
    identities: BTreeMap<String, ResourceIdentitySchema>,
    identity_types: HashMap<String, OnceLock<Result<IdentityType, String>>>,
}

/// The version and type of an identity.
type IdentityType = (u64, Type);

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

impl Lazy<Schema> {
    fn get(&self, protocol: Protocol, what: &str) -> Result<Arc<Schema>, CallError> {
        let decoded = self
            .decoded
            .get_or_init(|| decode_schema(&self.encoded, protocol).map(Arc::new));
        decoded.clone().map_err(|reason| CallError::Garbled {
            rpc: Rpc::GetProviderSchema.name(),
            reason: format!("{what}: {reason}"),
        })
    }
}

impl Schemas {
    pub(crate) fn new(protocol: Protocol, answer: SchemaResponse) -> Self {
        let response = answer.schema;
        let identities = answer.identities.unwrap_or_default();
        let announced = response.server_capabilities.unwrap_or_default();
        let by_name = |schemas: Vec<crate::wire::LazySchema>| {
            (schemas.into_iter())
                .map(|entry| (entry.name, Lazy::new(entry.schema)))
                .collect()
        };
        Self {
            protocol,
            capabilities: Capabilities {
                plan_destroy: announced.plan_destroy,
                get_provider_schema_optional: announced.get_provider_schema_optional,
                move_resource_state: announced.move_resource_state,
            },
            config: Lazy::new(response.provider.unwrap_or_default()),
            has_provider_meta: response.provider_meta.is_some(),
            resources: by_name(response.resources),
            data_sources: by_name(response.data_sources),
            identity_types: (identities.keys())
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

    pub(crate) fn has_provider_meta(&self) -> bool {
        self.has_provider_meta
    }

    pub(crate) fn config(&self) -> Result<Arc<Schema>, CallError> {
        self.config
            .get(self.protocol, "the provider's configuration")
    }

    pub(crate) fn resource(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let schema = self.resources.get(name);
        schema
            .map(|schema| schema.get(self.protocol, name))
            .transpose()
    }

    pub(crate) fn data_source(&self, name: &str) -> Result<Option<Arc<Schema>>, CallError> {
        let schema = self.data_sources.get(name);
        schema
            .map(|schema| schema.get(self.protocol, name))
            .transpose()
    }

    /// The version and type of a resource type's identity.
    pub(crate) fn identity(&self, name: &str) -> Result<Option<(u64, Type)>, CallError> {
        let (Some(schema), Some(decoded)) =
            (self.identities.get(name), self.identity_types.get(name))
        else {
            return Ok(None);
        };
        let decoded = decoded.get_or_init(|| {
            let version = u64::try_from(schema.version).unwrap_or(0);
            identity_type(schema).map(|ty| (version, ty))
        });
        decoded
            .clone()
            .map(Some)
            .map_err(|reason| CallError::Garbled {
                rpc: Rpc::GetResourceIdentitySchemas.name(),
                reason: format!("{name}: {reason}"),
            })
    }
}
