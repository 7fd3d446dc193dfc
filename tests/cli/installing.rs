//! The first command that needs a provider installs it, on a machine that has none.

use terrane_tests::{Release, TestEnvironment, TestRegistry, go_program};

use crate::stage::network;

/// The test stack on a machine whose only way to a provider is that registry, in the place of the default one.
fn stranger(registry: &TestRegistry) -> TestEnvironment {
    let mut stack = network();
    let config = format!(
        "host \"registry.opentofu.org\" {{\n  services = {{ \"providers.v1\" = \"https://{}/v1/providers/\" }}\n}}\n",
        registry.host()
    );
    std::fs::write(stack.path().join("cli.tfrc"), config).expect("written");
    let authority = stack.path().join("authority.pem");
    std::fs::write(&authority, TestRegistry::authority()).expect("written");
    stack.set("SSL_CERT_FILE", authority.to_str().expect("text"));
    stack
}

#[test]
fn up_installs_what_is_missing_and_the_next_command_needs_no_network() {
    let registry = TestRegistry::start();
    let binary = std::fs::read(go_program("terraform-provider-conformance")).expect("built");
    let name = "terraform-provider-conformance_v1.2.3";
    registry.publish(&Release::of("conformance", "1.2.3", &[(name, &binary)]));
    registry.publish_also_under("terrane");
    let stack = stranger(&registry);
    let provider = "registry.opentofu.org/terrane/conformance";

    let refused = stack.run(&["preview", "--offline"]).exits(1);
    let said =
        format!("error: provider {provider} is not installed, and `--offline` forbids a download");
    assert!(refused.stderr.contains(&said), "{refused}");
    let up = stack.run(&["up", "--yes"]).exits(0);
    let installed = format!("installed {provider} 1.2.3 from localhost:");
    assert!(up.stderr.contains(&installed), "{up}");
    assert!(up.stderr.contains(", signed by "), "{up}");

    // Nobody answers any more.
    drop(registry);
    for arguments in [
        &["preview", "--detailed-exitcode", "--offline"][..],
        &["preview", "--detailed-exitcode"],
    ] {
        stack.run(arguments).exits(0);
    }
    let table = stack.run(&["providers"]).exits(0).stdout;
    assert!(table.contains(" 1.2.3 "), "{table}");
    let verified = stack.run(&["providers", "verify"]).exits(0).stdout;
    assert_eq!(verified, format!("{provider} 1.2.3 verified\n"));
    let schemas = stack
        .run(&["providers", "schema", "--json", "--offline"])
        .exits(0)
        .json();
    let thing = &schemas["provider_schemas"][provider]["resource_schemas"]["conformance_sdk_thing"];
    assert!(
        thing["block"]["attributes"]["name"]["type"].is_string(),
        "{thing}"
    );

    // Somebody has put another program into the place of the provider's.
    let folder = stack
        .path()
        .join(".cache/terrane/providers")
        .join(provider)
        .join("1.2.3");
    let package = folder.join(terrane_registry::Platform::current().to_string());
    std::fs::write(package.join(name), "#!/bin/sh\n").expect("written");
    for arguments in [&["preview"][..], &["providers", "verify"]] {
        let refused = stack.run(arguments).exits(7);
        let said = format!(
            "error: the package of {provider} 1.2.3 is not the one that the lock file records"
        );
        assert!(refused.stderr.contains(&said), "{refused}");
    }
}
