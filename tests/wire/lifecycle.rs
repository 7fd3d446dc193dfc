//! One resource's life over both protocol versions, against the fake provider.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use terrane_core::{Path, Value};
use terrane_provider::{
    ApplyResourceChange, CallError, CliConfig, Launch, PlanResourceChange, Plugins, Provider,
    Providers as _, RawState, ReadDataSource, ReadResource, UpgradeResourceState,
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
        provider_meta: None,
        planned_private: None,
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
    let region = Value::map([("region", Value::from("here")), ("token", Value::Null)]);
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
            provider_meta: None,
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
            provider_meta: None,
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
            provider_meta: None,
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
        .configure(&Value::map([
            ("region", "nowhere".into()),
            ("token", Value::Null),
        ]))
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
    insta::assert_snapshot!(error.to_string(), @"cannot send ConfigureProvider to the provider: attribute `region` is missing");
    let error = provider
        .validate_resource_config("fake_other", &Value::Null)
        .await;
    insta::assert_snapshot!(error.expect_err("refused").to_string(), @"cannot send ValidateResourceConfig to the provider: the provider has no resource type `fake_other`");
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
                provider_meta: None,
                planned_private: None,
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

#[tokio::test]
async fn a_provider_that_somebody_else_runs_is_attached_to_and_left_alone() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    // As a debugger would run it: no client certificate, so no TLS.
    let mut process = Command::new(env!("CARGO_BIN_EXE_fake-provider"))
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env("FAKE_PROTOCOL", "6")
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    let stdout = process.stdout.take().expect("piped");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("a handshake");
    let socket = line.split('|').nth(3).expect("an address");
    let reattach = format!(
        r#"{{"terrane/fake":{{"Protocol":"grpc","ProtocolVersion":6,"Pid":{},"Test":true,"Addr":{{"Network":"unix","String":"{socket}"}}}}}}"#,
        process.id()
    );
    let environment = [("TF_REATTACH_PROVIDERS", reattach)].into_iter().collect();
    let plugins = Plugins::new(
        environment,
        CliConfig::default(),
        Launch::Direct,
        Arc::<Lines>::default(),
    );
    let provider = plugins.start(&source("fake")).await.expect("attaches");
    let region = Value::map([("region", Value::from("here")), ("token", Value::Null)]);
    assert!(
        provider
            .configure(&region)
            .await
            .expect("an answer")
            .is_empty()
    );
    provider.shutdown().await;
    assert_eq!(process.try_wait().expect("asked"), None, "it still runs");
    process.kill().expect("killed");
    process.wait().expect("reaped");
}

#[tokio::test]
async fn a_provider_can_be_spoken_to_without_tls() {
    let environment = [("TF_DISABLE_PLUGIN_TLS", "1")].into_iter().collect();
    let binary = std::path::PathBuf::from(env!("CARGO_BIN_EXE_fake-provider"));
    let plugins = Plugins::new(
        environment,
        CliConfig::default(),
        Launch::Direct,
        Arc::<Lines>::default(),
    )
    .with_command(source("fake"), binary);
    let provider = plugins.start(&source("fake")).await.expect("starts");
    assert!(
        provider
            .resource_schema("fake_thing")
            .expect("a schema")
            .is_some()
    );
    provider.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_calls_at_once_all_get_their_own_answer() {
    let provider = fake(&[]).await.expect("starts");
    let calls = (0..300).map(|number| {
        let provider = provider.clone();
        tokio::spawn(async move {
            let name = format!("name {number}");
            let config = Value::map([("name", Value::from(name.as_str())), ("found", Value::Null)]);
            let request = ReadDataSource {
                provider_meta: None,
                type_name: "fake_lookup",
                config: &config,
            };
            let answer = provider.read_data_source(request).await.expect("an answer");
            assert_eq!(
                answer.state.get("found"),
                Some(&format!("found {name}").into())
            );
        })
    });
    for call in Vec::from_iter(calls) {
        call.await.expect("no panic");
    }
    provider.shutdown().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_provider_process_has_only_the_environment_it_needs() {
    let log = Arc::<Lines>::default();
    let environment = [
        ("HOME", "/home"),
        ("SECRET_OF_ANOTHER", "s"),
        ("FAKE_TOKEN", "t"),
    ];
    let plugins = Plugins::new(
        environment.into_iter().collect(),
        CliConfig::default(),
        Launch::Reexec(env!("CARGO_BIN_EXE_fake-provider").into()),
        log.clone(),
    )
    .with_command(
        source("fake"),
        std::path::PathBuf::from(env!("CARGO_BIN_EXE_fake-provider")),
    );
    let provider = plugins.start(&source("fake")).await.expect("starts");
    let lines = log.all();
    let pid = (lines.iter())
        .find_map(|line| {
            line.split("process ")
                .nth(1)?
                .split(' ')
                .next()?
                .parse::<u32>()
                .ok()
        })
        .expect("the log names the process");
    let seen = std::fs::read(format!("/proc/{pid}/environ")).expect("it runs");
    let names: std::collections::BTreeSet<_> = String::from_utf8_lossy(&seen)
        .split('\0')
        .filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()))
        .collect();
    insta::assert_snapshot!(Vec::from_iter(names).join("\n"), @"
    FAKE_TOKEN
    HOME
    PLUGIN_CLIENT_CERT
    PLUGIN_MAX_PORT
    PLUGIN_MIN_PORT
    PLUGIN_PROTOCOL_VERSIONS
    PLUGIN_UNIX_SOCKET_DIR
    TF_LOG_PROVIDER_FAKE
    TF_LOG_SDK
    TF_PLUGIN_MAGIC_COOKIE
    ");
    provider.shutdown().await;
}
