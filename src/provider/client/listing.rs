//! Lists what exists of a resource type.

use std::sync::Arc;

use terrane_core::schema::Schema;
use terrane_core::value::Number;
use terrane_core::{Diagnostics, Type, Value};

use super::{Client, put, read};
use crate::listing::{ListResource, ListedResource};
use crate::provider::CallError;
use crate::wire::Rpc;
use crate::wire::tfplugin6 as proto;

impl Client {
    fn list_schema(&self, rpc: Rpc, type_name: &str) -> Result<Arc<Schema>, CallError> {
        let schema = self.schemas.list_resource(type_name)?;
        schema.ok_or_else(|| CallError::Unsendable {
            rpc: rpc.name(),
            reason: format!("the provider cannot list `{type_name}`"),
        })
    }

    pub(super) async fn validate_list(
        &self,
        request: ListResource<'_>,
    ) -> Result<Diagnostics, CallError> {
        let rpc = Rpc::ValidateListResourceConfig;
        let schema = self.list_schema(rpc, request.type_name)?;
        let include = Value::Bool(request.include_resource_object);
        let limit = Value::Number(Number::from(request.limit));
        let request = proto::validate_list_resource_config::Request {
            type_name: request.type_name.to_owned(),
            config: put(rpc, request.config, schema.ty())?,
            include_resource_object: put(rpc, &include, &Type::Bool)?,
            limit: put(rpc, &limit, &Type::Number)?,
        };
        let response: proto::validate_list_resource_config::Response =
            self.call(rpc, request).await?;
        Ok(self.said(response.diagnostics))
    }

    pub(super) async fn list(
        &self,
        request: ListResource<'_>,
    ) -> Result<Vec<ListedResource>, CallError> {
        let rpc = Rpc::ListResource;
        let (type_name, limit) = (request.type_name, request.limit as usize);
        let schema = self.list_schema(rpc, type_name)?;
        let objects = self.resource(rpc, type_name)?;
        let request = proto::list_resource::Request {
            type_name: type_name.to_owned(),
            config: put(rpc, request.config, schema.ty())?,
            include_resource_object: request.include_resource_object,
            limit: request.limit.into(),
        };
        let mut responses = self.stream(rpc, request).await?;
        let mut listed = Vec::new();
        while listed.len() < limit {
            let event: Option<proto::list_resource::Event> = self.next(rpc, &mut responses).await?;
            let Some(event) = event else { break };
            let object = event.resource_object.as_ref();
            listed.push(ListedResource {
                identity: self.read_identity(rpc, type_name, event.identity.as_ref())?,
                display_name: event.display_name,
                object: object
                    .map(|object| read(rpc, Some(object), objects.ty()))
                    .transpose()?,
                diagnostics: self.said(event.diagnostic),
            });
        }
        Ok(listed)
    }
}
