//! The client against HashiCorp's own provider libraries, over both protocol versions.

use std::sync::Arc;

use bytes::Bytes;
use terrane_core::schema::AttributeType;
use terrane_core::{Type, Value};
use terrane_provider::{
    ApplyResourceChange, Identity, PlanResourceChange, Provider, ReadDataSource, ReadResource,
};

use crate::processes::conformance;

pub(crate) fn config(provider: &dyn Provider, type_name: &str, members: &[(&str, Value)]) -> Value {
    let schema = provider
        .resource_schema(type_name)
        .expect("a schema")
        .expect("one");
    let empty = schema.block.empty_value();
    let mut all = empty.members().expect("an object").clone();
    for (name, value) in members {
        all.insert((*name).into(), value.clone());
    }
    Value::Map(Arc::new(all))
}

pub(crate) struct Created {
    pub(crate) state: Value,
    private: Bytes,
    identity: Option<Identity>,
}

pub(crate) async fn create(provider: &dyn Provider, type_name: &str, config: &Value) -> Created {
    let said = provider
        .validate_resource_config(type_name, config)
        .await
        .expect("an answer");
    assert!(!said.has_errors(), "{said}");
    let planned = provider
        .plan_resource_change(PlanResourceChange {
            provider_meta: None,
            planned_private: None,
            type_name,
            prior_state: &Value::Null,
            proposed_new_state: config,
            config,
            prior_private: &Bytes::new(),
            prior_identity: None,
        })
        .await
        .expect("an answer");
    assert!(!planned.diagnostics.has_errors(), "{}", planned.diagnostics);
    assert!(!planned.planned_state.is_wholly_known());
    let applied = provider
        .apply_resource_change(ApplyResourceChange {
            provider_meta: None,
            type_name,
            prior_state: &Value::Null,
            planned_state: &planned.planned_state,
            config,
            planned_private: &planned.planned_private,
            planned_identity: planned.planned_identity.as_ref(),
        })
        .await
        .expect("an answer");
    assert!(!applied.diagnostics.has_errors(), "{}", applied.diagnostics);
    let state = applied.new_state.expect("an object");
    assert!(state.is_wholly_known());
    Created {
        state,
        private: applied.private,
        identity: applied.new_identity,
    }
}

async fn reads_back(provider: &dyn Provider, type_name: &str, created: &Created) {
    let read = provider
        .read_resource(ReadResource {
            provider_meta: None,
            type_name,
            current_state: &created.state,
            private: &created.private,
            current_identity: created.identity.as_ref(),
        })
        .await
        .expect("an answer");
    assert!(!read.diagnostics.has_errors(), "{}", read.diagnostics);
    assert_eq!(read.new_state, created.state);
}

async fn everything_lives(version: u32) {
    let directory = tempfile::tempdir().expect("a directory");
    let provider = conformance(version, directory.path()).await;
    let provider = &*provider;
    let empty = provider
        .config_schema()
        .expect("a schema")
        .block
        .empty_value();
    let said = provider
        .validate_provider_config(&empty)
        .await
        .expect("an answer");
    assert!(!said.has_errors(), "{said}");
    let said = provider.configure(&empty).await.expect("an answer");
    assert!(!said.has_errors(), "{said}");

    // SDK v2: sets of blocks with computed members.
    let sdk = provider
        .resource_schema("conformance_sdk_thing")
        .expect("a schema")
        .expect("one");
    assert_eq!(sdk.version, 1);
    let members = [
        ("name", "a".into()),
        // Left out they are null after the apply and empty after the read, as SDK v2 has it.
        ("tags", Value::map([("team", Value::from("ml"))])),
        ("zones", Value::set(vec!["z".into()], &Type::String)),
    ];
    let things = config(provider, "conformance_sdk_thing", &members);
    let created = create(provider, "conformance_sdk_thing", &things).await;
    reads_back(provider, "conformance_sdk_thing", &created).await;

    // Framework: exact numbers, dynamic values, sets, identity.
    let number: terrane_core::value::Number = "123456789012345678901234567890.5"
        .parse()
        .expect("a number");
    let anything = (Type::list(Type::Bool), Value::list(vec![true.into()]));
    let zones = vec!["b".into(), "a".into(), "e\u{301}".into()];
    let members = [
        ("name", "thing".into()),
        ("amount", Value::Number(number.clone())),
        ("anything", Value::Dynamic(Arc::new(anything))),
        ("zones", Value::set(zones, &Type::String)),
    ];
    let things = config(provider, "conformance_thing", &members);
    let created = create(provider, "conformance_thing", &things).await;
    assert_eq!(created.state.get("amount"), Some(&Value::Number(number)));
    assert_eq!(created.state.get("anything"), things.get("anything"));
    assert_eq!(created.state.get("zones"), things.get("zones"));
    let identity = created.identity.as_ref().expect("the type has an identity");
    let schema = provider
        .identity_schema("conformance_thing")
        .expect("a schema")
        .expect("one");
    assert_eq!(identity.schema_version, schema.version);
    let id = &schema.attributes[0];
    assert_eq!(
        (&*id.name, &id.ty, id.required_for_import),
        ("id", &Type::String, true)
    );
    reads_back(provider, "conformance_thing", &created).await;

    let found = provider
        .read_data_source(ReadDataSource {
            provider_meta: None,
            type_name: "conformance_lookup",
            config: &lookup(provider, "thing"),
        })
        .await
        .expect("an answer");
    assert_eq!(found.state.get("found"), created.state.get("id"));
    provider.shutdown().await;
}

fn lookup(provider: &dyn Provider, name: &str) -> Value {
    let schema = provider
        .data_source_schema("conformance_lookup")
        .expect("a schema")
        .expect("one");
    let mut members = schema
        .block
        .empty_value()
        .members()
        .expect("an object")
        .clone();
    members.insert("name".into(), name.into());
    Value::Map(Arc::new(members))
}

#[tokio::test]
async fn resources_of_both_libraries_live_over_protocol_5() {
    everything_lives(5).await;
}

#[tokio::test]
async fn resources_of_both_libraries_live_over_protocol_6() {
    everything_lives(6).await;
}

#[tokio::test]
async fn protocol_6_nests_attributes_and_their_values_round_trip() {
    let directory = tempfile::tempdir().expect("a directory");
    let provider = conformance(6, directory.path()).await;
    let provider = &*provider;
    let schema = provider
        .resource_schema("conformance_thing")
        .expect("a schema")
        .expect("one");
    assert!(matches!(
        schema.block.attributes["map"].ty,
        AttributeType::Nested(_)
    ));
    let empty = provider
        .config_schema()
        .expect("a schema")
        .block
        .empty_value();
    provider.configure(&empty).await.expect("an answer");
    let member = Value::map([
        ("port", Value::from(1)),
        ("note", Value::Null),
        ("member_id", Value::Null),
    ]);
    let members = [
        ("name", "nested".into()),
        ("list", Value::list(vec![member.clone()])),
        ("map", Value::map([("k", member)])),
    ];
    let things = config(provider, "conformance_thing", &members);
    let created = create(provider, "conformance_thing", &things).await;
    let port = created
        .state
        .get("map")
        .and_then(|map| map.get("k"))
        .and_then(|k| k.get("port"));
    assert_eq!(port, Some(&Value::from(1)));
    reads_back(provider, "conformance_thing", &created).await;
    provider.shutdown().await;
}

#[tokio::test]
async fn garbage_in_a_plan_is_an_error_and_garbage_after_an_apply_is_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let provider = conformance(5, directory.path()).await;
    let provider = &*provider;
    let empty = provider
        .config_schema()
        .expect("a schema")
        .block
        .empty_value();
    provider.configure(&empty).await.expect("an answer");
    let plan = |mode: &str| {
        let members = [("name", "a".into()), ("mode", mode.into())];
        config(provider, "conformance_bad", &members)
    };
    for mode in ["garbage_plan", "wrong_type_plan"] {
        let config = plan(mode);
        let answer = provider
            .plan_resource_change(PlanResourceChange {
                provider_meta: None,
                planned_private: None,
                type_name: "conformance_bad",
                prior_state: &Value::Null,
                proposed_new_state: &config,
                config: &config,
                prior_private: &Bytes::new(),
                prior_identity: None,
            })
            .await;
        let error = answer.expect_err("garbled").to_string();
        assert!(
            error.starts_with("cannot read the provider's response to PlanResourceChange"),
            "{error}"
        );
    }
    let config = plan("garbage_apply");
    let planned = provider
        .plan_resource_change(PlanResourceChange {
            provider_meta: None,
            planned_private: None,
            type_name: "conformance_bad",
            prior_state: &Value::Null,
            proposed_new_state: &config,
            config: &config,
            prior_private: &Bytes::new(),
            prior_identity: None,
        })
        .await
        .expect("an answer");
    let applied = provider
        .apply_resource_change(ApplyResourceChange {
            provider_meta: None,
            type_name: "conformance_bad",
            prior_state: &Value::Null,
            planned_state: &planned.planned_state,
            config: &config,
            planned_private: &planned.planned_private,
            planned_identity: None,
        })
        .await
        .expect("an answer");
    let garbled = applied.new_state.expect_err("no object");
    assert!(!garbled.raw.is_empty());
    provider.shutdown().await;
}
