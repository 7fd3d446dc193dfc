//! Serves ephemeral resources.

use terrane_core::Type;
use tonic::Status;

use super::Service;
use super::dispatch::{Answer, Dispatch, put, read};
use crate::ephemeral::{OpenEphemeralResource, OpenedEphemeralResource};
use crate::wire::tfplugin6 as proto;
use crate::wire::{encode_deferred, encode_diagnostics, encode_time};

impl<S: Service> Dispatch<S> {
    fn ephemeral(&self, name: &str) -> Answer<&Type> {
        let schema = self.schema.ephemeral_resources.get(name);
        schema
            .map(|schema| schema.ty())
            .ok_or_else(|| Status::invalid_argument(format!("no ephemeral resource type `{name}`")))
    }

    pub(super) async fn validate_ephemeral(
        &self,
        q: proto::validate_ephemeral_resource_config::Request,
    ) -> Answer<proto::validate_ephemeral_resource_config::Response> {
        let config = read(q.config, self.ephemeral(&q.type_name)?)?;
        let said = (self.service).validate_ephemeral_resource_config(&q.type_name, &config);
        Ok(proto::validate_ephemeral_resource_config::Response {
            diagnostics: encode_diagnostics(said.await),
        })
    }

    pub(super) async fn open_ephemeral(
        &self,
        q: proto::open_ephemeral_resource::Request,
    ) -> Answer<proto::open_ephemeral_resource::Response> {
        let ty = self.ephemeral(&q.type_name)?;
        let request = OpenEphemeralResource {
            type_name: &q.type_name,
            config: &read(q.config, ty)?,
        };
        let answer = self.service.open_ephemeral_resource(request).await;
        Ok(proto::open_ephemeral_resource::Response {
            diagnostics: encode_diagnostics(answer.diagnostics),
            renew_at: answer.renew_at.map(encode_time),
            result: put(&answer.result, ty)?,
            private: answer.private,
            deferred: encode_deferred(answer.deferred),
        })
    }

    pub(super) async fn renew_ephemeral(
        &self,
        q: proto::renew_ephemeral_resource::Request,
    ) -> Answer<proto::renew_ephemeral_resource::Response> {
        let request = OpenedEphemeralResource {
            type_name: &q.type_name,
            private: q.private.as_ref(),
        };
        let answer = self.service.renew_ephemeral_resource(request).await;
        Ok(proto::renew_ephemeral_resource::Response {
            diagnostics: encode_diagnostics(answer.diagnostics),
            renew_at: answer.renew_at.map(encode_time),
            private: answer.private,
        })
    }

    pub(super) async fn close_ephemeral(
        &self,
        q: proto::close_ephemeral_resource::Request,
    ) -> Answer<proto::close_ephemeral_resource::Response> {
        let request = OpenedEphemeralResource {
            type_name: &q.type_name,
            private: q.private.as_ref(),
        };
        let said = self.service.close_ephemeral_resource(request).await;
        Ok(proto::close_ephemeral_resource::Response {
            diagnostics: encode_diagnostics(said),
        })
    }
}
