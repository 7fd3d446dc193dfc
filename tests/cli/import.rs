//! Objects that exist already go into the state, by the word of a person.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use terrane_tests::TestEnvironment;

use crate::stage::{network, only_object};

const BASE: &str = "conformance_sdk_thing.base";

/// A stack without zones whose base exists and is in no state, and the id of that.
fn disowned() -> (TestEnvironment, String) {
    let mut stack = network();
    stack.set("TERRANE_VAR_ZONES", "[]");
    stack.run(&["up", "--yes"]).exits(0);
    stack.run(&["state", "rm", BASE, "--yes"]).exits(0);
    let (id, _) = only_object(&stack);
    (stack, id)
}

/// Changes the base behind the program's back.
fn resize(stack: &TestEnvironment, size: u8) {
    let (_, file) = only_object(stack);
    let text = std::fs::read(&file).expect("a file");
    let mut object: Json = serde_json::from_slice(&text).expect("JSON");
    object["attributes"]["size"] = size.into();
    std::fs::write(file, object.to_string()).expect("writable");
}

#[test]
fn an_object_that_exists_is_shown_asked_for_and_recorded_and_preview_shows_what_differs() {
    let (stack, id) = disowned();
    resize(&stack, 7);
    assert_snapshot!(stack.run(&["import", BASE, &id]), @"
    exit: 1
    --- stderr ---
    error: confirmation required: there is no terminal to ask on
    hint: pass `--yes`
    ");
    assert_eq!(stack.run(&["state", "list"]).stdout, "");
    assert_snapshot!(stack.run(&["import", BASE, &id, "--yes"]), @r#"
    exit: 0
    --- stdout ---
    conformance_sdk_thing.base
      arn                 = "arn:conformance:one-<id>"
      code                = ""
      crash               = ""
      delay               = ""
      enabled             = true
      fail_create         = ""
      fail_delete         = ""
      fail_update         = ""
      id                  = "one-<id>"
      kind                = ""
      label               = "label of one"
      name                = "one"
      password_digest     = ""
      password_wo_version = 0
      placement[0].zone   = "zone-a"
      policy (json)
        Statement[0].Action = ["get", "list"]
        Statement[0].Effect = "Allow"
      ratio               = 0
      revision            = 1
      secret              = (sensitive)
      size                = 7
    --- stderr ---

    State serial 3 written to .terrane/test/terraform.tfstate; lock released. Took <n>s.
    "#);
    assert_snapshot!(stack.run(&["preview"]), @"
    exit: 0
    --- stdout ---
    test · terrane/conformance · state .terrane/test/terraform.tfstate

      ~ conformance_sdk_thing.base  [id=one-<id>]  tests/cli/stack.rs:<line>
          ~ size = 7 -> 1

    Plan: 0 to add, 1 to change, 0 to destroy.
    ");
    assert_snapshot!(stack.run(&["import", BASE, &id, "--yes"]), @"
    exit: 1
    --- stderr ---
    error: conformance_sdk_thing.base is in the state already
      resource   conformance_sdk_thing.base
    hint: `test-stack state show 'conformance_sdk_thing.base'` prints it; `test-stack state rm 'conformance_sdk_thing.base'` forgets it
    ");
    resize(&stack, 1);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
}

#[test]
fn undeclared_or_missing_objects_are_not_imported() {
    let (stack, id) = disowned();
    assert_snapshot!(stack.run(&["import", "conformance_sdk_thing.bsae", &id, "--yes"]), @"
    exit: 1
    --- stderr ---
    error: conformance_sdk_thing.bsae is not declared in the program
      resource   conformance_sdk_thing.bsae
    hint: declare it first, as it should be; then import it, and `test-stack preview` shows what differs
    ");
    assert_snapshot!(stack.run(&["import", BASE, "one-00000000", "--yes"]), @r#"
    exit: 1
    --- stderr ---
    error: there is no conformance_sdk_thing `one-<id>`: nothing was changed
      resource   conformance_sdk_thing.base
      declared   tests/cli/stack.rs:<line>
    hint: what an id looks like is in the provider's documentation of the type, under "Import"
    "#);
    stack.run(&["import", BASE]).exits(64);
    stack.run(&["import", "base", &id]).exits(64);
    assert_eq!(stack.run(&["state", "list"]).stdout, "");
    // No operation is unresolved.
    stack
        .run(&["import", BASE, &id, "--yes", "--json"])
        .exits(0);
}

#[test]
fn with_json_the_document_holds_the_state() {
    let (stack, id) = disowned();
    let imported = stack.run(&["import", BASE, &id, "--yes", "--json"]);
    let imported = imported.exits(0).json();
    assert_eq!(
        imported,
        json!({ "address": BASE, "id": "one-<id>", "serial": 3 })
    );
    let unchanged = stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    assert!(unchanged.stdout.contains("No changes"), "{unchanged}");
}

#[test]
fn objects_that_exist_are_written_as_rust_with_references_among_them() {
    let mut stack = crate::bindings::network();
    stack.set("TERRANE_VAR_ZONES", r#"["a"]"#);
    stack.run(&["up", "--yes"]).exits(0);
    let folder = stack.objects().join("conformance_sdk_thing");
    let mut names: Vec<String> = folder
        .read_dir()
        .expect("a folder")
        .map(|file| file.expect("an entry").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    let sdk = |id: &String| format!("conformance_sdk_thing={id}");
    let objects: Vec<String> = names.iter().map(sdk).collect();
    let mut generate = vec!["import".to_owned(), "--generate".to_owned()];
    generate.extend(objects);
    let known = stack.run(&generate).exits(64);
    assert!(known.stderr.contains("is in the state already"), "{known}");
    for address in ["module.network", BASE] {
        stack.run(&["state", "rm", address, "--yes"]).exits(0);
    }
    assert_snapshot!(stack.run(&generate).exits(0), @r##"
    exit: 0
    --- stdout ---
    //! Objects that existed before this program declared them.

    use terrane::{BlockArguments, Resource, Result, Secret, SecretSource, Stack};

    /// Declares the objects, and takes each in that the state does not have.
    pub fn existing(stack: &mut Stack) -> Result<()> {
        // Not written here, for it is secret: `secret`. It is read from where `Secret` says.
        let one_sdk_thing = Resource::dynamic("conformance_sdk_thing", "one")
            .provider_source("terrane/conformance".parse()?)
            .set("label", "label of one")
            .set("name", "one")
            .set("placement", [BlockArguments::new().set("zone", "zone-a")])
            .set(
                "policy",
                r#"{"Statement":[{"Action":["get","list"],"Effect":"Allow"}]}"#,
            )
            .set("size", 1)
            .set(
                "secret",
                Secret::<String>::from_source(SecretSource::Env("ONE_SDK_THING_SECRET".to_owned()))
                    .output(),
            )
            .declare(stack);
        stack.import(&one_sdk_thing, "one-<id>");

        let child_a_sdk_thing = Resource::dynamic("conformance_sdk_thing", "child_a")
            .provider_source("terrane/conformance".parse()?)
            .set("kind", one_sdk_thing.attribute::<String>("id"))
            .set("label", "label of child-a")
            .set("name", "child-a")
            .set("placement", [BlockArguments::new().set("zone", "zone-a")])
            .set(
                "rule",
                [
                    BlockArguments::new().set("cidr", "").set("port", 22),
                    BlockArguments::new()
                        .set("cidr", "10.0.0.0/8")
                        .set("port", 443),
                ],
            )
            .declare(stack);
        stack.import(&child_a_sdk_thing, "child-a-<id>");

        Ok(())
    }
    --- stderr ---
    2 of them without bindings, as conformance_sdk_thing: `bindings add` makes some
    "##);
    generate.extend(["--into".to_owned(), "existing.rs".to_owned()]);
    let written = stack.run(&generate).exits(0);
    assert_snapshot!(written.stderr, @"
    2 objects written to existing.rs; add `mod existing;` to the program and call `existing::existing(stack)?`, then `test-stack preview` shows them as imports
    2 of them without bindings, as conformance_sdk_thing: `bindings add` makes some
    ");
    assert!(stack.path().join("existing.rs").exists());
    let again = stack.run(&generate).exits(64);
    assert!(again.stderr.contains("existing.rs exists"), "{again}");
    for wrong in ["conformance_sdk_thing", "conformance_sdk_thing=", "a b=1"] {
        stack.run(&["import", "--generate", wrong]).exits(64);
    }
    stack
        .run(&["import", "--generate", "conformance_sdk_thing=none"])
        .exits(1);
    let unknown = stack
        .run(&["import", "--generate", "nobody_thing=1"])
        .exits(1);
    assert!(
        unknown
            .stderr
            .contains("no provider of the program has the resource type"),
        "{unknown}"
    );
}
