//! Plans and invokes actions.

use std::sync::Arc;

use terrane_core::schema::Schema;
use terrane_core::{Diagnostics, Value};

use super::{Client, put};
use crate::action::{InvokeAction, PlanActionResponse, Progress};
use crate::provider::CallError;
use crate::wire::tfplugin6 as proto;
use crate::wire::{Rpc, read_deferred};

impl Client {
    fn action(&self, rpc: Rpc, action_type: &str) -> Result<Arc<Schema>, CallError> {
        let schema = self.schemas.action(action_type)?;
        schema.ok_or_else(|| CallError::Unsendable {
            rpc: rpc.name(),
            reason: format!("the provider has no action `{action_type}`"),
        })
    }

    pub(super) async fn validate_action(
        &self,
        action_type: &str,
        config: &Value,
    ) -> Result<Diagnostics, CallError> {
        let rpc = Rpc::ValidateActionConfig;
        let request = proto::validate_action_config::Request {
            type_name: action_type.to_owned(),
            config: put(rpc, config, self.action(rpc, action_type)?.ty())?,
        };
        let response: proto::validate_action_config::Response = self.call(rpc, request).await?;
        Ok(self.said(response.diagnostics))
    }

    pub(super) async fn plan_an_action(
        &self,
        request: InvokeAction<'_>,
    ) -> Result<PlanActionResponse, CallError> {
        let rpc = Rpc::PlanAction;
        let schema = self.action(rpc, request.action_type)?;
        let request = proto::plan_action::Request {
            action_type: request.action_type.to_owned(),
            config: put(rpc, request.config, schema.ty())?,
            client_capabilities: Some(self.capabilities_of_ours()),
        };
        let response: proto::plan_action::Response = self.call(rpc, request).await?;
        Ok(PlanActionResponse {
            deferred: read_deferred(response.deferred),
            diagnostics: self.said(response.diagnostics),
        })
    }

    pub(super) async fn invoke(
        &self,
        request: InvokeAction<'_>,
        progress: Progress<'_>,
    ) -> Result<Diagnostics, CallError> {
        use proto::invoke_action::event::Type;
        let rpc = Rpc::InvokeAction;
        let schema = self.action(rpc, request.action_type)?;
        let request = proto::invoke_action::Request {
            action_type: request.action_type.to_owned(),
            config: put(rpc, request.config, schema.ty())?,
            client_capabilities: Some(self.capabilities_of_ours()),
        };
        let mut responses = self.stream(rpc, request).await?;
        loop {
            let event: Option<proto::invoke_action::Event> = self.next(rpc, &mut responses).await?;
            match event.map(|event| event.r#type) {
                Some(Some(Type::Progress(event))) => progress(event.message),
                Some(Some(Type::Completed(event))) => return Ok(self.said(event.diagnostics)),
                // A kind of event of a later version.
                Some(None) => {}
                None => {
                    return Err(CallError::Garbled {
                        rpc: rpc.name(),
                        reason: "the provider did not say how the action ended".to_owned(),
                    });
                }
            }
        }
    }
}
