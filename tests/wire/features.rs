//! Functions, ephemeral resources, lists, actions and moves of HashiCorp's framework, over both protocol versions.

use std::path::Path;
use std::sync::{Arc, Mutex};

use terrane_core::addr::ProviderSource;
use terrane_core::schema::Schema;
use terrane_core::{Type, Value};
use terrane_provider::{
    CallFunction, InvokeAction, ListResource, MoveResourceState, OpenEphemeralResource,
    OpenedEphemeralResource, Provider, RawState,
};

use crate::conformance::{config, create};
use crate::processes::conformance;

/// A configured provider.
async fn ready(version: u32, directory: &Path) -> Arc<dyn Provider> {
    let provider = conformance(version, directory).await;
    let schema = provider.config_schema().expect("a schema");
    let said = provider.configure(&schema.block.empty_value()).await;
    assert!(!said.expect("an answer").has_errors());
    provider
}

/// An object of a schema with those members, everything else null.
pub(crate) fn object(schema: &Schema, members: &[(&str, Value)]) -> Value {
    let empty = schema.block.empty_value();
    let mut all = empty.members().expect("an object").clone();
    for (name, value) in members {
        all.insert((*name).into(), value.clone());
    }
    Value::Map(Arc::new(all))
}

fn ledger(directory: &Path) -> String {
    let text = std::fs::read_to_string(directory.join("ledger.jsonl")).expect("a ledger");
    let lines = text.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("op"), text("name"))
    });
    lines.collect::<Vec<_>>().join(", ")
}

async fn functions(version: u32) {
    let directory = tempfile::tempdir().expect("a directory");
    // Nobody configures it.
    let provider = conformance(version, directory.path()).await;
    let functions = provider.functions();
    assert_eq!(functions, [Arc::from("join")]);
    let join = provider
        .function("join")
        .expect("a signature")
        .expect("one");
    assert_eq!(
        (&*join.parameters[0].name, &join.result),
        ("separator", &Type::String)
    );
    assert!(
        join.variadic
            .as_ref()
            .is_some_and(|parts| parts.allows_null)
    );
    assert!(join.takes(1) && join.takes(3) && !join.takes(0));
    let call = async |arguments: &[Value]| {
        let request = CallFunction {
            name: "join",
            arguments,
        };
        provider.call_function(request).await.expect("an answer")
    };
    let joined = call(&["-".into(), "a".into(), Value::Null, "b".into()]).await;
    assert_eq!(joined, Ok("a-b".into()));
    let refused = call(&["".into(), "a".into()]).await.expect_err("refused");
    assert_eq!(
        (&*refused.text, refused.argument),
        ("the separator is empty", Some(0))
    );
    provider.shutdown().await;
}

async fn ephemeral(version: u32) {
    let directory = tempfile::tempdir().expect("a directory");
    let provider = ready(version, directory.path()).await;
    let type_name = "conformance_secret";
    let schema = provider.ephemeral_resource_schema(type_name);
    let schema = schema.expect("a schema").expect("one");
    let config = object(&schema, &[("name", "s".into()), ("renew", true.into())]);
    let said = provider
        .validate_ephemeral_resource_config(type_name, &config)
        .await;
    assert!(!said.expect("an answer").has_errors());
    let request = OpenEphemeralResource {
        type_name,
        config: &config,
    };
    let opened = provider
        .open_ephemeral_resource(request)
        .await
        .expect("an answer");
    assert!(!opened.diagnostics.has_errors(), "{}", opened.diagnostics);
    let value = opened.result.get("value").and_then(Value::as_str);
    assert!(
        value.is_some_and(|value| value.starts_with("secret-")),
        "{value:?}"
    );
    assert!(!format!("{opened:?}").contains("secret-"));
    assert!(opened.renew_at.is_some());
    let renewed = provider
        .renew_ephemeral_resource(OpenedEphemeralResource {
            type_name,
            private: opened.private.as_ref(),
        })
        .await
        .expect("an answer");
    assert_eq!(renewed.renew_at, None);
    assert_ne!(renewed.private, opened.private);
    let closed = provider
        .close_ephemeral_resource(OpenedEphemeralResource {
            type_name,
            private: renewed.private.as_ref(),
        })
        .await
        .expect("an answer");
    assert!(!closed.has_errors());
    assert_eq!(ledger(directory.path()), "open s, renew s, close renewed s");
    provider.shutdown().await;
}

async fn lists(version: u32) {
    let directory = tempfile::tempdir().expect("a directory");
    let provider = ready(version, directory.path()).await;
    let type_name = "conformance_thing";
    let mut ids = Vec::new();
    for name in ["a-1", "a-2", "b"] {
        let things = config(&*provider, type_name, &[("name", name.into())]);
        let created = create(&*provider, type_name, &things).await;
        ids.push(created.state.get("id").cloned());
    }
    assert_eq!(provider.list_resources(), [Arc::from(type_name)]);
    let schema = provider.list_resource_schema(type_name);
    let schema = schema.expect("a schema").expect("one");
    let list = async |prefix: Value, include_resource_object: bool, limit: u32| {
        let request = ListResource {
            type_name,
            config: &object(&schema, &[("prefix", prefix)]),
            include_resource_object,
            limit,
        };
        let said = provider.validate_list_resource_config(request).await;
        assert!(!said.expect("an answer").has_errors());
        provider.list_resource(request).await.expect("an answer")
    };
    let found = list("a-".into(), true, 10).await;
    let names: Vec<_> = found.iter().map(|one| &*one.display_name).collect();
    assert_eq!(names, ["a-1", "a-2"]);
    let identity = found[1].identity.as_ref().expect("an identity");
    assert_eq!(identity.value.get("id"), ids[1].as_ref());
    let object = found[1].object.as_ref().expect("the object");
    assert_eq!(object.get("id"), ids[1].as_ref());
    let found = list(Value::Null, false, 1).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].object.is_none());
    provider.shutdown().await;
}

async fn actions(version: u32) {
    let directory = tempfile::tempdir().expect("a directory");
    let provider = ready(version, directory.path()).await;
    let action_type = "conformance_note";
    let schema = provider
        .action_schema(action_type)
        .expect("a schema")
        .expect("one");
    let invoke = async |fails: Value| {
        let config = object(&schema, &[("text", "hello".into()), ("fails", fails)]);
        let said = provider.validate_action_config(action_type, &config).await;
        assert!(!said.expect("an answer").has_errors());
        let request = InvokeAction {
            action_type,
            config: &config,
        };
        let planned = provider.plan_action(request).await.expect("an answer");
        assert!(!planned.diagnostics.has_errors() && planned.deferred.is_none());
        let heard = Mutex::new(Vec::new());
        let progress = |message| heard.lock().expect("no panic").push(message);
        let said = provider.invoke_action(request, &progress).await;
        (
            heard.into_inner().expect("no panic"),
            said.expect("an answer"),
        )
    };
    let (heard, said) = invoke(Value::Null).await;
    assert_eq!(heard, ["hello, step 1", "hello, step 2"]);
    assert!(said.is_empty(), "{said}");
    let (_, said) = invoke("no paper".into()).await;
    assert!(
        said.has_errors() && said.to_string().contains("no paper"),
        "{said}"
    );
    provider.shutdown().await;
}

async fn moves(version: u32) {
    let directory = tempfile::tempdir().expect("a directory");
    let provider = ready(version, directory.path()).await;
    assert!(provider.capabilities().move_resource_state);
    let source: ProviderSource = "terrane/conformance".parse().expect("a source");
    let move_from = async |source_type_name: &str| {
        let request = MoveResourceState {
            source_provider: &source,
            source_type_name,
            source_schema_version: 1,
            source_state: RawState::Json(br#"{"id":"a-1","name":"a"}"#),
            source_private: &bytes::Bytes::new(),
            source_identity: None,
            target_type_name: "conformance_thing",
        };
        provider
            .move_resource_state(request)
            .await
            .expect("an answer")
    };
    let moved = move_from("conformance_sdk_thing").await;
    assert!(!moved.diagnostics.has_errors(), "{}", moved.diagnostics);
    assert_eq!(moved.target_state.get("name"), Some(&"a".into()));
    let identity = moved.target_identity.expect("an identity");
    assert_eq!(identity.value.get("id"), Some(&"a-1".into()));
    assert!(!moved.target_private.is_empty());
    assert!(move_from("conformance_bad").await.diagnostics.has_errors());
    provider.shutdown().await;
}

macro_rules! over_both {
    ($($feature:ident: $five:ident, $six:ident;)*) => {
        $(
            #[tokio::test]
            async fn $five() {
                $feature(5).await;
            }

            #[tokio::test]
            async fn $six() {
                $feature(6).await;
            }
        )*
    };
}
over_both! {
    functions: a_function_is_called_over_protocol_5, a_function_is_called_over_protocol_6;
    ephemeral: an_ephemeral_resource_lives_over_protocol_5, an_ephemeral_resource_lives_over_protocol_6;
    lists: what_exists_is_listed_over_protocol_5, what_exists_is_listed_over_protocol_6;
    actions: an_action_is_invoked_over_protocol_5, an_action_is_invoked_over_protocol_6;
    moves: an_object_changes_its_type_over_protocol_5, an_object_changes_its_type_over_protocol_6;
}
