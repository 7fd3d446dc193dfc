//! Requests and responses as JSON, each pair beside each other.
//!
//! A request is only written and compared; a response is read again, too.

use bytes::Bytes;
use serde_json::{Value as Json, json};
use terrane_core::schema::Block;
use terrane_core::{Diagnostics, Path, Value};

use super::form::{
    diagnostics, identity, private, raw_without_secrets, read_diagnostics, read_identity,
    read_private, read_value, value, without_secrets,
};
use crate::deferred::Deferred;
use crate::provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, GarbledState, ImportResourceState,
    ImportResourceStateResponse, ImportedResource, MoveResourceState, MoveResourceStateResponse,
    PlanResourceChange, PlanResourceChangeResponse, RawState, ReadDataSource,
    ReadDataSourceResponse, ReadResource, ReadResourceResponse, UpgradeResourceIdentity,
    UpgradeResourceIdentityResponse, UpgradeResourceState, UpgradeResourceStateResponse,
};

/// A response that has a form.
pub(super) trait Response: Sized {
    /// As JSON, without secrets.
    fn write(&self, block: Option<&Block>) -> Json;

    /// From such JSON.
    fn read(json: &Json) -> Result<Self, String>;

    /// Changes every value in it.
    fn change(&mut self, change: &mut dyn FnMut(&mut Value));
}

/// A value without secrets.
pub(super) fn plain(block: Option<&Block>, of: &Value) -> Json {
    value(&without_secrets(block, of))
}

fn raw(block: Option<&Block>, state: RawState<'_>) -> Json {
    match state {
        RawState::Json(bytes) => raw_without_secrets(block, bytes),
        RawState::Flatmap(members) => {
            let names: Vec<&String> = members.keys().collect();
            json!({ "flatmap": names })
        }
    }
}

/// Why a provider defers something, and how it is written.
const DEFERRED: [(Deferred, &str); 4] = [
    (Deferred::Unknown, "unknown"),
    (Deferred::ResourceConfigUnknown, "resource_config_unknown"),
    (Deferred::ProviderConfigUnknown, "provider_config_unknown"),
    (Deferred::AbsentPrerequisite, "absent_prerequisite"),
];

pub(super) fn deferred(deferred: Option<Deferred>) -> Json {
    let word = DEFERRED
        .iter()
        .find(|(reason, _)| Some(*reason) == deferred);
    word.map_or(Json::Null, |(_, word)| (*word).into())
}

pub(super) fn read_deferred(json: &Json) -> Option<Deferred> {
    let reason = DEFERRED
        .iter()
        .find(|(_, word)| json.as_str() == Some(word));
    reason.map(|(reason, _)| *reason)
}

/// The JSON of each request.
pub(super) mod request {
    use super::*;

    pub(in super::super) fn config(block: Option<&Block>, config: &Value) -> Json {
        json!({ "config": plain(block, config) })
    }

    pub(in super::super) fn upgrade(
        block: Option<&Block>,
        request: &UpgradeResourceState<'_>,
    ) -> Json {
        json!({
            "version": request.version,
            "raw_state": raw(block, request.raw_state),
        })
    }

    pub(in super::super) fn upgrade_identity(request: &UpgradeResourceIdentity<'_>) -> Json {
        let raw: Json = serde_json::from_slice(request.raw_identity).unwrap_or_default();
        json!({ "version": request.version, "raw_identity": raw })
    }

    pub(in super::super) fn read(block: Option<&Block>, request: &ReadResource<'_>) -> Json {
        json!({
            "current_state": plain(block, request.current_state),
            "private": private(request.private),
            "current_identity": identity(request.current_identity),
        })
    }

    pub(in super::super) fn plan(block: Option<&Block>, request: &PlanResourceChange<'_>) -> Json {
        json!({
            "config": plain(block, request.config),
            "prior_state": plain(block, request.prior_state),
            "proposed_new_state": plain(block, request.proposed_new_state),
            "prior_private": private(request.prior_private),
            "planned_private": request.planned_private.map(private),
            "prior_identity": identity(request.prior_identity),
        })
    }

    pub(in super::super) fn apply(
        block: Option<&Block>,
        request: &ApplyResourceChange<'_>,
    ) -> Json {
        json!({
            "config": plain(block, request.config),
            "prior_state": plain(block, request.prior_state),
            "planned_state": plain(block, request.planned_state),
            "planned_private": private(request.planned_private),
            "planned_identity": identity(request.planned_identity),
        })
    }

    pub(in super::super) fn import(request: &ImportResourceState<'_>) -> Json {
        json!({ "id": request.id, "identity": identity(request.identity) })
    }

    pub(in super::super) fn moved(request: &MoveResourceState<'_>) -> Json {
        json!({
            "source_provider": request.source_provider.to_string(),
            "source_type_name": request.source_type_name,
            "source_schema_version": request.source_schema_version,
            // Of a schema that another provider may have.
            "source_state": raw(None, request.source_state),
            "source_private": private(request.source_private),
            "source_identity": request.source_identity.map(|(raw, version)| {
                let raw: Json = serde_json::from_slice(raw).unwrap_or_default();
                json!({ "version": version, "raw_identity": raw })
            }),
        })
    }

    pub(in super::super) fn data(block: Option<&Block>, request: &ReadDataSource<'_>) -> Json {
        json!({ "config": plain(block, request.config) })
    }
}

impl Response for Diagnostics {
    fn write(&self, _: Option<&Block>) -> Json {
        json!({ "diagnostics": diagnostics(self) })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(read_diagnostics(&json["diagnostics"]))
    }

    fn change(&mut self, _: &mut dyn FnMut(&mut Value)) {}
}

impl Response for UpgradeResourceStateResponse {
    fn write(&self, block: Option<&Block>) -> Json {
        json!({
            "upgraded_state": plain(block, &self.upgraded_state),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(Self {
            upgraded_state: read_value(&json["upgraded_state"])?,
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        change(&mut self.upgraded_state);
    }
}

impl Response for UpgradeResourceIdentityResponse {
    fn write(&self, _: Option<&Block>) -> Json {
        json!({
            "upgraded_identity": identity(self.upgraded_identity.as_ref()),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(Self {
            upgraded_identity: read_identity(&json["upgraded_identity"])?,
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, _: &mut dyn FnMut(&mut Value)) {}
}

impl Response for ReadResourceResponse {
    fn write(&self, block: Option<&Block>) -> Json {
        json!({
            "new_state": plain(block, &self.new_state),
            "private": private(&self.private),
            "new_identity": identity(self.new_identity.as_ref()),
            "deferred": deferred(self.deferred),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(Self {
            new_state: read_value(&json["new_state"])?,
            private: read_private(&json["private"]),
            new_identity: read_identity(&json["new_identity"])?,
            deferred: read_deferred(&json["deferred"]),
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        change(&mut self.new_state);
    }
}

impl Response for PlanResourceChangeResponse {
    fn write(&self, block: Option<&Block>) -> Json {
        let paths = self.requires_replace.iter().map(ToString::to_string);
        json!({
            "planned_state": plain(block, &self.planned_state),
            "requires_replace": paths.collect::<Vec<_>>(),
            "planned_private": private(&self.planned_private),
            "planned_identity": identity(self.planned_identity.as_ref()),
            "legacy_type_system": self.legacy_type_system,
            "deferred": deferred(self.deferred),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        let paths = json["requires_replace"].as_array().into_iter().flatten();
        let paths = paths.filter_map(Json::as_str).map(|path| {
            let read: Result<Path, _> = path.parse();
            read.map_err(|error| error.to_string())
        });
        Ok(Self {
            planned_state: read_value(&json["planned_state"])?,
            requires_replace: paths.collect::<Result<_, _>>()?,
            planned_private: read_private(&json["planned_private"]),
            planned_identity: read_identity(&json["planned_identity"])?,
            legacy_type_system: json["legacy_type_system"].as_bool().unwrap_or_default(),
            deferred: read_deferred(&json["deferred"]),
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        change(&mut self.planned_state);
    }
}

impl Response for ApplyResourceChangeResponse {
    fn write(&self, block: Option<&Block>) -> Json {
        let (new_state, garbled) = match &self.new_state {
            Ok(state) => (plain(block, state), Json::Null),
            // The bytes may hold anything.
            Err(garbled) => (Json::Null, garbled.reason.as_str().into()),
        };
        json!({
            "new_state": new_state,
            "garbled": garbled,
            "private": private(&self.private),
            "new_identity": identity(self.new_identity.as_ref()),
            "legacy_type_system": self.legacy_type_system,
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        let new_state = match json["garbled"].as_str() {
            None => Ok(read_value(&json["new_state"])?),
            Some(reason) => Err(GarbledState {
                raw: Bytes::new(),
                reason: reason.to_owned(),
            }),
        };
        Ok(Self {
            new_state,
            private: read_private(&json["private"]),
            new_identity: read_identity(&json["new_identity"])?,
            legacy_type_system: json["legacy_type_system"].as_bool().unwrap_or_default(),
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        if let Ok(state) = &mut self.new_state {
            change(state);
        }
    }
}

impl Response for ImportResourceStateResponse {
    fn write(&self, block: Option<&Block>) -> Json {
        let imported = self.imported_resources.iter().map(|one| {
            json!({
                "type_name": one.type_name,
                "state": plain(block, &one.state),
                "private": private(&one.private),
                "identity": identity(one.identity.as_ref()),
            })
        });
        json!({
            "imported_resources": imported.collect::<Vec<_>>(),
            "deferred": deferred(self.deferred),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        let imported = json["imported_resources"].as_array().into_iter().flatten();
        let imported = imported.map(|one| {
            Ok::<_, String>(ImportedResource {
                type_name: one["type_name"].as_str().unwrap_or_default().to_owned(),
                state: read_value(&one["state"])?,
                private: read_private(&one["private"]),
                identity: read_identity(&one["identity"])?,
            })
        });
        Ok(Self {
            imported_resources: imported.collect::<Result<_, _>>()?,
            deferred: read_deferred(&json["deferred"]),
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        for one in &mut self.imported_resources {
            change(&mut one.state);
        }
    }
}

impl Response for MoveResourceStateResponse {
    fn write(&self, block: Option<&Block>) -> Json {
        json!({
            "target_state": plain(block, &self.target_state),
            "target_private": private(&self.target_private),
            "target_identity": identity(self.target_identity.as_ref()),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(Self {
            target_state: read_value(&json["target_state"])?,
            target_private: read_private(&json["target_private"]),
            target_identity: read_identity(&json["target_identity"])?,
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        change(&mut self.target_state);
    }
}

impl Response for ReadDataSourceResponse {
    fn write(&self, block: Option<&Block>) -> Json {
        json!({
            "state": plain(block, &self.state),
            "deferred": deferred(self.deferred),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(Self {
            state: read_value(&json["state"])?,
            deferred: read_deferred(&json["deferred"]),
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        change(&mut self.state);
    }
}

/// Why there is no response.
pub(super) fn failure(error: &CallError) -> Json {
    match error {
        CallError::Gone { last_words, .. } => json!({ "gone": last_words }),
        CallError::Cancelled { .. } => json!({ "cancelled": true }),
        CallError::Unimplemented { .. } => json!({ "unimplemented": true }),
        CallError::Garbled { reason, .. } => json!({ "garbled": reason }),
        CallError::Unsendable { reason, .. } => json!({ "unsendable": reason }),
        CallError::Failed { message, .. } => json!({ "failed": message }),
    }
}

/// The error of such JSON.
pub(super) fn read_failure(rpc: &'static str, json: &Json) -> CallError {
    let text = |name: &str| json[name].as_str().map(ToOwned::to_owned);
    if let Some(last_words) = text("gone") {
        return CallError::Gone { rpc, last_words };
    }
    if json["cancelled"].as_bool().is_some() {
        return CallError::Cancelled { rpc };
    }
    if json["unimplemented"].as_bool().is_some() {
        return CallError::Unimplemented { rpc };
    }
    if let Some(reason) = text("garbled") {
        return CallError::Garbled { rpc, reason };
    }
    if let Some(reason) = text("unsendable") {
        return CallError::Unsendable { rpc, reason };
    }
    CallError::Failed {
        rpc,
        message: text("failed").unwrap_or_default(),
    }
}
