//! `bindings add`: from a provider, from a file, again, and what is said where that cannot be.

use insta::assert_snapshot;

use terrane_tests::TestEnvironment;

use crate::stage;

/// The test stack, which finds the toolchain's rustfmt.
pub(crate) fn network() -> TestEnvironment {
    let mut stack = stage::network();
    stack.pass_toolchain();
    stack
}

/// A schema as Terraform prints it.
const SCHEMA: &str = r#"{"provider_schemas": {"registry.terraform.io/example/acme": {
    "resource_schemas": {"acme_net": {"version": 0, "block": {"attributes": {"name": {"type": "string", "required": true}}}}}
}}}"#;

#[test]
fn bindings_are_made_of_a_schema_file_and_again() {
    let stack = network();
    std::fs::write(stack.path().join("acme schema.json"), SCHEMA).expect("written");
    std::fs::create_dir_all(stack.path().join("src")).expect("a folder");
    std::fs::write(stack.path().join("src/main.rs"), "").expect("written");
    let add = [
        "bindings",
        "add",
        "example/acme",
        "--schema",
        "acme schema.json",
    ];
    let refused = stack.run(&add).exits(64);
    assert_snapshot!(refused, @"
    exit: 64
    --- stderr ---
    error: the version of example/acme is not known: bindings say which versions of the provider they drive; neither a schema nor a provider under development has one
    hint: name it behind the provider: `test-stack bindings add example/acme@1.2.3 --schema 'acme schema.json'`
    ");
    let hint = refused.hinted("bindings add").replace("1.2.3", "1.4.0");
    assert_snapshot!(stack.paste(&hint, "").exits(0), @"
    exit: 0
    --- stdout ---
    src/acme: bindings of example/acme 1.4.0, 1 type, 6 files changed
    --- stderr ---
    hint: add `mod acme;` to src/main.rs
    ");
    let again = stack.paste(&hint, " --json").exits(0).json();
    assert_eq!(again["bindings"]["changed"], serde_json::json!([]));
    assert_eq!(again["bindings"]["folder"], "src/acme");
    let edited = stack.path().join("src/acme/types/net.rs");
    std::fs::write(edited, "// Mine.\n").expect("written");
    assert_snapshot!(stack.paste(&hint, "").exits(1), @"
    exit: 1
    --- stderr ---
    error: src/acme holds files that were edited, or that nothing generated: types/net.rs
    hint: write what is yours into files of your own; `--overwrite` takes the edits back
    ");
    stack.paste(&hint, " --overwrite").exits(0);
    let typo = stack.paste(&hint, " --type acme_nat").exits(1);
    assert_snapshot!(typo, @"
    exit: 1
    --- stderr ---
    error: no type of example/acme fits `acme_nat`
    hint: did you mean `acme_net`?
    ");
}

#[test]
fn bindings_are_made_of_the_provider_that_is_under_development() {
    let stack = network();
    let refused = stack
        .run(&["bindings", "add", "terrane/conformance"])
        .exits(64);
    let hint = refused.hinted("bindings add");
    let made = stack.paste(&hint, " --type conformance_sdk_*").exits(0);
    assert!(
        made.stdout
            .starts_with("src/conformance: bindings of terrane/conformance 1.2.3, "),
        "{made}"
    );
    assert!(
        stack
            .path()
            .join("src/conformance/types/sdk_thing.rs")
            .exists()
    );
    let nothing = stack
        .run(&["bindings", "add", "conformance", "--sandbox"])
        .exits(64);
    assert_snapshot!(nothing, @"
    exit: 64
    --- stderr ---
    error: there is no provider registry.opentofu.org/hashicorp/conformance here: a stand-in knows the types of bindings, and cannot give any
    hint: leave `--sandbox` and `--replay` out, or name a file with `--schema`
    ");
}
