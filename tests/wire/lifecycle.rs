//! One resource's life over both protocol versions, against the fake provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use terrane_core::{Path, Value};
use terrane_provider::{
    ApplyResourceChange, CallError, PlanResourceChange, Provider, Providers as _, RawState,
    ReadDataSource, ReadResource, UpgradeResourceState,
};

use crate::processes::{Lines, fake, fake_plugins, source};

/// A `fake_thing` as a configuration has it.
fn thing(provider: &dyn Provider, name: &str) -> Value {
    let schema = provider.resource_schema("fake_thing").expect("a schema");
    let empty = schema.expect("there is one").block.empty_value();
    let mut members = empty.members().expect("an object").clone();
    members.insert("name".into(), name.into());
    members.insert(
        "tags".into(),
        Value::map([("team", Value::from("e\u{301}"))]),
    );
    Value::Map(Arc::new(members))
}

async fn plan(
    provider: &dyn Provider,
    prior: &Value,
    config: &Value,
) -> terrane_provider::PlanResourceChangeResponse {
    let request = PlanResourceChange {
        type_name: "fake_thing",
        prior_state: prior,
        proposed_new_state: config,
        config,
        prior_private: &Bytes::new(),
        prior_identity: None,
    };
    provider
        .plan_resource_change(request)
        .await
        .expect("an answer")
}

async fn lives(protocol: &str) {
    let provider = fake(&[("FAKE_PROTOCOL", protocol)]).await.expect("starts");
    let provider = &*provider;
    assert!(provider.capabilities().plan_destroy);
    let region = Value::map([("region", Value::from("here"))]);
    assert!(
        provider
            .validate_provider_config(&region)
            .await
            .expect("an answer")
            .is_empty()
    );
    assert!(
        provider
            .configure(&region)
            .await
            .expect("an answer")
            .is_empty()
    );

    let config = thing(provider, "a");
    let said = provider
        .validate_resource_config("fake_thing", &config)
        .await;
    assert!(said.expect("an answer").is_empty());
    let planned = plan(provider, &Value::Null, &config).await;
    assert!(
        planned
            .planned_state
            .get("id")
            .is_some_and(Value::is_unknown)
    );
    let applied = provider
        .apply_resource_change(ApplyResourceChange {
            type_name: "fake_thing",
            prior_state: &Value::Null,
            planned_state: &planned.planned_state,
            config: &config,
            planned_private: &planned.planned_private,
            planned_identity: None,
        })
        .await
        .expect("an answer");
    assert!(applied.diagnostics.is_empty(), "{}", applied.diagnostics);
    let state = applied.new_state.expect("an object");
    assert_eq!(state.get("id"), Some(&Value::from("id-of-a")));
    assert_eq!(applied.private, "applied");

    let read = provider
        .read_resource(ReadResource {
            type_name: "fake_thing",
            current_state: &state,
            private: &applied.private,
            current_identity: None,
        })
        .await
        .expect("an answer");
    assert_eq!(
        (read.new_state, read.private),
        (state.clone(), applied.private)
    );

    let stored = state.to_json(
        provider
            .resource_schema("fake_thing")
            .expect("a schema")
            .expect("one")
            .ty(),
    );
    let stored = stored.expect("JSON");
    let upgraded = provider
        .upgrade_resource_state(UpgradeResourceState {
            type_name: "fake_thing",
            version: 0,
            raw_state: RawState::Json(stored.as_bytes()),
        })
        .await
        .expect("an answer");
    assert_eq!(upgraded.upgraded_state, state);

    let renamed = plan(provider, &state, &thing(provider, "b")).await;
    assert_eq!(renamed.requires_replace, [Path::root().attribute("name")]);

    let found = provider
        .read_data_source(ReadDataSource {
            type_name: "fake_lookup",
            config: &Value::map([("name", Value::from("x")), ("found", Value::Null)]),
        })
        .await
        .expect("an answer");
    assert_eq!(found.state.get("found"), Some(&Value::from("found x")));
    let stopped = provider.stop().await.expect_err("says no");
    assert_eq!(
        stopped.to_string(),
        "StopProvider failed: nothing was running"
    );
    provider.shutdown().await;
    let gone = provider.configure(&region).await.expect_err("gone");
    assert!(matches!(gone, CallError::Gone { .. }), "{gone}");
}

#[tokio::test]
async fn a_resource_lives_over_protocol_5() {
    lives("5").await;
}

#[tokio::test]
async fn a_resource_lives_over_protocol_6() {
    lives("6").await;
}

#[tokio::test]
async fn diagnostics_arrive_with_their_attribute() {
    let provider = fake(&[]).await.expect("starts");
    let said = provider
        .configure(&Value::map([("region", Value::from("nowhere"))]))
        .await;
    insta::assert_snapshot!(said.expect("an answer").to_string(), @"
    error: no such region: there is no region `nowhere`
      attribute  region
    ");
}

#[tokio::test]
async fn a_second_process_of_a_provider_that_allows_it_takes_the_schema_of_the_first() {
    let plugins = fake_plugins(&[], Arc::default());
    let first = plugins.start(&source("fake")).await.expect("starts");
    let second = plugins.start(&source("fake")).await.expect("starts");
    let schema = |provider: &dyn Provider| {
        provider
            .resource_schema("fake_thing")
            .expect("a schema")
            .expect("one")
    };
    assert!(Arc::ptr_eq(&schema(&*first), &schema(&*second)));
}

#[tokio::test]
async fn a_value_that_does_not_fit_the_schema_is_never_sent() {
    let provider = fake(&[]).await.expect("starts");
    let error = provider
        .configure(&Value::map([("zone", Value::Null)]))
        .await
        .expect_err("refused");
    insta::assert_snapshot!(error.to_string(), @"cannot ask the provider for ConfigureProvider: attribute `region` is missing");
    let error = provider
        .validate_resource_config("fake_other", &Value::Null)
        .await;
    insta::assert_snapshot!(error.expect_err("refused").to_string(), @"cannot ask the provider for ValidateResourceConfig: the provider has no resource type `fake_other`");
}

#[tokio::test]
async fn shutdown_is_quick_and_leaves_no_socket_behind() {
    let log = Arc::<Lines>::default();
    let plugins = fake_plugins(&[("FAKE_FAULT", "apply:hang")], log.clone());
    let provider = plugins.start(&source("fake")).await.expect("starts");
    let started = Instant::now();
    provider.shutdown().await;
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    let lines = log.all();
    assert!(
        lines.iter().any(|line| line.contains("serves protocol 5")),
        "{lines:?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("is killed")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_call_under_way_hears_of_the_shutdown() {
    let provider = fake(&[("FAKE_FAULT", "plan:hang")]).await.expect("starts");
    let config = thing(&*provider, "a");
    let hanging = {
        let provider = provider.clone();
        tokio::spawn(async move {
            let private = Bytes::new();
            let request = PlanResourceChange {
                type_name: "fake_thing",
                prior_state: &Value::Null,
                proposed_new_state: &config,
                config: &config,
                prior_private: &private,
                prior_identity: None,
            };
            provider.plan_resource_change(request).await.map(|_| ())
        })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    provider.shutdown().await;
    let error = hanging.await.expect("no panic").expect_err("gone");
    assert!(matches!(error, CallError::Gone { .. }), "{error}");
}
