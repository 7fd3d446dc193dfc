//! One call to a provider process: how it is sent, what its failure means, how values go in and come out.

use std::time::Instant;

use bytes::Bytes;
use prost::Message;
use terrane_core::{Type, Value};
use tonic::{Code, Status};

use crate::plugin::{Plugin, is_gone};
use crate::provider::{CallError, RawState};
use crate::wire::tfplugin6 as proto;
use crate::wire::{Rpc, dynamic_value, read_dynamic_value};

/// One call; a process that is gone is given the time to say why.
pub(super) async fn call<Q, A>(plugin: &Plugin, rpc: Rpc, request: Q) -> Result<A, CallError>
where
    Q: Message + Default + 'static,
    A: Message + Default + 'static,
{
    let path = rpc.path_and_query(plugin.protocol());
    let began = Instant::now();
    let answered = plugin.channel().unary(path, request).await;
    plugin.called(rpc, began, answered.is_err());
    match answered {
        Ok(answer) => Ok(answer),
        Err(status) => Err(failure(plugin, rpc, status).await),
    }
}

/// Why there is no response.
pub(super) async fn failure(plugin: &Plugin, rpc: Rpc, status: Status) -> CallError {
    let rpc = rpc.name();
    if is_gone(&status) {
        let last_words = plugin.last_words().await;
        return CallError::Gone { rpc, last_words };
    }
    match status.code() {
        Code::Cancelled => CallError::Cancelled { rpc },
        Code::Unimplemented => CallError::Unimplemented { rpc },
        Code::Internal if status.message().starts_with("failed to decode Protobuf") => {
            CallError::Garbled {
                rpc,
                reason: status.message().to_owned(),
            }
        }
        code => CallError::Failed {
            rpc,
            message: format!("{}: {}", code.description(), status.message()),
        },
    }
}

pub(super) fn garbled(rpc: Rpc) -> impl Fn(String) -> CallError {
    move |reason| CallError::Garbled {
        rpc: rpc.name(),
        reason,
    }
}

pub(super) fn unsendable(rpc: Rpc) -> impl Fn(String) -> CallError {
    move |reason| CallError::Unsendable {
        rpc: rpc.name(),
        reason,
    }
}

pub(super) fn put(
    rpc: Rpc,
    value: &Value,
    ty: &Type,
) -> Result<Option<proto::DynamicValue>, CallError> {
    dynamic_value(value, ty).map(Some).map_err(unsendable(rpc))
}

pub(super) fn read(
    rpc: Rpc,
    value: Option<&proto::DynamicValue>,
    ty: &Type,
) -> Result<Value, CallError> {
    read_dynamic_value(value, ty).map_err(garbled(rpc))
}

pub(super) fn raw_state(state: RawState<'_>) -> proto::RawState {
    match state {
        RawState::Json(json) => proto::RawState {
            json: Bytes::copy_from_slice(json),
            ..Default::default()
        },
        RawState::Flatmap(flatmap) => proto::RawState {
            flatmap: flatmap.clone(),
            ..Default::default()
        },
    }
}

pub(super) fn raw_bytes(value: Option<proto::DynamicValue>) -> Bytes {
    let value = value.unwrap_or_default();
    if value.msgpack.is_empty() {
        value.json
    } else {
        value.msgpack
    }
}

/// Private bytes that are kept for a whole run must not keep the buffer of the message they came in, which is a hundred times larger.
pub(super) fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
