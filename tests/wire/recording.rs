//! What a provider has beside resources, recorded, and answered without it.

use std::fs::{self, File};
use std::io;
use std::sync::{Arc, Mutex};

use terrane_core::{Marked, Value};
use terrane_provider::{
    CallFunction, InvokeAction, ListResource, OpenEphemeralResource, OpenedEphemeralResource,
    Provider, Providers as _, RecordObserver, Recorder, Recording,
};

use crate::conformance::{config, create};
use crate::features::object;
use crate::processes::{conformance_plugins, source};

/// Knows no secrets.
struct Nobody;

impl RecordObserver for Nobody {
    fn learn(&self, _: &Marked) {}

    fn masked(&self, text: &str) -> String {
        text.to_owned()
    }

    fn stopped(&self, error: &io::Error) {
        panic!("{error}");
    }
}

/// Asks for one of each; what it answered, but for the secret, which is returned beside it.
async fn talk(provider: &dyn Provider) -> (Vec<String>, Value) {
    let mut heard = Vec::new();
    let join = provider.function("join").expect("an answer").expect("one");
    heard.push(format!("{join:?}"));
    for separator in ["-", ""] {
        let request = CallFunction {
            name: "join",
            arguments: &[separator.into(), "a".into(), "b".into()],
        };
        let answer = provider.call_function(request).await.expect("an answer");
        heard.push(format!("{answer:?}"));
    }
    let type_name = "conformance_secret";
    let schema = provider.ephemeral_resource_schema(type_name);
    let schema = schema.expect("an answer").expect("one");
    let secret = object(&schema, &[("name", "s".into())]);
    let request = OpenEphemeralResource {
        type_name,
        config: &secret,
    };
    let opened = provider.open_ephemeral_resource(request).await;
    let opened = opened.expect("an answer");
    let request = OpenedEphemeralResource {
        type_name,
        private: opened.private.as_ref(),
    };
    let closed = provider.close_ephemeral_resource(request).await;
    heard.push(format!("{:?}", closed.expect("an answer")));
    let type_name = "conformance_thing";
    let schema = provider.list_resource_schema(type_name);
    let schema = schema.expect("an answer").expect("one");
    let request = ListResource {
        type_name,
        config: &object(&schema, &[("prefix", "a".into())]),
        include_resource_object: true,
        limit: 10,
    };
    let listed = provider.list_resource(request).await;
    heard.push(format!("{:?}", listed.expect("an answer")));
    let action_type = "conformance_note";
    let schema = provider.action_schema(action_type);
    let schema = schema.expect("an answer").expect("one");
    let note = object(&schema, &[("text", "hello".into())]);
    let request = InvokeAction {
        action_type,
        config: &note,
    };
    let planned = provider.plan_action(request).await.expect("an answer");
    heard.push(format!("{planned:?}"));
    let said = Mutex::new(Vec::new());
    let progress = |message| said.lock().expect("no panic").push(message);
    let invoked = provider.invoke_action(request, &progress).await;
    heard.push(format!(
        "{:?} {:?}",
        said.lock().expect("no panic"),
        invoked.expect("an answer")
    ));
    let value = opened.result.get("value").cloned();
    (heard, value.expect("a value"))
}

#[tokio::test]
async fn what_is_no_resource_is_replayed_without_its_provider_and_its_secrets() {
    let directory = tempfile::tempdir().expect("a directory");
    let tape = directory.path().join("tape.jsonl");
    let file = File::create(&tape).expect("a file");
    let recorder = Arc::new(Recorder::new(file, Nobody).expect("writable"));
    let plugins = conformance_plugins(6, directory.path()).recorded_by(recorder);
    let provider = plugins
        .start(&source("conformance6"))
        .await
        .expect("it starts");
    let schema = provider.config_schema().expect("a schema");
    let said = provider.configure(&schema.block.empty_value()).await;
    assert!(!said.expect("an answer").has_errors());
    let type_name = "conformance_thing";
    let thing = config(&*provider, type_name, &[("name", "a-1".into())]);
    create(&*provider, type_name, &thing).await;
    let (heard, secret) = talk(&*provider).await;
    provider.shutdown().await;
    let text = fs::read_to_string(&tape).expect("a recording");
    let secret = secret.as_str().expect("a text").to_owned();
    assert!(secret.starts_with("secret-") && !text.contains(&secret));

    let recording = Recording::read(&text).expect("a recording");
    let replayed = recording
        .start(&source("conformance6"))
        .await
        .expect("it starts");
    assert!(replayed.function("other").is_err());
    let (again, hidden) = talk(&*replayed).await;
    assert_eq!(again, heard);
    assert_eq!(hidden, Value::from("(sensitive)"));
}
