//! Messages for a provider that does not start, or dies in the middle of a call.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use terrane_core::Value;
use terrane_provider::{
    ApplyResourceChange, CallError, CliConfig, Launch, Plugins, Provider, Providers as _,
    StartError,
};

use crate::processes::{Lines, fake, fake_plugins, source};

async fn refused(start: &str) -> String {
    let plugins = fake_plugins(&[("FAKE_START", start)], Arc::default())
        .handshake_limit(Duration::from_millis(1500));
    let started = Instant::now();
    let Err(error) = plugins.start(&source("fake")).await else {
        panic!("`{start}` starts");
    };
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "{:?}",
        started.elapsed()
    );
    shown(&error)
}

fn shown(error: &StartError) -> String {
    format!("{error}\n{}", error.detail).trim_end().to_owned()
}

#[tokio::test]
async fn a_provider_that_exits_during_the_handshake_is_quoted() {
    insta::assert_snapshot!(refused("exit").await, @"
    provider registry.terraform.io/terrane/fake ended during the handshake (exit status: 3)
    its standard error:
    no licence found
    ");
}

#[tokio::test]
async fn a_provider_that_panics_during_the_handshake_shows_its_trace() {
    insta::assert_snapshot!(refused("panic").await, @"
    provider registry.terraform.io/terrane/fake ended during the handshake (exit status: 2)
    its standard error:
    panic: runtime error: index out of range

    goroutine 1 [running]:
    main.main()
    ");
}

#[tokio::test]
async fn a_provider_that_never_shakes_hands_is_given_up() {
    insta::assert_snapshot!(refused("hang").await, @"
    provider registry.terraform.io/terrane/fake did not finish the handshake within 1.5 s
    its standard error:
    waiting for a licence server
    ");
}

#[tokio::test]
async fn a_provider_that_prints_something_else_first_is_refused() {
    insta::assert_snapshot!(refused("junk").await, @"
    provider registry.terraform.io/terrane/fake does not start with a handshake line
    its standard output: Welcome to the fake provider!
    ");
}

#[tokio::test]
async fn a_provider_that_prints_without_end_is_refused() {
    let message = refused("endless").await;
    assert!(
        message.contains("does not start with a handshake line"),
        "{message}"
    );
    assert!(message.len() < 1_000, "{} bytes", message.len());
}

#[tokio::test]
async fn a_provider_of_another_protocol_is_refused_by_name() {
    insta::assert_snapshot!(refused("netrpc").await, @"
    provider registry.terraform.io/terrane/fake speaks netrpc; terrane speaks grpc
    its standard output: 1|5|unix|/tmp/nowhere
    ");
    insta::assert_snapshot!(refused("core").await, @"
    provider registry.terraform.io/terrane/fake speaks version 2 of the plugin handshake; terrane speaks 1
    its standard output: 2|5|unix|/tmp/nowhere|grpc
    ");
    insta::assert_snapshot!(refused("version4").await, @"
    provider registry.terraform.io/terrane/fake speaks version 4 of the plugin protocol; terrane speaks 5 and 6
    its standard output: 1|4|unix|/tmp/nowhere|grpc
    ");
}

#[tokio::test]
async fn a_provider_that_does_not_listen_where_it_says_is_refused() {
    insta::assert_snapshot!(refused("dead").await, @"cannot connect to provider registry.terraform.io/terrane/fake: No such file or directory (os error 2)");
}

#[tokio::test]
async fn a_provider_that_floods_its_standard_error_starts_all_the_same() {
    let provider = fake(&[("FAKE_START", "flood")]).await.expect("starts");
    provider.shutdown().await;
}

#[tokio::test]
async fn a_missing_binary_or_one_that_cannot_run_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = directory.path().join("terraform-provider-fake");
    std::fs::write(&text, "no program").expect("written");
    for (binary, expected) in [
        (directory.path().join("nothing"), "cannot find the binary"),
        (directory.path().to_owned(), "it is not a file"),
        (text, "cannot execute"),
    ] {
        let plugins = fake_plugins(&[], Arc::default()).with_command(source("fake"), binary);
        let Err(error) = plugins.start(&source("fake")).await else {
            panic!("{expected}: starts");
        };
        assert!(shown(&error).contains(expected), "{}", shown(&error));
    }
}

#[tokio::test]
async fn a_provider_that_is_not_installed_says_where_we_looked_and_what_to_do() {
    let config = r#"provider_installation { filesystem_mirror { path = "/nowhere/at/all" } }"#;
    let config = CliConfig::parse(config).expect("readable");
    let plugins = Plugins::new(
        Default::default(),
        config,
        Launch::Direct,
        Arc::<Lines>::default(),
    );
    let Err(error) = plugins.start(&source("fake")).await else {
        panic!("starts");
    };
    insta::assert_snapshot!(shown(&error), @"
    provider registry.terraform.io/terrane/fake is not installed
    searched:
      /nowhere/at/all
    ");
    assert!(
        error.hints[0].contains("filesystem_mirror") && error.hints[0].contains("dev_overrides")
    );
}

async fn apply(
    provider: &dyn Provider,
) -> Result<terrane_provider::ApplyResourceChangeResponse, CallError> {
    let object = Value::map([
        ("id", Value::UNKNOWN),
        ("name", "a".into()),
        ("size", Value::Null),
        ("tags", Value::Null),
    ]);
    let private = Bytes::from_static(b"planned");
    let request = ApplyResourceChange {
        provider_meta: None,
        type_name: "fake_thing",
        prior_state: &Value::Null,
        planned_state: &object,
        config: &object,
        planned_private: &private,
        planned_identity: None,
    };
    provider.apply_resource_change(request).await
}

#[tokio::test]
async fn a_crash_during_apply_says_how_the_process_ended_and_shows_its_trace() {
    let provider = fake(&[("FAKE_FAULT", "apply:panic")])
        .await
        .expect("starts");
    let error = apply(&*provider).await.expect_err("gone");
    let CallError::Gone { last_words, .. } = &error else {
        panic!("{error}");
    };
    insta::assert_snapshot!(format!("{error}\n{last_words}"), @"
    the provider process ended during ApplyResourceChange
    the process ended with exit status: 2
    panic: assignment to entry in nil map

    goroutine 42 [running]:
    main.apply()
    ");
}

#[tokio::test]
async fn an_exit_with_status_0_during_apply_is_no_success() {
    let provider = fake(&[("FAKE_FAULT", "apply:exit")]).await.expect("starts");
    let error = apply(&*provider).await.expect_err("gone");
    let CallError::Gone { last_words, .. } = &error else {
        panic!("{error}");
    };
    insta::assert_snapshot!(last_words, @"the process ended with exit status: 0");
}

#[tokio::test]
async fn garbage_after_an_apply_is_kept_for_something_may_exist() {
    let provider = fake(&[("FAKE_FAULT", "apply:garble")])
        .await
        .expect("starts");
    let response = apply(&*provider).await.expect("an answer");
    let garbled = response.new_state.expect_err("no object");
    assert_eq!(garbled.raw, b"\x82this is no object".as_slice());
    insta::assert_snapshot!(garbled.reason, @"expected an object of 4 attributes, found 2");
    assert_eq!(response.private, "applied");
}

#[tokio::test]
async fn a_flood_of_diagnostics_is_bounded() {
    let provider = fake(&[("FAKE_FAULT", "configure:flood")])
        .await
        .expect("starts");
    let config = Value::map([("region", Value::Null), ("token", Value::Null)]);
    let said = provider.configure(&config).await.expect("an answer");
    assert_eq!(said.len(), 1_001);
}

/// Runs only as the child of the test below: starts a provider, says its pid, and waits to be killed.
#[tokio::test]
async fn child_that_starts_a_provider_and_waits() {
    if std::env::var_os("TERRANE_TEST_CHILD").is_none() {
        return;
    }
    if std::env::var_os("TERRANE_TEST_PORTABLE").is_some() {
        terrane_host::use_portable_ways();
    }
    let log = Arc::<Lines>::default();
    let plugins = fake_plugins(&[], log.clone());
    let _provider = plugins.start(&source("fake")).await.expect("starts");
    let lines = log.all();
    let line = lines
        .iter()
        .find(|line| line.contains("serves protocol"))
        .expect("the line");
    let pid = line
        .split("process ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let file = PathBuf::from(std::env::var_os("TERRANE_TEST_CHILD").expect("set"));
    std::fs::write(file, pid.expect("a pid")).expect("written");
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[test]
fn a_provider_dies_with_us_even_when_we_are_killed() {
    dies_with_us(&[]);
}

#[test]
fn a_provider_dies_with_us_also_where_a_launcher_must_watch() {
    dies_with_us(&[("TERRANE_TEST_PORTABLE", "1")]);
}

fn dies_with_us(way: &[(&str, &str)]) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("pid");
    let mut child = Command::new(std::env::current_exe().expect("a test binary"))
        .args([
            "--exact",
            "failures::child_that_starts_a_provider_and_waits",
        ])
        .env("TERRANE_TEST_CHILD", &file)
        .envs(way.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let wait_for = |what: &str, condition: &dyn Fn() -> bool| {
        let started = Instant::now();
        while !condition() {
            assert!(started.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let pid = || std::fs::read_to_string(&file).unwrap_or_default();
    wait_for("the provider starts", &|| !pid().is_empty());
    // With a launcher that watches, both are of its group.
    assert_eq!(running_in_group(&pid()), way.len() + 1);
    child.kill().expect("killed");
    child.wait().expect("reaped");
    wait_for("the provider is gone", &|| running_in_group(&pid()) == 0);
}

/// How many processes of that group run, without those that only wait to be taken note of.
fn running_in_group(leader: &str) -> usize {
    let output = Command::new("ps")
        .args(["-A", "-o", "pgid=", "-o", "stat="])
        .output()
        .expect("ps runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        Some((words.next()?, words.next()?))
    });
    lines
        .filter(|(group, state)| *group == leader && !state.starts_with('Z'))
        .count()
}
