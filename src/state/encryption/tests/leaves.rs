//! States whose sensitive values alone are encrypted: other tools read the rest, and nobody changes, moves or replaces any of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::Value as Json;
use terrane_vault::DataKey;

use super::super::envelope::WrappedKey;
use super::super::leaves::{Leaves, seal};
use super::*;
use crate::file::v4::tests::any_state;
use crate::file::{self, Layout};

/// Secrets of every kind that a state knows, and copies of them that it does not.
const SECRETS: [&str; 9] = [
    "canary-output",
    "canary-password",
    "canary-element",
    "canary-in-a-map",
    "canary-typed",
    "canary-of-a-set",
    "canary-deposed",
    "canary-private",
    "4242424242",
];

fn secretive_state() -> String {
    let private = BASE64.encode("canary-private");
    let copy = BASE64.encode("user:canary-password");
    format!(
        r#"{{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": 7,
  "lineage": "l-1",
  "outputs": {{
    "open": {{
      "value": "in the open",
      "type": "string"
    }},
    "password": {{
      "value": {{
        "it": "canary-output"
      }},
      "type": [
        "object",
        {{
          "it": "string"
        }}
      ],
      "sensitive": true
    }}
  }},
  "resources": [
    {{
      "module": "module.db[\"a\"]",
      "mode": "managed",
      "type": "acme_database",
      "name": "main",
      "provider": "provider[\"registry.example.com/ns/acme\"]",
      "instances": [
        {{
          "index_key": "one",
          "schema_version": 0,
          "attributes": {{
            "any": {{
              "value": {{
                "token": "canary-typed",
                "open": "visible"
              }},
              "type": [
                "object",
                {{
                  "token": "string",
                  "open": "string"
                }}
              ]
            }},
            "basic_auth": "{copy}",
            "id": "db-1",
            "list": [
              "visible",
              "canary-element"
            ],
            "password": "canary-password",
            "pin": 4242424242,
            "set": [
              {{
                "name": "of the set",
                "value": "canary-of-a-set"
              }}
            ],
            "tags": {{
              "a key": "canary-in-a-map",
              "open": "visible"
            }},
            "tags_all": {{
              "a key": "canary-in-a-map",
              "canary-password": "visible"
            }},
            "url": "postgres://app:canary-password@db-1"
          }},
          "sensitive_attributes": [
            [{{"type": "get_attr", "value": "any"}}, {{"type": "get_attr", "value": "token"}}],
            [{{"type": "get_attr", "value": "list"}}, {{"type": "index", "value": {{"value": 1, "type": "number"}}}}],
            [{{"type": "get_attr", "value": "password"}}],
            [{{"type": "get_attr", "value": "pin"}}],
            [{{"type": "get_attr", "value": "set"}}, {{"type": "index", "value": {{"value": "x", "type": "string"}}}}, {{"type": "get_attr", "value": "value"}}],
            [{{"type": "get_attr", "value": "tags"}}, {{"type": "index", "value": {{"value": "a key", "type": "string"}}}}],
            [{{"type": "get_attr", "value": "none"}}]
          ],
          "identity_schema_version": 0,
          "identity": {{
            "arn": "arn:db-1",
            "login": "canary-password"
          }},
          "private": "{private}"
        }},
        {{
          "index_key": "one",
          "deposed": "00fe12ab",
          "schema_version": 0,
          "attributes_flat": {{
            "id": "db-0",
            "password": "canary-deposed"
          }}
        }}
      ]
    }}
  ],
  "check_results": [
    {{
      "object_kind": "resource",
      "objects": [
        {{
          "failure_messages": [
            "4242424242 is no pin"
          ]
        }}
      ]
    }}
  ]
}}
"#
    )
}

/// A store with that state, of which only what is sensitive is encrypted.
async fn filled(key: &Key) -> Arc<MemoryBackend> {
    let store = Arc::new(MemoryBackend::new());
    let encrypted = over(&store, key.encryption().sensitive_values_only());
    let state = Bytes::from(secretive_state());
    let written = encrypted.write(state, &Expected::Absent).await;
    written.expect("written");
    store
}

async fn text(store: &dyn Backend) -> String {
    String::from_utf8(read(store).await.bytes.to_vec()).expect("text")
}

#[tokio::test]
async fn no_secret_is_in_the_file_and_everything_else_reads_as_before() {
    let key = Key::new();
    let store = filled(&key).await;
    let stored = text(&*store).await;
    for secret in SECRETS {
        let encoded = BASE64.encode(secret);
        assert!(!stored.contains(secret), "{secret} in {stored}");
        assert!(!stored.contains(&encoded), "{secret} in {stored}");
    }
    assert!(!stored.contains(&BASE64.encode("user:canary-password")));

    let file: Json = serde_json::from_str(&stored).expect("JSON");
    // No other tool takes it for a state that it can use.
    assert_eq!(file["resources"][0]["mode"], "encrypted");
    let refused = file::read(stored.as_bytes())
        .expect_err("refused")
        .to_string();
    let refused = without_key(&refused, &key);
    insta::assert_snapshot!(refused, @"the state is encrypted with `age:KEY`; only a program whose backend has `.encrypted_with(…)` and that key reads it");
    // What looks for addresses, ids and attributes finds them.
    let resource = &file["resources"][1];
    assert_eq!(resource["module"], "module.db[\"a\"]");
    let instance = &resource["instances"][0];
    assert_eq!(instance["index_key"], "one");
    let attributes = &instance["attributes"];
    assert_eq!(attributes["id"], "db-1");
    assert_eq!(attributes["list"][0], "visible");
    assert_eq!(attributes["any"]["value"]["open"], "visible");
    assert_eq!(attributes["tags"]["open"], "visible");
    assert_eq!(instance["identity"]["arn"], "arn:db-1");
    assert_eq!(file["outputs"]["open"]["value"], "in the open");
    let hidden = attributes["password"].as_str().expect("text");
    assert!(hidden.starts_with("terrane-encrypted:"), "{hidden}");

    let encrypted = over(&store, key.encryption().sensitive_values_only());
    assert_eq!(text(&encrypted).await, secretive_state());
}

#[tokio::test]
async fn nothing_in_the_file_can_be_changed_moved_or_put_back_in_clear() {
    let key = Key::new();
    let store = filled(&key).await;
    let stored = text(&*store).await;
    let file: Json = serde_json::from_str(&stored).expect("JSON");
    let attributes = &file["resources"][1]["instances"][0]["attributes"];
    let value = |of: &Json| of.as_str().expect("text").to_owned();
    let (password, pin) = (value(&attributes["password"]), value(&attributes["pin"]));
    // One of the same state at another serial, by the same key.
    let encrypted = over(&store, key.encryption().sensitive_values_only());
    let later = secretive_state().replace("\"serial\": 7", "\"serial\": 8");
    let over_it = Expected::Token(read(&encrypted).await.token);
    let written = encrypted.write(later.into(), &over_it).await;
    let mut token = written.expect("written").token;
    let later: Json = serde_json::from_str(&text(&*store).await).expect("JSON");
    let of_later = value(&later["resources"][1]["instances"][0]["attributes"]["password"]);
    let header = stored
        .rfind(",\n  \"terrane_encryption\"")
        .expect("a header");
    let guard = format!("{},", super::super::whole::GUARD);
    for changed in [
        stored.replace(&password, &pin),
        stored
            .replace(&password, "x")
            .replace(&pin, &password)
            .replace("\"x\"", &format!("\"{pin}\"")),
        stored.replace(&password, &of_later),
        stored.replace(&password, "a password of somebody"),
        stored.replace("db-1", "db-2"),
        stored.replace("\"serial\": 7", "\"serial\": 9"),
        stored.replace("l-1", "l-2"),
        stored.replace("\"one\"", "\"two\""),
        stored.replace("in the open", "in  the open"),
        stored.replace(&guard, ""),
        stored.replace("\"key\":\"age:", "\"key\":\"age:x"),
        format!("{}\n}}\n", &stored[..header]),
        stored.replace(&format!("\"{password}\""), "null"),
    ] {
        assert_ne!(changed, stored);
        let written = store
            .write(changed.clone().into(), &Expected::Token(token))
            .await;
        token = written.expect("somebody can write the store").token;
        for encryption in [key.encryption(), key.encryption().sensitive_values_only()] {
            match over(&store, encryption).read().await {
                Err(BackendError::Encrypted { .. }) => {}
                // The name of a key is only a hint.
                Ok(Some(read)) => {
                    assert_eq!(read.bytes, secretive_state());
                    assert!(changed.contains("age:x"), "{changed}");
                }
                other => panic!("{other:?}: {changed}"),
            }
        }
        // Not even who accepts a state in clear takes ciphertexts for values.
        let accepting = over(&store, key.encryption().accepting_clear());
        let read = accepting.read().await;
        assert!(read.is_err() || changed.contains("age:x"), "{changed}");
    }
}

#[tokio::test]
async fn a_state_goes_from_either_form_to_the_other_and_to_clear() {
    let key = Key::new();
    let store = filled(&key).await;
    for encryption in [
        key.encryption(),
        key.encryption().sensitive_values_only(),
        key.encryption().ending(),
    ] {
        let encrypted = over(&store, encryption);
        let opened = read(&encrypted).await;
        assert_eq!(opened.bytes, secretive_state());
        let over_it = Expected::Token(opened.token);
        let written = encrypted.write(opened.bytes, &over_it).await;
        written.expect("written");
    }
    assert_eq!(text(&*store).await, secretive_state());
}

#[tokio::test]
async fn without_the_key_the_file_stays_and_says_which_one_it_needs() {
    let key = Key::new();
    let store = filled(&key).await;
    let before = read(&*store).await;
    let other = Key::new();
    let wrong = over(&store, other.encryption().sensitive_values_only());
    let said = without_key(&without_key(&refused(&wrong).await, &key), &other);
    assert!(said.contains("it is encrypted with `age:KEY`"), "{said}");
    // A new key reads what the old one wrote.
    let rotated = Encryption::with(other.service()).also_reads(key.service());
    let rotated = Key::held_by(&[&key, &other], rotated).sensitive_values_only();
    assert_eq!(text(&over(&store, rotated)).await, secretive_state());
    assert_eq!(read(&*store).await, before);
}

#[tokio::test]
async fn results_that_no_store_took_are_a_file_of_the_same_form_and_of_another_kind() {
    let key = Key::new();
    let store = Arc::new(MemoryBackend::new());
    let encrypted = over(&store, key.encryption().sensitive_values_only());
    let state = Bytes::from(secretive_state());
    let sealed = encrypted.seal(StackFile::Rescue, "", state.clone()).await;
    let sealed = sealed.expect("sealed");
    assert!(!String::from_utf8_lossy(&sealed).contains("canary"));
    let opened = encrypted.unseal(StackFile::Rescue, "the file", sealed.clone());
    assert_eq!(opened.await.expect("opened"), state);
    let written = store.write(sealed, &Expected::Absent).await;
    written.expect("somebody can write the store");
    assert!(
        refused(&encrypted)
            .await
            .contains("belongs to another place")
    );
}

#[tokio::test]
async fn a_state_that_is_not_understood_is_encrypted_whole() {
    let key = Key::new();
    for odd in [
        secretive_state().replace("db-1", "terrane-encrypted:AAAA"),
        secretive_state().replace(
            "\"password\": \"canary",
            "\"password\": 1, \"password\": \"canary",
        ),
        secretive_state().replace("\"version\": 4", "\"version\": 5"),
        secretive_state().replace("\"resources\"", "\"terrane_encryption\": {}, \"resources\""),
    ] {
        let store = Arc::new(MemoryBackend::new());
        let encrypted = over(&store, key.encryption().sensitive_values_only());
        let written = encrypted.write(odd.clone().into(), &Expected::Absent).await;
        written.expect("written");
        let stored = text(&*store).await;
        assert!(
            !stored.contains("canary") && !stored.contains("visible"),
            "{stored}"
        );
        assert_eq!(text(&encrypted).await, odd);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_state_comes_back_byte_for_byte(state in any_state()) {
        let key = WrappedKey { key: DataKey([7; 32]), service: "k".to_owned(), wrapped: vec![1] };
        for layout in [Layout::Indented, Layout::Compact] {
            let bytes = file::write(&state, layout);
            let sealed = seal(&key, "state", &bytes).expect("a state");
            let found = Leaves::find(&sealed).expect("sealed");
            prop_assert_eq!(found.open(&key.key, "state").expect("opened"), bytes);
            prop_assert!(found.open(&key.key, "rescue").is_err());
        }
    }
}
