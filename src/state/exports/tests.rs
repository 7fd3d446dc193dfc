//! What a program reads of the states of others, and the errors when they do not fit.

use std::path::Path;

use terrane_core::{Expr, Marked, NoConfig, Output, Scope, Stack};
use terrane_macros::Exports;

use super::*;
use crate::SystemClock;

#[derive(Exports)]
#[exports(crate = "terrane_core")]
struct NetworkExports {
    vpc_id: Output<String>,
    subnet_ids: Output<Vec<String>>,
    #[exports(name = "api-port")]
    port: Output<u16>,
    token: Output<String>,
    waf_arn: Output<Option<String>>,
}

/// A state as Terraform 1.11 writes it.
const TERRAFORM: &str = r#"{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 3,
  "lineage": "8d3b8b28-7a4c-ec3b-8b4e-1d2a3b4c5d6e",
  "outputs": {
    "api-port": {"value": 8443, "type": "number"},
    "subnet_ids": {"value": ["subnet-1", "subnet-2"], "type": ["tuple", ["string", "string"]]},
    "token": {"value": "hunter2hunter2", "type": "string", "sensitive": true},
    "vpc_id": {"value": "vpc-1", "type": "string"}
  },
  "resources": [],
  "check_results": null
}
"#;

struct Nothing;

impl Scope for Nothing {
    fn object(&self, _: &terrane_core::addr::InstanceAddr) -> Option<Arc<Marked>> {
        None
    }
}

/// The exports of a program that exports again what it reads, or its errors.
async fn read(
    state: &Path,
    consumer: impl FnOnce(&mut Stack, BackendConfig),
) -> Result<Vec<String>, String> {
    let config = BackendConfig::from(state);
    let program = Program::from_fn(
        |stack| {
            consumer(stack, config);
            Ok(())
        },
        NoConfig,
    );
    let program = program.expect("a program");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let shown = |text: String| text.replace(&state.display().to_string(), "STATE");
    if let Err(errors) = read_exports(&program, &Backends::default(), &clock).await {
        let errors = errors.iter().map(|error| {
            let detail = &error.detail;
            let hints = error.hints.join("; ");
            shown(format!("{}\n  {detail}\n  hint: {hints}", error.summary))
        });
        return Err(errors.collect::<Vec<_>>().join("\n"));
    }
    let exports = program.exports().iter();
    let exports = exports.map(|export| {
        let value = export.value.evaluate(&Nothing).expect("a value");
        format!("{} = {value:?}", export.name)
    });
    Ok(exports.collect())
}

fn again(stack: &mut Stack, config: BackendConfig) {
    let network = stack.reads(config).exports::<NetworkExports>();
    let url = network.port.map(|port| format!("https://api:{port}"));
    let authorization = network.token.map(|token| format!("Bearer {token}"));
    stack.export("first", network.subnet_ids.index(0));
    stack.export("url", url);
    stack.export("authorization", authorization);
    stack.exports(network);
}

fn stored(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("network.tfstate");
    std::fs::write(&path, text).expect("a state");
    path
}

#[tokio::test]
async fn a_state_of_terraform_is_read_into_typed_exports_without_its_lock() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = stored(folder.path(), TERRAFORM);
    let backend = BackendConfig::from(&*state);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let held = backend.address().connect(clock).await.expect("a backend");
    let (now, random) = (SystemClock::default(), crate::SystemRandom);
    let path = held.lock_path();
    let info = crate::LockInfo::new(crate::Operation::Apply, "somebody", &path, &now, &random);
    held.lock(&info).await.expect("locked by another run");

    let exports = read(&state, again).await.expect("read");
    insta::assert_snapshot!(exports.join("\n"), @r#"
    first = "subnet-1"
    url = "https://api:8443"
    authorization = (sensitive)
    vpc_id = "vpc-1"
    subnet_ids = ["subnet-1", "subnet-2"]
    api-port = 8443
    token = (sensitive)
    waf_arn = null
    "#);
    assert_eq!(std::fs::read_to_string(&state).expect("a state"), TERRAFORM);
}

#[tokio::test]
async fn exports_of_another_shape_are_named_with_both_types_and_their_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = TERRAFORM
        .replace("\"vpc_id\"", "\"vpcid\"")
        .replace(
            "8443, \"type\": \"number\"",
            "\"8443\", \"type\": \"string\"",
        )
        .replace(
            "\"hunter2hunter2\", \"type\": \"string\"",
            "{\"hunter2\": 1}, \"type\": [\"map\", \"number\"]",
        );
    let errors = read(&stored(folder.path(), &other), again).await;
    insta::assert_snapshot!(errors.expect_err("other types"), @"
    STATE exports no `vpc_id`
      `NetworkExports` expects it; its exports are api-port, subnet_ids, token, vpcid
      hint: did you mean `vpcid`?
    the export `api-port` of STATE does not fit `NetworkExports`: expected a number, found a string
      the producer exports it as string
      hint: change the type of the field, or what the producer exports
    the export `token` of STATE does not fit `NetworkExports`: expected a string, found a map
      
      hint: change the type of the field, or what the producer exports
    ");
}

#[tokio::test]
async fn a_state_that_is_missing_or_damaged_is_an_error_at_the_line_that_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = read(&folder.path().join("network.tfstate"), again).await;
    insta::assert_snapshot!(missing.expect_err("missing"), @"
    there is no state at STATE
      its exports are used here
      hint: apply the stack that exports them first, or correct the address
    ");
    let damaged = read(&stored(folder.path(), "{\"version\": 4"), again).await;
    insta::assert_snapshot!(damaged.expect_err("damaged"), @"
    the exports in the state at STATE cannot be read
      the state at STATE cannot be used: the state is damaged at line 1, column 13: EOF while parsing an object
      hint:
    ");
    let wrong = TERRAFORM.replace("8443", "\"many\"");
    let wrong = read(&stored(folder.path(), &wrong), again).await;
    insta::assert_snapshot!(wrong.expect_err("an output that is not of its type"), @"
    the export `api-port` in the state at STATE cannot be read: expected a number, found a text that is none
      
      hint: apply the stack that exports it again: its value is computed anew
    ");
}

#[tokio::test]
async fn a_sensitive_export_is_among_the_secrets_of_the_program_that_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = stored(folder.path(), TERRAFORM);
    let program = Program::from_fn(
        |stack| {
            again(stack, BackendConfig::from(&*state));
            Ok(())
        },
        NoConfig,
    );
    let program = program.expect("a program");
    let secrets = || {
        let mut secrets = Vec::new();
        let expressions: Vec<&Expr> = program.expressions().collect();
        terrane_core::secrets::secrets_of(expressions, &mut |it| secrets.push(it.to_owned()));
        secrets
    };
    assert!(secrets().is_empty());
    assert_eq!(program.unknown_exports().count(), 5);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let read = read_exports(&program, &Backends::default(), &clock).await;
    read.expect("read");
    assert_eq!(program.unknown_exports().count(), 0);
    assert!(secrets().iter().all(|it| it == "hunter2hunter2"));
    assert!(!secrets().is_empty());
}
