//! Serves actions.

use terrane_core::Type;
use terrane_core::schema::ProviderSchema;
use tonic::Status;

use super::dispatch::{Answer, Dispatch, Responses, read};
use super::{ServeError, Service};
use crate::action::InvokeAction;
use crate::wire::tfplugin6 as proto;
use crate::wire::{
    LazySchema, Protocol, encode_action_schema, encode_deferred, encode_diagnostics,
};

/// The schemas as the wire has them.
pub(super) fn encoded(
    schema: &ProviderSchema,
    protocol: Protocol,
) -> Result<Vec<LazySchema>, ServeError> {
    let actions = schema.actions.iter().map(|(name, schema)| {
        let schema =
            encode_action_schema(schema, protocol).map_err(|reason| ServeError::Schema {
                name: name.to_string(),
                reason,
            })?;
        let name = name.to_string();
        Ok(LazySchema { name, schema })
    });
    actions.collect()
}

impl<S: Service> Dispatch<S> {
    fn action(&self, name: &str) -> Answer<&Type> {
        let schema = self.schema.actions.get(name);
        schema
            .map(|schema| schema.ty())
            .ok_or_else(|| Status::invalid_argument(format!("no action `{name}`")))
    }

    pub(super) async fn validate_action(
        &self,
        q: proto::validate_action_config::Request,
    ) -> Answer<proto::validate_action_config::Response> {
        let config = read(q.config, self.action(&q.type_name)?)?;
        let said = self
            .service
            .validate_action_config(&q.type_name, &config)
            .await;
        Ok(proto::validate_action_config::Response {
            diagnostics: encode_diagnostics(said),
        })
    }

    pub(super) async fn plan_action(
        &self,
        q: proto::plan_action::Request,
    ) -> Answer<proto::plan_action::Response> {
        let request = InvokeAction {
            action_type: &q.action_type,
            config: &read(q.config, self.action(&q.action_type)?)?,
        };
        let answer = self.service.plan_action(request).await;
        Ok(proto::plan_action::Response {
            diagnostics: encode_diagnostics(answer.diagnostics),
            deferred: encode_deferred(answer.deferred),
        })
    }

    pub(super) async fn invoke(
        &self,
        q: proto::invoke_action::Request,
        out: Responses<proto::invoke_action::Event>,
    ) -> Answer<()> {
        use proto::invoke_action::event::{Completed, Progress, Type as Kind};
        let config = read(q.config, self.action(&q.action_type)?)?;
        let request = InvokeAction {
            action_type: &q.action_type,
            config: &config,
        };
        let send = |event| {
            let event = proto::invoke_action::Event {
                r#type: Some(event),
            };
            // A caller that has gone hears nothing.
            let _ = out.send(Ok(event));
        };
        let progress = |message| send(Kind::Progress(Progress { message }));
        let said = self.service.invoke_action(request, &progress).await;
        send(Kind::Completed(Completed {
            diagnostics: encode_diagnostics(said),
        }));
        Ok(())
    }
}
