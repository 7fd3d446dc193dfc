//! The floor: the same calls over the same kind of channel, with messages that were encoded before and answers that are not read.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use prost::Message;
use terrane_core::Value;
use terrane_provider::BareProvider;
use terrane_provider::wire::generated::tfplugin6::{
    ClientCapabilities, DynamicValue, RawState, apply_resource_change, configure_provider,
    plan_resource_change, read_resource, upgrade_resource_state, validate_provider_config,
    validate_resource_config,
};
use terrane_provider::wire::msgpack;

use crate::case::{Case, PARALLELISM};
use crate::meter::{Measured, Meter};

/// Validate and plan each; then apply each: a creation that is known from the start is planned once.
pub(crate) async fn up(case: &Case) -> Measured {
    let messages: Vec<Messages> = (0..case.count)
        .map(|place| Messages::of(case, place))
        .collect();
    let provider = start(case).await;
    let meter = Meter::start();
    each(&messages, async |one| {
        provider.validate(one).await;
        provider.plan(&one.plan_creation).await;
    })
    .await;
    each(&messages, async |one| provider.apply(one).await).await;
    let measured = meter.stop();
    provider.0.shutdown().await;
    measured
}

/// Upgrade, read, validate, plan each.
pub(crate) async fn preview(case: &Case) -> Measured {
    let messages: Vec<Messages> = (0..case.count)
        .map(|place| Messages::of(case, place))
        .collect();
    let provider = start(case).await;
    let meter = Meter::start();
    each(&messages, async |one| {
        provider.upgrade(one).await;
        provider.read(one).await;
        provider.validate(one).await;
        provider.plan(&one.plan_nothing).await;
    })
    .await;
    let measured = meter.stop();
    provider.0.shutdown().await;
    measured
}

async fn each<'a>(messages: &'a [Messages], call: impl AsyncFn(&'a Messages)) {
    stream::iter(messages)
        .for_each_concurrent(PARALLELISM, |one| call(one))
        .await;
}

/// The requests about one resource.
struct Messages {
    upgrade: Bytes,
    read: Bytes,
    validate: Bytes,
    plan_nothing: Bytes,
    plan_creation: Bytes,
    apply: Bytes,
}

const CAPABILITIES: Option<ClientCapabilities> = Some(ClientCapabilities {
    deferral_allowed: false,
    write_only_attributes_allowed: true,
    store_planned_private: false,
    computed_blocks_allowed: false,
});

impl Messages {
    fn of(case: &Case, place: usize) -> Self {
        let ty = case.object_type();
        let encode = |value: &Value| dynamic(msgpack::encode(value, &ty).expect("a value"));
        let id = Value::from(format!("0123456789abcdef-{place}"));
        let (stored, planned) = (case.object(place, id), case.object(place, Value::UNKNOWN));
        let json = stored.to_json(&ty).expect("JSON");
        let (stored, planned) = (encode(&stored), encode(&planned));
        let config = encode(&case.object(place, Value::Null));
        let type_name = || case.type_name().to_owned();
        let plan = |prior: &Option<DynamicValue>, proposed: &Option<DynamicValue>| {
            plan_resource_change::Request {
                type_name: type_name(),
                prior_state: prior.clone(),
                proposed_new_state: proposed.clone(),
                config: config.clone(),
                client_capabilities: CAPABILITIES,
                ..Default::default()
            }
        };
        let null = dynamic(vec![0xc0]);
        Self {
            upgrade: bytes(upgrade_resource_state::Request {
                type_name: type_name(),
                version: 0,
                raw_state: Some(RawState {
                    json: json.into(),
                    ..Default::default()
                }),
            }),
            read: bytes(read_resource::Request {
                type_name: type_name(),
                current_state: stored.clone(),
                client_capabilities: CAPABILITIES,
                ..Default::default()
            }),
            validate: bytes(validate_resource_config::Request {
                type_name: type_name(),
                config: config.clone(),
                client_capabilities: CAPABILITIES,
            }),
            plan_nothing: bytes(plan(&stored, &stored)),
            plan_creation: bytes(plan(&null, &config)),
            apply: bytes(apply_resource_change::Request {
                type_name: type_name(),
                prior_state: null,
                planned_state: planned,
                config,
                ..Default::default()
            }),
        }
    }
}

fn dynamic(msgpack: Vec<u8>) -> Option<DynamicValue> {
    Some(DynamicValue {
        msgpack: msgpack.into(),
        json: Bytes::new(),
    })
}

fn bytes(message: impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// A provider process, configured.
struct Bare(BareProvider);

async fn start(case: &Case) -> Bare {
    let provider = BareProvider::start(&case.plugins(), &case.source()).await;
    let bare = Bare(provider.expect("a provider"));
    // An object without members is the configuration of both providers.
    let config = dynamic(vec![0x80]);
    let prepare = bytes(validate_provider_config::Request {
        config: config.clone(),
    });
    let path = "/tfplugin5.Provider/PrepareProviderConfig";
    bare.call::<validate_provider_config::Response>(path, &prepare)
        .await;
    let configure = bytes(configure_provider::Request {
        terraform_version: "1.13.0".to_owned(),
        config,
        client_capabilities: None,
    });
    bare.call::<configure_provider::Response>("/tfplugin5.Provider/Configure", &configure)
        .await;
    bare
}

impl Bare {
    async fn call<A: Message + Default + 'static>(&self, path: &'static str, request: &Bytes) -> A {
        self.0.call(path, request.clone()).await.expect("an answer")
    }

    async fn upgrade(&self, messages: &Messages) {
        let path = "/tfplugin5.Provider/UpgradeResourceState";
        let answer: upgrade_resource_state::Response = self.call(path, &messages.upgrade).await;
        assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    }

    async fn read(&self, messages: &Messages) {
        let path = "/tfplugin5.Provider/ReadResource";
        let answer: read_resource::Response = self.call(path, &messages.read).await;
        assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    }

    async fn validate(&self, messages: &Messages) {
        let path = "/tfplugin5.Provider/ValidateResourceTypeConfig";
        let answer: validate_resource_config::Response = self.call(path, &messages.validate).await;
        assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    }

    async fn plan(&self, request: &Bytes) {
        let path = "/tfplugin5.Provider/PlanResourceChange";
        let answer: plan_resource_change::Response = self.call(path, request).await;
        assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    }

    async fn apply(&self, messages: &Messages) {
        let path = "/tfplugin5.Provider/ApplyResourceChange";
        let answer: apply_resource_change::Response = self.call(path, &messages.apply).await;
        assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    }
}
