//! Secrets stay inside: in nothing that is printed, streamed, logged or written beside the state, unless they are asked for by name.

use std::fmt;
use std::path::Path;

use age::secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use terrane_core::secrets::forms_of;
use terrane_tests::{Fate, TestEnvironment};

use crate::stage::{self, fake};

/// One for every place; the first is in no text as it is, for every writer escapes something of it.
const CANARIES: [(&str, &str); 7] = [
    ("password", "canary-1 \"<&>'\\ é"),
    ("provider", "canary-2-provider"),
    ("lookup", "canary-3-lookup"),
    ("dynamic", "canary-4-dynamic"),
    ("element", "canary-5-element"),
    ("nested", "canary-6-nested"),
    ("tag", "canary-7-tag"),
];

/// A stack that puts all of them into a vault, whose provider does that.
pub(crate) fn vault(fault: &str) -> TestEnvironment {
    let secrets: serde_json::Map<String, Value> = CANARIES
        .into_iter()
        .map(|(place, secret)| (place.to_owned(), secret.into()))
        .collect();
    stage::vault(&[
        ("FAKE_PROTOCOL", "6"),
        ("FAKE_FAULT", fault),
        ("TERRANE_VAR_SECRETS", &Value::from(secrets).to_string()),
    ])
}

/// Fails where the output has any form of a canary.
#[track_caller]
pub(crate) fn silent(said: &impl fmt::Display) {
    let text = said.to_string();
    let mut forms = CANARIES.iter().flat_map(|(_, secret)| forms_of(secret));
    let found = forms.find(|form| text.contains(form));
    assert!(
        found.is_none() && !text.contains("canary"),
        "{found:?} in {text}"
    );
}

#[test]
fn no_command_shows_a_secret_that_it_was_not_asked_for() {
    let stack = vault("apply:log");
    let quiet = |arguments: &[&str]| {
        let output = stack.run(arguments).exits(0);
        silent(&output);
        output
    };
    let file = |name: &str| {
        let text = std::fs::read_to_string(stack.path().join(name)).expect("a file");
        silent(&text);
        text
    };

    quiet(&["preview"]);
    let shown = quiet(&["preview", "--details"]);
    insta::assert_snapshot!(shown.stdout, @r#"
    vault · terrane/fake · state .terrane/vault/terraform.tfstate

      + fake_vault.v  tests/cli/vault.rs:<line>
          + anything["a list"][0] = "visible"
          + anything["a list"][1] = (sensitive)
          + anything.spec.open = "visible"
          + anything.spec.token = (sensitive)
          + encoded = (sensitive)
          + name = "one"
          + nested[0].open = "visible"
          + nested[0].token = (sensitive)
          + password = (sensitive)
          + tags["a key"] = (sensitive)
          + tags["team"] = "visible"
          + url = (sensitive)

    Outputs:
      + copy = (sensitive)
      + found = (sensitive)
      + name = "one"
      + password = (sensitive)

    Plan: 1 to add, 0 to change, 0 to destroy.
    "#);
    quiet(&[
        "preview",
        "--json-file",
        "plan.json",
        "--out",
        "saved.plan",
        "--markdown",
        "comment.md",
        "--html",
        "plan.html",
    ]);
    file("comment.md");
    file("plan.html");
    // Others read a page than those who may read secrets.
    stack
        .run(&["preview", "--show-secrets", "--html", "plan.html"])
        .exits(0);
    file("plan.html");
    let plan: Value = serde_json::from_str(&file("plan.json")).expect("JSON");
    let change = &plan["resource_changes"][0]["change"];
    assert_eq!(
        change["after"]["anything"],
        json!({ "spec": { "open": "visible", "token": null }, "a list": ["visible", null] })
    );
    assert_eq!(change["after"]["tags_all"]["team"], "visible");
    assert_eq!(
        change["after_sensitive"],
        json!({
            "anything": { "spec": { "token": true }, "a list": [false, true] },
            "encoded": true,
            "nested": [{ "token": true }],
            "password": true,
            "pin": true,
            "tags": { "a key": true },
            "tags_all": { "a key": true },
            "url": true,
        })
    );
    assert_eq!(plan["output_changes"]["copy"]["after_sensitive"], true);
    assert_eq!(plan["output_changes"]["found"]["after_sensitive"], true);
    assert_eq!(plan["output_changes"]["name"]["after"], "one");
    assert_eq!(
        plan["variables"],
        json!({ "name": { "value": "one" }, "team": { "value": "visible" }, "secrets": {} })
    );
    quiet(&["show", "saved.plan"]);
    quiet(&["show", "saved.plan", "--json"]);
    quiet(&["graph"]);

    let up = quiet(&["up", "--yes", "--log", "trace", "--json-file", "up.json"]);
    assert!(up.stderr.contains("sending (sensitive)"), "{up}");
    file("up.json");
    let state = quiet(&["show", "--json"]).json();
    let vault = state["values"]["root_module"]["resources"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["address"] == "fake_vault.v"))
        .expect("a vault");
    assert_eq!(vault["values"]["anything"]["spec"]["open"], "visible");
    assert_eq!(
        vault["sensitive_values"]["anything"],
        json!({ "spec": { "token": true }, "a list": [false, true] })
    );
    assert_eq!(vault["sensitive_values"]["pin"], true);
    assert_eq!(
        vault["sensitive_values"]["tags_all"],
        json!({ "a key": true })
    );
    for arguments in [
        &["show"][..],
        &["state", "show", "fake_vault.v"],
        &["state", "show", "fake_vault.v", "--json"],
        &["state", "list"],
        &["state", "history"],
        &["output"],
        &["output", "--json"],
        &["output", "copy"],
        &["output", "password", "--json"],
        &["preview", "--var", "name=other"],
        &["preview", "--var", "name=other", "--json"],
        &["preview", "--target", "data.fake_lookup.l", "--json"],
        &["preview", "--destroy", "--json"],
        &["preview", "--refresh-only", "--json"],
        &["refresh", "--yes", "--json"],
    ] {
        quiet(arguments);
    }

    // Asked for by name, they are there.
    let (_, password) = CANARIES[0];
    assert_eq!(
        stack.run(&["output", "password", "--raw"]).exits(0).stdout,
        password
    );
    for arguments in [
        &["show", "--show-secrets"][..],
        &["state", "show", "fake_vault.v", "--show-secrets"],
        &["preview", "--json", "--show-secrets"],
        &["output", "--show-secrets"],
    ] {
        let shown = stack.run(arguments).exits(0);
        assert!(shown.stdout.contains("canary-7-tag"), "{shown}");
    }
    quiet(&["destroy", "--yes", "--json", "--log", "trace"]);
}

#[test]
fn a_secret_in_a_providers_message_is_masked() {
    let mut stack = vault("apply:log");
    stack.run(&["up", "--yes"]).exits(0);
    let ways = [
        ("tell", "refused: ", None),
        ("tell", "refused: ", Some("--json")),
        ("cry", "panic: ", None),
    ];
    for call in ["configure", "validate", "plan", "read", "apply"] {
        for (how, said, json) in ways {
            stack.set("FAKE_FAULT", &format!("{call}:{how}"));
            // Each time another update.
            let team = format!("team={call}-{how}-{json:?}");
            let mut arguments = vec!["up", "--yes", "--log", "trace", "--var", &team];
            arguments.extend(json);
            let output = stack.run(&arguments);
            assert_ne!(output.code, 0, "{call}:{how} {output}");
            let whole = output.to_string();
            let masked = whole.contains(said) && whole.contains("(sensitive)");
            assert!(masked, "{call}:{how} {whole}");
            silent(&output);
        }
    }
    stack.set("FAKE_FAULT", "");
    for way in ["team=panic", "team=fail"] {
        let failed = stack.run(&["preview", "--var", way]).exits(1);
        assert!(failed.stderr.contains("cannot use (sensitive)"), "{failed}");
        silent(&failed);
    }
    stack.set("FAKE_FAULT", "validate:tell");
    silent(&stack.run(&["validate", "--json"]).exits(1));
}

/// A sensitive path inside a dynamic value, as older tools left it; `jq -S` sorts its members.
const STATE: &str = r#"{
  "version": 4, "terraform_version": "1.12.0", "serial": 3, "lineage": "c2b5e0a6-0d5f-4a0c-8f4e-2f1f4a8b8c11",
  "outputs": {},
  "resources": [{
    "mode": "managed", "type": "x_thing", "name": "e", "provider": "provider[\"registry.terraform.io/terrane/x\"]",
    "instances": [{
      "schema_version": 2,
      "identity_schema_version": 1,
      "identity": { "account": "1", "name": "e" },
      "attributes": {
        "id": "e",
        "plain": { "value": [1, 2.50], "type": ["tuple", ["number", "number"]] },
        "sorted": {
          "type": ["object", { "list": ["list", "string"], "token": "string" }],
          "value": { "list": [], "token": "canary-deep" }
        },
        "written": { "value": { "a b": "canary-deep", "c": "visible" }, "type": ["object", { "a b": "string", "c": "string" }] },
        "looks": { "type": "string", "value": "visible" },
        "null_secret": null
      },
      "sensitive_attributes": [
        [{ "type": "get_attr", "value": "sorted" }, { "type": "get_attr", "value": "token" }],
        [{ "type": "get_attr", "value": "written" }, { "type": "get_attr", "value": "a b" }],
        [{ "type": "get_attr", "value": "null_secret" }]
      ]
    }]
  }],
  "check_results": [{
    "object_kind": "resource", "config_addr": "module.m.x_thing.e", "status": "fail",
    "objects": [
      { "object_addr": "module.m[\"k\"].x_thing.e[0]", "status": "fail", "failure_messages": ["too small", "too late"] },
      { "object_addr": "module.m[\"k\"].x_thing.e[1]", "status": "pass", "failure_messages": null }
    ]
  }, {
    "object_kind": "output", "config_addr": "output.o", "status": "unknown", "objects": null
  }]
}"#;

#[test]
fn a_sensitive_path_inside_a_dynamic_value_is_hidden_and_the_value_shown_without_its_type() {
    let stack = fake(&[]);
    std::fs::write(stack.path().join("old.tfstate"), STATE).expect("a writable folder");
    let run = |arguments: &[&str]| {
        let output = stack
            .run(&[arguments, &["--backend", "old.tfstate"]].concat())
            .exits(0);
        silent(&output);
        output
    };
    insta::assert_snapshot!(run(&["state", "show", "x_thing.e"]).stdout, @r#"
    x_thing.e
      id             = "e"
      looks.type     = "string"
      looks.value    = "visible"
      plain          = [1, 2.5]
      sorted.token   = (sensitive)
      written["a b"] = (sensitive)
      written.c      = "visible"
    "#);
    run(&["show"]);
    let shown = run(&["show", "--json"]).json();
    assert_eq!(
        run(&["state", "show", "x_thing.e", "--json"]).json()[0],
        shown["values"]["root_module"]["resources"][0]
    );
    // As `terraform show -json` prints it, but for the secrets.
    let object = json!({
        "address": "x_thing.e",
        "mode": "managed",
        "type": "x_thing",
        "name": "e",
        "provider_name": "registry.terraform.io/terrane/x",
        "schema_version": 2,
        "values": {
            "id": "e",
            "looks": { "type": "string", "value": "visible" },
            "null_secret": null,
            "plain": [1, 2.5],
            "sorted": { "list": [], "token": null },
            "written": { "a b": null, "c": "visible" },
        },
        "sensitive_values": {
            "looks": {},
            "null_secret": true,
            "plain": [false, false],
            "sorted": { "list": [], "token": true },
            "written": { "a b": true },
        },
        "identity": { "account": "1", "name": "e" },
        "identity_schema_version": 1,
    });
    let instance = |key: u64| {
        let to_display = format!("module.m[\"k\"].x_thing.e[{key}]");
        json!({ "to_display": to_display, "module": "module.m[\"k\"]", "instance_key": key })
    };
    let checks = json!([
        {
            "address": {
                "to_display": "module.m.x_thing.e",
                "kind": "resource",
                "mode": "managed",
                "type": "x_thing",
                "name": "e",
                "module": "module.m",
            },
            "status": "fail",
            "instances": [
                {
                    "address": instance(0),
                    "status": "fail",
                    "problems": [{ "message": "too late" }, { "message": "too small" }],
                },
                { "address": instance(1), "status": "pass" },
            ],
        },
        {
            "address": { "to_display": "output.o", "kind": "output_value", "name": "o" },
            "status": "unknown",
        },
    ]);
    assert_eq!(
        shown,
        json!({
            "format_version": "1.0",
            "terraform_version": "1.12.0",
            "values": { "root_module": { "resources": [object] } },
            "checks": checks,
        })
    );
}

/// The stack that names its secrets in its configuration, with these sources.
fn naming(sources: &Value) -> TestEnvironment {
    stage::vault(&[
        ("FAKE_PROTOCOL", "6"),
        ("TERRANE_VAR_NAMED", &sources.to_string()),
    ])
}

#[test]
fn a_secret_that_the_configuration_names_is_read_from_there_and_shown_nowhere() {
    let mut stack = naming(&json!({
        "password": "env:DB", "provider": "file:token.txt", "tag": "sops:all.yaml#tags.0",
    }));
    stack.set("DB", CANARIES[0].1);
    let bin = stack.path().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    // sops, as far as its arguments go.
    let sops = "#!/bin/sh\n[ \"$*\" = '--decrypt --output-type json -- all.yaml' ] && \
                echo '{\"tags\": [\"canary-7-tag\"], \"sops\": {}}'\n";
    std::fs::write(bin.join("sops"), sops).expect("written");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("sops"), executable).expect("a mode");
    stack.set("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    std::fs::write(stack.path().join("token.txt"), "canary-2-provider\n").expect("written");
    for arguments in [
        &["preview", "--details"][..],
        &["preview", "--json"],
        &["up", "--yes"],
        &["preview", "--detailed-exitcode"],
        &["state", "show", "fake_vault.v"],
        &["output"],
        &["graph"],
        &["validate"],
    ] {
        silent(&stack.run(arguments).exits(0));
    }
    let password = stack.run(&["output", "password", "--raw"]).exits(0);
    assert_eq!(password.stdout.trim_end(), CANARIES[0].1);
    let tag = stack.run(&["state", "show", "fake_vault.v", "--show-secrets"]);
    assert!(tag.exits(0).stdout.contains("canary-7-tag"));
    // A changed secret is a change, and no more is said about it.
    stack.set("DB", "canary-8-rotated");
    let changed = stack.run(&["preview"]).exits(0);
    silent(&changed);
    assert!(changed.stdout.contains("1 to change"), "{changed}");
}

#[test]
fn every_secret_that_cannot_be_read_is_named_with_its_place_and_nothing_is_asked_of_a_provider() {
    let stack = naming(&json!({
        "password": "env:DB", "provider": "file:token.txt", "tag": "age:tag.age",
    }));
    let refused = stack.run(&["up", "--yes"]).exits(1);
    insta::assert_snapshot!(refused, @"
    exit: 1
    --- stderr ---
    error: cannot read the secret `named.password`, which is set in `TERRANE_VAR_NAMED`: `env:DB`: the variable is not set
    hint: set the variable: `export DB=…`

    error: cannot read the secret `named.provider`, which is set in `TERRANE_VAR_NAMED`: `file:token.txt`: No such file or directory (os error 2)

    error: cannot read the secret `named.tag`, which is set in `TERRANE_VAR_NAMED`: `age:tag.age`: No such file or directory (os error 2)
    ");
    // Neither needs a value.
    stack.run(&["validate"]).exits(0);
    stack.run(&["graph"]).exits(0);
    let mut clear = naming(&json!({}));
    clear.set("TERRANE_VAR_NAMED", r#"{"password": "canary-1"}"#);
    let refused = clear.run(&["preview"]).exits(64);
    silent(&refused);
    insta::assert_snapshot!(refused, @"
    exit: 64
    --- stderr ---
    error: configuration key `named.password`: expected the source of a secret, found other text: set in `TERRANE_VAR_NAMED`
    hint: write where the secret is, never the secret itself: `env:NAME`, `file:PATH`, `aws-secretsmanager:ID#KEY`, `aws-ssm:NAME`, `sops:FILE#KEY` or `age:FILE`
    ");
}

#[test]
fn secrets_are_read_from_the_parameter_store_and_from_secrets_manager() {
    let Some(aws) = terrane_tests::aws() else {
        return;
    };
    let parameter = json!({ "Name": "/vault/password", "Value": CANARIES[0].1, "Type": "SecureString", "Overwrite": true });
    aws.json("ssm", "AmazonSSM.PutParameter", &parameter);
    let secret =
        json!({ "Name": "vault/all", "SecretString": r#"{"token": "canary-2-provider"}"# });
    let made = aws.json("secretsmanager", "secretsmanager.CreateSecret", &secret);
    let arn = made["ARN"].as_str().expect("an ARN");
    let mut stack = naming(&json!({
        "password": "aws-ssm:/vault/password",
        "provider": "aws-secretsmanager:vault/all#token",
        "tag": format!("aws-secretsmanager:{arn}#token"),
    }));
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIATEST"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", &aws.endpoint()),
    ] {
        stack.set(name, value);
    }
    silent(&stack.run(&["up", "--yes"]).exits(0));
    let password = stack.run(&["output", "password", "--raw"]).exits(0);
    assert_eq!(password.stdout.trim_end(), CANARIES[0].1);
    let missing = json!({
        "password": "aws-ssm:/vault/none",
        "provider": "aws-secretsmanager:vault/all#tokens",
        "tag": "aws-secretsmanager:none",
    });
    stack.set("TERRANE_VAR_NAMED", &missing.to_string());
    insta::assert_snapshot!(stack.run(&["preview"]).exits(1), @"
    exit: 1
    --- stderr ---
    error: cannot read the secret `named.tag`, which is set in `TERRANE_VAR_NAMED`: `aws-secretsmanager:none`: Secrets Manager can't find the specified secret. (ResourceNotFoundException)
    hint: check name, region and account: `aws sts get-caller-identity` says whose credentials these are

    error: cannot read the secret `named.provider`, which is set in `TERRANE_VAR_NAMED`: `aws-secretsmanager:vault/all#tokens`: there is no key `tokens`
    hint: the keys are token

    error: cannot read the secret `named.password`, which is set in `TERRANE_VAR_NAMED`: `aws-ssm:/vault/none`: Parameter /vault/none not found. (ParameterNotFound)
    hint: check name, region and account: `aws sts get-caller-identity` says whose credentials these are
    ");
}

/// A key of age: its recipient and its identity.
fn age_key() -> (String, String) {
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    (recipient, identity.to_string().expose_secret().to_owned())
}

/// Fails where a file in the folder has any form of a canary.
#[track_caller]
fn no_file_tells(folder: &Path) {
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => no_file_tells(&path),
            false => {
                let bytes = std::fs::read(&path).expect("readable");
                silent(&format!(
                    "{}: {}",
                    path.display(),
                    String::from_utf8_lossy(&bytes)
                ));
            }
        }
    }
}

/// The text without keys.
fn keyless(output: &terrane_tests::Output, keys: &[&str]) -> String {
    let text = keys
        .iter()
        .fold(output.to_string(), |text, key| text.replace(key, "KEY"));
    text.replace(env!("CARGO_MANIFEST_DIR"), "")
}

#[test]
fn an_encrypted_state_tells_nothing_to_those_without_the_key_and_everything_to_the_stack() {
    let (recipient, identity) = age_key();
    let mut stack = vault("");
    stack.set("VAULT_KEY", &recipient);
    stack.set("SOPS_AGE_KEY", &identity);
    let folder = stack.path().to_owned();
    let saved = stack.run(&["preview", "--out", "saved.plan"]).exits(0);
    assert!(saved.stderr.contains("saved.plan, encrypted"), "{saved}");
    no_file_tells(&folder);
    stack.run(&["up", "saved.plan"]).exits(0);
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    stack.run(&["up", "--yes", "--var", "team=other"]).exits(0);
    no_file_tells(&folder);
    let password = stack.run(&["output", "password", "--raw"]).exits(0);
    assert_eq!(password.stdout.trim_end(), CANARIES[0].1);

    let pulled = stack.run(&["state", "pull"]).exits(0);
    silent(&pulled);
    let stored: Value = serde_json::from_str(&pulled.stdout).expect("JSON");
    assert_eq!(
        (&stored["version"], &stored["resources"][0]["mode"]),
        (&json!(4), &json!("encrypted"))
    );
    let clear = stack.run(&["state", "pull", "--decrypt"]).exits(0);
    assert!(clear.stdout.contains("canary-7-tag"));
    stack
        .run(&["state", "pull", "--out", "copy.tfstate"])
        .exits(0);
    stack
        .run(&["state", "push", "copy.tfstate", "--yes"])
        .exits(0);
    // At another place it is encrypted as well.
    stack
        .run(&["up", "--yes", "--backend", "other.tfstate"])
        .exits(0);
    no_file_tells(&folder);

    // Another key.
    let (other_recipient, other) = age_key();
    stack.set("SOPS_AGE_KEY", &other);
    let wrong = stack.run(&["preview"]).exits(7);
    insta::assert_snapshot!(keyless(&wrong, &[&recipient]), @"
    exit: 7
    --- stderr ---
    error: a record of the journal at .terrane/vault/terraform.tfstate cannot be used: it is encrypted with `age:KEY`, and no key of the program decrypts it (`age:KEY`: none of the age identities can decrypt it; identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and `~/.config/sops/age/keys.txt`)
    ");

    // Rotation: the old key reads, the new one writes.
    stack.set("VAULT_KEY", &other_recipient);
    stack.set("VAULT_EARLIER_KEY", &recipient);
    stack.set("SOPS_AGE_KEY", &format!("{identity}\n{other}"));
    stack.run(&["up", "--yes", "--var", "team=third"]).exits(0);
    no_file_tells(&folder);
    stack.set("SOPS_AGE_KEY", &other);
    stack
        .run(&["preview", "--detailed-exitcode", "--var", "team=third"])
        .exits(0);

    // Off: the state is Terraform's again.
    stack.set("VAULT_ENCRYPTION", "ends");
    stack.run(&["up", "--yes", "--var", "team=fourth"]).exits(0);
    let state = std::fs::read_to_string(folder.join(".terrane/vault/terraform.tfstate"));
    let state: Value = serde_json::from_str(&state.expect("a file")).expect("JSON");
    assert_eq!(
        state["resources"][1]["instances"][0]["attributes"]["password"],
        CANARIES[0].1
    );
    // Whoever puts it in the place of an encrypted one is found out.
    stack.set("VAULT_ENCRYPTION", "");
    let refused = stack.run(&["up", "--yes"]).exits(7);
    insta::assert_snapshot!(keyless(&refused, &[&recipient]), @"
    exit: 7
    --- stderr ---
    error: a record of the journal at .terrane/vault/terraform.tfstate cannot be used: it is in clear, and the program says that it is encrypted; if it never was, let the program say `.accepting_clear()` once, else somebody has replaced it
    ");
    stack.set("VAULT_ENCRYPTION", "begins");
    stack.run(&["up", "--yes", "--var", "team=fifth"]).exits(0);
    stack.set("VAULT_ENCRYPTION", "");
    stack
        .run(&["preview", "--detailed-exitcode", "--var", "team=fifth"])
        .exits(0);
}

/// A vault whose state has a key, with the key's recipient and identity.
fn encrypted_vault(form: &str) -> (TestEnvironment, String, String) {
    let (recipient, identity) = age_key();
    let mut stack = vault("");
    stack.set("VAULT_KEY", &recipient);
    stack.set("VAULT_FORM", form);
    stack.set("SOPS_AGE_KEY", &identity);
    (stack, recipient, identity)
}

#[test]
fn a_state_whose_secrets_alone_are_encrypted_is_read_by_other_tools_and_tells_them_none() {
    let (mut stack, recipient, identity) = encrypted_vault("sensitive");
    let folder = stack.path().to_owned();
    let file = folder.join(".terrane/vault/terraform.tfstate");
    stack.run(&["preview", "--out", "saved.plan"]).exits(0);
    stack.run(&["up", "saved.plan"]).exits(0);
    stack.run(&["up", "--yes", "--var", "team=other"]).exits(0);
    no_file_tells(&folder);
    let team = ["--detailed-exitcode", "--var", "team=other"];
    stack.run(&[&["preview"], &team[..]].concat()).exits(0);
    let password = stack.run(&["output", "password", "--raw"]).exits(0);
    assert_eq!(password.stdout.trim_end(), CANARIES[0].1);

    let pulled = stack.run(&["state", "pull"]).exits(0);
    silent(&pulled);
    let stored: Value = serde_json::from_str(&pulled.stdout).expect("JSON");
    let kinds = stored["resources"].as_array().expect("resources").iter();
    let kinds: Vec<_> = kinds
        .map(|it| (it["mode"].as_str(), it["type"].as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Some("encrypted"), Some("terrane_encrypted")),
            (Some("data"), Some("fake_lookup")),
            (Some("managed"), Some("fake_vault")),
        ]
    );
    let attributes = &stored["resources"][2]["instances"][0]["attributes"];
    assert_eq!(attributes["name"], "one");
    assert_eq!(attributes["tags"]["team"], "other");
    let hidden = attributes["password"].as_str().expect("text");
    assert!(hidden.starts_with("terrane-encrypted:"), "{hidden}");
    assert_eq!(stored["outputs"]["name"]["value"], "one");
    let clear = stack.run(&["state", "pull", "--decrypt"]).exits(0);
    assert!(clear.stdout.contains("canary-7-tag"));

    // Nothing of it can be written by hand, in clear either.
    let whole = std::fs::read_to_string(&file).expect("a state");
    for changed in [
        whole.replace(hidden, "a password of somebody"),
        whole.replace("\"one\"", "\"two\""),
    ] {
        assert_ne!(changed, whole);
        std::fs::write(&file, changed).expect("writable");
        let refused = stack.run(&["up", "--yes"]).exits(7);
        assert!(
            refused.stderr.contains("its ciphertext was changed"),
            "{refused}"
        );
    }
    std::fs::write(&file, &whole).expect("writable");

    // Without the key the file can be copied, and nothing else.
    stack
        .run(&["state", "pull", "--out", "copy.tfstate"])
        .exits(0);
    stack.set("SOPS_AGE_KEY", "");
    let copied = stack.run(&["state", "pull"]).exits(0);
    assert_eq!(copied.stdout, pulled.stdout);
    insta::assert_snapshot!(keyless(&copied, &[&recipient]).split("--- stderr ---").nth(1).expect("a note").trim(), @"this is the stored file; runs refuse it: a record of the journal at .terrane/vault/terraform.tfstate cannot be used: it is encrypted with `age:KEY`, and no key of the program decrypts it (`age:KEY`: there are no age identities; identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and `~/.config/sops/age/keys.txt`)");
    let lost = stack.run(&["state", "pull", "--decrypt"]).exits(7);
    insta::assert_snapshot!(keyless(&lost, &[&recipient]), @"
    exit: 7
    --- stderr ---
    error: the state at .terrane/vault/terraform.tfstate cannot be used: it is encrypted with `age:KEY`, and no key of the program decrypts it (`age:KEY`: there are no age identities; identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and `~/.config/sops/age/keys.txt`)
    ");
    let lost = stack
        .run(&["state", "push", "copy.tfstate", "--yes"])
        .exits(7);
    insta::assert_snapshot!(keyless(&lost, &[&recipient]), @"
    exit: 7
    --- stderr ---
    error: copy.tfstate cannot be used: it is encrypted with `age:KEY`, and no key of the program decrypts it (`age:KEY`: there are no age identities; identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and `~/.config/sops/age/keys.txt`)
    ");
    assert_eq!(std::fs::read_to_string(&file).expect("a state"), whole);
    stack.set("SOPS_AGE_KEY", &identity);
    stack
        .run(&["state", "push", "copy.tfstate", "--yes"])
        .exits(0);

    // From one form to the other, and off: the file is what it would have been all along.
    stack.set("VAULT_FORM", "");
    stack.run(&["up", "--yes", "--var", "team=third"]).exits(0);
    let stored = std::fs::read_to_string(&file).expect("a state");
    assert!(!stored.contains("fake_vault"), "{stored}");
    stack.set("VAULT_FORM", "sensitive");
    stack.set("VAULT_ENCRYPTION", "ends");
    stack.run(&["up", "--yes", "--var", "team=fourth"]).exits(0);
    stack
        .run(&["state", "pull", "--decrypt", "--out", "clear.tfstate"])
        .exits(0);
    let decrypted = std::fs::read_to_string(folder.join("clear.tfstate")).expect("a state");
    let stored = std::fs::read_to_string(&file).expect("a state");
    assert_eq!(stored, decrypted);
    assert!(stored.contains("canary-7-tag"));
}

#[test]
fn results_that_no_store_took_are_encrypted_and_pushed_by_the_printed_command_with_the_key() {
    for form in ["", "sensitive"] {
        let Some(aws) = terrane_tests::aws() else {
            return;
        };
        let (mut stack, recipient, identity) = encrypted_vault(form);
        stack.set("AWS_ACCESS_KEY_ID", "AKIATEST");
        stack.set("AWS_SECRET_ACCESS_KEY", "test");
        let url = format!("{}&max_retries=0", aws.url());
        stack
            .run(&["bootstrap", "--yes", "--backend", &url])
            .exits(0);
        // The journal takes the beginning of the run with the intent; from the result on no request arrives.
        let taken = std::sync::atomic::AtomicUsize::new(0);
        aws.when(move |request| {
            use std::sync::atomic::Ordering::Relaxed;
            let appends = request.starts_with("PUT ") && request.contains("journal");
            let before = match appends {
                true => taken.fetch_add(1, Relaxed),
                false => taken.load(Relaxed).saturating_sub(1),
            };
            if before < 1 {
                Fate::Answered
            } else {
                Fate::Lost
            }
        });
        let failed = stack.command(&["up", "--yes", "--backend", &url]).output();
        let failed = failed.expect("a run");
        assert_eq!(failed.status.code(), Some(5));
        let said = String::from_utf8(failed.stderr).expect("text");
        silent(&said);
        // As a shell takes it.
        let push = said.split("store them with `vault-stack ").nth(1);
        let push = push
            .and_then(|rest| rest.split('`').next())
            .expect("a hint");
        let push = push.split(' ').map(|word| word.trim_matches('\''));
        let push: Vec<&str> = push.chain(["--yes"]).collect();
        no_file_tells(stack.path());
        aws.when(|_| Fate::Answered);
        let lock = aws.item(&format!("{}/prod/terraform.tfstate", aws.name()));
        let lock = lock.expect("still held")["Info"]["S"]
            .as_str()
            .map(str::to_owned);
        let lock: Value = serde_json::from_str(&lock.expect("text")).expect("JSON");
        let id = lock["ID"].as_str().expect("an id");
        stack
            .run(&["force-unlock", "--yes", id, "--backend", &url])
            .exits(0);

        let folder = stack.path().join(".terrane/vault").read_dir();
        let mut files = folder
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path());
        let rescued = files.find(|path| path.to_string_lossy().contains("errored-"));
        let rescued = rescued.expect("a file of results");
        let before = std::fs::read(&rescued).expect("results");
        // Where they belong is known without the key, too.
        let elsewhere = stack
            .run(&["up", "--yes", "--backend", "other.tfstate"])
            .exits(0);
        assert!(
            elsewhere
                .stderr
                .contains("holds results of an earlier run on s3://"),
            "{elsewhere}"
        );
        let (_, other) = age_key();
        for (key, said) in [
            (&*other, "none of the age identities can decrypt it"),
            ("", "there are no age identities"),
        ] {
            stack.set("SOPS_AGE_KEY", key);
            let refused = stack.run(&push).exits(7);
            assert!(
                refused.stderr.contains(".tfstate cannot be used"),
                "{refused}"
            );
            assert!(
                refused.stderr.contains(said),
                "{}",
                keyless(&refused, &[&recipient])
            );
            assert_eq!(std::fs::read(&rescued).expect("results"), before);
        }
        stack.set("SOPS_AGE_KEY", &identity);
        let refused = stack.run(&["up", "--yes", "--backend", &url]).exits(7);
        assert!(
            refused.stderr.contains("vault-stack state push"),
            "{refused}"
        );
        let pushed = stack.run(&push).exits(0);
        assert!(
            pushed
                .stdout
                .contains("the results of 1 operation of an earlier run"),
            "{pushed}"
        );
        assert!(!rescued.exists());
        stack.run(&["up", "--yes", "--backend", &url]).exits(0);
        stack
            .run(&["preview", "--detailed-exitcode", "--backend", &url])
            .exits(0);
        no_file_tells(stack.path());
    }
}

#[test]
fn an_encrypted_plan_goes_through_other_hands_and_comes_back_as_it_was_or_not_at_all() {
    let (mut stack, recipient, identity) = encrypted_vault("sensitive");
    let folder = stack.path().to_owned();
    // What a CI job uploads.
    let documents = [
        "--out",
        "saved.plan",
        "--markdown",
        "plan.md",
        "--html",
        "plan.html",
    ];
    stack.run(&[&["preview"], &documents[..]].concat()).exits(0);
    no_file_tells(&folder);
    let plan = folder.join("saved.plan");
    let whole = std::fs::read(&plan).expect("a plan");

    stack.set("SOPS_AGE_KEY", "");
    let lost = stack.run(&["up", "saved.plan"]).exits(7);
    insta::assert_snapshot!(keyless(&lost, &[&recipient]), @"
    exit: 7
    --- stderr ---
    error: the plan in saved.plan cannot be used: it is encrypted with `age:KEY`, and no key of the program decrypts it (`age:KEY`: there are no age identities; identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and `~/.config/sops/age/keys.txt`)
    ");
    stack.set("SOPS_AGE_KEY", &identity);
    let mut changed = whole.clone();
    let last = changed.len() - 8;
    changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
    for changed in [&changed[..], &whole[..whole.len() / 2]] {
        std::fs::write(&plan, changed).expect("writable");
        stack.run(&["up", "saved.plan"]).exits(7);
    }
    // One that somebody made without the key, and one with another.
    stack.set("VAULT_KEY", "");
    stack.run(&["preview", "--out", "clear.plan"]).exits(0);
    let (other, _) = age_key();
    stack.set("VAULT_KEY", &other);
    stack.run(&["preview", "--out", "other.plan"]).exits(0);
    stack.set("VAULT_KEY", &recipient);
    let clear = stack.run(&["up", "clear.plan"]).exits(7);
    insta::assert_snapshot!(keyless(&clear, &[&recipient]), @"
    exit: 7
    --- stderr ---
    error: the plan in clear.plan cannot be used: it is in clear, and this program encrypts its plans; make a new one with `preview --out FILE`
    ");
    stack.run(&["up", "other.plan"]).exits(7);
    stack.run(&["state", "list"]).exits(0);
    std::fs::write(&plan, whole).expect("writable");
    stack.run(&["up", "saved.plan"]).exits(0);
}

#[test]
fn a_program_that_names_no_key_refuses_an_encrypted_state_and_leaves_it() {
    let (recipient, identity) = age_key();
    let mut stack = vault("");
    stack.set("VAULT_KEY", &recipient);
    stack.set("SOPS_AGE_KEY", &identity);
    stack.run(&["up", "--yes"]).exits(0);
    let file = stack.path().join(".terrane/vault/terraform.tfstate");
    let before = std::fs::read(&file).expect("a state");
    // The vault's own secrets, without its keys.
    let mut keyless_stack = vault("");
    let folder = keyless_stack.path().join(".terrane/vault");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(&file, folder.join("terraform.tfstate")).expect("copied");
    let refused = keyless_stack.run(&["up", "--yes"]).exits(7);
    insta::assert_snapshot!(keyless(&refused, &[&recipient]), @"
    exit: 7
    --- stderr ---
    error: the state at .terrane/vault/terraform.tfstate cannot be used: it is encrypted with `age:KEY`, and the program names no key: its backend needs `.encrypted_with(…)`
    ");
    keyless_stack.set("VAULT_KEY", &recipient);
    let lost = keyless_stack.run(&["up", "--yes"]).exits(7);
    insta::assert_snapshot!(keyless(&lost, &[&recipient]), @"
    exit: 7
    --- stderr ---
    error: the state at .terrane/vault/terraform.tfstate cannot be used: it is encrypted with `age:KEY`, and no key of the program decrypts it (`age:KEY`: there are no age identities; identities are read from where sops reads them: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, and `~/.config/sops/age/keys.txt`)
    ");
    assert_eq!(
        std::fs::read(folder.join("terraform.tfstate")).expect("a state"),
        before
    );
}

#[test]
fn a_state_is_encrypted_with_a_key_of_kms() {
    let Some(aws) = terrane_tests::aws() else {
        return;
    };
    let made = aws.json("kms", "TrentService.CreateKey", &json!({}));
    let key = made["KeyMetadata"]["Arn"].as_str().expect("an ARN");
    let mut stack = vault("");
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIATEST"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &*aws.endpoint()),
        ("VAULT_KEY", &format!("kms:{key}")),
    ] {
        stack.set(name, value);
    }
    stack.run(&["up", "--yes"]).exits(0);
    no_file_tells(stack.path());
    stack.run(&["preview", "--detailed-exitcode"]).exits(0);
    stack.set("VAULT_KEY", &format!("kms:{key}0"));
    stack.run(&["preview"]).exits(7);
}
