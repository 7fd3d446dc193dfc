//! Opens, renews and closes ephemeral resources.

use std::sync::Arc;
use std::time::Duration;

use terrane_core::schema::Schema;
use terrane_core::{Diagnostics, Value};

use super::{Client, own, put, read};
use crate::ephemeral::{
    OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    RenewEphemeralResourceResponse,
};
use crate::provider::CallError;
use crate::wire::tfplugin6 as proto;
use crate::wire::{Rpc, read_deferred, read_time};

/// How long closing one may take: it comes last, and everything that it was needed for is done.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

impl Client {
    fn ephemeral(&self, rpc: Rpc, type_name: &str) -> Result<Arc<Schema>, CallError> {
        let schema = self.schemas.ephemeral_resource(type_name)?;
        schema.ok_or_else(|| CallError::Unsendable {
            rpc: rpc.name(),
            reason: format!("the provider has no ephemeral resource type `{type_name}`"),
        })
    }

    pub(super) async fn validate_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let rpc = Rpc::ValidateEphemeralResourceConfig;
        let request = proto::validate_ephemeral_resource_config::Request {
            type_name: type_name.to_owned(),
            config: put(rpc, config, self.ephemeral(rpc, type_name)?.ty())?,
        };
        let response: proto::validate_ephemeral_resource_config::Response =
            self.call(rpc, request).await?;
        Ok(self.said(response.diagnostics))
    }

    pub(super) async fn open(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> Result<OpenEphemeralResourceResponse, CallError> {
        let rpc = Rpc::OpenEphemeralResource;
        let schema = self.ephemeral(rpc, request.type_name)?;
        let request = proto::open_ephemeral_resource::Request {
            type_name: request.type_name.to_owned(),
            config: put(rpc, request.config, schema.ty())?,
            client_capabilities: Some(self.capabilities_of_ours()),
        };
        let response: proto::open_ephemeral_resource::Response = self.call(rpc, request).await?;
        Ok(OpenEphemeralResourceResponse {
            result: read(rpc, response.result.as_ref(), schema.ty())?,
            private: response.private.map(|private| own(&private)),
            renew_at: response.renew_at.and_then(read_time),
            deferred: read_deferred(response.deferred),
            diagnostics: self.said(response.diagnostics),
        })
    }

    pub(super) async fn renew(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<RenewEphemeralResourceResponse, CallError> {
        let request = proto::renew_ephemeral_resource::Request {
            type_name: request.type_name.to_owned(),
            private: request.private.cloned(),
        };
        let response: proto::renew_ephemeral_resource::Response =
            self.call(Rpc::RenewEphemeralResource, request).await?;
        Ok(RenewEphemeralResourceResponse {
            private: response.private.map(|private| own(&private)),
            renew_at: response.renew_at.and_then(read_time),
            diagnostics: self.said(response.diagnostics),
        })
    }

    pub(super) async fn close(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        let request = proto::close_ephemeral_resource::Request {
            type_name: request.type_name.to_owned(),
            private: request.private.cloned(),
        };
        let rpc = Rpc::CloseEphemeralResource;
        let call = self.call(rpc, request);
        let Ok(response) = tokio::time::timeout(CLOSE_LIMIT, call).await else {
            return Err(CallError::Failed {
                rpc: rpc.name(),
                message: format!("no response within {} s", CLOSE_LIMIT.as_secs()),
            });
        };
        let response: proto::close_ephemeral_resource::Response = response?;
        Ok(self.said(response.diagnostics))
    }
}
