//! Serves list resources.

use terrane_core::Type;
use tonic::Status;

use super::Service;
use super::dispatch::{Answer, Dispatch, Responses, put, read};
use crate::listing::ListResource;
use crate::wire::encode_diagnostics;
use crate::wire::tfplugin6 as proto;

impl<S: Service> Dispatch<S> {
    fn listable(&self, name: &str) -> Answer<&Type> {
        let schema = self.schema.list_resources.get(name);
        schema
            .map(|schema| schema.ty())
            .ok_or_else(|| Status::invalid_argument(format!("no list resource `{name}`")))
    }

    pub(super) async fn validate_list(
        &self,
        q: proto::validate_list_resource_config::Request,
    ) -> Answer<proto::validate_list_resource_config::Response> {
        let config = read(q.config, self.listable(&q.type_name)?)?;
        let said = (self.service).validate_list_resource_config(&q.type_name, &config);
        Ok(proto::validate_list_resource_config::Response {
            diagnostics: encode_diagnostics(said.await),
        })
    }

    pub(super) async fn list(
        &self,
        q: proto::list_resource::Request,
        out: Responses<proto::list_resource::Event>,
    ) -> Answer<()> {
        let config = read(q.config, self.listable(&q.type_name)?)?;
        let request = ListResource {
            type_name: &q.type_name,
            config: &config,
            include_resource_object: q.include_resource_object,
            limit: u32::try_from(q.limit).unwrap_or(0),
        };
        for listed in self.service.list_resource(request).await {
            let object = listed.object.as_ref();
            let object = object.map(|object| put(object, self.resource(&q.type_name)?));
            let event = proto::list_resource::Event {
                identity: self.put_identity(&q.type_name, listed.identity.as_ref())?,
                display_name: listed.display_name,
                resource_object: object.transpose()?.flatten(),
                diagnostic: encode_diagnostics(listed.diagnostics),
            };
            // A caller that has what it wants hangs up.
            if out.send(Ok(event)).is_err() {
                break;
            }
        }
        Ok(())
    }
}
