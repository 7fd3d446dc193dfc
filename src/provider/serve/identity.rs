//! Serves identities.

use tonic::Status;

use super::Service;
use super::dispatch::{Answer, Dispatch};
use crate::provider::{Identity, UpgradeResourceIdentity};
use crate::wire::tfplugin6 as proto;
use crate::wire::{encode_diagnostics, identity_data, read_identity, write_identity_schema};

impl<S: Service> Dispatch<S> {
    pub(super) fn identity_schemas(
        &self,
        _: proto::get_resource_identity_schemas::Request,
    ) -> Answer<proto::get_resource_identity_schemas::Response> {
        let schemas = self.schema.identities.iter();
        Ok(proto::get_resource_identity_schemas::Response {
            identity_schemas: schemas
                .map(|(name, schema)| (name.to_string(), write_identity_schema(schema)))
                .collect(),
            diagnostics: Vec::new(),
        })
    }

    pub(super) async fn upgrade_identity(
        &self,
        q: proto::upgrade_resource_identity::Request,
    ) -> Answer<proto::upgrade_resource_identity::Response> {
        let raw = q.raw_identity.unwrap_or_default();
        let request = UpgradeResourceIdentity {
            type_name: &q.type_name,
            version: u64::try_from(q.version).unwrap_or(0),
            raw_identity: &raw.json,
        };
        let answer = self.service.upgrade_resource_identity(request).await;
        Ok(proto::upgrade_resource_identity::Response {
            upgraded_identity: self
                .put_identity(&q.type_name, answer.upgraded_identity.as_ref())?,
            diagnostics: encode_diagnostics(answer.diagnostics),
        })
    }

    pub(super) fn read_identity(
        &self,
        type_name: &str,
        data: Option<&proto::ResourceIdentityData>,
    ) -> Answer<Option<Identity>> {
        let Some(schema) = self.schema.identities.get(type_name) else {
            return Ok(None);
        };
        let value = read_identity(data, schema.ty()).map_err(Status::invalid_argument)?;
        Ok(value.map(|value| Identity {
            schema_version: schema.version,
            value,
        }))
    }

    pub(super) fn put_identity(
        &self,
        type_name: &str,
        identity: Option<&Identity>,
    ) -> Answer<Option<proto::ResourceIdentityData>> {
        let (Some(identity), Some(schema)) = (identity, self.schema.identities.get(type_name))
        else {
            return Ok(None);
        };
        let data = identity_data(&identity.value, schema.ty()).map_err(Status::internal)?;
        Ok(Some(data))
    }
}
