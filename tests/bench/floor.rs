//! The floor: the same calls over the same kind of channel, with messages that were encoded before and answers that nobody reads.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use prost::Message;
use terrane_core::{Type, Value};
use terrane_provider::BareProvider;
use terrane_provider::wire::generated::tfplugin6::{
    DynamicValue, RawState, apply_resource_change, plan_resource_change, read_resource,
    upgrade_resource_state, validate_resource_config,
};
use terrane_provider::wire::msgpack;

use crate::measure::{Figures, Meter};
use crate::stack::{plugins, source};

/// Which calls are made for each resource.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Validate and plan; then validate, plan and apply.
    Up,
    /// Upgrade, read, validate, plan.
    Preview,
}

const TYPE: &str = "fast_resource";

struct Messages {
    upgrade: Bytes,
    read: Bytes,
    validate: Bytes,
    plan: Bytes,
    plan_again: Bytes,
    apply: Bytes,
}

fn object(id: Value) -> DynamicValue {
    let ty = Type::object([
        ("first", Type::String),
        ("id", Type::String),
        ("second", Type::String),
        ("triggers", Type::map(Type::String)),
    ]);
    let value = Value::map([
        ("first", Value::from("the same for all")),
        ("id", id),
        ("second", Value::Null),
        ("triggers", Value::Null),
    ]);
    dynamic(msgpack::encode(&value, &ty).expect("a value"))
}

fn dynamic(msgpack: Vec<u8>) -> DynamicValue {
    DynamicValue {
        msgpack: msgpack.into(),
        json: Bytes::new(),
    }
}

fn messages() -> Messages {
    let encoded = |message: &dyn Fn() -> Vec<u8>| Bytes::from(message());
    let null = || dynamic(vec![0xc0]);
    let stored = || object(Value::from("fast-0123456789abcdef"));
    let config = || object(Value::Null);
    let type_name = || TYPE.to_owned();
    let plan = |prior: DynamicValue, proposed: DynamicValue| {
        plan_resource_change::Request {
            type_name: type_name(),
            prior_state: Some(prior),
            proposed_new_state: Some(proposed),
            config: Some(config()),
            ..Default::default()
        }
        .encode_to_vec()
    };
    Messages {
        upgrade: encoded(&|| {
            let json = br#"{"first":"the same for all","id":"fast-0123456789abcdef","second":null,"triggers":null}"#;
            upgrade_resource_state::Request {
                type_name: type_name(),
                version: 0,
                raw_state: Some(RawState {
                    json: json.to_vec().into(),
                    ..Default::default()
                }),
            }
            .encode_to_vec()
        }),
        read: encoded(&|| {
            read_resource::Request {
                type_name: type_name(),
                current_state: Some(stored()),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        validate: encoded(&|| {
            validate_resource_config::Request {
                type_name: type_name(),
                config: Some(config()),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        plan: plan(null(), config()).into(),
        plan_again: plan(stored(), stored()).into(),
        apply: encoded(&|| {
            apply_resource_change::Request {
                type_name: type_name(),
                prior_state: Some(null()),
                planned_state: Some(object(Value::UNKNOWN)),
                config: Some(config()),
                ..Default::default()
            }
            .encode_to_vec()
        }),
    }
}

/// Makes the calls for that many resources, ten resources at once.
pub(crate) async fn calls(count: usize, kind: Kind) -> Figures {
    let messages = messages();
    let plugins = plugins();
    let meter = Meter::start();
    let provider = BareProvider::start(&plugins, &source())
        .await
        .expect("a provider");
    let (provider_ref, messages) = (&provider, &messages);
    let planned = |_| async move {
        if kind == Kind::Preview {
            call::<upgrade_resource_state::Response>(
                provider_ref,
                "/tfplugin5.Provider/UpgradeResourceState",
                &messages.upgrade,
            )
            .await;
            call::<read_resource::Response>(
                provider_ref,
                "/tfplugin5.Provider/ReadResource",
                &messages.read,
            )
            .await;
        }
        let plan = if kind == Kind::Preview {
            &messages.plan_again
        } else {
            &messages.plan
        };
        validate_and_plan(provider_ref, messages, plan).await;
    };
    stream::iter(0..count)
        .for_each_concurrent(10, planned)
        .await;
    if kind == Kind::Up {
        let applied = |_| async move {
            validate_and_plan(provider_ref, messages, &messages.plan).await;
            call::<apply_resource_change::Response>(
                provider_ref,
                "/tfplugin5.Provider/ApplyResourceChange",
                &messages.apply,
            )
            .await;
        };
        stream::iter(0..count)
            .for_each_concurrent(10, applied)
            .await;
    }
    let figures = meter.stop();
    provider.shutdown().await;
    figures
}

async fn validate_and_plan(provider: &BareProvider, messages: &Messages, plan: &Bytes) {
    let validate = "/tfplugin5.Provider/ValidateResourceTypeConfig";
    call::<validate_resource_config::Response>(provider, validate, &messages.validate).await;
    let path = "/tfplugin5.Provider/PlanResourceChange";
    call::<plan_resource_change::Response>(provider, path, plan).await;
}

async fn call<A: Message + Default + 'static>(
    provider: &BareProvider,
    path: &'static str,
    request: &Bytes,
) {
    provider
        .call::<A>(path, request.clone())
        .await
        .expect("an answer");
}
